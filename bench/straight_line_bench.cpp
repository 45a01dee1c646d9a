// Scalar code by static reverse mode: value and gradient as straight-line code, beside the value alone, Duals, and a gradient by hand.
#include <fluxion/autodiff/dual.hpp>
#include <fluxion/autodiff/transform.hpp>

#include <benchmark/benchmark.h>

#include <array>
#include <cmath>
#include <cstddef>
#include <utility>

namespace {

namespace fx = fluxion;

template <std::size_t N>
using point = std::array<double, N>;

void check(benchmark::State& state, double a, double b) {
  if (!(std::abs(a - b) <= 1e-9 * (1 + std::abs(b)))) state.SkipWithError("the derivatives differ");
}

/// Rosenbrock's valley of twelve variables with a bump and a wave between neighbours.
constexpr auto valley = [](const auto& x) {
  using std::exp;
  using std::sin;
  auto sum = (1 - x[0]) * (1 - x[0]);
  for (std::size_t i = 0; i + 1 < 12; ++i) {
    const auto fall = x[i + 1] - x[i] * x[i], rest = 1 - x[i + 1];
    sum += 100 * fall * fall + rest * rest + exp(-x[i] * x[i + 1]) * sin(x[i] + 2 * x[i + 1]);
  }
  return sum;
};
constexpr auto traced_valley = [](const auto& x) {
  auto sum = (1 - x[0]) * (1 - x[0]);
  for (int i = 0; i + 1 < 12; ++i) {
    const auto fall = x[i + 1] - x[i] * x[i], rest = 1 - x[i + 1];
    sum = sum + 100 * fall * fall + rest * rest + fx::exp(-x[i] * x[i + 1]) * fx::sin(x[i] + 2 * x[i + 1]);
  }
  return sum;
};
using valley_point = fx::Tensor<double, fx::extents<12>>;

/// The same gradient as one would write it.
double valley_by_hand(const point<12>& x, point<12>& g) {
  double sum = (1 - x[0]) * (1 - x[0]);
  g = {};
  g[0] = -2 * (1 - x[0]);
  for (std::size_t i = 0; i + 1 < 12; ++i) {
    const double fall = x[i + 1] - x[i] * x[i], rest = 1 - x[i + 1], e = std::exp(-x[i] * x[i + 1]);
    const double angle = x[i] + 2 * x[i + 1], s = std::sin(angle), c = std::cos(angle);
    sum += 100 * fall * fall + rest * rest + e * s;
    g[i] += -400 * fall * x[i] + e * (c - x[i + 1] * s);
    g[i + 1] += 200 * fall - 2 * rest + e * (2 * c - x[i] * s);
  }
  return sum;
}

point<12> start() {
  point<12> x;
  for (std::size_t i = 0; i < 12; ++i) x[i] = 0.8 + 0.03 * static_cast<double>(i);
  return x;
}

void valley_fluxion(benchmark::State& state) {
  const point<12> from = start();
  valley_point x;
  for (int i = 0; i < 12; ++i) x(i) = from[static_cast<std::size_t>(i)];
  constexpr auto gradient = fx::value_and_grad(traced_valley);
  point<12> expected;
  const double value = valley_by_hand(from, expected);
  const auto [y, g] = gradient(x);
  check(state, y.item(), value);
  for (int i = 0; i < 12; ++i) check(state, g(i), expected[static_cast<std::size_t>(i)]);
  for (auto _ : state) {
    benchmark::DoNotOptimize(x);
    auto result = gradient(x);
    benchmark::DoNotOptimize(result);
  }
}
void valley_hand(benchmark::State& state) {
  point<12> x = start(), g;
  for (auto _ : state) {
    benchmark::DoNotOptimize(x);
    benchmark::DoNotOptimize(valley_by_hand(x, g));
    benchmark::DoNotOptimize(g);
  }
}
void valley_dual(benchmark::State& state) {
  point<12> x = start();
  for (auto _ : state) {
    benchmark::DoNotOptimize(x);
    benchmark::DoNotOptimize(fx::forward::gradient(valley, x));
  }
}
void valley_value(benchmark::State& state) {
  point<12> x = start();
  for (auto _ : state) {
    benchmark::DoNotOptimize(x);
    benchmark::DoNotOptimize(valley(x));
  }
}

/// A product and a difference: nothing to hide overhead behind.
constexpr auto rosenbrock = [](auto a, auto b) {
  const auto u = 1 - a, v = b - a * a;
  return u * u + 100 * v * v;
};
void rosenbrock_fluxion(benchmark::State& state) {
  double a = 0.7, b = 0.4;
  constexpr auto gradient = fx::value_and_grad<0, 1>(rosenbrock);
  const auto [y, da, db] = gradient(a, b);
  check(state, y.item(), rosenbrock(a, b));
  check(state, da.item(), -2 * (1 - a) - 400 * a * (b - a * a));
  check(state, db.item(), 200 * (b - a * a));
  for (auto _ : state) {
    benchmark::DoNotOptimize(a);
    auto result = gradient(a, b);
    benchmark::DoNotOptimize(result);
  }
}
void rosenbrock_hand(benchmark::State& state) {
  double a = 0.7, b = 0.4;
  for (auto _ : state) {
    benchmark::DoNotOptimize(a);
    const double u = 1 - a, v = b - a * a;
    std::array<double, 3> result = {u * u + 100 * v * v, -2 * u - 400 * a * v, 200 * v};
    benchmark::DoNotOptimize(result);
  }
}

BENCHMARK(valley_fluxion)->Name("straight_line/valley/fluxion/12");
BENCHMARK(valley_hand)->Name("straight_line/valley/hand/12");
BENCHMARK(valley_dual)->Name("straight_line/valley/dual/12");
BENCHMARK(valley_value)->Name("straight_line/valley/value/12");
BENCHMARK(rosenbrock_fluxion)->Name("straight_line/rosenbrock/fluxion/2");
BENCHMARK(rosenbrock_hand)->Name("straight_line/rosenbrock/hand/2");

}  // namespace

BENCHMARK_MAIN();
