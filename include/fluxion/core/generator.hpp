/// Random numbers from a key and an offset. A stream is a sequence of 32-bit words, four to a block of Philox; value i of a
/// stream depends on (key, offset, i) alone, so that threads, tiles, devices and recomputation all see the same numbers.
///
/// Bits and uniform numbers in [0, 1) are equal on every machine. Normal numbers go through the machine's log, sin and cos,
/// and scaled ones through a multiply and an add that the compiler may fuse: equal from run to run, not between machines.
#pragma once
#include "config.hpp"
#include "philox.hpp"

#include <array>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <numbers>

namespace fluxion {

/// Hands out parts of one random sequence that never overlap. A value of two words: copy it to repeat what follows, keep
/// `seed()` and `offset()` to resume later. Not to be shared between threads without a lock.
class Generator {
 public:
  /// The sequence of a seed, from block `offset` on.
  explicit constexpr Generator(std::uint64_t seed = 0, std::uint64_t offset = 0) noexcept : seed_(seed), offset_(offset) {}

  constexpr std::uint64_t seed() const noexcept { return seed_; }
  constexpr PhiloxKey key() const noexcept {
    return {static_cast<std::uint32_t>(seed_), static_cast<std::uint32_t>(seed_ >> 32)};
  }
  /// The next block that nobody has reserved.
  constexpr std::uint64_t offset() const noexcept { return offset_; }

  /// Takes `words` 32-bit words (a double needs two) and returns the offset of the block where they begin.
  constexpr std::uint64_t reserve(std::uint64_t words) noexcept {
    const std::uint64_t begin = offset_;
    offset_ += words / 4 + (words % 4 != 0);
    return begin;
  }

  friend constexpr bool operator==(const Generator&, const Generator&) = default;

 private:
  std::uint64_t seed_;
  std::uint64_t offset_;
};

// ---- bits ----

/// The four words of one block.
FLUXION_HOST_DEVICE constexpr PhiloxCounter random_block(PhiloxKey key, std::uint64_t block) {
  return philox4x32({static_cast<std::uint32_t>(block), static_cast<std::uint32_t>(block >> 32), 0, 0}, key);
}

/// Word i of the stream that begins at block `offset`.
FLUXION_HOST_DEVICE constexpr std::uint32_t random_bits(PhiloxKey key, std::uint64_t offset, std::uint64_t i) {
  return random_block(key, offset + i / 4)[i % 4];
}

// ---- from bits to numbers ----

/// A multiple of 2^-24 in [0, 1), from the upper 24 bits.
FLUXION_HOST_DEVICE constexpr float uniform_float(std::uint32_t bits) {
  return static_cast<float>(bits >> 8) * 0x1p-24f;
}

/// A multiple of 2^-53 in [0, 1), from the upper 53 of 64 bits.
FLUXION_HOST_DEVICE constexpr double uniform_double(std::uint32_t bits_high, std::uint32_t bits_low) {
  const std::uint64_t bits = (std::uint64_t{bits_high} << 32 | bits_low) >> 11;
  return static_cast<double>(bits) * 0x1p-53;
}

/// An integer in [0, bound): the upper half of bits * bound. Each value's probability is off by less than 2^-64.
FLUXION_HOST_DEVICE constexpr std::uint64_t uniform_below(std::uint64_t bits, std::uint64_t bound) {
  const std::uint64_t low = 0xFFFFFFFFu;
  const std::uint64_t carry = (bits & low) * (bound & low) >> 32;
  const std::uint64_t middle0 = (bits >> 32) * (bound & low) + carry;
  const std::uint64_t middle1 = (bits & low) * (bound >> 32) + (middle0 & low);
  return (bits >> 32) * (bound >> 32) + (middle0 >> 32) + (middle1 >> 32);
}

/// Two independent standard normal numbers by Box and Muller, computed in float: within 4e-6 of the exact transform. The
/// radius uses all 32 bits, so that magnitudes reach 6.7.
FLUXION_HOST_DEVICE inline std::array<float, 2> normal_pair(std::uint32_t radius_bits, std::uint32_t angle_bits) {
  // Measured from the nearer end of (0, 1): a float next to 1 would leave few bits for a small radius.
  const bool upper_half = radius_bits >> 31 != 0;
  const float distance = (static_cast<float>(upper_half ? ~radius_bits : radius_bits) + 0.5f) * 0x1p-32f;
  const float radius = std::sqrt(-2.f * (upper_half ? std::log1p(-distance) : std::log(distance)));
  const float angle = 2.f * std::numbers::pi_v<float> * uniform_float(angle_bits);
  return {radius * std::cos(angle), radius * std::sin(angle)};
}

/// The same in double from a whole block, within 1e-14; magnitudes reach 8.6.
FLUXION_HOST_DEVICE inline std::array<double, 2> normal_pair(const PhiloxCounter& block) {
  const double radius = std::sqrt(-2. * std::log(1. - uniform_double(block[0], block[1])));
  const double angle = 2. * std::numbers::pi * uniform_double(block[2], block[3]);
  return {radius * std::cos(angle), radius * std::sin(angle)};
}

// ---- a value of a stream ----

/// How many numbers of type T one block makes: four floats or two doubles.
template <class T>
  requires(std::same_as<T, float> || std::same_as<T, double>)
inline constexpr std::size_t values_per_block = sizeof(PhiloxCounter) / sizeof(T);

/// All uniform numbers of one block.
template <class T>
FLUXION_HOST_DEVICE constexpr std::array<T, values_per_block<T>> uniform_values(const PhiloxCounter& block) {
  if constexpr (std::same_as<T, float>) {
    return {uniform_float(block[0]), uniform_float(block[1]), uniform_float(block[2]), uniform_float(block[3])};
  } else {
    return {uniform_double(block[0], block[1]), uniform_double(block[2], block[3])};
  }
}

/// All standard normal numbers of one block.
template <class T>
FLUXION_HOST_DEVICE inline std::array<T, values_per_block<T>> normal_values(const PhiloxCounter& block) {
  if constexpr (std::same_as<T, float>) {
    const std::array<float, 2> first = normal_pair(block[0], block[1]), second = normal_pair(block[2], block[3]);
    return {first[0], first[1], second[0], second[1]};
  } else {
    return normal_pair(block);
  }
}

/// Uniform number i in [0, 1) of the stream at `offset`; what `fill_uniform` writes at i.
template <class T>
FLUXION_HOST_DEVICE constexpr T random_uniform(PhiloxKey key, std::uint64_t offset, std::uint64_t i) {
  return uniform_values<T>(random_block(key, offset + i / values_per_block<T>))[i % values_per_block<T>];
}

/// Standard normal number i of the stream at `offset`; what `fill_normal` writes at i.
template <class T>
FLUXION_HOST_DEVICE inline T random_normal(PhiloxKey key, std::uint64_t offset, std::uint64_t i) {
  return normal_values<T>(random_block(key, offset + i / values_per_block<T>))[i % values_per_block<T>];
}

}  // namespace fluxion
