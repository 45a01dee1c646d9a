/// Reverse mode through equations on the tape of numbers: `solve`, `root`, `fixed_point` and implicit steps of variables record the implicit relation,
/// a statement or two for each unknown, and never the iterations.
#pragma once
#include "implicit_eigen.hpp"
#include "reverse.hpp"
#include "scalar/preaccumulated.hpp"
#include "var_eigen.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>

namespace fluxion {

namespace detail {

/// dx = -(∂f/∂x)⁻¹ ∂f/∂p dp, recorded as it stands: the Jacobian of the residual is computed by Duals where there are few unknowns and parameters, else
/// by a recording of its own. f may not use other variables than its arguments.
template <class T>
struct implicit_rule<Var<T>> {
  template <class F, std::size_t N, std::size_t M>
  static std::array<Var<T>, N> lift(const F& f, const std::array<T, N>& x, const std::array<Var<T>, M>& p) {
    constexpr int n = static_cast<int>(N), m = static_cast<int>(M);
    std::array<Var<T>, N> result;
    for (std::size_t i = 0; i < N; ++i) result[i] = x[i];
    if (std::none_of(p.begin(), p.end(), [](const Var<T>& v) { return v.requires_grad(); })) return result;
    std::array<T, N + M> point;
    for (std::size_t i = 0; i < N; ++i) point[i] = x[i];
    for (std::size_t i = 0; i < M; ++i) point[N + i] = p[i].value();
    const auto jacobian = jacobian_of(f, point, std::make_index_sequence<N>{}, std::make_index_sequence<M>{});
    Eigen::Matrix<T, n, n> by_x;
    Eigen::Matrix<T, n, m> by_p;
    for (int i = 0; i < n; ++i) {
      const auto& row = jacobian[static_cast<std::size_t>(i)];
      for (int j = 0; j < n; ++j) by_x(i, j) = row[static_cast<std::size_t>(j)];
      for (int j = 0; j < m; ++j) by_p(i, j) = -row[static_cast<std::size_t>(n + j)];
    }
    const Eigen::Matrix<T, n, m> slope = solve_for(by_x, by_p);
    for (std::size_t i = 0; i < N; ++i)
      result[i] = record_preaccumulated<T>(x[i], M, [&](std::size_t k, const auto& add) { add(slope(static_cast<int>(i), static_cast<int>(k)), p[k]); });
    return result;
  }

 private:
  template <class F, std::size_t... I, std::size_t... J>
  static auto jacobian_of(const F& f, const std::array<T, sizeof...(I) + sizeof...(J)>& point, std::index_sequence<I...>, std::index_sequence<J...>) {
    const auto joined = [&]<class X>(const std::array<X, sizeof...(I) + sizeof...(J)>& z) {
      return f(std::array<X, sizeof...(I)>{z[I]...}, std::array<X, sizeof...(J)>{z[sizeof...(I) + J]...});
    };
    if constexpr (sizeof...(I) + sizeof...(J) <= 32) return forward::jacobian(joined, point).jacobian;
    else return reverse::jacobian(joined, point).jacobian;
  }
};

}  // namespace detail

/// The solution of A x = b with A and b of variables, or of constants (`A.cast<Var<T>>()`). For n unknowns it records n residuals b - A x and
/// n sums of them: 2 n² + n entries, whose sweep is the solve with the transpose, where recorded elimination would have about n³. O(n³) once for
/// decomposition and inverse. Raises ShapeError if the sizes do not fit.
template <class T, int Rows, int Columns>
Eigen::Matrix<Var<T>, Rows, Columns> solve(const Eigen::Matrix<Var<T>, Rows, Rows>& a, const Eigen::Matrix<Var<T>, Rows, Columns>& b) {
  if (a.rows() != a.cols() || a.rows() != b.rows())
    raise<ShapeError>("solve: [", a.rows(), ", ", a.cols(), "] does not fit [", b.rows(), ", ", b.cols(), "]");
  using V = Var<T>;
  using matrix = Eigen::Matrix<T, Rows, Rows>;
  const auto value = [](const V& v) { return v.value(); };
  const Eigen::Index n = a.rows();
  const matrix numbers = a.unaryExpr(value), inverse = detail::solve_for(numbers, matrix(matrix::Identity(n, n)));
  const Eigen::Matrix<T, Rows, Columns> right = b.unaryExpr(value), x = detail::solve_for(numbers, right);
  Eigen::Matrix<V, Rows, Columns> result(n, b.cols());
  Eigen::Matrix<V, Rows, 1> residual(n);
  for (Eigen::Index c = 0; c < b.cols(); ++c) {
    for (Eigen::Index i = 0; i < n; ++i) {
      bool is_constant = true;
      for (Eigen::Index k = 0; k < n; ++k) is_constant = is_constant && !a(i, k).requires_grad();
      residual(i) = is_constant ? b(i, c) : detail::record_preaccumulated<T>(T(0), static_cast<std::size_t>(n + 1), [&](std::size_t k, const auto& add) {
        if (static_cast<Eigen::Index>(k) < n) add(-x(static_cast<Eigen::Index>(k), c), a(i, static_cast<Eigen::Index>(k)));
        else add(T(1), b(i, c));
      });
    }
    for (Eigen::Index i = 0; i < n; ++i)
      result(i, c) = detail::record_preaccumulated<T>(x(i, c), static_cast<std::size_t>(n), [&](std::size_t k, const auto& add) {
        add(inverse(i, static_cast<Eigen::Index>(k)), residual(static_cast<Eigen::Index>(k)));
      });
  }
  return result;
}

}  // namespace fluxion
