// Stochastic volatility: the gradient of a chain with a scan in it agrees with one written by hand.
#include <doctest/doctest.h>

#include "../bench/reference/volatility.hpp"
#include "../examples/problems/volatility.hpp"

#include <cmath>

namespace fx = fluxion;

TEST_CASE("stochastic volatility: value and gradient agree with a loop and its adjoint by hand") {
  namespace by_hand = reference::volatility;
  for (const std::size_t n : {16u, 64u, 1024u}) {
    by_hand::Vector numbers(n), observed(n), expected(n + 3);
    for (std::size_t i = 0; i < n; ++i) {
      numbers[i] = std::sin(static_cast<double>(7 * i + 1));
      observed[i] = 0.2 + std::cos(static_cast<double>(5 * i));
    }
    const by_hand::Vector x = by_hand::start(numbers);
    by_hand::Workspace workspace;
    by_hand::gradient(x, observed, expected, workspace);

    const auto count = static_cast<fx::index_t>(n);
    const fx::Tensor<double, fx::dims<1>> noise = fx::borrow(x.data(), {count}), y = fx::borrow(std::as_const(observed));
    fx::Tensor<double, fx::dims<1>> is_first = fx::zeros<double>({count});
    is_first(0) = 1;
    using Scalar = fx::Tensor<double, fx::extents<>>;
    constexpr auto f = fx::value_and_grad<0, 1, 2, 3>(problems::volatility::log_density);
    const auto [value, by_noise, by_phi, by_spread, by_level] = f(noise, Scalar(x[n]), Scalar(x[n + 1]), Scalar(x[n + 2]), y, is_first);
    CHECK(value.item() == doctest::Approx(by_hand::log_density(x.data(), observed)).epsilon(1e-12));
    for (std::size_t i = 0; i < n; ++i) CHECK(by_noise(static_cast<fx::index_t>(i)) == doctest::Approx(expected[i]).epsilon(1e-11));
    CHECK(by_phi.item() == doctest::Approx(expected[n]).epsilon(1e-11));
    CHECK(by_spread.item() == doctest::Approx(expected[n + 1]).epsilon(1e-11));
    CHECK(by_level.item() == doctest::Approx(expected[n + 2]).epsilon(1e-11));
  }
}
