/// What one packet can do: the only file that names Eigen::internal (intrinsics are in the lane_ files beside it).
/// `lane<T>` is a set of static functions on one packet of T (Eigen's, with the instruction set's own forms for masks and
/// partial rows); `scalar_lane<T>` is the same on one element, for types without packets and for builds without
/// vectorisation. Included by packet.hpp.
#pragma once
#include "../../../core/config.hpp"
#include "../../../core/math.hpp"

#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <type_traits>

// g++ 12 takes the deliberately undefined operands inside its own AVX-512 headers for mistakes of whoever inlines them.
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif

// Whether this build has packets: Eigen says so, unless it is not asked.
#if !defined(FLUXION_NO_VECTOR) && !defined(EIGEN_DONT_VECTORIZE)
#include <Eigen/Core>
#endif

namespace fluxion::host {
inline namespace FLUXION_ABI {
namespace detail {

/// static_cast of one element, but NaN and values out of range become the smallest integer, as cvtt instructions do.
template <class To, class From>
FLUXION_ALWAYS_INLINE To cast_element(From x) {
  if constexpr (std::is_floating_point_v<From> && std::is_integral_v<To> && !std::is_same_v<To, bool>) {
    constexpr From bound = static_cast<From>(std::uint64_t{1} << (sizeof(To) * 8 - 1));
    return x >= -bound && x < bound ? static_cast<To>(x) : std::numeric_limits<To>::min();
  } else if constexpr (std::is_same_v<To, bool>) {
    return x != From(0);
  } else {
    return static_cast<To>(x);
  }
}

/// One element as a packet of one lane.
template <class T>
struct scalar_lane {
  using value_type = T;
  using part = T;
  using mask = bool;
  static constexpr int lanes = 1;
  static constexpr bool is_packet = false;

  static FLUXION_ALWAYS_INLINE T set(T x) { return x; }
  static FLUXION_ALWAYS_INLINE T load(const T* p) { return *p; }
  static FLUXION_ALWAYS_INLINE void store(T* p, T x) { *p = x; }
  static FLUXION_ALWAYS_INLINE T load_partial(const T* p, int count, T fill) { return count > 0 ? *p : fill; }
  static FLUXION_ALWAYS_INLINE void store_partial(T* p, T x, int count) {
    if (count > 0) *p = x;
  }

  // Integers wrap: the arithmetic is done unsigned.
  template <class F>
  static FLUXION_ALWAYS_INLINE T wrapping(T a, T b, F f) {
    if constexpr (std::is_floating_point_v<T>) {
      return f(a, b);
    } else {
      using U = std::make_unsigned_t<T>;
      return static_cast<T>(f(static_cast<U>(a), static_cast<U>(b)));
    }
  }
  static FLUXION_ALWAYS_INLINE T add(T a, T b) { return wrapping(a, b, [](auto x, auto y) FLUXION_INLINE_LAMBDA { return x + y; }); }
  static FLUXION_ALWAYS_INLINE T sub(T a, T b) { return wrapping(a, b, [](auto x, auto y) FLUXION_INLINE_LAMBDA { return x - y; }); }
  static FLUXION_ALWAYS_INLINE T mul(T a, T b) { return wrapping(a, b, [](auto x, auto y) FLUXION_INLINE_LAMBDA { return x * y; }); }
  static FLUXION_ALWAYS_INLINE T div(T a, T b) { return a / b; }
  static FLUXION_ALWAYS_INLINE T negate(T a) {
    if constexpr (std::is_floating_point_v<T>) return -a;
    else return sub(T(0), a);
  }
  static FLUXION_ALWAYS_INLINE T multiply_add(T a, T b, T c) {
#if defined(__FMA__) || defined(__aarch64__)
    if constexpr (std::is_floating_point_v<T>) return std::fma(a, b, c);
#endif
    return add(mul(a, b), c);
  }
  static FLUXION_ALWAYS_INLINE T abs(T a) {
    if constexpr (std::is_floating_point_v<T>) return std::fabs(a);
    else return a < T(0) ? negate(a) : a;
  }
  static FLUXION_ALWAYS_INLINE T sqrt(T a) { return std::sqrt(a); }
  static FLUXION_ALWAYS_INLINE T maximum(T a, T b) { return a != a ? a : (a > b ? a : b); }
  static FLUXION_ALWAYS_INLINE T minimum(T a, T b) { return a != a ? a : (a < b ? a : b); }
  static FLUXION_ALWAYS_INLINE T max_keep(T x, T y) { return x < y ? y : x; }
  static FLUXION_ALWAYS_INLINE T min_keep(T x, T y) { return y < x ? y : x; }
  static FLUXION_ALWAYS_INLINE bool less(T a, T b) { return a < b; }
  static FLUXION_ALWAYS_INLINE bool less_equal(T a, T b) { return a <= b; }
  static FLUXION_ALWAYS_INLINE bool equal(T a, T b) { return a == b; }
  static FLUXION_ALWAYS_INLINE bool not_equal(T a, T b) { return a != b; }
  static FLUXION_ALWAYS_INLINE bool mask_and(bool a, bool b) { return a & b; }
  static FLUXION_ALWAYS_INLINE bool mask_or(bool a, bool b) { return a | b; }
  static FLUXION_ALWAYS_INLINE bool mask_not(bool a) { return !a; }
  static FLUXION_ALWAYS_INLINE T select(bool m, T a, T b) { return m ? a : b; }
  static FLUXION_ALWAYS_INLINE std::uint32_t bits(bool m) { return m; }
  static FLUXION_ALWAYS_INLINE bool mask_from_bits(std::uint32_t bits) { return bits & 1u; }
  static FLUXION_ALWAYS_INLINE bool first(int count) { return count > 0; }
};

// ---- packets ---------------------------------------------------------------------------------------------------------
#if defined(EIGEN_VECTORIZE) && !defined(FLUXION_NO_VECTOR)
namespace ei = Eigen::internal;

template <class T>
struct packet_type { using type = typename ei::packet_traits<T>::type; };
#if defined(EIGEN_VECTORIZE_AVX)
/// As wide as float's, so that the two share masks; the one that Eigen prefers for int32 is of 128 bits everywhere.
template <>
#if defined(EIGEN_VECTORIZE_AVX512)
struct packet_type<std::int32_t> { using type = __m512i; };
#else
struct packet_type<std::int32_t> { using type = __m256i; };
#endif
#endif

/// Eigen's packet of T, by Eigen's functions alone; masks are packets whose lanes have all bits set or clear.
template <class T>
struct eigen_lane {
  using value_type = T;
  using part = typename packet_type<T>::type;
  using mask = part;
  static constexpr int lanes = static_cast<int>(sizeof(part) / sizeof(T));
  static constexpr bool is_packet = true;

  static FLUXION_ALWAYS_INLINE part set(T x) { return ei::pset1<part>(x); }
  static FLUXION_ALWAYS_INLINE part load(const T* p) { return ei::ploadu<part>(p); }
  static FLUXION_ALWAYS_INLINE void store(T* p, const part& x) { ei::pstoreu(p, x); }
  static FLUXION_ALWAYS_INLINE part load_partial(const T* p, int count, T fill) {
    T lane[lanes];
    for (int i = 0; i < lanes; ++i) lane[i] = i < count ? p[i] : fill;
    return load(lane);
  }
  static FLUXION_ALWAYS_INLINE void store_partial(T* p, const part& x, int count) {
    T lane[lanes];
    store(lane, x);
    for (int i = 0; i < lanes; ++i)
      if (i < count) p[i] = lane[i];
  }

  static FLUXION_ALWAYS_INLINE part add(const part& a, const part& b) { return ei::padd<part>(a, b); }
  static FLUXION_ALWAYS_INLINE part sub(const part& a, const part& b) { return ei::psub<part>(a, b); }
  static FLUXION_ALWAYS_INLINE part mul(const part& a, const part& b) { return ei::pmul<part>(a, b); }
  static FLUXION_ALWAYS_INLINE part div(const part& a, const part& b) { return ei::pdiv<part>(a, b); }
  static FLUXION_ALWAYS_INLINE part negate(const part& a) {
    if constexpr (std::is_integral_v<T>) return sub(set(T(0)), a);
    else return ei::pxor(a, set(T(-0.)));  // Eigen subtracts from 0 under AVX-512, which loses the sign of 0
  }
  static FLUXION_ALWAYS_INLINE part multiply_add(const part& a, const part& b, const part& c) {
    if constexpr (std::is_integral_v<T>) return add(mul(a, b), c);
    else return ei::pmadd(a, b, c);
  }
  // Not for int32: Eigen's takes 256 bits of it for int64.
  static FLUXION_ALWAYS_INLINE part abs(const part& a) requires std::is_floating_point_v<T> { return ei::pabs<part>(a); }
  static FLUXION_ALWAYS_INLINE part sqrt(const part& a) { return ei::psqrt<part>(a); }
  /// The smaller or larger one where neither is NaN; `x` where x is NaN.
  static FLUXION_ALWAYS_INLINE part min_keep(const part& x, const part& y) { return ei::pmin<part>(x, y); }
  static FLUXION_ALWAYS_INLINE part max_keep(const part& x, const part& y) { return ei::pmax<part>(x, y); }
  /// The same number, of which the compiler knows nothing: `(x + c) - c` stays a rounding under -ffast-math too.
  static FLUXION_ALWAYS_INLINE part opaque(part x) {
#if defined(__FAST_MATH__)
    EIGEN_OPTIMIZATION_BARRIER(x)
#endif
    return x;
  }

  static FLUXION_ALWAYS_INLINE mask less(const part& a, const part& b) { return ei::pcmp_lt(a, b); }
  static FLUXION_ALWAYS_INLINE mask equal(const part& a, const part& b) { return ei::pcmp_eq(a, b); }
  static FLUXION_ALWAYS_INLINE mask mask_and(const mask& a, const mask& b) { return ei::pand(a, b); }
  static FLUXION_ALWAYS_INLINE mask mask_or(const mask& a, const mask& b) { return ei::por(a, b); }
  static FLUXION_ALWAYS_INLINE mask mask_not(const mask& a) { return ei::pandnot(ei::ptrue(a), a); }
  static FLUXION_ALWAYS_INLINE part select(const mask& m, const part& a, const part& b) { return ei::pselect(m, a, b); }
  static FLUXION_ALWAYS_INLINE std::uint32_t bits(const mask& m) {
    T lane[lanes];
    store(lane, ei::pand(m, set(T(1))));
    std::uint32_t r = 0;
    for (int i = 0; i < lanes; ++i) r |= std::uint32_t{lane[i] != T(0)} << i;
    return r;
  }
  static FLUXION_ALWAYS_INLINE mask mask_from_bits(std::uint32_t bits) {
    T lane[lanes];
    for (int i = 0; i < lanes; ++i) lane[i] = static_cast<T>((bits >> i) & 1u);
    return equal(load(lane), set(T(1)));
  }
  /// Lane i takes lane i ^ step.
  template <int step>
  static FLUXION_ALWAYS_INLINE part exchange(const part& x) {
    T lane[lanes], other[lanes];
    store(lane, x);
    for (int i = 0; i < lanes; ++i) other[i] = lane[i ^ step];
    return load(other);
  }
  static FLUXION_ALWAYS_INLINE part ldexp(const part& y, const part& n) { return ei::pldexp(y, n); }
  /// The size of x, which is not negative, with the sign of y.
  static FLUXION_ALWAYS_INLINE part with_sign_of(const part& x, const part& y) {
    return ei::por(x, ei::pand(y, set(T(-0.))));
  }
  static FLUXION_ALWAYS_INLINE T first_element(const part& x) { return ei::pfirst(x); }

  // Eigen's functions as they are; math.hpp guards their edges.
  static FLUXION_ALWAYS_INLINE part raw_log(const part& x) { return ei::plog(x); }
  static FLUXION_ALWAYS_INLINE part raw_sin(const part& x) { return ei::psin(x); }
  static FLUXION_ALWAYS_INLINE part raw_cos(const part& x) { return ei::pcos(x); }
};

template <class T>
struct lane : eigen_lane<T> {};
#endif
}  // namespace detail
}
}  // namespace fluxion::host

