// expect: check<.*operation::matmul, fluxion::extents<3, 4>, fluxion::extents<3, 5>
// expect: matmul: inner extents differ
#include <fluxion/fluxion.hpp>
namespace fx = fluxion;

fx::Tensor<float, fx::extents<3, 5>> f(const fx::Tensor<float, fx::extents<3, 4>>& a,
#ifdef FLUXION_CONTROL
                                       const fx::Tensor<float, fx::extents<4, 5>>& b
#else
                                       const fx::Tensor<float, fx::extents<3, 5>>& b
#endif
) {
  return fx::matmul(a, b);
}
