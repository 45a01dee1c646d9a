// Reductions across the lanes of a pack, in whatever form this build gives packs.
// matrix
#include <doctest/doctest.h>

#include "support/packet_form.hpp"

using namespace packet_test;

TEST_CASE_TEMPLATE("reductions combine every lane once", F, ALL_FORMS) {
  using T = typename F::type;
  using P = typename F::pack;
  CHECK(reduce_add(counting<P>()) == static_cast<T>(F::lanes * (F::lanes + 1) / 2));
  CHECK(reduce_max(counting<P>(-4)) == static_cast<T>(F::lanes - 5));
  CHECK(reduce_min(counting<P>(-4)) == T(-4));
  for (int place = 0; place < F::lanes; ++place) {
    CAPTURE(place);
    const P peak = select(equal(counting<P>(0), splat<P>(static_cast<T>(place))), splat<P>(T(9)), splat<P>(T(1)));
    CHECK(reduce(peak, [](const auto& a, const auto& b) { return a * b; }) == T(9));
    CHECK(reduce_max(peak) == T(9));
    CHECK(reduce_min(-peak) == T(-9));
    CHECK(any(less(splat<P>(T(1)), peak)));
  }
  CHECK_FALSE(any(less(counting<P>(), splat<P>(T(1)))));
}

TEST_CASE_TEMPLATE("a sum has one tree order: halves are added until one lane is left", F, FLOAT_FORMS) {
  using T = typename F::type;
  T x[F::lanes], halves[F::lanes];
  for (int i = 0; i < F::lanes; ++i) x[i] = halves[i] = static_cast<T>(1) / static_cast<T>(i * i + 3);
  for (int half = F::lanes / 2; half > 0; half /= 2)
    for (int i = 0; i < half; ++i) halves[i] = halves[i] + halves[i + half];
  CHECK(reduce_add(load<typename F::pack>(x)) == halves[0]);
}

TEST_CASE_TEMPLATE("one NaN in any lane is the largest and the smallest", F, FLOAT_FORMS) {
  using T = typename F::type;
  using P = typename F::pack;
  for (int place = 0; place < F::lanes; ++place) {
    CAPTURE(place);
    const P mixed = select(equal(counting<P>(0), splat<P>(static_cast<T>(place))), splat<P>(T(not_a_number)), counting<P>(0));
    CHECK(std::isnan(reduce_max(mixed)));
    CHECK(std::isnan(reduce_min(mixed)));
  }
}
