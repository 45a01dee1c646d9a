// Hand tracking: the Jacobian of 300 residuals by 28 columns by dual numbers, written by hand, and by differences.
// All of them look only at the vertices that residuals mention; ADBench's own programs move all 10,000.
#include "../examples/problems/ht_data.hpp"
#include "reference/ht.hpp"

#include <benchmark/benchmark.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

namespace {

using namespace problems::ht;

/// ADBench's hand where its file is there, else one of the same size.
const Problem& problem() {
  static const Problem p = [] {
    if (const auto file = problems::data_file("ht_hand1_t26_c100.input.json")) return read_problem(*file);
    std::uint32_t state = 3;
    const auto random = [&] {
      state = state * 1664525u + 1013904223u;
      return static_cast<double>(state >> 8) / 8388608.0 - 1;
    };
    Problem made;
    for (std::size_t b = 0; b < bones; ++b)
      for (std::size_t i = 0; i < 3; ++i)
        for (std::size_t j = 0; j < 4; ++j) made.model.relative[b][i][j] = made.model.to_bone[b][i][j] = (i == j ? 1 : 0) + 0.3 * random();
    for (std::size_t v = 0; v < 300; ++v) {
      made.model.vertices.push_back({random(), random(), random()});
      auto& influences = made.model.influences.emplace_back();
      for (std::size_t k = 0; k < 1 + v % 3; ++k) influences.push_back({(7 * v + 5 * k) % bones, 0.5 + 0.5 * random()});
    }
    for (std::size_t i = 0; i < 100; ++i) {
      made.model.triangles.push_back({3 * i, 3 * i + 1, 3 * i + 2});
      made.correspondences.push_back(i);
      made.measured.push_back({random(), random(), random()});
      made.us.push_back({0.3, 0.4});
    }
    for (double& x : made.theta) x = random();
    return made;
  }();
  return p;
}

/// The same hand with each measured point beside a vertex, so that only theta is wanted.
const Problem& without_triangles() {
  static const Problem p = [] {
    Problem made = problem();
    made.us.clear();
    return made;
  }();
  return p;
}

void jacobian_by_differences(const Problem& given, std::vector<double>& result) {
  Problem p = given;
  const std::size_t columns = p.columns();
  std::vector<double> above, below;
  result.resize(3 * p.measured.size() * columns);
  const auto put = [&](std::size_t column, double h) {
    for (std::size_t r = 0; r < above.size(); ++r) result[r * columns + column] = (above[r] - below[r]) / (2 * h);
  };
  const double h = 1e-6;
  for (std::size_t u = 0; u < columns - parameters; ++u) {
    for (auto& x : p.us) x[u] += h;
    residuals(p, above);
    for (auto& x : p.us) x[u] -= 2 * h;
    residuals(p, below);
    p.us = given.us;
    put(u, h);
  }
  for (std::size_t t = 0; t < parameters; ++t) {
    p.theta[t] = given.theta[t] + h;
    residuals(p, above);
    p.theta[t] = given.theta[t] - h;
    residuals(p, below);
    p.theta[t] = given.theta[t];
    put(columns - parameters + t, h);
  }
}

using Method = void (*)(const Problem&, std::vector<double>&);

void measure(benchmark::State& state, const Problem& given, Method method, double tolerance) {
  std::vector<double> expected, result;
  reference::ht::jacobian(given, expected);
  method(given, result);
  bool good = expected.size() == result.size();
  for (std::size_t i = 0; good && i < result.size(); ++i)
    good = std::abs(result[i] - expected[i]) <= tolerance * std::max(1.0, std::abs(result[i]) + std::abs(expected[i]));
  if (!good) return state.SkipWithError("the Jacobian is wrong");
  for (auto _ : state) {
    method(given, result);
    benchmark::DoNotOptimize(result.data());
    benchmark::ClobberMemory();
  }
}

void objective(benchmark::State& state, const Problem& given) {
  std::vector<double> r;
  for (auto _ : state) {
    residuals(given, r);
    benchmark::DoNotOptimize(r.data());
    benchmark::ClobberMemory();
  }
}

void add(const std::string& name, const Problem& given) {
  const auto add_method = [&](const char* implementation, Method method, double tolerance) {
    benchmark::RegisterBenchmark((name + "/" + implementation + "/100").c_str(), [&given, method, tolerance](benchmark::State& state) { measure(state, given, method, tolerance); });
  };
  add_method("fluxion", &problems::ht::jacobian, 1e-12);
  add_method("hand", &reference::ht::jacobian, 1e-12);
  add_method("differences", &jacobian_by_differences, 1e-6);
  benchmark::RegisterBenchmark((name + "/objective/100").c_str(), [&given](benchmark::State& state) { objective(state, given); });
}

}  // namespace

int main(int count, char** arguments) {
  add("ht/jacobian", problem());
  add("ht/jacobian_theta", without_triangles());
  benchmark::Initialize(&count, arguments);
  benchmark::RunSpecifiedBenchmarks();
}
