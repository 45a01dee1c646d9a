// expect: module member is neither a parameter, a buffer, a scalar, a setting nor a layer
#include <fluxion/nn/layer.hpp>

namespace fx = fluxion;

struct Base {
#ifndef FLUXION_CONTROL
  fx::Parameter<float, fx::extents<2>> hidden = fx::ones;
#endif
};
struct Layer : Base {
  fx::Parameter<float, fx::extents<2>> weight = fx::ones;
  constexpr auto forward(const auto& x) const { return x * weight; }
};

int main() {
  const fx::Tensor<float, fx::extents<2>> x = {1, 2};
  return static_cast<int>(fx::compile([](const auto& m, auto v) { return m.forward(v); })(Layer{}, x)(0));
}
