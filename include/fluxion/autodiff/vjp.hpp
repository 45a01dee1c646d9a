/// Reverse mode with any cotangent: `vjp`.
#pragma once
#include "../graph/pass/direction.hpp"
#include "result.hpp"

namespace fluxion {

namespace detail {

/// A function of F's arguments and, last, of a cotangent for each of F's `Cotangents` results: F's result, if `WithValue`, and the products of
/// the cotangents with the Jacobians for the arguments numbered I, or for all, if none is.
template <class F, bool WithValue, int Cotangents, int... I>
struct vjp_function {
  template <int N>
  using first = std::make_index_sequence<static_cast<std::size_t>(N - Cotangents)>;
  template <int N>
  using chosen = chosen_arguments<N - Cotangents, I...>;

  template <class... X>
  constexpr auto operator()(const X&... x) const {
    constexpr int n = static_cast<int>(sizeof...(X));
    return trace(std::tuple<X...>(x...), first<n>{}, chosen<n>{}, std::make_index_sequence<static_cast<std::size_t>(Cotangents)>{});
  }

  template <class... X>
  using at = function_at<F, first<static_cast<int>(sizeof...(X))>, X...>;

 private:
  template <class Arguments, std::size_t... N, int... C, std::size_t... J>
  static constexpr auto trace(Arguments all, std::index_sequence<N...>, std::integer_sequence<int, C...>, std::index_sequence<J...>) {
    graph::program* const p = program_of(std::get<N>(all)...);
    list<int> wrt, outputs, cotangents;
    (append_differentiated(*p, wrt, std::get<static_cast<std::size_t>(C)>(all)), ...);
    stand_ins placeholders;
    placeholders.take(*p, wrt, std::get<N>(all)...);
    if (placeholders.taken()) (append_differentiated(*p, wrt, std::get<static_cast<std::size_t>(C)>(all)), ...);
    auto value = result_of_symbols(*p, F{}(std::as_const(std::get<N>(all))...));
    each_result_symbol(value, [&](Symbol& s) { outputs.push_back(s.index()); });
    (append_instructions(*p, cotangents, std::get<sizeof...(N) + J>(all)), ...);
    auto products = std::make_tuple(std::get<static_cast<std::size_t>(C)>(all)...);
    list<int> found = append_products(*p, outputs, cotangents, wrt);
    for (const int o : outputs) found.push_back(o);
    found = placeholders.give_back(*p, found);
    int next = 0;
    const auto replace = [&](Symbol& s) { s = s.at(found[next++]); };
    std::apply([&](auto&... x) { (each_symbol(x, replace), ...); }, products);
    each_result_symbol(value, replace);
    if constexpr (WithValue) return std::tuple_cat(std::make_tuple(value), products);
    else if constexpr (sizeof...(C) == 1) return std::get<0>(products);
    else return products;
  }

 public:
  /// Appends the products, or `wrt` itself where there is an error.
  static constexpr list<int> append_products(graph::program& p, const list<int>& outputs, const list<int>& cotangents, const list<int>& wrt) {
    if (outputs.size() != cotangents.size()) p.fail(graph::program_error::direction_differs, graph::opcode_of<operation::argument>);
    list<int> result, seeds;
    if (p.error.code == graph::program_error::none)
      for (int k = 0; k < outputs.size(); ++k) seeds.push_back(graph::record_direction(p, cotangents[k], outputs[k]));
    if (p.error.code == graph::program_error::none) return graph::append_adjoints(p, outputs, seeds, wrt);
    for (const int i : wrt) result.push_back(i);
    return result;
  }

 private:
  template <class Sequence, class... X>
  struct entries;
  template <int... C, class... X>
  struct entries<std::integer_sequence<int, C...>, X...> {
    using argument = std::tuple<X...>;
    using products = std::tuple<gradient_result<C, std::tuple_element_t<static_cast<std::size_t>(C), argument>>...>;
    using type = decltype(std::tuple_cat(std::conditional_t<WithValue, std::tuple<typename at<X...>::entry>, std::tuple<>>{}, products{}));
  };

