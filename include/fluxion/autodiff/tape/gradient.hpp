/// A backward pass: where each gradient goes, how gradients of one value are added, and when hooks are called.
#pragma once
#include "../../core/arena.hpp"
#include "leaf.hpp"
#include "parameter_state.hpp"

#include <cstddef>
#include <cstring>
#include <new>
#include <utility>
#include <vector>

namespace fluxion::detail {

/// A value whose gradient is wanted instead of those of all leaves.
struct Capture {
  const void* source = nullptr;  // a node or a parameter
  std::byte* memory = nullptr;   // where the gradient is put
  bool found = false;
  TapeNode* recorded = nullptr;  // the gradient as a recorded value, under create_graph
};

/// to += from, or to = from. Where `to` has extent 1 and `from` a larger one, as a broadcast value has, it is added up.
template <class T>
void add_elements(T* to, const index_t* to_extents, const T* from, const index_t* from_extents, int rank, bool overwrite) {
  index_t size = 1, own = 1;
  for (int axis = 0; axis < rank; ++axis) {
    size *= from_extents[axis];
    own *= to_extents[axis];
  }
  if (size == own) {
    if (overwrite) std::memcpy(to, from, static_cast<std::size_t>(size) * sizeof(T));
    else
      for (index_t i = 0; i < size; ++i) to[i] += from[i];
    return;
  }
  if (overwrite)
    for (index_t i = 0; i < own; ++i) to[i] = T(0);
  index_t at[max_rank]{}, stride[max_rank]{};
  for (index_t axis = rank, s = 1; axis-- > 0; s *= to_extents[axis]) stride[axis] = to_extents[axis] == 1 ? 0 : s;
  for (index_t n = 0; n < size; ++n) {
    index_t offset = 0;
    for (int axis = 0; axis < rank; ++axis) offset += at[axis] * stride[axis];
    to[offset] += from[n];
    for (int axis = rank; axis-- > 0;) {
      if (++at[axis] < from_extents[axis]) break;
      at[axis] = 0;
    }
  }
}
inline void add_elements(element_type type, std::byte* to, const index_t* to_extents, const std::byte* from, const index_t* from_extents, int rank,
                         bool overwrite) {
  if (to == nullptr) return;
  if (type == element_type::float32)
    add_elements(reinterpret_cast<float*>(to), to_extents, reinterpret_cast<const float*>(from), from_extents, rank, overwrite);
  else add_elements(reinterpret_cast<double*>(to), to_extents, reinterpret_cast<const double*>(from), from_extents, rank, overwrite);
}

/// A value of the tape that nothing computed, in memory that exists already.
inline NodeHandle make_input(Tape& tape, const TapeNode& like, std::byte* data, bool requires_grad) {
  auto* const input = ::new (static_cast<void*>(tape.take(sizeof(InputNode)))) InputNode;
  input->type = like.type;
  input->rank = like.rank;
  for (int axis = 0; axis < like.rank; ++axis) input->extent[axis] = like.extent[axis];
  input->value = data;
  input->requires_grad = requires_grad;
  input->where = like.where;
  return NodeHandle(input, tape);
}

/// How gradients are recorded, under create_graph; in tape/call.hpp.
struct GraphRecorder {
  void (*record)(Sweep&, TapeNode&) = nullptr;  // the gradients of a node
  TapeNode& (*sum)(Tape&, TapeNode& a, TapeNode& b) = nullptr;
};

/// The gradient that was recorded for a leaf, or for a value that retains it.
inline const NodeHandle& recorded_gradient(const TapeNode& x) {
  if (!x.extras || !x.extras->recorded.is_live())
    raise<ValueError>("recorded_grad: the last backward did not record a gradient; call backward({.create_graph = fx::create_graph})");
  return x.extras->recorded;
}

/// One backward pass over a tape.
class Sweep {
 public:
  /// All leaves get their gradients. With a recorder gradients are recorded.
  explicit Sweep(Tape& tape, const GraphRecorder& recorder = {}) : tape_(&tape), recorder_(recorder) {}
  /// Only what is captured gets its gradient.
  Sweep(Tape& tape, Capture* captures, int count, const GraphRecorder& recorder)
      : tape_(&tape), captures_(captures), capture_count_(count), captures_only_(true), recorder_(recorder) {}
  /// A pass inside another one, on a tape of its own.
  Sweep(Tape& tape, Sweep& outer)
      : tape_(&tape), outer_(&outer), captures_(outer.captures_), capture_count_(outer.capture_count_), captures_only_(outer.captures_only_) {}
  Sweep(const Sweep&) = delete;
  Sweep& operator=(const Sweep&) = delete;
  ~Sweep() {
    for (TapeNode* leaf : pending_) forget_adjoint(*leaf);
  }

