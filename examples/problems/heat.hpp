/// The heat equation on a rod whose ends are kept at zero, by explicit steps; and how a rod looked before, found from how it looks after.
#pragma once
#include <fluxion/autodiff/loop.hpp>
#include <fluxion/fluxion.hpp>

#include <algorithm>
#include <cmath>

namespace problems::heat {

namespace fx = fluxion;
using fx::index_t;

inline constexpr index_t points = 128;
using Rod = fx::Tensor<double, fx::extents<points>>;

/// u' = u + k (u[i-1] - 2 u[i] + u[i+1]), stable for k up to 1/2.
inline constexpr auto step = [](auto u, auto k, auto) {
  const auto left = fx::slice_axis<0, 0, points - 2>(u), middle = fx::slice_axis<0, 1, points - 1>(u), right = fx::slice_axis<0, 2, points>(u);
  return u + fx::pad<0, 1, 1>(k * (left - 2 * middle + right));
};
/// Half the squared distance from what was measured.
inline constexpr auto misfit = [](auto u, auto, auto measured) { return 0.5 * fx::sum((u - measured) * (u - measured)); };

/// Two warm places on a cold rod.
inline Rod warm_places() {
  Rod u;
  for (index_t i = 0; i < points; ++i) {
    const double x = static_cast<double>(i) / static_cast<double>(points - 1);
    u.data()[i] = std::exp(-200 * (x - 0.3) * (x - 0.3)) + 0.6 * std::exp(-400 * (x - 0.7) * (x - 0.7));
  }
  u.data()[0] = u.data()[points - 1] = 0;
  return u;
}
inline Rod after(const Rod& u, index_t steps, double k) {
  const Rod nothing;
  return fx::iterate(step)(u, steps, k, nothing);
}
/// The misfit of a guess and its gradient.
inline double gradient(const Rod& guess, index_t steps, double k, const Rod& measured, Rod& du, const fx::LoopOptions& options = {}) {
  double loss = 0;
  fx::value_and_grad<0>(fx::iterate(step, misfit), options).into(std::tie(loss, du), guess, steps, k, measured);
  return loss;
}
/// One step of gradient descent on everything but the ends, whose heat is known; returns the misfit before it. Between the ends a step is a
/// symmetric matrix with eigenvalues between -1 and 1, and so are all of them together: this descends.
inline double descend(Rod& guess, index_t steps, double k, const Rod& measured, const fx::LoopOptions& options = {}) {
  Rod du;
  const double loss = gradient(guess, steps, k, measured, du, options);
  for (index_t i = 1; i < points - 1; ++i) guess.data()[i] -= 1.5 * du(i);
  return loss;
}
/// The gradient written out: the adjoint of a step is the step itself, since its matrix is symmetric but for the ends, which do not change.
inline double gradient_by_hand(const Rod& guess, index_t steps, double k, const Rod& measured, Rod& du) {
  double u[points], next[points];
  const auto advance = [&](bool adjoint) {
    next[0] = u[0], next[points - 1] = u[points - 1];
    for (index_t i = 1; i < points - 1; ++i) {
      const double left = adjoint && i == 1 ? 0 : u[i - 1], right = adjoint && i == points - 2 ? 0 : u[i + 1];
      next[i] = u[i] + k * (left - 2 * u[i] + right);
    }
    if (adjoint) next[0] += k * u[1], next[points - 1] += k * u[points - 2];
    std::copy(next, next + points, u);
  };
  std::copy(guess.data(), guess.data() + points, u);
  for (index_t t = 0; t < steps; ++t) advance(false);
  double loss = 0;
  for (index_t i = 0; i < points; ++i) {
    u[i] -= measured.data()[i];
    loss += 0.5 * u[i] * u[i];
  }
  for (index_t t = 0; t < steps; ++t) advance(true);
  std::copy(u, u + points, du.data());
  return loss;
}

}  // namespace problems::heat
