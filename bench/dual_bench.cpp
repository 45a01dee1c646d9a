// Forward mode on a function of twelve variables: the gradient by Duals of twelve directions, beside the value alone and central differences.
#include <fluxion/autodiff/dual.hpp>

#include <benchmark/benchmark.h>

#include <array>
#include <cmath>
#include <cstddef>

namespace {

constexpr std::size_t variables = 12;
using point = std::array<double, variables>;

/// Rosenbrock's valley with a bump and a wave between neighbours.
constexpr auto valley = [](const auto& x) {
  using std::exp;
  using std::sin;
  auto sum = (1 - x[0]) * (1 - x[0]);
  for (std::size_t i = 0; i + 1 < variables; ++i) {
    const auto fall = x[i + 1] - x[i] * x[i], rest = 1 - x[i + 1];
    sum += 100 * fall * fall + rest * rest + exp(-x[i] * x[i + 1]) * sin(x[i] + 2 * x[i + 1]);
  }
  return sum;
};

point start() {
  point x;
  for (std::size_t i = 0; i < variables; ++i) x[i] = 0.8 + 0.03 * static_cast<double>(i);
  return x;
}

point differences(point x) {
  point g;
  for (std::size_t i = 0; i < variables; ++i) {
    const double former = x[i], h = 1e-6;
    x[i] = former + h;
    const double above = valley(x);
    x[i] = former - h;
    g[i] = (above - valley(x)) / (2 * h);
    x[i] = former;
  }
  return g;
}

void gradient(benchmark::State& state) {
  point x = start();
  const point exact = fluxion::forward::gradient(valley, x).gradient, reference = differences(x);
  for (std::size_t i = 0; i < variables; ++i)
    if (!(std::abs(exact[i] - reference[i]) < 1e-5)) state.SkipWithError("the gradient is wrong");
  for (auto _ : state) {
    benchmark::DoNotOptimize(x);
    benchmark::DoNotOptimize(fluxion::forward::gradient(valley, x));
  }
}

void value(benchmark::State& state) {
  point x = start();
  for (auto _ : state) {
    benchmark::DoNotOptimize(x);
    benchmark::DoNotOptimize(valley(x));
  }
}

void finite_differences(benchmark::State& state) {
  point x = start();
  for (auto _ : state) {
    benchmark::DoNotOptimize(x);
    benchmark::DoNotOptimize(differences(x));
  }
}

BENCHMARK(gradient)->Name("dual/gradient12/fluxion/12");
BENCHMARK(value)->Name("dual/gradient12/value/12");
BENCHMARK(finite_differences)->Name("dual/gradient12/finite_differences/12");

}  // namespace

BENCHMARK_MAIN();
