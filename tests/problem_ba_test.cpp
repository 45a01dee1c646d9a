// Bundle adjustment: the sparse Jacobian by the traced function, by duals, by differences, and the values that ADBench's implementations agree on.
#include <doctest/doctest.h>

#include "../examples/problems/ba.hpp"
#include "../examples/problems/ba_data.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

namespace ba = problems::ba;

namespace {

double distance(double x, double y) { return std::abs(x - y) / std::max(1.0, std::abs(x) + std::abs(y)); }

/// Cameras and points that differ, every point in front of every camera; one camera is not turned at all.
ba::Problem small_problem(std::size_t observations) {
  std::uint32_t state = 7;
  const auto random = [&] {
    state = state * 1664525u + 1013904223u;
    return static_cast<double>(state >> 8) / 8388608.0 - 1;
  };
  ba::Problem problem;
  for (int i = 0; i < 3; ++i)
    problem.cameras.push_back({0.4 * random(), 0.3 * random(), 0.5 * random(), random(), random(), -6 + random(), 400 + 50 * random(), 5 * random(),
                               5 * random(), 0.1 * random(), 0.02 * random()});
  std::fill_n(problem.cameras[1].begin(), 3, 0.0);
  for (int i = 0; i < 5; ++i) problem.points.push_back({random(), random(), random()});
  for (std::size_t i = 0; i < observations; ++i) {
    problem.weights.push_back(1 + 0.5 * random());
    problem.features.push_back({100 * random(), 100 * random()});
    problem.observations.push_back({static_cast<std::int32_t>(i % 3), static_cast<std::int32_t>(i * 3 % 5)});
  }
  return problem;
}

/// The parameter that a column stands for.
double& parameter(ba::Problem& problem, std::size_t column) {
  if (column < ba::camera_size * problem.cameras.size()) return problem.cameras[column / ba::camera_size][column % ba::camera_size];
  column -= ba::camera_size * problem.cameras.size();
  if (column < ba::point_size * problem.points.size()) return problem.points[column / ba::point_size][column % ba::point_size];
  return problem.weights[column - ba::point_size * problem.points.size()];
}

}  // namespace

TEST_CASE("the sparse Jacobian holds what central differences find, and nothing else is different from zero") {
  ba::Problem problem = small_problem(7);
  ba::SparseMatrix jacobian;
  ba::jacobian(problem, jacobian);
  CHECK(jacobian.begin.size() == problem.residuals() + 1);
  CHECK(jacobian.begin.back() == static_cast<std::int32_t>(jacobian.values.size()));
  std::vector<double> above, below;
  double worst = 0;
  for (std::size_t column = 0; column < problem.parameters(); ++column) {
    double& x = parameter(problem, column);
    const double former = x, h = 1e-5;
    x = former + h;
    ba::residuals(problem, above);
    x = former - h;
    ba::residuals(problem, below);
    x = former;
    for (std::size_t row = 0; row < problem.residuals(); ++row) {
      double value = 0;
      for (auto k = static_cast<std::size_t>(jacobian.begin[row]); k < static_cast<std::size_t>(jacobian.begin[row + 1]); ++k)
        if (jacobian.columns[k] == static_cast<std::int32_t>(column)) value += jacobian.values[k];
      worst = std::max(worst, distance(value, (above[row] - below[row]) / (2 * h)));
    }
  }
  CHECK(worst < 1e-7);
}

TEST_CASE("the traced function and dual numbers give one Jacobian, also in a last tile that is not full") {
  for (const std::size_t observations : {std::size_t{1}, ba::tile, 2 * ba::tile + 3}) {
    const ba::Problem problem = small_problem(observations);
    ba::SparseMatrix traced, by_duals;
    ba::jacobian(problem, traced);
    ba::jacobian_by_duals(problem, by_duals);
    CHECK(traced.begin == by_duals.begin);
    CHECK(traced.columns == by_duals.columns);
    double worst = 0;
    for (std::size_t i = 0; i < traced.values.size(); ++i) worst = std::max(worst, distance(traced.values[i], by_duals.values[i]));
    CHECK(worst < 1e-12);
  }
}

TEST_CASE("residuals and Jacobian of 31,843 observations are those of ADBench") {
  const auto input = problems::data_file("ba_ba1_n49_m7776_p31843.input.json");
  if (!input) {
    MESSAGE("skipped: the data of ADBench is not here; set FLUXION_DATA to the folder that holds ad/");
    return;
  }
  const ba::Problem problem = ba::read_problem(*input);
  const std::size_t n = problem.observations.size();
  std::vector<double> residuals;
  ba::residuals(problem, residuals);
  ba::SparseMatrix jacobian;
  ba::jacobian(problem, jacobian);
  const ba::Expected expected = ba::read_expected(*problems::data_file("ba_ba1_n49_m7776_p31843.objective.json"),
                                                  *problems::data_file("ba_ba1_n49_m7776_p31843.jacobian.json"));
  REQUIRE(expected.residuals.size() == 3);
  CHECK(distance(residuals[0], expected.residuals[0]) < 1e-9);
  CHECK(distance(residuals[2 * n - 1], expected.residuals[1]) < 1e-9);
  CHECK(distance(residuals.back(), expected.residuals[2]) < 1e-9);
  // The first 30 entries of each list, and the last one.
  REQUIRE(expected.values.size() == 31);
  double worst = distance(jacobian.values.back(), expected.values[30]);
  for (std::size_t i = 0; i < 30; ++i) {
    CHECK(jacobian.columns[i] == expected.columns[i]);
    CHECK(jacobian.begin[i] == expected.rows[i]);
    worst = std::max(worst, distance(jacobian.values[i], expected.values[i]));
  }
  CHECK(worst < 1e-9);
  CHECK(jacobian.columns.back() == expected.columns[30]);
  CHECK(jacobian.begin.back() == expected.rows[30]);
}
