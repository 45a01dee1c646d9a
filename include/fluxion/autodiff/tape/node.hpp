/// What the tape consists of: a node for each recorded statement, with its value and the adjoint of it.
#pragma once
#include "../../core/block.hpp"
#include "../../core/element_type.hpp"
#include "../../core/error.hpp"
#include "../../core/extents.hpp"
#include "../../core/layout.hpp"
#include "../../graph/call.hpp"

#include <array>
#include <cstddef>
#include <memory>
#include <utility>

namespace fluxion {

/// A line of the user's source. (Not std::source_location, which clang 14 lacks.)
struct SourceLocation {
  const char* file = "";
  int line = 0;
  static constexpr SourceLocation current(const char* file = __builtin_FILE(), int line = __builtin_LINE()) { return {file, line}; }
};

class Tape;

namespace detail {

class Sweep;
struct NodeDescription;
struct NodeExtras;

/// Memory for the gradient of something; null if nobody wants it. What is there is overwritten or added to.
struct GradientTarget {
  std::byte* memory = nullptr;
  bool overwrite = false;
};

/// A value that is differentiated: a recorded statement, or a leaf. Memory of recorded ones is the tape's, that of leaves their own.
struct TapeNode {
  TapeNode* previous = nullptr;
  std::byte* value = nullptr;    // contiguous
  std::byte* adjoint = nullptr;  // the same; meaningful while has_adjoint
  TapeNode* adjoint_node = nullptr;  // the adjoint as a recorded value, under create_graph
  NodeExtras* extras = nullptr;  // hooks and a retained gradient, if there are any
  block* own_value = nullptr;    // of a recorded value under saved-tensor hooks: memory that is given back when nobody needs it
  std::size_t value_uses = 0;    // handles, while there is such memory
  std::size_t version = 0;       // of a leaf: changes when it is written
  SourceLocation where;
  element_type type = element_type::float32;
  std::int8_t rank = 0;
  bool requires_grad = true;
  bool has_adjoint = false;
  bool is_leaf = false;
  bool is_inference = false;
  index_t extent[max_rank];  // `rank` of them

  TapeNode() = default;
  TapeNode(const TapeNode&) = delete;
  TapeNode& operator=(const TapeNode&) = delete;
  virtual ~TapeNode();

  /// Adds to the gradients of what this value was computed from. Its own adjoint is complete.
  virtual void backward(Sweep&) {}
  /// The same as recorded statements; false where they follow from the description.
  virtual bool record_backward(Sweep&) { return false; }
  /// Whether something that it was computed from was written since.
  virtual bool changed() const { return false; }
  /// Appends what it was computed from, and how.
  virtual void describe(NodeDescription&) const {}
  /// Lets go of what the value was computed from.
  virtual void release() {}
  /// Of a leaf: where its gradient is accumulated.
  virtual GradientTarget gradient_target() { return {}; }
  /// What asks for the gradient: the node, or the parameter that it stands for.
  virtual const void* source() const { return this; }

  index_t size() const {
    index_t n = 1;
    for (int axis = 0; axis < rank; ++axis) n *= extent[axis];
    return n;
  }
  std::size_t bytes() const { return static_cast<std::size_t>(size()) * size_of(type); }

