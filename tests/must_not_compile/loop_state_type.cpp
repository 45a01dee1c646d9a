// The state of a loop changes its element type from step to step.
// expect: the step of a loop returns a state of the element types and extents that it was given
#include <fluxion/autodiff/loop.hpp>
#include <fluxion/fluxion.hpp>

namespace fx = fluxion;

int main() {
  const fx::Tensor<float, fx::extents<3>> x = {1, 2, 3};
#ifdef FLUXION_CONTROL
  const auto y = fx::iterate([](auto v) { return v + 1; })(x, 5);
#else
  const auto y = fx::iterate([](auto v) { return fx::cast<double>(v) + 1; })(x, 5);
#endif
  static_cast<void>(y);
}
