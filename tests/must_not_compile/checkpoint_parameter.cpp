// expect: checkpoint: parameters and models are captured by reference, not passed
#include <fluxion/autodiff/checkpoint.hpp>
#include <fluxion/nn/parameter.hpp>

namespace fx = fluxion;

int main() {
  const fx::Parameter<float, fx::extents<2>> w = fx::ones;
  fx::Var x = fx::variable(fx::Tensor<float, fx::extents<2>>(fx::ones));
#ifdef FLUXION_CONTROL
  fx::Var y = fx::checkpoint([&](const auto& a) { return a * w; }, x);
#else
  fx::Var y = fx::checkpoint([](const auto& a, const auto& b) { return a * b; }, x, w);
#endif
  return y.value()(0) > 0;
}
