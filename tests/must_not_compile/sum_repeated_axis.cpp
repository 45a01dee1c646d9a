// expect: check<.*operation::sum, fluxion::extents<3, 4>
// expect: an axis is named twice
#include <fluxion/fluxion.hpp>
namespace fx = fluxion;

fx::Tensor<float, fx::extents<>> f(const fx::Tensor<float, fx::extents<3, 4>>& a) {
#ifdef FLUXION_CONTROL
  return fx::sum(a, fx::axes<1, -2>);
#else
  return fx::sum(a, fx::axes<1, -1>);
#endif
}
