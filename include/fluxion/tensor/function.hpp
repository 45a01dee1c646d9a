/// Traced functions: `compile(f)` records a stateless function once per argument types, while the program compiles, and runs it as one plan.
#pragma once
#include "evaluate.hpp"

#include <array>
#include <tuple>
#include <utility>

namespace fluxion {

// ---- what a function that is being traced holds and returns ---------------------------------------------------------------

namespace detail {

template <class R>
inline constexpr bool is_tuple_like = false;
template <class... R>
inline constexpr bool is_tuple_like<std::tuple<R...>> = true;
template <class A, class B>
inline constexpr bool is_tuple_like<std::pair<A, B>> = true;
template <class R, std::size_t N>
inline constexpr bool is_tuple_like<std::array<R, N>> = true;

}  // namespace detail

/// The symbols that a value holds while a function is traced: `each(x, f)` calls `f(Symbol&)` in order. Specialised for models.
template <class X>
struct traced_traits;

template <>
struct traced_traits<Symbol> {
  template <class F>
  static constexpr void each(Symbol& x, F&& f) { f(x); }
};

namespace detail {

template <class R>
concept TracedStructure = requires(R& r) { traced_traits<R>::each(r, [](Symbol&) {}); };

constexpr void append_output(graph::program& p, const Symbol& x) {
  // A literal without a partner takes the type that it would have had in an operation.
  const graph::instruction i = p[x.index()];
  const int index = i.flags & graph::weak_flag ? graph::record_cast(p, x.index(), i.type) : x.index();
  p.outputs.push_back(static_cast<std::int16_t>(index));
}

template <class R>
constexpr void append_outputs(graph::program& p, const R& result) {
  if constexpr (std::is_same_v<R, Unknown>) {
    p.outputs.push_back(static_cast<std::int16_t>(p.fail(graph::program_error::already_reported, graph::opcode_of<operation::argument>)));
  } else if constexpr (is_tuple_like<R>) {
    std::apply([&](const auto&... part) { (append_outputs(p, part), ...); }, result);
  } else if constexpr (std::is_arithmetic_v<R>) {
    p.outputs.push_back(static_cast<std::int16_t>(p.constant(element_type_of<R>, static_cast<double>(result))));
  } else if constexpr (graph::HoldsSymbol<R>) {
    append_output(p, graph::symbol_of(result));
  } else {
    static_assert(TracedStructure<R>, "a traced function returns a value computed from its arguments, or a tuple, pair or array of such values");
    R copy = result;
    traced_traits<R>::each(copy, [&](Symbol& x) { append_output(p, x); });
  }
}

/// Whether something can be an argument; what cannot has been reported by then.
template <class X>
constexpr bool may_be_argument() {
  if constexpr (requires { argument_traits<X>::is_allowed(); }) return argument_traits<X>::is_allowed();
  else return true;
}

inline namespace FLUXION_ABI {

/// Records F applied to arguments of types X.
template <class F, class... X>
struct function_source {
  using operands = children<std::make_integer_sequence<int, static_cast<int>(sizeof...(X))>, lowered_t<X>...>;

  using numbers = std::make_integer_sequence<int, static_cast<int>(sizeof...(X))>;

  template <int... I>
  static constexpr auto call(const operands& o, std::integer_sequence<int, I...>) {
    return F{}(get_child<I>(o)...);
  }
  static constexpr graph::program make() {
    graph::program p;
    lowering l{p};
    if constexpr ((!may_be_argument<X>() || ...) || std::is_same_v<returned, Unknown>) {
      append_outputs(p, Unknown{});
    } else {
      const operands o{{argument_traits<X>::lower(l)}...};
      append_outputs(p, call(o, numbers{}));
    }
    return p;
  }
  // A function with an error in it cannot be called, to clang, or returns nothing, to g++.
  template <class S>
  static constexpr auto look_at_result() {
    if constexpr ((!may_be_argument<X>() || ...)) return std::type_identity<Unknown>{};
    else if constexpr (!requires(const operands& o) { S::call(o, numbers{}); }) return std::type_identity<Unknown>{};
    else {
      using result = decltype(S::call(std::declval<const operands&>(), numbers{}));
      static_assert(!std::is_void_v<result>, "a traced function returns a value computed from its arguments, or a tuple, pair or array of such values");
      return std::type_identity<std::conditional_t<std::is_void_v<result>, Unknown, result>>{};
    }
  }
  using returned = typename decltype(look_at_result<function_source>())::type;
  static constexpr bool returns_tuple = is_tuple_like<returned>;
};

}  // namespace FLUXION_ABI
}  // namespace detail

// ---- what a call returns ---------------------------------------------------------------------------------------------------

/// A new value that outputs of a plan are computed into: `outputs` (how many it takes), `make<K>(call, arguments...)` without elements, where
/// K is its first output.
struct deduced_result {
  static constexpr int outputs = 1;
  template <int K, class Call, class... X>
  static auto make(const Call& call, const X&...) {
    using output = detail::source_output<typename Call::source_type, K>;
    return Tensor<typename output::value_type, typename output::extents_type>(uninitialized, call.template extents<K>());
  }
};

/// A value of a function whose error has been reported.
struct unknown_result {
  static constexpr int outputs = 1;
  template <int, class Call, class... X>
  static Unknown make(const Call&, const X&...) { return {}; }
};

/// What the gradient of an argument is: of the argument's own type.
template <class X>
struct gradient_traits;

template <class X>
  requires requires { typename argument_traits<X>::gradient_type; }
struct gradient_traits<X> {
  using type = typename argument_traits<X>::gradient_type;
  static constexpr int outputs = 1;
  template <int K, class Call>
  static type make(const Call& call, const X&) {
    return type(uninitialized, detail::convert_extents<typename type::extents_type>(call.template extents<K>(), "grad"));
  }
};
template <class X>
  requires std::is_floating_point_v<X>
struct gradient_traits<X> {
  using type = Tensor<X, extents<>>;
  static constexpr int outputs = 1;
  template <int K, class Call>
  static type make(const Call&, const X&) {
    return type(uninitialized, extents<>{});
  }
};

/// Which arguments of the program an argument of the function is differentiated with respect to: `numbers` appends those of tensors, and
/// -1 - k for the scalar numbered k. Specialised for models.
template <class X>
struct gradient_arguments {
  static constexpr void numbers(list<int>& wrt, int& next_argument, int& next_scalar) {
    for (int k = 0; k < argument_traits<X>::arguments; ++k) wrt.push_back(next_argument + k);
    for (int k = 0; k < argument_traits<X>::scalars; ++k) wrt.push_back(-1 - (next_scalar + k));
    next_argument += argument_traits<X>::arguments;
    next_scalar += argument_traits<X>::scalars;
  }
};

/// How a destination takes outputs of a plan: `outputs`, `describe<K>(destination, call, descriptors)`. Specialised for models.
template <class D>
struct destination_traits;

template <class D>
  requires requires(D& d) { d.mapping(); typename D::value_type; typename D::extents_type; }
struct destination_traits<D> {
  static constexpr int outputs = 1;
  template <int K, class Call>
  static void describe(D& d, const Call& call, graph::descriptor* to) {
    static_assert(std::is_same_v<typename D::value_type, typename detail::source_output<typename Call::source_type, K>::value_type>,
                  "the element types of a result and its destination differ: convert with cast<T>(…)");
    detail::check_equal_extents(d.extents(), call.template extents<K>(), "compile: destination and result");
    detail::check_has_elements(d);
    detail::describe(to[K], d.data(), d.mapping());
  }
};
template <class... D>
struct destination_traits<std::tuple<D...>> {
  static constexpr int outputs = (destination_traits<std::remove_cvref_t<D>>::outputs + ... + 0);
  template <int K, class Call>
  static void describe(std::tuple<D...>& d, const Call& call, graph::descriptor* to) {
    part<K, 0>(d, call, to);
  }

