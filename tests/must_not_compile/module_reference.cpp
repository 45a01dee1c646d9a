// expect: module member is neither a parameter, a buffer, a scalar, a setting nor a layer
#include <fluxion/nn/layer.hpp>

namespace fx = fluxion;

fx::nn::Linear shared{2, 2};
struct Layer {
#ifdef FLUXION_CONTROL
  fx::nn::Linear inner{2, 2};
#else
  fx::nn::Linear& inner = shared;
#endif
  constexpr auto forward(const auto& x) const { return inner.forward(x); }
};

int main() {
  const fx::Tensor<float, fx::extents<1, 2>> x = {{1, 2}};
  return static_cast<int>(fx::compile([](const auto& m, auto v) { return m.forward(v); })(Layer{}, x)(0, 0));
}
