/// Results that are derivatives by an argument, in batches or not: their last axes are the argument's.
#pragma once
#include "result.hpp"

namespace fluxion::detail {

/// That an argument's batch axis is `In`, or `none`, and its result's `Out`, both not negative or counted from the end.
inline constexpr int no_axis = 1 << 20;
template <int In, int Out>
struct batch_axes {};

/// Where the last `Tail` axes of a value of rank `Rank` are once its batch axes, of which the last is the outermost, are looked through.
template <int Rank, int Tail, int... Out>
constexpr std::array<int, static_cast<std::size_t>(Tail)> tail_axes() {
  list<int> left;
  for (int axis = 0; axis < Rank; ++axis) left.push_back(axis);
  constexpr int count = static_cast<int>(sizeof...(Out));
  const int out[count + 1] = {Out..., 0};
  for (int k = count - 1; k >= 0; --k) {
    const int at = out[k] < 0 ? out[k] + left.size() : out[k];
    for (int i = at; i + 1 < left.size(); ++i) left[i] = left[i + 1];
    left.pop_back();
  }
  std::array<int, static_cast<std::size_t>(Tail)> tail{};
  for (int i = 0; i < Tail; ++i) tail[static_cast<std::size_t>(i)] = left[left.size() - Tail + i];
  return tail;
}

/// Extents E with those of Tail at some axes.
template <class E, class Tail, auto Axes>
struct extents_with_tail {
  static constexpr std::size_t extent(int axis) {
    for (std::size_t i = 0; i < Axes.size(); ++i)
      if (Axes[i] == axis) return Tail::static_extent(static_cast<int>(i));
    return E::static_extent(axis);
  }
  template <int... I>
  static extents<extent(I)...> make(std::integer_sequence<int, I...>);
  using type = decltype(make(std::make_integer_sequence<int, E::rank()>{}));
};

/// A derivative by argument I, which has type X within its batches. A run-time extent of 1 that broadcast got the derivative of what it was
/// broadcast to, which is added up as a gradient is.
template <int I, class X, class... Batch>
struct differential_result;
template <int I, class X, int... In, int... Out>
struct differential_result<I, X, batch_axes<In, Out>...> {
  static constexpr int outputs = 1;
  using argument_extents = typename gradient_traits<X>::type::extents_type;
  template <int In2, int Out2>
  using batched = differential_result<I, X, batch_axes<In, Out>..., batch_axes<In2, Out2>>;

  template <int K, class Call, class... A>
  static auto make(const Call& call, const A&...) {
    using output = source_output<typename Call::source_type, K>;
    using E = typename output::extents_type;
    using type = typename extents_with_tail<E, argument_extents, tail_axes<E::rank(), argument_extents::rank(), Out...>()>::type;
    return Tensor<typename output::value_type, type>(uninitialized, convert_extents<type>(call.template extents<K>(), "derivative"));
  }
  template <class T, class E, class... A>
  static void finish(Tensor<T, E>& value, const A&... a) {
    const auto& argument = std::get<I>(std::tie(a...));
    if constexpr (requires { argument.mapping(); }) {
      constexpr auto axes = tail_axes<E::rank(), argument_extents::rank(), Out...>();
      const auto given = argument.extents().to_array();
      list<index_t> own;
      for (const index_t e : given) own.push_back(e);
      constexpr int count = static_cast<int>(sizeof...(In));
      const int in[count + 1] = {In..., 0};
      for (int k = count - 1; k >= 0; --k) {
        if (in[k] == no_axis) continue;
        for (int i = in[k] < 0 ? in[k] + own.size() : in[k]; i + 1 < own.size(); ++i) own[i] = own[i + 1];
        own.pop_back();
      }
      auto goal = value.extents().to_array();
      for (std::size_t i = 0; i < axes.size(); ++i) goal[static_cast<std::size_t>(axes[i])] = own[static_cast<int>(i)];
      if (goal != value.extents().to_array()) value = sum_over_broadcast(value, E(goal));
    }
  }
};

template <int>
using deduced_at = deduced_result;
template <class Sequence>
struct deduced_group;
template <int... K>
struct deduced_group<std::integer_sequence<int, K...>> { using type = grouped_result<std::tuple<deduced_at<K>...>>; };

/// The entry of a result in a batch. What was of a model's type is a tuple of tensors: there is no model of a batch of parameters.
template <class Entry, class In, int Out>
struct batched_result {
  using type = std::conditional_t<Entry::outputs == 1, deduced_result, typename deduced_group<std::make_integer_sequence<int, Entry::outputs>>::type>;
};
template <int I, class X, class In, int Out>
struct batched_result<gradient_result<I, X>, In, Out> {
  static auto choose() {
    if constexpr (requires { gradient_traits<X>::type::extents_type::rank(); }) return differential_result<I, X, batch_axes<In::values[I], Out>>{};
    else return typename deduced_group<std::make_integer_sequence<int, gradient_traits<X>::outputs>>::type{};
  }
  using type = decltype(choose());
};
template <int I, class X, class... Batch, class In, int Out>
struct batched_result<differential_result<I, X, Batch...>, In, Out> {
  using type = typename differential_result<I, X, Batch...>::template batched<In::values[I], Out>;
};
template <class... R, class In, int Out>
struct batched_result<grouped_result<std::tuple<R...>>, In, Out> {
  using type = grouped_result<std::tuple<typename batched_result<R, In, Out>::type...>>;
};

}  // namespace fluxion::detail
