/// A model of stochastic volatility, as FastAD's paper has it: a hidden path h₀ = level + spread ε₀ / √(1 - φ²), hᵢ = level + φ (hᵢ₋₁ - level) + spread εᵢ,
/// observations yᵢ of standard deviation exp(hᵢ / 2), priors. The log density but for constants, and its gradient.
///
/// Tool: `fx::chain` of a traced function, a scan and a traced function. A step of the scan is sixteen steps of the path, straight-line code.
#pragma once
#include <fluxion/autodiff/loop.hpp>
#include <fluxion/fluxion.hpp>

#include <array>
#include <cstddef>
#include <tuple>
#include <utility>

namespace problems::volatility {

namespace fx = fluxion;

/// Steps of the path that one step of the scan takes; the length of a path must be a multiple.
inline constexpr fx::index_t steps_together = 16;

/// What drives the path: the noise, of which the first is scaled so that the path is stationary from the beginning. `is_first` is 1, 0, 0, …
inline constexpr auto drive = [](const auto& noise, const auto& phi, const auto& spread, const auto&, const auto&, const auto& is_first) {
  const auto driven = spread * noise * (1 + is_first * (fx::rsqrt(1 - phi * phi) - 1));
  return std::make_tuple(0 * phi, fx::each(fx::reshape<-1, steps_together>(driven)), phi);
};

/// The path without its level.
inline constexpr auto walk = [](const auto& before, const auto& driven, const auto& phi) {
  auto last = before;
  const auto next = [&](std::size_t i) { return last = phi * last + driven[static_cast<fx::index_t>(i)]; };
  return [&]<std::size_t... I>(std::index_sequence<I...>) {
    const std::array path{next(I)...};
    return fx::with_output(last, fx::stack<0>(path[I]...));
  }(std::make_index_sequence<steps_together>{});
};

/// The log density of everything, given the path.
inline constexpr auto density = [](const auto&, const auto& path, const auto& noise, const auto&, const auto& spread, const auto& level, const auto& y, const auto&) {
  const auto h = fx::reshape<-1>(path) + level;
  return fx::sum(-0.5 * y * y * fx::exp(-h) - 0.5 * h) - 0.5 * fx::sum(noise * noise) - fx::log(25. + spread * spread) - fx::log(100. + level * level);
};

/// The log density as a function of noise, φ, spread, level, observations and the mark of the first one.
inline constexpr auto log_density = fx::chain(drive, fx::scan(walk), density);

}  // namespace problems::volatility
