/// Derivatives through equations, by the implicit function theorem instead of through the iterations that solve them: linear systems, roots,
/// fixed points, implicit steps of differential equations. For dual numbers and Eigen's matrices; implicit_var.hpp adds reverse mode.
#pragma once
#include "../core/error.hpp"
#include "dual.hpp"
#include "dual_eigen.hpp"
#include "iteration_limits.hpp"

#include <Eigen/LU>

#include <array>
#include <cmath>
#include <cstddef>
#include <type_traits>

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

namespace detail {

/// What numbers with derivatives are without the outermost ones.
template <class S, std::size_t M>
auto values_of(const std::array<S, M>& p) {
  std::array<typename S::value_type, M> v{};
  for (std::size_t i = 0; i < M; ++i) v[i] = p[i].value();
  return v;
}
/// The number behind all derivatives.
template <class S>
double innermost_value(const S& x) {
  if constexpr (std::is_arithmetic_v<S>) return static_cast<double>(x);
  else return innermost_value(x.value());
}

/// The solution of A x = b for numbers or Duals.
template <class T, int N, int Columns>
Eigen::Matrix<T, N, Columns> solve_for(const Eigen::Matrix<T, N, N>& a, const Eigen::Matrix<T, N, Columns>& b) {
  if constexpr (is_dual<T>) return solve(a, b);
  else return a.partialPivLu().solve(b);
}

/// Numbers S with derivatives get those of a solution x of f(x, p) = 0, where x is given in numbers of one derivative less. Specialised for what
/// derivatives there are: `implicit_rule<S>::lift(f, x, p)`.
template <class S>
struct implicit_rule;

/// ∂f/∂x dx = -∂f/∂p dp, exact for derivatives of any order because the matrix and the right-hand side are of the inner numbers' type.
template <class T, std::size_t K, class Tag>
struct implicit_rule<Dual<T, K, Tag>> {
  using D = Dual<T, K, Tag>;
  template <class F, std::size_t N, std::size_t M>
  static std::array<D, N> lift(const F& f, const std::array<T, N>& x, const std::array<D, M>& p) {
    constexpr int n = static_cast<int>(N), k = static_cast<int>(K);
    std::array<Dual<T, N>, M> constants;
    for (std::size_t i = 0; i < M; ++i) constants[i] = p[i].value();
    std::array<D, N> lifted;
    for (std::size_t i = 0; i < N; ++i) lifted[i] = x[i];
    const auto by_x = f(seed(x), constants);
    const auto by_p = f(lifted, p);
    Eigen::Matrix<T, n, n> matrix;
    Eigen::Matrix<T, n, k> right;
    for (std::size_t i = 0; i < N; ++i) {
      for (std::size_t j = 0; j < N; ++j) matrix(static_cast<int>(i), static_cast<int>(j)) = by_x[i].gradient()[j];
      for (std::size_t j = 0; j < K; ++j) right(static_cast<int>(i), static_cast<int>(j)) = -by_p[i].gradient()[j];
    }
    const Eigen::Matrix<T, n, k> dx = solve_for(matrix, right);
    for (std::size_t i = 0; i < N; ++i) {
      std::array<T, K> direction;
      for (std::size_t j = 0; j < K; ++j) direction[j] = dx(static_cast<int>(i), static_cast<int>(j));
      lifted[i] = D(x[i], direction);
    }
    return lifted;
  }
};

/// Newton's method on numbers.
template <class F, std::size_t N, class S, std::size_t M>
std::array<double, N> newton(const F& f, std::array<double, N> x, const std::array<S, M>& p, const IterationLimits& limits) {
  constexpr int n = static_cast<int>(N);
  std::array<Dual<double, N>, M> constants;
  for (std::size_t i = 0; i < M; ++i) constants[i] = static_cast<double>(p[i]);
  Eigen::Matrix<double, n, n> jacobian;
  Eigen::Matrix<double, n, 1> right;
  double change = 1;
  for (int t = 0; t < limits.steps && !(change <= limits.tolerance); ++t) {
    const auto y = f(seed(x), constants);
    for (std::size_t i = 0; i < N; ++i) {
      right[static_cast<int>(i)] = y[i].value();
      for (std::size_t k = 0; k < N; ++k) jacobian(static_cast<int>(i), static_cast<int>(k)) = y[i].gradient()[k];
    }
    const Eigen::Matrix<double, n, 1> step = jacobian.partialPivLu().solve(right);
    for (std::size_t i = 0; i < N; ++i) x[i] -= step[static_cast<int>(i)];
    change = step.cwiseAbs().maxCoeff();
  }
  if (!(change <= limits.tolerance)) raise<ValueError>("root: Newton's method did not converge in ", limits.steps, " steps");
  return x;
}

/// Iteration of numbers.
template <class G, std::size_t N, class S, std::size_t M>
std::array<double, N> iterate_to_fixed_point(const G& g, std::array<double, N> x, const std::array<S, M>& p, const IterationLimits& limits) {
  std::array<double, M> numbers;
  for (std::size_t i = 0; i < M; ++i) numbers[i] = static_cast<double>(p[i]);
  double change = 1;
  for (int t = 0; t < limits.steps && !(change <= limits.tolerance); ++t) {
    const std::array<double, N> next = g(x, numbers);
    change = 0;
    for (std::size_t i = 0; i < N; ++i) change = next[i] == next[i] ? std::fmax(change, std::abs(next[i] - x[i])) : next[i];
    x = next;
    if (change != change) break;
  }
  if (!(change <= limits.tolerance)) raise<ValueError>("fixed_point: the iteration did not converge in ", limits.steps, " steps");
  return x;
}

/// x - g(x, p), which is 0 at a fixed point.
template <class G>
struct fixed_point_equation {
  const G& g;
  template <class X, std::size_t N, std::size_t M>
  std::array<X, N> operator()(const std::array<X, N>& x, const std::array<X, M>& p) const {
    const auto y = g(x, p);
    std::array<X, N> difference;
    for (std::size_t i = 0; i < N; ++i) difference[i] = x[i] - y[i];
    return difference;
  }
};

/// x - y - h slope(…): x at the end of a step (`Midpoint`: the slope halfway). The parameters are y and p.
template <class F, bool Midpoint>
struct implicit_step_equation {
  const F& slope;
  double h;
  template <class X, std::size_t N, std::size_t M>
  std::array<X, N> operator()(const std::array<X, N>& x, const std::array<X, M>& q) const {
    std::array<X, N> at = x, difference;
    std::array<X, M - N> p;
    for (std::size_t i = 0; i < M - N; ++i) p[i] = q[N + i];
    if constexpr (Midpoint)
      for (std::size_t i = 0; i < N; ++i) at[i] = (x[i] + q[i]) * 0.5;
    const auto dx = slope(at, p);
    for (std::size_t i = 0; i < N; ++i) difference[i] = x[i] - q[i] - h * dx[i];
    return difference;
  }
};

}  // namespace detail

