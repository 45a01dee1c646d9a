/// Forward mode: `jvp`, the derivative of a function along a direction, and `hvp`, that of its gradient.
#pragma once
#include "../graph/pass/tangents.hpp"
#include "result.hpp"

namespace fluxion {

namespace detail {

/// A function of F's arguments and of a tangent for each of those numbered I (for all, if none is): F's result, if `WithValue`, and its tangent.
template <class F, bool WithValue, int... I>
struct jvp_function {
  template <int N>
  static constexpr int primals() {
    static_assert(sizeof...(I) > 0 || N % 2 == 0, "jvp: give as many tangents as arguments");
    constexpr int count = sizeof...(I) == 0 ? N / 2 : N - static_cast<int>(sizeof...(I));
    static_assert(((I >= 0 && I < count) && ...), "jvp: there is no argument of that number, or no tangent for it");
    return count;
  }
  template <int N>
  using first = std::make_index_sequence<static_cast<std::size_t>(primals<N>())>;
  template <int N>
  using chosen = chosen_arguments<primals<N>(), I...>;

  template <class... X>
  constexpr auto operator()(const X&... x) const {
    constexpr int n = static_cast<int>(sizeof...(X));
    return trace(std::tuple<X...>(x...), first<n>{}, chosen<n>{}, std::make_index_sequence<sizeof...(X) - first<n>::size()>{});
  }

  template <class... X>
  using at = function_at<F, first<static_cast<int>(sizeof...(X))>, X...>;
  template <class... X>
  using results = recorded_entries<function_source<jvp_function, X...>,
                                   std::conditional_t<WithValue, std::tuple<typename at<X...>::entry, typename at<X...>::entry>, typename at<X...>::entries>>;

 private:
  template <class Arguments, std::size_t... N, int... C, std::size_t... J>
  static constexpr auto trace(Arguments all, std::index_sequence<N...>, std::integer_sequence<int, C...>, std::index_sequence<J...>) {
    graph::program* const p = program_of(std::get<N>(all)...);
    list<int> inputs, tangents, outputs;
    (append_differentiated(*p, inputs, std::get<static_cast<std::size_t>(C)>(all)), ...);
    stand_ins placeholders;
    placeholders.take(*p, inputs, std::get<N>(all)...);
    if (placeholders.taken()) (append_differentiated(*p, inputs, std::get<static_cast<std::size_t>(C)>(all)), ...);
    auto value = result_of_symbols(*p, F{}(std::as_const(std::get<N>(all))...));
    auto tangent = value;
    (append_instructions(*p, tangents, std::get<sizeof...(N) + J>(all)), ...);
    each_result_symbol(tangent, [&](Symbol& s) { outputs.push_back(s.index()); });
    if (inputs.size() != tangents.size()) p->fail(graph::program_error::direction_differs, graph::opcode_of<operation::argument>);
    if (p->error.code == graph::program_error::none) {
      list<int> found = graph::append_tangents(*p, inputs, tangents, outputs);
      for (const int o : outputs) found.push_back(o);
      found = placeholders.give_back(*p, found);
      int next = 0;
      const auto replace = [&](Symbol& s) { s = s.at(found[next++]); };
      each_result_symbol(tangent, replace);
      each_result_symbol(value, replace);
    }
    if constexpr (WithValue) return std::make_tuple(value, tangent);
    else return tangent;
  }
};

/// The function and its tangents in two constants, so that each stays within the compilers' limits.
template <class F, bool WithValue, int... I, class... X>
struct function_source<jvp_function<F, WithValue, I...>, X...> {
  using function = jvp_function<F, WithValue, I...>;
  static constexpr int count = static_cast<int>(sizeof...(X));
  using at = typename function::template at<X...>;
  using inner = typename at::source;
  static constexpr bool returns_tuple = WithValue || inner::returns_tuple;
  static constexpr int expected_size = 3 * graph::constant_program<inner>::value.instruction_count;

  static constexpr graph::program make() {
    using namespace graph;
    program p = thaw(constant_program<inner>::value);
    if (p.error.code != program_error::none) return p;
    const list<int> inputs = at::instructions(p, typename function::template chosen<count>{});
    list<int> tangents, outputs;
    lowering l{p, p.argument_count, p.scalar_count};
    int number = 0;
    (..., (number++ < function::template primals<count>() ? void() : lower_direction<X>(l, tangents)));
    for (const int o : p.outputs) outputs.push_back(o);
    if (inputs.size() != tangents.size()) p.fail(program_error::direction_differs, opcode_of<operation::argument>);
    if (p.error.code != program_error::none) return p;
    if (!WithValue) p.outputs.clear();
    for (const int t : append_tangents(p, inputs, tangents, outputs)) p.outputs.push_back(static_cast<std::int16_t>(t));
    return p;
  }
};

/// `jvp` applied: arguments and tangents may also be two tuples.
template <class F, bool WithValue, int... I>
struct JvpFunction : Compiled<jvp_function<F, WithValue, I...>> {
  using base = Compiled<jvp_function<F, WithValue, I...>>;
  using base::operator();
  template <class... X, class... D>
  constexpr auto operator()(const std::tuple<X...>& primals, const std::tuple<D...>& tangents) const {
    return std::apply([&](const auto&... x) { return std::apply([&](const auto&... d) { return base{}(x..., d...); }, tangents); }, primals);
  }
};
template <class F, bool WithValue, int... I>
struct traced_function<JvpFunction<F, WithValue, I...>> { using type = jvp_function<F, WithValue, I...>; };

}  // namespace detail

/// The function whose value is f's value and its derivative along a direction: `auto [y, dy] = jvp(f)(x, dx);`, of several arguments
/// `jvp(f)(x1, x2, dx1, dx2)` or `jvp(f)(std::tie(x1, x2), std::tie(dx1, dx2))`. With numbers only those arguments have tangents:
/// `jvp<0>(f)(x, labels, dx)`. A tangent has its argument's extents, or is a number for every element. Values and tangents are tuples if f
/// returns several.
template <int... I, class F>
constexpr auto jvp(const F&) {
  constexpr bool without_captures = std::is_empty_v<F> && std::is_default_constructible_v<F>;
  static_assert(without_captures, "jvp wants a function without captures; pass what it captures as an argument");
  if constexpr (!without_captures) return Unknown{};
  else return detail::JvpFunction<typename detail::traced_function<F>::type, true, I...>{};
}

/// The function whose value is the Hessian of f times a direction, by forward over reverse mode: `hvp(f)(x, v)`, with further arguments
/// `hvp(f)(x, labels, v)`. f returns one number. The Hessian is that with respect to the arguments numbered I, the first by default; a
/// direction for each comes last, and the result is a tuple if there are several.
template <int... I, class F>
constexpr auto hvp(const F&) {
  constexpr bool without_captures = std::is_empty_v<F> && std::is_default_constructible_v<F>;
  static_assert(without_captures, "hvp wants a function without captures; pass what it captures as an argument");
  using function = typename detail::traced_function<F>::type;
  if constexpr (!without_captures) return Unknown{};
  else if constexpr (sizeof...(I) == 0) return detail::JvpFunction<detail::gradient_function<function, false, 0>, false, 0>{};
  else return detail::JvpFunction<detail::gradient_function<function, false, I...>, false, I...>{};
}

}  // namespace fluxion
