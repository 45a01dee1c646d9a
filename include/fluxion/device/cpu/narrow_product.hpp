/// Products whose result has few columns, as of a classifier's last layer and its gradients: A is read where it lies, once. The packing of a
/// product of large matrices copies A, and fills its registers with columns that are not there.
#pragma once
#include "../../core/arena.hpp"
#include "../../core/extents.hpp"
#include "vector_product.hpp"

#include <algorithm>

namespace fluxion::host {
inline namespace FLUXION_ABI {
namespace detail {

/// C = A·B; A and B in any order, C by rows.
template <class T>
struct narrow_product {
  index_t rows, columns, inner;
  const T* a;
  index_t a_row, a_column;
  const T* b;
  index_t b_row, b_column;
  T* c;
  index_t c_row;
};

/// Rows [from, to) of B, each filled up with zeros to `width` elements.
template <class T>
void fill_up_rows(const narrow_product<T>& m, index_t from, index_t to, index_t width, T* filled) {
  for (index_t k = from; k < to; ++k, filled += width) {
    const T* const b = m.b + k * m.b_row;
    if (m.b_column == 1) std::copy_n(b, m.columns, filled);
    else
      for (index_t j = 0; j < m.columns; ++j) filled[j] = b[j * m.b_column];
    std::fill(filled + m.columns, filled + width, T(0));
  }
}

/// `Rows` rows of C, `Packs` packs each: sums stay in registers over `count` columns of A. The rows of B that meet them are `b_row` apart.
template <int Rows, int Packs, class T>
FLUXION_ALWAYS_INLINE void multiply_narrow_rows(const narrow_product<T>& m, index_t row, index_t from, index_t count, const T* b_first, index_t b_row) {
  constexpr int lanes = native_lanes<T>;
  using P = Pack<T, lanes>;
  P sum[Rows * Packs];
  unrolled<Rows * Packs>([&](int i) FLUXION_INLINE_LAMBDA { sum[i] = splat<P>(T(0)); });
  const T* const a = m.a + row * m.a_row + from * m.a_column;
  for (index_t k = 0; k < count; ++k) {
    P b[Packs];
    unrolled<Packs>([&](int p) FLUXION_INLINE_LAMBDA { b[p] = load<P>(b_first + k * b_row + p * lanes); });
    unrolled<Rows>([&](int r) FLUXION_INLINE_LAMBDA {
      const P x = splat<P>(a[r * m.a_row + k * m.a_column]);
      unrolled<Packs>([&](int p) FLUXION_INLINE_LAMBDA { sum[r * Packs + p] = fma(x, b[p], sum[r * Packs + p]); });
    });
  }
  const auto left = static_cast<int>(m.columns - (Packs - 1) * lanes);
  unrolled<Rows>([&](int r) FLUXION_INLINE_LAMBDA {
    T* const c = m.c + (row + r) * m.c_row;
    unrolled<Packs>([&](int p) FLUXION_INLINE_LAMBDA {
      P& s = sum[r * Packs + p];
      const int n = p + 1 < Packs ? lanes : left;
      if (from > 0) s = s + load_partial<P>(c + p * lanes, n, T(0));
      store_partial(c + p * lanes, s, n);
    });
  });
}

/// Rows whose sums, with a row of B, fit in the registers: 32 where they have 512 bits, 16 elsewhere.
template <class T>
constexpr int rows_of_narrow(int packs) {
  const int registers = native_lanes<T> * sizeof(T) == 64 ? 32 : 16;
  return std::min((registers - 1 - packs) / packs, 12);
}

template <int Packs, class T>
void multiply_narrow(const narrow_product<T>& m) {
  constexpr int lanes = native_lanes<T>, rows = rows_of_narrow<T>(Packs);
  constexpr index_t block = 16384 / (Packs * lanes * static_cast<index_t>(sizeof(T)));  // half of a first-level cache
  constexpr index_t width = Packs * lanes;
  const bool in_place = m.b_column == 1 && m.columns == width;
  ArenaScope scope;
  T* const filled = in_place ? nullptr : scope.template take<T>(static_cast<std::size_t>(std::min(block, m.inner) * width));
  for (index_t from = 0; from < m.inner; from += block) {
    const index_t count = std::min(block, m.inner - from);
    if (!in_place) fill_up_rows(m, from, from + count, width, filled);
    const T* const b = in_place ? m.b + from * m.b_row : filled;
    const index_t b_row = in_place ? m.b_row : width;
    index_t i = 0;
    for (; i + rows <= m.rows; i += rows) multiply_narrow_rows<rows, Packs>(m, i, from, count, b, b_row);
    for (; i < m.rows; ++i) multiply_narrow_rows<1, Packs>(m, i, from, count, b, b_row);
  }
}

/// Columns up to which this is the faster way: packs of 128 bits are too many for too little beyond two.
template <class T>
inline constexpr index_t most_narrow_columns = (native_lanes<T> * sizeof(T) >= 32 ? 4 : 2) * native_lanes<T>;

/// Whether the product was computed: one of few columns and enough rows is. An A that lies by columns is crossed at once only where a second-level
/// cache holds it.
template <class T>
bool multiply_if_narrow(const narrow_product<T>& m) {
  constexpr index_t cached = 524288 / static_cast<index_t>(sizeof(T));
  if (m.columns > most_narrow_columns<T> || m.rows < 12 || m.inner == 0) return false;
  if (m.a_column != 1 && m.rows > cached / m.inner) return false;
  const index_t packs = (m.columns + native_lanes<T> - 1) / native_lanes<T>;
  if (packs <= 1) multiply_narrow<1>(m);
  else if (packs == 2) multiply_narrow<2>(m);
  else if constexpr (most_narrow_columns<T> > 2 * native_lanes<T>) packs == 3 ? multiply_narrow<3>(m) : multiply_narrow<4>(m);
  return true;
}

}  // namespace detail
}  // namespace FLUXION_ABI
}  // namespace fluxion::host
