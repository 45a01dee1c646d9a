// What is wrong before the loop is said once.
// expect: matmul: inner extents differ
#include <fluxion/autodiff/loop.hpp>
#include <fluxion/fluxion.hpp>

namespace fx = fluxion;

int main() {
  constexpr auto begin = [](auto x, auto w) { return fx::matmul(x, w); };
  constexpr auto twice = [](auto v) { return v * 2; };
  constexpr auto end = [](auto v, auto, auto) { return fx::sum(v); };
  const fx::Tensor<float, fx::extents<3, 4>> x = fx::ones;
  constexpr auto chain = fx::chain(begin, fx::iterate(twice), end);
#ifdef FLUXION_CONTROL
  const fx::Tensor<float, fx::extents<4, 5>> w = fx::ones;
  const auto [y, dx] = fx::value_and_grad<1>(chain)(5, x, w);
#else
  const fx::Tensor<float, fx::extents<5, 5>> w = fx::ones;
  const auto [y, dx] = fx::value_and_grad<1>(chain)(5, x, w);
#endif
  static_cast<void>(y), static_cast<void>(dx);
}
