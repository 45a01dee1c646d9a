/// Heap blocks of tensors: one allocation each, 64-byte aligned, with a use count and a version, recycled per thread.
#pragma once
#include "config.hpp"
#include "error.hpp"

#include <atomic>
#include <bit>
#include <cstddef>
#include <limits>
#include <new>
#include <utility>

#if FLUXION_HAS_SINGLE_THREADED
#include <sys/single_threaded.h>
#endif

namespace fluxion {

/// The alignment of every heap block, in bytes: a cache line, and the widest packet.
inline constexpr std::size_t block_alignment = 64;

#if !defined(FLUXION_NO_HEAP)
namespace detail {

/// Whether no other thread can be counting: an atomic increment costs twenty times a plain one.
inline bool is_single_threaded() noexcept {
#if FLUXION_HAS_SINGLE_THREADED
  return __libc_single_threaded != 0;
#else
  return false;
#endif
}

/// The header; the elements follow it.
struct alignas(block_alignment) block {
  std::atomic<std::size_t> uses{1};
  std::atomic<std::size_t> version{0};
  std::size_t bytes = 0;
  block* next = nullptr;

  void* data() noexcept { return this + 1; }
  const void* data() const noexcept { return this + 1; }

  void add_use() noexcept {
    if (is_single_threaded()) uses.store(uses.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    else uses.fetch_add(1, std::memory_order_relaxed);
  }
  /// Whether that was the last use.
  bool drop_use() noexcept {
    const std::size_t now = uses.load(std::memory_order_acquire);
    if (now == 1) return true;  // the only owner needs no read-modify-write
    if (!is_single_threaded()) return uses.fetch_sub(1, std::memory_order_acq_rel) == 1;
    uses.store(now - 1, std::memory_order_relaxed);
    return false;
  }

  /// To be called before elements are written. Costs one relaxed load when nobody else watches.
  void note_write() noexcept {
    if (uses.load(std::memory_order_relaxed) != 1) version.fetch_add(1, std::memory_order_relaxed);
  }
};

// Recycling would hide use after free from the sanitizers.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool recycles_blocks = false;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(memory_sanitizer) || __has_feature(thread_sanitizer)
inline constexpr bool recycles_blocks = false;
#else
inline constexpr bool recycles_blocks = true;
#endif
#else
inline constexpr bool recycles_blocks = true;
#endif

/// Bytes that one thread keeps at most.
inline constexpr std::size_t recycled_bytes_limit = std::size_t{64} << 20;

/// Sizes are rounded up to a quarter of a power of two, so at most a fifth of a block is unused.
struct size_class {
  std::size_t bytes;
  int index;
};
constexpr size_class size_class_of(std::size_t bytes) {
  const std::size_t lines = bytes == 0 ? 1 : (bytes + block_alignment - 1) / block_alignment;
  if (lines <= 4) return {lines * block_alignment, static_cast<int>(lines) - 1};
  const int shift = static_cast<int>(std::bit_width(lines - 1)) - 3;
  const std::size_t quarter = (lines - 1) >> shift;
  return {((quarter + 1) << shift) * block_alignment, 4 * shift + static_cast<int>(quarter)};
}
inline constexpr int size_class_count = size_class_of(recycled_bytes_limit).index + 1;

/// One thread's free blocks. Plain data, so that it outlives every object that may still free a block.
struct recycler {
  block* free[size_class_count];
  std::size_t bytes;
  bool registered;
  bool closed;
};
inline constinit thread_local recycler this_thread_recycler{};

inline void return_to_system(block* b) noexcept {
  b->~block();
  ::operator delete(static_cast<void*>(b), std::align_val_t{block_alignment});
}

inline void release_recycled_blocks() noexcept {
  recycler& r = this_thread_recycler;
  for (block*& head : r.free)
    while (head) return_to_system(std::exchange(head, head->next));
  r.bytes = 0;
}

struct recycler_closer {
  ~recycler_closer() {
    release_recycled_blocks();
    this_thread_recycler.closed = true;
  }
};
FLUXION_NO_INLINE inline void register_recycler() noexcept {
  static thread_local recycler_closer closer;
  static_cast<void>(closer);
  this_thread_recycler.registered = true;
}

[[noreturn]] inline void raise_out_of_memory() {
#if FLUXION_HAS_EXCEPTIONS
  throw std::bad_alloc();
#else
  raise("out of memory");
#endif
}

/// A block with room for `bytes`, used once. Throws std::bad_alloc.
inline block* allocate_block(std::size_t bytes) {
  const size_class wanted = size_class_of(bytes);
  const bool small = wanted.bytes <= recycled_bytes_limit;
  recycler& r = this_thread_recycler;
  if (recycles_blocks && small) {
    if (block* b = r.free[wanted.index]) {
      r.free[wanted.index] = b->next;
      r.bytes -= b->bytes;
      b->uses.store(1, std::memory_order_relaxed);
      b->version.store(0, std::memory_order_relaxed);
      return b;
    }
  }
  const std::size_t total = sizeof(block) + wanted.bytes;
  void* memory = ::operator new(total, std::align_val_t{block_alignment}, std::nothrow);
  if (!memory && r.bytes != 0) {
    release_recycled_blocks();
    memory = ::operator new(total, std::align_val_t{block_alignment}, std::nothrow);
  }
  if (!memory) raise_out_of_memory();
  block* b = ::new (memory) block;
  b->bytes = wanted.bytes;
  return b;
}

/// Takes back a block that nobody uses any more.
inline void recycle_block(block* b) noexcept {
  recycler& r = this_thread_recycler;
  if (!recycles_blocks || b->bytes > recycled_bytes_limit || r.closed) return return_to_system(b);
  if (!r.registered) register_recycler();
  // Full: the sizes kept so far are no longer the ones in use.
  if (r.bytes + b->bytes > recycled_bytes_limit) release_recycled_blocks();
  const int index = size_class_of(b->bytes).index;
  b->next = r.free[index];
  r.free[index] = b;
  r.bytes += b->bytes;
}

inline void release_block(block* b) noexcept {
  if (b && b->drop_use()) recycle_block(b);
}

}  // namespace detail

/// A share in a tensor's block, as lazy expressions keep it: the elements live at least as long, and it can be told whether
/// the tensor was accessed for writing since. Copying increments an atomic count.
class SharedBlock {
 public:
  SharedBlock() noexcept = default;
  explicit SharedBlock(detail::block* b) noexcept : block_(b) {
    if (!b) return;
    b->add_use();
    version_ = b->version.load(std::memory_order_relaxed);
  }
  SharedBlock(const SharedBlock& other) noexcept : block_(other.block_), version_(other.version_) {
    if (block_) block_->add_use();
  }
  SharedBlock(SharedBlock&& other) noexcept
      : block_(std::exchange(other.block_, nullptr)), version_(other.version_) {}
  SharedBlock& operator=(SharedBlock other) noexcept {
    std::swap(block_, other.block_);
    std::swap(version_, other.version_);
    return *this;
  }
  ~SharedBlock() { detail::release_block(block_); }

