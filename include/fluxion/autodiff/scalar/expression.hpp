/// The right-hand side of a scalar statement: a tree of values that knows how to hand an adjoint down to its operands. Nodes hold values and indices,
/// no references, so that an expression can outlive its operands.
#pragma once
#include "../../core/unknown.hpp"
#include "../../graph/operation/arithmetic.hpp"
#include "../dual.hpp"
#include "../variable.hpp"
#include "tape.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <type_traits>

namespace fluxion {

/// A `Var<T>` or an expression of such; `fluxion_scalar` is T.
template <class X>
concept ScalarOperand = requires { typename X::fluxion_scalar; };

namespace detail {

template <class X>
struct scalar_of {};
template <ScalarOperand X>
struct scalar_of<X> { using type = typename X::fluxion_scalar; };

template <class T, class X>
inline constexpr bool is_scalar_of = is_constant_of<X, T>;
template <class T, ScalarOperand X>
inline constexpr bool is_scalar_of<T, X> = std::is_same_v<typename X::fluxion_scalar, T>;

/// The type of number of operands of which at least one is not a plain number; no member `type` if there is none that all agree to.
template <class... X>
struct scalar_number {};
template <ScalarOperand X, class... Rest>
  requires(is_scalar_of<typename X::fluxion_scalar, Rest> && ...)
struct scalar_number<X, Rest...> { using type = typename X::fluxion_scalar; };
template <class X, ScalarOperand Y, class... Rest>
  requires(!ScalarOperand<X> && is_scalar_of<typename Y::fluxion_scalar, X> && (is_scalar_of<typename Y::fluxion_scalar, Rest> && ...))
struct scalar_number<X, Y, Rest...> { using type = typename Y::fluxion_scalar; };
template <class X, class Y, ScalarOperand Z>
  requires(!ScalarOperand<X> && !ScalarOperand<Y> && is_scalar_of<typename Z::fluxion_scalar, X> && is_scalar_of<typename Z::fluxion_scalar, Y>)
struct scalar_number<X, Y, Z> { using type = typename Z::fluxion_scalar; };

}  // namespace detail

/// Operands whose result is a scalar expression: variables and expressions of one type of number, and constants to it.
template <class... X>
concept ScalarOperands = requires { typename detail::scalar_number<X...>::type; };

namespace detail {
template <class... X>
using scalar_number_t = typename scalar_number<X...>::type;
}

// ---- nodes: here, so that their operators and functions are found ---------------------------------------------------------

/// A variable in an expression.
template <class T>
struct ScalarReference {
  using fluxion_scalar = T;
  static constexpr std::uint32_t entries = 1;
  T number;
  detail::ScalarPlace place;

  FLUXION_ALWAYS_INLINE const T& value() const { return number; }
  FLUXION_ALWAYS_INLINE bool is_active() const { return place.is_active(); }
  FLUXION_ALWAYS_INLINE void push(auto& writer, const T& adjoint) const { writer.add(adjoint, place); }
};

/// A number in an expression.
template <class T>
struct ScalarConstant {
  static constexpr std::uint32_t entries = 0;
  T number;

  FLUXION_ALWAYS_INLINE const T& value() const { return number; }
  FLUXION_ALWAYS_INLINE bool is_active() const { return false; }
};

/// An operation of the table: the adjoints of its operands are the table's.
template <class O, class A>
struct ScalarMap {
  using fluxion_scalar = typename A::fluxion_scalar;
  static constexpr std::uint32_t entries = A::entries;
  A a;
  fluxion_scalar number;

  FLUXION_ALWAYS_INLINE const fluxion_scalar& value() const { return number; }
  FLUXION_ALWAYS_INLINE bool is_active() const { return a.is_active(); }
  FLUXION_ALWAYS_INLINE void push(auto& writer, const fluxion_scalar& adjoint) const {
    a.push(writer, O::template derivative<0>(adjoint, a.value(), number));
  }
};
template <class T, class O, class A, class B>
struct ScalarBinary {
  using fluxion_scalar = T;
  static constexpr std::uint32_t entries = A::entries + B::entries;
  A a;
  B b;
  T number;

  FLUXION_ALWAYS_INLINE const T& value() const { return number; }
  FLUXION_ALWAYS_INLINE bool is_active() const { return a.is_active() || b.is_active(); }
  FLUXION_ALWAYS_INLINE void push(auto& writer, const T& adjoint) const {
    if constexpr (A::entries > 0) a.push(writer, O::template derivative<0>(adjoint, a.value(), b.value(), number));
    if constexpr (B::entries > 0) b.push(writer, O::template derivative<1>(adjoint, a.value(), b.value(), number));
  }
};

namespace detail {
/// An operand of a function, and the function's partial derivative by it.
template <std::size_t I, class T, class X>
struct ScalarArgument {
  X operand;
  T partial;
};
}  // namespace detail

/// A function whose partial derivatives were computed with its value.
template <class T, class Sequence, class... X>
struct ScalarFunction;
template <class T, std::size_t... I, class... X>
struct ScalarFunction<T, std::index_sequence<I...>, X...> : detail::ScalarArgument<I, T, X>... {
  using fluxion_scalar = T;
  static constexpr std::uint32_t entries = (X::entries + ... + 0);
  T number;

