/// Forward mode through a loop: a loop whose state is a value and its tangent, and whose step is the traced tangent of the step.
#pragma once
#include "../../graph/pass/tangents.hpp"
#include "function.hpp"

namespace fluxion::detail {

/// F of values and tangents. The state is a pair of both, and so are outputs along the way, which a loss sees behind it; of the other arguments the
/// first `Primals` - 1 are values, those behind them the tangents of the arguments K. Returns F's value and its tangent, or with `Value` the value
/// alone, with `Tangent` the tangent alone.
enum class tangent_result { both, value, tangent };
template <class F, std::size_t Primals, tangent_result Result, std::size_t... K>
struct tangent_of_step {
  template <class State, class... X>
  constexpr auto operator()(const State& state, const X&... x) const {
    if constexpr (sizeof...(X) == Primals - 1 + sizeof...(K))
      return call(std::tie(state), std::tie(x...), std::make_index_sequence<Primals - 1>{}, std::make_index_sequence<sizeof...(K)>{});
    else return behind_outputs(state, x...);
  }

 private:
  template <class State, class Outputs, class... X>
  static constexpr auto behind_outputs(const State& state, const Outputs& outputs, const X&... x) {
    return call(std::tie(state, outputs), std::tie(x...), std::make_index_sequence<Primals - 1>{}, std::make_index_sequence<sizeof...(K)>{});
  }
  template <class X>
  static constexpr void append(graph::program& p, list<int>& to, const X& x) {
    std::apply([&](auto... leaf) { (append_instructions(p, to, leaf), ...); }, value_group<X>::tie(x));
  }
  /// `pairs` are values with their tangents.
  template <class Pairs, class All, std::size_t... N, std::size_t... J>
  static constexpr auto call(const Pairs& pairs, const All& all, std::index_sequence<N...>, std::index_sequence<J...>) {
    const auto result = std::apply([&](const auto&... pair) { return F{}(std::get<0>(pair)..., std::get<N>(all)...); }, pairs);
    if constexpr (Result == tangent_result::value) return result;
    else {
      graph::program& p = *std::apply([](auto... leaf) { return program_of(leaf...); }, value_group<Pairs>::tie(pairs));
      const auto value = result_of_symbols(p, result);
      auto tangent = value;
      list<int> primals, directions, inputs, tangents, outputs;
      std::apply([&](const auto&... pair) { (append(p, primals, std::get<0>(pair)), ...); }, pairs);
      std::apply([&](const auto&... pair) { (append(p, directions, std::get<1>(pair)), ...); }, pairs);
      (append(p, primals, std::get<K - 1>(all)), ...);
      (append(p, directions, std::get<Primals - 1 + J>(all)), ...);
      if (primals.size() != directions.size()) p.fail(graph::program_error::direction_differs, graph::opcode_of<operation::argument>);
      for (int k = 0; k < primals.size() && k < directions.size(); ++k)
        if (is_floating(p[primals[k]].type)) inputs.push_back(primals[k]), tangents.push_back(directions[k]);
      each_result_symbol(tangent, [&](Symbol& s) { outputs.push_back(s.index()); });
      const list<int> found = graph::append_tangents(p, inputs, tangents, outputs);
      int next = 0;
      each_result_symbol(tangent, [&](Symbol& s) { s = s.at(found[next++]); });
      if constexpr (Result == tangent_result::tangent) return tangent;
      else if constexpr (outputs_of_step<std::remove_cvref_t<decltype(result)>>::exist)
        return with_output(std::make_tuple(std::get<0>(value), std::get<0>(tangent)), std::make_tuple(std::get<1>(value), std::get<1>(tangent)));
      else return std::make_tuple(value, tangent);
    }
  }
};

template <class X>
void set_to_zero(X& x) {
  if constexpr (std::is_arithmetic_v<X>) x = X{};
  else x.fill(typename X::value_type{});
}

template <int... I>
inline constexpr std::array<int, sizeof...(I)> numbers_of{I...};

/// The loop of a loop's states and their tangents, for tangents of the arguments numbered I.
template <class L, int... I>
struct tangent_loop;
template <loop_kind Kind, class F, class Loss, class Condition, int... I>
struct tangent_loop<Loop<Kind, F, Loss, Condition>, I...> {
  /// Calls use(loop, pair of the state and its tangent, the other arguments, their tangents), where the loss of the loop returns `OfLoss`.
  template <tangent_result OfLoss, class Use, class... X>
  static auto with(const Use& use, const X&... x) {
    constexpr std::size_t primals = sizeof...(X) - sizeof...(I);
    constexpr bool good = sizeof...(X) > sizeof...(I) && ((I >= 0 && I < static_cast<int>(primals)) && ...) && (Kind != loop_kind::iterate || ((I != 1) && ...));
    static_assert(good, "jvp: behind the arguments of a loop come tangents of those numbered; the number of steps has none");
    if constexpr (!good) return Unknown{};
    else return run<OfLoss>(use, std::tie(x...), std::make_index_sequence<primals - 1>{}, std::make_index_sequence<sizeof...(I)>{});
  }

