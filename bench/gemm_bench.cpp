// A matrix product with bias and relu as its epilogue, beside Eigen's bare product.
#include "support.hpp"

namespace {

using namespace bench;

struct dense_layer {
  static constexpr void record(recorder& r) {
    const Symbol a = r.floats({any, any}), b = r.floats({any, any}), bias = r.floats({any});
    r.output(fx::relu(fx::matmul(a, b) + bias));
  }
};

void fused(benchmark::State& state) {
  const index_t n = state.range(0);
  const floats a(n * n, 1), b(n * n, 2), bias(n, 3), c(n * n, 4);
  measure(state, [&] { call<dense_layer>({{a.data, {n, n}}, {b.data, {n, n}}, {bias.data, {n}}}, {{c.data, {n, n}}}); });
}

void eigen_bare(benchmark::State& state) {
  const index_t n = state.range(0);
  const floats fa(n * n, 1), fb(n * n, 2), fc(n * n, 4);
  const ConstMatrix a(fa.data, n, n), b(fb.data, n, n);
  Matrix c(fc.data, n, n);
  measure(state, [&] { c.noalias() = a * b; });
}

void eigen_layer(benchmark::State& state) {
  const index_t n = state.range(0);
  const floats fa(n * n, 1), fb(n * n, 2), f_bias(n, 3), fc(n * n, 4), other(n * n, 4);
  const ConstMatrix a(fa.data, n, n), b(fb.data, n, n);
  const ConstRow bias(f_bias.data, n);
  Matrix c(fc.data, n, n);
  const auto run = [&] {
    c.noalias() = a * b;
    c.array() = (c.array().rowwise() + bias).max(0.f);
  };
  run();
  call<dense_layer>({{fa.data, {n, n}}, {fb.data, {n, n}}, {f_bias.data, {n}}}, {{other.data, {n, n}}});
  if (!(difference(other.data, fc.data, n * n) < 1e-4)) state.SkipWithError("results differ");
  measure(state, run);
}

void sizes(benchmark::internal::Benchmark* b) { b->Arg(64)->Arg(256)->Arg(1024); }

BENCHMARK(fused)->Name("gemm/matmul_bias_relu/fluxion")->Apply(sizes);
BENCHMARK(eigen_bare)->Name("gemm/matmul_bias_relu/eigen_bare")->Apply(sizes);
BENCHMARK(eigen_layer)->Name("gemm/matmul_bias_relu/eigen")->Apply(sizes);

}  // namespace

BENCHMARK_MAIN();
