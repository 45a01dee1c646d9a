// expect: check<.*operation::add, fluxion::extents<3, 4>, fluxion::extents<3, 5>
// expect: the shapes of the operands do not broadcast
#include <fluxion/fluxion.hpp>
namespace fx = fluxion;

fx::Tensor<float, fx::extents<3, 4>> f(const fx::Tensor<float, fx::extents<3, 4>>& a,
#ifdef FLUXION_CONTROL
                                       const fx::Tensor<float, fx::extents<3, 1>>& b
#else
                                       const fx::Tensor<float, fx::extents<3, 5>>& b
#endif
) {
  return a + b;
}
