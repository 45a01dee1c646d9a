// expect: jacrev, jacfwd and hessian are by tensors and floating-point numbers; the derivative by a model is that of grad, vjp or jvp
#include <fluxion/autodiff/jacobian.hpp>
#include <fluxion/nn/layer.hpp>

namespace fx = fluxion;

#ifdef FLUXION_CONTROL
constexpr auto jacobian = fx::jacrev<1>([](const auto& m, auto v) { return m.forward(v); });
#else
constexpr auto jacobian = fx::jacrev<0>([](const auto& m, auto v) { return m.forward(v); });
#endif

void f(const fx::nn::Linear& model, const fx::Tensor<float, fx::dims<1>>& x) {
  const auto j = jacobian(model, x);
  static_cast<void>(j);
}
