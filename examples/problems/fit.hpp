/// A damped oscillation fitted to measurements by Gauss and Newton's method, with a Jacobian from duals.
#pragma once
#include <fluxion/autodiff/dual.hpp>

#include <Eigen/Cholesky>
#include <Eigen/Core>

#include <array>
#include <cmath>
#include <vector>

namespace problems::fit {

namespace fx = fluxion;

/// Amplitude, damping, frequency, phase and offset.
using Parameters = std::array<double, 5>;

template <class T>
T model(const std::array<T, 5>& p, double t) {
  using std::exp, std::sin;
  return p[0] * exp(-p[1] * t) * sin(p[2] * t + p[3]) + p[4];
}

struct Data {
  std::vector<double> time, value;
};

/// Measurements with errors of a hundredth that repeat.
inline Data measure(const Parameters& p, int count) {
  Data data;
  std::uint32_t random = 12345;
  for (int i = 0; i < count; ++i) {
    const double t = 6.0 * i / count;
    random = random * 1664525u + 1013904223u;
    data.time.push_back(t);
    data.value.push_back(model(p, t) + 0.01 * (static_cast<double>(random >> 8) / 8388608.0 - 1));
  }
  return data;
}

/// Half the sum of squared residuals, its gradient Jᵀr and the matrix JᵀJ, in one pass over the data.
inline double normal_equations(const Data& data, const Parameters& p, Eigen::Matrix<double, 5, 5>& a, Eigen::Matrix<double, 5, 1>& b) {
  const auto x = fx::seed(p);
  a.setZero(), b.setZero();
  double sum = 0;
  for (std::size_t i = 0; i < data.time.size(); ++i) {
    const auto residual = model(x, data.time[i]) - data.value[i];
    const auto gradient = fx::gradient(residual);
    const Eigen::Map<const Eigen::Matrix<double, 5, 1>> row(gradient.data());
    a.noalias() += row * row.transpose();
    b += fx::value(residual) * row;
    sum += 0.5 * fx::value(residual) * fx::value(residual);
  }
  return sum;
}
/// The same with derivatives written by hand.
inline double normal_equations_by_hand(const Data& data, const Parameters& p, Eigen::Matrix<double, 5, 5>& a, Eigen::Matrix<double, 5, 1>& b) {
  a.setZero(), b.setZero();
  double sum = 0;
  for (std::size_t i = 0; i < data.time.size(); ++i) {
    const double t = data.time[i], e = std::exp(-p[1] * t), s = std::sin(p[2] * t + p[3]), c = std::cos(p[2] * t + p[3]);
    const double residual = p[0] * e * s + p[4] - data.value[i];
    const Eigen::Matrix<double, 5, 1> row(e * s, -t * p[0] * e * s, t * p[0] * e * c, p[0] * e * c, 1);
    a.noalias() += row * row.transpose();
    b += residual * row;
    sum += 0.5 * residual * residual;
  }
  return sum;
}

/// One step; returns the error before it.
inline double improve(const Data& data, Parameters& p) {
  Eigen::Matrix<double, 5, 5> a;
  Eigen::Matrix<double, 5, 1> b;
  const double error = normal_equations(data, p, a, b);
  const Eigen::Matrix<double, 5, 1> step = a.ldlt().solve(b);
  for (std::size_t k = 0; k < 5; ++k) p[k] -= step[static_cast<Eigen::Index>(k)];
  return error;
}

}  // namespace problems::fit
