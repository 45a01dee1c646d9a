// Loops with run-time trip counts: their values against loops written out, their gradients against differences.
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

double energy_by_hand(std::array<double, 2> x, std::array<double, 2> v, int n, std::array<double, 2> k) {
  double sum = 0;
  for (std::size_t i = 0; i < 2; ++i) {
    for (int t = 0; t < n; ++t) {
      const double old = x[i];
      x[i] += 0.1 * v[i];
      v[i] -= 0.1 * k[i] * std::sin(old);
    }
    sum += v[i] * v[i] / 2 - k[i] * std::cos(x[i]);
  }
  return sum;
}

}  // namespace

TEST_CASE("iterate: the value is that of the loop written out, and the gradient agrees with differences for every memory policy") {
  const std::tuple state{Vector{0.3, -1.1}, Vector{0.2, 0.5}};
  const Vector k = {1.5, 0.7};
  constexpr auto loop = fx::iterate(pendulum, energy);
  const double expected = energy_by_hand({0.3, -1.1}, {0.2, 0.5}, 50, {1.5, 0.7});
  CHECK(loop(state, 50, k).item() == doctest::Approx(expected).epsilon(1e-13));
  const auto [x, v] = fx::iterate(pendulum)(state, 2, k);
  CHECK(x(0) == doctest::Approx(0.3 + 0.02 + 0.1 * (0.2 - 0.15 * std::sin(0.3))).epsilon(1e-14));
  for (const fx::Checkpoints& memory : {fx::keep_all, fx::checkpoints(1), fx::checkpoints(3), fx::square_root_checkpoints, fx::logarithmic_checkpoints}) {
    fx::LoopCounts counts;
    const auto [loss, d_state, dk] = fx::value_and_grad<0, 2>(loop, {memory, &counts})(state, 50, k);
    CHECK(loss.item() == doctest::Approx(expected).epsilon(1e-13));
    CHECK(counts.reverse_steps == 50);
    const double h = 1e-6;
    const double dx = (energy_by_hand({0.3 + h, -1.1}, {0.2, 0.5}, 50, {1.5, 0.7}) - energy_by_hand({0.3 - h, -1.1}, {0.2, 0.5}, 50, {1.5, 0.7})) / (2 * h);
    const double dv = (energy_by_hand({0.3, -1.1}, {0.2, 0.5 + h}, 50, {1.5, 0.7}) - energy_by_hand({0.3, -1.1}, {0.2, 0.5 - h}, 50, {1.5, 0.7})) / (2 * h);
    const double d_k = (energy_by_hand({0.3, -1.1}, {0.2, 0.5}, 50, {1.5, 0.7 + h}) - energy_by_hand({0.3, -1.1}, {0.2, 0.5}, 50, {1.5, 0.7 - h})) / (2 * h);
    CHECK(std::get<0>(d_state)(0) == doctest::Approx(dx).epsilon(1e-7));
    CHECK(std::get<1>(d_state)(1) == doctest::Approx(dv).epsilon(1e-7));
    CHECK(dk(1) == doctest::Approx(d_k).epsilon(1e-7));
  }
}

TEST_CASE("the gradient of a loop by a number is what that of a function is: a tensor of rank 0") {
  constexpr auto grow = [](auto x, auto a) { return x * a; };
  constexpr auto same = [](auto x, auto) { return x * 1.0; };
  const auto by_loop = fx::value_and_grad<0, 2>(fx::iterate(grow, same))(2.0, 1, 3.0);
  const auto by_function = fx::value_and_grad<0, 1>([](auto x, auto a) { return x * a; })(2.0, 3.0);
  static_assert(std::is_same_v<decltype(by_loop), decltype(by_function)>);
  CHECK(std::get<1>(by_loop).item() == std::get<1>(by_function).item());
  CHECK(std::get<2>(by_loop).item() == std::get<2>(by_function).item());
}

TEST_CASE("a step that adds up across more rows than are added in one go is run step by step too") {
  constexpr auto step = [](auto x, auto k) { return x * 0.5f + fx::mean(x * k, fx::axis<1>, fx::keepdim) * fx::mean(x, fx::axis<0>, fx::keepdim); };
  const fx::Tensor<float, fx::dims<2>> x = fx::full<float>({300, 40}, 2.f);
  const fx::Tensor<float, fx::dims<1>> k = fx::full<float>({40}, 1.f);
  const auto y = fx::iterate(step)(x, 2, k);  // 2 -> 5 -> 27.5
  CHECK(y(3, 3) == 27.5f);
}
