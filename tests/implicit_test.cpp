// Derivatives through equations: by the implicit function theorem, against differences, closed forms and derivatives of the iterations.
#include <doctest/doctest.h>

#include <fluxion/autodiff/custom.hpp>
#include <fluxion/autodiff/implicit_eigen.hpp>
#include <fluxion/autodiff/transform.hpp>
#include <fluxion/fluxion.hpp>

#include <array>
#include <cmath>

namespace fx = fluxion;

namespace {

constexpr auto cube_root = fx::custom_vjp(
    [](auto a) {
      auto x = a * 0 + 1.0;
      for (int i = 0; i < 6; ++i) x = x - (x * x * x - a) / (3 * x * x);
      return std::make_pair(x, x);
    },
    [](auto x, auto dx) { return dx / (3 * x * x); });

}  // namespace

TEST_CASE("solve: the derivatives of a linear system's solution are those of eliminating with duals") {
  using D = fx::Dual<double, 3>;
  Eigen::Matrix<D, 3, 3> a;
  Eigen::Matrix<D, 3, 1> b;
  const double entries[] = {2, -1, 0.5, 1, 3, -0.7, 0.2, 0.4, 1.5};
  for (int i = 0; i < 9; ++i) a(i / 3, i % 3) = entries[i];
  a(0, 1) = fx::make_dual<3>(-1.0, 0);
  a(2, 2) = fx::make_dual<3>(1.5, 1);
  b << D(1), fx::make_dual<3>(2.0, 2), D(-1);
  const Eigen::Matrix<D, 3, 1> x = fx::solve(a, b), expected = a.partialPivLu().solve(b);
  for (int i = 0; i < 3; ++i) {
    CHECK(fx::value(x[i]) == doctest::Approx(fx::value(expected[i])).epsilon(1e-14));
    for (std::size_t k = 0; k < 3; ++k) CHECK(fx::gradient(x[i])[k] == doctest::Approx(fx::gradient(expected[i])[k]).epsilon(1e-13));
  }
}

TEST_CASE("LinearSolve: its adjoints are the transposes of its tangents") {
  Eigen::Matrix3d a, da;
  a << 2, -1, 0.5, 1, 3, -0.7, 0.2, 0.4, 1.5;
  da << 0.3, 1, -2, 0.1, 0.2, 0.9, -0.5, 0.7, 0.4;
  const Eigen::Vector3d b(1, 2, -1), db(0.5, -0.3, 1), u(1, -2, 0.7);
  const fx::LinearSolve<double, 3> system(a, b);
  const Eigen::Vector3d dx = a.partialPivLu().solve(db - da * system.x());
  const auto adjoint = system.vjp(u);
  CHECK(u.dot(dx) == doctest::Approx(adjoint.b.dot(db) + (adjoint.a.array() * da.array()).sum()).epsilon(1e-13));
}

TEST_CASE("root: a step of the implicit Euler method has the derivatives of its equation, and one that does not converge says so") {
  using D = fx::Dual<double, 2>;
  const double h = 0.1;
  // A stiff oscillator with a rate and a first position.
  const auto equation = [h](const auto& x, const auto& p) {
    return std::array{x[0] - p[1] - h * x[1], x[1] - 0.5 + h * p[0] * x[0] * x[0] * x[0]};
  };
  const std::array<D, 2> p{fx::make_dual<2>(50.0, 0), fx::make_dual<2>(1.0, 1)};
  const auto x = fx::root(equation, std::array{1.0, 0.5}, p);
  const auto at = [&](double rate, double position) { return fx::root(equation, std::array{1.0, 0.5}, std::array{rate, position}); };
  for (std::size_t i = 0; i < 2; ++i) {
    CHECK(fx::gradient(x[i])[0] == doctest::Approx((at(50 + 1e-4, 1)[i] - at(50 - 1e-4, 1)[i]) / 2e-4).epsilon(1e-7));
    CHECK(fx::gradient(x[i])[1] == doctest::Approx((at(50, 1 + 1e-6)[i] - at(50, 1 - 1e-6)[i]) / 2e-6).epsilon(1e-7));
  }
  CHECK_THROWS_AS(fx::root([](const auto& y, const auto& q) { return std::array{y[0] * y[0] + q[0]}; }, std::array{1.0}, std::array{1.0}), fx::ValueError);
}

TEST_CASE("fixed_point: the derivative of Kepler's equation is the closed form") {
  using D = fx::Dual<double, 2>;
  const auto kepler = [](const auto& e, const auto& p) {
    using std::sin;
    return std::array{p[1] + p[0] * sin(e[0])};
  };
  const auto e = fx::fixed_point(kepler, std::array{1.0}, std::array<D, 2>{fx::make_dual<2>(0.2, 0), fx::make_dual<2>(1.0, 1)});
  const double angle = fx::value(e[0]);
  CHECK(angle - 0.2 * std::sin(angle) == doctest::Approx(1).epsilon(1e-12));
  CHECK(fx::gradient(e[0])[0] == doctest::Approx(std::sin(angle) / (1 - 0.2 * std::cos(angle))).epsilon(1e-10));
  CHECK(fx::gradient(e[0])[1] == doctest::Approx(1 / (1 - 0.2 * std::cos(angle))).epsilon(1e-10));
}

TEST_CASE("a rule of one's own gives a traced root the derivative of its equation, not of its iterations") {
  const fx::Tensor<double, fx::dims<1>> a = {1.5, 0.7};
  const auto [sum, da] = fx::value_and_grad([](auto v) { return fx::sum(cube_root(v)); })(a);
  CHECK(sum.item() == doctest::Approx(std::cbrt(1.5) + std::cbrt(0.7)).epsilon(1e-14));
  CHECK(da(1) == doctest::Approx(std::pow(0.7, -2.0 / 3) / 3).epsilon(1e-13));
}
