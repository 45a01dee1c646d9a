/// Where lazy expressions meet tensors: what a type needs to be assigned to a Tensor or a View.
#pragma once

namespace fluxion {

/// Something lazy that can be evaluated into a tensor.
template <class X>
concept Expression = requires { typename X::fluxion_expression; };

/// What evaluating `X` gives: `value_type`, `extents_type`, and `static extents_type extents(const X&)`.
/// Assignment calls `evaluate_into(destination, expression)`, construction `evaluate_into_new`, found by argument-dependent lookup.
template <class X>
struct expression_result;

}  // namespace fluxion
