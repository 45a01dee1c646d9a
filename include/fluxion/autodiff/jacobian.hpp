/// Jacobians and Hessians: `jacrev`, `jacfwd` and `hessian`, as torch.func has them, each one plan for all directions.
#pragma once
#include "../graph/pass/jacobian.hpp"
#include "differential_result.hpp"

namespace fluxion {

namespace detail {

/// What a Jacobian is differentiated by: tensors, views and floating-point numbers.
template <class X>
concept JacobianArgument = requires { gradient_traits<X>::type::extents_type::rank(); } && !TracedStructure<X>;

template <class Argument>
struct jacobian_argument {
  static_assert(JacobianArgument<Argument>,
                "jacrev, jacfwd and hessian are by tensors and floating-point numbers; the derivative by a model is that of grad, vjp or jvp");
};
template <class... X>
constexpr bool arguments_have_jacobians() {
  return ((JacobianArgument<X> || (instantiate<jacobian_argument<X>>(), false)) && ...);
}

/// The entry of a derivative of a result.
template <class Entry, class B>
struct differentiated_result { using type = differential_result<std::tuple<B>>; };
template <int I, class X, class B>
  requires JacobianArgument<X>
struct differentiated_result<gradient_result<I, X>, B> { using type = differential_result<std::tuple<by<I, X>, B>>; };
template <class Arguments, class... Batch, class B>
struct differentiated_result<differential_result<Arguments, Batch...>, B> { using type = typename differential_result<Arguments, Batch...>::template differentiated<B>; };

/// The entries of a result, one for each of its values.
template <class Entries>
struct flat_entries;
template <class... R>
struct flat_entries<std::tuple<R...>> {
  template <class E>
  struct one { using type = std::tuple<E>; };
  template <class Inner>
  struct one<grouped_result<Inner>> : flat_entries<Inner> {};
  using type = decltype(std::tuple_cat(typename one<R>::type{}...));
};

/// The derivatives of all results of F by its arguments numbered I.
template <class F, bool Forward, int... I>
struct jacobian_function {
  template <class... X>
  constexpr auto operator()(const X&... x) const {
    static_assert(((I >= 0 && I < static_cast<int>(sizeof...(X))) && ...), "jacrev, jacfwd, hessian: there is no argument of that number");
    std::tuple<X...> all(x...);
    graph::program& p = *program_of(std::get<I>(all)...);
    list<int> inputs, outputs;
    (append_differentiated(p, inputs, std::get<I>(all)), ...);
    stand_ins placeholders;
    std::apply([&](X&... a) { placeholders.take(p, inputs, a...); }, all);
    if (placeholders.taken()) (append_differentiated(p, inputs, std::get<I>(all)), ...);
    auto value = result_of_symbols(p, std::apply(F{}, std::as_const(all)));
    each_result_symbol(value, [&](Symbol& s) { outputs.push_back(s.index()); });
    const list<int> found = placeholders.give_back(p, graph::append_jacobians(p, outputs, inputs, Forward));
    int next = 0;
    return blocks(p, value, found, next);
  }

  template <class... X>
  using results = recorded_entries<function_source<jacobian_function, X...>, typename function_source<jacobian_function, X...>::entries>;

 private:
  /// For each value of the result its derivatives, as a tuple if there are several.
  template <class R>
  static constexpr auto blocks(graph::program& p, R& result, const list<int>& found, int& next) {
    if constexpr (is_tuple_like<R>)
      return std::apply([&](auto&... part) { return std::tuple<decltype(blocks(p, part, found, next))...>{blocks(p, part, found, next)...}; }, result);
    else {
      static_assert(std::is_same_v<R, Symbol>, "jacrev, jacfwd, hessian: the function returns values, not a model");
      const int first = next;
      next += static_cast<int>(sizeof...(I));
      if constexpr (sizeof...(I) == 1) return Symbol(p, found[first]);
      else return [&]<int... K>(std::integer_sequence<int, K...>) { return std::tuple(Symbol(p, found[first + K])...); }(std::make_integer_sequence<int, static_cast<int>(sizeof...(I))>{});
    }
  }
};

/// The function and its derivatives in two constants, so that each stays within the compilers' limits.
template <class F, bool Forward, int... I, class... X>
struct function_source<jacobian_function<F, Forward, I...>, X...> {
  using inner = function_source<F, X...>;
  static_assert(((I >= 0 && I < static_cast<int>(sizeof...(X))) && ...), "jacrev, jacfwd, hessian: there is no argument of that number");
  template <int K>
  using argument = std::tuple_element_t<static_cast<std::size_t>(K), std::tuple<X...>>;
  static constexpr bool returns_tuple = inner::returns_tuple || sizeof...(I) > 1;
  static constexpr int expected_size = 5 * graph::constant_program<inner>::value.instruction_count;

