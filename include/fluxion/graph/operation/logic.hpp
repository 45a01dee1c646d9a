/// Comparison, logic, selection, conversion: element by element.
#pragma once
#include "operation.hpp"

namespace fluxion::operation {

/// A comparison or a logical function has no derivative: its result is not a number.
template <int Arity, typing Typing>
struct predicate_base : map_base<Arity, Typing> {
  static constexpr bool differentiable = false;
};

struct less : predicate_base<2, typing::compare> {
  static constexpr std::string_view name = "less";
  template <class T> FLUXION_ALWAYS_INLINE static constexpr auto value(const T& a, const T& b) {
    using math::less;
    return less(a, b);
  }
};
struct less_equal : predicate_base<2, typing::compare> {
  static constexpr std::string_view name = "less_equal";
  template <class T> FLUXION_ALWAYS_INLINE static constexpr auto value(const T& a, const T& b) {
    using math::less_equal;
    return less_equal(a, b);
  }
};
struct equal : predicate_base<2, typing::compare> {
  static constexpr std::string_view name = "equal";
  template <class T> FLUXION_ALWAYS_INLINE static constexpr auto value(const T& a, const T& b) {
    using math::equal;
    return equal(a, b);
  }
};
struct not_equal : predicate_base<2, typing::compare> {
  static constexpr std::string_view name = "not_equal";
  template <class T> FLUXION_ALWAYS_INLINE static constexpr auto value(const T& a, const T& b) {
    using math::not_equal;
    return not_equal(a, b);
  }
};

struct logical_and : predicate_base<2, typing::logical> {
  static constexpr std::string_view name = "logical_and";
  template <class T> FLUXION_ALWAYS_INLINE static constexpr auto value(const T& a, const T& b) {
    using math::logical_and;
    return logical_and(a, b);
  }
};
struct logical_or : predicate_base<2, typing::logical> {
  static constexpr std::string_view name = "logical_or";
  template <class T> FLUXION_ALWAYS_INLINE static constexpr auto value(const T& a, const T& b) {
    using math::logical_or;
    return logical_or(a, b);
  }
};
struct logical_not : predicate_base<1, typing::logical> {
  static constexpr std::string_view name = "logical_not";
  template <class T> FLUXION_ALWAYS_INLINE static constexpr auto value(const T& a) {
    using math::logical_not;
    return logical_not(a);
  }
};

/// `condition ? a : b`. The adjoint of the branch not taken is exactly zero, whatever that branch holds.
struct select : map_base<3, typing::choose> {
  static constexpr std::string_view name = "where";
  template <class C, class T> FLUXION_ALWAYS_INLINE static constexpr T value(const C& condition, const T& a, const T& b) {
    using math::select;
    return select(condition, a, b);
  }
  template <int I, class S> static constexpr S derivative(const S& d, const S& condition, const S&, const S&, const S&) {
    if constexpr (I == 1) return where(condition, d, 0);
    else return where(condition, 0, d);
  }
};

/// Another element type, by the conversion of the language.
struct cast : map_base<1, typing::explicit_> {
  static constexpr std::string_view name = "cast";
  template <int I, class S> static constexpr S derivative(const S& d, const S& x, const S&) { return d.cast(x.type()); }
};

/// The operand itself, broadcast to the result's shape.
struct expand : map_base<1> {
  static constexpr std::string_view name = "expand";
  static constexpr cost_t cost{.flops = 0};
  template <class T> FLUXION_ALWAYS_INLINE static constexpr T value(const T& x) { return x; }
  template <int I, class S> static constexpr S derivative(const S& d, const S&, const S&) { return d; }
};

/// The operand itself, as a constant for every derivative.
struct detach : map_base<1> {
  static constexpr std::string_view name = "detach";
  static constexpr cost_t cost{.flops = 0};
  static constexpr bool differentiable = false;
  template <class T> FLUXION_ALWAYS_INLINE static constexpr T value(const T& x) { return x; }
};

using logic_operations =
    operations<less, less_equal, equal, not_equal, logical_and, logical_or, logical_not, select, cast, expand, detach>;

}  // namespace fluxion::operation
