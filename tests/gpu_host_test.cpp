// The GPU's kernels on the CPU: a group of one thread, in a loop and under Thrust's host system; and a group of several
// threads. needs: threads wants: thrust
#include <doctest/doctest.h>

#include <fluxion/device/gpu/host.hpp>

#include <barrier>
#include <thread>

#if defined(FLUXION_WITH_THRUST)
#include <thrust/execution_policy.h>
#include <thrust/for_each.h>
#include <thrust/iterator/counting_iterator.h>
#endif

#include "gpu/programs.hpp"

namespace {

using namespace gpu_test;
namespace gpu = fluxion::gpu;
namespace graph = fluxion::graph;

template <int Items>
struct kept_in_registers {
  template <class Code>
  using runner = gpu::host_function<Code, Items>;
};

/// Executes a constant plan with functions made by `Runner`.
template <class Source, template <class> class Runner>
graph::counters run(std::initializer_list<graph::descriptor> arguments, std::initializer_list<graph::descriptor> outputs,
                    std::initializer_list<graph::scalar_value> scalars = {}) {
  using plan = graph::constant_plan<Source>;
  static_assert(plan::error.code == graph::program_error::none);
  fx::index_t symbols[16]{};
  graph::counters count;
  graph::bind(plan::view, arguments.begin(), symbols);
  graph::execute(plan::view, gpu::functions_with<plan, Runner>, arguments.begin(), scalars.begin(), outputs.begin(),
                 symbols, &count);
  return count;
}

template <template <class> class Runner>
graph::counters check_map(std::size_t m, std::size_t n) {
  const auto x = numbers(m * n, 1), row = numbers(n, 2), column = numbers(m, 3);
  std::vector<float> y(m * n);
  const auto count = run<Map, Runner>({dense(x.data(), {m, n}), dense(row.data(), {n}), dense(column.data(), {m})},
                                      {dense(y.data(), {m, n})});
  CHECK(count.kernels == 1);
  CHECK(largest_error(y, Map::naive(x, row, column, m, n)) < 1e-6);
  return count;
}

template <template <class> class Runner>
void check_softmax(std::size_t m, std::size_t n) {
  const auto x = numbers(m * n, 4);
  std::vector<float> y(m * n);
  const auto count = run<Softmax, Runner>({dense(x.data(), {m, n})}, {dense(y.data(), {m, n})});
  CHECK(count.kernels == 1);
  CHECK(largest_error(y, Softmax::naive(x, m, n)) < 1e-6);
}

template <template <class> class Runner>
void check_layer_norm(std::size_t m, std::size_t n) {
  const auto x = numbers(m * n, 5), weight = numbers(n, 6), bias = numbers(n, 7);
  std::vector<float> y(m * n), means(m);
  const auto count = run<LayerNorm, Runner>({dense(x.data(), {m, n}), dense(weight.data(), {n}), dense(bias.data(), {n})},
                                            {dense(y.data(), {m, n}), dense(means.data(), {m, 1})});
  std::vector<double> expected_means;
  const auto expected = LayerNorm::naive(x, weight, bias, m, n, expected_means);
  CHECK(count.kernels == 1);
  CHECK(largest_error(y, expected) < 2e-5);
  CHECK(largest_error(means, expected_means) < 1e-6);
}

}  // namespace

TEST_CASE("a fused map with broadcast operands gives what loops in double give") {
  check_map<gpu::host_runner>(7, 13);
  check_map<gpu::host_runner>(0, 4);
}

// May fail while the planner joins axes into one row along which some operands do not vary.
TEST_CASE("a fused map copies no broadcast operand, and extents of one are extents like others") {
  CHECK(check_map<gpu::host_runner>(7, 13).copies == 0);
  CHECK(check_map<gpu::host_runner>(1, 5).copies == 0);
  CHECK(check_map<gpu::host_runner>(3, 1).copies == 0);
}

TEST_CASE("rows longer than a chunk are cut without a gap or an overlap") { check_map<gpu::host_runner>(2, 2 * 1024 + 3); }

TEST_CASE("a softmax is one kernel and gives what loops in double give") {
  check_softmax<gpu::host_runner>(5, 37);
  check_softmax<gpu::host_runner>(1, 1);
  check_softmax<gpu::host_runner>(2, 1500);
}

TEST_CASE("a layer norm that also stores the mean of each row is one kernel") { check_layer_norm<gpu::host_runner>(6, 29); }

TEST_CASE("values kept in registers between passes are those that the first pass computed") {
  check_softmax<kept_in_registers<40>::runner>(5, 37);
  check_softmax<kept_in_registers<40>::runner>(3, 40);
  check_layer_norm<kept_in_registers<32>::runner>(6, 29);
}

