/// The functions of <cmath> for `Var<T>` and its expressions, found by argument-dependent lookup, and a few of PyTorch's. Values and derivatives, at
/// kinks too, are those of the same functions of `Dual`.
#pragma once
#include "expression.hpp"

#include <cmath>

namespace fluxion {

// ---- tests of the value, steps ----------------------------------------------------------------------------------------

template <ScalarOperand X>
bool isnan(const X& x) { return x.value() != x.value(); }
template <ScalarOperand X>
bool isinf(const X& x) { using std::isinf; return isinf(x.value()); }
template <ScalarOperand X>
bool isfinite(const X& x) { using std::isfinite; return isfinite(x.value()); }
template <ScalarOperand X>
bool signbit(const X& x) { using std::signbit; return signbit(x.value()); }

/// A constant: the derivative is 0.
template <ScalarOperand X>
Var<typename X::fluxion_scalar> floor(const X& x) { using std::floor; return floor(x.value()); }
template <ScalarOperand X>
Var<typename X::fluxion_scalar> ceil(const X& x) { using std::ceil; return ceil(x.value()); }
template <ScalarOperand X>
Var<typename X::fluxion_scalar> round(const X& x) { using std::round; return round(x.value()); }
template <ScalarOperand X>
Var<typename X::fluxion_scalar> trunc(const X& x) { using std::trunc; return trunc(x.value()); }

// ---- absolute value, choice -------------------------------------------------------------------------------------------

template <ScalarOperand X>
auto abs(const X& x) { return detail::scalar_function([](const auto& v) { using std::abs; return abs(v); }, x); }
template <ScalarOperand X>
auto fabs(const X& x) { return abs(x); }
/// max(x, 0); NaN stays NaN.
template <ScalarOperand X>
auto relu(const X& x) {
  return detail::scalar_function([](const auto& v) { return v <= 0 ? 0 * v : v; }, x);
}
/// The larger and the smaller one; NaN if either is.
template <class A, class B> requires ScalarOperands<A, B>
auto maximum(const A& a, const B& b) {
  return detail::scalar_function([](const auto& x, const auto& y) { using math::maximum; return maximum(x, y); }, a, b);
}
template <class A, class B> requires ScalarOperands<A, B>
auto minimum(const A& a, const B& b) {
  return detail::scalar_function([](const auto& x, const auto& y) { using math::minimum; return minimum(x, y); }, a, b);
}
/// The same, except that a number wins over NaN.
template <class A, class B> requires ScalarOperands<A, B>
auto fmax(const A& a, const B& b) {
  return detail::scalar_function([](const auto& x, const auto& y) { using std::fmax; return fmax(x, y); }, a, b);
}
template <class A, class B> requires ScalarOperands<A, B>
auto fmin(const A& a, const B& b) {
  return detail::scalar_function([](const auto& x, const auto& y) { using std::fmin; return fmin(x, y); }, a, b);
}
/// |a| with the sign of b.
template <class A, class B> requires ScalarOperands<A, B>
auto copysign(const A& a, const B& b) {
  return detail::scalar_function([](const auto& x, const auto& y) { using std::copysign; return copysign(x, y); }, a, b);
}

// ---- roots and powers -------------------------------------------------------------------------------------------------

template <ScalarOperand X>
auto sqrt(const X& x) { return detail::scalar_function([](const auto& v) { using std::sqrt; return sqrt(v); }, x); }
/// 1 / sqrt(x).
template <ScalarOperand X>
auto rsqrt(const X& x) { return detail::scalar_function([](const auto& v) { using math::rsqrt; return rsqrt(v); }, x); }
template <ScalarOperand X>
auto cbrt(const X& x) { return detail::scalar_function([](const auto& v) { using std::cbrt; return cbrt(v); }, x); }
template <class A, class B> requires ScalarOperands<A, B>
auto pow(const A& a, const B& b) {
  return detail::scalar_function([](const auto& x, const auto& y) { using std::pow; return pow(x, y); }, a, b);
}
/// sqrt(a² + b²) without overflow.
template <class A, class B> requires ScalarOperands<A, B>
auto hypot(const A& a, const B& b) {
  return detail::scalar_function([](const auto& x, const auto& y) { using std::hypot; return hypot(x, y); }, a, b);
}
/// a * b + c, the value with one rounding.
template <class A, class B, class C> requires ScalarOperands<A, B, C>
auto fma(const A& a, const B& b, const C& c) {
  return detail::scalar_function([](const auto& x, const auto& y, const auto& z) { using std::fma; return fma(x, y, z); }, a, b, c);
}

// ---- exponentials and logarithms --------------------------------------------------------------------------------------

template <ScalarOperand X>
auto exp(const X& x) { return detail::scalar_function([](const auto& v) { using std::exp; return exp(v); }, x); }
template <ScalarOperand X>
auto exp2(const X& x) { return detail::scalar_function([](const auto& v) { using std::exp2; return exp2(v); }, x); }
template <ScalarOperand X>
auto expm1(const X& x) { return detail::scalar_function([](const auto& v) { using std::expm1; return expm1(v); }, x); }
template <ScalarOperand X>
auto log(const X& x) { return detail::scalar_function([](const auto& v) { using std::log; return log(v); }, x); }
template <ScalarOperand X>
auto log2(const X& x) { return detail::scalar_function([](const auto& v) { using std::log2; return log2(v); }, x); }
template <ScalarOperand X>
auto log10(const X& x) { return detail::scalar_function([](const auto& v) { using std::log10; return log10(v); }, x); }
template <ScalarOperand X>
auto log1p(const X& x) { return detail::scalar_function([](const auto& v) { using std::log1p; return log1p(v); }, x); }
/// 1 / (1 + exp(-x)).
template <ScalarOperand X>
auto sigmoid(const X& x) { return detail::scalar_function([](const auto& v) { using math::sigmoid; return sigmoid(v); }, x); }

// ---- circular and hyperbolic functions --------------------------------------------------------------------------------

template <ScalarOperand X>
auto sin(const X& x) { return detail::scalar_function([](const auto& v) { using std::sin; return sin(v); }, x); }
template <ScalarOperand X>
auto cos(const X& x) { return detail::scalar_function([](const auto& v) { using std::cos; return cos(v); }, x); }
template <ScalarOperand X>
auto tan(const X& x) { return detail::scalar_function([](const auto& v) { using std::tan; return tan(v); }, x); }
template <ScalarOperand X>
auto asin(const X& x) { return detail::scalar_function([](const auto& v) { using std::asin; return asin(v); }, x); }
template <ScalarOperand X>
auto acos(const X& x) { return detail::scalar_function([](const auto& v) { using std::acos; return acos(v); }, x); }
template <ScalarOperand X>
auto atan(const X& x) { return detail::scalar_function([](const auto& v) { using std::atan; return atan(v); }, x); }
/// The angle of the point (b, a).
template <class A, class B> requires ScalarOperands<A, B>
auto atan2(const A& a, const B& b) {
  return detail::scalar_function([](const auto& y, const auto& x) { using std::atan2; return atan2(y, x); }, a, b);
}
template <ScalarOperand X>
auto sinh(const X& x) { return detail::scalar_function([](const auto& v) { using std::sinh; return sinh(v); }, x); }
template <ScalarOperand X>
auto cosh(const X& x) { return detail::scalar_function([](const auto& v) { using std::cosh; return cosh(v); }, x); }
template <ScalarOperand X>
auto tanh(const X& x) { return detail::scalar_function([](const auto& v) { using std::tanh; return tanh(v); }, x); }
template <ScalarOperand X>
auto asinh(const X& x) { return detail::scalar_function([](const auto& v) { using std::asinh; return asinh(v); }, x); }
template <ScalarOperand X>
auto acosh(const X& x) { return detail::scalar_function([](const auto& v) { using std::acosh; return acosh(v); }, x); }
template <ScalarOperand X>
auto atanh(const X& x) { return detail::scalar_function([](const auto& v) { using std::atanh; return atanh(v); }, x); }

// ---- error functions --------------------------------------------------------------------------------------------------

template <ScalarOperand X>
auto erf(const X& x) { return detail::scalar_function([](const auto& v) { using std::erf; return erf(v); }, x); }
template <ScalarOperand X>
auto erfc(const X& x) { return detail::scalar_function([](const auto& v) { using std::erfc; return erfc(v); }, x); }

}  // namespace fluxion
