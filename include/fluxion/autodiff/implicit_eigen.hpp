/// Derivatives through equations, by the implicit function theorem instead of through the iterations that solve them: linear systems, roots
/// (and with them implicit steps of differential equations), fixed points. For dual numbers and Eigen's matrices.
#pragma once
#include "../core/error.hpp"
#include "dual.hpp"
#include "dual_eigen.hpp"

#include <Eigen/LU>

#include <array>
#include <cmath>
#include <cstddef>

namespace fluxion {

/// The solution of A x = b for square A with its derivatives: A dx = db - dA x, one back-substitution for each direction with the
/// decomposition of A's values, where a decomposition of Duals would carry them through O(n³) operations.
template <class T, std::size_t N, class Tag, int Rows, int Columns>
Eigen::Matrix<Dual<T, N, Tag>, Rows, Columns> solve(const Eigen::Matrix<Dual<T, N, Tag>, Rows, Rows>& a, const Eigen::Matrix<Dual<T, N, Tag>, Rows, Columns>& b) {
  if (a.rows() != a.cols() || a.rows() != b.rows())
    raise<ShapeError>("solve: [", a.rows(), ", ", a.cols(), "] does not fit [", b.rows(), ", ", b.cols(), "]");
  using D = Dual<T, N, Tag>;
  const auto value = [](const D& x) { return x.value(); };
  const Eigen::PartialPivLU<Eigen::Matrix<T, Rows, Rows>> decomposition(a.unaryExpr(value).eval());
  const Eigen::Matrix<T, Rows, Columns> x = decomposition.solve(b.unaryExpr(value).eval());
  Eigen::Matrix<std::array<T, N>, Rows, Columns> gradient(b.rows(), b.cols());
  for (std::size_t k = 0; k < N; ++k) {
    const auto direction = [k](const D& y) { return y.gradient()[k]; };
    const Eigen::Matrix<T, Rows, Columns> right = b.unaryExpr(direction).eval() - a.unaryExpr(direction).eval() * x;
    const Eigen::Matrix<T, Rows, Columns> dx = decomposition.solve(right);
    for (Eigen::Index j = 0; j < b.cols(); ++j)
      for (Eigen::Index i = 0; i < b.rows(); ++i) gradient(i, j)[k] = dx(i, j);
  }
  Eigen::Matrix<D, Rows, Columns> result(b.rows(), b.cols());
  for (Eigen::Index j = 0; j < b.cols(); ++j)
    for (Eigen::Index i = 0; i < b.rows(); ++i) result(i, j) = D(x(i, j), gradient(i, j));
  return result;
}

/// A solved linear system that can be asked for adjoints: those of b by a solve with the transpose, those of A from them.
template <class T, int Rows>
class LinearSolve {
 public:
  using matrix = Eigen::Matrix<T, Rows, Rows>;
  using vector = Eigen::Matrix<T, Rows, 1>;
  struct adjoints {
    matrix a;
    vector b;
  };

  LinearSolve(const matrix& a, const vector& b) : decomposition_(a), x_(decomposition_.solve(b)) {}
  const vector& x() const { return x_; }
  /// For the adjoint dx of x: db = A⁻ᵀ dx and dA = -db xᵀ. O(n²).
  adjoints vjp(const vector& dx) const {
    const vector db = decomposition_.transpose().solve(dx);
    return {-db * x_.transpose(), db};
  }

