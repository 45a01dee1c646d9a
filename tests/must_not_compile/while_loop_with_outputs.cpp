// How many outputs there will be is not known before the loop ends.
// expect: while_loop: its steps give no outputs, because their number is not known: use scan or iterate
#include <fluxion/autodiff/loop.hpp>
#include <fluxion/fluxion.hpp>

namespace fx = fluxion;

int main() {
  constexpr auto is_large = [](auto x) { return x > 1; };
#ifdef FLUXION_CONTROL
  const auto y = fx::while_loop(is_large, [](auto x) { return x / 2; })(5.0);
#else
  const auto y = fx::while_loop(is_large, [](auto x) { return fx::with_output(x / 2, x); })(5.0);
#endif
  static_cast<void>(y);
}
