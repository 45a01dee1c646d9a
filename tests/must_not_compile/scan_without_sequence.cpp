// Nothing says how many steps there are.
// expect: scan: no argument is a sequence: write fx::each\(xs\), or use iterate
#include <fluxion/autodiff/loop.hpp>
#include <fluxion/fluxion.hpp>

namespace fx = fluxion;

int main() {
  const fx::Tensor<float, fx::extents<3>> x = {1, 2, 3};
  const fx::Tensor<float, fx::extents<5, 3>> xs = fx::ones;
#ifdef FLUXION_CONTROL
  const auto y = fx::scan([](auto s, auto v) { return s + v; })(x, fx::each(xs));
#else
  const auto y = fx::scan([](auto s, auto v) { return s + v; })(x, xs);
#endif
  static_cast<void>(y);
}
