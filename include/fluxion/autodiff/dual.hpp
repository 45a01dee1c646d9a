/// Forward mode: `Dual<T, N>` through any generic C++ code, and derivatives of ordinary functions by it. No heap, no exceptions, no dependence on
/// the rest of the library; constant expressions where the arithmetic allows.
#pragma once
#include "dual_math.hpp"
#include "dual_number.hpp"

#include <array>
#include <cstddef>
#include <tuple>
#include <type_traits>
#include <utility>

namespace fluxion {
inline namespace FLUXION_ABI {

/// A variable: the value, and derivative 1 in the direction of that number.
template <std::size_t N, class Tag = void, class T>
constexpr Dual<T, N, Tag> make_dual(const T& value, std::size_t direction) {
  std::array<T, N> gradient{};
  gradient[direction] = T(1);
  return {value, gradient};
}

}  // namespace FLUXION_ABI
namespace detail {
inline namespace FLUXION_ABI {

template <class T, std::size_t N, std::size_t Direction>
inline constexpr std::array<T, N> unit_direction = make_dual<N>(T(0), Direction).gradient();

}  // namespace FLUXION_ABI
}  // namespace detail
inline namespace FLUXION_ABI {

/// N variables, each with a direction of its own.
template <std::size_t N, class Tag = void, class T>
FLUXION_ALWAYS_INLINE constexpr std::array<Dual<T, N, Tag>, N> seed(const std::array<T, N>& values) {
  if constexpr (N <= 16) {
    // Constants copied whole: directions written one by one would be read back wider than they were written, which stalls.
    return [&]<std::size_t... I>(std::index_sequence<I...>) FLUXION_INLINE_LAMBDA {
      return std::array<Dual<T, N, Tag>, N>{{{values[I], detail::unit_direction<T, N, I>}...}};
    }(std::make_index_sequence<N>());
  } else {
    std::array<Dual<T, N, Tag>, N> x;
    for (std::size_t i = 0; i < N; ++i) x[i] = make_dual<N, Tag>(values[i], i);
    return x;
  }
}

}  // namespace FLUXION_ABI
namespace detail {
inline namespace FLUXION_ABI {

/// Marks the numbers of the derivative of F.
template <class F>
struct derivative_of;

/// The tag, unless F wants numbers without one because its arguments' types are written out.
template <class F, class Tagged>
using tag_for = std::conditional_t<std::is_invocable_v<const F&, Tagged>, derivative_of<F>, void>;

/// The directions of a result; 0 of what does not depend on the arguments.
template <class D, class R>
constexpr typename D::gradient_type gradient_as(const R& result) {
  if constexpr (std::is_same_v<R, D>) return result.gradient();
  else return {};
}
template <class D, class R>
constexpr typename D::value_type value_as(const R& result) {
  return value_point<D>(result);
}

}  // namespace FLUXION_ABI
}  // namespace detail
inline namespace FLUXION_ABI {

/// The derivative of f, a function of one number, at x. To differentiate inside a function that is itself differentiated, make the point of the
/// outer number's type: `derivative(g, X(1))`.
template <class F, class X>
constexpr auto derivative(const F& f, const X& x) {
  using T = std::conditional_t<std::is_integral_v<X>, double, X>;
  using D = Dual<T, 1, detail::tag_for<F, Dual<T, 1, detail::derivative_of<F>>>>;
  return detail::gradient_as<D>(f(D(static_cast<T>(x), {T(1)})))[0];
}

namespace forward {

template <class T, std::size_t N>
struct Gradient {
  T value;
  std::array<T, N> gradient;
};
template <class T, std::size_t M, std::size_t N>
struct Jacobian {
  std::array<T, M> value;
  std::array<std::array<T, N>, M> jacobian;
};
template <class T, std::size_t N>
struct Hessian {
  T value;
  std::array<T, N> gradient;
  std::array<std::array<T, N>, N> hessian;
};

/// Value and gradient of f, a function of an array to a number, in one evaluation: `auto [y, dy] = forward::gradient(f, x);`.
template <class F, class T, std::size_t N>
constexpr Gradient<T, N> gradient(const F& f, const std::array<T, N>& x) {
  using Tag = detail::tag_for<F, std::array<Dual<T, N, detail::derivative_of<F>>, N>>;
  using D = Dual<T, N, Tag>;
  const auto y = f(seed<N, Tag>(x));
  return {detail::value_as<D>(y), detail::gradient_as<D>(y)};
}

/// Value and Jacobian of f, a function of an array to an array: element [i][j] is the derivative of result i by argument j.
template <class F, class T, std::size_t N>
constexpr auto jacobian(const F& f, const std::array<T, N>& x) {
  using Tag = detail::tag_for<F, std::array<Dual<T, N, detail::derivative_of<F>>, N>>;
  const auto y = f(seed<N, Tag>(x));
  Jacobian<T, std::tuple_size_v<std::remove_const_t<decltype(y)>>, N> result{};
  for (std::size_t i = 0; i < y.size(); ++i) {
    result.value[i] = detail::value_as<Dual<T, N, Tag>>(y[i]);
    result.jacobian[i] = detail::gradient_as<Dual<T, N, Tag>>(y[i]);
  }
  return result;
}

/// Value, gradient and Hessian of f, a function of an array to a number: numbers nested in numbers, one evaluation.
template <class F, class T, std::size_t N>
constexpr Hessian<T, N> hessian(const F& f, const std::array<T, N>& x) {
  using tagged = Dual<T, N, detail::derivative_of<F>>;
  using Tag = detail::tag_for<F, std::array<Dual<tagged, N, detail::derivative_of<F>>, N>>;
  using inner = Dual<T, N, Tag>;
  using outer = Dual<inner, N, Tag>;
  const auto y = f(seed<N, Tag>(seed<N, Tag>(x)));
  const inner value = detail::value_as<outer>(y);
  const auto rows = detail::gradient_as<outer>(y);
  Hessian<T, N> result{value.value(), value.gradient(), {}};
  for (std::size_t i = 0; i < N; ++i) result.hessian[i] = rows[i].gradient();
  return result;
}

}  // namespace forward

}  // namespace FLUXION_ABI
}  // namespace fluxion
