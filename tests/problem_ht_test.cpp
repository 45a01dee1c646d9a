// Hand tracking: residuals and the Jacobian by dual numbers against ADBench's values, derivatives by hand and differences.
#include <doctest/doctest.h>

#include "../bench/reference/ht.hpp"
#include "../examples/problems/ht_data.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

namespace ht = problems::ht;

namespace {

double distance(double x, double y) { return std::abs(x - y) / std::max(1.0, std::abs(x) + std::abs(y)); }

double distance(const std::vector<double>& a, const std::vector<double>& b) {
  double worst = a.size() == b.size() ? 0 : 1e300;
  for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) worst = std::max(worst, distance(a[i], b[i]));
  return worst;
}

/// A hand of random bones and a dozen vertices, each moved by one to four bones.
ht::Problem small_problem(bool with_triangles, bool mirrored) {
  std::uint32_t state = 3;
  const auto random = [&] {
    state = state * 1664525u + 1013904223u;
    return static_cast<double>(state >> 8) / 8388608.0 - 1;
  };
  ht::Problem problem;
  problem.model.mirrored = mirrored;
  for (std::size_t b = 0; b < ht::bones; ++b)
    for (std::size_t i = 0; i < 3; ++i)
      for (std::size_t j = 0; j < 4; ++j) {
        problem.model.relative[b][i][j] = (i == j ? 1 : 0) + 0.3 * random();
        problem.model.to_bone[b][i][j] = (i == j ? 1 : 0) + 0.3 * random();
      }
  for (std::size_t v = 0; v < 12; ++v) {
    problem.model.vertices.push_back({random(), random(), random()});
    auto& influences = problem.model.influences.emplace_back();
    for (std::size_t k = 0; k < 1 + v % 4; ++k) influences.push_back({(7 * v + 5 * k) % ht::bones, 0.5 + 0.5 * random()});
  }
  for (std::size_t t = 0; t < 5; ++t) problem.model.triangles.push_back({t, 2 * t + 1, 11 - t});
  for (double& x : problem.theta) x = random();
  for (std::size_t i = 0; i < 10; ++i) {
    problem.correspondences.push_back(with_triangles ? i % 5 : i);
    problem.measured.push_back({random(), random(), random()});
    if (with_triangles) problem.us.push_back({0.5 * random(), 0.5 * random()});
  }
  return problem;
}

/// The parameter of a column, for the residuals of one measured point.
double& parameter(ht::Problem& problem, std::size_t point, std::size_t column) {
  if (!problem.us.empty() && column < 2) return problem.us[point][column];
  return problem.theta[column - (problem.us.empty() ? 0 : 2)];
}

}  // namespace

TEST_CASE("the Jacobian by dual numbers is the one by hand, with triangles and without, mirrored or not") {
  for (int kind = 0; kind < 4; ++kind) {
    const ht::Problem problem = small_problem(kind % 2 == 0, kind / 2 == 0);
    std::vector<double> by_duals, by_hand;
    ht::jacobian(problem, by_duals);
    reference::ht::jacobian(problem, by_hand);
    CHECK(by_duals.size() == 30 * problem.columns());
    CHECK(distance(by_duals, by_hand) < 1e-13);
  }
}

TEST_CASE("the Jacobian is what central differences of the residuals find") {
  for (const bool with_triangles : {false, true}) {
    ht::Problem problem = small_problem(with_triangles, false);
    const std::size_t columns = problem.columns();
    std::vector<double> jacobian, above, below;
    ht::jacobian(problem, jacobian);
    double worst = 0;
    for (std::size_t point = 0; point < 10; ++point)
      for (std::size_t c = 0; c < columns; ++c) {
        double& x = parameter(problem, point, c);
        const double former = x, h = 1e-5;
        x = former + h;
        ht::residuals(problem, above);
        x = former - h;
        ht::residuals(problem, below);
        x = former;
        for (std::size_t r = 3 * point; r < 3 * point + 3; ++r)
          worst = std::max(worst, distance(jacobian[r * columns + c], (above[r] - below[r]) / (2 * h)));
      }
    CHECK(worst < 1e-9);
  }
}

TEST_CASE("a hand that is not turned has the residuals of the identity") {
  ht::Problem problem = small_problem(false, false);
  std::fill_n(problem.theta.begin(), 3, 0.0);
  std::vector<double> still, turned_little;
  ht::residuals(problem, still);
  problem.theta[0] = 9e-5;
  ht::residuals(problem, turned_little);
  CHECK(still == turned_little);
}

TEST_CASE("residuals and Jacobian of 100 points are those of ADBench") {
  const auto input = problems::data_file("ht_hand1_t26_c100.input.json");
  if (!input) {
    MESSAGE("skipped: the data of ADBench is not here; set FLUXION_DATA to the folder that holds ad/");
    return;
  }
  const ht::Problem problem = ht::read_problem(*input);
  std::vector<double> residuals, jacobian;
  ht::residuals(problem, residuals);
  ht::jacobian(problem, jacobian);
  CHECK(distance(residuals, problems::read_numbers(*problems::data_file("ht_hand1_t26_c100.objective.json"), 1)) < 1e-9);
  CHECK(distance(jacobian, problems::read_numbers(*problems::data_file("ht_hand1_t26_c100.jacobian.json"), 2)) < 1e-9);
}
