/// Splitting labelled examples into a part to train on and a part to test on.
#pragma once
#include "../core/error.hpp"
#include "../core/extents.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace fluxion {

/// Positions of examples, ascending; together each position once.
struct Split {
  std::vector<index_t> train;
  std::vector<index_t> test;
};

/// Splits examples so that of every class the same fraction, rounded to whole examples, is in the test part. Which ones is
/// chosen at random; equal arguments give equal splits on every machine. Throws ValueError unless 0 <= test_fraction <= 1.
inline Split stratified_split(std::span<const std::int64_t> labels, double test_fraction, std::uint64_t seed);

namespace detail {

/// SplitMix64 (Steele, Lea and Flood 2014).
class SplitMix {
 public:
  explicit SplitMix(std::uint64_t seed) : state_(seed) {}

  std::uint64_t operator()() {
    std::uint64_t z = state_ += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
  }

  /// A number below `bound`, each equally likely.
  std::uint64_t below(std::uint64_t bound) {
    // The draws above the last multiple of the bound would favour small numbers.
    const std::uint64_t limit = std::numeric_limits<std::uint64_t>::max() / bound * bound;
    std::uint64_t draw;
    do draw = (*this)();
    while (draw >= limit);
    return draw % bound;
  }

 private:
  std::uint64_t state_;
};

}  // namespace detail

inline Split stratified_split(std::span<const std::int64_t> labels, double test_fraction, std::uint64_t seed) {
  if (!(test_fraction >= 0 && test_fraction <= 1))
    raise<ValueError>("stratified_split: test_fraction " + std::to_string(test_fraction) + " is not between 0 and 1");
  std::map<std::int64_t, std::vector<index_t>> classes;
  for (std::size_t i = 0; i < labels.size(); ++i) classes[labels[i]].push_back(static_cast<index_t>(i));

  Split split;
  detail::SplitMix random(seed);
  for (auto& [label, members] : classes) {
    for (std::size_t left = members.size(); left > 1; --left)
      std::swap(members[left - 1], members[static_cast<std::size_t>(random.below(left))]);
    const auto count = static_cast<index_t>(std::floor(static_cast<double>(members.size()) * test_fraction + 0.5));
    split.test.insert(split.test.end(), members.begin(), members.begin() + count);
    split.train.insert(split.train.end(), members.begin() + count, members.end());
  }
  std::sort(split.train.begin(), split.train.end());
  std::sort(split.test.begin(), split.test.end());
  return split;
}

}  // namespace fluxion
