// Scalar code by the tape: recording and sweeping, beside CoDiPack, Adept, CppAD and Enzyme where they are found, derivatives by hand and the value alone.
// A determinant by cofactors is branchy, recursive and larger than the caches; statements fit into them; the valley is a small function of which
// many gradients are taken; the Jacobian has more rows than one sweep carries.
// wants: adept codipack cppad enzyme
#include "reference/scalar.hpp"

#include <fluxion/autodiff/reverse.hpp>

#include <benchmark/benchmark.h>

#if FLUXION_WITH_ADEPT
#include <adept_source.h>
#endif
#if FLUXION_WITH_CODIPACK
#include <codi.hpp>
#endif
#if FLUXION_WITH_CPPAD
#include <cppad/cppad.hpp>
#endif
#if FLUXION_WITH_ENZYME
#include "reference/enzyme.hpp"
#endif

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <span>
#include <string>
#include <vector>

namespace {

using namespace reference::scalar;

// ---- the functions ------------------------------------------------------------------------------------------------------

/// A determinant is linear in each row: one recursion carries the seed down and the minors up.
double determinant_by_hand(const double* m, double* g, int rows, unsigned columns, double seed) {
  const double* const row = m + (order - rows) * order;
  double* const slope = g + (order - rows) * order;
  if (rows == 1)
    for (int j = 0; j < order; ++j)
      if (columns >> j & 1) {
        slope[j] += seed;
        return row[j];
      }
  double sum = 0, sign = 1;
  for (int j = 0; j < order; ++j)
    if (columns >> j & 1) {
      const double minor = sign * determinant_by_hand(m, g, rows - 1, columns & ~(1u << j), seed * sign * row[j]);
      slope[j] += seed * minor;
      sum += row[j] * minor;
      sign = -sign;
    }
  return sum;
}

constexpr std::size_t statement_count = 10'000;

/// Statements of three operands in sixteen independent chains.
template <class T>
T statements(const T* x) {
  std::array<T, 16> s;
  for (std::size_t i = 0; i < s.size(); ++i) s[i] = 0.1;
  for (std::size_t i = 0; i < statement_count; ++i) s[i % 16] = s[i % 16] * 0.5 + x[i % 8] * x[i % 7];
  T sum = 0.0;
  for (std::size_t i = 0; i < s.size(); ++i) sum = sum + s[i];
  return sum;
}

constexpr std::size_t rows = 16, columns = 40;

/// A recurrence whose every eighth state is a result.
template <class T>
std::array<T, rows> states(const T* x) {
  std::array<T, rows> y;
  T state = x[0];
  for (std::size_t i = 1; i < 8 * rows; ++i) {
    state = state * 0.9 + x[i % columns] * x[(i + 3) % columns] - state * state * x[(i * i) % columns] * 0.01;
    if (i % 8 == 7) y[i / 8] = state;
  }
  return y;
}

std::vector<double> inputs(std::size_t n) {
  std::vector<double> x(n);
  for (std::size_t i = 0; i < n; ++i) x[i] = 0.7 + 0.4 * std::sin(1.7 * static_cast<double>(i));
  return x;
}

// ---- the tools ----------------------------------------------------------------------------------------------------------

struct Fluxion {
  template <class F>
  static void gradient(const F& f, std::span<const double> x, std::span<double> g) {
    fluxion::reverse::gradient<double>([&](auto v) { return f(v.data()); }, x, g);
  }
  template <class F>
  static void record(const F& f, std::span<const double> x, std::span<double> g) {
    using number = fluxion::Var<double>;
    fluxion::ScalarTape<double>::Scope scope;
    static std::vector<number> v;
    v.resize(x.size());
    for (std::size_t i = 0; i < x.size(); ++i) v[i] = fluxion::variable(x[i]);
    g[0] = f(v.data()).value();
  }
  static void jacobian(std::span<const double> x, double* j) {
    std::array<double, columns> point;
    for (std::size_t i = 0; i < columns; ++i) point[i] = x[i];
    const auto result = fluxion::reverse::jacobian([](const auto& v) { return states(v.data()); }, point);
    for (std::size_t i = 0; i < rows; ++i)
      for (std::size_t k = 0; k < columns; ++k) j[i * columns + k] = result.jacobian[i][k];
  }
};

#if FLUXION_WITH_CODIPACK
struct Codipack {
  using number = codi::RealReverse;
  template <class F>
  static number record(const F& f, std::vector<number>& v, std::span<const double> x) {
    auto& tape = number::getTape();
    tape.reset();
    tape.setActive();
    v.resize(x.size());
    for (std::size_t i = 0; i < x.size(); ++i) {
      v[i] = x[i];
      tape.registerInput(v[i]);
    }
    number y = f(v.data());
    tape.registerOutput(y);
    tape.setPassive();
    return y;
  }
  template <class F>
  static void record(const F& f, std::span<const double> x, std::span<double> g) {
    static std::vector<number> v;
    g[0] = record(f, v, x).getValue();
  }
  template <class F>
  static void gradient(const F& f, std::span<const double> x, std::span<double> g) {
    static std::vector<number> v;
    number y = record(f, v, x);
    y.setGradient(1.0);
    number::getTape().evaluate();
    for (std::size_t i = 0; i < x.size(); ++i) g[i] = v[i].getGradient();
  }
  static void jacobian(std::span<const double> x, double* j) {
    using wide = codi::RealReverseVec<8>;
    auto& tape = wide::getTape();
    static std::vector<wide> v(columns);
    tape.reset();
    tape.setActive();
    for (std::size_t i = 0; i < columns; ++i) {
      v[i] = x[i];
      tape.registerInput(v[i]);
    }
    auto y = states(v.data());
    for (auto& result : y) tape.registerOutput(result);
    tape.setPassive();
    for (std::size_t first = 0; first < rows; first += 8) {
      tape.clearAdjoints();
      for (std::size_t k = 0; k < 8; ++k) y[first + k].gradient()[k] = 1.0;
      tape.evaluate();
      for (std::size_t k = 0; k < 8; ++k)
        for (std::size_t i = 0; i < columns; ++i) j[(first + k) * columns + i] = v[i].getGradient()[k];
    }
  }
};
#endif

#if FLUXION_WITH_ADEPT
struct Adept {
  using number = adept::adouble;
  static adept::Stack& stack() {
    static adept::Stack stack;
    return stack;
  }
  template <class F>
  static void record(const F& f, std::span<const double> x, std::span<double> g) {
    adept::Stack& tape = stack();
    static std::vector<number> v;
    v.resize(x.size());
    for (std::size_t i = 0; i < x.size(); ++i) v[i].set_value(x[i]);
    tape.new_recording();
    g[0] = number(f(v.data())).value();
  }
  template <class F>
  static void gradient(const F& f, std::span<const double> x, std::span<double> g) {
    adept::Stack& tape = stack();
    static std::vector<number> v;
    v.resize(x.size());
    for (std::size_t i = 0; i < x.size(); ++i) v[i].set_value(x[i]);
    tape.new_recording();
    number y = f(v.data());
    y.set_gradient(1.0);
    tape.compute_adjoint();
    for (std::size_t i = 0; i < x.size(); ++i) g[i] = v[i].get_gradient();
  }
};
#endif

#if FLUXION_WITH_CPPAD
/// The function is recorded each time, as the course of a branchy one depends on its arguments.
struct Cppad {
  using number = CppAD::AD<double>;
  template <class F>
  static void record(const F& f, std::span<const double> x, std::span<double> g) {
    static std::vector<number> v;
    v.assign(x.begin(), x.end());
    CppAD::Independent(v);
    g[0] = CppAD::Value(CppAD::Var2Par(number(f(v.data()))));
    number::abort_recording();
  }
  template <class F>
  static void gradient(const F& f, std::span<const double> x, std::span<double> g) {
    static std::vector<number> v, y(1);
    static const std::vector<double> seed{1};
    v.assign(x.begin(), x.end());
    CppAD::Independent(v);
    y[0] = f(v.data());
    CppAD::ADFun<double> function(v, y);
    const std::vector<double> slope = function.Reverse(1, seed);
    std::copy(slope.begin(), slope.end(), g.begin());
  }
};
#endif

#if FLUXION_WITH_ENZYME
struct Enzyme {
  template <class F>
  static void gradient(const F&, std::span<const double> x, std::span<double> g) {
    if (x.size() == order * order) reference::enzyme::determinant(x.data(), g.data());
    else reference::enzyme::valley(x.data(), g.data());
  }
};
#endif

// ---- measurements -------------------------------------------------------------------------------------------------------

bool agree(std::span<const double> a, std::span<const double> b) {
  for (std::size_t i = 0; i < a.size(); ++i)
    if (!(std::abs(a[i] - b[i]) <= 1e-6 * (1 + std::abs(b[i])))) return false;
  return true;
}

template <class F>
std::vector<double> differences(const F& f, std::vector<double> x) {
  std::vector<double> g(x.size());
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double former = x[i], h = 1e-5;
    x[i] = former + h;
    const double above = f(x.data());
    x[i] = former - h;
    g[i] = (above - f(x.data())) / (2 * h);
    x[i] = former;
  }
  return g;
}

