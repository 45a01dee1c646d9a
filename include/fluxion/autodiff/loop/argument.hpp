/// Arguments of loops: the state, sequences, the number of steps, and what is the same in every step. Tuples, pairs and arrays are taken apart
/// into leaves (tensors, views, numbers, models), which is what programs have for arguments, and put together again inside the trace.
#pragma once
#include "../../tensor/function.hpp"
#include "../value_group.hpp"
#include "output.hpp"

#include <array>
#include <cstddef>
#include <tuple>
#include <type_traits>
#include <utility>

namespace fluxion {

namespace detail {

/// A sequence that gives each step of a loop its entry along the first axis.
template <class X>
struct Sequence {
  const X& values;
};

/// The same inside a trace.
template <graph::HoldsSymbol X>
struct Sequence<X> {
  X values;
};

/// The number of steps.
struct StepCount {
  index_t steps = 0;
};

template <class E>
struct dropped_axis {
  static_assert(E::rank() > 0, "each: a sequence has at least one axis, along which the steps take their entries");
  using type = extents<>;
};
template <std::size_t First, std::size_t... E>
struct dropped_axis<extents<First, E...>> { using type = extents<E...>; };

/// What a leaf of a state is in a program: a number is a tensor of rank 0, and all but models lie in adjacent memory.
template <class X>
struct state_leaf { using type = X; };
template <class X>
  requires std::is_arithmetic_v<X>
struct state_leaf<X> { using type = View<const X, extents<>, layout_right>; };
template <class T, class E>
struct state_leaf<Tensor<T, E, cpu_t>> { using type = View<const T, E, layout_right>; };
template <class T, class E, class L>
struct state_leaf<View<T, E, L>> { using type = View<const std::remove_const_t<T>, E, layout_right>; };

template <class Types>
struct state_leaves;
template <class... X>
struct state_leaves<std::tuple<X...>> { using type = std::tuple<typename state_leaf<X>::type...>; };

template <class X, class State = void>
struct row_of;
template <class T, class E>
struct row_of<Tensor<T, E, cpu_t>> { using type = View<const T, typename dropped_axis<E>::type, layout_right>; };
template <class T, class E, class L>
struct row_of<View<T, E, L>> { using type = View<const std::remove_const_t<T>, typename dropped_axis<E>::type, L>; };
template <>
struct row_of<Symbol> { using type = Symbol; };  // refused: are_values

enum class loop_role { state, output, count, sequence, constant };

/// An argument of a loop: which leaves it has in the program of a step, and which leaves a gradient with respect to it has.
template <class X>
struct loop_argument {
  static constexpr loop_role role = loop_role::constant;
  using group = value_group<X>;
  using types = typename group::types;
};
template <class X>
struct loop_argument<Sequence<X>> {
  static constexpr loop_role role = loop_role::sequence;
  using group = value_group<typename row_of<X>::type>;
  using types = typename group::types;
};
template <>
struct loop_argument<StepCount> {
  static constexpr loop_role role = loop_role::count;
  using group = value_group<std::tuple<>>;
  using types = std::tuple<>;
};
/// A mark for the state in lists of argument types.
template <class S>
struct LoopState {};
template <class S>
struct loop_argument<LoopState<S>> {
  static constexpr loop_role role = loop_role::state;
  using group = value_group<S>;
  using types = typename state_leaves<typename group::types>::type;
};

/// A mark for the stacked outputs of the steps, which the loss sees behind the state; Y are views in the outputs' structure.
template <class Y>
struct LoopOutputs {};
template <class Y>
struct loop_argument<LoopOutputs<Y>> {
  static constexpr loop_role role = loop_role::output;
  using group = value_group<Y>;
  using types = typename state_leaves<typename group::types>::type;
};

/// F of the arguments A, as a function of their leaves. What the loss does not see (sequences and the number of steps) is left out.
template <class F, bool Loss, class... A>
struct ungrouped {
  static constexpr bool takes(loop_role role) { return role != loop_role::count && (!Loss || role != loop_role::sequence); }
  template <class X>
  static constexpr int leaves_of = takes(loop_argument<X>::role) ? loop_argument<X>::group::size : 0;
  static constexpr auto begins = [] {
    std::array<int, sizeof...(A) + 1> b{};
    std::size_t k = 0;
    (..., (b[k + 1] = b[k] + leaves_of<A>, ++k));
    return b;
  }();

  template <class X>
  using types_of = std::conditional_t<takes(loop_argument<X>::role), typename loop_argument<X>::types, std::tuple<>>;
  /// The leaves' types.
  using types = decltype(std::tuple_cat(std::declval<types_of<A>>()...));

  template <class... L>
  constexpr auto operator()(const L&... leaf) const {
    return with(std::tuple<const L&...>(leaf...), std::index_sequence_for<A...>{});
  }

 private:
  template <int K, class X, class Leaves>
  static constexpr auto one(const Leaves& leaves) {
    if constexpr (!takes(loop_argument<X>::role)) return std::tuple<>{};
    else return std::make_tuple(loop_argument<X>::group::template regroup<K>(leaves));
  }
  template <class Leaves, std::size_t... I>
  static constexpr auto with(const Leaves& leaves, std::index_sequence<I...>) {
    return std::apply([](const auto&... x) { return F{}(x...); }, std::tuple_cat(one<begins[I], A>(leaves)...));
  }
};

template <class Types>
inline constexpr bool holds_symbols = false;
template <class... X>
inline constexpr bool holds_symbols<std::tuple<X...>> = (std::is_same_v<X, Symbol> || ...);
/// Whether the arguments of a loop are values. Inside a trace they are not, and how often a loop turns would have to be known while compiling.
template <class... X>
constexpr bool are_values() {
  constexpr bool good = !(holds_symbols<typename loop_argument<X>::group::types> || ...);
  static_assert(good, "a loop whose number of steps only the run knows cannot stand in a traced function: put both into fx::chain(before, loop, after)");
  return good;
}

/// The source of a program over leaves.
template <class F, class Types>
struct source_over;
template <class F, class... L>
struct source_over<F, std::tuple<L...>> { using type = function_source<F, L...>; };

}  // namespace detail

/// A sequence for a loop: step t gets x's entry t along its first axis.
template <class X>
constexpr auto each(const X& x) {
  return detail::Sequence<X>{x};
}

}  // namespace fluxion
