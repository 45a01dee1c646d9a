/// Exponential, logarithm, roots, activations: element by element, floating point.
#pragma once
#include "operation.hpp"

namespace fluxion::operation {

struct exp : map_base<1, typing::floating> {
  static constexpr std::string_view name = "exp";
  static constexpr cost_t cost{.flops = 16};
  template <class T> FLUXION_ALWAYS_INLINE static constexpr T value(const T& x) {
    using math::exp;
    return exp(x);
  }
  template <int I, class S> static constexpr S derivative(const S& d, const S&, const S& y) { return d * y; }
};

struct log : map_base<1, typing::floating> {
  static constexpr std::string_view name = "log";
  static constexpr cost_t cost{.flops = 20};
  template <class T> FLUXION_ALWAYS_INLINE static constexpr T value(const T& x) {
    using math::log;
    return log(x);
  }
  template <int I, class S> static constexpr S derivative(const S& d, const S& x, const S&) { return d / x; }
};

struct sqrt : map_base<1, typing::floating> {
  static constexpr std::string_view name = "sqrt";
  static constexpr cost_t cost{.flops = 4};
  template <class T> FLUXION_ALWAYS_INLINE static constexpr T value(const T& x) {
    using math::sqrt;
    return sqrt(x);
  }
  template <int I, class S> static constexpr S derivative(const S& d, const S&, const S& y) { return d / (y * 2); }
};

/// 1 / sqrt(x).
struct rsqrt : map_base<1, typing::floating> {
  static constexpr std::string_view name = "rsqrt";
  static constexpr cost_t cost{.flops = 6};
  template <class T> FLUXION_ALWAYS_INLINE static constexpr T value(const T& x) {
    using math::rsqrt;
    return rsqrt(x);
  }
  template <int I, class S> static constexpr S derivative(const S& d, const S&, const S& y) { return d * -0.5 * (y * y * y); }
};

struct tanh : map_base<1, typing::floating> {
  static constexpr std::string_view name = "tanh";
  static constexpr cost_t cost{.flops = 20};
  template <class T> FLUXION_ALWAYS_INLINE static constexpr T value(const T& x) {
    using math::tanh;
    return tanh(x);
  }
  template <int I, class S> static constexpr S derivative(const S& d, const S&, const S& y) { return d * (1 - y * y); }
};

/// 1 / (1 + exp(-x)).
struct sigmoid : map_base<1, typing::floating> {
  static constexpr std::string_view name = "sigmoid";
  static constexpr cost_t cost{.flops = 20};
  template <class T> FLUXION_ALWAYS_INLINE static constexpr T value(const T& x) {
    using math::sigmoid;
    return sigmoid(x);
  }
  template <int I, class S> static constexpr S derivative(const S& d, const S&, const S& y) { return d * (y * (1 - y)); }
};

/// The error function.
struct erf : map_base<1, typing::floating> {
  static constexpr std::string_view name = "erf";
  static constexpr cost_t cost{.flops = 24};
  template <class T> FLUXION_ALWAYS_INLINE static constexpr T value(const T& x) {
    using math::erf;
    return erf(x);
  }
  template <int I, class S> static constexpr S derivative(const S& d, const S& x, const S&) {
    return d * (x * -x).template map<exp>() * 1.1283791670955125738961589031215;  // 2 / sqrt(pi)
  }
};

struct sin;
struct cos : map_base<1, typing::floating> {
  static constexpr std::string_view name = "cos";
  static constexpr cost_t cost{.flops = 24};
  template <class T> FLUXION_ALWAYS_INLINE static constexpr T value(const T& x) {
    using math::cos;
    return cos(x);
  }
  template <int I, class S> static constexpr S derivative(const S& d, const S& x, const S&) { return -d * x.template map<sin>(); }
};
struct sin : map_base<1, typing::floating> {
  static constexpr std::string_view name = "sin";
  static constexpr cost_t cost{.flops = 24};
  template <class T> FLUXION_ALWAYS_INLINE static constexpr T value(const T& x) {
    using math::sin;
    return sin(x);
  }
  template <int I, class S> static constexpr S derivative(const S& d, const S& x, const S&) { return d * x.template map<cos>(); }
};

/// max(x, 0); its derivative at 0 is 0; NaN stays NaN.
struct relu : map_base<1> {
  static constexpr std::string_view name = "relu";
  template <class T> FLUXION_ALWAYS_INLINE static constexpr T value(const T& x) {
    using math::less_equal;
    using math::select;
    using math::zero_of;
    return select(less_equal(x, zero_of(x)), zero_of(x), x);
  }
  template <int I, class S> static constexpr S derivative(const S& d, const S&, const S& y) {
    return where(y <= 0, 0, d);
  }
};

using transcendental_operations = operations<exp, log, sqrt, rsqrt, tanh, sigmoid, erf, cos, sin, relu>;

}  // namespace fluxion::operation
