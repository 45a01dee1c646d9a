/// A traced function, a loop and a traced function, one behind the other: the composition that a program cannot hold, because its number of steps is
/// known only when it runs.
#pragma once
#include "function.hpp"

namespace fluxion::detail {

/// F of the state and of the first `Count` other arguments.
template <class F, std::size_t Count>
struct of_first_arguments {
  template <class S, class... X>
  constexpr auto operator()(const S& state, const X&... x) const {
    return call(state, std::tie(x...), std::make_index_sequence<Count>{});
  }

 private:
  template <class S, class All, std::size_t... I>
  static constexpr auto call(const S& state, const All& all, std::index_sequence<I...>) {
    return F{}(state, std::get<I>(all)...);
  }
};
/// F of the state, of outputs along the way if there are any, and of the last `Count` arguments; `Between` are left out.
template <class F, std::size_t Between, std::size_t Count>
struct of_last_arguments {
  template <class... X>
  constexpr auto operator()(const X&... x) const {
    constexpr std::size_t leading = sizeof...(X) - Between - Count;
    return call(std::tie(x...), std::make_index_sequence<leading>{}, std::make_index_sequence<Count>{});
  }

 private:
  template <class All, std::size_t... L, std::size_t... I>
  static constexpr auto call(const All& all, std::index_sequence<L...>, std::index_sequence<I...>) {
    return F{}(std::get<L>(all)..., std::get<sizeof...(L) + Between + I>(all)...);
  }
};

template <class X>
constexpr auto without_mark(const X& x) {
  return x;
}
template <class X>
constexpr auto without_mark(const Sequence<X>& x) {
  return x.values;
}
template <class X>
using without_mark_t = decltype(without_mark(std::declval<X>()));

/// What comes before a loop, as a tuple without marks.
template <class Before>
struct before_loop {
  template <class... X>
  constexpr auto operator()(const X&... x) const {
    const auto result = Before{}(x...);
    if constexpr (is_tuple_like<std::remove_const_t<decltype(result)>>)
      return std::apply([](const auto&... part) { return std::make_tuple(without_mark(part)...); }, result);
    else return std::make_tuple(result);
  }
};
template <class R>
struct parts_of { using type = std::tuple<R>; };
template <class... R>
struct parts_of<std::tuple<R...>> { using type = std::tuple<R...>; };
template <class A, class B>
struct parts_of<std::pair<A, B>> { using type = std::tuple<A, B>; };

/// A number whose gradient by the arguments I of `Before` is that of a whole chain: results of `Before` times their cotangents, and arguments times the
/// gradients that they have from what comes after the loop. Behind the `Count` arguments come first these, then those.
template <class Before, std::size_t Count, int... I>
struct chain_objective {
  template <class... X>
  constexpr auto operator()(const X&... x) const {
    return call(std::tie(x...), std::make_index_sequence<Count>{}, std::make_index_sequence<sizeof...(X) - Count - sizeof...(I)>{},
                std::make_index_sequence<sizeof...(I)>{});
  }

 private:
  template <class All, std::size_t... N, std::size_t... C, std::size_t... G>
  static constexpr Symbol call(const All& all, std::index_sequence<N...>, std::index_sequence<C...>, std::index_sequence<G...>) {
    graph::program& p = *program_of_all(std::get<N>(all)...);
    list<int> left, right, results;
    append_instructions_of(p, results, result_of_symbols(p, before_loop<Before>{}(std::get<N>(all)...)));
    for (const int r : results)
      if (is_floating(p[r].type)) left.push_back(r);
    (append_instructions_of(p, left, std::get<static_cast<std::size_t>(I)>(all)), ...);
    (append_instructions_of(p, right, std::get<Count + C>(all)), ...);
    (append_instructions_of(p, right, std::get<Count + sizeof...(C) + G>(all)), ...);
    if (left.size() != right.size()) p.fail(graph::program_error::direction_differs, graph::opcode_of<operation::argument>);
    Symbol total(p, -1);
    for (int k = 0; k < left.size() && k < right.size(); ++k) {
      Symbol term = Symbol(p, left[k]) * Symbol(p, right[k]);
      if (term.rank() > 0) term = term.reduce<operation::sum>((1u << term.rank()) - 1, false);
      total = k == 0 ? term : total + term;
    }
    return total;
  }
  template <class... X>
  static constexpr graph::program* program_of_all(const X&... x) {
    std::tuple<X...> copies(x...);
    return std::apply([](auto&... copy) { return program_of(copy...); }, copies);
  }
  template <class X>
  static constexpr void append_instructions_of(graph::program& p, list<int>& to, X x) {
    if constexpr (is_tuple_like<X>) std::apply([&](auto&... part) { (append_instructions_of(p, to, part), ...); }, x);
    else append_instructions(p, to, x);
  }
};

template <class Before, class L, class After>
struct Chain;
template <class Before, loop_kind Kind, class F, class Condition, class After>
struct Chain<Before, Loop<Kind, F, no_function, Condition>, After> {
  using before_type = Before;
  static constexpr int counts = Kind == loop_kind::iterate ? 1 : 0;  // arguments in front of those of the functions