/// The x with f(x, p) = 0 near a first guess, by Newton's method on numbers; its derivatives with respect to p, of any order, by one more linear
/// solve: ∂f/∂x dx = -∂f/∂p dp. p are numbers, Duals or, with implicit_var.hpp, Vars, for which one statement for each unknown is recorded. f takes
/// two std::arrays of one type, and returns as many numbers as x has. Raises ValueError if it does not converge.
template <class F, std::size_t N, class S, std::size_t M>
std::array<S, N> root(const F& f, const std::array<double, N>& x, const std::array<S, M>& p, const IterationLimits& limits = {}) {
  if constexpr (std::is_floating_point_v<S>) {
    const auto numbers = detail::newton(f, x, p, limits);
    std::array<S, N> result;
    for (std::size_t i = 0; i < N; ++i) result[i] = static_cast<S>(numbers[i]);
    return result;
  } else return detail::implicit_rule<S>::lift(f, root(f, x, detail::values_of(p), limits), p);
}

/// The x with x = g(x, p), for a g that contracts, by iteration of numbers from a first guess; its derivatives with respect to p as those of
/// the root of x - g(x, p). Raises ValueError if it does not converge.
template <class G, std::size_t N, class S, std::size_t M>
std::array<S, N> fixed_point(const G& g, const std::array<double, N>& x, const std::array<S, M>& p, const IterationLimits& limits = {}) {
  if constexpr (std::is_floating_point_v<S>) {
    const auto numbers = detail::iterate_to_fixed_point(g, x, p, limits);
    std::array<S, N> result;
    for (std::size_t i = 0; i < N; ++i) result[i] = static_cast<S>(numbers[i]);
    return result;
  } else return detail::implicit_rule<S>::lift(detail::fixed_point_equation<G>{g}, fixed_point(g, x, detail::values_of(p), limits), p);
}

namespace detail {
template <bool Midpoint, class F, class S, std::size_t N, std::size_t M>
std::array<S, N> implicit_step(const F& slope, const std::array<S, N>& y, double h, const std::array<S, M>& p, const IterationLimits& limits) {
  std::array<double, N> guess;
  std::array<S, N + M> parameters;
  for (std::size_t i = 0; i < N; ++i) guess[i] = innermost_value(y[i]), parameters[i] = y[i];
  for (std::size_t i = 0; i < M; ++i) parameters[N + i] = p[i];
  return root(implicit_step_equation<F, Midpoint>{slope, h}, guess, parameters, limits);
}
}  // namespace detail

/// A step of the implicit Euler method for dy/dt = slope(y, p): the x with x = y + h slope(x, p), for stiff equations. Derivatives with respect
/// to y and p as those of `root`.
template <class F, class S, std::size_t N, std::size_t M>
std::array<S, N> implicit_euler(const F& slope, const std::array<S, N>& y, double h, const std::array<S, M>& p, const IterationLimits& limits = {}) {
  return detail::implicit_step<false>(slope, y, h, p, limits);
}
/// A step of the implicit midpoint rule, of second order and symplectic: x = y + h slope((x + y) / 2, p).
template <class F, class S, std::size_t N, std::size_t M>
std::array<S, N> implicit_midpoint(const F& slope, const std::array<S, N>& y, double h, const std::array<S, M>& p, const IterationLimits& limits = {}) {
  return detail::implicit_step<true>(slope, y, h, p, limits);
}

}  // namespace fluxion
