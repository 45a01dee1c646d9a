/// What nodes need whose gradients a user's function computes: inputs of any kind, and gradients of any kind that are given to them.
#pragma once
#include "../var.hpp"

#include <cstddef>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>

namespace fluxion::detail {

template <class X>
inline constexpr bool is_var = false;
template <class T, class E>
inline constexpr bool is_var<Var<T, E>> = true;

template <class X>
inline constexpr bool is_std_tuple = false;
template <class... X>
inline constexpr bool is_std_tuple<std::tuple<X...>> = true;

/// Something that keeps a gradient of its own.
template <class X>
concept ParameterLike = requires(const X& x) {
  x.overwrite_grad();
  x.requires_grad();
};

/// An input of such a function, as its node keeps it: something without a gradient.
template <class X>
struct given_input {
  static constexpr bool has_gradient = false;
  explicit given_input(const X&) {}
  static bool wanted(const X&) { return false; }
  static void check(const X&, const Tape&) {}
  void describe(NodeDescription&) const {}
};
template <class T, class E>
struct given_input<Var<T, E>> {
  static constexpr bool has_gradient = true;
  explicit given_input(const Var<T, E>& x) : reference(x.as_leaf()) {}
  static bool wanted(const Var<T, E>& x) { return x.requires_grad(); }
  static void check(const Var<T, E>& x, const Tape& tape) { static_cast<void>(check_recordable(x.as_leaf(), tape)); }
  void describe(NodeDescription& d) const {
    LeafDescription leaf;
    leaf.node = &reference.node();
    leaf.type = element_type_of<T>;
    leaf.requires_grad = reference.node().requires_grad;
    d.leaves.push_back(leaf);
  }
  TapeNode& leaf() const { return reference.node(); }
  TapeNode* node() const { return &reference.node(); }
  TapeNode& target() const { return reference.node(); }
  E extents() const { return reference.node().template extents<E>(); }
  using value_type = T;
  using extents_type = E;

  VariableReference<T, E> reference;
};
template <ParameterLike P>
struct given_input<P> {
  static constexpr bool has_gradient = true;
  explicit given_input(const P& x) : parameter(&x) {}
  static bool wanted(const P& x) { return x.requires_grad(); }
  static void check(const P&, const Tape&) {}
  void describe(NodeDescription& d) const {
    LeafDescription leaf;
    describe_parameter(leaf, *parameter);
    leaf.requires_grad = parameter->requires_grad();
    d.leaves.push_back(leaf);
  }
  const P& leaf() const { return *parameter; }
  TapeNode* node() const { return nullptr; }
  TapeNode& target() const { return node_of_parameter(*parameter); }
  auto extents() const { return parameter->extents(); }
  using value_type = typename P::value_type;
  using extents_type = typename P::extents_type;

  const P* parameter;
};

/// A tensor, a view, an expression or a variable as a variable.
template <class X>
auto to_variable(X&& x, const SourceLocation& where) {
  using R = std::remove_cvref_t<X>;
  if constexpr (is_var<R>) return R(std::forward<X>(x));
  else if constexpr (Expression<R>) return Var<typename expression_result<R>::value_type, typename expression_result<R>::extents_type>(x, where);
  else return Var<typename R::value_type, typename R::extents_type>(Tensor<typename R::value_type, typename R::extents_type>(std::forward<X>(x)), false, where);
}

/// Lets a node have the value of a variable that it keeps.
inline void adopt_value(TapeNode& node, const TapeNode& from) {
  node.value = from.value;
  node.type = from.type;
  node.rank = from.rank;
  for (int axis = 0; axis < from.rank; ++axis) node.extent[axis] = from.extent[axis];
}

/// Gives an input its gradient.
template <class Input, class G>
void give_gradient(Sweep& sweep, const Input& input, const G& gradient, const char* what, std::size_t number) {
  constexpr bool is_none = std::is_empty_v<G> && !Expression<G>;
  if constexpr (Input::has_gradient && !is_none) {
    using V = Var<typename Input::value_type, typename Input::extents_type>;
    const auto found = to_variable(gradient, {});
    constexpr bool same_type = std::is_same_v<typename decltype(found)::value_type, typename V::value_type> &&
                               decltype(found)::extents_type::rank() == V::extents_type::rank();
    static_assert(same_type, "the gradient of an input has another element type or rank than the input");
    if constexpr (same_type) {
      if (!wants_gradient(input.leaf())) return;
      if (!(found.extents() == input.extents()))
        raise<ShapeError>(what, ": the gradient of input ", number, " has extents ", found.extents(), ", the input ", input.extents());
      if (!sweep.creates_graph()) return sweep.add(input.leaf(), found.node().value, found.node().extent);
      const void* const source = input.node() ? static_cast<const void*>(input.node()) : static_cast<const void*>(&input.leaf());
      if (!sweep.wants(input.node(), source)) return;
      sweep.keep(found.handle());
      sweep.deliver(input.target(), found.node());
    }
  }
}

}  // namespace fluxion::detail
