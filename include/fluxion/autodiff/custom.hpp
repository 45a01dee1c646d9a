/// Rules of one's own: functions whose derivative is not that of the operations they consist of. The traced program keeps the rule beside what
/// it records, and differentiation, in either mode and to any order, calls it.
///
///     constexpr auto clipped = fx::custom_vjp([](auto x) { return std::pair(x, x); },                       // value, residuals
///                                             [](auto x, auto dy) { return fx::where(fx::abs(x) < 1, dy, 0); });
#pragma once
#include "result.hpp"
#include "value_group.hpp"

namespace fluxion {

namespace detail {

/// The symbols that values hold, as instructions.
template <class X>
constexpr void append_leaves(graph::program& p, list<int>& to, X x) {
  std::apply([&](auto&... leaf) { (append_instructions(p, to, leaf), ...); }, value_group<X>::tie(x));
}

/// Values of the structure of R, which is symbols alone or in tuples, from instructions.
template <class R>
constexpr R from_instructions(graph::program& p, const int* instructions) {
  std::array<Symbol, static_cast<std::size_t>(value_group<R>::size > 0 ? value_group<R>::size : 1)> leaves{};
  for (int k = 0; k < value_group<R>::size; ++k) leaves[static_cast<std::size_t>(k)] = Symbol(p, instructions[k]);
  return value_group<R>::template regroup<0>(leaves);
}

/// The given direction of value i, or zeros.
constexpr int direction_or_zeros(graph::program& p, int given, int i) {
  return given >= 0 ? given : graph::record_expand(p, p.constant(p[i].type, 0), p[i].shape);
}

/// A rule's results as instructions; there must be `count`.
template <class R>
constexpr void take_results(graph::program& p, const R& result, int count, int* found) {
  list<int> instructions;
  append_leaves(p, instructions, result);
  if (instructions.size() != count) p.fail(graph::program_error::rule_counts_differ, graph::opcode_of<operation::detach>);
  else for (int k = 0; k < count; ++k) found[k] = instructions[k];
}

template <class Backward, class Y, class Residuals>
constexpr void backward_rule(graph::program& p, const graph::custom_call& c, const int* given, int* found) {
  list<int> residuals, cotangents;
  for (int k = 0; k < c.residuals; ++k) residuals.push_back(p.custom_value(c, c.inputs + k));
  for (int k = 0; k < c.outputs; ++k) cotangents.push_back(direction_or_zeros(p, given[k], p.custom_value(c, c.inputs + c.residuals + k)));
  take_results(p, Backward{}(from_instructions<Residuals>(p, residuals.begin()), from_instructions<Y>(p, cotangents.begin())), c.inputs, found);
}

template <class Rule, class X>
constexpr void tangent_rule(graph::program& p, const graph::custom_call& c, const int* given, int* found) {
  list<int> inputs, tangents;
  for (int k = 0; k < c.inputs; ++k) {
    inputs.push_back(p.custom_value(c, k));
    tangents.push_back(direction_or_zeros(p, given[k], p.custom_value(c, k)));
  }
  const auto all = std::tuple_cat(from_instructions<X>(p, inputs.begin()), from_instructions<X>(p, tangents.begin()));
  take_results(p, std::apply([](const auto&... x) { return Rule{}(x...); }, all), c.outputs, found);
}

/// Records a call with its rules, or finds the equal one recorded before; `y` becomes the outputs.
template <class Y>
constexpr void record_custom_call(graph::program& p, graph::custom_call c, const list<int>& inputs, const list<int>& residuals, Y& y) {
  list<int> results;
  each_result_symbol(y, [&](Symbol& s) { results.push_back(s.index()); });
  c.inputs = static_cast<std::int16_t>(inputs.size());
  c.residuals = static_cast<std::int16_t>(residuals.size());
  c.outputs = static_cast<std::int16_t>(results.size());
  int number = 0;
  for (; number < p.custom_calls.size(); ++number) {
    const graph::custom_call& d = p.custom_calls[number];
    bool equal = d.adjoint == c.adjoint && d.tangent == c.tangent && d.inputs == c.inputs && d.residuals == c.residuals && d.outputs == c.outputs;
    for (int k = 0; equal && k < c.inputs; ++k) equal = p.custom_value(d, k) == inputs[k];
    if (equal) break;
  }
  const bool known = number < p.custom_calls.size();
  c.first = static_cast<std::int16_t>(p.custom_values.size());
  if (!known) {
    for (const int i : inputs) p.custom_values.push_back(static_cast<std::int16_t>(i));
    for (const int i : residuals) p.custom_values.push_back(static_cast<std::int16_t>(i));
    p.custom_calls.push_back(c);
  }
  int k = 0;
  each_result_symbol(y, [&](Symbol& s) {
    const int output = p.custom_output(s.index(), number, k++);
    if (!known) p.custom_values.push_back(static_cast<std::int16_t>(output));
    s = s.at(output);
  });
}

template <class Forward, class Backward>
struct vjp_of_ones_own {
  template <class... X>
  static constexpr auto trace(const X&... x) {
    graph::program& p = *program_of_leaves(x...);
    list<int> inputs, residuals;
    (append_leaves(p, inputs, x), ...);
    const auto result = Forward{}(x...);
    static_assert(std::tuple_size_v<std::remove_cvref_t<decltype(result)>> == 2, "custom_vjp: forward returns a pair: the value, and what backward gets");
    auto y = result_of_symbols(p, std::get<0>(result));
    const auto kept = result_of_symbols(p, std::get<1>(result));
    append_leaves(p, residuals, kept);
    record_custom_call(p, {.adjoint = &backward_rule<Backward, decltype(y), std::remove_cv_t<decltype(kept)>>}, inputs, residuals, y);
    return y;
  }
  template <class... X>
  static constexpr graph::program* program_of_leaves(const X&... x) {
    return std::apply([](auto... leaf) { return program_of(leaf...); }, std::tuple_cat(value_group<X>::tie(x)...));
  }
};

template <class F, class Rule>
struct jvp_of_ones_own {
  template <class... X>
  static constexpr auto trace(const X&... x) {
    graph::program& p = *vjp_of_ones_own<F, Rule>::program_of_leaves(x...);
    list<int> inputs;
    (append_leaves(p, inputs, x), ...);
    auto y = result_of_symbols(p, F{}(x...));
    const auto arguments = std::make_tuple(result_of_symbols(p, x)...);
    record_custom_call(p, {.tangent = &tangent_rule<Rule, std::remove_cv_t<decltype(arguments)>>}, inputs, {}, y);
    return y;
  }
};

/// A function with a rule of its own, for everything that a function of the library takes, and inside a trace also for groups of such.
template <class Function>
struct Custom {
  template <class... X>
  constexpr auto operator()(const X&... x) const {
    if constexpr ((Operand<X> && ...)) return call<Function>(x...);
    else return Function::trace(x...);
  }
};

template <class... F>
inline constexpr bool all_without_captures = ((std::is_empty_v<F> && std::is_default_constructible_v<F>) && ...);

}  // namespace detail

/// A function whose derivative is `backward`: `forward(x…)` returns a pair of its value and of what backward wants to know, `backward(known, dy)`
/// the adjoints of all arguments for the adjoint of the value (of one argument alone, of several a tuple; a number holds for all elements).
/// Both are made of the library's functions, so gradients of gradients work; tangents (jvp, hvp) do not exist: see custom_jvp. What only
/// backward wants is computed only where a gradient is. JAX's custom_vjp.
template <class Forward, class Backward>
constexpr auto custom_vjp(const Forward&, const Backward&) {
  constexpr bool good = detail::all_without_captures<Forward, Backward>;
  static_assert(good, "custom_vjp wants functions without captures; pass what they capture as an argument");
  if constexpr (good) return detail::Custom<detail::vjp_of_ones_own<Forward, Backward>>{};
  else return Unknown{};
}

namespace detail {
template <class F, class Forward>
struct value_and_residuals {
  template <class... X>
  constexpr auto operator()(const X&... x) const { return std::make_pair(F{}(x...), std::get<1>(Forward{}(x...))); }
};
}  // namespace detail

/// The same where the value is that of f, as in JAX: of what forward returns only the second is used.
template <class F, class Forward, class Backward>
constexpr auto custom_vjp(const F&, const Forward&, const Backward&) {
  constexpr bool good = detail::all_without_captures<F, Forward, Backward>;
  static_assert(good, "custom_vjp wants functions without captures; pass what they capture as an argument");
  if constexpr (good) return detail::Custom<detail::vjp_of_ones_own<detail::value_and_residuals<F, Forward>, Backward>>{};
  else return Unknown{};
}

/// A function f whose tangent is `rule(x…, dx…)`, which must be linear in the dx. Reverse mode transposes it, so that both modes follow the
/// one rule. JAX's custom_jvp.
template <class F, class Rule>
constexpr auto custom_jvp(const F&, const Rule&) {
  constexpr bool good = detail::all_without_captures<F, Rule>;
  static_assert(good, "custom_jvp wants functions without captures; pass what they capture as an argument");
  if constexpr (good) return detail::Custom<detail::jvp_of_ones_own<F, Rule>>{};
  else return Unknown{};
}

}  // namespace fluxion
