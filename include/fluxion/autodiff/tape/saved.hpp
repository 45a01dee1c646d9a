/// What recorded statements save, in another form: values are handed to a user's function when they are saved, and made again when backward needs
/// them. The functions are set by autodiff/saved_tensors_hooks.hpp.
#pragma once
#include "gradient.hpp"
#include "reference.hpp"

#include <cstddef>
#include <memory>
#include <type_traits>
#include <utility>
#include <vector>

namespace fluxion {

/// A value that is saved or made again. Elements are in row-major order.
template <class Byte>
struct BasicSavedTensor {
  Byte* data = nullptr;
  element_type type = element_type::float32;
  int rank = 0;
  const index_t* extents = nullptr;

  index_t size() const {
    index_t n = 1;
    for (int axis = 0; axis < rank; ++axis) n *= extents[axis];
    return n;
  }
  std::size_t bytes() const { return static_cast<std::size_t>(size()) * size_of(type); }
  /// Raises ValueError if the elements are of another type.
  template <class T>
  auto elements() const {
    if (element_type_of<T> != type) raise<ValueError>("the elements of a saved value are of type ", name_of(type), ", not ", name_of(element_type_of<T>));
    return reinterpret_cast<std::conditional_t<std::is_const_v<Byte>, const T, T>*>(data);
  }
};
/// What a pack function is given.
using SavedTensor = BasicSavedTensor<const std::byte>;
/// What an unpack function fills.
using UnpackedTensor = BasicSavedTensor<std::byte>;

namespace detail {

struct PackedValue {
  virtual ~PackedValue() = default;
  virtual void unpack(const UnpackedTensor&) const = 0;
};
struct SavedHooks {
  virtual ~SavedHooks() = default;
  virtual std::unique_ptr<PackedValue> pack(const SavedTensor&) const = 0;
};

/// The packed values of a statement, by argument. Their nodes do not keep the values for it.
struct SavedValues {
  struct entry {
    int argument;
    element_type type;
    int rank;
    const std::byte* from;
    std::unique_ptr<PackedValue> packed;  // null where an earlier entry is of the same value
  };
  std::vector<entry> entries;
  std::vector<TapeNode*> nodes;

  SavedValues() = default;
  SavedValues(const SavedValues&) = delete;
  SavedValues& operator=(const SavedValues&) = delete;
  ~SavedValues() {
    for (TapeNode* node : nodes) ++node->value_uses;  // which the statement's handles drop
  }

  void pack(int argument, element_type type, int rank, const graph::descriptor& value) {
    const SavedTensor tensor{value.data, type, rank, value.extent};
    if (tensor.size() == 0) return;
    entries.push_back({argument, type, rank, value.data, nullptr});
    if (&first_of(value.data) == &entries.back()) entries.back().packed = autograd_state.saved_hooks->pack(tensor);
  }
  /// Makes the values again, in memory of an arena.
  FLUXION_COLD void unpack(graph::descriptor* arguments, Arena& arena) const {
    for (const entry& e : entries) {
      graph::descriptor& d = arguments[e.argument];
      if (!e.packed) {
        d.data = arguments[first_of(e.from).argument].data;
        continue;
      }
      UnpackedTensor tensor{nullptr, e.type, e.rank, d.extent};
      d.data = tensor.data = arena.take(tensor.bytes());
      e.packed->unpack(tensor);
    }
  }

 private:
  const entry& first_of(const std::byte* value) const {
    std::size_t k = 0;
    while (entries[k].from != value) ++k;
    return entries[k];
  }
};

inline void DeleteSavedValues::operator()(SavedValues* saved) const noexcept { delete saved; }

/// A heap tensor that an expression shares.
template <class X>
struct saved_share {
  static constexpr bool is_one = false;
};
template <class T, class E>
struct saved_share<shared_leaf<T, E>> {
  static constexpr bool is_one = true;
  static constexpr element_type type = element_type_of<T>;
  static constexpr int rank = E::rank();
};

/// Packs what an expression alone may keep: values of recorded statements that have memory of their own, and shares of heap tensors.
template <class X>
FLUXION_COLD std::unique_ptr<SavedValues, DeleteSavedValues> pack_leaves(const X& expression) {
  std::unique_ptr<SavedValues, DeleteSavedValues> saved(new SavedValues);
  int argument = 0;
  each_leaf(expression, [&]<class L>(const L& leaf) {
    if constexpr (is_variable_reference<L>) {
      if (const TapeNode& x = leaf.node(); x.own_value) saved->pack(argument, x.type, x.rank, x.describe_memory(x.value));
    } else if constexpr (saved_share<L>::is_one) {
      graph::descriptor d;
      binder b{&d, nullptr};
      argument_traits<L>::bind(leaf, b);
      saved->pack(argument, saved_share<L>::type, saved_share<L>::rank, d);
    }
    argument += argument_traits<L>::arguments;
  });
  saved->nodes.reserve(static_cast<std::size_t>(argument));
  return saved;
}
/// The recorded expression no longer keeps what was packed.
template <class X>
FLUXION_COLD void let_go(SavedValues& saved, const X& expression) {
  each_leaf(expression, [&]<class L>(const L& leaf) {
    if constexpr (is_variable_reference<L>) {
      if (leaf.node().own_value) saved.nodes.push_back(&leaf.node());
    } else if constexpr (saved_share<L>::is_one) {
      const_cast<L&>(leaf).block = {};  // a part of the node, which is not constant
    }
  });
  for (TapeNode* node : saved.nodes) drop_value_use(*node);
}

}  // namespace detail
}  // namespace fluxion
