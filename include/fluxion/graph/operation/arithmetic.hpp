/// Arithmetic, powers, extrema: element by element.
#pragma once
#include "operation.hpp"

namespace fluxion::operation {

struct add : map_base<2> {
  static constexpr std::string_view name = "add";
  static constexpr bool wraps = true;  // integers, as unsigned ones do
  template <class T> FLUXION_ALWAYS_INLINE static constexpr T value(const T& a, const T& b) { return a + b; }
  template <int I, class S> static constexpr S derivative(const S& d, const S&, const S&, const S&) { return d; }
};

struct sub : map_base<2> {
  static constexpr std::string_view name = "sub";
  static constexpr bool wraps = true;  // integers, as unsigned ones do
  template <class T> FLUXION_ALWAYS_INLINE static constexpr T value(const T& a, const T& b) { return a - b; }
  template <int I, class S> static constexpr S derivative(const S& d, const S&, const S&, const S&) {
    if constexpr (I == 0) return d;
    else return -d;
  }
};

struct mul : map_base<2> {
  static constexpr std::string_view name = "mul";
  static constexpr bool wraps = true;  // integers, as unsigned ones do
  template <class T> FLUXION_ALWAYS_INLINE static constexpr T value(const T& a, const T& b) { return a * b; }
  template <int I, class S> static constexpr S derivative(const S& d, const S& a, const S& b, const S&) {
    if constexpr (I == 0) return d * b;
    else return d * a;
  }
};

/// True division: integers become floating point, as in PyTorch.
struct div : map_base<2, typing::floating> {
  static constexpr std::string_view name = "div";
  static constexpr cost_t cost{.flops = 4};
  template <class T> FLUXION_ALWAYS_INLINE static constexpr T value(const T& a, const T& b) { return a / b; }
  template <int I, class S> static constexpr S derivative(const S& d, const S&, const S& b, const S& y) {
    if constexpr (I == 0) return d / b;
    else return -(d / b * y);
  }
};

struct neg : map_base<1> {
  static constexpr std::string_view name = "neg";
  static constexpr bool wraps = true;  // integers, as unsigned ones do
  template <class T> FLUXION_ALWAYS_INLINE static constexpr T value(const T& a) { return -a; }
  template <int I, class S> static constexpr S derivative(const S& d, const S&, const S&) { return -d; }
};

/// |x|; its derivative at 0 is 0.
struct abs : map_base<1> {
  static constexpr std::string_view name = "abs";
  template <class T> FLUXION_ALWAYS_INLINE static constexpr T value(const T& a) {
    using math::abs;
    return abs(a);
  }
  template <int I, class S> static constexpr S derivative(const S& d, const S& x, const S&) {
    return where(x > 0, d, where(x < 0, -d, 0));
  }
};

/// The larger one, NaN if either is; ties share the derivative in halves.
struct maximum : map_base<2> {
  static constexpr std::string_view name = "maximum";
  template <class T> FLUXION_ALWAYS_INLINE static constexpr T value(const T& a, const T& b) {
    using math::maximum;
    return maximum(a, b);
  }
  template <int I, class S> static constexpr S derivative(const S& d, const S& a, const S& b, const S&) {
    const S half = where(a == b, d * 0.5, d);
    if constexpr (I == 0) return where(a < b, 0, half);
    else return where(b < a, 0, half);
  }
};

/// The smaller one, NaN if either is; ties share the derivative in halves.
struct minimum : map_base<2> {
  static constexpr std::string_view name = "minimum";
  template <class T> FLUXION_ALWAYS_INLINE static constexpr T value(const T& a, const T& b) {
    using math::minimum;
    return minimum(a, b);
  }
  template <int I, class S> static constexpr S derivative(const S& d, const S& a, const S& b, const S&) {
    const S half = where(a == b, d * 0.5, d);
    if constexpr (I == 0) return where(b < a, 0, half);
    else return where(a < b, 0, half);
  }
};

struct log;
struct logical_and;

/// a to the power b. With b == 0 the derivative for a is 0; with a == 0 and b >= 0 that for b is 0.
struct pow : map_base<2, typing::floating> {
  static constexpr std::string_view name = "pow";
  static constexpr cost_t cost{.flops = 60};
  template <class T> FLUXION_ALWAYS_INLINE static constexpr T value(const T& a, const T& b) {
    using math::pow;
    return pow(a, b);
  }
  template <int I, class S> static constexpr S derivative(const S& d, const S& a, const S& b, const S& y) {
    if constexpr (I == 0) return where(b == 0, 0, d * (b * a.template map<pow>(b - 1)));
    else return where((a == 0).template map<logical_and>(b >= 0), 0, d * (y * a.template map<log>()));
  }
};

using arithmetic_operations = operations<add, sub, mul, div, neg, abs, maximum, minimum, pow>;

}  // namespace fluxion::operation
