/// An operation applied to plain numbers: in which type it computes, and what type comes out.
#pragma once
#include "operation.hpp"

#include <type_traits>

namespace fluxion::graph::detail {

/// Bools compute as int32 where an operation is not about truth, so that true + true is true; integers as unsigned ones where they may overflow.
template <class T, class O>
constexpr auto computing_type() {
  using C = std::conditional_t<std::is_same_v<T, bool> && O::typing != typing::logical, std::int32_t, T>;
  if constexpr (std::is_integral_v<C> && !std::is_same_v<C, bool> && requires { O::wraps; }) return std::make_unsigned_t<C>{};
  else return C{};
}
template <class T, class O>
using computed_in = decltype(computing_type<T, O>());

template <class O, class T>
FLUXION_ALWAYS_INLINE auto apply_unary(T a) {
  return static_cast<T>(O::value(static_cast<computed_in<T, O>>(a)));
}
template <class O, class T>
FLUXION_ALWAYS_INLINE auto apply_binary(T a, T b) {
  using C = computed_in<T, O>;
  const auto y = O::value(static_cast<C>(a), static_cast<C>(b));
  if constexpr (O::typing == typing::compare) return static_cast<bool>(y);
  else return static_cast<T>(y);
}

}  // namespace fluxion::graph::detail