  FLUXION_ALWAYS_INLINE ScalarFunction(const T& value, const detail::ScalarArgument<I, T, X>&... arguments) : detail::ScalarArgument<I, T, X>(arguments)..., number(value) {}
  FLUXION_ALWAYS_INLINE const T& value() const { return number; }
  FLUXION_ALWAYS_INLINE bool is_active() const { return (argument<I>(*this).operand.is_active() || ...); }
  FLUXION_ALWAYS_INLINE void push(auto& writer, const T& adjoint) const { (push_argument(writer, adjoint, argument<I>(*this)), ...); }

 private:
  template <std::size_t J, class Y>
  static const detail::ScalarArgument<J, T, Y>& argument(const detail::ScalarArgument<J, T, Y>& x) { return x; }
  template <std::size_t J, class Y>
  FLUXION_ALWAYS_INLINE static void push_argument(auto& writer, const T& adjoint, const detail::ScalarArgument<J, T, Y>& x) {
    if constexpr (Y::entries > 0) x.operand.push(writer, adjoint * x.partial);
  }
};

namespace detail {

/// An operand as part of an expression of Ts.
template <class T>
FLUXION_ALWAYS_INLINE ScalarReference<T> as_scalar(const Var<T>& x) { return x.reference(); }
template <class T, ScalarOperand X>
FLUXION_ALWAYS_INLINE const X& as_scalar(const X& x) { return x; }
template <class T, class X>
  requires(!ScalarOperand<X>)
FLUXION_ALWAYS_INLINE ScalarConstant<T> as_scalar(const X& x) {
  if constexpr (std::is_arithmetic_v<X>) return {T(static_cast<dual_base_t<T>>(x))};
  else return {T(x)};
}
template <class T, class X>
using scalar_operand = std::remove_cvref_t<decltype(as_scalar<T>(std::declval<const X&>()))>;

template <class O, class X>
FLUXION_ALWAYS_INLINE auto scalar_operation(const X& x) {
  const auto& a = as_scalar<typename X::fluxion_scalar>(x);
  return ScalarMap<O, std::remove_cvref_t<decltype(a)>>{a, O::value(a.value())};
}
template <class O, class X, class Y>
FLUXION_ALWAYS_INLINE auto scalar_operation(const X& x, const Y& y) {
  using T = scalar_number_t<X, Y>;
  const auto& a = as_scalar<T>(x);
  const auto& b = as_scalar<T>(y);
  return ScalarBinary<T, O, std::remove_cvref_t<decltype(a)>, std::remove_cvref_t<decltype(b)>>{a, b, O::value(a.value(), b.value())};
}

/// f of the values, in which the operand of number I is a Dual.
template <std::size_t I, class T, class F, std::size_t... J, class... X>
FLUXION_ALWAYS_INLINE Dual<T, 1> with_dual(const F& f, std::index_sequence<J...>, const X&... x) {
  const auto argument = []<std::size_t K>(std::integral_constant<std::size_t, K>, const T& value) FLUXION_INLINE_LAMBDA {
    if constexpr (K == I) return Dual<T, 1>(value, {T(1)});
    else return value;
  };
  return f(argument(std::integral_constant<std::size_t, J>(), x.value())...);
}

/// f of operands, where f is a function of Dual too: its rules are the Dual's. One operand at a time, so that the derivative by one of them cannot
/// spoil the others'; what is not active is not differentiated. A Dual has the value too.
template <class F, class... X>
FLUXION_ALWAYS_INLINE auto scalar_function(const F& f, const X&... x) {
  using T = scalar_number_t<X...>;
  return [&]<std::size_t... I>(std::index_sequence<I...> sequence, const auto&... operand) FLUXION_INLINE_LAMBDA {
    T value{};
    bool is_known = false;
    const auto partial = [&]<std::size_t J, class Y>(std::integral_constant<std::size_t, J>, const Y& y) FLUXION_INLINE_LAMBDA {
      ScalarArgument<J, T, Y> argument{y, T()};
      if constexpr (Y::entries > 0)
        if (y.is_active()) {
          const Dual<T, 1> result = with_dual<J, T>(f, sequence, operand...);
          value = result.value();
          is_known = true;
          argument.partial = result.gradient()[0];
        }
      return argument;
    };
    using function = ScalarFunction<T, std::index_sequence<I...>, std::remove_cvref_t<decltype(operand)>...>;
    function result{T(), partial(std::integral_constant<std::size_t, I>(), operand)...};
    result.number = is_known ? value : T(f(operand.value()...));
    return result;
  }(std::index_sequence_for<X...>(), as_scalar<T>(x)...);
}

}  // namespace detail

// ---- arithmetic -------------------------------------------------------------------------------------------------------

template <ScalarOperand X>
FLUXION_ALWAYS_INLINE X operator+(const X& x) { return x; }
template <ScalarOperand X>
FLUXION_ALWAYS_INLINE auto operator-(const X& x) { return detail::scalar_operation<operation::neg>(x); }
template <class A, class B> requires ScalarOperands<A, B>
FLUXION_ALWAYS_INLINE auto operator+(const A& a, const B& b) { return detail::scalar_operation<operation::add>(a, b); }
template <class A, class B> requires ScalarOperands<A, B>
FLUXION_ALWAYS_INLINE auto operator-(const A& a, const B& b) { return detail::scalar_operation<operation::sub>(a, b); }
template <class A, class B> requires ScalarOperands<A, B>
FLUXION_ALWAYS_INLINE auto operator*(const A& a, const B& b) { return detail::scalar_operation<operation::mul>(a, b); }
template <class A, class B> requires ScalarOperands<A, B>
FLUXION_ALWAYS_INLINE auto operator/(const A& a, const B& b) { return detail::scalar_operation<operation::div>(a, b); }

// ---- what is none, in words ---------------------------------------------------------------------------------------------

/// Operands of two types of number, such as float and double.
template <class A, class B>
concept UnlikeScalars = ScalarOperand<A> && ScalarOperand<B> && !ScalarOperands<A, B>;

namespace detail {
template <class A, class B>
Unknown refuse_unlike() {
  static_assert(!UnlikeScalars<A, B>, "variables of two types of number cannot be combined: each type has a recording of its own");
  return {};
}
template <class X>
inline constexpr bool is_scalar_variable = false;
template <class T>
inline constexpr bool is_scalar_variable<Var<T>> = true;
template <class X>
void refuse_assignment() {
  static_assert(is_scalar_variable<X>, "an expression cannot be assigned to: auto keeps expressions, name the variable's type instead, as in Var<double> y = a * b");
}
}  // namespace detail

template <class A, class B> requires UnlikeScalars<A, B>
Unknown operator+(const A&, const B&) { return detail::refuse_unlike<A, B>(); }
template <class A, class B> requires UnlikeScalars<A, B>
Unknown operator-(const A&, const B&) { return detail::refuse_unlike<A, B>(); }
template <class A, class B> requires UnlikeScalars<A, B>
Unknown operator*(const A&, const B&) { return detail::refuse_unlike<A, B>(); }
template <class A, class B> requires UnlikeScalars<A, B>
Unknown operator/(const A&, const B&) { return detail::refuse_unlike<A, B>(); }

template <ScalarOperand X, class Y> requires(!detail::is_scalar_variable<X>)
void operator+=(X&, const Y&) { detail::refuse_assignment<X>(); }
template <ScalarOperand X, class Y> requires(!detail::is_scalar_variable<X>)
void operator-=(X&, const Y&) { detail::refuse_assignment<X>(); }
template <ScalarOperand X, class Y> requires(!detail::is_scalar_variable<X>)
void operator*=(X&, const Y&) { detail::refuse_assignment<X>(); }
template <ScalarOperand X, class Y> requires(!detail::is_scalar_variable<X>)
void operator/=(X&, const Y&) { detail::refuse_assignment<X>(); }

// ---- comparisons of values ----------------------------------------------------------------------------------------------

namespace detail {
template <class A, class B, class Compare>
FLUXION_ALWAYS_INLINE bool compare_scalars(const A& a, const B& b, const Compare& compare) {
  using T = scalar_number_t<A, B>;
  return compare(as_scalar<T>(a).value(), as_scalar<T>(b).value());
}
}  // namespace detail

template <class A, class B> requires ScalarOperands<A, B>
FLUXION_ALWAYS_INLINE bool operator==(const A& a, const B& b) { return detail::compare_scalars(a, b, std::equal_to<>()); }
template <class A, class B> requires ScalarOperands<A, B>
FLUXION_ALWAYS_INLINE bool operator!=(const A& a, const B& b) { return !(a == b); }
template <class A, class B> requires ScalarOperands<A, B>
FLUXION_ALWAYS_INLINE bool operator<(const A& a, const B& b) { return detail::compare_scalars(a, b, std::less<>()); }
template <class A, class B> requires ScalarOperands<A, B>
FLUXION_ALWAYS_INLINE bool operator>(const A& a, const B& b) { return detail::compare_scalars(a, b, std::greater<>()); }
template <class A, class B> requires ScalarOperands<A, B>
FLUXION_ALWAYS_INLINE bool operator<=(const A& a, const B& b) { return detail::compare_scalars(a, b, std::less_equal<>()); }
template <class A, class B> requires ScalarOperands<A, B>
FLUXION_ALWAYS_INLINE bool operator>=(const A& a, const B& b) { return detail::compare_scalars(a, b, std::greater_equal<>()); }

/// The value without derivatives.
template <ScalarOperand X>
FLUXION_ALWAYS_INLINE typename X::fluxion_scalar value(const X& x) { return x.value(); }

}  // namespace fluxion
