/// The functions of core/math.hpp on packs, right to a few ulp and right at the edges: infinities, NaN, overflow, subnormal
/// numbers. Scalar packs call the standard library. Included by packet.hpp.
#pragma once
#include "../packet.hpp"

namespace fluxion::host {
inline namespace FLUXION_ABI {

namespace detail {
/// f on each native packet of x by itself, so that long packs do not run out of registers.
template <class T, int N, class F, class... P>
FLUXION_ALWAYS_INLINE Pack<T, N> by_packet(const F& f, const Pack<T, N>& x, const P&... more) {
  using L = typename Pack<T, N>::lane;
  using One = Pack<T, L::lanes>;
  return map<Pack<T, N>>([&f](const auto&... part) { return f(One{{part}}...).parts[0]; }, x, more...);
}

/// f on each element.
template <class T, int N, class F, class... P>
FLUXION_ALWAYS_INLINE Pack<T, N> by_element(const F& f, const Pack<T, N>& x, const P&... more) {
  T r[N];
  const auto run = [&](const auto&... element) FLUXION_INLINE_LAMBDA {
    for (int i = 0; i < N; ++i) r[i] = f(element[i]...);
  };
  struct elements {
    T values[N];
    explicit elements(const Pack<T, N>& pack) { store(values, pack); }
    T operator[](int i) const { return values[i]; }
  };
  run(elements(x), elements(more)...);
  return load<Pack<T, N>>(r);
}

/// c[0] + c[1] x + c[2] x² …
template <class P, std::size_t Terms>
FLUXION_ALWAYS_INLINE P polynomial(const P& x, const typename P::value_type (&c)[Terms]) {
  P r = splat<P>(c[Terms - 1]);
  for (std::size_t i = Terms - 1; i-- > 0;) r = fma(r, x, splat<P>(c[i]));
  return r;
}

/// x, which is not negative, with the sign of y.
template <class T, int N>
FLUXION_ALWAYS_INLINE Pack<T, N> with_sign_of(const Pack<T, N>& x, const Pack<T, N>& y) {
  return lift<&Pack<T, N>::lane::with_sign_of, Pack<T, N>>(x, y);
}

/// x clamped to [low, high]; NaN stays NaN.
template <class T, int N>
FLUXION_ALWAYS_INLINE Pack<T, N> clamp(const Pack<T, N>& x, T low, T high) {
  using L = typename Pack<T, N>::lane;
  return map<Pack<T, N>>([&](const auto& part) FLUXION_INLINE_LAMBDA { return L::max_keep(L::min_keep(part, L::set(high)), L::set(low)); }, x);
}

/// x = n ln 2 + r: n, n + rounding_shift, and e^r - 1.
template <class P>
struct exponent_parts {
  P n, shifted, rest;
};
/// Splits a packet of moderate numbers. Polynomials: Chebyshev fits of (e^r - 1 - r) / r².
template <class P>
FLUXION_ALWAYS_INLINE exponent_parts<P> split_exponent(const P& x) {
  using T = typename P::value_type;
  constexpr bool single = sizeof(T) == 4;
  const P shift = splat<P>(rounding_shift<T>);
  const P shifted{{P::lane::opaque(fma(x, splat<P>(T(1.44269504088896340736)), shift).parts[0])}};
  const P n = shifted - shift;
  // ln 2 in two parts, the first of which has few bits: n times it is exact.
  constexpr T ln2_high = single ? T(0.693359375) : T(6.93145751953125e-1);
  constexpr T ln2_low = single ? T(-2.12194440054690583e-4) : T(1.42860682030941723212e-6);
  const P r = fma(n, splat<P>(-ln2_low), fma(n, splat<P>(-ln2_high), x));
  const P square = r * r;
  P q;
  if constexpr (single) {
    constexpr T c[] = {0.5f, 0.1666657685f, 0.04166655444f, 0.008363202972f, 0.001392621347f};
    q = polynomial(r, c);
  } else {
    // Even and odd terms apart: two short chains instead of a long one.
    constexpr T even[] = {0.5000000000000001026, 0.04166666666662399152, 0.001388888891728179331,
                          0.00002480152119021772765, 2.762013871973399557e-7};
    constexpr T odd[] = {0.1666666666666666746, 0.008333333333330051346, 0.0001984126986310596875,
                         2.755726837868419287e-6, 2.510042415700506679e-8};
    q = fma(polynomial(square, odd), r, polynomial(square, even));
  }
  return {n, shifted, fma(square, q, r)};
}
}  // namespace detail

/// e^x: 2^n e^r with n = round(x / ln 2) and a polynomial for e^r. Overflows to infinity where e^x does, and is rounded to
/// subnormal numbers below.
template <std::floating_point T, int N>
FLUXION_ALWAYS_INLINE Pack<T, N> exp(const Pack<T, N>& x) {
  using L = typename Pack<T, N>::lane;
  if constexpr (!L::is_packet) {
    return detail::map<Pack<T, N>>([](T v) FLUXION_INLINE_LAMBDA { return std::exp(v); }, x);
  } else {
    return detail::by_packet([](const auto& v) FLUXION_INLINE_LAMBDA {
      using P = std::remove_cvref_t<decltype(v)>;
      constexpr bool single = sizeof(T) == 4;
      const auto [n, shifted, rest] =
          detail::split_exponent(detail::clamp(v, single ? T(-104.) : T(-746.), single ? T(89.) : T(710.)));
      return P{{detail::scale<L>((rest + T(1)).parts[0], n.parts[0], shifted.parts[0])}};
    }, x);
  }
}

/// The natural logarithm: -inf at 0, NaN below.
template <std::floating_point T, int N>
FLUXION_ALWAYS_INLINE Pack<T, N> log(const Pack<T, N>& x) {
  using L = typename Pack<T, N>::lane;
  if constexpr (!L::is_packet) {
    return detail::map<Pack<T, N>>([](T v) FLUXION_INLINE_LAMBDA { return std::log(v); }, x);
  } else {
    return detail::by_packet([](const auto& v) FLUXION_INLINE_LAMBDA {
      using P = std::remove_cvref_t<decltype(v)>;
      // Eigen takes subnormal numbers for the smallest normal one: they are scaled up first.
      constexpr T factor = sizeof(T) == 4 ? T(16777216.) : T(18014398509481984.);
      constexpr T log_factor = sizeof(T) == 4 ? T(16.6355323334) : T(37.42994775023704645);
      const auto tiny = less(v, splat<P>(std::numeric_limits<T>::min()));
      const P y{{L::raw_log(select(tiny, v * factor, v).parts[0])}};
      return select(tiny, y - log_factor, y);
    }, x);
  }
}

/// The square root; NaN below 0.
template <std::floating_point T, int N>
FLUXION_ALWAYS_INLINE Pack<T, N> sqrt(const Pack<T, N>& x) {
  return detail::lift<&Pack<T, N>::lane::sqrt, Pack<T, N>>(x);
}
/// 1 / sqrt(x) to full precision.
template <std::floating_point T, int N>
FLUXION_ALWAYS_INLINE Pack<T, N> rsqrt(const Pack<T, N>& x) {
  return T(1) / sqrt(x);
}
/// 1 / (1 + e^-x).
template <std::floating_point T, int N>
FLUXION_ALWAYS_INLINE Pack<T, N> sigmoid(const Pack<T, N>& x) {
  return T(1) / (T(1) + exp(-x));
}

/// The hyperbolic tangent, t / (t + 2) with t = e^2|x| - 1, and the sign of x.
template <std::floating_point T, int N>
FLUXION_ALWAYS_INLINE Pack<T, N> tanh(const Pack<T, N>& x) {
  using L = typename Pack<T, N>::lane;
  if constexpr (!L::is_packet) {
    return detail::map<Pack<T, N>>([](T v) FLUXION_INLINE_LAMBDA { return std::tanh(v); }, x);
  } else {
    return detail::by_packet([](const auto& v) FLUXION_INLINE_LAMBDA {
      using P = std::remove_cvref_t<decltype(v)>;
      // From here on t + 2 is rounded to t: the quotient is 1.
      const P size{{L::min_keep(abs(v).parts[0], L::set(sizeof(T) == 4 ? T(10) : T(20)))}};
      const auto [n, shifted, rest] = detail::split_exponent(size + size);
      const P power{{detail::power_of_two<L>(n.parts[0])}};
      const P t = fma(power, rest, power - T(1));
      return detail::with_sign_of(t / (t + T(2)), v);
    }, x);
  }
}

/// The error function. Float: Chebyshev fits of erf(x) / x below 1 and of log(erfc(x)) above. Double: the rational functions
/// of W. J. Cody, Rational Chebyshev approximations for the error function, Math. Comp. 23 (1969).
template <std::floating_point T, int N>
FLUXION_ALWAYS_INLINE Pack<T, N> erf(const Pack<T, N>& x) {
  using L = typename Pack<T, N>::lane;
  if constexpr (!L::is_packet) {
    return detail::map<Pack<T, N>>([](T v) FLUXION_INLINE_LAMBDA { return std::erf(v); }, x);
  } else {
    return detail::by_packet([](const auto& v) FLUXION_INLINE_LAMBDA {
      using P = std::remove_cvref_t<decltype(v)>;
      constexpr bool single = sizeof(T) == 4;
      const P size = detail::clamp(abs(v), T(0), single ? T(4) : T(6));
      const P z = size * size;
      P small, large;
      if constexpr (single) {
        constexpr T near[] = {0.1283791658f, -0.3761262667f, 0.1128359472f, -0.02685421201f,
                              0.005189087423f, -0.0008016864287f, 7.875875063e-5f};
        constexpr T far[] = {0.0003201380497f, -1.130233435f, -0.6318260516f, -0.1100800829f, 0.02642113601f,
                             -0.004759596293f, 0.0005968056257f, -4.605804269e-5f, 1.637151415e-6f};
        small = fma(size, detail::polynomial(z, near), size);
        large = T(1) - exp(detail::polynomial(size, far));
      } else {
        constexpr T a[] = {3.20937758913846947e3, 3.77485237685302021e2, 1.13864154151050156e2, 3.16112374387056560e0,
                           1.85777706184603153e-1};
        constexpr T b[] = {2.84423683343917062e3, 1.28261652607737228e3, 2.44024637934444173e2, 2.36012909523441209e1, 1.};
        constexpr T c[] = {1.23033935479799725e3, 2.05107837782607147e3, 1.71204761263407058e3,
                           8.81952221241769090e2, 2.98635138197400131e2, 6.61191906371416295e1,
                           8.88314979438837594e0, 5.64188496988670089e-1, 2.15311535474403846e-8};
        constexpr T d[] = {1.23033935480374942e3, 3.43936767414372164e3, 4.36261909014324716e3,
                           3.29079923573345963e3, 1.62138957456669019e3, 5.37181101862009858e2,
                           1.17693950891312499e2, 1.57449261107098347e1, 1.};
        small = size * (detail::polynomial(z, a) / detail::polynomial(z, b));
        large = T(1) - exp(-z) * (detail::polynomial(size, c) / detail::polynomial(size, d));
      }
      return detail::with_sign_of(select(less(size, splat<P>(single ? T(1) : T(0.46875))), small, large), v);
    }, x);
  }
}

namespace detail {
/// Beyond this many radians double packets leave sine and cosine to the standard library, whose reduction is exact for any number.
inline constexpr double largest_angle = 4096;

/// floor(x / 2) of a whole number of moderate size.
template <class P>
FLUXION_ALWAYS_INLINE P floor_half(const P& x) {
  using T = typename P::value_type;
  const P shift = splat<P>(rounding_shift<T>);
  return P{{P::lane::opaque((fma(x, splat<P>(T(0.5)), splat<P>(T(-0.25))) + shift).parts[0])}} - shift;
}

/// sin(x + Quarters pi / 2) of moderate doubles: x = n pi / 2 + r, pi / 2 in three parts of which n times the first two are exact, and
/// polynomials, Chebyshev fits of (sin r - r) / r³ and of (cos r - 1 + r² / 2) / r⁴.
template <int Quarters, class P>
FLUXION_ALWAYS_INLINE P sine_of_moderate(const P& x) {
  constexpr double sine[] = {-0.1666666666666666437,   0.008333333333330700625, -0.0001984126983638734624,
                             2.755731591191115913e-6, -2.505109250706138589e-8, 1.591532321227140032e-10};
  constexpr double cosine[] = {0.04166666666666666523,  -0.001388888888888724218, 0.00002480158729853345501,
                               -2.755731715246703958e-7, 2.087612165887115877e-9, -1.138087694816971604e-11};
  const P shift = splat<P>(rounding_shift<double>);
  const P n = P{{P::lane::opaque(fma(x, splat<P>(0.63661977236758134308), shift).parts[0])}} - shift;
  P r = fma(n, splat<P>(-1.57079632673412561417), x);
  r = fma(n, splat<P>(-6.077100506303965977e-11), r);
  r = fma(n, splat<P>(-2.022266248795950732e-21), r);
  const P square = r * r;
  const P sine_of_r = fma(polynomial(square, sine), square * r, r);
  const P cosine_of_r = fma(polynomial(square, cosine), square * square, fma(square, splat<P>(-0.5), splat<P>(1.)));
  const P quarters = n + double(Quarters), halves = floor_half(quarters), wholes = floor_half(halves);
  const P half = splat<P>(0.5);
  const P size = select(less(half, fma(halves, splat<P>(-2.), quarters)), cosine_of_r, sine_of_r);
  return select(less(half, fma(wholes, splat<P>(-2.), halves)), -size, size);
}
}  // namespace detail

/// The sine of x radians.
template <std::floating_point T, int N>
FLUXION_ALWAYS_INLINE Pack<T, N> sin(const Pack<T, N>& x) {
  using L = typename Pack<T, N>::lane;
  if constexpr (L::is_packet && sizeof(T) == 4) {
    return detail::lift<&L::raw_sin, Pack<T, N>>(x);
  } else if constexpr (L::is_packet) {
    return detail::by_packet([](const auto& v) FLUXION_INLINE_LAMBDA {
      using P = std::remove_cvref_t<decltype(v)>;
      const P size = abs(v);
      if (any(less_equal(splat<P>(detail::largest_angle), size))) return detail::by_element([](T e) FLUXION_INLINE_LAMBDA { return std::sin(e); }, v);
      return select(less(size, splat<P>(1e-8)), v, detail::sine_of_moderate<0>(v));  // keeps the sign of 0
    }, x);
  } else {
    return detail::by_element([](T v) FLUXION_INLINE_LAMBDA { return std::sin(v); }, x);
  }
}
/// The cosine of x radians.
template <std::floating_point T, int N>
FLUXION_ALWAYS_INLINE Pack<T, N> cos(const Pack<T, N>& x) {
  using L = typename Pack<T, N>::lane;
  if constexpr (L::is_packet && sizeof(T) == 4) {
    return detail::lift<&L::raw_cos, Pack<T, N>>(x);
  } else if constexpr (L::is_packet) {
    return detail::by_packet([](const auto& v) FLUXION_INLINE_LAMBDA {
      using P = std::remove_cvref_t<decltype(v)>;
      if (any(less_equal(splat<P>(detail::largest_angle), abs(v)))) return detail::by_element([](T e) FLUXION_INLINE_LAMBDA { return std::cos(e); }, v);
      return detail::sine_of_moderate<1>(v);
    }, x);
  } else {
    return detail::by_element([](T v) FLUXION_INLINE_LAMBDA { return std::cos(v); }, x);
  }
}

/// x^y, element by element in the standard library: right in every special case, and, measured with g++ 12 and glibc 2.36 on
/// one processor, about as fast as Eigen's packets under AVX-512 and two to three times
/// as fast under AVX2.
template <std::floating_point T, int N>
FLUXION_ALWAYS_INLINE Pack<T, N> pow(const Pack<T, N>& x, const Pack<T, N>& y) {
  return detail::by_element([](T a, T b) FLUXION_INLINE_LAMBDA { return std::pow(a, b); }, x, y);
}
}
}  // namespace fluxion::host
