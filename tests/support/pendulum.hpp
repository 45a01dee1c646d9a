/// The loop that several tests differentiate: uncoupled pendulums.
#pragma once
#include <fluxion/fluxion.hpp>

#include <tuple>

namespace support {

/// One step of the explicit Euler method for positions and velocities.
inline constexpr auto pendulum = [](auto state, auto k) {
  auto [x, v] = state;
  return std::make_tuple(x + 0.1 * v, v - 0.1 * k * fluxion::sin(x));
};
inline constexpr auto energy = [](auto state, auto k) {
  auto [x, v] = state;
  return fluxion::sum(v * v / 2 - k * fluxion::cos(x));
};

}  // namespace support
