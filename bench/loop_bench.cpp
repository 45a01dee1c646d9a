// Loops: gradients of recurrent models and of time stepping through fx::scan and fx::iterate, beside derivatives written by hand.
#include "../examples/problems/fit.hpp"
#include "../examples/problems/heat.hpp"
#include "../examples/problems/ode.hpp"
#include "reference/lstm.hpp"

#include <benchmark/benchmark.h>

#include <cmath>

namespace {

namespace fx = fluxion;
using fx::index_t;

// ---- lstm, two layers, 1024 characters -----------------------------------------------------------------------------------

namespace lstm = problems::lstm;

const lstm::Problem& problem() {
  static const lstm::Problem p = [] {
    lstm::Problem made;
    double x = 0.1;
    const auto next = [&] { return x = std::fmod(x * 7.31 + 0.37, 1.0); };
    const auto fill = [&](lstm::Units& part) {
      for (index_t i = 0; i < part.size(); ++i) part.data()[i] = next();
    };
    for (auto& layer : made.main)
      for (lstm::Units& part : layer) fill(part);
    for (lstm::Units& part : made.extra) fill(part);
    for (auto& layer : std::get<0>(made.state))
      for (lstm::Units& part : layer) fill(part);
    made.text = fx::Tensor<double, fx::extents<fx::dynamic_extent, lstm::units>>(fx::uninitialized, {index_t{1024}, index_t{lstm::units}});
    for (index_t i = 0; i < made.text.size(); ++i) made.text.data()[i] = next() > 0.5;
    return made;
  }();
  return p;
}

void lstm_objective(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(lstm::objective(problem()));
}
void lstm_objective_by_hand(benchmark::State& state) {
  std::vector<reference::lstm::Kept> none;
  for (auto _ : state) benchmark::DoNotOptimize(reference::lstm::forward<false>(problem(), none));
}
void lstm_gradient(benchmark::State& state, const fx::Checkpoints& memory) {
  double value = 0;
  lstm::Main main{}, main_by_hand{};
  lstm::Extra extra{}, extra_by_hand{};
  for (auto _ : state) lstm::gradient(problem(), value, main, extra, {memory});
  const double by_hand = reference::lstm::gradient(problem(), main_by_hand, extra_by_hand);
  if (std::abs(value - by_hand) > 1e-12 || std::abs(main[0][1](3) - main_by_hand[0][1](3)) > 1e-12 || std::abs(extra[0](5) - extra_by_hand[0](5)) > 1e-12)
    state.SkipWithError("the derivative written by hand is another");
}
void lstm_gradient_by_hand(benchmark::State& state) {
  lstm::Main main{};
  lstm::Extra extra{};
  for (auto _ : state) benchmark::DoNotOptimize(reference::lstm::gradient(problem(), main, extra));
}
BENCHMARK(lstm_objective)->Name("loop/lstm_objective/fluxion/1024")->Unit(benchmark::kMicrosecond);
BENCHMARK(lstm_objective_by_hand)->Name("loop/lstm_objective/by_hand/1024")->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(lstm_gradient, all, fx::keep_all)->Name("loop/lstm_gradient/fluxion/1024")->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(lstm_gradient, few, fx::square_root_checkpoints)->Name("loop/lstm_gradient/fluxion_45_states/1024")->Unit(benchmark::kMicrosecond);
BENCHMARK(lstm_gradient_by_hand)->Name("loop/lstm_gradient/by_hand/1024")->Unit(benchmark::kMicrosecond);

// ---- a rod of 128 points ----------------------------------------------------------------------------------------------------

namespace heat = problems::heat;

void heat_gradient(benchmark::State& state, const fx::Checkpoints& memory) {
  const heat::Rod guess = heat::warm_places(), measured = heat::after(guess, 500, 0.4);
  heat::Rod du;
  for (auto _ : state) benchmark::DoNotOptimize(heat::gradient(guess, 1000, 0.4, measured, du, {memory}));
}
void heat_gradient_by_hand(benchmark::State& state) {
  const heat::Rod guess = heat::warm_places(), measured = heat::after(guess, 500, 0.4);
  heat::Rod du;
  for (auto _ : state) benchmark::DoNotOptimize(heat::gradient_by_hand(guess, 1000, 0.4, measured, du));
}
BENCHMARK_CAPTURE(heat_gradient, all, fx::keep_all)->Name("loop/heat_gradient/fluxion/1000")->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(heat_gradient, few, fx::checkpoints(20))->Name("loop/heat_gradient/fluxion_20_states/1000")->Unit(benchmark::kMicrosecond);
BENCHMARK(heat_gradient_by_hand)->Name("loop/heat_gradient/by_hand_linear/1000")->Unit(benchmark::kMicrosecond);

// ---- ten thousand Runge-Kutta steps -----------------------------------------------------------------------------------------

namespace ode = problems::ode;

void ode_value(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(fx::iterate(ode::runge_kutta)(ode::start, 10000, ode::parameters));
}
void ode_gradient(benchmark::State& state, const fx::Checkpoints& memory) {
  for (auto _ : state) benchmark::DoNotOptimize(ode::gradient(10000, {memory}));
}
void ode_gradient_by_duals(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(ode::gradient_by_duals(10000));
}
void ode_gradient_by_hand(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(ode::gradient_by_hand(10000));
}
BENCHMARK(ode_value)->Name("loop/ode_value/fluxion/10000")->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(ode_gradient, all, fx::keep_all)->Name("loop/ode_gradient/fluxion/10000")->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(ode_gradient, few, fx::logarithmic_checkpoints)->Name("loop/ode_gradient/fluxion_15_states/10000")->Unit(benchmark::kMicrosecond);
BENCHMARK(ode_gradient_by_duals)->Name("loop/ode_gradient/fluxion_duals/10000")->Unit(benchmark::kMicrosecond);
BENCHMARK(ode_gradient_by_hand)->Name("loop/ode_gradient/by_hand/10000")->Unit(benchmark::kMicrosecond);

// ---- a Gauss-Newton step over 1000 measurements -----------------------------------------------------------------------------

namespace fit = problems::fit;

template <class F>
void fit_equations(benchmark::State& state, F equations) {
  const fit::Parameters p{2, 0.3, 4, 0.5, 0.1};
  const fit::Data data = fit::measure(p, 1000);
  Eigen::Matrix<double, 5, 5> a;
  Eigen::Matrix<double, 5, 1> b;
  for (auto _ : state) benchmark::DoNotOptimize(equations(data, p, a, b));
}
BENCHMARK_CAPTURE(fit_equations, duals, fit::normal_equations)->Name("loop/gauss_newton/fluxion_duals/1000")->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(fit_equations, hand, fit::normal_equations_by_hand)->Name("loop/gauss_newton/by_hand/1000")->Unit(benchmark::kMicrosecond);

}  // namespace

BENCHMARK_MAIN();
