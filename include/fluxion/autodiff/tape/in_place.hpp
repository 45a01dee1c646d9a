/// Changes of variables in place: `x += e`, `x -= e`, `x *= e`, `x /= e`, `x.copy_(e)`. What is recorded is a new statement, to which the variable refers
/// from then on; what is not recorded is written where it lies.
#pragma once
#include "../../core/unknown.hpp"
#include "../../graph/function/elementwise.hpp"
#include "../var.hpp"

#include <type_traits>

namespace fluxion {
namespace detail {

/// Gives a variable the value of an expression, as if it were written in place.
template <class T, class E, class X>
void change_in_place(Var<T, E>& x, const X& expression, const char* what) {
  constexpr bool same_type = std::is_same_v<typename expression_result<X>::value_type, T>;
  static_assert(same_type, "the value that a variable gets in place has another element type: convert with cast<T>(…)");
  if constexpr (same_type) {
    constexpr bool fits = std::is_same_v<typename expression_result<X>::extents_type, E>;
    static_assert(fits, "the value that a variable gets in place has other extents than the variable");
    if constexpr (fits) {
      TapeNode& node = x.node();
      if (node.is_leaf && node.requires_grad && is_grad_enabled())
        raise<ValueError>(what, ": a leaf that requires a gradient is written only under NoGradGuard");
      check_equal_extents(x.extents(), E(expression_result<X>::extents(expression)), "a variable and the value that it gets in place");
      if (requires_gradient(expression) || !(node.is_leaf || node.requires_grad)) x = Var<T, E>(expression, node.where);
      else x.write(expression);
    }
  }
}

}  // namespace detail

/// Adds to a variable in place. What is recorded, or becomes so, refers to a new statement from then on; statements that read the former value keep it,
/// as do copies of the variable. A leaf that requires no gradient is written, and under NoGradGuard everything else too: backward raises
/// ValueError for statements that read it before. Raises ValueError for a leaf that requires a gradient, ShapeError if the extents would change.
template <class T, Extents E, Operand X>
Var<T, E>& operator+=(Var<T, E>& x, const X& e) {
  detail::change_in_place(x, x + e, "+=");
  return x;
}
/// Subtracts; as `+=`.
template <class T, Extents E, Operand X>
Var<T, E>& operator-=(Var<T, E>& x, const X& e) {
  detail::change_in_place(x, x - e, "-=");
  return x;
}
/// Multiplies; as `+=`.
template <class T, Extents E, Operand X>
Var<T, E>& operator*=(Var<T, E>& x, const X& e) {
  detail::change_in_place(x, x * e, "*=");
  return x;
}
/// Divides; as `+=`.
template <class T, Extents E, Operand X>
Var<T, E>& operator/=(Var<T, E>& x, const X& e) {
  detail::change_in_place(x, x / e, "/=");
  return x;
}

}  // namespace fluxion