#if defined(EIGEN_VECTORIZE) && !defined(FLUXION_NO_VECTOR)
#include "lane_avx.hpp"
#include "lane_avx512.hpp"
#include "lane_sse.hpp"
#endif

namespace fluxion::host {
inline namespace FLUXION_ABI {
namespace detail {

/// Adding this to a number of moderate size rounds it to an integer n, and leaves n + 2 * exponent_bias in its low bits.
template <class T>
inline constexpr T rounding_shift = sizeof(T) == 4 ? T(12582912. + 2. * 127.) : T(6755399441055744. + 2. * 1023.);

/// y * 2^n, rounded once, also where the result is subnormal; `shifted` is n + rounding_shift.
template <class L>
FLUXION_ALWAYS_INLINE typename L::part scale(const typename L::part& y, const typename L::part& n,
                                             const typename L::part& shifted) {
  if constexpr (requires { L::scalef(y, n); }) return L::scalef(y, n);
  else if constexpr (requires { L::scale_by_bits(y, shifted); }) return L::scale_by_bits(y, shifted);
  else return L::ldexp(y, n);
}
/// 2^n where that is a normal number.
template <class L>
FLUXION_ALWAYS_INLINE typename L::part power_of_two(const typename L::part& n) {
  using T = typename L::value_type;
  const auto one = L::set(T(1));
  if constexpr (requires { L::scalef(one, n); }) return L::scalef(one, n);
  else if constexpr (requires { L::shift_to_exponent(n); })
    return L::shift_to_exponent(L::add(n, L::set(rounding_shift<T> - (sizeof(T) == 4 ? T(127) : T(1023)))));
  else return L::ldexp(one, n);
}

// ---- which form a pack takes -------------------------------------------------------------------------------------------
#if defined(EIGEN_VECTORIZE) && !defined(FLUXION_NO_VECTOR)
template <class T>
inline constexpr int packet_lanes = static_cast<int>(sizeof(typename packet_type<T>::type) / sizeof(T));
template <>
inline constexpr int packet_lanes<bool> = 1;
template <>
inline constexpr int packet_lanes<std::int64_t> = 1;  // Eigen has such packets on some targets only
template <class T, int N>
struct lane_for {
  using type = std::conditional_t<(packet_lanes<T> > 1 && N % packet_lanes<T> == 0), lane<T>, scalar_lane<T>>;
};
#else
template <class T>
inline constexpr int packet_lanes = 1;
template <class T, int N>
struct lane_for { using type = scalar_lane<T>; };
#endif
}  // namespace detail
}
}  // namespace fluxion::host

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic pop
#endif
