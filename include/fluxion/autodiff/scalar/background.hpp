/// What a recording of scalar statements has besides what a statement writes: scopes, inputs, adjoints, numbers of recordings.
#pragma once
#include "memory.hpp"
#include "watch.hpp"

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

namespace fluxion {

template <class T>
class ScalarTape;

namespace detail {

/// Statements of another kind that stand between the scalar ones: how they are swept, and how they are told that the scalar ones are forgotten.
template <class T>
struct OtherStatements {
  void (*sweep)(ScalarTape<T>&, bool retain_graph);
  void (*forget)();
};

/// Numbers of recordings tell variables apart, those of other threads too. 0 marks constants.
inline std::uint32_t take_recording_numbers(std::uint32_t count) {
  static std::atomic<std::uint32_t> next{0};
  return next.fetch_add(count, std::memory_order_relaxed);
}

template <class T>
struct ScalarTapeBackground {
  /// What there was where a scope began.
  struct Outer {
    ScalarCursor cursor;
    std::uint32_t inputs;
    std::uint32_t recording;
    bool isolated;  // the scope does not know what is outside
  };

  static constexpr std::uint64_t no_recording = std::numeric_limits<std::uint32_t>::max();

  ScalarChunks<T> chunks;
  AdjointArray<T> adjoints;
  ScalarWatches<T> watches;
  std::vector<Outer> outer;
  std::uint32_t inputs = 0;
  ScalarCursor swept;  // how far the sweep that is going on has come
  bool is_sweeping = false;
  std::size_t growths = 0;
  // Whose inputs can still be read although it was released, as long as no others take their place.
  std::uint32_t readable = 0;
  const OtherStatements<T>* others = nullptr;  // null where there are none

  ~ScalarTapeBackground();

  /// A number of which no other one has all the bits, so that numbers whose common bits are these are all this one: a count, and how many of its bits
  /// are 0 (Berger 1961). They come again after 2^27 recordings.
  std::uint32_t new_recording() {
    constexpr std::uint32_t block = 1024;
    if (++last_count_ % block == 0) last_count_ = take_recording_numbers(block);
    const std::uint32_t count = last_count_ & ((1u << 27) - 1);
    return count << 5 | static_cast<std::uint32_t>(27 - std::popcount(count));
  }
  /// Whether variables of a recording around the present one can be used in it.
  bool is_live(std::uint32_t recording) const {
    for (std::size_t i = outer.size(); i-- > 0 && !outer[i].isolated;)
      if (outer[i].recording == recording) return true;
    return false;
  }
  bool is_isolated() const {
    return std::any_of(outer.begin(), outer.end(), [](const Outer& o) { return o.isolated; });
  }
  /// The recording of the next scope around, 0 if there is none.
  std::uint32_t enclosing() const { return outer.empty() || outer.back().isolated ? 0 : outer.back().recording; }
  /// Where a sweep ends.
  ScalarCursor floor() const {
    for (std::size_t i = outer.size(); i-- > 0;)
      if (outer[i].isolated) return outer[i].cursor;
    return {};
  }
  void forget_others() {
    if (const auto* const former = std::exchange(others, nullptr)) former->forget();
  }

 private:
  std::uint32_t last_count_ = 1023;  // the last one of a block
};

}  // namespace detail
}  // namespace fluxion
