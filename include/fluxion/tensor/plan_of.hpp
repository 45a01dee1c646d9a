/// The plan of an expression, to look at and to assert on.
#pragma once
#include "../graph/explain.hpp"
#include "../graph/summary.hpp"
#include "evaluate.hpp"
#include "function.hpp"

namespace fluxion {

/// What evaluating an expression of type X takes: `static_assert(plan_of<decltype(e)>.kernels == 1)`.
template <Expression X>
inline constexpr graph::plan_summary plan_of = detail::plan_call<detail::expression_source<std::remove_cv_t<X>>>::summary;

namespace detail {
template <class Call>
std::string explain_call(const Call& call) {
  if constexpr (requires { call.examples(); }) return graph::explain_straight_line(Call::view, call.summary_now(), call.symbols);
  else if constexpr (Call::is_straight_line) return graph::explain_straight_line(Call::view, Call::summary);
  else return graph::explain(Call::view, call.symbols);
}
}  // namespace detail

/// The kernels that an expression becomes, with the run-time extents it has now. Nothing is evaluated. Raises ShapeError.
template <Expression X>
std::string explain(const X& expression) {
  using call_type = detail::plan_call<detail::expression_source<X>>;
  call_type call;
  detail::binder b = call.make_binder();
  argument_traits<X>::bind(expression, b);
  call.check();
  return detail::explain_call(call);
}

namespace detail {
template <class... X, class F>
constexpr graph::plan_summary summary_of_call(const Compiled<F>*) {
  return plan_call<function_source<F, X...>>::summary;
}
}  // namespace detail

/// What a compiled function takes for arguments of types X: `plan_of_call<decltype(f), Tensor<float, dims<2>>>.kernels == 1`.
template <class F, class... X>
inline constexpr graph::plan_summary plan_of_call = detail::summary_of_call<std::remove_cvref_t<X>...>(static_cast<const std::remove_cvref_t<F>*>(nullptr));

/// The kernels that a compiled function becomes for these arguments. Nothing is evaluated. Raises ShapeError.
template <class F, class... X>
std::string explain(const Compiled<F>&, const X&... x) {
  const detail::function_call<detail::function_source<F, X...>> call(x...);
  return detail::explain_call(call);
}

}  // namespace fluxion
