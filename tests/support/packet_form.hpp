/// What the tests of packs share: the forms that they are tested in, and comparison lane by lane.
#pragma once
#include <fluxion/device/cpu/packet.hpp>

#include <array>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <type_traits>

namespace packet_test {
using namespace fluxion::host;

inline constexpr double infinity = std::numeric_limits<double>::infinity();
inline constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();

/// T in N lanes.
template <class T, int N>
struct form {
  using type = T;
  using pack = Pack<T, N>;
  using mask = Mask<T, N>;
  static constexpr int lanes = N;
};
/// T in one packet of this build, and in 16 lanes.
template <class T>
using native = form<T, native_lanes<T>>;
template <class T>
using sixteen = form<T, 16>;

#define FLOAT_FORMS \
  packet_test::native<float>, packet_test::sixteen<float>, packet_test::native<double>, packet_test::sixteen<double>
#define INTEGER_FORMS                                                       \
  packet_test::native<std::int32_t>, packet_test::sixteen<std::int32_t>, \
      packet_test::native<std::int64_t>, packet_test::sixteen<std::int64_t>
#define ALL_FORMS FLOAT_FORMS, INTEGER_FORMS

template <class T, int N>
std::array<T, N> lanes_of(const Pack<T, N>& p) {
  std::array<T, N> r;
  store(r.data(), p);
  return r;
}
template <class T, int N>
std::array<bool, N> truth_of(const Mask<T, N>& m) {
  std::array<bool, N> r;
  store_mask(r.data(), m, N);
  return r;
}

/// from, from + 1, from + 2 …
template <class P>
P counting(int from = 1) {
  typename P::value_type x[P::lanes];
  for (int i = 0; i < P::lanes; ++i) x[i] = static_cast<typename P::value_type>(from + i);
  return load<P>(x);
}

/// The first lane that is not what `expected` gives for its number; -1 if there is none.
template <class P, class Expected>
int wrong_lane(const P& p, const Expected& expected) {
  const auto lane = lanes_of(p);
  for (int i = 0; i < P::lanes; ++i)
    if (!(lane[static_cast<std::size_t>(i)] == static_cast<typename P::value_type>(expected(i)))) return i;
  return -1;
}
template <class T, int N, class Expected>
int wrong_lane(const Mask<T, N>& m, const Expected& expected) {
  const auto truth = truth_of(m);
  for (int i = 0; i < N; ++i)
    if (truth[static_cast<std::size_t>(i)] != static_cast<bool>(expected(i))) return i;
  return -1;
}

/// The number of representable values between two: 0 where both are NaN, infinite where the signs differ.
template <class T>
double ulps_between(T a, T b) {
  if (std::isnan(a) || std::isnan(b)) return std::isnan(a) && std::isnan(b) ? 0 : infinity;
  if (std::signbit(a) != std::signbit(b)) return infinity;
  using I = std::conditional_t<sizeof(T) == 4, std::int32_t, std::int64_t>;
  I x, y;
  std::memcpy(&x, &a, sizeof a);
  std::memcpy(&y, &b, sizeof b);
  return std::fabs(static_cast<double>(x - y));
}
}  // namespace packet_test
