/// Conversions between packs and masks of different element types. Included by packet.hpp.
#pragma once
#include "../packet.hpp"

#include <bit>

namespace fluxion::host {
inline namespace FLUXION_ABI {

/// The same truth for lanes of another type. Free between types of equal width.
template <class U, class T, int N>
FLUXION_ALWAYS_INLINE Mask<U, N> convert_mask(const Mask<T, N>& m) {
  using From = Mask<T, N>;
  using To = Mask<U, N>;
  if constexpr (std::is_same_v<T, U>) {
    return m;
  } else if constexpr (From::lane::is_packet && To::lane::is_packet) {
    if constexpr (sizeof(T) == sizeof(U)) return std::bit_cast<To>(m);
    else return detail::mask_of_bits<To>(detail::bits_of(m));
  } else if constexpr (!From::lane::is_packet && !To::lane::is_packet) {
    return detail::map<To>([](bool x) FLUXION_INLINE_LAMBDA { return x; }, m);
  } else {
    bool lanes[N];
    store_mask(lanes, m, N);
    return load_mask<To>(lanes, N);
  }
}

namespace detail {
/// What `convert<U>` gives for a pack or mask of N lanes: U names an element type, a pack or a mask.
template <class U, int N>
struct converted { using type = Pack<U, N>; };
template <class U, int M, int N>
struct converted<Pack<U, M>, N> { using type = Pack<U, M>; };
template <class U, int M, int N>
struct converted<Mask<U, M>, N> { using type = Mask<U, M>; };

template <class To, class T, int N>
FLUXION_ALWAYS_INLINE To convert_pack(const Pack<T, N>& x) {
  using U = typename To::value_type;
  using From = Pack<T, N>;
  using L = typename To::lane;
  using K = typename From::lane;
  constexpr bool packets = K::is_packet && L::is_packet;
  // Named types, for clang takes any vector where another of that size is asked for.
  constexpr bool from_int = std::is_same_v<T, std::int32_t>, from_float = std::is_same_v<T, float>;
  constexpr bool to_int = std::is_same_v<U, std::int32_t>, to_float = std::is_same_v<U, float>;
  constexpr bool from_word = from_int || from_float, to_word = to_int || to_float;
  if constexpr (std::is_same_v<T, U>) {
    return x;
  } else if constexpr (std::is_same_v<U, bool>) {
    To r;
    store_mask(r.parts, not_equal(x, splat<From>(T(0))), N);
    return r;
  } else if constexpr (std::is_same_v<T, bool>) {
    return select(load_mask<Mask<U, N>>(x.parts, N), splat<To>(U(1)), splat<To>(U(0)));
  } else if constexpr (packets && from_int && to_float && requires { L::from_int32(x.parts[0]); }) {
    return lift<&L::from_int32, To>(x);
  } else if constexpr (packets && from_float && to_int && requires { L::from_float(x.parts[0]); }) {
    return lift<&L::from_float, To>(x);
  } else if constexpr (packets && from_word && std::is_same_v<U, double> && requires { K::widen_low(x.parts[0]); }) {
    To r;
    each_part(r, [&](auto& part, int start) FLUXION_INLINE_LAMBDA {
      const auto& from = x.parts[start / K::lanes];
      part = start % K::lanes == 0 ? K::widen_low(from) : K::widen_high(from);
    });
    return r;
  } else if constexpr (packets && to_word && std::is_same_v<T, double> && requires { L::narrow(x.parts[0], x.parts[0]); }) {
    To r;
    each_part(r, [&](auto& part, int start) FLUXION_INLINE_LAMBDA {
      const int from = start / K::lanes;
      part = L::narrow(x.parts[from], x.parts[from + 1]);
    });
    return r;
  } else {
    T from[N];
    U to[N];
    store(from, x);
    for (int i = 0; i < N; ++i) to[i] = cast_element<U>(from[i]);
    return load<To>(to);
  }
}
}  // namespace detail

/// static_cast lane by lane, where U is an element type or a `Pack` or `Mask` of as many lanes. A NaN or a value out of range
/// becomes the smallest integer; to bool or to a mask is x != 0.
template <class U, class T, int N>
FLUXION_ALWAYS_INLINE auto convert(const Pack<T, N>& x) {
  using To = typename detail::converted<U, N>::type;
  static_assert(To::lanes == N, "convert: the number of lanes changes");
  if constexpr (!detail::is_mask<To>) return detail::convert_pack<To>(x);
  else if constexpr (std::is_same_v<T, bool>) return load_mask<To>(x.parts, N);
  else return convert_mask<typename To::value_type>(not_equal(x, splat<Pack<T, N>>(T(0))));
}

/// A mask as numbers 0 and 1, as bytes, or as the mask of another type.
template <class U, class T, int N>
FLUXION_ALWAYS_INLINE auto convert(const Mask<T, N>& m) {
  using To = typename detail::converted<U, N>::type;
  static_assert(To::lanes == N, "convert: the number of lanes changes");
  using V = typename To::value_type;
  if constexpr (detail::is_mask<To>) {
    return convert_mask<V>(m);
  } else if constexpr (std::is_same_v<V, bool>) {
    To r;
    store_mask(r.parts, m, N);
    return r;
  } else {
    return select(convert_mask<V>(m), splat<To>(V(1)), splat<To>(V(0)));
  }
}
}
}  // namespace fluxion::host
