// expect: check<.*fluxion::extents<2>, fluxion::extents<1>
// expect: a tangent has the shape of its argument, a cotangent that of its result
#include <fluxion/autodiff/jvp.hpp>

namespace fx = fluxion;

#ifdef FLUXION_CONTROL
using Direction = fx::Tensor<float, fx::extents<2>>;
#else
using Direction = fx::Tensor<float, fx::extents<1>>;
#endif

void f(const fx::Tensor<float, fx::extents<2>>& x, const Direction& v) {
  const auto [y, dy] = fx::jvp([](auto a) { return a * a; })(x, v);
  const fx::Tensor<float, fx::extents<>> hv = fx::sum(fx::hvp([](auto a) { return fx::sum(a * a); })(x, x));
  static_cast<void>(y);
  static_cast<void>(hv);
  static_cast<void>(dy);
}
