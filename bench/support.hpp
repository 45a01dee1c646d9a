/// What the benchmarks share: calling a recorded program with pointers, SIMD packets for references written by hand, data.
#pragma once
#include <fluxion/tensor/evaluate.hpp>

#include <fluxion/graph/function/composition.hpp>
#include <fluxion/graph/pass/differentiate.hpp>

#include <Eigen/Core>
#include <benchmark/benchmark.h>

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <vector>

namespace bench {

namespace fx = fluxion;
using fx::index_t;
using fx::Symbol;

// ---- programs ---------------------------------------------------------------------------------------------------------

constexpr fx::graph::shape shape_of(std::initializer_list<index_t> extents) {
  fx::graph::shape s;
  for (const index_t e : extents) s.extent[s.rank++] = static_cast<fx::graph::extent_t>(e);
  return s;
}
/// An extent that is known at run time.
inline constexpr index_t any = -1;

/// Records arguments in order; what is returned becomes the outputs.
struct recorder {
  fx::graph::program& program;
  int arguments = 0;
  int scalars = 0;
  constexpr Symbol floats(std::initializer_list<index_t> extents) {
    return {program, program.argument(arguments++, fx::element_type::float32, shape_of(extents))};
  }
  constexpr Symbol labels(std::initializer_list<index_t> extents) {
    return {program, program.argument(arguments++, fx::element_type::int64, shape_of(extents))};
  }
  constexpr Symbol number() { return {program, program.scalar(scalars++, fx::element_type::float64, true)}; }
  constexpr void output(const Symbol& x) { program.outputs.push_back(static_cast<std::int16_t>(x.index())); }
  /// The adjoints of `y` for a seed, as outputs.
  constexpr void gradients(const Symbol& y, int seed, std::initializer_list<Symbol> wrt) {
    fx::list<int> outputs, seeds, of;
    outputs.push_back(y.index());
    seeds.push_back(seed);
    for (const Symbol& w : wrt) of.push_back(w.index());
    for (const int g : fx::graph::append_adjoints(program, outputs, seeds, of)) program.outputs.push_back(static_cast<std::int16_t>(g));
  }
};

/// The program that F::record writes, for fluxion's constant plans.
template <class F>
struct recorded {
  static constexpr fx::graph::program make() {
    fx::graph::program p;
    recorder r{p};
    F::record(r);
    return p;
  }
};

/// Contiguous memory with its extents.
struct array {
  fx::graph::descriptor value;
  template <class T>
  array(T* data, std::initializer_list<index_t> extents) {
    value.data = reinterpret_cast<std::byte*>(data);
    int rank = 0;
    for (const index_t e : extents) value.extent[rank++] = e;
    fx::graph::detail::contiguous_strides(value, rank);
  }
};

/// Calls the program of F: what a traced function does for each call.
template <class F, std::size_t Inputs, std::size_t Outputs>
void call(const array (&inputs)[Inputs], const array (&outputs)[Outputs], double scalar = 0) {
  fx::detail::plan_call<recorded<F>> c;
  static_assert(Inputs == static_cast<std::size_t>(c.argument_count) && Outputs == static_cast<std::size_t>(c.output_count));
  for (std::size_t i = 0; i < Inputs; ++i) c.arguments[i] = inputs[i].value;
  if constexpr (c.scalar_count > 0) c.scalars[0] = fx::graph::scalar_value(scalar);
  c.check();
  fx::graph::descriptor o[Outputs];
  for (std::size_t i = 0; i < Outputs; ++i) o[i] = outputs[i].value;
  c.run(o);
}

// ---- references -------------------------------------------------------------------------------------------------------

namespace packet = Eigen::internal;
using Packet = packet::packet_traits<float>::type;
inline constexpr index_t lanes = packet::packet_traits<float>::size;

inline Packet load(const float* p) { return packet::ploadu<Packet>(p); }
inline void store(float* p, const Packet& x) { packet::pstoreu(p, x); }
inline Packet splat(float x) { return packet::pset1<Packet>(x); }

/// Row-major matrices of Eigen over memory.
using Matrix = Eigen::Map<Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>>;
using ConstMatrix = Eigen::Map<const Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>>;
using Row = Eigen::Map<Eigen::Array<float, 1, Eigen::Dynamic>>;
using ConstRow = Eigen::Map<const Eigen::Array<float, 1, Eigen::Dynamic>>;

// ---- data -------------------------------------------------------------------------------------------------------------

/// Floats spread over [-scale, scale] without a pattern. Arrays of different numbers begin a quarter of a page apart: else a
/// processor may take a load for one of a store to the same offset of another page, and times depend on the allocator.
struct floats {
  explicit floats(index_t n, std::uint32_t number, float scale = 1) : size(n), memory(static_cast<std::size_t>(n) + 2048) {
    data = memory.data();
    while (reinterpret_cast<std::uintptr_t>(data) % 4096 != number % 4 * 1024) ++data;
    std::uint32_t random = number;
    for (index_t i = 0; i < n; ++i) {
      random = random * 1664525u + 1013904223u;
      data[i] = scale * (static_cast<float>(random >> 8) / 8388608.f - 1.f);
    }
  }
  floats(const floats&) = delete;
  index_t size;
  std::vector<float> memory;
  float* data;
};

inline std::vector<std::int64_t> labels(index_t n, index_t classes) {
  std::vector<std::int64_t> y(static_cast<std::size_t>(n));
  for (index_t i = 0; i < n; ++i) y[static_cast<std::size_t>(i)] = i * 7 % classes;
  return y;
}

/// Times f() and stops the compiler from keeping results of earlier calls.
template <class F>
void measure(benchmark::State& state, const F& f) {
  for (auto _ : state) {
    f();
    benchmark::ClobberMemory();
  }
}

/// Largest difference relative to the largest value: references and Fluxion must compute the same.
inline double difference(const float* a, const float* b, index_t n) {
  double largest = 1e-30, apart = 0;
  for (index_t i = 0; i < n; ++i) {
    const double d = std::abs(static_cast<double>(a[i]) - static_cast<double>(b[i])), v = std::abs(static_cast<double>(b[i]));
    apart = d > apart || d != d ? d : apart;
    largest = v > largest ? v : largest;
  }
  return apart / largest;
}

}  // namespace bench
