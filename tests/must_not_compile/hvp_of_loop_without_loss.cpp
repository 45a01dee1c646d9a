// A second derivative is one of a number.
// expect: hvp: a loop needs a loss of its last state: scan\(step, loss\)
#include <fluxion/autodiff/loop.hpp>
#include <fluxion/fluxion.hpp>

namespace fx = fluxion;

int main() {
  constexpr auto twice = [](auto v) { return v * 2; };
#ifdef FLUXION_CONTROL
  const auto product = fx::hvp(fx::iterate(twice, [](auto v) { return fx::sum(v); }));
#else
  const auto product = fx::hvp(fx::iterate(twice));
#endif
  static_cast<void>(product);
}