template <class Run>
void repeat(benchmark::State& state, std::span<const double> x, const Run& run) {
  for (auto _ : state) {
    benchmark::DoNotOptimize(x.data());
    benchmark::ClobberMemory();
    run();
    benchmark::ClobberMemory();
  }
}

constexpr auto determinant_of = [](const auto* x) { return determinant(x, order, all_columns); };
constexpr auto statements_of = [](const auto* x) { return statements(x); };
constexpr auto valley_of = [](const auto* x) { return valley(x); };

template <class Tool, class F>
void gradient(benchmark::State& state, const F& f, std::size_t n) {
  const std::vector<double> x = inputs(n);
  std::vector<double> g(n);
  Tool::gradient(f, x, g);
  std::vector<double> expected = n == order * order ? std::vector<double>(n) : differences(f, x);
  if (n == order * order) determinant_by_hand(x.data(), expected.data(), order, all_columns, 1);
  if (!agree(g, expected)) return state.SkipWithError("the gradient is wrong");
  repeat(state, x, [&] { Tool::gradient(f, x, g); });
}
template <class Tool, class F>
void record(benchmark::State& state, const F& f, std::size_t n) {
  const std::vector<double> x = inputs(n);
  std::vector<double> y(1);
  repeat(state, x, [&] { Tool::record(f, x, y); });
}
template <class F>
void value(benchmark::State& state, const F& f, std::size_t n) {
  const std::vector<double> x = inputs(n);
  repeat(state, x, [&] { benchmark::DoNotOptimize(f(x.data())); });
}
template <class Tool>
void jacobian(benchmark::State& state) {
  const std::vector<double> x = inputs(columns);
  std::vector<double> j(rows * columns);
  Tool::jacobian(x, j.data());
  for (std::size_t i = 0; i < rows; ++i) {
    const auto expected = differences([&](const double* v) { return states(v)[i]; }, x);
    if (!agree(std::span(j).subspan(i * columns, columns), expected)) return state.SkipWithError("the Jacobian is wrong");
  }
  repeat(state, x, [&] { Tool::jacobian(x, j.data()); });
}

