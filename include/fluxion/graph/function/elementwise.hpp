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

/// Marks a value instead of leaving it to the planner whether it is stored or computed again.
template <std::uint8_t Flag>
struct memory_hint {
  static constexpr std::string_view name = Flag == saved_flag ? "saved" : "recomputed";
  static constexpr Symbol trace(const Symbol& x) {
    instruction& i = x.program().instructions.elements[x.index()];
    if (info_of(i.operation).family == family::map) i.flags = static_cast<std::uint8_t>((i.flags & ~(saved_flag | recomputed_flag)) | Flag);
    return x;
  }
};

template <element_type Type>
struct cast_to {
  static constexpr std::string_view name = "cast";
  static constexpr Symbol trace(const Symbol& x) { return x.cast(Type); }
};

}  // namespace graph

inline namespace FLUXION_ABI {

/// Whether two operands make a call of the library: both operands, not both plain numbers.
template <class A, class B>
concept OperandPair = Operand<A> && Operand<B> && (Tensorial<A> || Tensorial<B>);

template <class A, class B> requires OperandPair<A, B>
constexpr auto operator+(A&& a, B&& b) { return call<graph::elementwise<operation::add>>(std::forward<A>(a), std::forward<B>(b)); }
template <class A, class B> requires OperandPair<A, B>
constexpr auto operator-(A&& a, B&& b) { return call<graph::elementwise<operation::sub>>(std::forward<A>(a), std::forward<B>(b)); }
template <class A, class B> requires OperandPair<A, B>
constexpr auto operator*(A&& a, B&& b) { return call<graph::elementwise<operation::mul>>(std::forward<A>(a), std::forward<B>(b)); }
/// True division, as in PyTorch: integers become floating point.
template <class A, class B> requires OperandPair<A, B>
constexpr auto operator/(A&& a, B&& b) { return call<graph::elementwise<operation::div>>(std::forward<A>(a), std::forward<B>(b)); }
template <Tensorial A>
constexpr auto operator-(A&& a) { return call<graph::elementwise<operation::neg>>(std::forward<A>(a)); }

template <class A, class B> requires OperandPair<A, B>
constexpr auto operator<(A&& a, B&& b) { return call<graph::elementwise<operation::less>>(std::forward<A>(a), std::forward<B>(b)); }
template <class A, class B> requires OperandPair<A, B>
constexpr auto operator<=(A&& a, B&& b) { return call<graph::elementwise<operation::less_equal>>(std::forward<A>(a), std::forward<B>(b)); }
template <class A, class B> requires OperandPair<A, B>
constexpr auto operator>(A&& a, B&& b) { return call<graph::swapped<operation::less>>(std::forward<A>(a), std::forward<B>(b)); }
template <class A, class B> requires OperandPair<A, B>
constexpr auto operator>=(A&& a, B&& b) { return call<graph::swapped<operation::less_equal>>(std::forward<A>(a), std::forward<B>(b)); }
/// Element by element; for one answer see fluxion::equal(a, b) of two tensors.
template <class A, class B> requires OperandPair<A, B>
constexpr auto operator==(A&& a, B&& b) { return call<graph::elementwise<operation::equal>>(std::forward<A>(a), std::forward<B>(b)); }
template <class A, class B> requires OperandPair<A, B>
constexpr auto operator!=(A&& a, B&& b) { return call<graph::elementwise<operation::not_equal>>(std::forward<A>(a), std::forward<B>(b)); }

template <class A, class B> requires OperandPair<A, B>
constexpr auto logical_and(A&& a, B&& b) { return call<graph::elementwise<operation::logical_and>>(std::forward<A>(a), std::forward<B>(b)); }
template <class A, class B> requires OperandPair<A, B>
constexpr auto logical_or(A&& a, B&& b) { return call<graph::elementwise<operation::logical_or>>(std::forward<A>(a), std::forward<B>(b)); }
template <Tensorial A>
constexpr auto logical_not(A&& a) { return call<graph::elementwise<operation::logical_not>>(std::forward<A>(a)); }

/// -x, |x|.
template <Tensorial X>
constexpr auto neg(X&& x) { return call<graph::elementwise<operation::neg>>(std::forward<X>(x)); }
template <Tensorial X>
constexpr auto abs(X&& x) { return call<graph::elementwise<operation::abs>>(std::forward<X>(x)); }
/// e to the power x.
template <Tensorial X>
constexpr auto exp(X&& x) { return call<graph::elementwise<operation::exp>>(std::forward<X>(x)); }
/// Natural logarithm; -inf at 0, NaN below.
template <Tensorial X>
constexpr auto log(X&& x) { return call<graph::elementwise<operation::log>>(std::forward<X>(x)); }
template <Tensorial X>
constexpr auto sqrt(X&& x) { return call<graph::elementwise<operation::sqrt>>(std::forward<X>(x)); }
/// 1 / sqrt(x).
template <Tensorial X>
constexpr auto rsqrt(X&& x) { return call<graph::elementwise<operation::rsqrt>>(std::forward<X>(x)); }
template <Tensorial X>
constexpr auto tanh(X&& x) { return call<graph::elementwise<operation::tanh>>(std::forward<X>(x)); }
template <Tensorial X>
constexpr auto sin(X&& x) { return call<graph::elementwise<operation::sin>>(std::forward<X>(x)); }
template <Tensorial X>
constexpr auto cos(X&& x) { return call<graph::elementwise<operation::cos>>(std::forward<X>(x)); }
/// 1 / (1 + exp(-x)).
template <Tensorial X>
constexpr auto sigmoid(X&& x) { return call<graph::elementwise<operation::sigmoid>>(std::forward<X>(x)); }
/// The error function.
template <Tensorial X>
constexpr auto erf(X&& x) { return call<graph::elementwise<operation::erf>>(std::forward<X>(x)); }
/// max(x, 0).
template <Tensorial X>
constexpr auto relu(X&& x) { return call<graph::elementwise<operation::relu>>(std::forward<X>(x)); }
/// a to the power b.
template <class A, class B> requires OperandPair<A, B>
constexpr auto pow(A&& a, B&& b) { return call<graph::elementwise<operation::pow>>(std::forward<A>(a), std::forward<B>(b)); }
/// The larger and the smaller of two, element by element; NaN if either is.
template <class A, class B> requires OperandPair<A, B>
constexpr auto maximum(A&& a, B&& b) { return call<graph::elementwise<operation::maximum>>(std::forward<A>(a), std::forward<B>(b)); }
template <class A, class B> requires OperandPair<A, B>
constexpr auto minimum(A&& a, B&& b) { return call<graph::elementwise<operation::minimum>>(std::forward<A>(a), std::forward<B>(b)); }
/// `condition ? a : b`, element by element.
template <Operand C, Operand A, Operand B> requires(Tensorial<C> || Tensorial<A> || Tensorial<B>)
constexpr auto where(C&& condition, A&& a, B&& b) { return call<graph::elementwise<operation::select>>(std::forward<C>(condition), std::forward<A>(a), std::forward<B>(b)); }
/// The same value, which no derivative looks through.
template <Tensorial X>
constexpr auto detach(X&& x) { return call<graph::elementwise<operation::detach>>(std::forward<X>(x)); }
/// The same by JAX's name. A straight-through estimator of a step function: `x + stop_gradient(where(x > 0, 1, -1) - x)`.
template <Tensorial X>
constexpr auto stop_gradient(X&& x) { return detach(std::forward<X>(x)); }
/// The same value, which kernels behind the one that computes it read from memory: backward does not compute it again. Of what one operation
/// computes element by element; others are always stored.
template <Tensorial X>
constexpr auto saved(X&& x) { return call<graph::memory_hint<graph::saved_flag>>(std::forward<X>(x)); }
/// The same value, which every kernel that reads it computes again, however costly, from what it was computed from: memory for time. As `saved`.
template <Tensorial X>
constexpr auto recomputed(X&& x) { return call<graph::memory_hint<graph::recomputed_flag>>(std::forward<X>(x)); }
/// Elements converted to T as by static_cast.
template <Element T, Tensorial X>
constexpr auto cast(X&& x) { return call<graph::cast_to<element_type_of<T>>>(std::forward<X>(x)); }

}  // namespace FLUXION_ABI
}  // namespace fluxion