  /// The first element, or null for an empty tensor.
  template <class T>
  const T* data() const noexcept {
    return block_ ? static_cast<const T*>(block_->data()) : nullptr;
  }
  /// The version of the block when it was shared.
  std::size_t version() const noexcept { return version_; }
  /// Whether the tensor was accessed for writing, assigned to, or re-allocated since it was shared.
  bool changed() const noexcept { return block_ && block_->version.load(std::memory_order_relaxed) != version_; }
  /// Whether both are shares in one block.
  friend bool operator==(const SharedBlock& a, const SharedBlock& b) noexcept { return a.block_ == b.block_; }

 private:
  detail::block* block_ = nullptr;
  std::size_t version_ = 0;
};
#endif

namespace detail {

/// Whose elements a view refers to, so that writing through it is noticed, and so that whoever keeps the view can tell whether the tensor was
/// written. Nobody, if the elements live in place or are borrowed.
template <class T>
class ViewOrigin {
 public:
  constexpr ViewOrigin() noexcept = default;
#if defined(FLUXION_NO_HEAP)
  constexpr void note_write() const noexcept {}
#else
  constexpr explicit ViewOrigin(block* b) noexcept : block_(b) {}
  constexpr void note_write() const noexcept {
    if (block_) block_->note_write();
  }
  SharedBlock share() const noexcept { return SharedBlock(block_); }

 private:
  friend class ViewOrigin<const T>;
  block* block_ = nullptr;
#endif
};
template <class T>
class ViewOrigin<const T> {
 public:
  constexpr ViewOrigin() noexcept = default;
  constexpr void note_write() const noexcept {}
#if defined(FLUXION_NO_HEAP)
  constexpr ViewOrigin(const ViewOrigin<T>&) noexcept {}
#else
  constexpr explicit ViewOrigin(block* b) noexcept : block_(b) {}
  constexpr ViewOrigin(const ViewOrigin<T>& other) noexcept : block_(other.block_) {}
  SharedBlock share() const noexcept { return SharedBlock(block_); }

 private:
  block* block_ = nullptr;
#endif
};

}  // namespace detail
}  // namespace fluxion
