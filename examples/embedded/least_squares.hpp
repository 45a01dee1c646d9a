// A sensor's cooling curve, y = a exp(-b t) + c, fitted to twelve measurements by Gauss and Newton's method; the Jacobian is computed with
// the residuals by fx::Dual. No heap, no exceptions.
#pragma once
#include <fluxion/autodiff/dual.hpp>

#include <array>
#include <cmath>
#include <cstddef>

namespace embedded {

inline constexpr std::size_t measurement_count = 12;
inline constexpr std::array<float, measurement_count> measured = {79.6f, 63.5f, 52.1f, 43.7f, 37.6f, 33.3f, 30.1f, 27.6f, 25.9f, 24.7f, 23.8f, 23.1f};

/// Measured at t = 0, 1, 2, …; all that the method needs to know of the model.
inline constexpr auto residuals = [](const auto& parameter) {
  using std::exp;
  using T = std::remove_cvref_t<decltype(parameter[0])>;
  std::array<T, measurement_count> result;
  for (std::size_t i = 0; i < measurement_count; ++i)
    result[i] = parameter[0] * exp(-parameter[1] * static_cast<float>(i)) + parameter[2] - measured[i];
  return result;
};

/// Solves the normal equations of N parameters, JᵀJ x = Jᵀr, by Cholesky's factorisation.
template <std::size_t M, std::size_t N>
std::array<float, N> solve_normal_equations(const std::array<std::array<float, N>, M>& jacobian, const std::array<float, M>& r) {
  float a[N][N] = {};
  std::array<float, N> x{};
  for (std::size_t m = 0; m < M; ++m)
    for (std::size_t i = 0; i < N; ++i) {
      x[i] += jacobian[m][i] * r[m];
      for (std::size_t j = 0; j <= i; ++j) a[i][j] += jacobian[m][i] * jacobian[m][j];
    }
  for (std::size_t j = 0; j < N; ++j) {
    for (std::size_t k = 0; k < j; ++k) a[j][j] -= a[j][k] * a[j][k];
    a[j][j] = std::sqrt(a[j][j]);
    for (std::size_t i = j + 1; i < N; ++i) {
      for (std::size_t k = 0; k < j; ++k) a[i][j] -= a[i][k] * a[j][k];
      a[i][j] /= a[j][j];
    }
  }
  for (std::size_t i = 0; i < N; ++i) {
    for (std::size_t k = 0; k < i; ++k) x[i] -= a[i][k] * x[k];
    x[i] /= a[i][i];
  }
  for (std::size_t i = N; i-- > 0;) {
    for (std::size_t k = i + 1; k < N; ++k) x[i] -= a[k][i] * x[k];
    x[i] /= a[i][i];
  }
  return x;
}

/// The fitted a, b and c.
inline std::array<float, 3> fit_cooling_curve() {
  std::array<float, 3> parameter = {50, 0.5f, 10};
  for (int step = 0; step < 12; ++step) {
    const auto [r, jacobian] = fluxion::forward::jacobian(residuals, parameter);
    const auto correction = solve_normal_equations(jacobian, r);
    for (std::size_t i = 0; i < 3; ++i) parameter[i] -= correction[i];
  }
  return parameter;
}

}  // namespace embedded
