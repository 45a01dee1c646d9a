/// Matrix products on the CPU: Eigen's, or a CBLAS library's where FLUXION_USE_CBLAS asks for it.
#pragma once
#include "../../graph/call.hpp"

#include <Eigen/Core>
#if defined(FLUXION_USE_CBLAS)
#include <cblas.h>
#endif

namespace fluxion::host {
inline namespace FLUXION_ABI {

namespace detail {

template <class T, int Storage>
using matrix_map = Eigen::Map<const Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Storage>, Eigen::Unaligned, Eigen::OuterStride<>>;

/// Calls f with a map of the matrix in the order in which its elements lie.
template <class T, class F>
void with_matrix(const std::byte* data, index_t rows, index_t columns, index_t row_stride, index_t column_stride, const F& f) {
  const T* p = reinterpret_cast<const T*>(data);
  if (column_stride == 1) f(matrix_map<T, Eigen::RowMajor>(p, rows, columns, Eigen::OuterStride<>(row_stride)));
  else f(matrix_map<T, Eigen::ColMajor>(p, rows, columns, Eigen::OuterStride<>(column_stride)));
}

template <class T>
void multiply_by_eigen(const graph::contract_call& c) {
  Eigen::Map<Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>, Eigen::Unaligned, Eigen::OuterStride<>> result(
      reinterpret_cast<T*>(c.c), c.rows, c.columns, Eigen::OuterStride<>(c.c_row));
  if (c.inner == 0) {
    result.setZero();
    return;
  }
  with_matrix<T>(c.a, c.rows, c.inner, c.a_row, c.a_column, [&](const auto& a) {
    with_matrix<T>(c.b, c.inner, c.columns, c.b_row, c.b_column, [&](const auto& b) { result.noalias() = a * b; });
  });
}

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

/// C = op(A)·op(B) for any element type; bool and integers by Eigen's generic product.
inline void contract(const graph::contract_call& c) {
#if defined(FLUXION_USE_CBLAS)
  if (is_floating(c.type) && c.inner > 0) {
    detail::multiply_by_cblas(c);
    return;
  }
#endif
  switch (c.type) {
    case element_type::float32: detail::multiply_by_eigen<float>(c); break;
    case element_type::float64: detail::multiply_by_eigen<double>(c); break;
    case element_type::int32: detail::multiply_by_eigen<std::int32_t>(c); break;
    default: detail::multiply_by_eigen<std::int64_t>(c); break;
  }
}

}  // namespace FLUXION_ABI
}  // namespace fluxion::host
