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

/// Adds `Columns` columns of adjacent elements to y.
template <int Columns, class T>
FLUXION_ALWAYS_INLINE void add_some_columns(const vector_product<T>& m, index_t first) {
  constexpr int lanes = native_lanes<T>;
  using P = Pack<T, lanes>;
  const T* const a = m.a + first * m.column;
  P x[Columns];
  unrolled<Columns>([&](int k) FLUXION_INLINE_LAMBDA { x[k] = splat<P>(m.x[(first + k) * m.x_stride]); });
  index_t i = 0;
  for (; i + lanes <= m.rows; i += lanes) {
    P y = load<P>(m.y + i);
    unrolled<Columns>([&](int k) FLUXION_INLINE_LAMBDA { y = fma(load<P>(a + k * m.column + i), x[k], y); });
    store(m.y + i, y);
  }
  if (const int left = static_cast<int>(m.rows - i); left > 0) {
    P y = load_partial<P>(m.y + i, left, T(0));
    unrolled<Columns>([&](int k) FLUXION_INLINE_LAMBDA { y = fma(load_partial<P>(a + k * m.column + i, left, T(0)), x[k], y); });
    store_partial(m.y + i, y, left);
  }
}

/// For columns of adjacent elements, and a y of such: y stays in the first-level cache while A streams by.
template <class T>
void multiply_columns(const vector_product<T>& m) {
  std::fill_n(m.y, m.rows, T(0));
  index_t k = 0;
  for (; k + 8 <= m.inner; k += 8) add_some_columns<8>(m, k);
  for (; k + 2 <= m.inner; k += 2) add_some_columns<2>(m, k);
  for (; k < m.inner; ++k) add_some_columns<1>(m, k);
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
