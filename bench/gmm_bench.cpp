// A mixture of 25 Gaussians at 1,000 points: the log posterior and its gradient by `value_and_grad` of tensor code, by plain loops with a gradient
// written by hand and, where they are found, by Enzyme and by CoDiPack's tape of the same loops.
// wants: codipack enzyme
#include "../examples/problems/gmm_data.hpp"
#include "reference/gmm.hpp"

#include <benchmark/benchmark.h>

#if FLUXION_WITH_CODIPACK
#include <codi.hpp>
#endif
#if FLUXION_WITH_ENZYME
#include "reference/enzyme.hpp"
#endif

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

namespace {

namespace gmm = problems::gmm;

constexpr std::size_t K = 25, N = 1000;

template <std::size_t D>
const gmm::Problem<K, D>& problem() {
  static const auto made = gmm::made_up_problem<K, D>(static_cast<fluxion::index_t>(N));
  return made;
}

double apart(const double* x, const double* y, std::size_t n) {
  double worst = 0;
  for (std::size_t i = 0; i < n; ++i) worst = std::max(worst, std::abs(x[i] - y[i]) / std::max(1.0, std::abs(x[i]) + std::abs(y[i])));
  return worst;
}

/// An evaluation of value and gradient must be that of the loops.
template <std::size_t D, class F>
void measure_gradient(benchmark::State& state, const F& evaluate) {
  gmm::Parameters<K, D> g, expected;
  reference::gmm::Workspace<double> workspace;
  const double value = evaluate(g);
  const double expected_value =
      reference::gmm::value_and_gradient(problem<D>().at, problem<D>().points.data(), N, problem<D>().prior, workspace, expected);
  if (!(apart(&value, &expected_value, 1) < 1e-11 && apart(g.alpha.data(), expected.alpha.data(), K) < 1e-10 &&
        apart(g.means.data(), expected.means.data(), K * D) < 1e-10 && apart(g.log_diagonal.data(), expected.log_diagonal.data(), K * D) < 1e-10 &&
        apart(g.lower.data(), expected.lower.data(), expected.lower.size()) < 1e-10))
    return state.SkipWithError("the gradient is wrong");
  for (auto _ : state) {
    benchmark::DoNotOptimize(evaluate(g));
    benchmark::ClobberMemory();
  }
}

template <std::size_t D>
void gradient_fluxion(benchmark::State& state) {
  gmm::Posterior<K, D> posterior(problem<D>().points, problem<D>().prior);
  measure_gradient<D>(state, [&](auto& g) { return posterior.value_and_gradient(problem<D>().at, g); });
}

template <std::size_t D>
void gradient_hand(benchmark::State& state) {
  reference::gmm::Workspace<double> workspace;
  measure_gradient<D>(state, [&](auto& g) {
    return reference::gmm::value_and_gradient(problem<D>().at, problem<D>().points.data(), N, problem<D>().prior, workspace, g);
  });
}

template <std::size_t D>
void objective_fluxion(benchmark::State& state) {
  gmm::Posterior<K, D> posterior(problem<D>().points, problem<D>().prior);
  for (auto _ : state) benchmark::DoNotOptimize(posterior.value(problem<D>().at));
}

template <std::size_t D>
void objective_hand(benchmark::State& state) {
  reference::gmm::Workspace<double> workspace;
  for (auto _ : state) {
    benchmark::DoNotOptimize(
        reference::gmm::objective(K, D, N, reference::gmm::arrays_of(problem<D>().at), problem<D>().points.data(), problem<D>().prior, workspace));
    benchmark::ClobberMemory();
  }
}

#if FLUXION_WITH_CODIPACK
template <std::size_t D>
void gradient_codipack(benchmark::State& state) {
  using Real = codi::RealReverse;
  const auto& at = problem<D>().at;
  std::vector<Real> x;
  reference::gmm::Workspace<Real> workspace;
  measure_gradient<D>(state, [&](auto& g) {
    Real::Tape& tape = Real::getTape();
    const std::size_t sizes[] = {K, K * D, K * D, at.lower.size()};
    const double* from[] = {at.alpha.data(), at.means.data(), at.log_diagonal.data(), at.lower.data()};
    double* to[] = {g.alpha.data(), g.means.data(), g.log_diagonal.data(), g.lower.data()};
    x.resize(sizes[0] + sizes[1] + sizes[2] + sizes[3]);
    tape.setActive();
    std::size_t next = 0;
    for (std::size_t part = 0; part < 4; ++part)
      for (std::size_t i = 0; i < sizes[part]; ++i, ++next) {
        x[next] = from[part][i];
        tape.registerInput(x[next]);
      }
    const Real* first = x.data();
    Real value = reference::gmm::objective<Real>(K, D, N, {first, first + K, first + K + K * D, first + K + 2 * K * D}, problem<D>().points.data(),
                                                 problem<D>().prior, workspace);
    tape.registerOutput(value);
    tape.setPassive();
    value.setGradient(1);
    tape.evaluate();
    next = 0;
    for (std::size_t part = 0; part < 4; ++part)
      for (std::size_t i = 0; i < sizes[part]; ++i) to[part][i] = x[next++].getGradient();
    tape.reset();
    return value.getValue();
  });
}
BENCHMARK(gradient_codipack<10>)->Name("gmm/gradient/codipack/10")->Unit(benchmark::kMillisecond);
BENCHMARK(gradient_codipack<32>)->Name("gmm/gradient/codipack/32")->Unit(benchmark::kMillisecond);
#endif

#if FLUXION_WITH_ENZYME
template <std::size_t D>
void gradient_enzyme(benchmark::State& state) {
  reference::gmm::Workspace<double> workspace, shadow;
  workspace.prepare(K, D);
  shadow.prepare(K, D);
  measure_gradient<D>(state, [&](auto& g) {
    return reference::enzyme::gmm_objective(K, D, N, reference::gmm::arrays_of(problem<D>().at), problem<D>().points.data(), problem<D>().prior, workspace,
                                            shadow, {g.alpha.data(), g.means.data(), g.log_diagonal.data(), g.lower.data()});
  });
}
BENCHMARK(gradient_enzyme<10>)->Name("gmm/gradient/enzyme/10")->Unit(benchmark::kMillisecond);
BENCHMARK(gradient_enzyme<32>)->Name("gmm/gradient/enzyme/32")->Unit(benchmark::kMillisecond);
#endif

BENCHMARK(objective_fluxion<10>)->Name("gmm/objective/fluxion/10")->Unit(benchmark::kMillisecond);
BENCHMARK(objective_hand<10>)->Name("gmm/objective/hand/10")->Unit(benchmark::kMillisecond);
BENCHMARK(gradient_fluxion<10>)->Name("gmm/gradient/fluxion/10")->Unit(benchmark::kMillisecond);
BENCHMARK(gradient_hand<10>)->Name("gmm/gradient/hand/10")->Unit(benchmark::kMillisecond);
BENCHMARK(objective_fluxion<32>)->Name("gmm/objective/fluxion/32")->Unit(benchmark::kMillisecond);
BENCHMARK(objective_hand<32>)->Name("gmm/objective/hand/32")->Unit(benchmark::kMillisecond);
BENCHMARK(gradient_fluxion<32>)->Name("gmm/gradient/fluxion/32")->Unit(benchmark::kMillisecond);
BENCHMARK(gradient_hand<32>)->Name("gmm/gradient/hand/32")->Unit(benchmark::kMillisecond);

}  // namespace

BENCHMARK_MAIN();
