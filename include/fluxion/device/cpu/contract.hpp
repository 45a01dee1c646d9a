/// Matrix products on the CPU: Eigen's, or a CBLAS library's where FLUXION_USE_CBLAS asks for it; loops of our own for vectors and
/// narrow results; a plain loop for tiny ones and integers.
#pragma once
#include "../../graph/call.hpp"
#include "vector_product.hpp"

#include <algorithm>
#include <cstring>

#if !defined(FLUXION_NO_HEAP)
#include "blocked_product.hpp"
#include "narrow_product.hpp"
#endif

#if defined(FLUXION_USE_CBLAS)
#include <cblas.h>
#endif

namespace fluxion::host {
inline namespace FLUXION_ABI {

namespace detail {

/// C = A·B, row by row, any strides. For sizes at which packing costs more than it saves, and for integers, which wrap.
template <class T>
void multiply_plainly(const graph::contract_call& c) {
  using W = std::conditional_t<std::is_floating_point_v<T>, T, std::uint64_t>;
  const T* a = reinterpret_cast<const T*>(c.a);
  const T* b = reinterpret_cast<const T*>(c.b);
  T* result = reinterpret_cast<T*>(c.c);
  for (index_t i = 0; i < c.rows; ++i) {
    T* row = result + i * c.c_row;
    for (index_t j = 0; j < c.columns; ++j) row[j] = T(0);
    for (index_t k = 0; k < c.inner; ++k) {
      const W x = static_cast<W>(a[i * c.a_row + k * c.a_column]);
      const T* other = b + k * c.b_row;
      for (index_t j = 0; j < c.columns; ++j) row[j] = static_cast<T>(static_cast<W>(row[j]) + x * static_cast<W>(other[j * c.b_column]));
    }
  }
}

#if !defined(FLUXION_NO_HEAP)  // packing allocates
template <class T>
void multiply_by_eigen(const graph::contract_call& c) {
  if (c.rows + c.columns + c.inner < 20) {
    multiply_plainly<T>(c);
    return;
  }
  const T* a = reinterpret_cast<const T*>(c.a);
  const T* b = reinterpret_cast<const T*>(c.b);
  T* result = reinterpret_cast<T*>(c.c);
  if (c.columns == 1 && multiply_vector<T>({c.rows, c.inner, a, c.a_row, c.a_column, b, c.b_row, result, c.c_row})) return;
  if (c.rows == 1 && multiply_vector<T>({c.columns, c.inner, b, c.b_column, c.b_row, a, c.a_column, result, 1})) return;
  if (c.inner == 0) {  // the library divides by it
    for (index_t i = 0; i < c.rows; ++i) std::fill_n(result + i * c.c_row, c.columns, T(0));
    return;
  }
  if (multiply_if_narrow<T>({c.rows, c.columns, c.inner, a, c.a_row, c.a_column, b, c.b_row, c.b_column, result, c.c_row})) return;
  if (c.c_row == c.columns) std::memset(result, 0, static_cast<std::size_t>(c.rows * c.columns) * sizeof(T));
  else
    for (index_t i = 0; i < c.rows; ++i) std::memset(result + i * c.c_row, 0, static_cast<std::size_t>(c.columns) * sizeof(T));
  constexpr int rows_first = Eigen::RowMajor, columns_first = Eigen::ColMajor;
  const auto product = [&](auto order_a, auto order_b) {
    blocked_product<T, order_a, order_b>(c.rows, c.columns, c.inner, a, order_a == rows_first ? c.a_row : c.a_column, b,
                                         order_b == rows_first ? c.b_row : c.b_column, result, c.c_row);
  };
  using by_rows = std::integral_constant<int, rows_first>;
  using by_columns = std::integral_constant<int, columns_first>;
  if (c.a_column == 1) c.b_column == 1 ? product(by_rows{}, by_rows{}) : product(by_rows{}, by_columns{});
  else c.b_column == 1 ? product(by_columns{}, by_rows{}) : product(by_columns{}, by_columns{});
}

#endif

#if defined(FLUXION_USE_CBLAS)
inline void multiply_by_cblas(const graph::contract_call& c) {
  const bool ta = c.a_column != 1, tb = c.b_column != 1;
  const auto n = [](index_t v) { return static_cast<int>(v); };
  const auto lead = [&](bool transposed, index_t row, index_t column, index_t least) {
    const index_t stride = transposed ? column : row;
    return n(stride > least ? stride : (least > 0 ? least : 1));
  };
  const int lda = lead(ta, c.a_row, c.a_column, ta ? c.rows : c.inner), ldb = lead(tb, c.b_row, c.b_column, tb ? c.inner : c.columns);
  if (c.type == element_type::float32)
    cblas_sgemm(CblasRowMajor, ta ? CblasTrans : CblasNoTrans, tb ? CblasTrans : CblasNoTrans, n(c.rows), n(c.columns), n(c.inner), 1.f,
                reinterpret_cast<const float*>(c.a), lda, reinterpret_cast<const float*>(c.b), ldb, 0.f, reinterpret_cast<float*>(c.c), n(c.c_row));
  else
    cblas_dgemm(CblasRowMajor, ta ? CblasTrans : CblasNoTrans, tb ? CblasTrans : CblasNoTrans, n(c.rows), n(c.columns), n(c.inner), 1.,
                reinterpret_cast<const double*>(c.a), lda, reinterpret_cast<const double*>(c.b), ldb, 0., reinterpret_cast<double*>(c.c), n(c.c_row));
}
#endif

}  // namespace detail

/// C = op(A)·op(B) for elements of type T.
template <class T>
void contract(const graph::contract_call& c) {
#if defined(FLUXION_USE_CBLAS)
  if constexpr (std::is_floating_point_v<T>) {
    if (c.inner > 0) {
      detail::multiply_by_cblas(c);
      return;
    }
  }
#endif
#if defined(FLUXION_NO_HEAP)
  detail::multiply_plainly<T>(c);
#else
  if constexpr (std::is_floating_point_v<T>) detail::multiply_by_eigen<T>(c);
  else detail::multiply_plainly<T>(c);
#endif
}

/// The same where the element type is known only at run time. A template, so that only programs that need it compile every product.
template <class = void>
void contract_any(const graph::contract_call& c) {
  dispatch(c.type, [&](auto zero) {
    using T = decltype(zero);
    if constexpr (!std::is_same_v<T, bool>) contract<T>(c);
  });
}

}  // namespace FLUXION_ABI
}  // namespace fluxion::host
