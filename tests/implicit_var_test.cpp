// Reverse mode through equations: what is recorded, and that its derivatives are those of differences, closed forms and recorded iterations.
#include <doctest/doctest.h>

#include <fluxion/autodiff/implicit_var.hpp>

#include <array>
#include <cmath>
#include <cstddef>

namespace fx = fluxion;

namespace {

using V = fx::Var<double>;

constexpr auto kepler = [](const auto& e, const auto& p) {
  using std::sin;
  std::remove_cvref_t<decltype(e)> next;
  next[0] = p[1] + p[0] * sin(e[0]);
  return next;
};

std::size_t statements() { return fx::ScalarTape<double>::of_this_thread().size(); }

}  // namespace

TEST_CASE("solve: 3 unknowns are 6 statements, and the derivatives are those of the inverse") {
  const Eigen::Matrix3d numbers = (Eigen::Matrix3d() << 2, -1, 0.5, 1, 3, -0.7, 0.2, 0.4, 1.5).finished();
  Eigen::Matrix<V, 3, 3> a;
  Eigen::Matrix<V, 3, 1> b;
  for (int i = 0; i < 9; ++i) a(i / 3, i % 3) = fx::variable(numbers(i / 3, i % 3));
  for (int i = 0; i < 3; ++i) b(i) = fx::variable(i - 1.5);
  std::size_t before = statements();
  const Eigen::Matrix<V, 3, 1> x = fx::solve(a, b);
  CHECK(statements() - before == 6);
  const Eigen::Vector3d solution = x.unaryExpr([](const V& v) { return v.value(); });
  CHECK((numbers * solution - Eigen::Vector3d(-1.5, -0.5, 0.5)).norm() < 1e-14);
  V loss = x(0) * 3.0 + x(1) * x(2);
  loss.backward();
  const Eigen::Vector3d adjoint = numbers.inverse().transpose() * Eigen::Vector3d(3, solution(2), solution(1));
  for (int i = 0; i < 3; ++i) {
    CHECK(b(i).grad() == doctest::Approx(adjoint(i)).epsilon(1e-13));
    for (int j = 0; j < 3; ++j) CHECK(a(i, j).grad() == doctest::Approx(-adjoint(i) * solution(j)).epsilon(1e-13));
  }
  for (int i = 0; i < 9; ++i) a(i / 3, i % 3) = numbers(i / 3, i % 3);
  for (int i = 0; i < 3; ++i) b(i) = fx::variable(1.0);
  before = statements();
  const Eigen::Matrix<V, 3, 1> again = fx::solve(a, b);
  CHECK(statements() - before == 3);  // of a constant matrix there is nothing to record
  again(0).backward();
  CHECK(b(2).grad() == doctest::Approx(numbers.inverse()(0, 2)).epsilon(1e-13));
}

TEST_CASE("solve: a system of 300 unknowns, more than a statement has operands, keeps its derivatives") {
  constexpr int n = 300;
  using Matrix = Eigen::Matrix<V, Eigen::Dynamic, Eigen::Dynamic>;
  using Vector = Eigen::Matrix<V, Eigen::Dynamic, 1>;
  Matrix a(n, n);
  Vector b(n);
  for (int i = 0; i < n; ++i) {
    for (int j = 0; j < n; ++j) a(i, j) = (i == j ? 4.0 : 0.0) + std::sin(i * n + j) / n;
    b(i) = fx::variable(std::cos(i));
  }
  a(7, 280) = fx::variable(a(7, 280).value());
  a(7, 3) = fx::variable(a(7, 3).value());
  const std::size_t before = statements();
  const Vector x = fx::solve(a, b);
  CHECK(statements() - before == 2 + 2 * n);  // the one residual, then every solution, in two parts; the other residuals are b itself
  const Eigen::MatrixXd numbers = a.unaryExpr([](const V& v) { return v.value(); });
  const Eigen::VectorXd adjoint = numbers.transpose().partialPivLu().solve(Eigen::VectorXd::Ones(n));
  V loss = x.sum();
  loss.backward();
  CHECK(a(7, 280).grad() == doctest::Approx(-adjoint(7) * x(280).value()).epsilon(1e-12));
  CHECK(a(7, 3).grad() == doctest::Approx(-adjoint(7) * x(3).value()).epsilon(1e-12));
  CHECK(b(299).grad() == doctest::Approx(adjoint(299)).epsilon(1e-12));
}

TEST_CASE("root and fixed_point: one statement for each unknown, however many iterations, and the derivatives of the closed form") {
  V eccentricity = fx::variable(0.2), anomaly = fx::variable(1.0);
  const std::size_t before = statements();
  const auto e = fx::fixed_point(kepler, std::array{1.0}, std::array{eccentricity, anomaly});
  CHECK(statements() - before == 1);
  const double angle = e[0].value();
  CHECK(angle - 0.2 * std::sin(angle) == doctest::Approx(1).epsilon(1e-12));
  e[0].backward();
  CHECK(eccentricity.grad() == doctest::Approx(std::sin(angle) / (1 - 0.2 * std::cos(angle))).epsilon(1e-12));
  CHECK(anomaly.grad() == doctest::Approx(1 / (1 - 0.2 * std::cos(angle))).epsilon(1e-12));
  const double by_equation = eccentricity.grad();
  eccentricity = fx::variable(0.2);
  const std::size_t from = statements();
  V iterated = 1.0;
  for (int t = 0; t < 60; ++t) iterated = 1.0 + eccentricity * sin(iterated);
  CHECK(statements() - from == 60);
  iterated.backward();
  CHECK(eccentricity.grad() == doctest::Approx(by_equation).epsilon(1e-12));
  V a = fx::variable(7.0);
  const auto r = fx::root([](const auto& x, const auto& p) { return std::array{x[0] * x[0] - p[0]}; }, std::array{1.0}, std::array{a});
  CHECK(statements() == 1);
  r[0].backward();
  CHECK(a.grad() == doctest::Approx(0.5 / std::sqrt(7.0)).epsilon(1e-14));
}

TEST_CASE("root: with 300 parameters the residual is recorded on its own, and the solution is two statements") {
  const auto equation = [](const auto& x, const auto& p) {
    std::remove_cvref_t<decltype(x)> y;
    y[0] = x[0] * x[0] * x[0];
    for (const auto& q : p) y[0] -= q * q / 300.0;
    return y;
  };
  std::array<V, 300> p;
  for (std::size_t i = 0; i < 300; ++i) p[i] = fx::variable(1 + 0.001 * static_cast<double>(i));
  const std::size_t before = statements();
  const auto x = fx::root(equation, std::array{1.0}, p);
  CHECK(statements() - before == 2);
  const double value = x[0].value();
  x[0].backward();
  double worst = 0;
  for (const V& q : p) worst = std::fmax(worst, std::abs(q.grad() - 2 * q.value() / 300 / (3 * value * value)));
  CHECK(worst < 1e-15);
}

TEST_CASE("fixed_point of variables: what does not converge says so, and of constants nothing is recorded") {
  V a = fx::variable(7.0);
  CHECK_THROWS_AS(fx::fixed_point([](const auto& x, const auto& p) { return std::array{x[0] * 2.0 + p[0]}; }, std::array{1.0}, std::array{a}), fx::ValueError);
  const std::size_t before = statements();
  const auto e = fx::fixed_point(kepler, std::array{1.0}, std::array{V(0.2), V(1.0)});
  CHECK(statements() == before);
  CHECK(!e[0].requires_grad());
}