  Tape& tape() const { return *tape_; }
  bool creates_graph() const { return recorder_.record != nullptr; }
  /// Whether only what is captured gets its gradient.
  bool is_capturing() const { return captures_only_; }

  /// Where the gradient of a node of this tape or of a leaf goes.
  GradientTarget target_of(TapeNode& x) {
    if (!x.requires_grad) return {};
    if (x.is_leaf) return target_of_leaf(x);
    return adjoint_of(x);
  }
  /// Where that of a parameter goes.
  template <class P>
    requires(!std::is_base_of_v<TapeNode, P>)
  GradientTarget target_of(const P& x) {
    if (!x.requires_grad()) return {};
    if (ParameterState* const state = x.tape_state()) return target_of_leaf(state->node());
    if (captures_only_) {
      Capture* const c = capture_of(&x);
      return c ? GradientTarget{c->memory, !std::exchange(c->found, true)} : GradientTarget{};
    }
    if (!x.has_grad()) return {reinterpret_cast<std::byte*>(x.overwrite_grad().data()), true};
    return {reinterpret_cast<std::byte*>(x.grad().data()), false};
  }

  /// Adds a gradient that has been computed.
  template <class X>
  void add(X& x, const std::byte* from, const index_t* from_extents) {
    if constexpr (std::is_base_of_v<TapeNode, X>) {
      const GradientTarget target = target_of(x);
      add_elements(x.type, target.memory, x.extent, from, from_extents, x.rank, target.overwrite);
    } else {
      const GradientTarget target = target_of(x);
      const auto extents = x.extents().to_array();
      add_elements(element_type_of<typename X::value_type>, target.memory, extents.data(), from, from_extents, x.rank(), target.overwrite);
    }
  }

  /// Under create_graph: whether anything asks for the gradient of a node, or of a leaf or a parameter.
  bool wants(const TapeNode* node, const void* source) const { return !captures_only_ || (node && !node->is_leaf) || capture_of(source); }
  /// Under create_graph: adds to the gradient of a leaf or a node.
  void deliver(TapeNode& x, TapeNode& gradient) {
    if (x.is_leaf && !x.adjoint_node) pending_.push_back(&x);
    x.has_adjoint = true;
    x.adjoint_node = x.adjoint_node ? &recorder_.sum(*tape_, *x.adjoint_node, gradient) : &gradient;
  }

  /// Under create_graph: visits what was recorded during the pass, from `last` to behind `before`.
  void visit_recorded(TapeNode* last, const TapeNode* before) {
    for (TapeNode* node = last; node != before; node = node->previous)
      if (std::exchange(node->has_adjoint, false)) visit(*node);
  }

  /// Keeps a node until the pass is over.
  void keep(const NodeHandle& node) { kept_.push_back(node); }

  /// The capture of a node or a parameter, or null.
  Capture* capture_of(const void* source) const {
    for (int k = 0; k < capture_count_; ++k)
      if (captures_[k].source == source) return &captures_[k];
    return nullptr;
  }

  /// Runs the pass. What was recorded is released at its end unless it is retained.
  void run(bool retain_graph) {
    const AutoGradMode mode(creates_graph());
    tape_->sweep([this](TapeNode& node) { visit(node); },
                 [this] {
                   for (; !pending_.empty(); pending_.pop_back()) finish_leaf(*pending_.back());
                 },
                 retain_graph);
  }

 private:
  GradientTarget adjoint_of(TapeNode& x) {
    if (!x.adjoint) x.adjoint = tape_->take(x.bytes());
    return {x.adjoint, !std::exchange(x.has_adjoint, true)};
  }
  GradientTarget target_of_leaf(TapeNode& x) {
    if (x.extras && (x.extras->tensor_hooks.any() || x.extras->accumulated.any())) {
      // The hooks see the sum of what this pass and those around it find.
      if (outer_) return outer_->target_of_leaf(x);
      if (!x.has_adjoint) {
        pending_.push_back(&x);
        x.adjoint = tape_->take(x.bytes());
      }
      return adjoint_of(x);
    }
    if (!captures_only_) return x.gradient_target();
    Capture* const c = capture_of(x.source());
    return c ? GradientTarget{c->memory, !std::exchange(c->found, true)} : GradientTarget{};
  }