  /// What `after` makes of the last state.
  template <class... X>
  auto operator()(const X&... x) const {
    return with([](const auto& loop, const auto& count, const auto& state, const auto& rest, const auto&... argument) {
      return std::apply([&](const auto&... other) { return std::apply([&](const auto&... r) { return loop(state, other..., r..., argument...); }, rest); }, count);
    }, x...);
  }

  /// Calls use(loop with `after` as its loss, number of steps in a tuple if there is one, state, other arguments of the steps, the chain's arguments).
  template <class Use, class... X>
  static auto with(const Use& use, const X&... x) {
    constexpr bool enough = sizeof...(X) > static_cast<std::size_t>(counts);
    static_assert(enough, "chain: arguments are missing; the number of steps of iterate comes first");
    if constexpr (!enough || !are_values<X...>()) return Unknown{};
    else if constexpr (counts == 0) return with_count(use, std::tuple<>{}, x...);
    else return counted(use, x...);
  }

 private:
  template <class Use, class N, class... X>
  static auto counted(const Use& use, const N& n, const X&... x) {
    return with_count(use, std::tuple<const N&>(n), x...);
  }
  template <class Use, class Count, class... X>
  static auto with_count(const Use& use, const Count& count, const X&... x) {
    using source = function_source<before_loop<Before>, X...>;
    if constexpr (!Recorded<source>) {
      instantiate<plan_call<source>>();
      return Unknown{};
    } else {
      using parts = typename parts_of<typename function_source<Before, X...>::returned>::type;
      const auto flat = Compiled<before_loop<Before>>{}(x...);
      return with_parts<parts>(use, count, flat, std::make_index_sequence<std::tuple_size_v<parts> - 1>{}, x...);
    }
  }
  template <class Parts, class Use, class Count, class Flat, std::size_t... R, class... X>
  static auto with_parts(const Use& use, const Count& count, const Flat& flat, std::index_sequence<R...>, const X&... x) {
    using plain = std::tuple<without_mark_t<std::tuple_element_t<0, Parts>>, without_mark_t<std::tuple_element_t<R + 1, Parts>>...>;
    constexpr std::size_t constants = (std::size_t{!is_sequence_argument<std::tuple_element_t<R + 1, Parts>>} + ... + 0);
    using condition = std::conditional_t<std::is_same_v<Condition, no_function>, no_function, of_first_arguments<Condition, constants>>;
    using loop = Loop<Kind, of_first_arguments<F, sizeof...(R)>, of_last_arguments<After, constants, sizeof...(X)>, condition>;
    const auto state = value_group<std::tuple_element_t<0, plain>>::template regroup<0>(flat);
    const auto rest = std::make_tuple(value_group<std::tuple_element_t<R + 1, plain>>::template regroup<leaves_before<plain, R + 1>>(flat)...);
    return use(loop{}, count, state, std::make_tuple(marked<std::tuple_element_t<R + 1, Parts>>(std::get<R>(rest))...), x...);
  }
  template <class Part, class X>
  static auto marked(const X& x) {
    if constexpr (is_sequence_argument<Part>) return each(x);
    else return x;
  }
};

/// Whether a group is of floating point throughout, so that it has an adjoint, or not at all.
template <class Types>
struct floating_group;
template <class... X>
struct floating_group<std::tuple<X...>> {
  static constexpr bool all = (is_differentiable_leaf<X> && ...), any = (is_differentiable_leaf<X> || ...);
};
template <class X>
struct handed_over { using types = typename value_group<X>::types; };
template <class X>
struct handed_over<Sequence<X>> { using types = std::tuple<X>; };

/// The value of a chain with its gradients with respect to the arguments numbered I.
template <class C, int... I>
struct ChainGradient {
  LoopOptions options{};

  template <class... X>
  auto operator()(const X&... x) const {
    constexpr bool good = ((I >= C::counts && I < static_cast<int>(sizeof...(X))) && ...);
    static_assert(good, "value_and_grad: a chain has no argument of that number to differentiate by; the number of steps has no gradient");
    if constexpr (!good) return unknowns();
    else return known(C::with([&](const auto& loop, const auto& count, const auto& state, const auto& rest, const auto&... argument) {
      using handed = std::remove_cvref_t<decltype(rest)>;
      return std::apply([&](const auto&... other) {
        return std::apply([&](const auto&... r) {
          return compute(loop, wanted<handed>(std::make_index_sequence<std::tuple_size_v<handed>>{}),
                         std::index_sequence<1 + std::tuple_size_v<handed> + static_cast<std::size_t>(I)...>{}, std::tie(argument...),
                         state, other..., r..., argument...);
        }, rest);
      }, count);
    }, x...));
  }

