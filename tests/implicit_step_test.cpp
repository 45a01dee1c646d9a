// Implicit steps of differential equations: their derivatives in both modes, of both orders, and what reverse mode records.
#include <doctest/doctest.h>

#include <fluxion/autodiff/implicit_var.hpp>

#include <array>
#include <cmath>
#include <cstddef>

namespace fx = fluxion;

namespace {

using V = fx::Var<double>;

/// A stiff oscillator with a rate and a friction.
constexpr auto slope = [](const auto& y, const auto& p) {
  std::remove_cvref_t<decltype(y)> dy;
  dy[0] = y[1];
  dy[1] = -p[0] * y[0] * y[0] * y[0] - p[1] * y[1];
  return dy;
};
/// The energy after twenty implicit steps, a function of position, rate and friction.
template <bool Midpoint>
constexpr auto energy = [](const auto& z) {
  using S = typename std::remove_cvref_t<decltype(z)>::value_type;
  std::array<S, 2> y{z[0], S(0.5)};
  const std::array<S, 2> p{z[1], z[2]};
  for (int t = 0; t < 20; ++t) {
    if constexpr (Midpoint) y = fx::implicit_midpoint(slope, y, 0.1, p);
    else y = fx::implicit_euler(slope, y, 0.1, p);
  }
  return S(y[1] * y[1] / 2 + z[1] * y[0] * y[0] * y[0] * y[0] / 4);
};

}  // namespace

TEST_CASE("implicit Euler and midpoint: twenty steps have the same derivatives backwards, forwards and by differences; two statements a step") {
  const auto check = [](const auto& f) {
    const std::array z{1.0, 50.0, 0.3};
    const auto [value, gradient] = fx::reverse::gradient(f, z);
    const auto forwards = fx::forward::gradient(f, z);
    CHECK(value == doctest::Approx(f(z)).epsilon(1e-14));
    for (std::size_t i = 0; i < 3; ++i) {
      CHECK(gradient[i] == doctest::Approx(forwards.gradient[i]).epsilon(1e-12));
      auto above = z, below = z;
      above[i] += 1e-5, below[i] -= 1e-5;
      CHECK(gradient[i] == doctest::Approx((f(above) - f(below)) / 2e-5).epsilon(1e-6));
    }
    // Second derivatives: forward over forward, and forward over reverse.
    const auto second = fx::forward::hessian(f, z).hessian;
    const auto product = fx::reverse::hvp(f, z, std::array{1.0, 2.0, -1.0}).product;
    for (std::size_t i = 0; i < 3; ++i) {
      CHECK(product[i] == doctest::Approx(second[i][0] + 2 * second[i][1] - second[i][2]).epsilon(1e-10));
      auto above = z, below = z;
      above[i] += 1e-5, below[i] -= 1e-5;
      CHECK(second[i][1] == doctest::Approx((fx::forward::gradient(f, above).gradient[1] - fx::forward::gradient(f, below).gradient[1]) / 2e-5).epsilon(1e-5));
    }
  };
  check(energy<false>);
  check(energy<true>);
  std::array<V, 2> y{fx::variable(1.0), V(0.5)};
  const std::array<V, 2> p{fx::variable(50.0), V(0.3)};
  const std::size_t before = fx::ScalarTape<double>::of_this_thread().size();
  for (int t = 0; t < 20; ++t) y = fx::implicit_euler(slope, y, 0.1, p);
  CHECK(fx::ScalarTape<double>::of_this_thread().size() - before == 40);
}
