// Loads, stores, masks as bools, and conversions of packs, in whatever form this build gives packs.
// matrix
#include <doctest/doctest.h>

#include "support/packet_form.hpp"

#include <cstddef>
#include <memory>

using namespace packet_test;

namespace {
/// `count` elements on the heap and not one more, so that a sanitizer sees what goes beyond.
template <class T>
std::unique_ptr<T[]> exact(std::ptrdiff_t count) {
  return std::unique_ptr<T[]>(new T[static_cast<std::size_t>(count)]);
}
}  // namespace

TEST_CASE_TEMPLATE("what is loaded is what is stored, at any alignment", F, ALL_FORMS) {
  using T = typename F::type;
  using P = typename F::pack;
  static_assert(std::is_trivially_copyable_v<P> && std::is_trivially_copyable_v<typename F::mask>);
  T from[F::lanes + 1], to[F::lanes + 1];
  for (int i = 0; i <= F::lanes; ++i) from[i] = static_cast<T>(i * 3 - 7);
  for (int offset = 0; offset < 2; ++offset) {
    store(to + offset, load<P>(from + offset));
    CHECK(std::memcmp(to + offset, from + offset, sizeof(T) * F::lanes) == 0);
  }
  CHECK(wrong_lane(splat<P>(T(5)), [](int) { return 5; }) == -1);
  CHECK(wrong_lane(iota<P>(T(-3)), [](int i) { return i - 3; }) == -1);
}

TEST_CASE_TEMPLATE("partial access touches exactly the elements that it names", F, ALL_FORMS) {
  using T = typename F::type;
  using P = typename F::pack;
  for (int count = 0; count <= F::lanes; ++count) {
    CAPTURE(count);
    const auto from = exact<T>(count), to = exact<T>(count);
    for (int i = 0; i < count; ++i) from[static_cast<std::size_t>(i)] = static_cast<T>(i + 1);
    const auto expected = [&](int i) { return i < count ? i + 1 : -9; };
    const P x = load_partial<P>(from.get(), count, T(-9));
    CHECK(wrong_lane(x, expected) == -1);
    store_partial(to.get(), x, count);
    CHECK(wrong_lane(load_partial<P>(to.get(), count, T(-9)), expected) == -1);
    T guarded[F::lanes];
    store(guarded, splat<P>(T(-9)));
    store_partial(guarded, counting<P>(), count);
    CHECK(wrong_lane(load<P>(guarded), expected) == -1);
    CHECK(wrong_lane(blend_count(counting<P>(), count, splat<P>(T(-9))), expected) == -1);
  }
}

TEST_CASE_TEMPLATE("strided access reaches only its own elements", F, ALL_FORMS) {
  using T = typename F::type;
  using P = typename F::pack;
  for (std::ptrdiff_t stride : {0, 1, 3, -2}) {
    for (int count : {0, 1, F::lanes / 2, F::lanes}) {
      CAPTURE(stride);
      CAPTURE(count);
      const std::ptrdiff_t span = count == 0 ? 0 : (count - 1) * (stride < 0 ? -stride : stride) + 1;
      const auto memory = exact<T>(span);
      for (std::ptrdiff_t i = 0; i < span; ++i) memory[static_cast<std::size_t>(i)] = static_cast<T>(i);
      T* const first = memory.get() + (stride < 0 && span > 0 ? span - 1 : 0);
      const auto loaded = [&](int i) { return i < count ? first[i * stride] : T(-9); };
      CHECK(wrong_lane(load_strided<P>(first, stride, count, T(-9)), loaded) == -1);
      if (stride == 0) continue;
      store_strided(first, stride, counting<P>(50), count);
      std::ptrdiff_t wrong = 0;
      for (std::ptrdiff_t i = 0; i < span; ++i) {
        const std::ptrdiff_t from_first = &memory[static_cast<std::size_t>(i)] - first;
        const bool own = from_first % stride == 0;
        wrong += memory[static_cast<std::size_t>(i)] != static_cast<T>(own ? 50 + from_first / stride : i);
      }
      CHECK(wrong == 0);
    }
  }
}

