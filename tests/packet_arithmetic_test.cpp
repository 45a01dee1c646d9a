// Arithmetic, comparison and choice on packs against the same on their elements, in whatever form this build gives packs.
// matrix
#include <doctest/doctest.h>

#include "support/packet_form.hpp"

using namespace packet_test;

TEST_CASE_TEMPLATE("arithmetic is that of the elements", F, ALL_FORMS) {
  using T = typename F::type;
  using P = typename F::pack;
  struct {
    const char* name;
    P (*packs)(const P&, const P&);
    T (*elements)(T, T);
  } const operations[] = {
      {"a + b", [](const P& a, const P& b) { return a + b; }, [](T a, T b) { return static_cast<T>(a + b); }},
      {"a - b", [](const P& a, const P& b) { return a - b; }, [](T a, T b) { return static_cast<T>(a - b); }},
      {"a * b", [](const P& a, const P& b) { return a * b; }, [](T a, T b) { return static_cast<T>(a * b); }},
      {"-a", [](const P& a, const P&) { return -a; }, [](T a, T) { return static_cast<T>(-a); }},
      {"1 - a * 2", [](const P& a, const P&) { return 1 - a * 2; }, [](T a, T) { return static_cast<T>(1 - a * 2); }},
      {"3 * a + 1", [](const P& a, const P&) { return 3 * a + 1; }, [](T a, T) { return static_cast<T>(3 * a + 1); }},
      {"2 + a - 1", [](const P& a, const P&) { return 2 + a - 1; }, [](T a, T) { return static_cast<T>(2 + a - 1); }},
      {"fma", [](const P& a, const P& b) { return fma(a, b, b); }, [](T a, T b) { return static_cast<T>(a * b + b); }},
      {"abs", [](const P& a, const P&) { return abs(a); }, [](T a, T) { return a < 0 ? static_cast<T>(-a) : a; }},
      {"maximum", [](const P& a, const P& b) { return maximum(a, 3 - b); },
       [](T a, T b) { return a < static_cast<T>(3 - b) ? static_cast<T>(3 - b) : a; }},
      {"minimum", [](const P& a, const P& b) { return minimum(a, 3 - b); },
       [](T a, T b) { return static_cast<T>(3 - b) < a ? static_cast<T>(3 - b) : a; }},
      {"select", [](const P& a, const P& b) { return select(less(a, splat<P>(T(1))), b, a); },
       [](T a, T b) { return a < 1 ? b : a; }},
      {"zero_of", [](const P& a, const P&) { return zero_of(a); }, [](T, T) { return T(0); }},
  };
  const P a = counting<P>(-2), b = counting<P>(3);
  for (const auto& operation : operations) {
    CAPTURE(operation.name);
    const auto expected = [&](int i) { return operation.elements(static_cast<T>(i - 2), static_cast<T>(i + 3)); };
    CHECK(wrong_lane(operation.packs(a, b), expected) == -1);
  }
}

TEST_CASE_TEMPLATE("division is that of the elements, and negation keeps the sign of zero", F, FLOAT_FORMS) {
  using T = typename F::type;
  using P = typename F::pack;
  const P a = counting<P>(-2), b = counting<P>(3);
  CHECK(wrong_lane(a / b, [](int i) { return static_cast<T>(i - 2) / static_cast<T>(i + 3); }) == -1);
  CHECK(wrong_lane(1 / b, [](int i) { return 1 / static_cast<T>(i + 3); }) == -1);
  CHECK(wrong_lane(b / 4, [](int i) { return static_cast<T>(i + 3) / 4; }) == -1);
  CHECK(std::signbit(lanes_of(-splat<P>(T(0)))[0]));
  CHECK_FALSE(std::signbit(lanes_of(-splat<P>(T(-0.)))[0]));
}

TEST_CASE_TEMPLATE("integers wrap", F, INTEGER_FORMS) {
  using T = typename F::type;
  using P = typename F::pack;
  constexpr T most = std::numeric_limits<T>::max(), least = std::numeric_limits<T>::min();
  CHECK(lanes_of(splat<P>(most) + 1)[0] == least);
  CHECK(lanes_of(splat<P>(least) - 1)[0] == most);
  CHECK(lanes_of(splat<P>(most) * 2)[0] == -2);
  CHECK(lanes_of(-splat<P>(least))[0] == least);
  CHECK(lanes_of(abs(splat<P>(least)))[0] == least);
}

TEST_CASE_TEMPLATE("comparisons and the logic of masks are those of the elements", F, ALL_FORMS) {
  using P = typename F::pack;
  const P a = counting<P>(0), b = splat<P>(typename F::type(1));
  CHECK(wrong_lane(less(a, b), [](int i) { return i < 1; }) == -1);
  CHECK(wrong_lane(less_equal(a, b), [](int i) { return i <= 1; }) == -1);
  CHECK(wrong_lane(equal(a, b), [](int i) { return i == 1; }) == -1);
  CHECK(wrong_lane(not_equal(a, b), [](int i) { return i != 1; }) == -1);
  CHECK(wrong_lane(logical_not(less(a, b)), [](int i) { return i >= 1; }) == -1);
  CHECK(wrong_lane(logical_and(less_equal(a, b), not_equal(a, b)), [](int i) { return i < 1; }) == -1);
  CHECK(wrong_lane(logical_or(less(b, a), equal(a, b)), [](int i) { return i >= 1; }) == -1);
}

TEST_CASE_TEMPLATE("NaN is neither less nor equal, and wins every maximum and minimum", F, FLOAT_FORMS) {
  using T = typename F::type;
  using P = typename F::pack;
  const P bad = splat<P>(T(not_a_number)), one = splat<P>(T(1));
  for (bool swapped : {false, true}) {
    const P a = swapped ? one : bad, b = swapped ? bad : one;
    CHECK_FALSE(any(less(a, b)));
    CHECK_FALSE(any(less_equal(a, b)));
    CHECK_FALSE(any(equal(a, b)));
    CHECK_FALSE(any(logical_not(not_equal(a, b))));
    const P most = maximum(a, b), least = minimum(a, b);
    CHECK_FALSE(any(equal(most, most)));
    CHECK_FALSE(any(equal(least, least)));
  }
  CHECK(std::isnan(lanes_of(abs(bad))[0]));
}
