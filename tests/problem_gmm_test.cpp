// A mixture of Gaussians: the gradient of its log posterior against the values that GradBench agrees on, a gradient written by hand, and differences.
#include <doctest/doctest.h>

#include "../bench/reference/gmm.hpp"
#include "../examples/problems/gmm_data.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

namespace gmm = problems::gmm;

namespace {

constexpr std::size_t K = 25, D = 10;
using Parameters = gmm::Parameters<K, D>;

namespace fx = fluxion;

double distance(double x, double y) { return std::abs(x - y) / std::max(1.0, std::abs(x) + std::abs(y)); }

double distance(const double* x, const double* y, std::size_t n) {
  double worst = 0;
  for (std::size_t i = 0; i < n; ++i) worst = std::max(worst, distance(x[i], y[i]));
  return worst;
}

double distance(const Parameters& a, const Parameters& b) {
  return std::max({distance(a.alpha.data(), b.alpha.data(), K), distance(a.means.data(), b.means.data(), K * D),
                   distance(a.log_diagonal.data(), b.log_diagonal.data(), K * D), distance(a.lower.data(), b.lower.data(), K * Parameters::triangle)});
}

}  // namespace

TEST_CASE("value and gradient are those of plain loops, whether or not the points fill their blocks") {
  for (const fx::index_t n : {fx::index_t{1}, gmm::Posterior<K, D>::block, 3 * gmm::Posterior<K, D>::block + 5}) {
    const auto problem = gmm::made_up_problem<K, D>(n);
    gmm::Posterior<K, D> posterior(problem.points, problem.prior);
    Parameters gradient, expected;
    reference::gmm::Workspace<double> workspace;
    const double value = posterior.value_and_gradient(problem.at, gradient);
    const double expected_value =
        reference::gmm::value_and_gradient(problem.at, problem.points.data(), static_cast<std::size_t>(n), problem.prior, workspace, expected);
    CHECK(distance(value, expected_value) < 1e-12);
    CHECK(distance(posterior.value(problem.at), expected_value) < 1e-12);
    CHECK(distance(gradient, expected) < 1e-11);
  }
}

TEST_CASE("the gradient is what central differences of plain loops find") {
  auto problem = gmm::made_up_problem<K, D>(40);
  gmm::Posterior<K, D> posterior(problem.points, problem.prior);
  Parameters gradient;
  posterior.value_and_gradient(problem.at, gradient);
  reference::gmm::Workspace<double> workspace;
  const auto slope = [&](double& x) {
    const auto value = [&] {
      return reference::gmm::objective(K, D, 40, reference::gmm::arrays_of(problem.at), problem.points.data(), problem.prior, workspace);
    };
    // Of fourth order: exact enough to compare ten digits.
    const double former = x, h = 2e-3;
    double values[4];
    const double steps[] = {-2, -1, 1, 2};
    for (int i = 0; i < 4; ++i) {
      x = former + steps[i] * h;
      values[i] = value();
    }
    x = former;
    return (values[0] - 8 * values[1] + 8 * values[2] - values[3]) / (12 * h);
  };
  double worst = 0;
  for (std::size_t i = 0; i < K; ++i) worst = std::max(worst, distance(gradient.alpha.data()[i], slope(problem.at.alpha.data()[i])));
  for (std::size_t i = 0; i < K * D; i += 3) {
    worst = std::max(worst, distance(gradient.means.data()[i], slope(problem.at.means.data()[i])));
    worst = std::max(worst, distance(gradient.log_diagonal.data()[i], slope(problem.at.log_diagonal.data()[i])));
  }
  for (std::size_t i = 0; i < K * Parameters::triangle; i += 13) worst = std::max(worst, distance(gradient.lower[i], slope(problem.at.lower[i])));
  CHECK(worst < 1e-9);
}

TEST_CASE("value and gradient for d = 10, k = 25, n = 1000 are those of GradBench") {
  const auto input = problems::data_file("gmm_d10_k25_n1000.input.json");
  if (!input) {
    MESSAGE("skipped: the data of GradBench is not here; set FLUXION_DATA to the folder that holds ad/");
    return;
  }
  const auto problem = gmm::read_problem<K, D>(*input);
  gmm::Posterior<K, D> posterior(problem.points, problem.prior);
  Parameters gradient;
  const double value = posterior.value_and_gradient(problem.at, gradient);
  const Parameters expected = gmm::read_gradient<K, D>(*problems::data_file("gmm_d10_k25_n1000.jacobian.json"));
  CHECK(distance(value, problems::read_numbers(*problems::data_file("gmm_d10_k25_n1000.objective.json"), 0)[0]) < 1e-9);
  CHECK(distance(gradient, expected) < 1e-9);
}
