/// `linearize`: the value of a function at a point, and its derivative there as a function to be applied again and again.
#pragma once
#include "../graph/pass/linearize.hpp"
#include "result.hpp"

namespace fluxion {

namespace detail {

/// F with the tangents of its result by all arguments that have derivatives, as the two plans below share it.
template <class F, class... X>
struct linearization_source {
  using inner = function_source<F, X...>;
  static constexpr int expected_size = 3 * graph::constant_program<inner>::value.instruction_count;

  static constexpr bool has_tangent(const graph::program& p, int i) { return is_floating(p[i].type); }
  /// The differentiated arguments' instructions.
  static constexpr list<int> inputs(const graph::program& p) {
    list<int> result;
    const list<int> all = instructions_of_arguments<X...>(p, std::make_integer_sequence<int, static_cast<int>(sizeof...(X))>{});
    for (const int i : all)
      if (is_floating(p[i].type)) result.push_back(i);
    return result;
  }
  static constexpr graph::program make() { return graph::thaw(graph::constant_program<inner>::value); }
};

/// The value, and behind it the residuals.
template <class F, class... X>
struct residual_source {
  using inner = function_source<F, X...>;
  using common = linearization_source<F, X...>;
  static constexpr int values = graph::constant_program<inner>::value.output_count;
  static constexpr int expected_size = common::expected_size;

  static constexpr graph::program make() {
    using namespace graph;
    program p = common::make();
    if (p.error.code != program_error::none) return p;
    list<int> outputs;
    for (const int o : p.outputs) outputs.push_back(o);
    const linearization l = append_linearization(p, common::inputs(p), outputs);
    for (const int r : l.residuals) p.outputs.push_back(static_cast<std::int16_t>(r));
    return p;
  }
};

/// The tangents of the value, from F's arguments (of which only extents and numbers are read), the residuals, and directions D.
template <class F, class Arguments, class... D>
struct linear_source;
template <class F, class... X, class... D>
struct linear_source<F, std::tuple<X...>, D...> {
  using common = linearization_source<F, X...>;
  static constexpr int expected_size = common::expected_size;

  static constexpr graph::program make() {
    using namespace graph;
    program p = common::make();
    if (p.error.code != program_error::none) return p;
    list<int> outputs, given, from;
    for (const int o : p.outputs) outputs.push_back(o);
    const list<int> inputs = common::inputs(p);
    const linearization l = append_linearization(p, inputs, outputs);
    list<replacement> to;
    int number = p.argument_count;
    for (const int r : l.residuals) {
      const instruction x = p[r];
      p.argument_count = number + 1;
      from.push_back(r);
      to.push_back({p.put({.operation = opcode_of<operation::argument>, .type = x.type, .accumulator = x.type, .shape = p.canonical(x.shape), .attribute = number++}), false});
    }
    lowering more{p, number, p.scalar_count};
    (lower_direction<D>(more, given), ...);
    if (given.size() != inputs.size()) p.fail(program_error::direction_differs, opcode_of<operation::argument>);
    if (p.error.code != program_error::none) return p;
    for (int k = 0; k < given.size(); ++k) {
      from.push_back(l.directions[k]);
      to.push_back({record_direction(p, given[k], inputs[k]), false});
    }
    if (p.error.code != program_error::none) return p;
    p.outputs.clear();
    for (const replacement& t : append_replaced(p, from, to, 0, l.tangents)) p.outputs.push_back(static_cast<std::int16_t>(t.index));
    return p;
  }
};

template <class Source, class Sequence>
struct source_tensors;
template <class Source, int... K>
struct source_tensors<Source, std::integer_sequence<int, K...>> {
  using type = std::tuple<Tensor<typename source_output<Source, K>::value_type, typename source_output<Source, K>::extents_type>...>;
};
template <class Source, int... K, class Call>
auto make_tensors(const Call& call, std::integer_sequence<int, K...>) {
  return typename source_tensors<Source, std::integer_sequence<int, K...>>::type{
      Tensor<typename source_output<Source, K>::value_type, typename source_output<Source, K>::extents_type>(uninitialized, call.template extents<K>())...};
}

}  // namespace detail

/// The derivative of F at a point: `df(direction...)` is the tangent of F's result, one for each value of it. It holds what the tangents need of
/// the values computed at the point, and computes none of them again.
template <class F, class... X>
class Linearized {
  using residual_source = detail::residual_source<F, X...>;
  using residual_call = detail::plan_call<residual_source>;
  static constexpr int values = residual_source::values;
  static constexpr int residuals = residual_call::output_count - values;
  template <int From, int... K>
  static std::integer_sequence<int, From + K...> shifted(std::integer_sequence<int, K...>);
  using residual_numbers = decltype(shifted<values>(std::make_integer_sequence<int, residuals>{}));
  using value_numbers = std::make_integer_sequence<int, values>;

