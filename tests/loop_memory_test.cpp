// What loops cost, counted: steps, states, kernels, allocations.
#include <doctest/doctest.h>

#include <fluxion/autodiff/loop.hpp>
#include <fluxion/fluxion.hpp>

#include <cstdlib>
#include <new>

namespace fx = fluxion;

namespace {
int allocations = 0;
}  // namespace

// Tensors and scratch memory are aligned; what else allocates here is the test's own.
FLUXION_NO_INLINE void* operator new(std::size_t bytes, std::align_val_t a) {
  ++allocations;
  const auto alignment = static_cast<std::size_t>(a);
  void* const p = std::aligned_alloc(alignment, (bytes + alignment - 1) / alignment * alignment);
  if (!p) throw std::bad_alloc();
  return p;
}
FLUXION_NO_INLINE void operator delete(void* p, std::align_val_t) noexcept { std::free(p); }
FLUXION_NO_INLINE void operator delete(void* p, std::size_t, std::align_val_t) noexcept { std::free(p); }

namespace {

using Vector = fx::Tensor<double, fx::dims<1>>;

constexpr auto damped = [](auto u, auto k) { return u - k * fx::sin(u); };
constexpr auto square = [](auto u, auto) { return fx::sum(u * u); };

}  // namespace

TEST_CASE("a gradient through 1000 steps computes as many steps as the policy allows, in memory for as many states") {
  const Vector u(fx::full<double>({100}, 0.5));
  double loss = 0, by_k = 0;
  constexpr auto loop = fx::iterate(damped, square);
  const auto counts_of = [&](const fx::Checkpoints& memory) {
    fx::LoopCounts counts;
    fx::value_and_grad<2>(loop, {memory, &counts}).into(std::tie(loss, by_k), u, 1000, 0.01);
    return counts;
  };
  const fx::LoopCounts all = counts_of(fx::keep_all);
  CHECK(all.steps == 1000);
  CHECK(all.reverse_steps == 1000);
  CHECK(all.states == 1000);
  CHECK(all.bytes == 1003 * 832);
  const double expected = by_k;
  const fx::LoopCounts few = counts_of(fx::checkpoints(10));
  CHECK(few.steps == 3637);
  CHECK(few.states == 10);
  CHECK(few.bytes == 13 * 832);
  CHECK(by_k == expected);
  const fx::LoopCounts root = counts_of(fx::square_root_checkpoints);
  CHECK(root.states == 44);
  CHECK(root.steps == 1955);
  CHECK(by_k == expected);
  const fx::LoopCounts logarithm = counts_of(fx::logarithmic_checkpoints);
  CHECK(logarithm.states == 11);
  CHECK(logarithm.steps == 3546);
  CHECK(by_k == expected);
}

TEST_CASE("after the first gradient of a loop, two hundred more and a value allocate nothing") {
  const Vector u(fx::full<double>({100}, 0.5));
  Vector du(fx::full<double>({100}, 0.0));
  double loss = 0, by_k = 0;
  constexpr auto loop = fx::iterate(damped, square);
  constexpr auto gradient = fx::value_and_grad<0, 2>(loop, {fx::checkpoints(12)});
  gradient.into(std::tie(loss, du, by_k), u, 500, 0.01);
  const int before = allocations;
  for (int i = 0; i < 200; ++i) gradient.into(std::tie(loss, du, by_k), u, 500, 0.01);
  CHECK(loop(u, 500, 0.01).item() == loss);
  CHECK(allocations == before);
}

TEST_CASE("a step is one kernel, and so is its adjoint") {
  const Vector u(fx::full<double>({100}, 0.5));
  double loss = 0;
  Vector du(fx::full<double>({100}, 0.0));
  fx::LoopCounts counts;
  const fx::CountingScope scope;
  fx::value_and_grad(fx::iterate(damped, square), {fx::keep_all, &counts}).into(std::tie(loss, du), u, 50, 0.01);
  CHECK(scope.counters().kernels == 50 + 50 + 1);  // the loss is one
}

TEST_CASE("neither does the gradient of a scan with outputs, nor that of a fixed point") {
  constexpr auto give = [](auto h, auto x, auto k) { return fx::with_output(fx::tanh(h * k + x), fx::sum(h * x)); };
  constexpr auto total = [](auto h, auto along, auto) { return fx::sum(h) + fx::sum(along * along); };
  constexpr auto scan = fx::value_and_grad<1, 2>(fx::scan(give, total), {fx::checkpoints(5)});
  fx::Tensor<double, fx::dims<2>> xs(fx::full<double>({50, 100}, 0.01)), d_xs(fx::full<double>({50, 100}, 0.0));
  const Vector h(fx::full<double>({100}, 0.5));
  Vector d_shift(fx::full<double>({100}, 0.0));
  double loss = 0, by_k = 0;
  constexpr auto contract = [](auto x, auto shift) { return fx::cos(x) * 0.5 + shift; };
  fx::LoopCounts counts;
  const auto solution = fx::value_and_grad<1>(fx::fixed_point(contract, square, {1e-10, 100}), {&counts});
  const auto run = [&] {
    scan.into(std::tie(loss, d_xs, by_k), h, fx::each(xs), 0.9);
    solution.into(std::tie(loss, d_shift), h, h);
  };
  run();
  const int before = allocations;
  for (int i = 0; i < 50; ++i) run();
  CHECK(allocations == before);
  CHECK(counts.bytes == 2 * 832);  // however many steps there were
  CHECK(counts.steps > 15);
}
