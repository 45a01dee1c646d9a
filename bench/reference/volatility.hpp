/// A model of stochastic volatility: a hidden path h₀ = level + spread ε₀ / √(1 - φ²), hᵢ = level + φ (hᵢ₋₁ - level) + spread εᵢ, observations yᵢ of
/// standard deviation exp(hᵢ / 2), priors. Parameters in one array: ε, φ, spread, level. The gradient of the log density but for constants, by
/// hand, and with the density's derivatives by a traced function; the path is a recurrence, whose adjoint is one backwards.
#pragma once
#include <fluxion/autodiff/transform.hpp>
#include <fluxion/tensor/interop.hpp>

#include <cmath>
#include <cstddef>
#include <tuple>
#include <utility>
#include <vector>

namespace reference::volatility {

namespace fx = fluxion;
using Vector = std::vector<double>;

struct Workspace {
  Vector path, slope;  // the path without its level; the derivative of the density by it
};

inline Vector start(const Vector& noise) {
  Vector x = noise;
  x.insert(x.end(), {0.6, 0.4, -0.3});
  return x;
}

inline void make_path(const Vector& x, std::size_t n, Vector& path) {
  const double phi = x[n], spread = x[n + 1];
  path.resize(n);
  path[0] = spread * x[0] / std::sqrt(1 - phi * phi);
  for (std::size_t i = 1; i < n; ++i) path[i] = spread * x[i] + phi * path[i - 1];
}

/// Adds what the parameters do through the path, of which the density's derivative is `slope`.
inline void add_path_gradient(const Vector& x, std::size_t n, const Vector& path, const Vector& slope, Vector& g) {
  const double phi = x[n], spread = x[n + 1], start = 1 / std::sqrt(1 - phi * phi);
  double later = 0, by_phi = 0, by_spread = 0;
  for (std::size_t i = n; i-- > 1;) {
    later = slope[i] + phi * later;
    g[i] += spread * later;
    by_spread += x[i] * later;
    by_phi += path[i - 1] * later;
  }
  later = start * (slope[0] + phi * later);
  g[0] += spread * later;
  g[n] += by_phi + spread * x[0] * phi * start * start * later;
  g[n + 1] += by_spread + x[0] * later;
}

inline void gradient(const Vector& x, const Vector& y, Vector& g, Workspace& w) {
  const std::size_t n = y.size();
  const double spread = x[n + 1], level = x[n + 2];
  make_path(x, n, w.path);
  w.slope.resize(n);
  double by_level = -2 * level / (100 + level * level);
  for (std::size_t i = 0; i < n; ++i) {
    w.slope[i] = 0.5 * y[i] * y[i] * std::exp(-w.path[i] - level) - 0.5;
    by_level += w.slope[i];
    g[i] = -x[i];
  }
  g[n] = 0;
  g[n + 1] = -2 * spread / (25 + spread * spread);
  g[n + 2] = by_level;
  add_path_gradient(x, n, w.path, w.slope, g);
}

/// The log density as a plain loop, for numbers and for tapes.
template <class T>
T log_density(const T* x, const Vector& y) {
  using std::exp, std::log, std::sqrt;
  const std::size_t n = y.size();
  const T phi = x[n], spread = x[n + 1], level = x[n + 2];
  T path = spread * x[0] / sqrt(1. - phi * phi), sum = -log(25. + spread * spread) - log(100. + level * level);
  for (std::size_t i = 0; i < n; ++i) {
    if (i > 0) path = spread * x[i] + phi * path;
    const T h = path + level;
    sum += -0.5 * y[i] * y[i] * exp(-h) - 0.5 * h - 0.5 * x[i] * x[i];
  }
  return sum;
}

/// The log density, given the path.
inline constexpr auto density = [](const auto& path, const auto& noise, const auto& spread, const auto& level, const auto& y) {
  const auto h = path + level;
  return fx::sum(-0.5 * y * y * fx::exp(-h) - 0.5 * h) - 0.5 * fx::sum(noise * noise) - fx::log(25. + spread * spread) - fx::log(100. + level * level);
};

inline void gradient_with_traced_density(const Vector& x, const Vector& y, Vector& g, Workspace& w) {
  using Scalar = fx::Tensor<double, fx::extents<>>;
  const std::size_t n = y.size();
  const auto count = static_cast<fx::index_t>(n);
  make_path(x, n, w.path);
  w.slope.resize(n);
  const Scalar spread(x[n + 1]), level(x[n + 2]);
  Scalar by_spread, by_level;
  using View = fx::View<double, fx::dims<1>>;
  auto to = std::tuple<View, View, Scalar&, Scalar&>(fx::borrow(w.slope), fx::borrow(g.data(), {count}), by_spread, by_level);
  fx::grad<0, 1, 2, 3>(density).into(to, fx::borrow(std::as_const(w.path)), fx::borrow(x.data(), {count}), spread, level, fx::borrow(y));
  g[n] = 0;
  g[n + 1] = by_spread.item();
  g[n + 2] = by_level.item();
  add_path_gradient(x, n, w.path, w.slope, g);
}

}  // namespace reference::volatility
