// Steps on the way to a fixed point are of no interest.
// expect: fixed_point: a step gives no outputs along the way
#include <fluxion/autodiff/loop.hpp>
#include <fluxion/fluxion.hpp>

namespace fx = fluxion;

int main() {
  const fx::Tensor<float, fx::extents<3>> x = {1, 2, 3};
#ifdef FLUXION_CONTROL
  const auto y = fx::fixed_point([](auto v) { return v / 2 + 1; })(x);
#else
  const auto y = fx::fixed_point([](auto v) { return fx::with_output(v / 2 + 1, v); })(x);
#endif
  static_cast<void>(y);
}
