/// An operation applied to packs and masks: in which lanes it computes, and what comes out.
#pragma once
#include "../../graph/operation/table.hpp"
#include "packet.hpp"

namespace fluxion::host {
inline namespace FLUXION_ABI {

/// The same truth in every lane.
template <class M>
FLUXION_ALWAYS_INLINE M truth(bool value) {
  using P = Pack<typename M::value_type, M::lanes>;
  return not_equal(splat<P>(typename M::value_type(value ? 1 : 0)), splat<P>(typename M::value_type(0)));
}

/// A unary map O as a V, which is a mask where its result is a bool.
template <class O, class V, class A>
FLUXION_ALWAYS_INLINE V apply_packed(const A& a) {
  if constexpr (detail::is_mask<V>) {
    using C = typename V::value_type;
    // Truth values add and multiply as the numbers 0 and 1: true + true is true.
    if constexpr (O::typing == graph::typing::promote && O::cost.flops > 0) return convert<V>(O::value(convert<C>(a)));
    else return convert_mask<C>(O::value(a));
  } else return O::value(a);
}

/// A binary one. `RightIsNumber` says that b is a constant and no NaN.
template <class O, class V, bool RightIsNumber = false, class A, class B>
FLUXION_ALWAYS_INLINE V apply_packed(const A& a, const B& b) {
  using C = typename V::value_type;
  if constexpr (O::typing == graph::typing::logical) return O::value(convert_mask<C>(a), convert_mask<C>(b));
  else if constexpr (O::typing == graph::typing::compare && detail::is_mask<A>) return O::value(convert<C>(a), convert<C>(b));
  else if constexpr (O::typing == graph::typing::compare) return convert_mask<C>(O::value(a, b));
  else if constexpr (detail::is_mask<V>) return convert<V>(O::value(convert<C>(a), convert<C>(b)));
  else if constexpr (std::is_same_v<O, operation::maximum> && RightIsNumber) return maximum_with_number(a, b);
  else if constexpr (std::is_same_v<O, operation::minimum> && RightIsNumber) return minimum_with_number(a, b);
  else return O::value(a, b);
}

/// A choice: a where m is true, else b.
template <class O, class V, class M, class A>
FLUXION_ALWAYS_INLINE V apply_packed(const M& m, const A& a, const A& b) {
  using C = typename V::value_type;
  const auto chosen = convert_mask<C>(m);
  if constexpr (detail::is_mask<V>) return logical_or(logical_and(chosen, convert_mask<C>(a)), logical_and(logical_not(chosen), convert_mask<C>(b)));
  else return O::value(chosen, a, b);
}

}  // namespace FLUXION_ABI
}  // namespace fluxion::host
