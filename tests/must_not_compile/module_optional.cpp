// expect: module member is neither a parameter, a buffer, a scalar, a setting nor a layer
#include <fluxion/nn/layer.hpp>
#include <optional>

namespace fx = fluxion;

struct Layer {
  fx::Parameter<float, fx::extents<2>> weight = fx::ones;
#ifdef FLUXION_CONTROL
  fx::nn::ReLU next;
#else
  std::optional<fx::nn::ReLU> next;
#endif
  constexpr auto forward(const auto& x) const { return x * weight; }
};

int main() {
  const fx::Tensor<float, fx::extents<2>> x = {1, 2};
  return static_cast<int>(fx::compile([](const auto& m, auto v) { return m.forward(v); })(Layer{}, x)(0));
}
