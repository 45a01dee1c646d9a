/// The plan of an expression, to look at and to assert on.
#pragma once
#include "../graph/explain.hpp"
#include "../graph/summary.hpp"
#include "evaluate.hpp"

namespace fluxion {

/// What evaluating an expression of type X takes: `static_assert(plan_of<decltype(e)>.kernels == 1)`.
template <Expression X>
inline constexpr graph::plan_summary plan_of = graph::summarize(detail::plan_call<detail::expression_source<X>>::view);

/// The kernels that an expression becomes, with the run-time extents it has now. Nothing is evaluated. Raises ShapeError.
template <Expression X>
std::string explain(const X& expression) {
  using call_type = detail::plan_call<detail::expression_source<X>>;
  call_type call;
  detail::binder b = call.make_binder();
  argument_traits<X>::bind(expression, b);
  call.check();
  return graph::explain(call_type::view, call.symbols);
}

}  // namespace fluxion
