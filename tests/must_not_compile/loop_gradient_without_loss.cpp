// What is differentiated is a loss of the last state.
// expect: value_and_grad: a loop needs a loss of its last state: scan\(step, loss\)
#include <fluxion/autodiff/loop.hpp>
#include <fluxion/fluxion.hpp>

namespace fx = fluxion;

int main() {
  const fx::Tensor<float, fx::extents<3>> x = {1, 2, 3};
#ifdef FLUXION_CONTROL
  const auto dx = fx::value_and_grad(fx::iterate([](auto v) { return v * 2; }, [](auto v) { return fx::sum(v); }))(x, 5);
#else
  const auto dx = fx::value_and_grad(fx::iterate([](auto v) { return v * 2; }))(x, 5);
#endif
  static_cast<void>(dx);
}
