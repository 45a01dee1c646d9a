/// The scalar functions that operations are written in. Packets, duals and device scalars bring overloads of the same names,
/// found by argument-dependent lookup; an operation says `using math::exp; return exp(x);`.
#pragma once
#include "config.hpp"

#include <cmath>
#include <concepts>
#include <limits>
#include <type_traits>

namespace fluxion::math {

template <class T>
concept Scalar = std::is_arithmetic_v<T>;

template <std::floating_point T> FLUXION_HOST_DEVICE inline T exp(T x) { return std::exp(x); }
template <std::floating_point T> FLUXION_HOST_DEVICE inline T log(T x) { return std::log(x); }
template <std::floating_point T> FLUXION_HOST_DEVICE inline T sqrt(T x) { return std::sqrt(x); }
template <std::floating_point T> FLUXION_HOST_DEVICE inline T rsqrt(T x) { return T(1) / std::sqrt(x); }
template <std::floating_point T> FLUXION_HOST_DEVICE inline T tanh(T x) { return std::tanh(x); }
template <std::floating_point T> FLUXION_HOST_DEVICE inline T erf(T x) { return std::erf(x); }
template <std::floating_point T> FLUXION_HOST_DEVICE inline T sin(T x) { return std::sin(x); }
template <std::floating_point T> FLUXION_HOST_DEVICE inline T cos(T x) { return std::cos(x); }
template <std::floating_point T> FLUXION_HOST_DEVICE inline T pow(T x, T y) { return std::pow(x, y); }

/// 1 / (1 + exp(-x)) without overflow.
template <std::floating_point T>
FLUXION_HOST_DEVICE inline T sigmoid(T x) {
  return T(1) / (T(1) + std::exp(-x));
}

template <Scalar T>
constexpr T abs(T x) {
  if constexpr (std::is_integral_v<T> && std::is_signed_v<T>) {
    using U = std::make_unsigned_t<T>;  // the least number is its own negative
    return x < 0 ? static_cast<T>(U(0) - static_cast<U>(x)) : x;
  } else {
    return x < T(0) ? T(T(0) - x) : (x == T(0) ? T(0) : x);
  }
}

/// The larger one; NaN if either is NaN, as torch.maximum.
template <Scalar T>
constexpr T maximum(T a, T b) {
  return a != a ? a : (b != b ? b : (a < b ? b : a));
}
/// The smaller one; NaN if either is NaN, as torch.minimum.
template <Scalar T>
constexpr T minimum(T a, T b) {
  return a != a ? a : (b != b ? b : (b < a ? b : a));
}

template <Scalar T> constexpr bool less(T a, T b) { return a < b; }
template <Scalar T> constexpr bool less_equal(T a, T b) { return a <= b; }
template <Scalar T> constexpr bool equal(T a, T b) { return a == b; }
template <Scalar T> constexpr bool not_equal(T a, T b) { return a != b; }
constexpr bool logical_and(bool a, bool b) { return a && b; }
constexpr bool logical_or(bool a, bool b) { return a || b; }
constexpr bool logical_not(bool a) { return !a; }

/// Zero of the argument's type.
template <Scalar T> constexpr T zero_of(T) { return T(0); }

/// `condition ? a : b`, lane by lane.
template <Scalar T>
constexpr T select(bool condition, T a, T b) {
  return condition ? a : b;
}

}  // namespace fluxion::math