namespace {

/// where(u < probability, x, column number) over [m, n].
struct Generated {
  static constexpr graph::program make() {
    graph::program p;
    const fx::Symbol x = argument(p, 0, 2);
    const int key = p.scalar(0, fx::element_type::int64, false), offset = p.scalar(1, fx::element_type::int64, false);
    const fx::Symbol probability = x.at(p.scalar(2, fx::element_type::float32, false));
    const fx::Symbol u = x.at(graph::record_uniform(p, key, offset, x.shape(), fx::element_type::float32));
    const fx::Symbol position = x.at(graph::record_iota(p, x.shape(), 1, fx::element_type::int32));
    output(p, where(u < probability, x, position));
    return p;
  }
};

/// x transposed, as a truth value and back.
struct Transposed {
  static constexpr graph::program make() {
    graph::program p;
    const fx::Symbol x = argument(p, 0, 2), y = argument(p, 1, 2);
    const int order[] = {1, 0};
    const fx::Symbol transposed = y.at(graph::record_permute(p, y.index(), order));
    output(p, logical_and(x > 0.f, transposed > 0.5f));
    return p;
  }
};

}  // namespace

TEST_CASE("random numbers and positions are those of the generator, whatever the chunk") {
  const std::size_t m = 3, n = 2050;
  const auto x = numbers(m * n, 8);
  std::vector<float> y(m * n);
  const std::int64_t key = 0x123456789abcdef, offset = 77;
  run<Generated, gpu::host_runner>({dense(x.data(), {m, n})}, {dense(y.data(), {m, n})}, {key, offset, 0.25f});
  const fx::PhiloxKey words{static_cast<std::uint32_t>(key),
                            static_cast<std::uint32_t>(static_cast<std::uint64_t>(key) >> 32)};
  std::size_t wrong = 0;
  for (std::size_t i = 0; i < m * n; ++i) {
    const bool kept = fx::random_uniform<float>(words, static_cast<std::uint64_t>(offset), i) < 0.25f;
    wrong += y[i] != (kept ? x[i] : static_cast<float>(i % n));
  }
  CHECK(wrong == 0);
}

TEST_CASE("truth values are stored as bool, and permuted operands are read with their strides") {
  const std::size_t m = 4, n = 9;
  const auto x = numbers(m * n, 9), y = numbers(n * m, 10);
  bool found[m * n];
  run<Transposed, gpu::host_runner>({dense(x.data(), {m, n}), dense(y.data(), {n, m})}, {dense(found, {m, n})});
  std::size_t wrong = 0;
  for (std::size_t i = 0; i < m; ++i)
    for (std::size_t j = 0; j < n; ++j) wrong += found[i * n + j] != (x[i * n + j] > 0 && y[j * m + i] > 0.5f);
  CHECK(wrong == 0);
}

namespace {

/// Threads that share a row as a block of a GPU does.
struct crew {
  static constexpr int members = 3;
  struct shared_state {
    std::barrier<> barrier{members};
    double values[members]{};
  };
  shared_state* shared;
  int member;

  int rank() const { return member; }
  int size() const { return members; }
  void sync() const { shared->barrier.arrive_and_wait(); }
  template <class T, class Combine>
  T reduce(T value, Combine combine) const {
    shared->values[member] = static_cast<double>(value);
    sync();
    T total = static_cast<T>(shared->values[0]);
    for (int i = 1; i < members; ++i) total = combine(total, static_cast<T>(shared->values[i]));
    sync();
    return total;
  }
};
static_assert(gpu::ExecutionGroup<crew>);

/// Two crews that go over the parts of a call in turns, one after the other.
template <class Code, int Items>
struct crew_function {
  static void run(const graph::loop_call& call) {
    const auto packed = gpu::pack_call<Code>(call, 16);
    crew::shared_state shared;
    std::vector<std::thread> threads;
    for (int member = 0; member < crew::members; ++member)
      threads.emplace_back([&, member] {
        for (fx::index_t first = 0; first < 2; ++first)
          gpu::loop_kernel<Code, Items>::run(crew{&shared, member}, packed, first, 2);
      });
    for (std::thread& t : threads) t.join();
  }
};
template <class Code>
using crew_runner = crew_function<Code, 0>;
template <class Code>
using keeping_crew_runner = crew_function<Code, 8>;

}  // namespace

TEST_CASE("several threads that share each row give what one gives") {
  check_map<crew_runner>(7, 130);
  check_softmax<crew_runner>(5, 37);
  check_softmax<crew_runner>(4, 2);  // fewer elements than threads
  check_layer_norm<crew_runner>(6, 29);
}

TEST_CASE("several threads keep values of their own elements between passes") {
  check_softmax<keeping_crew_runner>(5, 24);
  check_softmax<keeping_crew_runner>(5, 19);
  check_layer_norm<keeping_crew_runner>(6, 23);
}

#if defined(FLUXION_WITH_THRUST)

namespace {

template <class Code>
struct thrust_runner {
  static void run(const graph::loop_call& call) {
    const gpu::part_function<Code> function{gpu::pack_call<Code>(call, 16)};
    const fx::index_t parts = function.call.rows * function.call.chunks;
    thrust::for_each(thrust::device, thrust::counting_iterator<fx::index_t>(0),
                     thrust::counting_iterator<fx::index_t>(parts), function);
  }
};

}  // namespace

TEST_CASE("Thrust's host system runs the same kernels over a counting iterator") {
  check_map<thrust_runner>(7, 130);
  check_softmax<thrust_runner>(5, 37);
  check_layer_norm<thrust_runner>(6, 29);
}

#endif
