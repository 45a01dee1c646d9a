// What a statement on the tape costs beside the kernels that it runs: forward, and forward with backward. `kernels` calls the same plans directly.
#include <fluxion/autodiff/var.hpp>
#include <fluxion/tensor/factory.hpp>
#include <fluxion/tensor/function.hpp>

#include <benchmark/benchmark.h>

#include <cmath>
#include <tuple>

namespace {

namespace fx = fluxion;
using Vector = fx::Tensor<float, fx::dims<1>>;

constexpr auto formula = [](const auto& x, const auto& w) { return x * w; };
constexpr auto adjoint = fx::compile([](const auto& x, const auto& w, const auto& d) { return std::make_tuple(d * w, d * x); });

Vector ramp(fx::index_t n) {
  Vector x = fx::zeros<float>({n});
  for (fx::index_t i = 0; i < n; ++i) x.data()[i] = 1 + 1e-4f * static_cast<float>(i);
  return x;
}

void statement(benchmark::State& state) {
  fx::Var x = fx::variable(ramp(state.range(0))), w = fx::variable(ramp(state.range(0)));
  for (auto _ : state) {
    fx::Var y = formula(x, w);
    benchmark::DoNotOptimize(y.value().const_data());
    benchmark::ClobberMemory();
  }
}

void statement_kernels(benchmark::State& state) {
  const Vector x = ramp(state.range(0)), w = ramp(state.range(0));
  Vector y = ramp(state.range(0));
  constexpr auto f = fx::compile(formula);
  for (auto _ : state) {
    f.into(y, x, w);
    benchmark::DoNotOptimize(y.data());
    benchmark::ClobberMemory();
  }
}

/// Fifty statements in a row, each on the one before, and the pass back through them.
constexpr int length = 50;

void chain(benchmark::State& state) {
  const fx::index_t n = state.range(0);
  fx::Var x = fx::variable(ramp(n)), w = fx::variable(ramp(n));
  const Vector seed = ramp(n);
  for (auto _ : state) {
    fx::Var y = formula(x, w);
    for (int i = 1; i < length; ++i) y = fx::Var(formula(y, w));
    y.backward(seed);
    benchmark::DoNotOptimize(x.grad().view().const_data());
    x.zero_grad();
    w.zero_grad();
    benchmark::ClobberMemory();
  }
  state.SetItemsProcessed(state.iterations() * length);
}

/// The kernels of the chain: values, adjoints, and the sums of adjoints of w, all into memory that is there.
void chain_kernels(benchmark::State& state) {
  const fx::index_t n = state.range(0);
  const Vector x = ramp(n), w = ramp(n), seed = ramp(n);
  Vector values[length + 1], adjoints[length + 1];
  for (int i = 0; i <= length; ++i) values[i] = adjoints[i] = ramp(n);
  Vector part = ramp(n), sum = ramp(n);
  constexpr auto f = fx::compile(formula);
  for (auto _ : state) {
    values[0] = x;
    for (int i = 0; i < length; ++i) f.into(values[i + 1], values[i], w);
    adjoints[length] = seed;
    for (int i = length; i-- > 0;) {
      adjoint.into(std::tie(adjoints[i], part), values[i], w, adjoints[i + 1]);
      float* to = sum.data();
      const float* from = part.view().const_data();
      for (fx::index_t k = 0; k < n; ++k) to[k] += from[k];
    }
    benchmark::DoNotOptimize(sum.data());
    benchmark::ClobberMemory();
  }
  state.SetItemsProcessed(state.iterations() * length);
}

BENCHMARK(statement)->Name("tape/statement/forward/fluxion")->Arg(16)->Arg(1000);
BENCHMARK(statement_kernels)->Name("tape/statement/forward/kernels")->Arg(16)->Arg(1000);
BENCHMARK(chain)->Name("tape/statement/forward_backward_50/fluxion")->Arg(16)->Arg(1000);
BENCHMARK(chain_kernels)->Name("tape/statement/forward_backward_50/kernels")->Arg(16)->Arg(1000);

}  // namespace

BENCHMARK_MAIN();
