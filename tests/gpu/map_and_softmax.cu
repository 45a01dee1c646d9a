// A fused map and two row programs on a GPU, compared with loops in double on the host. Exits with 77, a skipped test,
// where there is no GPU.
#include <fluxion/device/gpu/launch.hpp>

#include <cstdio>

#include "programs.hpp"

namespace {

using namespace gpu_test;
namespace gpu = fluxion::gpu;
namespace graph = fluxion::graph;

int failures = 0;

void expect(const char* what, std::size_t m, std::size_t n, double error, double bound) {
  const bool good = error < bound;
  std::printf("%s [%zu, %zu]: largest error %.2e, %s\n", what, m, n, error, good ? "good" : "WRONG");
  failures += !good;
}

template <class Source>
void run(const gpu::Cuda& device, std::initializer_list<graph::descriptor> arguments,
         std::initializer_list<graph::descriptor> outputs) {
  using plan = graph::constant_plan<Source>;
  static_assert(plan::view.kernel_count == 1, "each of these programs is one kernel");
  gpu::execute<plan>(device, arguments.begin(), nullptr, outputs.begin());
}

gpu::buffer<float> on_device(const gpu::Cuda& device, const std::vector<float>& x) {
  return {device, x.data(), static_cast<fx::index_t>(x.size())};
}
gpu::buffer<float> empty(const gpu::Cuda& device, std::size_t size) { return {device, static_cast<fx::index_t>(size)}; }
std::vector<float> on_host(const gpu::buffer<float>& x) {
  std::vector<float> y(static_cast<std::size_t>(x.size()));
  x.copy_to(y.data());
  return y;
}

void test_map(const gpu::Cuda& device, std::size_t m, std::size_t n) {
  const auto x = numbers(m * n, 1), row = numbers(n, 2), column = numbers(m, 3);
  const auto dx = on_device(device, x), drow = on_device(device, row), dcolumn = on_device(device, column),
             y = empty(device, m * n);
  run<Map>(device, {dense(dx.data(), {m, n}), dense(drow.data(), {n}), dense(dcolumn.data(), {m})},
           {dense(y.data(), {m, n})});
  expect("map", m, n, largest_error(on_host(y), Map::naive(x, row, column, m, n)), 2e-6);
}

void test_softmax(const gpu::Cuda& device, std::size_t m, std::size_t n) {
  const auto x = numbers(m * n, 4);
  const auto dx = on_device(device, x), y = empty(device, m * n);
  run<Softmax>(device, {dense(dx.data(), {m, n})}, {dense(y.data(), {m, n})});
  expect("softmax", m, n, largest_error(on_host(y), Softmax::naive(x, m, n)), 2e-6);
}

void test_layer_norm(const gpu::Cuda& device, std::size_t m, std::size_t n) {
  const auto x = numbers(m * n, 5), weight = numbers(n, 6), bias = numbers(n, 7);
  const auto dx = on_device(device, x), dw = on_device(device, weight), db = on_device(device, bias);
  const auto y = empty(device, m * n), means = empty(device, m);
  run<LayerNorm>(device, {dense(dx.data(), {m, n}), dense(dw.data(), {n}), dense(db.data(), {n})},
                 {dense(y.data(), {m, n}), dense(means.data(), {m, 1})});
  std::vector<double> expected_means;
  const auto expected = LayerNorm::naive(x, weight, bias, m, n, expected_means);
  expect("layer norm", m, n, largest_error(on_host(y), expected), 2e-5);
  expect("layer norm's means", m, n, largest_error(on_host(means), expected_means), 1e-5);
}

/// Says how long a softmax takes: what the memory allows is about 8 bytes per element.
void time_softmax(const gpu::Cuda& device, std::size_t m, std::size_t n) {
  const auto x = on_device(device, numbers(m * n, 4)), y = empty(device, m * n);
  const auto once = [&] { run<Softmax>(device, {dense(x.data(), {m, n})}, {dense(y.data(), {m, n})}); };
  constexpr int repetitions = 50;
  cudaEvent_t begin, end;
  gpu::check(cudaEventCreate(&begin), "cuda: creating an event");
  gpu::check(cudaEventCreate(&end), "cuda: creating an event");
  once();
  gpu::check(cudaEventRecord(begin, device.stream()), "cuda: recording an event");
  for (int i = 0; i < repetitions; ++i) once();
  gpu::check(cudaEventRecord(end, device.stream()), "cuda: recording an event");
  device.synchronize();
  float milliseconds = 0;
  gpu::check(cudaEventElapsedTime(&milliseconds, begin, end), "cuda: reading the time between events");
  const double seconds = static_cast<double>(milliseconds) / 1e3 / repetitions;
  std::printf("softmax [%zu, %zu]: %.1f us, %.0f GB/s\n", m, n, seconds * 1e6, 8e-9 * static_cast<double>(m * n) / seconds);
  cudaEventDestroy(begin);
  cudaEventDestroy(end);
}

/// A program whose type depends on a lambda, which no host stub may name.
template <class F>
struct Traced {
  static constexpr graph::program make() {
    graph::program p;
    output(p, F{}(argument(p, 0, 1)));
    return p;
  }
};

template <class F>
void test_lambda(const gpu::Cuda& device, F) {
  const auto x = numbers(1000, 8);
  const auto dx = on_device(device, x), y = empty(device, x.size());
  run<Traced<F>>(device, {dense(dx.data(), {x.size()})}, {dense(y.data(), {x.size()})});
  std::vector<double> expected;
  for (const float v : x) expected.push_back(v > 0 ? v : 0.5 * v);
  expect("lambda", 1, x.size(), largest_error(on_host(y), expected), 1e-7);
}

}  // namespace

int main() {
  try {
    const gpu::Cuda device;
    test_map(device, 7, 13);
    test_map(device, 100, 3001);
    for (const std::size_t n : {1, 37, 256, 257, 1000, 2048, 2049, 5000}) {
      test_softmax(device, 129, n);
      test_layer_norm(device, 129, n);
    }
    test_softmax(device, 0, 5);
    time_softmax(device, 16384, 1000);
    test_lambda(device, [](auto x) { return where(x > 0.f, x, x * 0.5f); });
  } catch (const gpu::UnavailableError& error) {
    std::printf("skipped: %s\n", error.what());
    return 77;
  } catch (const fx::Error& error) {
    std::printf("failed: %s\n", error.what());
    return 1;
  }
  return failures == 0 ? 0 : 1;
}
