// What the steps of a loop give along the way: stacked, seen by the loss, differentiated in both modes with any number of checkpoints.
#include <doctest/doctest.h>

#include <fluxion/autodiff/loop.hpp>
#include <fluxion/fluxion.hpp>

#include <array>
#include <cmath>
#include <tuple>

namespace fx = fluxion;
using fx::index_t;

namespace {

using Vector = fx::Tensor<double, fx::dims<1>>;
using Matrix = fx::Tensor<double, fx::dims<2>>;

/// A recurrent layer that gives its output and, in an integer, the number of the step.
constexpr auto cell = [](auto state, auto x, auto w) {
  auto [h, n] = state;
  const auto next = fx::tanh(w * h + x);
  return fx::with_output(std::make_tuple(next, n + 1), std::make_tuple(fx::sum(next * next), next * 2, n));
};
/// The last state counts, and so does each step's output.
constexpr auto loss = [](auto state, auto outputs, auto w) {
  auto [sums, doubled, numbers] = outputs;
  return fx::sum(std::get<0>(state)) + fx::sum(sums * sums) + fx::sum(fx::exp(doubled) * w) + fx::sum(numbers);
};

double by_hand(const std::array<double, 2>& h0, const Matrix& xs, const std::array<double, 2>& w) {
  std::array<double, 2> h = h0;
  double total = 0;
  for (index_t t = 0; t < xs.extents().extent(0); ++t) {
    double sum = 0;
    for (std::size_t i = 0; i < 2; ++i) {
      h[i] = std::tanh(w[i] * h[i] + xs(t, static_cast<index_t>(i)));
      sum += h[i] * h[i];
      total += std::exp(2 * h[i]) * w[i];
    }
    total += sum * sum + static_cast<double>(t);
  }
  return total + h[0] + h[1];
}

const Matrix xs = {{0.1, 0.2}, {0.3, -0.1}, {0.5, 0.4}, {-0.3, 0.2}, {0.7, -0.6}};
const std::tuple state{Vector{0.5, -1}, std::int64_t{0}};
const Vector w = {0.9, 1.3};

}  // namespace

TEST_CASE("scan: a step that gives outputs makes a pair of the last state and the outputs of all steps") {
  const auto [last, outputs] = fx::scan(cell)(state, fx::each(xs), w);
  const auto& [sums, doubled, numbers] = outputs;
  CHECK(std::get<1>(last) == 5);
  CHECK(sums.extents().extent(0) == 5);
  CHECK(doubled.extents() == fx::dims<2>(5, 2));
  CHECK(numbers(3) == 3);
  CHECK(doubled(4, 1) == 2 * std::get<0>(last)(1));
  CHECK(doubled(0, 0) == doctest::Approx(2 * std::tanh(0.9 * 0.5 + 0.1)).epsilon(1e-14));
  CHECK(sums(2) == doctest::Approx((doubled(2, 0) * doubled(2, 0) + doubled(2, 1) * doubled(2, 1)) / 4).epsilon(1e-14));
}

TEST_CASE("scan: a loss of the outputs has the derivatives of differences for every memory policy") {
  constexpr auto loop = fx::scan(cell, loss);
  const double expected = by_hand({0.5, -1}, xs, {0.9, 1.3});
  CHECK(loop(state, fx::each(xs), w).item() == doctest::Approx(expected).epsilon(1e-14));
  for (const fx::Checkpoints& memory : {fx::keep_all, fx::checkpoints(1), fx::checkpoints(2)}) {
    fx::LoopCounts counts;
    const auto [value, d_state, d_xs, dw] = fx::value_and_grad<0, 1, 2>(loop, {memory, &counts})(state, fx::each(xs), w);
    CHECK(value.item() == doctest::Approx(expected).epsilon(1e-14));
    CHECK(counts.states == memory.states(5));
    CHECK(std::get<1>(d_state).item() == 0);
    const double h = 1e-6;
    for (std::size_t i = 0; i < 2; ++i) {
      std::array<double, 2> above{0.5, -1}, below = above;
      above[i] += h, below[i] -= h;
      CHECK(std::get<0>(d_state)(static_cast<index_t>(i)) == doctest::Approx((by_hand(above, xs, {0.9, 1.3}) - by_hand(below, xs, {0.9, 1.3})) / (2 * h)).epsilon(1e-7));
      above = below = {0.9, 1.3};
      above[i] += h, below[i] -= h;
      CHECK(dw(static_cast<index_t>(i)) == doctest::Approx((by_hand({0.5, -1}, xs, above) - by_hand({0.5, -1}, xs, below)) / (2 * h)).epsilon(1e-7));
      for (index_t t = 0; t < 5; ++t) {
        Matrix more = xs, less = xs;
        more(t, static_cast<index_t>(i)) += h, less(t, static_cast<index_t>(i)) -= h;
        CHECK(d_xs(t, static_cast<index_t>(i)) == doctest::Approx((by_hand({0.5, -1}, more, {0.9, 1.3}) - by_hand({0.5, -1}, less, {0.9, 1.3})) / (2 * h)).epsilon(1e-7));
      }
    }
  }
}

TEST_CASE("jvp through outputs is the product of the gradients with the tangents, and without a loss has the outputs' tangents") {
  constexpr auto loop = fx::scan(cell, loss);
  const auto [value, dw] = fx::value_and_grad<2>(loop)(state, fx::each(xs), w);
  const Vector direction = {2, -0.5};
  const auto [same, tangent] = fx::jvp<2>(loop)(state, fx::each(xs), w, direction);
  CHECK(same.item() == doctest::Approx(value.item()).epsilon(1e-14));
  CHECK(tangent.item() == doctest::Approx(2 * dw(0) - 0.5 * dw(1)).epsilon(1e-12));
}

TEST_CASE("iterate: the outputs are a trajectory, and of no steps there are none") {
  constexpr auto decay = [](auto x, auto k) { return fx::with_output(x * (1 - k), x); };
  const auto [last, path] = fx::iterate(decay)(1.0, 4, 0.5);
  CHECK(last == 0.0625);
  CHECK(path.extents().extent(0) == 4);
  CHECK(path(3) == 0.125);
  const auto [values, tangents] = fx::jvp<2>(fx::iterate(decay))(1.0, 4, 0.5, 1.0);
  CHECK(values.second(3) == 0.125);
  CHECK(tangents.first == doctest::Approx(-4 * 0.125));
  CHECK(tangents.second(2) == doctest::Approx(-2 * 0.5));
  const auto [same, nothing] = fx::iterate(decay)(1.0, 0, 0.5);
  CHECK(same == 1.0);
  CHECK(nothing.size() == 0);
  constexpr auto area = [](auto x, auto along, auto) { return x + fx::sum(along); };
  const auto [sum, dx, dk] = fx::value_and_grad<0, 2>(fx::iterate(decay, area))(1.0, 2, 0.5);
  CHECK(sum.item() == doctest::Approx(1.75));
  CHECK(dx.item() == doctest::Approx(1.75));
  CHECK(dk.item() == doctest::Approx(-1 - 2 * 0.5));  // of 1 + (1 - k) + (1 - k)²
}
