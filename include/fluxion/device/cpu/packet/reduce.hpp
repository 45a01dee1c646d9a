/// Reductions across the lanes of one pack, in one tree order on every build: halves are combined until one lane is left.
/// Included by packet.hpp.
#pragma once
#include "../packet.hpp"

namespace fluxion::host {
inline namespace FLUXION_ABI {

namespace detail {
template <int step, class T, int N, class Op>
FLUXION_ALWAYS_INLINE T reduce_packet(const Pack<T, N>& x, const Op& op) {
  using L = typename Pack<T, N>::lane;
  if constexpr (step == 0) return L::first_element(x.parts[0]);
  else return reduce_packet<step / 2>(op(x, Pack<T, N>{{L::template exchange<step>(x.parts[0])}}), op);
}
}  // namespace detail

/// Combines the lanes by `op`, an associative function of two packs of equal size (not always N): first lane i with lane
/// i + N / 2, then the results likewise.
template <class T, int N, class Op>
FLUXION_ALWAYS_INLINE T reduce(const Pack<T, N>& x, const Op& op) {
  using P = Pack<T, N>;
  if constexpr (N == 1) {
    return x.parts[0];
  } else if constexpr (P::lane::is_packet && P::count == 1) {
    return detail::reduce_packet<N / 2>(x, op);
  } else {
    Pack<T, N / 2> low, high;
    detail::each_part(low, [&](auto& part, int start) FLUXION_INLINE_LAMBDA { part = x.parts[start / P::lane::lanes]; });
    detail::each_part(high, [&](auto& part, int start) FLUXION_INLINE_LAMBDA { part = x.parts[P::count / 2 + start / P::lane::lanes]; });
    return reduce(op(low, high), op);
  }
}

/// The sum of the lanes; integers wrap.
template <class T, int N>
FLUXION_ALWAYS_INLINE T reduce_add(const Pack<T, N>& x) {
  return reduce(x, [](const auto& a, const auto& b) FLUXION_INLINE_LAMBDA { return a + b; });
}
/// The largest lane; NaN if any is NaN.
template <class T, int N>
FLUXION_ALWAYS_INLINE T reduce_max(const Pack<T, N>& x) {
  return reduce(x, [](const auto& a, const auto& b) FLUXION_INLINE_LAMBDA { return maximum(a, b); });
}
/// The smallest lane; NaN if any is NaN.
template <class T, int N>
FLUXION_ALWAYS_INLINE T reduce_min(const Pack<T, N>& x) {
  return reduce(x, [](const auto& a, const auto& b) FLUXION_INLINE_LAMBDA { return minimum(a, b); });
}
/// Whether any lane is true.
template <class T, int N>
FLUXION_ALWAYS_INLINE bool any(const Mask<T, N>& m) {
  if constexpr (Mask<T, N>::lane::is_packet) {
    return detail::bits_of(m) != 0;
  } else {
    bool r = false;
    for (int i = 0; i < N; ++i) r |= m.parts[i];
    return r;
  }
}
}
}  // namespace fluxion::host