 private:
  template <class Result>
  static auto known(Result result) {
    if constexpr (std::is_same_v<Result, Unknown>) return unknowns();
    else return result;
  }
  static auto unknowns() { return std::make_tuple(Unknown{}, (static_cast<void>(I), Unknown{})...); }
  template <std::size_t... A, std::size_t... B>
  static constexpr auto join(std::index_sequence<A...>, std::index_sequence<B...>) { return std::index_sequence<A..., B...>{}; }
  /// The numbers of the loop's arguments that `before` has to be told adjoints of.
  template <class Rest, std::size_t R = 0, std::size_t... All>
  static constexpr auto wanted(std::index_sequence<All...> all) {
    if constexpr (R == 0) return join(std::index_sequence<0>{}, wanted<Rest, 1>(all));
    else if constexpr (R > sizeof...(All)) return std::index_sequence<>{};
    else {
      using group = floating_group<typename handed_over<std::tuple_element_t<R - 1, Rest>>::types>;
      static_assert(group::all || !group::any, "chain: what is handed to the steps is of floating point or of integers, but no mixture in one tuple");
      if constexpr (group::all) return join(std::index_sequence<R + static_cast<std::size_t>(C::counts)>{}, wanted<Rest, R + 1>(all));
      else return wanted<Rest, R + 1>(all);
    }
  }

  template <loop_kind Kind, class F, class Loss, class Condition, std::size_t... W, std::size_t... O, class Arguments, class... Y>
  auto compute(const Loop<Kind, F, Loss, Condition>&, std::index_sequence<W...>, std::index_sequence<O...>, const Arguments& arguments,
               const Y&... y) const {
    using loop = Loop<Kind, F, Loss, Condition>;
    const auto all = std::tie(y...);
    return loop::normalised([&]<class... A>(std::type_identity<std::tuple<A...>>, const auto& of_loop, index_t n) {
      using gradient = loop_gradient<F, Loss, wanted_arguments<std::index_sequence<W...>, std::index_sequence<O...>>, A...>;
      if constexpr (!gradient::good) return unknowns();
      else {
        Tensor<typename gradient::loss_type, extents<>> value;
        auto before = std::make_tuple(make_gradient_of(std::get<W>(all))...);
        auto after = std::make_tuple(make_gradient_of(std::get<O>(all))...);
        index_t counted = 0;
        if constexpr (Kind == loop_kind::while_) {
          loop_value<F, A...> once(of_loop);
          counted = n = loop::run(once, of_loop, n);
        }
        std::apply([&](auto&... b) { std::apply([&](auto&... a) { gradient::run(of_loop, n, options, value, std::tie(b..., a...)); }, after); }, before);
        if (options.counts) options.counts->steps += counted;
        return finish(std::move(value), std::tuple_cat(floating_leaves(value_group<std::tuple_element_t<0, decltype(before)>>::tie(std::get<0>(before))),
                                                        rest_of(before, std::make_index_sequence<sizeof...(W) - 1>{})),
                      after, arguments);
      }
    }, y...);
  }
  template <class Before, std::size_t... R>
  static auto rest_of(const Before& before, std::index_sequence<R...>) {
    return std::tuple_cat(value_group<std::tuple_element_t<R + 1, Before>>::tie(std::get<R + 1>(before))...);
  }
  template <class... L>
  static auto floating_leaves(const std::tuple<L&...>& leaves) {
    return std::apply([](auto&... leaf) { return std::tuple_cat(floating_leaf(leaf)...); }, leaves);
  }
  template <class L>
  static auto floating_leaf(const L& leaf) {
    if constexpr (is_differentiable_leaf<L>) return std::tuple<const L&>(leaf);
    else return std::tuple<>{};
  }
  template <class Value, class Cotangents, class After, class... X>
  static auto finish(Value value, const Cotangents& cotangents, const After& after, const std::tuple<const X&...>& x) {
    const auto gradients = std::apply([](const auto&... argument) {
      return Compiled<gradient_function<chain_objective<typename C::before_type, sizeof...(X), (I - C::counts)...>, false, (I - C::counts)...>>{}(argument...);
    }, std::tuple_cat(x, cotangents, std::apply([](const auto&... a) { return std::tie(a...); }, after)));
    if constexpr (sizeof...(I) == 1) return std::make_tuple(std::move(value), gradients);
    else return std::tuple_cat(std::make_tuple(std::move(value)), gradients);
  }
};

}  // namespace fluxion::detail
