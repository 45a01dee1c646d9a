// A step that captures cannot be traced.
// expect: a loop wants functions without captures; pass what they capture as an argument
#include <fluxion/autodiff/loop.hpp>
#include <fluxion/fluxion.hpp>

namespace fx = fluxion;

int main() {
  const fx::Tensor<float, fx::extents<3>> x = {1, 2, 3};
#ifdef FLUXION_CONTROL
  const auto loop = fx::iterate([](auto v, auto w) { return v * w; });
#else
  const auto loop = fx::iterate([x](auto v) { return v * x; });
#endif
  static_cast<void>(loop), static_cast<void>(x);
}
