/// What the transforms of functions of several results need: the symbols that a result holds, and results in groups of their own.
#pragma once
#include "transform.hpp"

namespace fluxion::detail {

/// A traced result as symbols: alone, in tuples, or in the structure that holds them.
template <class R>
constexpr auto result_of_symbols(graph::program& p, const R& result) {
  if constexpr (is_tuple_like<R>) {
    return std::apply([&](const auto&... part) { return std::make_tuple(result_of_symbols(p, part)...); }, result);
  } else if constexpr (std::is_arithmetic_v<R>) {
    return Symbol(p, p.constant(element_type_of<R>, static_cast<double>(result)));
  } else if constexpr (graph::HoldsSymbol<R>) {
    const Symbol s = graph::symbol_of(result);
    return s.cast(s.type());  // a literal without a partner takes the type that it would have had in an operation
  } else {
    return result;
  }
}

/// Calls `g(Symbol&)` for each symbol of such a result, in the order of outputs.
template <class R, class G>
constexpr void each_result_symbol(R& result, const G& g) {
  if constexpr (is_tuple_like<R>) std::apply([&](auto&... part) { (each_result_symbol(part, g), ...); }, result);
  else each_symbol(result, g);
}

/// The symbols of an argument as instructions; a number becomes a constant.
template <class X>
constexpr void append_instructions(graph::program& p, list<int>& to, X& x) {
  if constexpr (std::is_arithmetic_v<X>) to.push_back(p.constant(element_type::float64, static_cast<double>(x)));
  else each_symbol(x, [&](Symbol& s) { to.push_back(graph::record_cast(p, s.index(), s.type())); });  // a number as operations see it
}

/// The same for an argument that is differentiated. A number inside a trace is a literal: the function would not see it as this constant.
template <class X>
constexpr void append_differentiated(graph::program& p, list<int>& to, X& x) {
  static_assert(!std::is_arithmetic_v<X>, "inside a traced function a derivative with respect to a plain number is zero: pass a value");
  append_instructions(p, to, x);
}

/// Records one more argument of type X behind those that the program has: a direction.
template <class X>
constexpr void lower_direction(lowering& l, list<int>& to) {
  if constexpr (!may_be_argument<X>()) l.program.fail(graph::program_error::already_reported, graph::opcode_of<operation::argument>);
  else {
    auto direction = argument_traits<X>::lower(l);
    append_instructions(l.program, to, direction);
  }
}

/// Several results as one entry: a tuple.
template <class Entries>
struct grouped_result;
template <class... R>
struct grouped_result<std::tuple<R...>> {
  static constexpr int outputs = (R::outputs + ... + 0);
  template <int K, class Call, class... X>
  static auto make(const Call& call, const X&... x) {
    return [&]<std::size_t... J>(std::index_sequence<J...>) {
      return std::make_tuple(R::template make<K + first_output<std::tuple<R...>, J>()>(call, x...)...);
    }(std::index_sequence_for<R...>{});
  }
  template <class Value, class... X>
  static void finish(Value& value, const X&... x) {
    [&]<std::size_t... J>(std::index_sequence<J...>) { (finish_result<R>(std::get<J>(value), x...), ...); }(std::index_sequence_for<R...>{});
  }
};

/// F at the first of the arguments X: how it is recorded, and the entries of its result, one by one and as one.
template <class F, class First, class... X>
struct function_at;
template <class F, std::size_t... N, class... X>
struct function_at<F, std::index_sequence<N...>, X...> {
  template <std::size_t K>
  using argument = std::tuple_element_t<K, std::tuple<X...>>;
  using source = function_source<F, argument<N>...>;
  using entries = typename results_of<F, source, argument<N>...>::type;
  using entry = std::conditional_t<source::returns_tuple, grouped_result<entries>, std::tuple_element_t<0, entries>>;

  template <int... I>
  static constexpr list<int> instructions(const graph::program& p, std::integer_sequence<int, I...> chosen) {
    return instructions_of_arguments<argument<N>...>(p, chosen);
  }
};

/// The same entries where the error has been reported.
template <class Entries>
struct unknown_entries;
template <class... R>
struct unknown_entries<std::tuple<R...>> {
  template <class>
  using unknown = unknown_result;
  using type = std::tuple<unknown<R>...>;
};
template <class Source, class Entries>
using recorded_entries = typename std::conditional_t<Recorded<Source>, std::type_identity<Entries>, unknown_entries<Entries>>::type;

/// The numbers I, or if there are none, those of all Count arguments.
template <int Count, int... I>
using chosen_arguments = std::conditional_t<sizeof...(I) == 0, std::make_integer_sequence<int, Count>, std::integer_sequence<int, I...>>;

}  // namespace fluxion::detail
