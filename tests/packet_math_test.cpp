// The functions of packs against the standard library's in long double, in whatever form this build gives packs.
// matrix
#include <doctest/doctest.h>

#include "support/packet_form.hpp"

using namespace packet_test;

namespace {
/// The functions of a pack, compiled once.
template <class P>
struct function {
  using type = P (*)(const P&);
  static P exp(const P& x) { using fluxion::host::exp; return exp(x); }
  static P log(const P& x) { using fluxion::host::log; return log(x); }
  static P sqrt(const P& x) { using fluxion::host::sqrt; return sqrt(x); }
  static P rsqrt(const P& x) { using fluxion::host::rsqrt; return rsqrt(x); }
  static P tanh(const P& x) { using fluxion::host::tanh; return tanh(x); }
  static P sigmoid(const P& x) { using fluxion::host::sigmoid; return sigmoid(x); }
  static P erf(const P& x) { using fluxion::host::erf; return erf(x); }
  static P sin(const P& x) { using fluxion::host::sin; return sin(x); }
  static P cos(const P& x) { using fluxion::host::cos; return cos(x); }
  static P power(const P& x) { return pow(x, splat<P>(typename P::value_type(2.5))); }
};
using exact_function = long double (*)(long double);
long double exact_exp(long double x) { return std::exp(x); }
long double exact_log(long double x) { return std::log(x); }
long double exact_sqrt(long double x) { return std::sqrt(x); }
long double exact_rsqrt(long double x) { return 1 / std::sqrt(x); }
long double exact_tanh(long double x) { return std::tanh(x); }
long double exact_sigmoid(long double x) { return 1 / (1 + std::exp(-x)); }
long double exact_erf(long double x) { return std::erf(x); }
long double exact_sin(long double x) { return std::sin(x); }
long double exact_cos(long double x) { return std::cos(x); }
long double exact_power(long double x) { return std::pow(x, 2.5L); }

enum class spacing { even, by_magnitude };

/// The worst distance in ulp from the exact function, over numbers from low to high.
template <class P>
double worst(typename function<P>::type f, exact_function reference, double low, double high, spacing s = spacing::even) {
  using T = typename P::value_type;
  constexpr int samples = 8192;
  double result = 0;
  for (int k = 0; k < samples; k += P::lanes) {
    T x[P::lanes], y[P::lanes];
    for (int i = 0; i < P::lanes; ++i) {
      const double t = static_cast<double>(k + i) / samples;
      x[i] = static_cast<T>(s == spacing::even ? low + (high - low) * t : low * std::exp2(std::log2(high / low) * t));
    }
    store(y, f(load<P>(x)));
    for (int i = 0; i < P::lanes; ++i)
      result = std::fmax(result, ulps_between(y[i], static_cast<T>(reference(static_cast<long double>(x[i])))));
  }
  return result;
}

/// f of one number, in the last lane, the others being something else.
template <class P>
double at(typename function<P>::type f, double x) {
  using T = typename P::value_type;
  T values[P::lanes];
  for (int i = 0; i < P::lanes; ++i) values[i] = static_cast<T>(i % 3 == 0 ? 0.5 : not_a_number);
  values[P::lanes - 1] = static_cast<T>(x);
  store(values, f(load<P>(values)));
  return static_cast<double>(values[P::lanes - 1]);
}
}  // namespace

TEST_CASE_TEMPLATE("functions are within a few ulp of the exact value", F, FLOAT_FORMS) {
  using P = typename F::pack;
  using f = function<P>;
  constexpr bool single = sizeof(typename F::type) == 4;
  constexpr double smallest = single ? 2e-45 : 5e-324, normal = single ? 1.2e-38 : 2.3e-308;
  const struct {
    const char* name;
    typename f::type packs;
    exact_function exact;
    double low, high;
    spacing by;
    double bound;
  } ranges[] = {
      {"exp", f::exp, exact_exp, single ? -87.3 : -708., single ? 88.72 : 709.7, spacing::even, 2},
      {"exp, subnormal", f::exp, exact_exp, single ? -104. : -745.5, single ? -87. : -708., spacing::even, 2},
      {"exp near 0", f::exp, exact_exp, -1, 1, spacing::even, 2},
      {"log", f::log, exact_log, 1e-37, 1e38, spacing::by_magnitude, 2},
      {"log near 1", f::log, exact_log, 0.5, 2, spacing::even, 2},
      {"log, subnormal", f::log, exact_log, smallest, normal, spacing::by_magnitude, 3},
      {"sqrt", f::sqrt, exact_sqrt, 1e-37, 1e38, spacing::by_magnitude, 1},
      {"rsqrt", f::rsqrt, exact_rsqrt, 1e-37, 1e38, spacing::by_magnitude, 2},
      {"tanh", f::tanh, exact_tanh, -11, 11, spacing::even, 3},
      {"tanh near 0", f::tanh, exact_tanh, smallest, 1, spacing::by_magnitude, 3},
      {"sigmoid", f::sigmoid, exact_sigmoid, single ? -87. : -700., 40, spacing::even, 4},
      {"erf", f::erf, exact_erf, -7, 7, spacing::even, 4},
      {"erf near 0", f::erf, exact_erf, 1e-37, 1, spacing::by_magnitude, 4},
      {"sin", f::sin, exact_sin, -100, 100, spacing::even, 4},
      {"cos", f::cos, exact_cos, -100, 100, spacing::even, 4},
      {"sin near a multiple of pi / 2", f::sin, exact_sin, 3.1415926, 3.1415927, spacing::even, 4},
      {"cos near a multiple of pi / 2", f::cos, exact_cos, 4.7123889, 4.712389, spacing::even, 4},
      {"sin of large angles", f::sin, exact_sin, -5000, 5000, spacing::even, 4},
      {"cos of large angles", f::cos, exact_cos, -5000, 5000, spacing::even, 4},
      {"sin of every size", f::sin, exact_sin, 1e-37, 1e20, spacing::by_magnitude, 4},
      {"cos of every size", f::cos, exact_cos, 1e-37, 1e20, spacing::by_magnitude, 4},
      {"pow", f::power, exact_power, 1e-14, 1e14, spacing::by_magnitude, 2},
  };
  for (const auto& range : ranges) {
    CAPTURE(range.name);
    CHECK(worst<P>(range.packs, range.exact, range.low, range.high, range.by) <= range.bound);
  }
}

