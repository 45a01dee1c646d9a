// expect: sum_of_squares
// errors: 3
#include <fluxion/fluxion.hpp>

namespace fx = fluxion;

fx::Tensor<float, fx::extents<3>> f(const fx::Tensor<float, fx::extents<3>>& a) {
#ifdef FLUXION_CONTROL
  return fx::compile([](auto x) { return x * x; })(a);
#else
  return fx::compile([](auto x) { return fx::sum_of_squares(x); })(a);
#endif
}
