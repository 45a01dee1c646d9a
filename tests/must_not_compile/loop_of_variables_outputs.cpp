// expect: a loop of variables has one value: its steps cannot give outputs
#include <fluxion/autodiff/loop_node.hpp>

namespace fx = fluxion;

int main() {
  fx::Var x = fx::variable(fx::Tensor<float, fx::dims<1>>{1, 2});
#ifdef FLUXION_CONTROL
  constexpr auto step = [](auto s) { return s * 0.5f; };
#else
  constexpr auto step = [](auto s) { return fx::with_output(s * 0.5f, fx::sum(s)); };
#endif
  auto y = fx::iterate(step)(x, 3);
  return 0;
}