TEST_CASE_TEMPLATE("functions are exact at zero, at infinity and where they over- or underflow", F, FLOAT_FORMS) {
  using P = typename F::pack;
  using f = function<P>;
  constexpr bool single = sizeof(typename F::type) == 4;
  constexpr double least = single ? std::numeric_limits<float>::denorm_min() : std::numeric_limits<double>::denorm_min();
  const struct {
    const char* name;
    typename f::type packs;
    double x, y;
  } values[] = {
      {"exp(inf)", f::exp, infinity, infinity},
      {"exp(-inf)", f::exp, -infinity, 0},
      {"exp(0)", f::exp, 0, 1},
      {"exp, too large", f::exp, single ? 88.7229 : 709.79, infinity},
      {"exp, far too large", f::exp, 1e9, infinity},
      {"exp, far too small", f::exp, -1e9, 0},
      {"exp, as small as can be", f::exp, single ? -103.9 : -745.1, least},
      {"exp, too small", f::exp, single ? -104.5 : -745.5, 0},
      {"log(0)", f::log, 0, -infinity},
      {"log(-0)", f::log, -0., -infinity},
      {"log(inf)", f::log, infinity, infinity},
      {"log(1)", f::log, 1, 0},
      {"sqrt(inf)", f::sqrt, infinity, infinity},
      {"rsqrt(0)", f::rsqrt, 0, infinity},
      {"rsqrt(inf)", f::rsqrt, infinity, 0},
      {"tanh(inf)", f::tanh, infinity, 1},
      {"tanh(-inf)", f::tanh, -infinity, -1},
      {"tanh(30)", f::tanh, 30, 1},
      {"tanh(-30)", f::tanh, -30, -1},
      {"tanh(0)", f::tanh, 0, 0},
      {"tanh(-0)", f::tanh, -0., -0.},
      {"erf(inf)", f::erf, infinity, 1},
      {"erf(-inf)", f::erf, -infinity, -1},
      {"erf(9)", f::erf, 9, 1},
      {"erf(-9)", f::erf, -9, -1},
      {"erf(0)", f::erf, 0, 0},
      {"erf(-0)", f::erf, -0., -0.},
      {"sigmoid(inf)", f::sigmoid, infinity, 1},
      {"sigmoid(-inf)", f::sigmoid, -infinity, 0},
      {"sigmoid(90)", f::sigmoid, 90, 1},
      {"log(-1)", f::log, -1, not_a_number},
      {"log(-inf)", f::log, -infinity, not_a_number},
      {"sqrt(-1)", f::sqrt, -1, not_a_number},
      {"sin(0)", f::sin, 0, 0},
      {"sin(-0)", f::sin, -0., -0.},
      {"cos(-0)", f::cos, -0., 1},
      {"sin(inf)", f::sin, infinity, not_a_number},
      {"sin(-inf)", f::sin, -infinity, not_a_number},
      {"cos(inf)", f::cos, infinity, not_a_number},
      {"cos(-inf)", f::cos, -infinity, not_a_number},
      {"exp(nan)", f::exp, not_a_number, not_a_number},
      {"log(nan)", f::log, not_a_number, not_a_number},
      {"sqrt(nan)", f::sqrt, not_a_number, not_a_number},
      {"tanh(nan)", f::tanh, not_a_number, not_a_number},
      {"sigmoid(nan)", f::sigmoid, not_a_number, not_a_number},
      {"erf(nan)", f::erf, not_a_number, not_a_number},
      {"sin(nan)", f::sin, not_a_number, not_a_number},
      {"cos(nan)", f::cos, not_a_number, not_a_number},
  };
  for (const auto& value : values) {
    CAPTURE(value.name);
    CHECK(ulps_between(at<P>(value.packs, value.x), value.y) == 0);
  }
  CHECK(at<P>(f::exp, single ? 88.7228 : 709.78) < infinity);
  CHECK(at<P>(f::sqrt, least) > 0);
  CHECK(at<P>(f::sigmoid, -90) < 1e-38);
}

TEST_CASE_TEMPLATE("pow has the special cases of std::pow", F, FLOAT_FORMS) {
  using T = typename F::type;
  using P = typename F::pack;
  const double values[] = {0., -0., 1, -1, 2, -2, 3, -3, 0.5, -0.5, 2.5, infinity, -infinity, not_a_number, 1e30, -1e30};
  for (double x : values) {
    for (double y : values) {
      CAPTURE(x);
      CAPTURE(y);
      const P got = pow(splat<P>(static_cast<T>(x)), splat<P>(static_cast<T>(y)));
      CHECK(ulps_between(lanes_of(got)[P::lanes - 1], std::pow(static_cast<T>(x), static_cast<T>(y))) <= 1);
    }
  }
}
