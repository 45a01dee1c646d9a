// Matrices of Duals in Eigen: products, decompositions and norms differentiate.
#include <doctest/doctest.h>

#include <fluxion/autodiff/dual_eigen.hpp>

#include <Eigen/Dense>

#include <cmath>

namespace fx = fluxion;

namespace {

constexpr std::size_t directions = 12;
using D = fx::Dual<double, directions>;
using Matrix = Eigen::Matrix<D, 3, 3>;
using Vector = Eigen::Matrix<D, 3, 1>;
using Numbers = Eigen::Matrix3d;
using NumberVector = Eigen::Vector3d;

/// A symmetric positive definite matrix and a right-hand side; each of their twelve elements is a variable.
struct problem {
  Numbers a = (Numbers() << 4, 1, 0.5, 1, 3, -0.2, 0.5, -0.2, 2).finished();
  NumberVector b{1, -2, 3};
  Matrix da;
  Vector db;
  problem() {
    for (Eigen::Index i = 0; i < 9; ++i) da(i / 3, i % 3) = fx::make_dual<directions>(a(i / 3, i % 3), static_cast<std::size_t>(i));
    for (Eigen::Index i = 0; i < 3; ++i) db(i) = fx::make_dual<directions>(b(i), static_cast<std::size_t>(9 + i));
  }
};

template <class M>
auto values(const M& m) {
  return m.unaryExpr([](const typename M::Scalar& x) { return x.value(); }).eval();
}
template <class M>
auto along(const M& m, std::size_t direction) {
  return m.unaryExpr([=](const typename M::Scalar& x) { return x.gradient()[direction]; }).eval();
}

/// d(A⁻¹ b) is -A⁻¹ dA x along an element of A, and a column of A⁻¹ along one of b.
void check_solution(const problem& p, const Vector& x) {
  const Numbers inverse = p.a.inverse();
  const NumberVector expected = inverse * p.b;
  CHECK((values(x) - expected).norm() < 1e-13);
  for (Eigen::Index i = 0; i < 3; ++i) {
    CHECK((along(x, static_cast<std::size_t>(9 + i)) - inverse.col(i)).norm() < 1e-13);
    for (Eigen::Index j = 0; j < 3; ++j)
      CHECK((along(x, static_cast<std::size_t>(3 * i + j)) + inverse.col(i) * expected(j)).norm() < 1e-13);
  }
}

}  // namespace

TEST_CASE("solutions by every decomposition have the derivative of the inverse") {
  const problem p;
  check_solution(p, p.da.partialPivLu().solve(p.db));
  check_solution(p, p.da.fullPivLu().solve(p.db));
  check_solution(p, p.da.householderQr().solve(p.db));
  check_solution(p, p.da.inverse() * p.db);
}

TEST_CASE("ldlt and llt solve symmetric systems and differentiate by the triangle that they read") {
  const problem p;
  for (const Vector& x : {Vector(p.da.ldlt().solve(p.db)), Vector(p.da.llt().solve(p.db))}) {
    const Numbers inverse = p.a.inverse();
    const NumberVector expected = inverse * p.b;
    CHECK((values(x) - expected).norm() < 1e-13);
    CHECK((along(x, 10) - inverse.col(1)).norm() < 1e-13);
    CHECK((along(x, 4) + inverse.col(1) * expected(1)).norm() < 1e-13);
    CHECK((along(x, 3) + inverse.col(1) * expected(0) + inverse.col(0) * expected(1)).norm() < 1e-13);
    CHECK(along(x, 1).norm() == 0);
  }
}

TEST_CASE("products, norms and determinants of Duals, of fixed and of dynamic size, and with matrices of numbers") {
  const problem p;
  const Vector y = p.a * p.db;
  CHECK((along(y, 10) - p.a.col(1)).norm() == 0);
  const Vector z = p.da * p.b;
  CHECK(along(z, 1)(0) == p.b(1));
  const Eigen::Matrix<D, Eigen::Dynamic, Eigen::Dynamic> a = p.da, square = a * a;
  CHECK((values(square) - p.a * p.a).norm() < 1e-13);
  CHECK(along(square, 0)(0, 0) == doctest::Approx(8));
  const D length = p.db.norm();
  CHECK(length.value() == doctest::Approx(p.b.norm()));
  CHECK(length.gradient()[9] == doctest::Approx(p.b(0) / p.b.norm()));
  const D determinant = p.da.determinant();
  CHECK(determinant.gradient()[4] == doctest::Approx((p.a.inverse() * p.a.determinant())(1, 1)));
  CHECK((2. * p.db + p.db * 2 - p.db / 2.).sum().gradient()[11] == doctest::Approx(3.5));
  CHECK(p.db.cwiseAbs().maxCoeff().gradient()[11] == 1);
  CHECK(p.b.cast<D>().dot(p.db).gradient()[9] == 1);
  CHECK(p.db.array().exp().matrix()(0).gradient()[9] == doctest::Approx(std::exp(1.)));
}

TEST_CASE("Eigen takes nested Duals") {
  using Second = fx::Dual<D, 2>;
  const Second t(D(0.5), {D(1), D(0)});
  Eigen::Matrix<Second, 2, 2> m;
  m << cos(t), -sin(t), sin(t), cos(t);
  const Eigen::Matrix<Second, 2, 2> product = m * m.transpose();
  CHECK(product(0, 0).value().value() == doctest::Approx(1));
  CHECK(product(0, 0).gradient()[0].value() == doctest::Approx(0));
  CHECK((m * m)(0, 0).gradient()[0].value() == doctest::Approx(-2 * std::sin(1.)));
}
