// A Hessian-vector product beside the gradient that it is the derivative of: a network's loss with respect to its weights.
#include <fluxion/autodiff/jvp.hpp>
#include <fluxion/fluxion.hpp>

#include <benchmark/benchmark.h>

namespace {

namespace fx = fluxion;
using Matrix = fx::Tensor<float, fx::dims<2>>;

constexpr auto loss = [](auto w1, auto w2, auto images, auto labels) {
  return fx::cross_entropy(fx::matmul(fx::tanh(fx::matmul(images, w1)), w2), labels);
};

struct data {
  Matrix w1 = fx::empty<float>({64, 128}), w2 = fx::empty<float>({128, 10}), images = fx::empty<float>({64, 64});
  Matrix v1 = fx::empty<float>({64, 128}), v2 = fx::empty<float>({128, 10});
  fx::Tensor<std::int64_t, fx::dims<1>> labels = fx::empty<std::int64_t>({64});
  Matrix g1 = w1, g2 = w2;

  data() {
    fx::Generator generator(1);
    w1 = 0.1f * fx::randn<float>(generator, {64, 128});
    w2 = 0.1f * fx::randn<float>(generator, {128, 10});
    v1 = fx::randn<float>(generator, {64, 128});
    v2 = fx::randn<float>(generator, {128, 10});
    images = fx::randn<float>(generator, {64, 64});
    for (fx::index_t i = 0; i < 64; ++i) labels(i) = i % 10;
  }
};

void gradient(benchmark::State& state) {
  data d;
  constexpr auto f = fx::grad<0, 1>(loss);
  for (auto _ : state) {
    f.into(std::tie(d.g1, d.g2), d.w1, d.w2, d.images, d.labels);
    benchmark::DoNotOptimize(d.g1.data());
  }
}
void product(benchmark::State& state) {
  data d;
  constexpr auto f = fx::hvp<0, 1>(loss);
  for (auto _ : state) {
    f.into(std::tie(d.g1, d.g2), d.w1, d.w2, d.images, d.labels, d.v1, d.v2);
    benchmark::DoNotOptimize(d.g1.data());
  }
}

BENCHMARK(product)->Name("hvp/network/fluxion/64-128-10");
BENCHMARK(gradient)->Name("hvp/network/gradient/64-128-10");

}  // namespace

BENCHMARK_MAIN();
