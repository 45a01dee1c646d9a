/// What the steps of a loop give along the way: marked in the step by `with_output(state, y)`, and stacked by the loop along a new first axis.
#pragma once
#include "../../tensor/function.hpp"
#include "../value_group.hpp"

#include <array>
#include <cstddef>
#include <tuple>
#include <utility>

namespace fluxion {

namespace detail {

/// The new state and what a step gives besides.
template <class S, class Y>
struct StepOutput : std::pair<S, Y> {
  using std::pair<S, Y>::pair;
};
template <class S, class Y>
inline constexpr bool is_tuple_like<StepOutput<S, Y>> = true;

/// Of what a step returns: whether there are outputs, their structure and how many tensors they are.
template <class R>
struct outputs_of_step {
  static constexpr bool exist = false;
  static constexpr int count = 0;
  using structure = std::tuple<>;
};
template <class S, class Y>
struct outputs_of_step<StepOutput<S, Y>> {
  static constexpr bool exist = true;
  static constexpr int count = value_group<Y>::size;
  using structure = Y;
};

template <class E>
struct stacked_extents;
template <std::size_t... E>
struct stacked_extents<extents<E...>> { using type = extents<dynamic_extent, E...>; };

/// How many leaves a tuple has before its part I.
template <class Y, std::size_t I>
inline constexpr int leaves_before = leaves_before<Y, I - 1> + value_group<std::tuple_element_t<I - 1, Y>>::size;
template <class Y>
inline constexpr int leaves_before<Y, 0> = 0;

/// A value of the structure Y for n stacked entries of outputs K and following of a call: `make(K, extents, zero of the element type)` makes the parts.
template <int K, class Y, class Moving, class Make>
auto make_stacked(const Moving& call, index_t n, const Make& make) {
  if constexpr (is_tuple_like<Y>) {
    return [&]<std::size_t... I>(std::index_sequence<I...>) {
      if constexpr (requires { typename Y::value_type; }) return std::array{make_stacked<K + leaves_before<Y, I>, std::tuple_element_t<I, Y>>(call, n, make)...};
      else return std::make_tuple(make_stacked<K + leaves_before<Y, I>, std::tuple_element_t<I, Y>>(call, n, make)...);
    }(std::make_index_sequence<std::tuple_size_v<Y>>{});
  } else {
    using output = source_output<typename Moving::source_type, K>;
    using E = typename stacked_extents<typename output::extents_type>::type;
    std::array<index_t, static_cast<std::size_t>(E::rank())> extent{n};
    for (std::size_t axis = 1; axis < extent.size(); ++axis) extent[axis] = call.outputs[K].extent[axis - 1];
    return make(K, E(extent), typename output::value_type{});
  }
}
inline constexpr auto make_stacked_tensor = []<class E, class T>(int, const E& e, T) { return Tensor<T, E>(uninitialized, e); };

}  // namespace detail

/// What a step of `scan` or `iterate` returns to give an output besides its state, JAX's (carry, y): the loop is then a pair of the last state and
/// the outputs of all steps, stacked along a new first axis. y is a value or a tuple, pair or array of values.
template <class S, class Y>
constexpr auto with_output(S state, Y y) {
  return detail::StepOutput<S, Y>(std::move(state), std::move(y));
}

}  // namespace fluxion

template <class S, class Y>
struct std::tuple_size<fluxion::detail::StepOutput<S, Y>> : std::tuple_size<std::pair<S, Y>> {};
template <std::size_t I, class S, class Y>
struct std::tuple_element<I, fluxion::detail::StepOutput<S, Y>> : std::tuple_element<I, std::pair<S, Y>> {};
