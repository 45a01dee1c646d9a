/// The element-by-element functions and operators. Operands broadcast as in NumPy; element types meet as in PyTorch.
#pragma once
#include "../symbol.hpp"

namespace fluxion {

namespace graph {

/// A map as a function: records operation O.
template <class O>
struct elementwise {
  static constexpr std::string_view name = O::name;
  static constexpr Symbol trace(const Symbol& x) { return x.map<O>(); }
  static constexpr Symbol trace(const Symbol& a, const Symbol& b) { return a.map<O>(b); }
  static constexpr Symbol trace(const Symbol& a, const Symbol& b, const Symbol& c) { return a.map<O>(b, c); }
};

template <class O>
struct swapped {
  static constexpr std::string_view name = O::name;
  static constexpr Symbol trace(const Symbol& a, const Symbol& b) { return b.map<O>(a); }
};

template <element_type Type>
struct cast_to {
  static constexpr std::string_view name = "cast";
  static constexpr Symbol trace(const Symbol& x) { return x.cast(Type); }
};

}  // namespace graph

/// Whether two operands make a call of the library: both operands, not both plain numbers.
template <class A, class B>
concept OperandPair = Operand<A> && Operand<B> && (Tensorial<A> || Tensorial<B>);

template <class A, class B> requires OperandPair<A, B>
constexpr auto operator+(const A& a, const B& b) { return call<graph::elementwise<operation::add>>(a, b); }
template <class A, class B> requires OperandPair<A, B>
constexpr auto operator-(const A& a, const B& b) { return call<graph::elementwise<operation::sub>>(a, b); }
template <class A, class B> requires OperandPair<A, B>
constexpr auto operator*(const A& a, const B& b) { return call<graph::elementwise<operation::mul>>(a, b); }
/// True division, as in PyTorch: integers become floating point.
template <class A, class B> requires OperandPair<A, B>
constexpr auto operator/(const A& a, const B& b) { return call<graph::elementwise<operation::div>>(a, b); }
template <Tensorial A>
constexpr auto operator-(const A& a) { return call<graph::elementwise<operation::neg>>(a); }

template <class A, class B> requires OperandPair<A, B>
constexpr auto operator<(const A& a, const B& b) { return call<graph::elementwise<operation::less>>(a, b); }
template <class A, class B> requires OperandPair<A, B>
constexpr auto operator<=(const A& a, const B& b) { return call<graph::elementwise<operation::less_equal>>(a, b); }
template <class A, class B> requires OperandPair<A, B>
constexpr auto operator>(const A& a, const B& b) { return call<graph::swapped<operation::less>>(a, b); }
template <class A, class B> requires OperandPair<A, B>
constexpr auto operator>=(const A& a, const B& b) { return call<graph::swapped<operation::less_equal>>(a, b); }
/// Element by element; for one answer see fluxion::equal(a, b) of two tensors.
template <class A, class B> requires OperandPair<A, B>
constexpr auto operator==(const A& a, const B& b) { return call<graph::elementwise<operation::equal>>(a, b); }
template <class A, class B> requires OperandPair<A, B>
constexpr auto operator!=(const A& a, const B& b) { return call<graph::elementwise<operation::not_equal>>(a, b); }

template <class A, class B> requires OperandPair<A, B>
constexpr auto logical_and(const A& a, const B& b) { return call<graph::elementwise<operation::logical_and>>(a, b); }
template <class A, class B> requires OperandPair<A, B>
constexpr auto logical_or(const A& a, const B& b) { return call<graph::elementwise<operation::logical_or>>(a, b); }
template <Tensorial A>
constexpr auto logical_not(const A& a) { return call<graph::elementwise<operation::logical_not>>(a); }

/// -x, |x|.
template <Tensorial X>
constexpr auto neg(const X& x) { return call<graph::elementwise<operation::neg>>(x); }
template <Tensorial X>
constexpr auto abs(const X& x) { return call<graph::elementwise<operation::abs>>(x); }
/// e to the power x.
template <Tensorial X>
constexpr auto exp(const X& x) { return call<graph::elementwise<operation::exp>>(x); }
/// Natural logarithm; -inf at 0, NaN below.
template <Tensorial X>
constexpr auto log(const X& x) { return call<graph::elementwise<operation::log>>(x); }
template <Tensorial X>
constexpr auto sqrt(const X& x) { return call<graph::elementwise<operation::sqrt>>(x); }
/// 1 / sqrt(x).
template <Tensorial X>
constexpr auto rsqrt(const X& x) { return call<graph::elementwise<operation::rsqrt>>(x); }
template <Tensorial X>
constexpr auto tanh(const X& x) { return call<graph::elementwise<operation::tanh>>(x); }
template <Tensorial X>
constexpr auto sin(const X& x) { return call<graph::elementwise<operation::sin>>(x); }
template <Tensorial X>
constexpr auto cos(const X& x) { return call<graph::elementwise<operation::cos>>(x); }
/// 1 / (1 + exp(-x)).
template <Tensorial X>
constexpr auto sigmoid(const X& x) { return call<graph::elementwise<operation::sigmoid>>(x); }
/// The error function.
template <Tensorial X>
constexpr auto erf(const X& x) { return call<graph::elementwise<operation::erf>>(x); }
/// max(x, 0).
template <Tensorial X>
constexpr auto relu(const X& x) { return call<graph::elementwise<operation::relu>>(x); }
/// a to the power b.
template <class A, class B> requires OperandPair<A, B>
constexpr auto pow(const A& a, const B& b) { return call<graph::elementwise<operation::pow>>(a, b); }
/// The larger and the smaller of two, element by element; NaN if either is.
template <class A, class B> requires OperandPair<A, B>
constexpr auto maximum(const A& a, const B& b) { return call<graph::elementwise<operation::maximum>>(a, b); }
template <class A, class B> requires OperandPair<A, B>
constexpr auto minimum(const A& a, const B& b) { return call<graph::elementwise<operation::minimum>>(a, b); }
/// `condition ? a : b`, element by element.
template <Operand C, Operand A, Operand B> requires(Tensorial<C> || Tensorial<A> || Tensorial<B>)
constexpr auto where(const C& condition, const A& a, const B& b) { return call<graph::elementwise<operation::select>>(condition, a, b); }
/// The same value, which no derivative looks through.
template <Tensorial X>
constexpr auto detach(const X& x) { return call<graph::elementwise<operation::detach>>(x); }
/// Elements converted to T as by static_cast.
template <Element T, Tensorial X>
constexpr auto cast(const X& x) { return call<graph::cast_to<element_type_of<T>>>(x); }

}  // namespace fluxion