 private:
  /// The numbers of the arguments but the state that have tangents, as F or the loss counts them.
  template <bool OfLoss, class All>
  struct numbers {
    template <std::size_t N>
    static constexpr bool counts = !(Kind == loop_kind::iterate && N == 1) && !(OfLoss && is_sequence_argument<std::remove_cvref_t<std::tuple_element_t<N, All>>>);
    template <std::size_t N>
    static constexpr std::size_t before = []<std::size_t... M>(std::index_sequence<M...>) { return (std::size_t{counts<M>} + ... + 0); }(std::make_index_sequence<N>{});
    template <std::size_t J>
    static constexpr auto one() {
      if constexpr (numbers_of<I...>[J] == 0) return std::index_sequence<>{};
      else if constexpr (!counts<static_cast<std::size_t>(numbers_of<I...>[J])>) return std::index_sequence<>{};
      else return std::index_sequence<before<static_cast<std::size_t>(numbers_of<I...>[J])>>{};
    }
    template <std::size_t... A, std::size_t... B>
    static constexpr auto join(std::index_sequence<A...>, std::index_sequence<B...>) { return std::index_sequence<A..., B...>{}; }
    template <std::size_t J = 0>
    static constexpr auto all() {
      if constexpr (J == sizeof...(I)) return std::index_sequence<>{};
      else return join(one<J>(), all<J + 1>());
    }
  };
  template <class G, tangent_result Result, std::size_t Primals, std::size_t... K>
  static tangent_of_step<G, Primals, Result, K...> differentiated_function(std::index_sequence<K...>);
  template <class G, bool OfLoss, tangent_result Result, class All, std::size_t Primals>
  using function = std::conditional_t<
      std::is_same_v<G, no_function>, no_function,
      decltype(differentiated_function<G, Result, numbers<OfLoss, All>::template before<Primals>>(numbers<OfLoss, All>::template all<>()))>;

  template <tangent_result OfLoss, class Use, class All, std::size_t... N, std::size_t... J>
  static auto run(const Use& use, const All& all, std::index_sequence<N...>, std::index_sequence<J...>) {
    constexpr std::size_t primals = sizeof...(N) + 1;
    using loop = Loop<Kind, function<F, false, tangent_result::both, All, primals>, function<Loss, true, OfLoss, All, primals>,
                      function<Condition, true, tangent_result::value, All, primals>>;
    const auto tangents = std::tuple_cat(other_tangent<J>(std::get<primals + J>(all))...);
    const auto with = [&](const auto& of_state) {
      return std::apply([&](const auto&... d) { return use(loop{}, std::tie(std::get<0>(all), of_state), std::get<N + 1>(all)..., d...); }, tangents);
    };
    constexpr std::size_t state_at = position_of_state();
    if constexpr (state_at < sizeof...(I)) return with(std::get<primals + state_at>(all));
    else {
      auto zero = make_like(std::get<0>(all));
      std::apply([](auto&... leaf) { (set_to_zero(leaf), ...); }, value_group<decltype(zero)>::tie(zero));
      return with(zero);
    }
  }
  static constexpr std::size_t position_of_state() {
    std::size_t j = 0;
    while (j < sizeof...(I) && numbers_of<I...>[j] != 0) ++j;
    return j;
  }
  template <std::size_t J, class X>
  static auto other_tangent(const X& x) {
    if constexpr (numbers_of<I...>[J] == 0) return std::tuple<>{};
    else return std::tie(x);
  }
};

/// A loop's value and its tangent for tangents of the arguments numbered I.
template <class L, int... I>
struct LoopTangent {
  template <class... X>
  auto operator()(const X&... x) const {
    return tangent_loop<L, I...>::template with<tangent_result::both>([](const auto& loop, const auto&... all) { return transposed(loop(all...)); }, x...);
  }

 private:
  /// Last states and outputs along the way, each with its tangent, as values with their tangents.
  template <class Result>
  static auto transposed(Result result) {
    return result;
  }
  template <class State, class Outputs>
  static auto transposed(std::pair<State, Outputs> result) {
    auto& [state, outputs] = result;
    return std::tuple(std::pair(std::move(std::get<0>(state)), std::move(std::get<0>(outputs))),
                      std::pair(std::move(std::get<1>(state)), std::move(std::get<1>(outputs))));
  }
};

/// The Hessian of a loop's loss times a direction: the loss' tangent is the loss of another loop, whose gradient by the arguments numbered I is
/// the product. Reverse over forward, so that checkpoints serve it as they serve the gradient.
template <class L, int... I>
struct LoopHessianProduct {
  LoopOptions options{};

  template <class... X>
  auto operator()(const X&... x) const {
    return tangent_loop<L, I...>::template with<tangent_result::tangent>([&]<class Pairs>(const Pairs&, const auto&... all) {
      return without_value(LoopGradient<Pairs, I...>{options}(all...), std::make_index_sequence<sizeof...(I)>{});
    }, x...);
  }

 private:
  template <class Result, std::size_t... J>
  static auto without_value(Result result, std::index_sequence<J...>) {
    if constexpr (sizeof...(I) == 1) return part<I...>(std::move(std::get<1>(result)));
    else return std::tuple(part<I>(std::move(std::get<J + 1>(result)))...);
  }
  /// Of a pair of state and tangent only what belongs to the state.
  template <int Argument, class X>
  static auto part(X x) {
    if constexpr (Argument == 0 && !std::is_same_v<X, Unknown>) return std::get<0>(std::move(x));
    else return x;
  }
};

}  // namespace fluxion::detail
