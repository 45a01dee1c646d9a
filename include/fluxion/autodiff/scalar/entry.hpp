/// How a scalar variable is known to the recording, and how a statement writes its entries.
#pragma once
#include "../../core/config.hpp"

#include <cstdint>

namespace fluxion {

template <class T>
class ScalarTape;

namespace detail {

/// The index of a variable and the number of the recording that it belongs to, 0 for a constant. One word: read in other pieces than it was written
/// in, it would wait for the memory.
class ScalarPlace {
 public:
  constexpr ScalarPlace() = default;
  FLUXION_ALWAYS_INLINE constexpr ScalarPlace(std::int32_t index, std::uint64_t recording_in_upper_half)
      : word_(recording_in_upper_half | static_cast<std::uint32_t>(index)) {}
  FLUXION_ALWAYS_INLINE constexpr std::int32_t index() const { return static_cast<std::int32_t>(static_cast<std::uint32_t>(word_)); }
  FLUXION_ALWAYS_INLINE constexpr std::uint32_t recording() const { return static_cast<std::uint32_t>(word_ >> 32); }
  /// Below 2^32 for a variable of the recording, which is given in the upper half.
  FLUXION_ALWAYS_INLINE constexpr std::uint64_t difference(std::uint64_t recording) const { return word_ ^ recording; }
  FLUXION_ALWAYS_INLINE constexpr bool is_active() const { return word_ != 0; }

 private:
  std::uint64_t word_ = 0;
};

/// Where a statement writes its entries if all of its operands are active and of this recording, which is the rule: at fixed places.
template <class T>
struct EntryWriter {
  T* const partial;
  std::int32_t* const index;
  const std::uint64_t recording;
  std::uint64_t difference = 0;
  std::uint32_t count = 0;

  FLUXION_ALWAYS_INLINE bool others() const { return difference >> 32 != 0; }

  FLUXION_ALWAYS_INLINE void add(const T& by, const ScalarPlace& operand) {
    partial[count] = by;
    index[count] = operand.index();
    difference |= operand.difference(recording);
    ++count;
  }
};

/// The same for operands some of which are constants or of the scope around this one. No branches: whether an operand is active is not easy to guess.
template <class T>
struct SelectiveEntryWriter {
  T* const partial;
  std::int32_t* const index;
  const std::uint32_t recording, enclosing;
  bool others = false;
  std::uint32_t count = 0;

  FLUXION_ALWAYS_INLINE void add(const T& by, const ScalarPlace& operand) {
    partial[count] = by;
    index[count] = operand.index();
    const bool is_active = operand.is_active();
    others |= is_active & (operand.recording() != recording) & (operand.recording() != enclosing);
    count += is_active;
  }
};

/// Asks of each operand whether it may be used.
template <class T>
struct OperandCheck {
  ScalarTape<T>& tape;

  void add(const T&, const ScalarPlace& operand) {
    if (operand.is_active()) tape.check_live(operand.recording());
  }
};

}  // namespace detail
}  // namespace fluxion
