// The copy that brings a value into another layout, where that is a transposition, beside Eigen's. Numbers of the rows are extents.
#include <fluxion/graph/strided.hpp>

#include <Eigen/Core>
#include <benchmark/benchmark.h>

#include <vector>

namespace {

using fluxion::index_t;

template <class T>
void strided_copy(benchmark::State& state) {
  const index_t n = state.range(0), m = state.range(1), extent[] = {m, n}, from_stride[] = {1, m}, to_stride[] = {n, 1};
  std::vector<T> from(static_cast<std::size_t>(n * m), T(1)), to(from.size());
  for (auto _ : state) {
    fluxion::graph::detail::copy_strided(reinterpret_cast<std::byte*>(to.data()), to_stride, reinterpret_cast<const std::byte*>(from.data()), from_stride, extent, 2,
                                         sizeof(T));
    benchmark::DoNotOptimize(to.data());
    benchmark::ClobberMemory();
  }
}

template <class T>
void eigen(benchmark::State& state) {
  using Matrix = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  const Matrix from = Matrix::Ones(state.range(0), state.range(1));
  Matrix to(state.range(1), state.range(0));
  for (auto _ : state) {
    to.noalias() = from.transpose();
    benchmark::DoNotOptimize(to.data());
    benchmark::ClobberMemory();
  }
}

void sizes(benchmark::internal::Benchmark* b) { b->Args({64, 64})->Args({500, 300})->Args({1024, 1024})->Args({31843, 15}); }

BENCHMARK(strided_copy<float>)->Name("transpose/float/fluxion")->Apply(sizes);
BENCHMARK(eigen<float>)->Name("transpose/float/eigen")->Apply(sizes);
BENCHMARK(strided_copy<double>)->Name("transpose/double/fluxion")->Apply(sizes);
BENCHMARK(eigen<double>)->Name("transpose/double/eigen")->Apply(sizes);

}  // namespace

BENCHMARK_MAIN();
