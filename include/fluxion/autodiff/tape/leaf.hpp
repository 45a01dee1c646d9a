/// Leaves: values that nothing on a tape computed, counted by their uses. Variables of one's own, and what is computed without recording.
#pragma once
#include "../../core/block.hpp"
#include "../../tensor/tensor.hpp"
#include "../tape.hpp"

#include <atomic>
#include <new>
#include <optional>
#include <utility>

namespace fluxion::detail {

/// A leaf of any type. Its memory is a recycled block, so that loops that make leaves allocate nothing.
struct OwnedNode : TapeNode {
  explicit OwnedNode(block* memory) : memory(memory) { is_leaf = true; }

  void add_use() noexcept {
    if (is_single_threaded()) uses.store(uses.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    else uses.fetch_add(1, std::memory_order_relaxed);
  }
  void drop_use() noexcept {
    const std::size_t now = uses.load(std::memory_order_acquire);
    if (now == 1) return end();
    if (is_single_threaded()) uses.store(now - 1, std::memory_order_relaxed);
    else if (uses.fetch_sub(1, std::memory_order_acq_rel) == 1) end();
  }
  FLUXION_NO_INLINE void end() noexcept {
    block* const own = memory;
    this->~OwnedNode();
    release_block(own);
  }

  std::atomic<std::size_t> uses{1};
  block* memory;
};

template <class T, class E>
struct LeafNode final : OwnedNode {
  using tensor_type = Tensor<T, E>;

  LeafNode(block* memory, tensor_type&& elements, bool wants_gradient) : OwnedNode(memory), tensor(std::move(elements)) {
    set_extents(tensor.extents());
    type = element_type_of<T>;
    requires_grad = wants_gradient;
    is_inference = autograd_state.inference;
    value = reinterpret_cast<std::byte*>(tensor.data());
  }

  /// The gradient, zeros if there is none.
  tensor_type& grad() {
    if (!has_gradient) {
      allocate_gradient();
      gradient->fill(T(0));
      has_gradient = true;
    }
    return *gradient;
  }
  GradientTarget gradient_target() override {
    allocate_gradient();
    forget_recorded_gradient(*this);
    return {reinterpret_cast<std::byte*>(gradient->data()), !std::exchange(has_gradient, true)};
  }
  void zero_grad() {
    has_gradient = false;
    forget_recorded_gradient(*this);
  }

  tensor_type tensor;
  std::optional<tensor_type> gradient;
  bool has_gradient = false;

 private:
  void allocate_gradient() {
    if (!gradient) gradient.emplace(uninitialized, tensor.extents());
  }
};

/// A new leaf with these elements.
template <class T, class E>
NodeHandle make_leaf(Tensor<T, E>&& elements, bool requires_grad, const SourceLocation& where) {
  using node = LeafNode<T, E>;
  block* const memory = allocate_block(sizeof(node));
  auto* const leaf = ::new (memory->data()) node(memory, std::move(elements), requires_grad);
  leaf->where = where;
  return NodeHandle(leaf);
}

/// The gradient that `retain_grad` keeps.
template <class T, class E>
struct RetainedTensor final : RetainedGradient {
  explicit RetainedTensor(const E& e) : gradient(uninitialized, e) { gradient.fill(T(0)); }
  GradientTarget target() override { return {reinterpret_cast<std::byte*>(gradient.data()), !std::exchange(has_gradient, true)}; }
  Tensor<T, E> gradient;
  bool has_gradient = false;
};

/// A value in memory of its own is given back when neither a variable nor a statement needs it: each use is a handle of the node.
FLUXION_COLD inline void drop_value_use(TapeNode& x) noexcept {
  if (--x.value_uses != 0 || !x.own_value) return;
  release_block(std::exchange(x.own_value, nullptr));
  x.value = nullptr;
}

/// Keeps such a value as long as its tape, for what refers to it without a handle.
inline void pin_value(TapeNode& x) noexcept {
  if (x.own_value) [[unlikely]] ++x.value_uses;
}

FLUXION_ALWAYS_INLINE void NodeHandle::retain() noexcept {
  if (epoch_ == 0) {
    if (node_) static_cast<OwnedNode*>(node_)->add_use();
  } else if (Tape* const tape = Tape::find(epoch_)) {
    tape->add_handle();
    if (node_->own_value) [[unlikely]] ++node_->value_uses;
  }
}
FLUXION_ALWAYS_INLINE void NodeHandle::drop() noexcept {
  if (epoch_ == 0) static_cast<OwnedNode*>(node_)->drop_use();
  else if (Tape* const tape = Tape::find(epoch_)) {
    tape->drop_handle();
    if (node_->own_value) [[unlikely]] drop_value_use(*node_);
  }
}

/// A use of a leaf, or of a node of this tape.
inline NodeHandle handle_of(TapeNode& node, Tape& tape) noexcept {
  if (!node.is_leaf) return NodeHandle(&node, tape);
  static_cast<OwnedNode&>(node).add_use();
  return NodeHandle(&node);
}

}  // namespace fluxion::detail