  void visit(TapeNode& node) {
    if (node.extras) call_tensor_hooks(node);
    if (captures_only_)
      if (Capture* const c = capture_of(&node)) {
        c->found = true;
        c->recorded = node.adjoint_node;
        if (c->memory && !creates_graph()) std::memcpy(c->memory, node.adjoint, node.bytes());
      }
    if (creates_graph()) {
      if (!node.record_backward(*this)) recorder_.record(*this, node);
      return;
    }
    if (node.extras) {
      const AnyGradient output{node.adjoint, node.type, node.rank, node.extent};
      node.extras->before.each([&](NodeHook& hook) { hook.call(output, nullptr, 0); });
    }
    node.backward(*this);
  }
  FLUXION_COLD void call_tensor_hooks(TapeNode& node) {
    node.extras->tensor_hooks.each([&](TensorHook& hook) { hook.call(*this, node); });
    if (!node.extras->retained || captures_only_) return;
    if (creates_graph()) return keep_recorded(node, node.extras->retained->target());
    forget_recorded_gradient(node);
    const GradientTarget target = node.extras->retained->target();
    add_elements(node.type, target.memory, node.extent, node.adjoint, node.extent, node.rank, target.overwrite);
  }
  /// All gradients of a leaf with hooks are added up: the hooks see the sum. So are those that are recorded.
  FLUXION_COLD void finish_leaf(TapeNode& leaf) {
    if (leaf.extras) leaf.extras->tensor_hooks.each([&](TensorHook& hook) { hook.call(*this, leaf); });
    Capture* const c = captures_only_ ? capture_of(leaf.source()) : nullptr;
    if (creates_graph()) {
      if (!captures_only_) keep_recorded(leaf, {});
      else if (c) c->recorded = leaf.adjoint_node, c->found = true;
    } else {
      GradientTarget target;
      if (!captures_only_) target = leaf.gradient_target();
      else if (c) target = {c->memory, !std::exchange(c->found, true)};
      add_elements(leaf.type, target.memory, leaf.extent, leaf.adjoint, leaf.extent, leaf.rank, target.overwrite);
    }
    forget_adjoint(leaf);
    if (leaf.extras && !captures_only_) leaf.extras->accumulated.each([&](TensorHook& hook) { hook.call(*this, leaf); });
  }
  /// Adds a recorded gradient to the kept one. That remains the value of a recorded one: what was accumulated without recording is a constant.
  void keep_recorded(TapeNode& x, GradientTarget target) {
    NodeHandle former = extras_of(x).recorded;
    TapeNode* total = x.adjoint_node;
    if (x.is_leaf) target = x.gradient_target();
    if (!target.overwrite) {
      if (former.get() && former.is_live() && !former.is_recording(*tape_) && former.epoch() != tape_->epoch())
        raise<ValueError>("backward: a gradient was recorded on another tape and cannot be added to; call zero_grad() first");
      if (!former.get() || !former.is_live() || !former.is_recording(*tape_)) former = constant(x, target.memory);
      total = &recorder_.sum(*tape_, *former.get(), *total);
    }
    std::memcpy(target.memory, total->value, x.bytes());
    set_recorded_gradient(x, handle_of(*total, *tape_));
  }
  /// A copy of elements as a value of the tape.
  NodeHandle constant(const TapeNode& like, const std::byte* elements) {
    std::byte* const copy = tape_->take(like.bytes());
    std::memcpy(copy, elements, like.bytes());
    return make_input(*tape_, like, copy, false);
  }
  static void forget_adjoint(TapeNode& leaf) {
    leaf.has_adjoint = false;
    leaf.adjoint = nullptr;
    leaf.adjoint_node = nullptr;
  }

  Tape* tape_;
  Sweep* outer_ = nullptr;
  Capture* captures_ = nullptr;
  int capture_count_ = 0;
  bool captures_only_ = false;
  GraphRecorder recorder_;
  std::vector<TapeNode*> pending_;  // leaves whose gradients are seen by hooks or recorded
  std::vector<NodeHandle> kept_;
};

}  // namespace fluxion::detail
