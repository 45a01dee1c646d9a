/// Results that are derivatives by an argument, in batches or not: their last axes are the argument's.
#pragma once
#include "result.hpp"

#include <initializer_list>

namespace fluxion::detail {

/// In place of a batch axis: there is none.
inline constexpr int no_axis = 1 << 20;

/// A derivative by argument number I, of type X within its batches.
template <int I, class X>
struct by {
  static constexpr int number = I;
  using extents_type = typename gradient_traits<X>::type::extents_type;
};
/// The batch axis of the result, and those of the arguments that it is a derivative by.
template <int Out, int... In>
struct batch_axes {
  static constexpr int out = Out;
  static constexpr int in[sizeof...(In) + 1] = {In..., 0};
};

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

template <class... A>
struct joined_extents { using type = extents<>; };
template <std::size_t... E, class... Rest>
struct joined_extents<extents<E...>, Rest...> {
  template <std::size_t... F>
  static extents<E..., F...> join(extents<F...>*);
  using type = decltype(join(static_cast<typename joined_extents<Rest...>::type*>(nullptr)));
};

/// The extents of an argument within its batches.
template <int Rank>
constexpr list<index_t> extents_of_example(const std::array<index_t, static_cast<std::size_t>(Rank)>& given, std::initializer_list<int> axes) {
  list<index_t> own;
  for (const index_t e : given) own.push_back(e);
  for (const int* axis = axes.end(); axis != axes.begin();) {
    if (*--axis == no_axis) continue;
    for (int i = *axis < 0 ? *axis + own.size() : *axis; i + 1 < own.size(); ++i) own[i] = own[i + 1];
    own.pop_back();
  }
  return own;
}

/// A derivative by arguments, one after the other: its last axes are theirs. A run-time extent of 1 that broadcast got the derivative of what
/// it was broadcast to, which is added up as a gradient is.
template <class Arguments, class... Batch>
struct differential_result;
template <class... A, class... Batch>
struct differential_result<std::tuple<A...>, Batch...> {
  static constexpr int outputs = 1;
  using argument_extents = typename joined_extents<typename A::extents_type...>::type;
  /// In one more batch, of arguments with the batch axes `In`.
  template <class In, int Out>
  using batched = differential_result<std::tuple<A...>, Batch..., batch_axes<Out, In::values[A::number]...>>;
  /// Differentiated again.
  template <class B>
  using differentiated = std::conditional_t<sizeof...(Batch) == 0, differential_result<std::tuple<A..., B>>, differential_result<std::tuple<B>>>;

  template <int K, class Call, class... X>
  static auto make(const Call& call, const X&...) {
    using output = source_output<typename Call::source_type, K>;
    using E = typename output::extents_type;
    using type = typename extents_with_tail<E, argument_extents, tail_axes<E::rank(), argument_extents::rank(), Batch::out...>()>::type;
    return Tensor<typename output::value_type, type>(uninitialized, convert_extents<type>(call.template extents<K>(), "derivative"));
  }
  template <class T, class E, class... X>
  static void finish(Tensor<T, E>& value, const X&... x) {
    if constexpr (argument_extents::rank_dynamic() > 0) {
      constexpr auto axes = tail_axes<E::rank(), argument_extents::rank(), Batch::out...>();
      auto goal = value.extents().to_array();
      std::size_t next = 0;
      [&]<std::size_t... N>(std::index_sequence<N...>) { (own_extents<N, A>(goal, axes, next, std::get<A::number>(std::tie(x...))), ...); }(std::index_sequence_for<A...>{});
      if (goal != value.extents().to_array()) value = sum_over_broadcast(value, E(goal));
    }
  }

 private:
  template <std::size_t N, class B, class Goal, class Axes, class X>
  static void own_extents(Goal& goal, const Axes& axes, std::size_t& next, const X& x) {
    if constexpr (requires { x.mapping(); }) {
      const auto given = x.extents().to_array();
      for (const index_t e : extents_of_example<static_cast<int>(std::tuple_size_v<decltype(given)>)>(given, {Batch::in[N]...})) goal[static_cast<std::size_t>(axes[next++])] = e;
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
    if constexpr (requires { gradient_traits<X>::type::extents_type::rank(); }) return differential_result<std::tuple<by<I, X>>, batch_axes<Out, In::values[I]>>{};
    else return typename deduced_group<std::make_integer_sequence<int, gradient_traits<X>::outputs>>::type{};
  }
  using type = decltype(choose());
};
template <class Arguments, class... Batch, class In, int Out>
struct batched_result<differential_result<Arguments, Batch...>, In, Out> {
  using type = typename differential_result<Arguments, Batch...>::template batched<In, Out>;
};
template <class... R, class In, int Out>
struct batched_result<grouped_result<std::tuple<R...>>, In, Out> {
  using type = grouped_result<std::tuple<typename batched_result<R, In, Out>::type...>>;
};

}  // namespace fluxion::detail
