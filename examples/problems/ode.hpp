/// A predator and its prey (Lotka 1925, Volterra 1926), followed by ten thousand steps of the classical Runge-Kutta method, and how the end
/// depends on the parameters.
#pragma once
#include <fluxion/autodiff/dual.hpp>
#include <fluxion/autodiff/loop.hpp>
#include <fluxion/fluxion.hpp>

#include <array>
#include <vector>

namespace problems::ode {

namespace fx = fluxion;
using fx::index_t;

inline constexpr double step_length = 0.001;

/// Prey and predators; how prey grows and is eaten, how predators die and grow. For numbers, duals and values of a trace alike.
template <class T, class P>
constexpr std::array<T, 2> growth(const std::array<T, 2>& y, const P& p) {
  return {p[0] * y[0] - p[1] * y[0] * y[1], p[3] * y[0] * y[1] - p[2] * y[1]};
}
/// A step of the Runge-Kutta method of fourth order.
inline constexpr auto runge_kutta = [](const auto& y, const auto& p) {
  const auto along = [&](const auto& slope, double h) { return std::array{y[0] + h * slope[0], y[1] + h * slope[1]}; };
  const auto a = growth(y, p), b = growth(along(a, step_length / 2), p), c = growth(along(b, step_length / 2), p), d = growth(along(c, step_length), p);
  return std::array{y[0] + step_length / 6 * (a[0] + 2 * (b[0] + c[0]) + d[0]), y[1] + step_length / 6 * (a[1] + 2 * (b[1] + c[1]) + d[1])};
};
inline constexpr auto distance = [](const auto& y, const auto&) { return (y[0] - 1) * (y[0] - 1) + (y[1] - 2) * (y[1] - 2); };

using State = std::array<double, 2>;
using Parameters = std::array<double, 4>;
inline constexpr State start{1.5, 1.0};
inline constexpr Parameters parameters{1.1, 0.4, 0.4, 0.1};

struct Gradient {
  double loss = 0;
  State by_start{};
  Parameters by_parameters{};
};

inline Gradient gradient(index_t steps, const fx::LoopOptions& options = {}) {
  Gradient g;
  fx::value_and_grad<0, 2>(fx::iterate(runge_kutta, distance), options).into(std::tie(g.loss, g.by_start, g.by_parameters), start, steps, parameters);
  return g;
}
/// By six dual directions through the same step.
inline Gradient gradient_by_duals(index_t steps) {
  using D = fx::Dual<double, 6>;
  std::array<D, 2> y{fx::make_dual<6>(start[0], 0), fx::make_dual<6>(start[1], 1)};
  const std::array<D, 4> p{fx::make_dual<6>(parameters[0], 2), fx::make_dual<6>(parameters[1], 3), fx::make_dual<6>(parameters[2], 4), fx::make_dual<6>(parameters[3], 5)};
  for (index_t t = 0; t < steps; ++t) y = runge_kutta(y, p);
  const D loss = distance(y, p);
  const auto d = fx::gradient(loss);
  return {fx::value(loss), {d[0], d[1]}, {d[2], d[3], d[4], d[5]}};
}
/// The adjoint of each line of the step, written by hand, over all states.
inline Gradient gradient_by_hand(index_t steps) {
  thread_local std::vector<State> states;
  states.resize(static_cast<std::size_t>(steps) + 1);
  states[0] = start;
  const Parameters& p = parameters;
  for (index_t t = 0; t < steps; ++t) states[static_cast<std::size_t>(t) + 1] = runge_kutta(states[static_cast<std::size_t>(t)], p);
  Gradient g;
  const State end = states.back();
  g.loss = distance(end, p);
  State dy{2 * (end[0] - 1), 2 * (end[1] - 2)};
  Parameters dp{};
  const double h = step_length;
  const auto back = [&](const State& y, const State& dk, State& d) {
    d[0] += dk[0] * (p[0] - p[1] * y[1]) + dk[1] * p[3] * y[1];
    d[1] += -dk[0] * p[1] * y[0] + dk[1] * (p[3] * y[0] - p[2]);
    dp[0] += dk[0] * y[0], dp[1] -= dk[0] * y[0] * y[1], dp[2] -= dk[1] * y[1], dp[3] += dk[1] * y[0] * y[1];
  };
  for (index_t t = steps - 1; t >= 0; --t) {
    const State y = states[static_cast<std::size_t>(t)];
    const State a = growth(y, p), ya{y[0] + h / 2 * a[0], y[1] + h / 2 * a[1]}, b = growth(ya, p), yb{y[0] + h / 2 * b[0], y[1] + h / 2 * b[1]};
    const State c = growth(yb, p), yc{y[0] + h * c[0], y[1] + h * c[1]};
    State d = dy, inner{};
    back(yc, {h / 6 * dy[0], h / 6 * dy[1]}, inner);
    d[0] += inner[0], d[1] += inner[1];
    State dc{h / 3 * dy[0] + h * inner[0], h / 3 * dy[1] + h * inner[1]};
    inner = {};
    back(yb, dc, inner);
    d[0] += inner[0], d[1] += inner[1];
    State db{h / 3 * dy[0] + h / 2 * inner[0], h / 3 * dy[1] + h / 2 * inner[1]};
    inner = {};
    back(ya, db, inner);
    d[0] += inner[0], d[1] += inner[1];
    const State da{h / 6 * dy[0] + h / 2 * inner[0], h / 6 * dy[1] + h / 2 * inner[1]};
    back(y, da, d);
    dy = d;
  }
  g.by_start = dy;
  g.by_parameters = dp;
  return g;
}

}  // namespace problems::ode
