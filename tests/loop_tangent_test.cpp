// Forward mode through loops, against reverse mode and closed forms; loops with static bounds inside traced functions.
#include <doctest/doctest.h>

#include <fluxion/autodiff/loop.hpp>
#include <fluxion/fluxion.hpp>

#include <array>
#include <cmath>
#include <tuple>

namespace fx = fluxion;

namespace {

using Vector = fx::Tensor<double, fx::dims<1>>;
using Matrix = fx::Tensor<double, fx::dims<2>>;

/// The state counts its steps beside a filter.
constexpr auto filter = [](auto state, auto x, auto a) {
  auto [y, n] = state;
  return std::make_tuple(fx::sin(a * y) + x * y, n + 1);
};
constexpr auto total = [](auto state, auto a) { return fx::sum(std::get<0>(state)) * a; };

}  // namespace

TEST_CASE("jvp of a scan is the product of its gradients with the tangents") {
  const Matrix xs = {{0.1, 0.2}, {0.3, -0.1}, {0.5, 0.4}}, dxs = {{1, -1}, {0.5, 2}, {-3, 1}};
  const std::tuple state{Vector{0.5, -1}, std::int64_t{0}}, d_state{Vector{2, 0.7}, std::int64_t{0}};
  constexpr auto loop = fx::scan(filter, total);
  const auto [loss, gs, gx, ga] = fx::value_and_grad<0, 1, 2>(loop)(state, fx::each(xs), 0.9);
  const auto [value, tangent] = fx::jvp<0, 1, 2>(loop)(state, fx::each(xs), 0.9, d_state, fx::each(dxs), 0.25);
  double expected = ga.item() * 0.25;
  for (fx::index_t i = 0; i < 2; ++i) expected += std::get<0>(gs)(i) * std::get<0>(d_state)(i);
  for (fx::index_t i = 0; i < 6; ++i) expected += gx.data()[i] * dxs.data()[i];
  CHECK(value.item() == loss.item());
  CHECK(tangent.item() == doctest::Approx(expected).epsilon(1e-13));
  const auto [again, by_a] = fx::jvp<2>(loop)(state, fx::each(xs), 0.9, 1.0);
  CHECK(by_a.item() == doctest::Approx(ga.item()).epsilon(1e-13));
  CHECK(again.item() == loss.item());
}

TEST_CASE("jvp of iterate and of while_loop has value and tangent of the state") {
  constexpr auto decay = [](auto x, auto k) { return x * (1 - k); };
  const auto [y, dy] = fx::jvp<0, 2>(fx::iterate(decay))(Vector{2, 3}, 5, 0.1, Vector{1, 0}, 1.0);
  CHECK(y(1) == doctest::Approx(3 * std::pow(0.9, 5)));
  CHECK(dy(0) == doctest::Approx(std::pow(0.9, 5) - 2 * 5 * std::pow(0.9, 4)));
  CHECK(dy(1) == doctest::Approx(-3 * 5 * std::pow(0.9, 4)));
  constexpr auto newton = [](auto x, auto a) { return (x + a / x) / 2; };
  constexpr auto is_far = [](auto x, auto a) { return fx::abs(x * x - a) > 1e-12; };
  const auto [root, slope] = fx::jvp<1>(fx::while_loop(is_far, newton))(1.0, 7.0, 1.0);
  CHECK(root == doctest::Approx(std::sqrt(7.0)));
  CHECK(slope == doctest::Approx(0.5 / std::sqrt(7.0)).epsilon(1e-10));
}

TEST_CASE("a loop with static bounds inside a traced function unrolls, and differentiates to any order") {
  constexpr auto cube_root = [](auto a) {
    auto x = a * 0 + 1.0;
    for (int i = 0; i < 5; ++i) x = x - (x * x * x - a) / (3 * x * x);
    return x * 1.0;
  };
  const fx::Tensor<double, fx::extents<>> a = 1.5;
  const auto [x, dx] = fx::value_and_grad(cube_root)(a);
  CHECK(x.item() == doctest::Approx(std::cbrt(1.5)).epsilon(1e-14));
  CHECK(dx.item() == doctest::Approx(std::pow(1.5, -2.0 / 3) / 3).epsilon(1e-13));
  const auto [first, second] = fx::jvp(fx::grad(cube_root))(a, fx::Tensor<double, fx::extents<>>(1));
  CHECK(first.item() == dx.item());
  CHECK(second.item() == doctest::Approx(-2 * std::pow(1.5, -5.0 / 3) / 9).epsilon(1e-12));
}