  template <class E>
  void set_extents(const E& e) {
    rank = static_cast<std::int8_t>(E::rank());
    for (int axis = 0; axis < E::rank(); ++axis) extent[axis] = e.extent(axis);
  }
  template <class E>
  E extents() const {
    if constexpr (E::is_static()) return E{};
    else {
      std::array<index_t, static_cast<std::size_t>(E::rank())> e{};
      for (int axis = 0; axis < E::rank(); ++axis) e[static_cast<std::size_t>(axis)] = extent[axis];
      return E(e);
    }
  }
  template <class E>
  layout_right::mapping<E> mapping() const {
    return layout_right::mapping<E>(extents<E>());
  }
  /// The value, or other contiguous memory of its extents.
  graph::descriptor describe_memory(std::byte* data) const {
    graph::descriptor d;
    d.data = data;
    index_t stride = 1;
    for (int axis = rank; axis-- > 0;) {
      d.extent[axis] = extent[axis];
      d.stride[axis] = stride;
      stride *= extent[axis];
    }
    return d;
  }
};

// ---- hooks ------------------------------------------------------------------------------------------------------------

/// A hook that a user registered, whatever it is called with.
struct HookBase {
  bool removed = false;
  virtual ~HookBase() = default;
};
/// On a gradient, as a variable that may be replaced.
struct TensorHook : HookBase {
  virtual void call(Sweep&, TapeNode&) = 0;
};

}  // namespace detail

/// A gradient of any type while it is on its way: what node hooks see, and may change.
struct AnyGradient {
  std::byte* data = nullptr;
  element_type type = element_type::float32;
  int rank = 0;
  const index_t* extents = nullptr;

  index_t size() const {
    index_t n = 1;
    for (int axis = 0; axis < rank; ++axis) n *= extents[axis];
    return n;
  }
  /// The elements, in row-major order. Raises ValueError if they are of another type.
  template <class T>
  T* elements() const {
    if (element_type_of<T> != type) raise<ValueError>("the elements of a gradient are of type ", name_of(type), ", not ", name_of(element_type_of<T>));
    return reinterpret_cast<T*>(data);
  }
};

namespace detail {

/// On a node: before it runs with the gradient of its value, after it with those of what it was computed from.
struct NodeHook : HookBase {
  virtual void call(const AnyGradient& output, const AnyGradient* inputs, int count) = 0;
};

/// Objects in recycled blocks: loops that make them allocate nothing.
struct Recycled {
  static void* operator new(std::size_t bytes) { return allocate_block(bytes)->data(); }
  static void operator delete(void* p) noexcept {
    if (p) release_block(static_cast<block*>(p) - 1);
  }
};

/// A gradient that is kept for the user.
struct RetainedGradient : Recycled {
  virtual ~RetainedGradient() = default;
  virtual GradientTarget target() = 0;
};

}  // namespace detail

/// Removes a hook; copies remove the same one. The hook need not exist any more.
class RemovableHandle {
 public:
  RemovableHandle() = default;
  explicit RemovableHandle(std::weak_ptr<detail::HookBase> hook) : hook_(std::move(hook)) {}
  void remove() {
    if (const auto hook = hook_.lock()) hook->removed = true;
    hook_.reset();
  }

 private:
  std::weak_ptr<detail::HookBase> hook_;
};

namespace detail {

/// Few of one kind of hook, in the order of their registration.
template <class H>
class HookList {
 public:
  HookList() = default;
  HookList(const HookList&) = delete;
  HookList& operator=(const HookList&) = delete;
  ~HookList() { delete[] hooks_; }

  RemovableHandle add(std::shared_ptr<H> hook) {
    int kept = 0;
    for (int k = 0; k < count_; ++k)
      if (!hooks_[k]->removed) hooks_[kept++] = hooks_[k];
    auto* const grown = new std::shared_ptr<H>[static_cast<std::size_t>(kept + 1)];
    for (int k = 0; k < kept; ++k) grown[k] = std::move(hooks_[k]);
    grown[kept] = hook;
    delete[] hooks_;
    hooks_ = grown;
    count_ = kept + 1;
    return RemovableHandle(hook);
  }
  bool any() const {
    for (int k = 0; k < count_; ++k)
      if (!hooks_[k]->removed) return true;
    return false;
  }
  template <class F>
  void each(F&& f) const {
    for (int k = 0; k < count_; ++k) {
      const std::shared_ptr<H> hook = hooks_[k];  // it may add hooks
      if (!hook->removed) f(*hook);
    }
  }

 private:
  std::shared_ptr<H>* hooks_ = nullptr;
  int count_ = 0;
};

/// A value that is given: what a nested recording or a hook begins with.
struct InputNode final : TapeNode {};

}  // namespace detail
}  // namespace fluxion
