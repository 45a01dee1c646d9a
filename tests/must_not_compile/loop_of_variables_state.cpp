// expect: a loop of variables takes variables, parameters, tensors, views and numbers, and has one state; of a model, pass the parameters
#include <fluxion/autodiff/loop_node.hpp>

#include <tuple>

namespace fx = fluxion;

int main() {
  fx::Var x = fx::variable(fx::Tensor<float, fx::dims<1>>{1, 2});
#ifdef FLUXION_CONTROL
  constexpr auto step = [](auto s) { return s * 0.5f; };
  fx::Var y = fx::iterate(step)(x, 3);
#else
  constexpr auto step = [](auto s) { return s; };
  auto y = fx::iterate(step)(std::tuple(x, x), 3);
#endif
  return 0;
}
