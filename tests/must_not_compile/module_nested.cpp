// expect: module member is neither a parameter, a buffer, a scalar, a setting nor a layer
// expect: module_member<Inner, int ?\*>
#include <fluxion/nn/layer.hpp>

namespace fx = fluxion;

struct Inner {
  fx::Parameter<float, fx::extents<2>> weight = fx::ones;
#ifdef FLUXION_CONTROL
  fx::setting<int> count = 0;
#else
  int* count = nullptr;
#endif
  constexpr auto forward(const auto& x) const { return x * weight; }
};
struct Outer {
  std::array<Inner, 2> layers;
  fx::nn::ReLU activation;
  constexpr auto forward(const auto& x) const { return activation.forward(layers[1].forward(layers[0].forward(x))); }
};

int main() {
  const fx::Tensor<float, fx::extents<2>> x = {1, 2};
  const fx::nn::Sequential model{Outer{}, fx::nn::ReLU{}};
  const fx::Tensor y = fx::apply(model, x) * 2;
  return static_cast<int>(y(0));
}