void determinant_hand(benchmark::State& state) {
  const std::vector<double> x = inputs(order * order);
  std::vector<double> g(order * order);
  repeat(state, x, [&] {
    g.assign(g.size(), 0);
    benchmark::DoNotOptimize(determinant_by_hand(x.data(), g.data(), order, all_columns, 1));
  });
}

template <class Tool>
void add(const std::string& tool) {
  using benchmark::RegisterBenchmark;
  RegisterBenchmark(("tape/determinant/" + tool + "/9").c_str(), [](auto& s) { gradient<Tool>(s, determinant_of, order * order); })
      ->Unit(benchmark::kMillisecond);
  RegisterBenchmark(("tape/valley/" + tool + "/12").c_str(), [](auto& s) { gradient<Tool>(s, valley_of, variables); });
  if constexpr (requires(std::span<double> y) { Tool::record(statements_of, {}, y); }) {
    RegisterBenchmark(("tape/statements/" + tool + "/10000").c_str(), [](auto& s) { gradient<Tool>(s, statements_of, 8); });
    RegisterBenchmark(("tape/record/" + tool + "/10000").c_str(), [](auto& s) { record<Tool>(s, statements_of, 8); });
  }
  if constexpr (requires(double* j) { Tool::jacobian({}, j); })
    RegisterBenchmark(("tape/jacobian/" + tool + "/16x40").c_str(), [](auto& s) { jacobian<Tool>(s); });
}

}  // namespace

int main(int argc, char** argv) {
  using benchmark::RegisterBenchmark;
  add<Fluxion>("fluxion");
#if FLUXION_WITH_CODIPACK
  add<Codipack>("codipack");
#endif
#if FLUXION_WITH_ADEPT
  add<Adept>("adept");
#endif
#if FLUXION_WITH_CPPAD
  CppAD::thread_alloc::hold_memory(true);
  add<Cppad>("cppad");
#endif
#if FLUXION_WITH_ENZYME
  add<Enzyme>("enzyme");
#endif
  RegisterBenchmark("tape/determinant/hand/9", determinant_hand)->Unit(benchmark::kMillisecond);
  RegisterBenchmark("tape/determinant/value/9", [](auto& s) { value(s, determinant_of, order * order); })->Unit(benchmark::kMillisecond);
  RegisterBenchmark("tape/statements/value/10000", [](auto& s) { value(s, statements_of, 8); });
  RegisterBenchmark("tape/valley/value/12", [](auto& s) { value(s, valley_of, variables); });
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
}
