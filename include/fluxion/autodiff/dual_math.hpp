/// The functions of <cmath> for `Dual`, found by argument-dependent lookup, and a few of PyTorch's. At kinks the derivative is PyTorch's: 0 of abs,
/// relu and copysign at 0, half to each of two equal arguments of fmax, fmin, maximum and minimum, and of pow 0 where the exponent is 0, and with
/// respect to the exponent where the base is 0. Everything else is what arithmetic says: sqrt at 0 has an infinite derivative and 0 * inf is NaN,
/// hypot and atan2 at (0, 0) have NaN.
#pragma once
#include "../core/math.hpp"
#include "dual_number.hpp"

#include <cmath>
#include <numbers>

namespace fluxion {
inline namespace FLUXION_ABI {

// ---- tests of the value -------------------------------------------------------------------------------------------------

template <class T, std::size_t N, class Tag>
constexpr bool isnan(const Dual<T, N, Tag>& x) { return x.value() != x.value(); }
template <class T, std::size_t N, class Tag>
constexpr bool isinf(const Dual<T, N, Tag>& x) {
  using std::isinf;
  return isinf(x.value());
}
template <class T, std::size_t N, class Tag>
constexpr bool isfinite(const Dual<T, N, Tag>& x) {
  using std::isfinite;
  return isfinite(x.value());
}
template <class T, std::size_t N, class Tag>
constexpr bool signbit(const Dual<T, N, Tag>& x) {
  using std::signbit;
  return signbit(x.value());
}

// ---- steps: the derivative is 0 -----------------------------------------------------------------------------------------

template <class T, std::size_t N, class Tag>
constexpr Dual<T, N, Tag> floor(const Dual<T, N, Tag>& x) {
  using std::floor;
  return T(floor(x.value()));
}
template <class T, std::size_t N, class Tag>
constexpr Dual<T, N, Tag> ceil(const Dual<T, N, Tag>& x) {
  using std::ceil;
  return T(ceil(x.value()));
}
template <class T, std::size_t N, class Tag>
constexpr Dual<T, N, Tag> round(const Dual<T, N, Tag>& x) {
  using std::round;
  return T(round(x.value()));
}
template <class T, std::size_t N, class Tag>
constexpr Dual<T, N, Tag> trunc(const Dual<T, N, Tag>& x) {
  using std::trunc;
  return T(trunc(x.value()));
}

// ---- absolute value, choice ---------------------------------------------------------------------------------------------

template <class T, std::size_t N, class Tag>
constexpr Dual<T, N, Tag> abs(const Dual<T, N, Tag>& x) {
  if (x.value() > 0) return x;
  if (x.value() < 0) return -x;
  return x.value() == 0 ? Dual<T, N, Tag>(0) : x * std::numeric_limits<detail::dual_base_t<T>>::quiet_NaN();
}
template <class T, std::size_t N, class Tag>
constexpr Dual<T, N, Tag> fabs(const Dual<T, N, Tag>& x) { return abs(x); }

/// max(x, 0); NaN stays NaN.
template <class T, std::size_t N, class Tag>
constexpr Dual<T, N, Tag> relu(const Dual<T, N, Tag>& x) { return x.value() <= 0 ? Dual<T, N, Tag>(0) : x; }

/// The larger and the smaller one; NaN if either is.
template <class A, class B>
  requires DualPair<A, B>
constexpr auto maximum(const A& a, const B& b) {
  using math::maximum;
  using D = detail::dual_of<A, B>;
  if (a != a || b < a) return D(a);
  if (b != b || a < b) return D(b);
  const auto half = [] { return detail::dual_base_t<D>(0.5); };
  return detail::chain<D>(maximum(detail::value_point<D>(a), detail::value_point<D>(b)), a, half, b, half);
}
template <class A, class B>
  requires DualPair<A, B>
constexpr auto minimum(const A& a, const B& b) {
  using math::minimum;
  using D = detail::dual_of<A, B>;
  if (a != a || a < b) return D(a);
  if (b != b || b < a) return D(b);
  const auto half = [] { return detail::dual_base_t<D>(0.5); };
  return detail::chain<D>(minimum(detail::value_point<D>(a), detail::value_point<D>(b)), a, half, b, half);
}
/// The same, except that a number wins over NaN.
template <class A, class B>
  requires DualPair<A, B>
constexpr auto fmax(const A& a, const B& b) {
  using D = detail::dual_of<A, B>;
  return a != a ? D(b) : b != b ? D(a) : maximum(a, b);
}
template <class A, class B>
  requires DualPair<A, B>
constexpr auto fmin(const A& a, const B& b) {
  using D = detail::dual_of<A, B>;
  return a != a ? D(b) : b != b ? D(a) : minimum(a, b);
}

/// |a| with the sign of b.
template <class A, class B>
  requires DualPair<A, B>
constexpr auto copysign(const A& a, const B& b) {
  using std::signbit;
  using D = detail::dual_of<A, B>;
  const auto magnitude = abs(D(a));
  return signbit(b) ? D(-magnitude) : D(magnitude);
}

// ---- roots and powers ---------------------------------------------------------------------------------------------------

template <class T, std::size_t N, class Tag>
constexpr Dual<T, N, Tag> sqrt(const Dual<T, N, Tag>& x) {
  using std::sqrt;
  const T y = sqrt(x.value());
  return detail::chain(x, y, 0.5f / y);
}
/// 1 / sqrt(x).
template <class T, std::size_t N, class Tag>
constexpr Dual<T, N, Tag> rsqrt(const Dual<T, N, Tag>& x) {
  using math::rsqrt;
  const T y = rsqrt(x.value());
  return detail::chain(x, y, -0.5f * y * y * y);
}
template <class T, std::size_t N, class Tag>
constexpr Dual<T, N, Tag> cbrt(const Dual<T, N, Tag>& x) {
  using std::cbrt;
  const T y = cbrt(x.value());
  return detail::chain(x, y, 1 / (3 * y * y));
}
template <class A, class B>
  requires DualPair<A, B>
constexpr auto pow(const A& a, const B& b) {
  using std::log;
  using std::pow;
  using D = detail::dual_of<A, B>;
  using T = typename D::value_type;
  // A constant exponent stays a number, also for the next order: the logarithm of the base is never taken.
  const auto x = detail::point<D>(a);
  const auto y = detail::point<D>(b);
  const T power = pow(x, y);
  // Where the exponent varies too, y * pow(x, y - 1) is 0 by itself at y = 0, but its derivative is not.
  const auto by_base = [&] { return y == 0 && (std::is_arithmetic_v<B> || x == 0 || x != x) ? T(0) : T(y * pow(x, y - 1)); };
  const auto by_exponent = [&] { return x == 0 && y >= 0 ? T(0) : T(power * log(x)); };
  return detail::chain<D>(power, a, by_base, b, by_exponent);
}
/// sqrt(a² + b²) without overflow.
template <class A, class B>
  requires DualPair<A, B>
constexpr auto hypot(const A& a, const B& b) {
  using std::hypot;
  using D = detail::dual_of<A, B>;
  const auto x = detail::value_point<D>(a), y = detail::value_point<D>(b);
  const typename D::value_type length = hypot(x, y);
  return detail::chain<D>(length, a, [&] { return x / length; }, b, [&] { return y / length; });
}
/// a * b + c, the value with one rounding.
template <class A, class B, class C>
  requires(DualPair<A, B> || DualPair<A, C> || DualPair<B, C>)
constexpr auto fma(const A& a, const B& b, const C& c) {
  using std::fma;
  using D = std::remove_cvref_t<decltype(a * b + c)>;
  const typename D::value_type value = fma(detail::value_point<D>(a), detail::value_point<D>(b), detail::value_point<D>(c));
  return D(value, D(a * b + c).gradient());
}

// ---- exponentials and logarithms ----------------------------------------------------------------------------------------

template <class T, std::size_t N, class Tag>
constexpr Dual<T, N, Tag> exp(const Dual<T, N, Tag>& x) {
  using std::exp;
  const T y = exp(x.value());
  return detail::chain(x, y, y);
}
template <class T, std::size_t N, class Tag>
constexpr Dual<T, N, Tag> exp2(const Dual<T, N, Tag>& x) {
  using std::exp2;
  const T y = exp2(x.value());
  return detail::chain(x, y, y * std::numbers::ln2_v<detail::dual_base_t<T>>);
}
template <class T, std::size_t N, class Tag>
constexpr Dual<T, N, Tag> expm1(const Dual<T, N, Tag>& x) {
  using std::expm1;
  const T y = expm1(x.value());
  return detail::chain(x, y, y + 1);
}
template <class T, std::size_t N, class Tag>
constexpr Dual<T, N, Tag> log(const Dual<T, N, Tag>& x) {
  using std::log;
  return detail::chain(x, log(x.value()), 1 / x.value());
}
template <class T, std::size_t N, class Tag>
constexpr Dual<T, N, Tag> log2(const Dual<T, N, Tag>& x) {
  using std::log2;
  return detail::chain(x, log2(x.value()), std::numbers::log2e_v<detail::dual_base_t<T>> / x.value());
}
template <class T, std::size_t N, class Tag>
constexpr Dual<T, N, Tag> log10(const Dual<T, N, Tag>& x) {
  using std::log10;
  return detail::chain(x, log10(x.value()), std::numbers::log10e_v<detail::dual_base_t<T>> / x.value());
}
template <class T, std::size_t N, class Tag>
constexpr Dual<T, N, Tag> log1p(const Dual<T, N, Tag>& x) {
  using std::log1p;
  return detail::chain(x, log1p(x.value()), 1 / (x.value() + 1));
}
/// 1 / (1 + exp(-x)).
template <class T, std::size_t N, class Tag>
constexpr Dual<T, N, Tag> sigmoid(const Dual<T, N, Tag>& x) {
  using math::sigmoid;
  const T y = sigmoid(x.value());
  return detail::chain(x, y, y * (1 - y));
}

// ---- circular functions -------------------------------------------------------------------------------------------------

template <class T, std::size_t N, class Tag>
constexpr Dual<T, N, Tag> sin(const Dual<T, N, Tag>& x) {
  using std::cos;
  using std::sin;
  return detail::chain(x, sin(x.value()), cos(x.value()));
}
template <class T, std::size_t N, class Tag>
constexpr Dual<T, N, Tag> cos(const Dual<T, N, Tag>& x) {
  using std::cos;
  using std::sin;
  return detail::chain(x, cos(x.value()), -sin(x.value()));
}
template <class T, std::size_t N, class Tag>
constexpr Dual<T, N, Tag> tan(const Dual<T, N, Tag>& x) {
  using std::tan;
  const T y = tan(x.value());
  return detail::chain(x, y, 1 + y * y);
}
template <class T, std::size_t N, class Tag>
constexpr Dual<T, N, Tag> asin(const Dual<T, N, Tag>& x) {
  using math::rsqrt;
  using std::asin;
  const T& v = x.value();
  return detail::chain(x, asin(v), rsqrt(T((1 - v) * (1 + v))));
}
template <class T, std::size_t N, class Tag>
constexpr Dual<T, N, Tag> acos(const Dual<T, N, Tag>& x) {
  using math::rsqrt;
  using std::acos;
  const T& v = x.value();
  return detail::chain(x, acos(v), -rsqrt(T((1 - v) * (1 + v))));
}
template <class T, std::size_t N, class Tag>
constexpr Dual<T, N, Tag> atan(const Dual<T, N, Tag>& x) {
  using std::atan;
  return detail::chain(x, atan(x.value()), 1 / (1 + x.value() * x.value()));
}
/// The angle of the point (b, a).
template <class A, class B>
  requires DualPair<A, B>
constexpr auto atan2(const A& a, const B& b) {
  using std::atan2;
  using D = detail::dual_of<A, B>;
  const auto y = detail::value_point<D>(a), x = detail::value_point<D>(b);
  const auto reciprocal = 1 / (x * x + y * y);
  return detail::chain<D>(atan2(y, x), a, [&] { return x * reciprocal; }, b, [&] { return -y * reciprocal; });
}

// ---- hyperbolic functions -----------------------------------------------------------------------------------------------

template <class T, std::size_t N, class Tag>
constexpr Dual<T, N, Tag> sinh(const Dual<T, N, Tag>& x) {
  using std::cosh;
  using std::sinh;
  return detail::chain(x, sinh(x.value()), cosh(x.value()));
}
template <class T, std::size_t N, class Tag>
constexpr Dual<T, N, Tag> cosh(const Dual<T, N, Tag>& x) {
  using std::cosh;
  using std::sinh;
  return detail::chain(x, cosh(x.value()), sinh(x.value()));
}
template <class T, std::size_t N, class Tag>
constexpr Dual<T, N, Tag> tanh(const Dual<T, N, Tag>& x) {
  using std::tanh;
  const T y = tanh(x.value());
  return detail::chain(x, y, (1 - y) * (1 + y));
}
template <class T, std::size_t N, class Tag>
constexpr Dual<T, N, Tag> asinh(const Dual<T, N, Tag>& x) {
  using math::rsqrt;
  using std::asinh;
  return detail::chain(x, asinh(x.value()), rsqrt(T(1 + x.value() * x.value())));
}
template <class T, std::size_t N, class Tag>
constexpr Dual<T, N, Tag> acosh(const Dual<T, N, Tag>& x) {
  using math::rsqrt;
  using std::acosh;
  const T& v = x.value();
  return detail::chain(x, acosh(v), rsqrt(T((v - 1) * (v + 1))));
}
template <class T, std::size_t N, class Tag>
constexpr Dual<T, N, Tag> atanh(const Dual<T, N, Tag>& x) {
  using std::atanh;
  const T& v = x.value();
  return detail::chain(x, atanh(v), 1 / ((1 - v) * (1 + v)));
}

// ---- error functions ----------------------------------------------------------------------------------------------------

template <class T, std::size_t N, class Tag>
constexpr Dual<T, N, Tag> erf(const Dual<T, N, Tag>& x) {
  using std::erf;
  using std::exp;
  const T& v = x.value();
  return detail::chain(x, erf(v), exp(-v * v) * (2 * std::numbers::inv_sqrtpi_v<detail::dual_base_t<T>>));
}
template <class T, std::size_t N, class Tag>
constexpr Dual<T, N, Tag> erfc(const Dual<T, N, Tag>& x) {
  using std::erfc;
  using std::exp;
  const T& v = x.value();
  return detail::chain(x, erfc(v), exp(-v * v) * (-2 * std::numbers::inv_sqrtpi_v<detail::dual_base_t<T>>));
}

}  // namespace FLUXION_ABI
}  // namespace fluxion
