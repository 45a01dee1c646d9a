/// What a tensor is made of: its run-time extents, and its elements, in place or in a heap block.
#pragma once
#include "block.hpp"
#include "config.hpp"
#include "device.hpp"
#include "element_type.hpp"
#include "extents.hpp"
#include "shape.hpp"

#include <bit>
#include <cstring>
#include <utility>

namespace fluxion {

/// Asks a constructor to leave elements without a value.
struct uninitialized_t { explicit uninitialized_t() = default; };
inline constexpr uninitialized_t uninitialized{};

namespace detail {

template <class T, Extents E>
constexpr bool lives_in_place() {
  if constexpr (!E::is_static()) {
    return false;
  } else {
#if defined(FLUXION_NO_HEAP)
    return true;
#else
    return E::static_size() <= FLUXION_INLINE_BYTES / static_cast<index_t>(sizeof(T));
#endif
  }
}

/// The largest power of two up to 64 that wastes no space.
constexpr std::size_t in_place_alignment(std::size_t bytes, std::size_t least) {
  const std::size_t power = bytes & (~bytes + 1);
  const std::size_t wanted = power > block_alignment ? block_alignment : power;
  return wanted < least ? least : wanted;
}

}  // namespace detail

/// Elements and extents of a tensor, as a value. A device specialises it in its own header, without which a tensor on it
/// can be named but not made; on the CPU there are the two below.
template <Element T, Extents E, DeviceTag Device>
class Storage {
 public:
  static constexpr bool is_in_place = false;
  Storage() = delete;
};

/// In place: a plain array, trivially copyable, usable in constant evaluation.
template <Element T, Extents E>
  requires(detail::lives_in_place<T, E>())
class Storage<T, E, cpu_t> {
  static constexpr std::size_t count = E::static_size() == 0 ? 1 : static_cast<std::size_t>(E::static_size());

 public:
  static constexpr bool is_in_place = true;

  constexpr Storage() noexcept : elements_{} {}
  constexpr Storage(uninitialized_t, const E&, const char* = "") noexcept {}

  constexpr E extents() const noexcept { return {}; }
  constexpr T* data() noexcept { return elements_; }
  constexpr const T* data() const noexcept { return elements_; }
  constexpr T* data_for_view() noexcept { return elements_; }
  constexpr detail::ViewOrigin<T> origin() noexcept { return {}; }
  constexpr detail::ViewOrigin<const T> origin() const noexcept { return {}; }
  constexpr bool is_allocated() const noexcept { return true; }

 private:
  alignas(detail::in_place_alignment(count * sizeof(T), alignof(T))) T elements_[count];
};

/// In a heap block, of which the storage is the only writer. Empty tensors have none, nor have those that were moved from.
template <Element T, Extents E>
  requires(!detail::lives_in_place<T, E>())
class Storage<T, E, cpu_t> {
#if defined(FLUXION_NO_HEAP)
  static_assert(E::is_static(), "a tensor with run-time extents needs the heap, which FLUXION_NO_HEAP forbids");
#else
 public:
  static constexpr bool is_in_place = false;

  /// Dynamic extents are zero; static extents give zeros.
  Storage() {
    if constexpr (E::is_static()) {
      *this = Storage(uninitialized, E{});
      std::memset(block_->data(), 0, byte_size());
    }
  }
  /// Raises ShapeError naming the operation, or throws std::bad_alloc.
  Storage(uninitialized_t, const E& e, const char* operation = "tensor") : extents_(e) {
    const index_t size = detail::checked_size(e, sizeof(T), operation);
    if (size != 0) block_ = detail::allocate_block(static_cast<std::size_t>(size) * sizeof(T));
  }
  Storage(const Storage& other) : extents_(other.extents_) {
    if (!other.block_) return;
    block_ = detail::allocate_block(byte_size());
    std::memcpy(block_->data(), other.block_->data(), byte_size());
  }
  Storage(Storage&& other) noexcept
      : extents_(std::exchange(other.extents_, {})), block_(std::exchange(other.block_, nullptr)) {}
  /// Steals from a storage of other extents type, whose extents, as `E`, are `e`.
  template <Extents F>
  Storage(Storage<T, F, cpu_t>&& other, const E& e) noexcept : extents_(e), block_(other.release()) {}

  Storage& operator=(const Storage& other) {
    if (this == &other) return *this;
    if (block_ && other.block_ && byte_size() == other.byte_size()) {
      block_->note_write();
      extents_ = other.extents_;
      std::memcpy(block_->data(), other.block_->data(), byte_size());
      return *this;
    }
    return *this = Storage(other);
  }
  Storage& operator=(Storage&& other) noexcept {
    if (this == &other) return *this;
    // Whoever shares the old block keeps it, and can tell that the tensor has changed.
    if (block_) block_->note_write();
    detail::release_block(block_);
    extents_ = std::exchange(other.extents_, {});
    block_ = std::exchange(other.block_, nullptr);
    return *this;
  }
  ~Storage() { detail::release_block(block_); }

  E extents() const noexcept { return extents_.get(); }
  const T* data() const noexcept { return block_ ? static_cast<const T*>(block_->data()) : nullptr; }
  T* data() noexcept {
    if (!block_) return nullptr;
    block_->note_write();
    return static_cast<T*>(block_->data());
  }
  /// For views, which note themselves what is written through them.
  T* data_for_view() noexcept { return block_ ? static_cast<T*>(block_->data()) : nullptr; }
  detail::ViewOrigin<T> origin() noexcept { return detail::ViewOrigin<T>(block_); }
  detail::ViewOrigin<const T> origin() const noexcept { return detail::ViewOrigin<const T>(block_); }
  /// False for an empty tensor and for one of static extents that was moved from.
  bool is_allocated() const noexcept { return block_ != nullptr; }
  SharedBlock share() const noexcept { return SharedBlock(block_); }

  /// Gives up the block and leaves the storage empty.
  detail::block* release() noexcept {
    extents_ = {};
    return std::exchange(block_, nullptr);
  }

 private:
  std::size_t byte_size() const noexcept { return static_cast<std::size_t>(extents_.get().size()) * sizeof(T); }

  [[no_unique_address]] detail::stored_extents<E> extents_;
  detail::block* block_ = nullptr;
#endif
};

}  // namespace fluxion