TEST_CASE_TEMPLATE("masks survive the way through bools, and through every other type", F, ALL_FORMS) {
  using M = typename F::mask;
  for (int count = 0; count <= F::lanes; ++count) {
    CAPTURE(count);
    const auto from = exact<bool>(count), to = exact<bool>(count);
    for (int i = 0; i < count; ++i) from[static_cast<std::size_t>(i)] = (i * i + count) % 3 == 0;
    const auto expected = [&](int i) { return i < count && (i * i + count) % 3 == 0; };
    const M m = load_mask<M>(from.get(), count);
    CHECK(wrong_lane(m, expected) == -1);
    store_mask(to.get(), m, count);
    CHECK(wrong_lane(load_mask<M>(to.get(), count), expected) == -1);
    CHECK(wrong_lane(convert_mask<float>(m), expected) == -1);
    CHECK(wrong_lane(convert_mask<double>(m), expected) == -1);
    CHECK(wrong_lane(convert_mask<std::int32_t>(m), expected) == -1);
    CHECK(wrong_lane(convert_mask<std::int64_t>(m), expected) == -1);
    CHECK(wrong_lane(convert<typename F::type>(m), expected) == -1);
    CHECK(wrong_lane(convert<M>(convert<bool>(m)), expected) == -1);
    CHECK(wrong_lane(first_lanes<M>(count), [&](int i) { return i < count; }) == -1);
  }
}

TEST_CASE_TEMPLATE("conversion is static_cast on every lane", F, ALL_FORMS) {
  using T = typename F::type;
  using P = typename F::pack;
  T x[F::lanes];
  for (int i = 0; i < F::lanes; ++i) x[i] = static_cast<T>((i - 3) * 1.75);
  const P p = load<P>(x);
  CHECK(wrong_lane(convert<float>(p), [&](int i) { return static_cast<float>(x[i]); }) == -1);
  CHECK(wrong_lane(convert<double>(p), [&](int i) { return static_cast<double>(x[i]); }) == -1);
  CHECK(wrong_lane(convert<std::int32_t>(p), [&](int i) { return static_cast<std::int32_t>(x[i]); }) == -1);
  CHECK(wrong_lane(convert<std::int64_t>(p), [&](int i) { return static_cast<std::int64_t>(x[i]); }) == -1);
  CHECK(wrong_lane(convert<bool>(p), [&](int i) { return x[i] != T(0); }) == -1);
  CHECK(wrong_lane(convert<typename F::mask>(p), [&](int i) { return x[i] != T(0); }) == -1);
  bool bytes[F::lanes];
  for (int i = 0; i < F::lanes; ++i) bytes[i] = i % 3 == 1;
  CHECK(wrong_lane(convert<T>(load<Pack<bool, F::lanes>>(bytes)), [](int i) { return i % 3 == 1; }) == -1);
}

TEST_CASE_TEMPLATE("a float that no integer holds becomes the smallest integer", F, FLOAT_FORMS) {
  using T = typename F::type;
  using P = typename F::pack;
  for (double x : {not_a_number, infinity, -infinity, 1e30, -1e30, 9223372036854775808.0}) {
    CAPTURE(x);
    const P p = splat<P>(static_cast<T>(x));
    CHECK(wrong_lane(convert<std::int32_t>(p), [](int) { return std::numeric_limits<std::int32_t>::min(); }) == -1);
    CHECK(wrong_lane(convert<std::int64_t>(p), [](int) { return std::numeric_limits<std::int64_t>::min(); }) == -1);
  }
  CHECK(lanes_of(convert<bool>(splat<P>(T(not_a_number))))[0]);
  CHECK(lanes_of(convert<std::int64_t>(splat<P>(T(3e9))))[0] == 3000000000);
}
