/// `Dual<T, N>`: a value and its derivatives in N directions, computed together by ordinary arithmetic. Include dual.hpp, which has the functions.
///
/// Derivatives of different functions never mix. T may itself be a Dual, and an operation treats everything that is not its outermost type as a
/// constant: the level of a derivative is part of the type. `derivative` and `forward::gradient` also mark the numbers they make with the
/// function as `Tag`; numbers of two functions of which neither is nested in the other do not compile together.
#pragma once
#include "directions.hpp"

#include <iosfwd>
#include <limits>

namespace fluxion {
inline namespace FLUXION_ABI {

template <class T, std::size_t N = 1, class Tag = void>
class Dual;

}  // namespace FLUXION_ABI
namespace detail {
inline namespace FLUXION_ABI {

template <class X>
inline constexpr bool is_dual = false;
template <class T, std::size_t N, class Tag>
inline constexpr bool is_dual<Dual<T, N, Tag>> = true;

/// Whether U is a constant to a Dual whose value is a T.
template <class U, class T>
inline constexpr bool is_constant_of = std::is_arithmetic_v<U>;
template <class U, class T, std::size_t N, class Tag>
inline constexpr bool is_constant_of<U, Dual<T, N, Tag>> = std::is_same_v<U, Dual<T, N, Tag>> || is_constant_of<U, T>;

/// Whether D is a Dual and X another one of its type or a constant to it.
template <class D, class X>
inline constexpr bool is_dual_with = false;
template <class T, std::size_t N, class Tag, class X>
inline constexpr bool is_dual_with<Dual<T, N, Tag>, X> = std::is_same_v<X, Dual<T, N, Tag>> || is_constant_of<X, T>;

/// The number at the bottom of nested Duals.
template <class T>
struct dual_base { using type = T; };
template <class T, std::size_t N, class Tag>
struct dual_base<Dual<T, N, Tag>> : dual_base<T> {};
template <class T>
using dual_base_t = typename dual_base<T>::type;

}  // namespace FLUXION_ABI
}  // namespace detail
inline namespace FLUXION_ABI {

/// Two operands whose result is a Dual.
template <class A, class B>
concept DualPair = detail::is_dual_with<A, B> || detail::is_dual_with<B, A>;

/// Duals of which neither is nested in the other: derivatives of two functions.
template <class A, class B>
concept UnrelatedDuals = detail::is_dual<A> && detail::is_dual<B> && !DualPair<A, B>;

template <class T, std::size_t N, class Tag>
class Dual {
  static_assert(std::is_floating_point_v<T> || detail::is_dual<T>, "the value of a Dual is a floating-point number or another Dual");
  static_assert(N > 0, "a Dual has at least one direction");

 public:
  using value_type = T;
  using gradient_type = std::array<T, N>;
  static constexpr std::size_t directions = N;

  constexpr Dual() = default;
  /// A constant: its derivatives are 0.
  template <class U>
    requires(detail::is_constant_of<U, T>)
  FLUXION_ALWAYS_INLINE constexpr Dual(const U& value) : value_(static_cast<T>(value)) {}
  FLUXION_ALWAYS_INLINE constexpr Dual(const T& value, const gradient_type& gradient) : value_(value), gradient_(gradient) {}

  constexpr const T& value() const { return value_; }
  constexpr const gradient_type& gradient() const { return gradient_; }

  template <class U>
    requires(detail::is_dual_with<Dual, U>)
  constexpr Dual& operator+=(const U& x) { return *this = *this + x; }
  template <class U>
    requires(detail::is_dual_with<Dual, U>)
  constexpr Dual& operator-=(const U& x) { return *this = *this - x; }
  template <class U>
    requires(detail::is_dual_with<Dual, U>)
  constexpr Dual& operator*=(const U& x) { return *this = *this * x; }
  template <class U>
    requires(detail::is_dual_with<Dual, U>)
  constexpr Dual& operator/=(const U& x) { return *this = *this / x; }

 private:
  T value_{};
  gradient_type gradient_{};
};

/// The value without derivatives; a plain number stays itself.
template <class T, std::size_t N, class Tag>
constexpr const T& value(const Dual<T, N, Tag>& x) { return x.value(); }
template <class T>
  requires std::is_arithmetic_v<T>
constexpr T value(T x) { return x; }

/// The N directional derivatives.
template <class T, std::size_t N, class Tag>
constexpr const std::array<T, N>& gradient(const Dual<T, N, Tag>& x) { return x.gradient(); }

}  // namespace FLUXION_ABI
namespace detail {
inline namespace FLUXION_ABI {

template <class A, class B>
using dual_of = std::conditional_t<is_dual_with<A, B>, A, B>;

/// An operand as the value of a D: of a D its value, of a constant itself, numbers in the precision of the result.
template <class D, class X>
FLUXION_ALWAYS_INLINE constexpr decltype(auto) point(const X& x) {
  if constexpr (std::is_same_v<X, D>) return (x.value());
  else if constexpr (std::is_arithmetic_v<X>) return static_cast<dual_base_t<D>>(x);
  else return (x);
}

/// The same, where a function wants the value's own type.
template <class D, class X>
FLUXION_ALWAYS_INLINE constexpr typename D::value_type value_point(const X& x) {
  return static_cast<typename D::value_type>(point<D>(x));
}

template <class T, std::size_t N, class S>
FLUXION_ALWAYS_INLINE constexpr std::array<T, N> scale_directions(const std::array<T, N>& a, const S& s) {
  return map_directions<T, N>([&](const auto& g) FLUXION_INLINE_LAMBDA { return g * s; }, a);
}

/// The chain rule for one argument.
template <class T, std::size_t N, class Tag, class S>
FLUXION_ALWAYS_INLINE constexpr Dual<T, N, Tag> chain(const Dual<T, N, Tag>& x, const std::type_identity_t<T>& value, const S& partial) {
  return {value, scale_directions(x.gradient(), partial)};
}

/// The chain rule for two arguments, of which one may be a constant. The partial derivatives are functions: a constant's is not computed.
template <class D, class A, class B, class PartialA, class PartialB>
FLUXION_ALWAYS_INLINE constexpr D chain(const typename D::value_type& value, const A& a, const PartialA& partial_a, const B& b,
                                        const PartialB& partial_b) {
  if constexpr (!std::is_same_v<B, D>) {
    return chain(a, value, partial_a());
  } else if constexpr (!std::is_same_v<A, D>) {
    return chain(b, value, partial_b());
  } else {
    const auto pa = partial_a();
    const auto pb = partial_b();
    return {value, map_directions<typename D::value_type, D::directions>(
                       [&](const auto& ga, const auto& gb) FLUXION_INLINE_LAMBDA { return ga * pa + gb * pb; }, a.gradient(), b.gradient())};
  }
}

}  // namespace FLUXION_ABI
}  // namespace detail
inline namespace FLUXION_ABI {

// ---- arithmetic -------------------------------------------------------------------------------------------------------

template <class T, std::size_t N, class Tag>
constexpr Dual<T, N, Tag> operator+(const Dual<T, N, Tag>& x) { return x; }
template <class T, std::size_t N, class Tag>
FLUXION_ALWAYS_INLINE constexpr Dual<T, N, Tag> operator-(const Dual<T, N, Tag>& x) {
  return {-x.value(), detail::map_directions<T, N>([](const auto& g) FLUXION_INLINE_LAMBDA { return -g; }, x.gradient())};
}

template <class A, class B>
  requires DualPair<A, B>
FLUXION_ALWAYS_INLINE constexpr auto operator+(const A& a, const B& b) {
  using D = detail::dual_of<A, B>;
  const typename D::value_type sum = detail::point<D>(a) + detail::point<D>(b);
  if constexpr (!std::is_same_v<B, D>) return D(sum, a.gradient());
  else if constexpr (!std::is_same_v<A, D>) return D(sum, b.gradient());
  else
    return D(sum, detail::map_directions<typename D::value_type, D::directions>(
                      [](const auto& ga, const auto& gb) FLUXION_INLINE_LAMBDA { return ga + gb; }, a.gradient(), b.gradient()));
}

template <class A, class B>
  requires DualPair<A, B>
FLUXION_ALWAYS_INLINE constexpr auto operator-(const A& a, const B& b) {
  using D = detail::dual_of<A, B>;
  const typename D::value_type difference = detail::point<D>(a) - detail::point<D>(b);
  if constexpr (!std::is_same_v<B, D>) return D(difference, a.gradient());
  else if constexpr (!std::is_same_v<A, D>) return D(difference, (-b).gradient());
  else
    return D(difference, detail::map_directions<typename D::value_type, D::directions>(
                             [](const auto& ga, const auto& gb) FLUXION_INLINE_LAMBDA { return ga - gb; }, a.gradient(), b.gradient()));
}

template <class A, class B>
  requires DualPair<A, B>
FLUXION_ALWAYS_INLINE constexpr auto operator*(const A& a, const B& b) {
  using D = detail::dual_of<A, B>;
  const auto va = detail::point<D>(a);
  const auto vb = detail::point<D>(b);
  return detail::chain<D>(va * vb, a, [&]() FLUXION_INLINE_LAMBDA { return vb; }, b, [&]() FLUXION_INLINE_LAMBDA { return va; });
}

template <class A, class B>
  requires DualPair<A, B>
FLUXION_ALWAYS_INLINE constexpr auto operator/(const A& a, const B& b) {
  using D = detail::dual_of<A, B>;
  const auto vb = detail::point<D>(b);
  const typename D::value_type quotient = detail::point<D>(a) / vb;
  // One division for all directions.
  const auto reciprocal = detail::dual_base_t<D>(1) / vb;
  return detail::chain<D>(quotient, a, [&]() FLUXION_INLINE_LAMBDA { return reciprocal; }, b, [&]() FLUXION_INLINE_LAMBDA { return -quotient * reciprocal; });
}

// Numbers of two functions' derivatives: make the inner function's argument of the outer one's type.
template <class A, class B>
  requires UnrelatedDuals<A, B>
void operator+(const A&, const B&) = delete;
template <class A, class B>
  requires UnrelatedDuals<A, B>
void operator-(const A&, const B&) = delete;
template <class A, class B>
  requires UnrelatedDuals<A, B>
void operator*(const A&, const B&) = delete;
template <class A, class B>
  requires UnrelatedDuals<A, B>
void operator/(const A&, const B&) = delete;

// ---- comparisons of values ----------------------------------------------------------------------------------------------

template <class A, class B>
  requires DualPair<A, B>
constexpr bool operator==(const A& a, const B& b) { return detail::point<detail::dual_of<A, B>>(a) == detail::point<detail::dual_of<A, B>>(b); }
template <class A, class B>
  requires DualPair<A, B>
constexpr bool operator!=(const A& a, const B& b) { return !(a == b); }
template <class A, class B>
  requires DualPair<A, B>
constexpr bool operator<(const A& a, const B& b) { return detail::point<detail::dual_of<A, B>>(a) < detail::point<detail::dual_of<A, B>>(b); }
template <class A, class B>
  requires DualPair<A, B>
constexpr bool operator>(const A& a, const B& b) { return b < a; }
template <class A, class B>
  requires DualPair<A, B>
constexpr bool operator<=(const A& a, const B& b) { return detail::point<detail::dual_of<A, B>>(a) <= detail::point<detail::dual_of<A, B>>(b); }
template <class A, class B>
  requires DualPair<A, B>
constexpr bool operator>=(const A& a, const B& b) { return b <= a; }

/// As `3 [1 0 0]`: the value and the directions.
template <class Character, class Traits, class T, std::size_t N, class Tag>
std::basic_ostream<Character, Traits>& operator<<(std::basic_ostream<Character, Traits>& out, const Dual<T, N, Tag>& x) {
  out << x.value() << " [";
  for (std::size_t i = 0; i < N; ++i) out << (i == 0 ? "" : " ") << x.gradient()[i];
  return out << "]";
}

}  // namespace FLUXION_ABI
}  // namespace fluxion

/// Those of the value.
template <class T, std::size_t N, class Tag>
class std::numeric_limits<fluxion::Dual<T, N, Tag>> : public std::numeric_limits<T> {
  using dual = fluxion::Dual<T, N, Tag>;
  using base = std::numeric_limits<T>;

 public:
  static constexpr dual min() noexcept { return base::min(); }
  static constexpr dual max() noexcept { return base::max(); }
  static constexpr dual lowest() noexcept { return base::lowest(); }
  static constexpr dual epsilon() noexcept { return base::epsilon(); }
  static constexpr dual round_error() noexcept { return base::round_error(); }
  static constexpr dual infinity() noexcept { return base::infinity(); }
  static constexpr dual quiet_NaN() noexcept { return base::quiet_NaN(); }
  static constexpr dual signaling_NaN() noexcept { return base::signaling_NaN(); }
  static constexpr dual denorm_min() noexcept { return base::denorm_min(); }
};