 private:
  template <int K, std::size_t I, class Call>
  static void part(std::tuple<D...>& d, const Call& call, graph::descriptor* to) {
    if constexpr (I < sizeof...(D)) {
      using traits = destination_traits<std::remove_cvref_t<std::tuple_element_t<I, std::tuple<D...>>>>;
      traits::template describe<K>(std::get<I>(d), call, to);
      part<K + traits::outputs, I + 1>(d, call, to);
    }
  }
};

namespace detail {

/// A plan call that knows its source.
template <class Source>
struct function_call : plan_call<Source> {
  using source_type = Source;
  template <class... X>
  explicit function_call(const X&... x) {
    binder b = this->make_binder();
    (argument_traits<X>::bind(x, b), ...);
    this->check();
  }
};

template <int K, bool Fresh = false, class Call, class Destination>
void compute_into(Call& call, Destination& destination) {
  if constexpr (Recorded<typename Call::source_type>) {
    using traits = destination_traits<Destination>;
    static_assert(traits::outputs == Call::output_count, "the function returns another number of values than there are destinations");
    graph::descriptor outputs[traits::outputs > 0 ? traits::outputs : 1];
    traits::template describe<K>(destination, call, outputs);
    if constexpr (Fresh) call.run_fresh(outputs);
    else call.run(outputs);
  }
}

template <class Result, class Sequence>
struct equal_results;
template <class Result, int... K>
struct equal_results<Result, std::integer_sequence<int, K...>> {
  template <int>
  using one = Result;
  using type = std::tuple<one<K>...>;
};

template <class Source>
constexpr int result_count() {
  if constexpr (Recorded<Source>) return plan_call<Source>::output_count;
  else if constexpr (Source::returns_tuple) return static_cast<int>(std::tuple_size_v<typename Source::returned>);
  else return 1;
}

/// One entry per value of the result: `F::results<X...>` where the function has an opinion, otherwise what the program says.
template <class F, class Source, class... X>
struct results_of {
  using result = std::conditional_t<Recorded<Source>, deduced_result, unknown_result>;
  using type = typename equal_results<result, std::make_integer_sequence<int, result_count<Source>()>>::type;
};
template <class F, class Source, class... X>
  requires requires { typename F::template results<X...>; }
struct results_of<F, Source, X...> {
  using type = typename F::template results<X...>;
};

/// Lets a kind of result have the last word on its value, such as a gradient that must get its argument's extents.
template <class Result, class Value, class... X>
void finish_result(Value& value, const X&... x) {
  if constexpr (requires { Result::finish(value, x...); }) Result::finish(value, x...);
}

template <class Results, std::size_t I>
constexpr int first_output() {
  return []<std::size_t... J>(std::index_sequence<J...>) {
    return (std::tuple_element_t<J, Results>::outputs + ... + 0);
  }(std::make_index_sequence<I>{});
}

}  // namespace detail

inline namespace FLUXION_ABI {

/// A traced function. Calling it with tensors, views, numbers or models runs its plan; calling it with symbols records it into theirs.
template <class F>
class Compiled {
 public:
  /// Computes new tensors: one, or a tuple if the function returns several. Raises ShapeError where run-time extents do not fit.
  template <class... X>
  constexpr auto operator()(const X&... x) const {
    if constexpr ((std::is_same_v<X, Symbol> || ...)) {
      return F{}(x...);
    } else {
      return run(x...);
    }
  }

  /// Computes into one tensor or view, or into `std::tie(…)` of several, whose extents must fit. They may be arguments too.
  template <class D, class... X>
  void into(D&& destination, const X&... x) const {
    (check_unchanged_argument(x), ...);
    std::remove_cvref_t<D>& target = destination;
    detail::check_has_elements(target);
    using call_type = detail::function_call<detail::function_source<F, X...>>;
    if constexpr (call_type::is_plain && requires { target.mapping(); }) {
      static_assert(std::is_same_v<typename std::remove_cvref_t<D>::value_type, typename detail::source_output<detail::function_source<F, X...>, 0>::value_type>,
                    "the element types of a result and its destination differ: convert with cast<T>(…)");
      if (call_type::run_plain(target.data(), target.mapping(), [&](auto& b) { (argument_traits<X>::bind(x, b), ...); })) return;
    }
    call_type call(x...);
    detail::compute_into<0>(call, target);
  }

 private:
  template <class X>
  static void check_unchanged_argument(const X& x) {
    if constexpr (Expression<X>) detail::check_unchanged(x);
  }

  template <class... X>
  static auto run(const X&... x) {
    using source = detail::function_source<F, X...>;
    using results = typename detail::results_of<F, source, X...>::type;
    (check_unchanged_argument(x), ...);
    detail::function_call<source> call(x...);
    return [&]<std::size_t... I>(std::index_sequence<I...>) {
      auto result = std::tuple(std::tuple_element_t<I, results>::template make<detail::first_output<results, I>()>(call, x...)...);
      detail::compute_into<0, true>(call, result);
      (detail::finish_result<std::tuple_element_t<I, results>>(std::get<I>(result), x...), ...);
      if constexpr (source::returns_tuple) return result;
      else return std::get<0>(std::move(result));
    }(std::make_index_sequence<std::tuple_size_v<results>>{});
  }
};

/// A function without captures as one plan per argument types: `auto g = compile([](auto x, auto y) { return x * y + 1; }); g(a, b)`.
template <class F>
constexpr auto compile(const F&) {
  constexpr bool without_captures = std::is_empty_v<F> && std::is_default_constructible_v<F>;
  static_assert(without_captures, "compile wants a function without captures; pass what it captures as an argument");
  if constexpr (without_captures) return Compiled<F>{};
  else return Unknown{};
}

}  // namespace FLUXION_ABI
}  // namespace fluxion
