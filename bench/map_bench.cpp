// A chain of eight elementwise operations over three leaves into a given destination: once with every leaf written once, once with
// leaves written several times, which a traced function loads once and an expression loads as often as they are written.
#include "support.hpp"

#include <fluxion/tensor/factory.hpp>
#include <fluxion/tensor/function.hpp>
#include <fluxion/tensor/interop.hpp>

#include <algorithm>
#include <cmath>

namespace {

using namespace bench;

/// The larger one, NaN where either is NaN: what fluxion::maximum computes.
float larger(float x, float y) { return x > y || x != x ? x : y; }
Packet larger(const Packet& x, const Packet& y) {
#if defined(EIGEN_VECTORIZE_AVX512)  // without the detour of Eigen's masks through vectors
  return _mm512_mask_max_ps(y, _mm512_cmp_ps_mask(y, y, _CMP_EQ_OQ), y, x);
#else
  return packet::pselect(packet::pcmp_eq(y, y), packet::pmax(x, y), y);
#endif
}

/// Eight operations, leaves once.
struct plain_chain {
  static constexpr auto trace(const auto& a, const auto& b, const auto& c) {
    return fx::maximum(fx::abs((a * b + c) * 0.5f - 1.f) * 2.f - 0.25f, 0.f);
  }
  static float element(float a, float b, float c) { return larger(std::fabs((a * b + c) * 0.5f - 1.f) * 2.f - 0.25f, 0.f); }
  static Packet packets(const Packet& a, const Packet& b, const Packet& c) {
    const Packet t = packet::psub(packet::pmul(packet::pmadd(a, b, c), splat(0.5f)), splat(1.f));
    return larger(packet::psub(packet::pmul(packet::pabs(t), splat(2.f)), splat(0.25f)), splat(0.f));
  }
  static void arrays(Row& y, const ConstRow& a, const ConstRow& b, const ConstRow& c) {
    y = (((a * b + c) * 0.5f - 1.f).abs() * 2.f - 0.25f).max(0.f);
  }
};

/// Eight operations, leaves two or three times.
struct reusing_chain {
  static constexpr auto trace(const auto& a, const auto& b, const auto& c) {
    return fx::maximum(((a * b + c) * a - b) * c + a, b) * c;
  }
  static float element(float a, float b, float c) { return larger(((a * b + c) * a - b) * c + a, b) * c; }
  static Packet packets(const Packet& a, const Packet& b, const Packet& c) {
    const Packet t = packet::psub(packet::pmul(packet::pmadd(a, b, c), a), b);
    return packet::pmul(larger(packet::pmadd(t, c, a), b), c);
  }
  static void arrays(Row& y, const ConstRow& a, const ConstRow& b, const ConstRow& c) {
    y = (((a * b + c) * a - b) * c + a).max(b) * c;
  }
};

/// The chain as a traced function.
template <class Chain>
constexpr auto function_of = fx::compile([](auto a, auto b, auto c) { return Chain::trace(a, b, c); });

// ---- Fluxion ----------------------------------------------------------------------------------------------------------

template <class Chain>
void traced(benchmark::State& state) {
  const index_t n = state.range(0);
  const floats a(n, 1), b(n, 2), c(n, 3), y(n, 4);
  const auto va = fx::borrow(a.data, {n}), vb = fx::borrow(b.data, {n}), vc = fx::borrow(c.data, {n});
  auto vy = fx::borrow(y.data, {n});
  measure(state, [&] { function_of<Chain>.into(vy, va, vb, vc); });
}

template <class Chain>
void borrowed(benchmark::State& state) {
  const index_t n = state.range(0);
  const floats a(n, 1), b(n, 2), c(n, 3), y(n, 4);
  const auto va = fx::borrow(a.data, {n}), vb = fx::borrow(b.data, {n}), vc = fx::borrow(c.data, {n});
  auto vy = fx::borrow(y.data, {n});
  measure(state, [&] { vy = Chain::trace(va, vb, vc); });
}

template <class Chain>
void owned(benchmark::State& state) {
  const index_t n = state.range(0);
  const auto fill = [n](std::uint32_t seed) {
    const floats from(n, seed);
    fx::Tensor<float, fx::dims<1>> t = fx::full<float>({n}, 0.f);
    std::copy_n(from.data, n, t.data());
    return t;
  };
  const fx::Tensor<float, fx::dims<1>> a = fill(1), b = fill(2), c = fill(3);
  fx::Tensor<float, fx::dims<1>> y = fill(4);
  measure(state, [&] { y = Chain::trace(a, b, c); });
}

// ---- references -------------------------------------------------------------------------------------------------------

template <class Chain>
void run_by_hand(const float* a, const float* b, const float* c, float* y, index_t n) {
  const auto at = [&](index_t i) { store(y + i, Chain::packets(load(a + i), load(b + i), load(c + i))); };
  for (index_t i = 0; i + lanes <= n; i += lanes) at(i);
  if (n % lanes != 0) at(n - lanes);  // some elements twice
}

template <class Chain>
void by_hand(benchmark::State& state) {
  const index_t n = state.range(0);
  const floats a(n, 1), b(n, 2), c(n, 3), y(n, 4), z(n, 4);
  run_by_hand<Chain>(a.data, b.data, c.data, y.data, n);
  auto vz = fx::borrow(z.data, {n});
  function_of<Chain>.into(vz, fx::borrow(a.data, {n}), fx::borrow(b.data, {n}), fx::borrow(c.data, {n}));
  if (difference(z.data, y.data, n) > 1e-6) state.SkipWithError("results differ");
  measure(state, [&] { run_by_hand<Chain>(a.data, b.data, c.data, y.data, n); });
}

template <class Chain>
void eigen_array(benchmark::State& state) {
  const index_t n = state.range(0);
  const floats fa(n, 1), fb(n, 2), fc(n, 3), fy(n, 4);
  const ConstRow a(fa.data, n), b(fb.data, n), c(fc.data, n);
  Row y(fy.data, n);
  measure(state, [&] { Chain::arrays(y, a, b, c); });
}

// A loop over elements, vectorised by the compiler as at -O3.
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC push_options
#pragma GCC optimize("O3")
#endif
template <class Chain>
void run_plain_loop(const float* __restrict a, const float* __restrict b, const float* __restrict c, float* __restrict y, index_t n) {
  for (index_t i = 0; i < n; ++i) y[i] = Chain::element(a[i], b[i], c[i]);
}
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC pop_options
#endif

template <class Chain>
void plain_loop(benchmark::State& state) {
  const index_t n = state.range(0);
  const floats a(n, 1), b(n, 2), c(n, 3), y(n, 4);
  measure(state, [&] { run_plain_loop<Chain>(a.data, b.data, c.data, y.data, n); });
}

void sizes(benchmark::internal::Benchmark* b) { b->Arg(1000)->Arg(100000)->Arg(10000000); }

BENCHMARK(traced<plain_chain>)->Name("map/chain_of_8/fluxion")->Apply(sizes);
BENCHMARK(borrowed<plain_chain>)->Name("map/chain_of_8/fluxion_borrowed")->Apply(sizes);
BENCHMARK(owned<plain_chain>)->Name("map/chain_of_8/fluxion_expression")->Apply(sizes);
BENCHMARK(by_hand<plain_chain>)->Name("map/chain_of_8/hand")->Apply(sizes);
BENCHMARK(eigen_array<plain_chain>)->Name("map/chain_of_8/eigen")->Apply(sizes);
BENCHMARK(plain_loop<plain_chain>)->Name("map/chain_of_8/plain_loop")->Apply(sizes);

BENCHMARK(traced<reusing_chain>)->Name("map/chain_reusing_leaves/fluxion")->Apply(sizes);
BENCHMARK(borrowed<reusing_chain>)->Name("map/chain_reusing_leaves/fluxion_borrowed")->Apply(sizes);
BENCHMARK(owned<reusing_chain>)->Name("map/chain_reusing_leaves/fluxion_expression")->Apply(sizes);
BENCHMARK(by_hand<reusing_chain>)->Name("map/chain_reusing_leaves/hand")->Apply(sizes);
BENCHMARK(eigen_array<reusing_chain>)->Name("map/chain_reusing_leaves/eigen")->Apply(sizes);
BENCHMARK(plain_loop<reusing_chain>)->Name("map/chain_reusing_leaves/plain_loop")->Apply(sizes);

}  // namespace

BENCHMARK_MAIN();
