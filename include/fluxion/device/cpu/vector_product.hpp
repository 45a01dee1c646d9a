/// Products of a matrix and a vector. They read each element once: the packing and blocking of a product of matrices would only delay them.
#pragma once
#include "../../core/extents.hpp"
#include "packet.hpp"

#include <algorithm>
#include <utility>

namespace fluxion::host {
inline namespace FLUXION_ABI {
namespace detail {

/// y = A·x. One of the strides of A is 1.
template <class T>
struct vector_product {
  index_t rows, inner;
  const T* a;
  index_t row, column;
  const T* x;
  index_t x_stride;
  T* y;
  index_t y_stride;
};

/// f(0), f(1), … as straight-line code: compilers keep arrays in memory that a loop goes through.
template <int Count, class F>
FLUXION_ALWAYS_INLINE void unrolled(const F& f) {
  [&]<int... I>(std::integer_sequence<int, I...>) FLUXION_INLINE_LAMBDA { (f(I), ...); }(std::make_integer_sequence<int, Count>{});
}

/// `Rows` rows of adjacent elements: as many dot products at once, so that none waits for its own sum.
template <int Rows, class T>
FLUXION_ALWAYS_INLINE void multiply_some_rows(const vector_product<T>& m, index_t first) {
  constexpr int lanes = native_lanes<T>;
  using P = Pack<T, lanes>;
  const T* const a = m.a + first * m.row;
  P sum[Rows];
  unrolled<Rows>([&](int r) FLUXION_INLINE_LAMBDA { sum[r] = splat<P>(T(0)); });
  index_t k = 0;
  for (; k + lanes <= m.inner; k += lanes) {
    const P x = load<P>(m.x + k);
    unrolled<Rows>([&](int r) FLUXION_INLINE_LAMBDA { sum[r] = fma(load<P>(a + r * m.row + k), x, sum[r]); });
  }
  if (const int left = static_cast<int>(m.inner - k); left > 0) {
    const P x = load_partial<P>(m.x + k, left, T(0));
    unrolled<Rows>([&](int r) FLUXION_INLINE_LAMBDA { sum[r] = fma(load_partial<P>(a + r * m.row + k, left, T(0)), x, sum[r]); });
  }
  unrolled<Rows>([&](int r) FLUXION_INLINE_LAMBDA { m.y[(first + r) * m.y_stride] = reduce_add(sum[r]); });
}

/// For rows of adjacent elements, and an x of such.
template <class T>
void multiply_rows(const vector_product<T>& m) {
  index_t i = 0;
  for (; i + 8 <= m.rows; i += 8) multiply_some_rows<8>(m, i);
  for (; i + 2 <= m.rows; i += 2) multiply_some_rows<2>(m, i);
  for (; i < m.rows; ++i) multiply_some_rows<1>(m, i);
}

/// `Packs` packs of y and the columns from `from` to `to`: sums stay in registers, `Chains` for each pack so that few packs need not wait for
/// their own sums. Of the last pack, `left` elements are there.
template <int Packs, int Chains, bool Partial, class T>
FLUXION_ALWAYS_INLINE void add_columns(const vector_product<T>& m, index_t row, index_t from, index_t to, [[maybe_unused]] int left = 0) {
  constexpr int lanes = native_lanes<T>;
  using P = Pack<T, lanes>;
  const auto read = [&](const T* at) FLUXION_INLINE_LAMBDA {
    if constexpr (Partial) return load_partial<P>(at, left, T(0));
    else return load<P>(at);
  };
  P sum[Packs * Chains];
  unrolled<Packs>([&](int r) FLUXION_INLINE_LAMBDA { sum[r] = from == 0 ? splat<P>(T(0)) : read(m.y + row + r * lanes); });
  unrolled<Packs*(Chains - 1)>([&](int r) FLUXION_INLINE_LAMBDA { sum[Packs + r] = splat<P>(T(0)); });
  const T* a = m.a + row + from * m.column;
  index_t k = from;
  for (; k + Chains <= to; k += Chains, a += Chains * m.column)
    unrolled<Chains>([&](int c) FLUXION_INLINE_LAMBDA {
      const P x = splat<P>(m.x[(k + c) * m.x_stride]);
      unrolled<Packs>([&](int r) FLUXION_INLINE_LAMBDA { sum[c * Packs + r] = fma(read(a + c * m.column + r * lanes), x, sum[c * Packs + r]); });
    });
  for (; k < to; ++k, a += m.column) {
    const P x = splat<P>(m.x[k * m.x_stride]);
    unrolled<Packs>([&](int r) FLUXION_INLINE_LAMBDA { sum[r] = fma(read(a + r * lanes), x, sum[r]); });
  }
  unrolled<Packs>([&](int r) FLUXION_INLINE_LAMBDA {
    P all = sum[r];
    unrolled<Chains - 1>([&](int c) FLUXION_INLINE_LAMBDA { all = all + sum[(c + 1) * Packs + r]; });
    if constexpr (Partial) store_partial(m.y + row + r * lanes, all, left);
    else store(m.y + row + r * lanes, all);
  });
}

/// For columns of adjacent elements, and a y of such. A matrix that the second-level cache holds is read once down its columns for each group
/// of rows; of a larger one, few columns at a time, which are as many streams from memory.
template <class T>
void multiply_columns(const vector_product<T>& m) {
  constexpr index_t lanes = native_lanes<T>, cached = 524288 / sizeof(T), streams = 16;
  if (m.inner == 0) {
    std::fill_n(m.y, m.rows, T(0));
    return;
  }
  const index_t columns = m.rows <= cached / m.inner ? m.inner : streams;
  for (index_t from = 0; from < m.inner; from += columns) {
    const index_t to = std::min(from + columns, m.inner);
    index_t i = 0;
    for (; i + 8 * lanes <= m.rows; i += 8 * lanes) add_columns<8, 1, false>(m, i, from, to);
    for (; i + 2 * lanes <= m.rows; i += 2 * lanes) add_columns<2, 4, false>(m, i, from, to);
    for (; i + lanes <= m.rows; i += lanes) add_columns<1, 4, false>(m, i, from, to);
    if (i < m.rows) add_columns<1, 4, true>(m, i, from, to, static_cast<int>(m.rows - i));
  }
}

/// Whether the product was computed: elements must be adjacent where the loops want them to be.
template <class T>
bool multiply_vector(const vector_product<T>& m) {
  if (m.column == 1 && m.x_stride == 1) multiply_rows(m);
  else if (m.row == 1 && m.y_stride == 1) multiply_columns(m);
  else return false;
  return true;
}

}  // namespace detail
}  // namespace FLUXION_ABI
}  // namespace fluxion::host
