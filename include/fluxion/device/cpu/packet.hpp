/// Packs: N elements computed with at once. Every CPU kernel computes through this header. A `Pack<T, N>` is an array of SIMD
/// packets where the build has them for T, else an array of T; a `Mask<T, N>` is what comparing packs gives. The functions
/// bear the names of core/math.hpp and are found by argument-dependent lookup.
#pragma once
#include "packet/lane.hpp"

#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>
#include <utility>

namespace fluxion::host {
inline namespace FLUXION_ABI {

/// Lanes of one packet of T in this build; 1 where T has no packets (bool and int64 never do).
template <class T>
inline constexpr int native_lanes = detail::packet_lanes<T>;

/// N elements of T, N a power of two up to 64. `Pack<bool, N>` only carries bytes; kernels compute with masks.
template <class T, int N>
struct Pack {
  static_assert(N >= 1 && N <= 64 && (N & (N - 1)) == 0, "Pack: the number of lanes is a power of two up to 64");
  using value_type = T;
  using lane = typename detail::lane_for<T, N>::type;
  static constexpr int lanes = N;
  static constexpr int count = N / lane::lanes;
  typename lane::part parts[count];
};

/// The truth of each lane of a `Pack<T, N>`: packets of set or clear bits, mask registers, or bools, as the build has them.
template <class T, int N>
struct Mask {
  using value_type = T;
  using lane = typename detail::lane_for<T, N>::type;
  static constexpr int lanes = N;
  static constexpr int count = N / lane::lanes;
  typename lane::mask parts[count];
};

namespace detail {
template <class> inline constexpr bool is_pack = false;
template <class T, int N> inline constexpr bool is_pack<Pack<T, N>> = true;
template <class> inline constexpr bool is_mask = false;
template <class T, int N> inline constexpr bool is_mask<Mask<T, N>> = true;

/// r.parts[i] = f(p.parts[i]...): unrolled over packets, a loop that compilers vectorise over scalars.
template <int I = 0, class R, class F, class... P>
FLUXION_ALWAYS_INLINE void map_into(R& r, const F& f, const P&... p) {
  if constexpr (R::count == 1) {
    r.parts[0] = f(p.parts[0]...);
  } else if constexpr (!R::lane::is_packet) {
    for (int i = 0; i < R::count; ++i) r.parts[i] = f(p.parts[i]...);
  } else if constexpr (I < R::count) {
    r.parts[I] = f(p.parts[I]...);
    map_into<I + 1>(r, f, p...);
  }
}
template <class R, class F, class... P>
FLUXION_ALWAYS_INLINE R map(const F& f, const P&... p) {
  R r;
  map_into(r, f, p...);
  return r;
}

/// r.parts[i] = F(p.parts[i]...) for one of the lane's functions. Nearly everything a kernel does is this: without a closure it is compiled in
/// half the time.
template <auto F, class R, class... P>
FLUXION_ALWAYS_INLINE R lift(const P&... p) {
  R r;
  if constexpr (R::count == 1) r.parts[0] = F(p.parts[0]...);
  else if constexpr (!R::lane::is_packet)
    for (int i = 0; i < R::count; ++i) r.parts[i] = F(p.parts[i]...);
  else
    [&]<std::size_t... I>(std::index_sequence<I...>) FLUXION_INLINE_LAMBDA {
      const auto part = [&](auto i) FLUXION_INLINE_LAMBDA { r.parts[i] = F(p.parts[i]...); };
      (part(std::integral_constant<std::size_t, I>{}), ...);
    }(std::make_index_sequence<R::count>{});
  return r;
}

/// f(part, index of its first lane) for every part.
template <int I = 0, class P, class F>
FLUXION_ALWAYS_INLINE void each_part(P& p, const F& f) {
  if constexpr (P::count == 1) {
    f(p.parts[0], 0);
  } else if constexpr (!P::lane::is_packet) {
    for (int i = 0; i < P::count; ++i) f(p.parts[i], i);
  } else if constexpr (I < P::count) {
    f(p.parts[I], I * P::lane::lanes);
    each_part<I + 1>(p, f);
  }
}

/// How many of a part's lanes lie before `count`, when `start` of them lie before the part.
template <class P>
FLUXION_ALWAYS_INLINE int part_count(int count, int start) {
  const int rest = count - start;
  return rest < 0 ? 0 : rest > P::lane::lanes ? P::lane::lanes : rest;
}

/// The mask as bits, lane 0 lowest.
template <class T, int N>
FLUXION_ALWAYS_INLINE std::uint64_t bits_of(const Mask<T, N>& m) {
  std::uint64_t bits = 0;
  each_part(m, [&](const auto& part, int start) FLUXION_INLINE_LAMBDA {
    bits |= static_cast<std::uint64_t>(Mask<T, N>::lane::bits(part)) << start;
  });
  return bits;
}
template <class M>
FLUXION_ALWAYS_INLINE M mask_of_bits(std::uint64_t bits) {
  M m;
  each_part(m, [&](auto& part, int start) FLUXION_INLINE_LAMBDA { part = M::lane::mask_from_bits(static_cast<std::uint32_t>(bits >> start)); });
  return m;
}

/// Eight bools to eight bits, and back, by one multiplication each.
FLUXION_ALWAYS_INLINE std::uint64_t bits_of_bools(const bool* p) {
  if constexpr (std::endian::native == std::endian::little) {
    std::uint64_t bytes;
    std::memcpy(&bytes, p, 8);
    return (bytes * 0x0102040810204080u) >> 56;
  } else {
    std::uint64_t bits = 0;
    for (int i = 0; i < 8; ++i) bits |= std::uint64_t{p[i]} << i;
    return bits;
  }
}
FLUXION_ALWAYS_INLINE void bools_of_bits(bool* p, std::uint64_t bits) {
  if constexpr (std::endian::native == std::endian::little) {
    // Bit i of the byte is kept in byte i; adding 0x7f carries it into that byte's top bit.
    const std::uint64_t spread = ((bits & 0xff) * 0x0101010101010101u) & 0x8040201008040201u;
    const std::uint64_t bytes = ((((spread & 0x7f7f7f7f7f7f7f7fu) + 0x7f7f7f7f7f7f7f7fu) | spread) >> 7) & 0x0101010101010101u;
    std::memcpy(p, &bytes, 8);
  } else {
    for (int i = 0; i < 8; ++i) p[i] = (bits >> i) & 1u;
  }
}
}  // namespace detail

// ---- memory ----------------------------------------------------------------------------------------------------------

/// Every lane is x.
template <class P>
FLUXION_ALWAYS_INLINE P splat(typename P::value_type x) {
  P r;
  const auto part = P::lane::set(x);
  if constexpr (P::count == 1) r.parts[0] = part;
  else detail::each_part(r, [&](auto& to, int) FLUXION_INLINE_LAMBDA { to = part; });
  return r;
}

/// Zero in every lane, of the argument's type.
template <class T, int N>
FLUXION_ALWAYS_INLINE Pack<T, N> zero_of(const Pack<T, N>&) {
  return splat<Pack<T, N>>(T(0));
}

/// N elements from p, which need not be aligned.
template <class P>
FLUXION_ALWAYS_INLINE P load(const typename P::value_type* p) {
  P r;
  if constexpr (P::count == 1) r.parts[0] = P::lane::load(p);
  else detail::each_part(r, [&](auto& part, int start) FLUXION_INLINE_LAMBDA { part = P::lane::load(p + start); });
  return r;
}

/// The first `count` (0 to N) elements from p, nothing behind them is read; the other lanes are `fill`.
template <class P>
FLUXION_ALWAYS_INLINE P load_partial(const typename P::value_type* p, int count, typename P::value_type fill = {}) {
  P r;
  detail::each_part(r, [&](auto& part, int start) FLUXION_INLINE_LAMBDA {
    part = P::lane::load_partial(p + start, detail::part_count<P>(count, start), fill);
  });
  return r;
}

/// Stores N elements at p, which need not be aligned.
template <class T, int N>
FLUXION_ALWAYS_INLINE void store(T* p, const Pack<T, N>& x) {
  if constexpr (Pack<T, N>::count == 1) Pack<T, N>::lane::store(p, x.parts[0]);
  else detail::each_part(x, [&](const auto& part, int start) FLUXION_INLINE_LAMBDA { Pack<T, N>::lane::store(p + start, part); });
}

/// Stores the first `count` (0 to N) lanes at p; nothing behind them is written.
template <class T, int N>
FLUXION_ALWAYS_INLINE void store_partial(T* p, const Pack<T, N>& x, int count) {
  using P = Pack<T, N>;
  detail::each_part(x, [&](const auto& part, int start) FLUXION_INLINE_LAMBDA {
    P::lane::store_partial(p + start, part, detail::part_count<P>(count, start));
  });
}

/// The first `count` elements of p[0], p[stride], p[2 * stride] …; the other lanes are `fill`.
template <class P>
FLUXION_ALWAYS_INLINE P load_strided(const typename P::value_type* p, std::ptrdiff_t stride, int count,
                                     typename P::value_type fill = {}) {
  typename P::value_type element[P::lanes];
  if (count == P::lanes) {
    for (int i = 0; i < P::lanes; ++i) element[i] = p[i * stride];
  } else {
    for (int i = 0; i < P::lanes; ++i) element[i] = i < count ? p[i * stride] : fill;
  }
  return load<P>(element);
}

/// Stores the first `count` lanes at p[0], p[stride], p[2 * stride] …
template <class T, int N>
FLUXION_ALWAYS_INLINE void store_strided(T* p, std::ptrdiff_t stride, const Pack<T, N>& x, int count) {
  T element[N];
  store(element, x);
  for (int i = 0; i < count; ++i) p[i * stride] = element[i];
}

/// The first lane.
template <class T, int N>
FLUXION_ALWAYS_INLINE T first_lane(const Pack<T, N>& x) {
  if constexpr (Pack<T, N>::lane::is_packet) return Pack<T, N>::lane::first_element(x.parts[0]);
  else return x.parts[0];
}

/// start, start + 1, start + 2 …
template <class P>
FLUXION_ALWAYS_INLINE P iota(typename P::value_type start) {
  using T = typename P::value_type;
  T element[P::lanes];
  for (int i = 0; i < P::lanes; ++i) element[i] = static_cast<T>(i);
  return load<P>(element) + splat<P>(start);
}

/// True in the first `count` lanes.
template <class M>
FLUXION_ALWAYS_INLINE M first_lanes(int count) {
  M r;
  detail::each_part(r, [&](auto& part, int start) FLUXION_INLINE_LAMBDA { part = M::lane::first(detail::part_count<M>(count, start)); });
  return r;
}

/// The first `count` bools from p, nothing behind them is read; the other lanes are false.
template <class M>
FLUXION_ALWAYS_INLINE M load_mask(const bool* p, int count) {
  if constexpr (!M::lane::is_packet) {
    M r;
    for (int i = 0; i < M::lanes; ++i) r.parts[i] = i < count && p[i];
    return r;
  } else {
    std::uint64_t bits = 0;
    int i = 0;
    for (; i + 8 <= count; i += 8) bits |= detail::bits_of_bools(p + i) << i;
    for (; i < count; ++i) bits |= std::uint64_t{p[i]} << i;
    return detail::mask_of_bits<M>(bits);
  }
}

/// Stores the first `count` lanes as bools; nothing behind them is written.
template <class T, int N>
FLUXION_ALWAYS_INLINE void store_mask(bool* p, const Mask<T, N>& m, int count) {
  if constexpr (!Mask<T, N>::lane::is_packet) {
    for (int i = 0; i < N; ++i)
      if (i < count) p[i] = m.parts[i];
  } else {
    const std::uint64_t bits = detail::bits_of(m);
    int i = 0;
    for (; i + 8 <= count; i += 8) detail::bools_of_bits(p + i, bits >> i);
    for (; i < count; ++i) p[i] = (bits >> i) & 1u;
  }
}

// ---- arithmetic, comparison, choice ------------------------------------------------------------------------------------

template <class T, int N>
FLUXION_ALWAYS_INLINE Pack<T, N> operator+(const Pack<T, N>& a, const Pack<T, N>& b) {
  return detail::lift<&Pack<T, N>::lane::add, Pack<T, N>>(a, b);
}
template <class T, int N>
FLUXION_ALWAYS_INLINE Pack<T, N> operator-(const Pack<T, N>& a, const Pack<T, N>& b) {
  return detail::lift<&Pack<T, N>::lane::sub, Pack<T, N>>(a, b);
}
template <class T, int N>
FLUXION_ALWAYS_INLINE Pack<T, N> operator*(const Pack<T, N>& a, const Pack<T, N>& b) {
  return detail::lift<&Pack<T, N>::lane::mul, Pack<T, N>>(a, b);
}
template <std::floating_point T, int N>
FLUXION_ALWAYS_INLINE Pack<T, N> operator/(const Pack<T, N>& a, const Pack<T, N>& b) {
  return detail::lift<&Pack<T, N>::lane::div, Pack<T, N>>(a, b);
}
template <class T, int N>
FLUXION_ALWAYS_INLINE Pack<T, N> operator-(const Pack<T, N>& a) {
  return detail::lift<&Pack<T, N>::lane::negate, Pack<T, N>>(a);
}

// A number beside a pack stands for a pack of it: operations write `1 - y * y`.
template <class T, int N, math::Scalar U>
FLUXION_ALWAYS_INLINE Pack<T, N> operator+(const Pack<T, N>& a, U b) { return a + splat<Pack<T, N>>(static_cast<T>(b)); }
template <class T, int N, math::Scalar U>
FLUXION_ALWAYS_INLINE Pack<T, N> operator+(U a, const Pack<T, N>& b) { return splat<Pack<T, N>>(static_cast<T>(a)) + b; }
template <class T, int N, math::Scalar U>
FLUXION_ALWAYS_INLINE Pack<T, N> operator-(const Pack<T, N>& a, U b) { return a - splat<Pack<T, N>>(static_cast<T>(b)); }
template <class T, int N, math::Scalar U>
FLUXION_ALWAYS_INLINE Pack<T, N> operator-(U a, const Pack<T, N>& b) { return splat<Pack<T, N>>(static_cast<T>(a)) - b; }
template <class T, int N, math::Scalar U>
FLUXION_ALWAYS_INLINE Pack<T, N> operator*(const Pack<T, N>& a, U b) { return a * splat<Pack<T, N>>(static_cast<T>(b)); }
template <class T, int N, math::Scalar U>
FLUXION_ALWAYS_INLINE Pack<T, N> operator*(U a, const Pack<T, N>& b) { return splat<Pack<T, N>>(static_cast<T>(a)) * b; }
template <std::floating_point T, int N, math::Scalar U>
FLUXION_ALWAYS_INLINE Pack<T, N> operator/(const Pack<T, N>& a, U b) { return a / splat<Pack<T, N>>(static_cast<T>(b)); }
template <std::floating_point T, int N, math::Scalar U>
FLUXION_ALWAYS_INLINE Pack<T, N> operator/(U a, const Pack<T, N>& b) { return splat<Pack<T, N>>(static_cast<T>(a)) / b; }

/// a * b + c, rounded once where the processor has the instruction.
template <class T, int N>
FLUXION_ALWAYS_INLINE Pack<T, N> fma(const Pack<T, N>& a, const Pack<T, N>& b, const Pack<T, N>& c) {
  return detail::lift<&Pack<T, N>::lane::multiply_add, Pack<T, N>>(a, b, c);
}

/// a < b; false where either is NaN.
template <class T, int N>
FLUXION_ALWAYS_INLINE Mask<T, N> less(const Pack<T, N>& a, const Pack<T, N>& b) {
  return detail::lift<&Mask<T, N>::lane::less, Mask<T, N>>(a, b);
}
/// a == b; false where either is NaN.
template <class T, int N>
FLUXION_ALWAYS_INLINE Mask<T, N> equal(const Pack<T, N>& a, const Pack<T, N>& b) {
  return detail::lift<&Mask<T, N>::lane::equal, Mask<T, N>>(a, b);
}
template <class T, int N>
FLUXION_ALWAYS_INLINE Mask<T, N> logical_and(const Mask<T, N>& a, const Mask<T, N>& b) {
  return detail::lift<&Mask<T, N>::lane::mask_and, Mask<T, N>>(a, b);
}
template <class T, int N>
FLUXION_ALWAYS_INLINE Mask<T, N> logical_or(const Mask<T, N>& a, const Mask<T, N>& b) {
  return detail::lift<&Mask<T, N>::lane::mask_or, Mask<T, N>>(a, b);
}
template <class T, int N>
FLUXION_ALWAYS_INLINE Mask<T, N> logical_not(const Mask<T, N>& a) {
  return detail::lift<&Mask<T, N>::lane::mask_not, Mask<T, N>>(a);
}
/// a <= b; false where either is NaN.
template <class T, int N>
FLUXION_ALWAYS_INLINE Mask<T, N> less_equal(const Pack<T, N>& a, const Pack<T, N>& b) {
  using L = typename Pack<T, N>::lane;
  if constexpr (requires { L::less_equal(a.parts[0], b.parts[0]); })
    return detail::lift<&L::less_equal, Mask<T, N>>(a, b);
  else if constexpr (std::is_integral_v<T>) return logical_not(less(b, a));
  else return logical_or(less(a, b), equal(a, b));
}
/// a != b; true where either is NaN.
template <class T, int N>
FLUXION_ALWAYS_INLINE Mask<T, N> not_equal(const Pack<T, N>& a, const Pack<T, N>& b) {
  using L = typename Pack<T, N>::lane;
  if constexpr (requires { L::not_equal(a.parts[0], b.parts[0]); })
    return detail::lift<&L::not_equal, Mask<T, N>>(a, b);
  else return logical_not(equal(a, b));
}

/// The lanes of a where the mask is true, those of b elsewhere.
template <class T, int N>
FLUXION_ALWAYS_INLINE Pack<T, N> select(const Mask<T, N>& m, const Pack<T, N>& a, const Pack<T, N>& b) {
  return detail::lift<&Pack<T, N>::lane::select, Pack<T, N>>(m, a, b);
}
/// The first `count` lanes of a, the others of b.
template <class T, int N>
FLUXION_ALWAYS_INLINE Pack<T, N> blend_count(const Pack<T, N>& a, int count, const Pack<T, N>& b) {
  return select(first_lanes<Mask<T, N>>(count), a, b);
}

/// The absolute value; the smallest integer stays itself.
template <class T, int N>
FLUXION_ALWAYS_INLINE Pack<T, N> abs(const Pack<T, N>& a) {
  using L = typename Pack<T, N>::lane;
  if constexpr (requires { L::abs(a.parts[0]); }) return detail::lift<&L::abs, Pack<T, N>>(a);
  else return select(less(a, splat<Pack<T, N>>(T(0))), -a, a);
}
/// The larger one; NaN if either is NaN, as torch.maximum.
template <class T, int N>
FLUXION_ALWAYS_INLINE Pack<T, N> maximum(const Pack<T, N>& a, const Pack<T, N>& b) {
  using L = typename Pack<T, N>::lane;
  if constexpr (requires { L::maximum(a.parts[0], b.parts[0]); })
    return detail::lift<&L::maximum, Pack<T, N>>(a, b);
  else if constexpr (std::is_floating_point_v<T>)
    return detail::map<Pack<T, N>>([](const auto& x, const auto& y) FLUXION_INLINE_LAMBDA { return L::select(L::equal(x, x), L::max_keep(y, x), x); },
                                   a, b);
  else return select(less(a, b), b, a);
}
/// The smaller one; NaN if either is NaN, as torch.minimum.
template <class T, int N>
FLUXION_ALWAYS_INLINE Pack<T, N> minimum(const Pack<T, N>& a, const Pack<T, N>& b) {
  using L = typename Pack<T, N>::lane;
  if constexpr (requires { L::minimum(a.parts[0], b.parts[0]); })
    return detail::lift<&L::minimum, Pack<T, N>>(a, b);
  else if constexpr (std::is_floating_point_v<T>)
    return detail::map<Pack<T, N>>([](const auto& x, const auto& y) FLUXION_INLINE_LAMBDA { return L::select(L::equal(x, x), L::min_keep(y, x), x); },
                                   a, b);
  else return select(less(b, a), b, a);
}

/// The larger or smaller one where y is known to be no NaN: one instruction. NaN where x is NaN.
template <std::floating_point T, int N>
FLUXION_ALWAYS_INLINE Pack<T, N> maximum_with_number(const Pack<T, N>& x, const Pack<T, N>& y) {
  return detail::lift<&Pack<T, N>::lane::max_keep, Pack<T, N>>(x, y);
}
template <std::floating_point T, int N>
FLUXION_ALWAYS_INLINE Pack<T, N> minimum_with_number(const Pack<T, N>& x, const Pack<T, N>& y) {
  return detail::lift<&Pack<T, N>::lane::min_keep, Pack<T, N>>(x, y);
}
}
}  // namespace fluxion::host

#include "packet/convert.hpp"
#include "packet/reduce.hpp"
#include "packet/math.hpp"
