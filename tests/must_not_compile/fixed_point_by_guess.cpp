// The solution does not depend on the first guess.
// expect: value_and_grad: a fixed point does not depend on its guess, argument 0; say by what, as in value_and_grad<1>
#include <fluxion/autodiff/loop.hpp>
#include <fluxion/fluxion.hpp>

namespace fx = fluxion;

int main() {
  const fx::Tensor<float, fx::extents<3>> x = {1, 2, 3}, w = {0.5, 0.4, 0.3};
  constexpr auto solution = fx::fixed_point([](auto v, auto a) { return v * a + 1; }, [](auto v, auto) { return fx::sum(v); });
#ifdef FLUXION_CONTROL
  const auto dw = fx::value_and_grad<1>(solution)(x, w);
#else
  const auto dw = fx::value_and_grad(solution);
#endif
  static_cast<void>(dw), static_cast<void>(x), static_cast<void>(w);
}
