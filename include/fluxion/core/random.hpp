/// Memory filled with random numbers, and random orders, from a Generator.
#pragma once
#include "error.hpp"
#include "generator.hpp"

#include <limits>
#include <span>
#include <utility>
#include <vector>

namespace fluxion {

namespace detail {

/// Writes `convert(v)` for each v of `values_of(block)`, block after block.
template <class T, class ValuesOf, class Convert>
constexpr void fill_by_blocks(std::span<T> target, Generator& generator, ValuesOf values_of, Convert convert) {
  constexpr std::size_t step = values_per_block<T>;
  const PhiloxKey key = generator.key();
  const std::uint64_t offset = generator.reserve(std::uint64_t{target.size()} * (sizeof(T) / sizeof(std::uint32_t)));
  for (std::size_t begin = 0; begin < target.size(); begin += step) {
    const auto values = values_of(random_block(key, offset + begin / step));
    const std::size_t left = target.size() - begin;
    for (std::size_t j = 0; j < (left < step ? left : step); ++j) target[begin + j] = convert(values[j]);
  }
}

template <class T>
constexpr void fill_uniform(std::span<T> values, Generator& generator, T low, T high) {
  const T width = high - low;
  if (!(width >= 0 && width <= std::numeric_limits<T>::max())) {
    raise<ValueError>("fill_uniform: low must not exceed high, and high - low must be finite");
  }
  fill_by_blocks(values, generator, uniform_values<T>, [&](T unit) {
    const T value = low + width * unit;
    return value < high ? value : low;  // rounding may reach high
  });
}

template <class T>
void fill_normal(std::span<T> values, Generator& generator, T mean, T stddev) {
  if (!(stddev >= 0)) raise<ValueError>("fill_normal: the standard deviation must not be negative");
  fill_by_blocks(values, generator, normal_values<T>, [&](T unit) { return mean + stddev * unit; });
}

}  // namespace detail

/// Fills with uniform numbers in [low, high); all equal to low if the two are equal. Throws ValueError if low > high.
constexpr void fill_uniform(std::span<float> values, Generator& generator, float low = 0, float high = 1) {
  detail::fill_uniform<float>(values, generator, low, high);
}
constexpr void fill_uniform(std::span<double> values, Generator& generator, double low = 0, double high = 1) {
  detail::fill_uniform<double>(values, generator, low, high);
}

/// Fills with normal numbers. Throws ValueError if the standard deviation is negative.
inline void fill_normal(std::span<float> values, Generator& generator, float mean = 0, float stddev = 1) {
  detail::fill_normal<float>(values, generator, mean, stddev);
}
inline void fill_normal(std::span<double> values, Generator& generator, double mean = 0, double stddev = 1) {
  detail::fill_normal<double>(values, generator, mean, stddev);
}

/// Puts the elements in random order (Fisher and Yates); every order is equally likely to within 2^-64 per element.
template <class T, std::size_t Extent>
constexpr void shuffle(std::span<T, Extent> values, Generator& generator) {
  if (values.size() < 2) return;
  const PhiloxKey key = generator.key();
  const std::uint64_t offset = generator.reserve(std::uint64_t{values.size() - 1} * 2);
  PhiloxCounter block{};
  for (std::size_t step = 0; step + 1 < values.size(); ++step) {
    const std::size_t word = step % 2 * 2;
    if (word == 0) block = random_block(key, offset + step / 2);
    const std::uint64_t bits = std::uint64_t{block[word]} << 32 | block[word + 1];
    const std::size_t last = values.size() - 1 - step;
    using std::swap;
    swap(values[last], values[static_cast<std::size_t>(uniform_below(bits, std::uint64_t{last} + 1))]);
  }
}

/// The numbers 0 to n - 1 in random order. Throws ValueError if n is negative.
inline std::vector<std::int64_t> permutation(std::int64_t n, Generator& generator) {
  if (n < 0) raise<ValueError>("permutation: n must not be negative, found ", n);
  std::vector<std::int64_t> values(static_cast<std::size_t>(n));
  std::int64_t next = 0;
  for (std::int64_t& value : values) value = next++;
  shuffle(std::span(values), generator);
  return values;
}

}  // namespace fluxion