  template <class Entries>
  struct blocks;
  template <class... R>
  struct blocks<std::tuple<R...>> {
    template <class Entry>
    using of_one = std::tuple<typename differentiated_result<Entry, by<I, argument<I>>>::type...>;
    template <class Entry>
    using grouped = std::conditional_t<sizeof...(I) == 1, std::tuple_element_t<0, of_one<Entry>>, grouped_result<of_one<Entry>>>;
    template <class First, class...>
    struct only { using type = of_one<First>; };
    using type = typename std::conditional_t<inner::returns_tuple, std::type_identity<std::tuple<grouped<R>...>>, only<R...>>::type;
  };
  static auto choose_entries() {
    if constexpr ((JacobianArgument<argument<I>> && ...)) return blocks<typename flat_entries<typename results_of<F, inner, X...>::type>::type>{};
    else return std::type_identity<std::tuple<unknown_result>>{};
  }
  using entries = typename decltype(choose_entries())::type;

  static constexpr graph::program make() {
    using namespace graph;
    program p = thaw(constant_program<inner>::value);
    if (p.error.code != program_error::none) return p;
    if constexpr (!arguments_have_jacobians<argument<I>...>()) {
      p.fail(program_error::already_reported, opcode_of<operation::argument>);
    } else {
      list<int> outputs;
      for (const int o : p.outputs) outputs.push_back(o);
      p.outputs.clear();
      p.differentiated = true;
      const list<int> inputs = instructions_of_arguments<X...>(p, std::integer_sequence<int, I...>{});
      for (const int d : append_jacobians(p, outputs, inputs, Forward)) p.outputs.push_back(static_cast<std::int16_t>(d));
    }
    return p;
  }
};

template <bool Forward, class F, int... I>
constexpr auto make_jacobian(std::integer_sequence<int, I...>) {
  if constexpr (sizeof...(I) == 0) return Compiled<jacobian_function<F, Forward, 0>>{};
  else return Compiled<jacobian_function<F, Forward, I...>>{};
}
template <class F, int... I>
constexpr auto make_hessian(std::integer_sequence<int, I...>) {
  if constexpr (sizeof...(I) == 0) return Compiled<jacobian_function<gradient_function<F, false, 0>, true, 0>>{};
  else return Compiled<jacobian_function<gradient_function<F, false, I...>, true, I...>>{};
}

}  // namespace detail

/// The function whose value is the Jacobian of f, [f's extents..., the argument's extents...], by reverse mode: for functions with fewer
/// results than inputs. It is by the arguments numbered I, the first by default. A tuple of Jacobians if there are several arguments or if f
/// returns several values, a tuple for each value if both.
template <int... I, class F>
constexpr auto jacrev(const F&) {
  constexpr bool without_captures = std::is_empty_v<F> && std::is_default_constructible_v<F>;
  static_assert(without_captures, "jacrev wants a function without captures; pass what it captures as an argument");
  if constexpr (!without_captures) return Unknown{};
  else return detail::make_jacobian<false, typename detail::traced_function<F>::type>(std::integer_sequence<int, I...>{});
}

/// As `jacrev`, by forward mode: for functions with fewer inputs than results. `vmap(jacfwd(residual))` of n small independent residuals is
/// [n, residuals, inputs], the blocks of a block-sparse Jacobian.
template <int... I, class F>
constexpr auto jacfwd(const F&) {
  constexpr bool without_captures = std::is_empty_v<F> && std::is_default_constructible_v<F>;
  static_assert(without_captures, "jacfwd wants a function without captures; pass what it captures as an argument");
  if constexpr (!without_captures) return Unknown{};
  else return detail::make_jacobian<true, typename detail::traced_function<F>::type>(std::integer_sequence<int, I...>{});
}

/// The function whose value is the Hessian of f, which returns one number, by forward over reverse mode: [the argument's extents twice...].
/// With several numbers I a tuple of tuples: `std::get<1>(std::get<0>(h))` is the derivative by argument I0 and then by I1.
template <int... I, class F>
constexpr auto hessian(const F&) {
  constexpr bool without_captures = std::is_empty_v<F> && std::is_default_constructible_v<F>;
  static_assert(without_captures, "hessian wants a function without captures; pass what it captures as an argument");
  if constexpr (!without_captures) return Unknown{};
  else return detail::make_hessian<typename detail::traced_function<F>::type>(std::integer_sequence<int, I...>{});
}

}  // namespace fluxion
