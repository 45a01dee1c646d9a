/// Scratch memory of a thread: taken in stack order, kept between calls, because page faults are dear.
#pragma once
#include "config.hpp"

#if defined(FLUXION_NO_HEAP)
#include "fixed_arena.hpp"
#endif

#include <cstddef>
#include <cstdint>
#include <new>

namespace fluxion {

#if defined(FLUXION_NO_HEAP)
using Arena = FixedArena<FLUXION_SCRATCH_BYTES>;
#else

/// A stack of 64-byte aligned blocks in chunks that grow and stay.
class Arena {
 public:
  static constexpr std::size_t alignment = 64;

  /// A position to which the arena can be rolled back.
  struct mark {
    int chunk;
    std::size_t offset;
  };

  Arena() = default;
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;
  ~Arena() { release(); }

  /// At least `bytes` bytes, uninitialised. Throws std::bad_alloc.
  std::byte* take(std::size_t bytes) {
    const std::size_t rounded = (bytes + alignment - 1) / alignment * alignment;
    if (rounded < bytes) throw_bad_alloc();
    if (current_ == count_ || chunk_[current_].size - offset_ < rounded) advance(rounded);
    std::byte* const p = chunk_[current_].data + offset_;
    offset_ += rounded;
    return p;
  }

  mark position() const { return {current_, offset_}; }
  void roll_back(mark m) {
    current_ = m.chunk;
    offset_ = m.offset;
  }

  /// Gives all memory back to the system; nothing taken may be in use.
  void release() {
    for (int i = 0; i < count_; ++i) ::operator delete(chunk_[i].data, std::align_val_t(alignment));
    count_ = current_ = 0;
    offset_ = 0;
  }

  /// Bytes that were taken from the system and not given back.
  std::size_t capacity() const {
    std::size_t bytes = 0;
    for (int i = 0; i < count_; ++i) bytes += chunk_[i].size;
    return bytes;
  }

  /// How often the system was asked for memory.
  std::size_t growths() const { return growths_; }

  static Arena& of_this_thread() {
    thread_local Arena arena;
    return arena;
  }

 private:
  struct chunk {
    std::byte* data;
    std::size_t size;
  };
  static constexpr int max_chunks = 48;

  [[noreturn]] static void throw_bad_alloc() {
#if FLUXION_HAS_EXCEPTIONS
    throw std::bad_alloc();
#else
    __builtin_trap();
#endif
  }

  /// Goes on to a chunk with room for `bytes` bytes.
  FLUXION_NO_INLINE void advance(std::size_t bytes) {
    while (current_ + 1 < count_) {
      ++current_;
      offset_ = 0;
      if (chunk_[current_].size >= bytes) return;
    }
    grow(bytes);
    offset_ = 0;
  }

  void grow(std::size_t bytes) {
    std::size_t size = count_ == 0 ? std::size_t{1} << 16 : 2 * chunk_[count_ - 1].size;
    if (size > (std::size_t{1} << 28)) size = std::size_t{1} << 28;
    if (size < bytes) size = bytes;
    if (count_ == max_chunks) throw_bad_alloc();
    chunk_[count_] = {static_cast<std::byte*>(::operator new(size, std::align_val_t(alignment))), size};
    current_ = count_++;
    ++growths_;
  }

  chunk chunk_[max_chunks]{};
  int count_ = 0;
  int current_ = 0;
  std::size_t offset_ = 0;
  std::size_t growths_ = 0;
};

#endif

/// Rolls the thread's arena back at the end of a scope.
class ArenaScope {
 public:
  ArenaScope() : arena_(Arena::of_this_thread()), mark_(arena_.position()) {}
  explicit ArenaScope(Arena& arena) : arena_(arena), mark_(arena.position()) {}
  ArenaScope(const ArenaScope&) = delete;
  ArenaScope& operator=(const ArenaScope&) = delete;
  ~ArenaScope() { arena_.roll_back(mark_); }

  template <class T>
  T* take(std::size_t count) {
    return reinterpret_cast<T*>(arena_.take(count * sizeof(T)));
  }

 private:
  Arena& arena_;
  Arena::mark mark_;
};

}  // namespace fluxion
