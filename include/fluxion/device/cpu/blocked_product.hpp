/// Eigen's packed, blocked matrix product, called below its expressions. Besides packet/lane.hpp the only file that names Eigen::internal.
#pragma once
#include "../../core/config.hpp"
#include "../../core/extents.hpp"

#include <Eigen/Core>

namespace fluxion::host {
inline namespace FLUXION_ABI {
namespace detail {

namespace ei = Eigen::internal;

/// C += A·B by Eigen's packed, blocked product, C in row-major order. Calling it directly instantiates one inner kernel for all orders of A
/// and B; the assignment `c.noalias() += a * b` instantiates four products for each.
template <class T, int OrderA, int OrderB>
void blocked_product(index_t rows, index_t columns, index_t inner, const T* a, index_t a_stride, const T* b, index_t b_stride, T* c,
                     index_t c_stride) {
  ei::gemm_blocking_space<Eigen::RowMajor, T, T, Eigen::Dynamic, Eigen::Dynamic, Eigen::Dynamic> blocking(rows, columns, inner, 1, true);
  ei::general_matrix_matrix_product<index_t, T, OrderA, false, T, OrderB, false, Eigen::RowMajor, 1>::run(
      rows, columns, inner, a, a_stride, b, b_stride, c, 1, c_stride, T(1), blocking, nullptr);
}

}  // namespace detail
}  // namespace FLUXION_ABI
}  // namespace fluxion::host
