// expect: a run-time setting was read while tracing; make it a template parameter or an fx::Scalar
#include <fluxion/nn/layer.hpp>

namespace fx = fluxion;

struct Layer {
#ifdef FLUXION_CONTROL
  fx::Scalar<float> slope = 0.1f;
#else
  fx::setting<float> slope = 0.1f;
#endif
  constexpr auto forward(const auto& x) const {
#ifdef FLUXION_CONTROL
    return x * slope;
#else
    return x * static_cast<float>(slope);
#endif
  }
};

int main() {
  const fx::Tensor<float, fx::extents<2>> x = {1, 2};
  return static_cast<int>(fx::compile([](const auto& m, auto v) { return m.forward(v); })(Layer{}, x)(0));
}