 public:
  using value_type = typename detail::source_tensors<residual_source, value_numbers>::type;

  /// Evaluates F, and keeps what its tangents need.
  Linearized(value_type& value, const X&... x) : Linearized(value, detail::function_call<residual_source>(x...)) {}

  template <class... D>
  auto operator()(const D&... direction) const {
    using source = detail::linear_source<F, std::tuple<X...>, D...>;
    if constexpr (!detail::Recorded<source>) {
      static_assert(graph::checked<detail::source_error<source>>::report());
      return Unknown{};
    } else {
      detail::plan_call<source> call;
      detail::binder b = call.make_binder();
      for (const graph::descriptor& d : point_) *b.arguments++ = d;
      for (const graph::scalar_value& s : scalars_) *b.scalars++ = s;
      std::apply([&](const auto&... r) { (b.add(r.data(), r.mapping()), ...); }, residuals_);
      (argument_traits<D>::bind(direction, b), ...);
      call.check();
      auto result = detail::make_tensors<source>(call, value_numbers{});
      graph::descriptor outputs[static_cast<std::size_t>(values > 0 ? values : 1)];
      describe(result, outputs);
      call.run_fresh(outputs);
      if constexpr (values == 1) return std::get<0>(std::move(result));
      else return result;
    }
  }

 private:
  template <class Call>
  Linearized(value_type& value, Call&& call) : residuals_(detail::make_tensors<residual_source>(call, residual_numbers{})) {
    value = detail::make_tensors<residual_source>(call, value_numbers{});
    graph::descriptor outputs[static_cast<std::size_t>(values + residuals)];
    describe(value, outputs);
    describe(residuals_, outputs + values);
    call.run_fresh(outputs);
    for (std::size_t k = 0; k < point_.size(); ++k) {
      point_[k] = call.arguments[k];
      point_[k].data = nullptr;
    }
    for (std::size_t k = 0; k < scalars_.size(); ++k) scalars_[k] = call.scalars[k];
  }
  template <class Tensors>
  static void describe(Tensors& tensors, graph::descriptor* to) {
    std::apply([&](auto&... t) { (detail::describe(*to++, t.data(), t.mapping()), ...); }, tensors);
  }

  std::array<graph::descriptor, static_cast<std::size_t>(residual_call::argument_count)> point_;  // extents only
  std::array<graph::scalar_value, static_cast<std::size_t>(residual_call::scalar_count)> scalars_;
  typename detail::source_tensors<residual_source, residual_numbers>::type residuals_;
};

/// f at a point, and its derivative there: `auto [y, df] = linearize(f, x); auto dy = df(dx);`, as torch.func.linearize. The derivative is by all
/// arguments of floating point, the parameters of models included; it takes a direction, or a number for all elements, for each of those
/// arguments. Values and tangents are tuples if f returns several. Two plans: one for the value and what is kept, one for a tangent.
template <class F, class... X>
auto linearize(const F&, const X&... x) {
  constexpr bool without_captures = std::is_empty_v<F> && std::is_default_constructible_v<F>;
  static_assert(without_captures, "linearize wants a function without captures; pass what it captures as an argument");
  if constexpr (!without_captures) return std::pair<Unknown, Unknown>{};
  else {
    using function = typename detail::traced_function<F>::type;
    using source = detail::residual_source<function, X...>;
    if constexpr (!detail::Recorded<source>) {
      static_assert(graph::checked<detail::source_error<source>>::report());
      return std::pair<Unknown, Unknown>{};
    } else {
      typename Linearized<function, X...>::value_type value;
      Linearized<function, X...> derivative(value, x...);
      if constexpr (std::tuple_size_v<decltype(value)> == 1) return std::pair(std::get<0>(std::move(value)), std::move(derivative));
      else return std::pair(std::move(value), std::move(derivative));
    }
  }
}

}  // namespace fluxion