 private:
  Eigen::PartialPivLU<matrix> decomposition_;
  vector x_;
};

/// When an iteration ends.
struct IterationLimits {
  double tolerance = 1e-12;  // on the largest change of a step
  int steps = 100;
};

namespace detail {

template <class S, std::size_t M>
auto values_of(const std::array<S, M>& p) {
  std::array<std::remove_cvref_t<decltype(fluxion::value(p[0]))>, M> v{};
  for (std::size_t i = 0; i < M; ++i) v[i] = fluxion::value(p[i]);
  return v;
}

}  // namespace detail

/// The x with f(x, p) = 0 near a first guess, by Newton's method on numbers; its derivatives with respect to p, where p are Duals, by one more
/// linear solve: ∂f/∂x dx = -∂f/∂p dp. f takes two std::arrays, and returns as many numbers as x has. A step of the implicit Euler method is
/// `root([&](const auto& x, const auto& p) { x - y - h slope(x, p) … }, y, p)`. First derivatives. Raises ValueError if it does not converge.
template <class F, std::size_t N, class S, std::size_t M>
std::array<S, N> root(const F& f, std::array<double, N> x, const std::array<S, M>& p, const IterationLimits& limits = {}) {
  constexpr int n = static_cast<int>(N);
  using D = Dual<double, N>;
  const auto numbers = detail::values_of(p);
  std::array<D, M> constants;
  for (std::size_t i = 0; i < M; ++i) constants[i] = numbers[i];
  Eigen::Matrix<double, n, n> jacobian;
  Eigen::Matrix<double, n, 1> right;
  const auto look = [&] {
    const auto y = f(seed(x), constants);
    for (std::size_t i = 0; i < N; ++i) {
      right[static_cast<int>(i)] = y[i].value();
      for (std::size_t k = 0; k < N; ++k) jacobian(static_cast<int>(i), static_cast<int>(k)) = y[i].gradient()[k];
    }
  };
  double change = 1;
  for (int t = 0; t < limits.steps && !(change <= limits.tolerance); ++t) {
    look();
    const Eigen::Matrix<double, n, 1> step = jacobian.partialPivLu().solve(right);
    for (std::size_t i = 0; i < N; ++i) x[i] -= step[static_cast<int>(i)];
    change = step.cwiseAbs().maxCoeff();
  }
  if (!(change <= limits.tolerance)) raise<ValueError>("root: Newton's method did not converge in ", limits.steps, " steps");
  // One step more, from x as a constant, on numbers with derivatives: with the Jacobian of the values its first derivatives are exact.
  look();
  std::array<S, N> lifted, result;
  for (std::size_t i = 0; i < N; ++i) lifted[i] = S(x[i]);
  const auto y = f(lifted, p);
  const Eigen::Matrix<double, n, n> inverse = jacobian.inverse();
  for (std::size_t i = 0; i < N; ++i) {
    result[i] = lifted[i];
    for (std::size_t k = 0; k < N; ++k) result[i] -= y[k] * inverse(static_cast<int>(i), static_cast<int>(k));
  }
  return result;
}

/// The x with x = g(x, p), for a g that contracts, by iteration of numbers from a first guess; its derivatives with respect to p by iteration
/// of dx = ∂g/∂x dx + ∂g/∂p dp at that x, which contracts as g does. Raises ValueError if either does not converge.
template <class G, std::size_t N, std::size_t Directions, class Tag, std::size_t M>
std::array<Dual<double, Directions, Tag>, N> fixed_point(const G& g, std::array<double, N> x, const std::array<Dual<double, Directions, Tag>, M>& p,
                                                         const IterationLimits& limits = {}) {
  using D = Dual<double, Directions, Tag>;
  const auto numbers = detail::values_of(p);
  double change = 1;
  for (int t = 0; t < limits.steps && !(change <= limits.tolerance); ++t) {
    const auto next = g(x, numbers);
    change = 0;
    for (std::size_t i = 0; i < N; ++i) change = std::fmax(change, std::abs(next[i] - x[i]));
    x = next;
  }
  bool good = change <= limits.tolerance;
  std::array<D, N> result;
  for (std::size_t i = 0; i < N; ++i) result[i] = x[i];
  change = 1;
  for (int t = 0; good && t < limits.steps && !(change <= limits.tolerance); ++t) {
    const auto next = g(result, p);
    change = 0;
    for (std::size_t i = 0; i < N; ++i)
      for (std::size_t k = 0; k < Directions; ++k) change = std::fmax(change, std::abs(next[i].gradient()[k] - result[i].gradient()[k]));
    result = next;
  }
  if (!(good && change <= limits.tolerance)) raise<ValueError>("fixed_point: the iteration did not converge in ", limits.steps, " steps");
  return result;
}

}  // namespace fluxion
