// expect: check<.*operation::amax, fluxion::extents<3, 0>
// expect: a reduction of an empty axis has no identity
#include <fluxion/fluxion.hpp>
namespace fx = fluxion;

fx::Tensor<float, fx::extents<3>> f(const fx::Tensor<float, fx::extents<3, 0>>& a) {
#ifdef FLUXION_CONTROL
  return fx::sum(a, fx::axis<1>);
#else
  return fx::max(a, fx::axis<1>);
#endif
}
