/// What the tape consists of: a node for each recorded statement, with its value and the adjoint of it.
#pragma once
#include "../../core/block.hpp"
#include "../../core/element_type.hpp"
#include "../../core/error.hpp"
#include "../../core/extents.hpp"
#include "../../core/layout.hpp"
#include "../../graph/call.hpp"
#include "hook_list.hpp"

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

/// A value that is given: what a nested recording or a hook begins with.
struct InputNode final : TapeNode {};

}  // namespace detail
}  // namespace fluxion
