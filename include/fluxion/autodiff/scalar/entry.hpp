/// How a scalar variable is known to the recording, and how a statement writes its entries.
#pragma once
#include "memory.hpp"

#include <cstddef>
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
  FLUXION_ALWAYS_INLINE constexpr explicit ScalarPlace(std::uint64_t word) : word_(word) {}
  constexpr ScalarPlace(std::int32_t index, std::uint32_t recording) : word_(std::uint64_t{recording} << 32 | static_cast<std::uint32_t>(index)) {}
  FLUXION_ALWAYS_INLINE constexpr std::int32_t index() const { return static_cast<std::int32_t>(static_cast<std::uint32_t>(word_)); }
  FLUXION_ALWAYS_INLINE constexpr std::uint32_t recording() const { return static_cast<std::uint32_t>(word_ >> 32); }
  FLUXION_ALWAYS_INLINE constexpr std::uint64_t word() const { return word_; }
  FLUXION_ALWAYS_INLINE constexpr bool is_active() const { return word_ != 0; }

 private:
  std::uint64_t word_ = 0;
};

/// Where a statement writes its entries, one for each operand.
template <class T>
struct EntryWriter {
  std::byte* const to;
  std::uint64_t common = ~std::uint64_t{};  // bits that the operands' words have in common
  std::uint32_t count = 0;

  FLUXION_ALWAYS_INLINE void add(const T& by, const ScalarPlace& operand) {
    write_entry(to + count * entry_bytes<T>, by, operand.index());
    common &= operand.word();
    ++count;
  }
};

/// The bits of all operands' words together.
struct OperandBits {
  std::uint64_t bits = 0;

  FLUXION_ALWAYS_INLINE void add(const auto&, const ScalarPlace& operand) { bits |= operand.word(); }
};

/// Where a statement writes its entries if some operands are constants. No branches, as it is not easy to guess which ones they are.
template <class T>
struct ActiveEntryWriter {
  std::byte* to;
  std::uint32_t count = 0;

  FLUXION_ALWAYS_INLINE void add(const T& by, const ScalarPlace& operand) {
    write_entry(to, by, operand.index());
    to += operand.is_active() ? entry_bytes<T> : 0;
    count += operand.is_active();
  }
};

/// The same where some operands are of another recording. Raises ValueError if it cannot be used here.
template <class T>
struct AdmittedEntryWriter : ActiveEntryWriter<T> {
  ScalarTape<T>& tape;

  FLUXION_ALWAYS_INLINE void add(const T& by, const ScalarPlace& operand) {
    if (operand.is_active()) tape.admit(operand.recording());
    ActiveEntryWriter<T>::add(by, operand);
  }
};

}  // namespace detail
}  // namespace fluxion
