// The number of steps has no gradient.
// expect: value_and_grad: a chain has no argument of that number to differentiate by; the number of steps has no gradient
#include <fluxion/autodiff/loop.hpp>
#include <fluxion/fluxion.hpp>

namespace fx = fluxion;

int main() {
  constexpr auto begin = [](auto x) { return x * 3; };
  constexpr auto twice = [](auto v) { return v * 2; };
  constexpr auto end = [](auto v, auto) { return fx::sum(v); };
  const fx::Tensor<float, fx::extents<3>> x = {1, 2, 3};
  constexpr auto chain = fx::chain(begin, fx::iterate(twice), end);
#ifdef FLUXION_CONTROL
  const auto [y, dx] = fx::value_and_grad<1>(chain)(5, x);
#else
  const auto [y, dx] = fx::value_and_grad<0>(chain)(5, x);
#endif
  static_cast<void>(x), static_cast<void>(y), static_cast<void>(dx);
}
