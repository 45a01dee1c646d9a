// Second derivatives of loops: the Hessian times a direction, against differences of the gradient.
#include "support/pendulum.hpp"

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

using support::energy, support::pendulum;
constexpr auto cell = [](auto h, auto x, auto w) {
  const auto next = fx::tanh(w * h + x);
  return fx::with_output(next, next * next);
};
constexpr auto loss = [](auto h, auto squares, auto w) { return fx::sum(h) * fx::sum(squares * squares) + fx::sum(w * w * w); };

Vector along(const Vector& x, const Vector& d, double h) { return x + h * d; }

}  // namespace

TEST_CASE("hvp of iterate agrees with differences of the gradient, in state and parameters at once, with checkpoints") {
  constexpr auto loop = fx::iterate(pendulum, energy);
  const Vector x = {0.3, -1.1}, v = {0.2, 0.5}, k = {1.5, 0.7}, dx = {1, -0.5}, dv = {0.2, 0.3}, dk = {-0.4, 2};
  fx::LoopCounts counts;
  const auto [of_state, of_k] = fx::hvp<0, 2>(loop, {fx::checkpoints(4), &counts})(std::tuple{x, v}, 30, k, std::tuple{dx, dv}, dk);
  CHECK(counts.states == 4);
  CHECK(counts.reverse_steps == 30);
  constexpr auto gradient = fx::value_and_grad<0, 2>(loop);
  const double h = 1e-5;
  const auto [la, state_above, k_above] = gradient(std::tuple{along(x, dx, h), along(v, dv, h)}, 30, along(k, dk, h));
  const auto [lb, state_below, k_below] = gradient(std::tuple{along(x, dx, -h), along(v, dv, -h)}, 30, along(k, dk, -h));
  for (index_t i = 0; i < 2; ++i) {
    CHECK(std::get<0>(of_state)(i) == doctest::Approx((std::get<0>(state_above)(i) - std::get<0>(state_below)(i)) / (2 * h)).epsilon(1e-8));
    CHECK(std::get<1>(of_state)(i) == doctest::Approx((std::get<1>(state_above)(i) - std::get<1>(state_below)(i)) / (2 * h)).epsilon(1e-8));
    CHECK(of_k(i) == doctest::Approx((k_above(i) - k_below(i)) / (2 * h)).epsilon(1e-8));
  }
}

TEST_CASE("hvp of a scan with outputs and sequences agrees with differences of the gradient") {
  constexpr auto loop = fx::scan(cell, loss);
  const Matrix xs = {{0.1, 0.2}, {0.3, -0.1}, {0.5, 0.4}, {-0.3, 0.2}}, dxs = {{1, 0}, {-1, 2}, {0.5, 0.5}, {0.1, -2}};
  const Vector h0 = {0.5, -1}, w = {0.9, 1.3}, dw = {-0.4, 2};
  const auto [of_xs, of_w] = fx::hvp<1, 2>(loop)(h0, fx::each(xs), w, fx::each(dxs), dw);
  constexpr auto gradient = fx::value_and_grad<1, 2>(loop);
  const double h = 1e-5;
  const Matrix more = xs + h * dxs, less = xs - h * dxs;
  const auto [la, xs_above, w_above] = gradient(h0, fx::each(more), along(w, dw, h));
  const auto [lb, xs_below, w_below] = gradient(h0, fx::each(less), along(w, dw, -h));
  for (index_t i = 0; i < 2; ++i) CHECK(of_w(i) == doctest::Approx((w_above(i) - w_below(i)) / (2 * h)).epsilon(1e-8));
  for (index_t i = 0; i < 8; ++i) CHECK(of_xs.data()[i] == doctest::Approx((xs_above.data()[i] - xs_below.data()[i]) / (2 * h)).epsilon(1e-8));
}

TEST_CASE("hvp of a fixed point and of a loop with a condition is the second derivative in closed form") {
  constexpr auto heron = [](auto r, auto a) { return (r + a / r) / 2; };
  constexpr auto value = [](auto r, auto) { return r * 1.0; };
  const double expected = -0.25 * std::pow(7.0, -1.5);
  CHECK(fx::hvp<1>(fx::fixed_point(heron, value, {1e-13, 100}))(1.0, 7.0, 2.0).item() == doctest::Approx(2 * expected).epsilon(1e-12));
  constexpr auto is_far = [](auto r, auto a) { return fx::abs(r * r - a) > 1e-6; };
  CHECK(fx::hvp<1>(fx::while_loop(is_far, heron, value))(1.0, 7.0, 2.0).item() == doctest::Approx(2 * expected).epsilon(1e-4));
}
