// Fixed points of traced steps: derivatives by the adjoint equation, against differences and derivatives of the iterations.
#include <doctest/doctest.h>

#include <fluxion/autodiff/loop.hpp>
#include <fluxion/fluxion.hpp>

#include <cmath>
#include <tuple>

namespace fx = fluxion;
using fx::index_t;

namespace {

using Vector = fx::Tensor<double, fx::dims<1>>;
using Matrix = fx::Tensor<double, fx::dims<2>>;

/// A deep equilibrium model: a layer applied until nothing changes.
constexpr auto layer = [](auto z, auto w, auto x, auto) { return fx::tanh(fx::matmul(z, w) + x); };
constexpr auto loss = [](auto z, auto w, auto, auto scale) { return scale * fx::sum(z * z * z) + fx::sum(w * w) / 2; };
constexpr fx::IterationLimits limits{1e-14, 300};
constexpr auto equilibrium = fx::fixed_point(layer, loss, limits);

const Matrix w = {{0.3, -0.2, 0.1}, {0.05, 0.25, -0.3}, {-0.1, 0.2, 0.2}};
const Matrix x = {{0.5, -1, 0.3}, {0.2, 0.8, -0.6}};
const Matrix guess = fx::zeros<double>({2, 3});

}  // namespace

TEST_CASE("fixed_point: the gradient is that of differences and of four hundred differentiated steps, and keeps two states") {
  fx::LoopCounts counts;
  const auto [value, dw, dx, d_scale] = fx::value_and_grad<1, 2, 3>(equilibrium, {&counts})(guess, w, x, 2.0);
  CHECK(counts.states == 2);
  CHECK(counts.bytes == 128);
  CHECK(counts.steps > 10);
  CHECK(counts.reverse_steps > 10);
  const auto [same, by_w, by_x, by_scale] = fx::value_and_grad<2, 3, 4>(fx::iterate(layer, loss))(guess, 400, w, x, 2.0);
  CHECK(value.item() == doctest::Approx(same.item()).epsilon(1e-13));
  CHECK(equilibrium(guess, w, x, 2.0).item() == value.item());
  CHECK(d_scale.item() == doctest::Approx(by_scale.item()).epsilon(1e-12));
  double worst = 0;
  for (index_t i = 0; i < 9; ++i) {
    worst = std::fmax(worst, std::abs(dw.data()[i] - by_w.data()[i]));
    Matrix above = w, below = w;
    above.data()[i] += 1e-5, below.data()[i] -= 1e-5;
    CHECK(dw.data()[i] == doctest::Approx((equilibrium(guess, above, x, 2.0).item() - equilibrium(guess, below, x, 2.0).item()) / 2e-5).epsilon(1e-7));
  }
  for (index_t i = 0; i < 6; ++i) worst = std::fmax(worst, std::abs(dx.data()[i] - by_x.data()[i]));
  CHECK(worst < 1e-12);
}

TEST_CASE("fixed_point: its tangent is the product of its gradient with the direction") {
  const Matrix direction = {{1, 0.5, -1}, {2, 0, 0.3}, {-0.7, 1, 0.1}};
  const auto [value, dw] = fx::value_and_grad<1>(equilibrium)(guess, w, x, 2.0);
  const auto [same, tangent] = fx::jvp<1>(equilibrium)(guess, w, x, 2.0, direction);
  CHECK(same.item() == doctest::Approx(value.item()).epsilon(1e-13));
  double expected = 0;
  for (index_t i = 0; i < 9; ++i) expected += dw.data()[i] * direction.data()[i];
  CHECK(tangent.item() == doctest::Approx(expected).epsilon(1e-12));
}

TEST_CASE("fixed_point: the solution has the structure of the guess, of numbers too, and the tolerance decides how far it goes") {
  constexpr auto heron = [](auto state, auto a) {
    auto [r, n] = state;
    return std::make_tuple((r + a / r) / 2, n + 1);
  };
  const auto [root, steps] = fx::fixed_point(heron)(std::tuple{1.0, std::int64_t{0}}, 7.0);
  CHECK(root == doctest::Approx(std::sqrt(7.0)).epsilon(1e-12));
  CHECK(std::get<1>(fx::fixed_point(heron, {}, {0.1, 1000})(std::tuple{1.0, std::int64_t{0}}, 7.0)) < steps);
  constexpr auto first = [](auto state, auto) { return std::get<0>(state) * 1.0; };
  const auto [value, slope] = fx::value_and_grad<1>(fx::fixed_point(heron, first, {1e-13, 100}))(std::tuple{1.0, std::int64_t{0}}, 7.0);
  CHECK(slope.item() == doctest::Approx(0.5 / std::sqrt(7.0)).epsilon(1e-13));
}

TEST_CASE("fixed_point: what does not converge says so") {
  constexpr auto twice = [](auto y, auto a) { return a * y + 1; };
  constexpr auto total = [](auto y, auto) { return fx::sum(y); };
  const Vector y = {1, 2};
  CHECK_THROWS_WITH_AS(fx::fixed_point(twice)(y, 2.0), "fixed_point: the iteration did not converge in 1000 steps", fx::ValueError);
  CHECK_THROWS_WITH_AS(fx::value_and_grad<1>(fx::fixed_point(twice, total, {1e-6, 7}))(y, 0.9), "fixed_point: the iteration did not converge in 7 steps", fx::ValueError);
  const Vector solution = {10, 10};
  CHECK_THROWS_WITH_AS(fx::value_and_grad<1>(fx::fixed_point(twice, total, {1e-6, 7}))(solution, 0.9), "fixed_point: the adjoint equation did not converge in 7 steps",
                       fx::ValueError);
}
