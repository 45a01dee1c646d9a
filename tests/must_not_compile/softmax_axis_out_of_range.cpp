// expect: check<.*axis_out_of_range|check<.*operation::amax, fluxion::extents<3, 4>
// expect: an axis is out of range for the operand
#include <fluxion/fluxion.hpp>
namespace fx = fluxion;

fx::Tensor<float, fx::extents<3, 4>> f(const fx::Tensor<float, fx::extents<3, 4>>& a) {
#ifdef FLUXION_CONTROL
  return fx::softmax(a, fx::axis<-2>);
#else
  return fx::softmax(a, fx::axis<2>);
#endif
}
