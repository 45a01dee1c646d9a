// Bundle adjustment: the sparse Jacobian of 31,843 observations by a traced function, by vmap, by dual numbers, written by hand, by differences and, where
// they are found, by Enzyme and by CoDiPack's tape. Every time includes the pattern of the matrix. Not the sizes but the numbers differ from GradBench's file,
// which repeats one camera and one point.
// wants: codipack enzyme
#include "reference/ba.hpp"

#include <fluxion/autodiff/jacobian.hpp>
#include <fluxion/autodiff/vmap.hpp>

#include <benchmark/benchmark.h>

#if FLUXION_WITH_CODIPACK
#include <codi.hpp>
#endif
#if FLUXION_WITH_ENZYME
#include "reference/enzyme.hpp"
#endif

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

namespace {

using namespace problems::ba;

const Problem& problem() {
  static const Problem p = [] {
    std::uint32_t state = 1;
    const auto random = [&] {
      state = state * 1664525u + 1013904223u;
      return static_cast<double>(state >> 8) / 8388608.0 - 1;
    };
    constexpr std::size_t cameras = 49, points = 7776, observations = 31843;
    Problem made;
    for (std::size_t i = 0; i < cameras; ++i)
      made.cameras.push_back({0.6 * random(), 0.6 * random(), 0.6 * random(), 2 * random(), 2 * random(), -9 + random(), 400 + 50 * random(),
                              5 * random(), 5 * random(), 0.1 * random(), 0.01 * random()});
    for (std::size_t i = 0; i < points; ++i) made.points.push_back({3 * random(), 3 * random(), random()});
    for (std::size_t i = 0; i < observations; ++i) {
      made.weights.push_back(1 + 0.5 * random());
      made.features.push_back({100 * random(), 100 * random()});
      made.observations.push_back({static_cast<std::int32_t>(i % cameras), static_cast<std::int32_t>(i % points)});
    }
    return made;
  }();
  return p;
}

void jacobian_by_differences(const Problem& given, SparseMatrix& result) {
  const std::size_t n = given.observations.size();
  set_pattern(given, result);
  for (std::size_t i = 0; i < n; ++i) {
    const std::array<double, 2> feature = given.features[i];
    std::array<double, block_size> x = parameters_of(given, i);
    for (std::size_t k = 0; k < block_size; ++k) {
      const double former = x[k], h = 1e-6 * std::max(1.0, std::abs(former));
      x[k] = former + h;
      const auto above = residual(x, feature[0], feature[1]);
      x[k] = former - h;
      const auto below = residual(x, feature[0], feature[1]);
      x[k] = former;
      for (std::size_t row = 0; row < 2; ++row) result.values[block_size * (2 * i + row) + k] = (above[row] - below[row]) / (2 * h);
    }
    result.values[2 * block_size * n + i] = -2 * given.weights[i];
  }
}

/// The two residuals of one observation, as a function of small tensors.
constexpr auto residuals_of = [](const auto& parameters, const auto& feature) {
  return [&]<std::size_t... K>(std::index_sequence<K...>) {
    using T = std::remove_cvref_t<decltype(parameters[0])>;
    const std::array<T, 2> r = residual(std::array<T, block_size>{parameters[K]...}, feature[0], feature[1]);
    return std::tuple(r[0], r[1]);
  }(std::make_index_sequence<block_size>{});
};

/// The same as torch.func has it: the Jacobian of one observation, for all of them. Blocks are computed where the matrix has them.
template <class Blocks>
void jacobian_by_vmap(const Problem& given, SparseMatrix& result, const Blocks& blocks) {
  using Parameters = fx::Tensor<double, fx::extents<fx::dynamic_extent, block_size>>;
  const auto n = static_cast<fx::index_t>(given.observations.size());
  set_pattern(given, result);
  static Parameters parameters;
  if (parameters.extents().extent(0) != n) parameters = Parameters(fx::uninitialized, Parameters::extents_type(n, block_size));
  for (std::size_t i = 0; i < given.observations.size(); ++i) {
    const std::array<double, block_size> p = parameters_of(given, i);
    std::copy(p.begin(), p.end(), parameters.data() + block_size * i);
  }
  using Features = fx::extents<fx::dynamic_extent, 2>;
  using Values = fx::extents<fx::dynamic_extent, 2, block_size>;
  const auto features = fx::borrow(given.features[0].data(), Features(n, 2));
  const auto values = fx::borrow(result.values.data(), Values(n, 2, block_size));
  auto rows = std::tuple(values(fx::all, 0, fx::all), values(fx::all, 1, fx::all));
  blocks.into(rows, parameters, features);
  auto slopes = fx::borrow(result.values.data() + 2 * block_size * given.observations.size(), fx::dims<1>(n));
  weight_slopes.into(slopes, fx::borrow(given.weights));
}
void jacobian_by_vmap_of_jacfwd(const Problem& given, SparseMatrix& result) { jacobian_by_vmap(given, result, fx::vmap(fx::jacfwd(residuals_of))); }
void jacobian_by_vmap_of_jacrev(const Problem& given, SparseMatrix& result) { jacobian_by_vmap(given, result, fx::vmap(fx::jacrev(residuals_of))); }

#if FLUXION_WITH_CODIPACK
void jacobian_by_codipack(const Problem& given, SparseMatrix& result) {
  using Real = codi::RealReverse;
  const std::size_t n = given.observations.size();
  set_pattern(given, result);
  Real::Tape& tape = Real::getTape();
  for (std::size_t i = 0; i < n; ++i) {
    const std::array<double, block_size> values = parameters_of(given, i);
    std::array<Real, block_size> x;
    tape.setActive();
    for (std::size_t k = 0; k < block_size; ++k) {
      x[k] = values[k];
      tape.registerInput(x[k]);
    }
    std::array<Real, 2> r = residual(x, given.features[i][0], given.features[i][1]);
    tape.registerOutput(r[0]);
    tape.registerOutput(r[1]);
    tape.setPassive();
    for (std::size_t row = 0; row < 2; ++row) {
      r[row].setGradient(1);
      tape.evaluate();
      for (std::size_t k = 0; k < block_size; ++k) result.values[block_size * (2 * i + row) + k] = x[k].getGradient();
      tape.clearAdjoints();
    }
    tape.reset();
    result.values[2 * block_size * n + i] = -2 * given.weights[i];
  }
}
#endif

#if FLUXION_WITH_ENZYME
void jacobian_by_enzyme(const Problem& given, SparseMatrix& result) {
  const std::size_t n = given.observations.size();
  set_pattern(given, result);
  for (std::size_t i = 0; i < n; ++i) {
    reference::enzyme::ba_rows(parameters_of(given, i), given.features[i], result.values.data() + 2 * block_size * i);
    result.values[2 * block_size * n + i] = -2 * given.weights[i];
  }
}
#endif

/// Both must agree relative to the largest of a row's neighbours: elements of one matrix differ by orders of magnitude.
bool agree(const SparseMatrix& a, const SparseMatrix& b, double tolerance) {
  if (a.begin != b.begin || a.columns != b.columns) return false;
  for (std::size_t i = 0; i < a.values.size(); ++i)
    if (!(std::abs(a.values[i] - b.values[i]) <= tolerance * std::max(1.0, std::abs(a.values[i]) + std::abs(b.values[i])))) return false;
  return true;
}

using Method = void (*)(const Problem&, SparseMatrix&);

void measure(benchmark::State& state, Method method, double tolerance) {
  SparseMatrix expected, result;
  reference::ba::jacobian(problem(), expected);
  method(problem(), result);
  if (!agree(result, expected, tolerance)) return state.SkipWithError("the Jacobian is wrong");
  for (auto _ : state) {
    method(problem(), result);
    benchmark::DoNotOptimize(result.values.data());
    benchmark::ClobberMemory();
  }
}

void objective(benchmark::State& state) {
  std::vector<double> r;
  for (auto _ : state) {
    residuals(problem(), r);
    benchmark::DoNotOptimize(r.data());
    benchmark::ClobberMemory();
  }
}

BENCHMARK_CAPTURE(measure, fluxion, &problems::ba::jacobian, 1e-9)->Name("ba/jacobian/fluxion/31843")->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(measure, vmap_jacfwd, &jacobian_by_vmap_of_jacfwd, 1e-9)->Name("ba/jacobian/vmap/jacfwd/31843")->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(measure, vmap_jacrev, &jacobian_by_vmap_of_jacrev, 1e-9)->Name("ba/jacobian/vmap/jacrev/31843")->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(measure, duals, &problems::ba::jacobian_by_duals, 1e-9)->Name("ba/jacobian/fluxion_duals/31843")->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(measure, hand, &reference::ba::jacobian, 1e-9)->Name("ba/jacobian/hand/31843")->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(measure, differences, &jacobian_by_differences, 1e-4)->Name("ba/jacobian/differences/31843")->Unit(benchmark::kMillisecond);
#if FLUXION_WITH_CODIPACK
BENCHMARK_CAPTURE(measure, codipack, &jacobian_by_codipack, 1e-9)->Name("ba/jacobian/codipack/31843")->Unit(benchmark::kMillisecond);
#endif
#if FLUXION_WITH_ENZYME
BENCHMARK_CAPTURE(measure, enzyme, &jacobian_by_enzyme, 1e-9)->Name("ba/jacobian/enzyme/31843")->Unit(benchmark::kMillisecond);
#endif
BENCHMARK(objective)->Name("ba/jacobian/objective/31843")->Unit(benchmark::kMillisecond);

}  // namespace

BENCHMARK_MAIN();
