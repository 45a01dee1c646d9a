/// Scratch memory without a heap: a stack of blocks in one array.
#pragma once
#include "error.hpp"

#include <cstddef>

namespace fluxion {

/// A stack of 16-byte aligned blocks in an array of `Size` bytes. What does not fit is an error.
template <std::size_t Size>
class FixedArena {
 public:
  static constexpr std::size_t alignment = 16;

  /// A position to which the arena can be rolled back.
  struct mark {
    std::size_t offset;
  };

  constexpr FixedArena() = default;
  FixedArena(const FixedArena&) = delete;
  FixedArena& operator=(const FixedArena&) = delete;

  /// At least `bytes` bytes, uninitialised. Raises Error if they do not fit.
  std::byte* take(std::size_t bytes) {
    if (bytes > Size - offset_) raise<Error>("scratch memory: ", bytes, " bytes do not fit, ", offset_, " of ", Size, " are in use: define FLUXION_SCRATCH_BYTES");
    std::byte* const p = memory_ + offset_;
    const std::size_t end = (offset_ + bytes + alignment - 1) / alignment * alignment;
    offset_ = end < Size ? end : Size;
    if (offset_ > peak_) peak_ = offset_;
    return p;
  }

  mark position() const { return {offset_}; }
  void roll_back(mark m) { offset_ = m.offset; }

  /// Gives all memory back; nothing taken may be in use.
  void release() { offset_ = 0; }

  /// How often the system was asked for memory: never.
  std::size_t growths() const { return 0; }
  /// How many bytes were in use at most: what `Size` could be.
  std::size_t peak() const { return peak_; }

  static FixedArena& of_this_thread() {
    static constinit FLUXION_THREAD_LOCAL FixedArena arena;
    return arena;
  }

 private:
  alignas(alignment) std::byte memory_[Size]{};
  std::size_t offset_ = 0;
  std::size_t peak_ = 0;
};

}  // namespace fluxion