 public:
  template <class... X>
  using results = recorded_entries<function_source<vjp_function, X...>, typename entries<chosen<static_cast<int>(sizeof...(X))>, X...>::type>;
};

/// The function and its products in two constants, so that each stays within the compilers' limits.
template <class F, bool WithValue, int Cotangents, int... I, class... X>
struct function_source<vjp_function<F, WithValue, Cotangents, I...>, X...> {
  using function = vjp_function<F, WithValue, Cotangents, I...>;
  static constexpr int count = static_cast<int>(sizeof...(X));
  using at = typename function::template at<X...>;
  using inner = typename at::source;
  using chosen = typename function::template chosen<count>;
  static constexpr bool returns_tuple = WithValue || chosen::size() > 1;
  static constexpr int expected_size = 3 * graph::constant_program<inner>::value.instruction_count;

  static constexpr graph::program make() {
    using namespace graph;
    program p = thaw(constant_program<inner>::value);
    if (p.error.code != program_error::none) return p;
    const list<int> wrt = at::instructions(p, chosen{});
    list<int> cotangents, outputs;
    lowering l{p, p.argument_count, p.scalar_count};
    int number = 0;
    (..., (number++ < count - Cotangents ? void() : lower_direction<X>(l, cotangents)));
    for (const int o : p.outputs) outputs.push_back(o);
    if (!WithValue) p.outputs.clear();
    for (const int d : function::append_products(p, outputs, cotangents, wrt)) p.outputs.push_back(static_cast<std::int16_t>(d));
    return p;
  }
};

/// `vjp` applied: a last argument that is a tuple holds a cotangent for each of several results.
template <class F, bool WithValue, int... I>
struct VjpFunction {
  template <class... X>
  constexpr auto operator()(const X&... x) const {
    static_assert(sizeof...(X) > 1, "vjp: give the arguments and then the cotangent");
    constexpr std::size_t primals = sizeof...(X) - 1;
    static_assert(((I >= 0 && I < static_cast<int>(primals)) && ...), "vjp: there is no argument of that number");
    return call(std::tie(x...), std::make_index_sequence<primals>{});
  }

 private:
  template <class Arguments, std::size_t... N>
  static constexpr auto call(const Arguments& all, std::index_sequence<N...>) {
    const auto& last = std::get<sizeof...(N)>(all);
    using Last = std::remove_cvref_t<decltype(last)>;
    if constexpr (is_tuple_like<Last>)
      return std::apply([&](const auto&... d) {
        return Compiled<vjp_function<F, WithValue, static_cast<int>(sizeof...(d)), I...>>{}(std::get<N>(all)..., d...);
      }, last);
    else return Compiled<vjp_function<F, WithValue, 1, I...>>{}(std::get<N>(all)..., last);
  }
};

}  // namespace detail

/// The function whose value is f's value and the products of a cotangent with f's Jacobians: `auto [y, dx1, dx2] = vjp(f)(x1, x2, dy);`. With
/// numbers only the products for those arguments: `vjp<0>(f)(x, labels, dy)`. If f returns several, the last argument is a tuple of
/// cotangents, and the value a tuple. torch.func.vjp returns a function that waits for the cotangent; a compiled function has no captures to
/// keep what it would need, so here the cotangent comes with the arguments, and all is one plan.
template <int... I, class F>
constexpr auto vjp(const F&) {
  constexpr bool without_captures = std::is_empty_v<F> && std::is_default_constructible_v<F>;
  static_assert(without_captures, "vjp wants a function without captures; pass what it captures as an argument");
  if constexpr (!without_captures) return Unknown{};
  else return detail::VjpFunction<typename detail::traced_function<F>::type, true, I...>{};
}

}  // namespace fluxion
