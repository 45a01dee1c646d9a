// expect: grad: the function must return one number: reduce it with sum or mean
#include <fluxion/autodiff/jacobian.hpp>

namespace fx = fluxion;

void f(const fx::Tensor<double, fx::dims<1>>& x) {
#ifdef FLUXION_CONTROL
  const auto h = fx::hessian([](auto v) { return fx::sum(v * v); })(x);
#else
  const auto h = fx::hessian([](auto v) { return v * v; })(x);
#endif
  static_cast<void>(h);
}
