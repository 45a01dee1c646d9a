// expect: vmap: only tensors and views have a batch axis; other arguments are given as none
#include <fluxion/autodiff/vmap.hpp>
#include <fluxion/nn/layer.hpp>

namespace fx = fluxion;

#ifdef FLUXION_CONTROL
constexpr auto axes = fx::in_dims<fx::none, 0>;
#else
constexpr auto axes = fx::in_dims<0>;
#endif

void f(const fx::nn::Linear& model, const fx::Tensor<float, fx::dims<2>>& x) {
  const auto y = fx::vmap([](const auto& m, auto v) { return m.forward(v); }, axes)(model, x);
  static_cast<void>(y);
}
