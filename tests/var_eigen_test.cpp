// Matrices of scalar variables in Eigen: products, decompositions and norms differentiate backwards.
#include <doctest/doctest.h>

#include <fluxion/autodiff/reverse.hpp>
#include <fluxion/autodiff/var_eigen.hpp>

#include <Eigen/Dense>

#include <array>
#include <cmath>
#include <cstddef>

namespace fx = fluxion;

namespace {

using V = fx::Var<double>;
using Matrix = Eigen::Matrix<V, 3, 3>;
using Vector = Eigen::Matrix<V, 3, 1>;
using Numbers = Eigen::Matrix3d;
using NumberVector = Eigen::Vector3d;
using Point = std::array<double, 12>;

const Numbers a = (Numbers() << 4, 1, 0.5, 1, 3, -0.2, 0.5, -0.2, 2).finished();
const NumberVector b{1, -2, 3};

/// The elements of a, row by row, and of b.
Point point() {
  Point x;
  for (Eigen::Index i = 0; i < 9; ++i) x[static_cast<std::size_t>(i)] = a(i / 3, i % 3);
  for (Eigen::Index i = 0; i < 3; ++i) x[static_cast<std::size_t>(9 + i)] = b(i);
  return x;
}
template <class F>
auto of_matrix(const F& f) {
  return [&f](const auto& x) {
    Matrix m;
    Vector v;
    for (Eigen::Index i = 0; i < 9; ++i) m(i / 3, i % 3) = x[static_cast<std::size_t>(i)];
    for (Eigen::Index i = 0; i < 3; ++i) v(i) = x[static_cast<std::size_t>(9 + i)];
    return V(f(m, v));
  };
}

/// The sum of the solution s has the derivative y = A⁻ᵀ 1 by b and -y sᵀ by A.
template <class Solve>
double error_of_solution(const Solve& solve) {
  const auto f = [&](const Matrix& m, const Vector& v) { return solve(m, v).sum(); };
  const auto [value, slope] = fx::reverse::gradient(of_matrix(f), point());
  const NumberVector s = a.inverse() * b, y = a.inverse().transpose() * NumberVector::Ones();
  double worst = std::abs(value - s.sum());
  for (Eigen::Index i = 0; i < 3; ++i) {
    worst = std::max(worst, std::abs(slope[static_cast<std::size_t>(9 + i)] - y(i)));
    for (Eigen::Index j = 0; j < 3; ++j) worst = std::max(worst, std::abs(slope[static_cast<std::size_t>(3 * i + j)] + y(i) * s(j)));
  }
  return worst;
}

}  // namespace

TEST_CASE("solutions by decompositions have the derivative of the inverse") {
  CHECK(error_of_solution([](const Matrix& m, const Vector& v) { return Vector(m.partialPivLu().solve(v)); }) < 1e-13);
  CHECK(error_of_solution([](const Matrix& m, const Vector& v) { return Vector(m.householderQr().solve(v)); }) < 1e-13);
  CHECK(error_of_solution([](const Matrix& m, const Vector& v) { return Vector(m.inverse() * v); }) < 1e-13);
}

TEST_CASE("products with matrices of numbers, norms, determinants, matrices of dynamic size") {
  const auto f = [](const Matrix& m, const Vector& v) {
    const Eigen::Matrix<V, Eigen::Dynamic, Eigen::Dynamic> dynamic = m, square = dynamic * dynamic;
    const Vector y = a * v + 2. * v - v / 2.;
    return y.norm() + square.trace() + m.determinant() + v.cwiseAbs().maxCoeff() + v.array().exp().sum() + b.cast<V>().dot(v);
  };
  const auto [value, slope] = fx::reverse::gradient(of_matrix(f), point());
  const Numbers c = a + 1.5 * Numbers::Identity();
  CHECK(value == doctest::Approx((c * b).norm() + (a * a).trace() + a.determinant() + 3 + b.array().exp().sum() + b.dot(b)));
  const Numbers by_matrix = 2 * a.transpose() + a.inverse().transpose() * a.determinant();
  NumberVector by_vector = c.transpose() * (c * b) / (c * b).norm() + b;
  by_vector.array() += b.array().exp();
  by_vector(2) += 1;
  for (Eigen::Index i = 0; i < 3; ++i) {
    CHECK(slope[static_cast<std::size_t>(9 + i)] == doctest::Approx(by_vector(i)));
    for (Eigen::Index j = 0; j < 3; ++j) CHECK(slope[static_cast<std::size_t>(3 * i + j)] == doctest::Approx(by_matrix(i, j)));
  }
}
