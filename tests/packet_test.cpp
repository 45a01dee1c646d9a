// Packs against the standard library, element by element, in whatever form this build gives them.
#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include <doctest/doctest.h>

#include <fluxion/device/cpu/packet.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <memory>
#include <type_traits>
#include <vector>

using namespace fluxion::host;

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();

/// T, in the native number of lanes and in 16.
template <class T, int N>
struct form {
  using type = T;
  using pack = Pack<T, N>;
  using mask = Mask<T, N>;
  static constexpr int lanes = N;
};
#define ALL_FORMS                                                                                                       \
  form<float, native_lanes<float>>, form<float, 16>, form<double, native_lanes<double>>, form<double, 16>,              \
      form<std::int32_t, native_lanes<std::int32_t>>, form<std::int32_t, 16>, form<std::int64_t, native_lanes<std::int64_t>>, \
      form<std::int64_t, 16>
#define FLOAT_FORMS \
  form<float, native_lanes<float>>, form<float, 16>, form<double, native_lanes<double>>, form<double, 16>

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

template <class P>
std::array<typename P::value_type, P::lanes> lanes_of(const P& p) {
  std::array<typename P::value_type, P::lanes> r;
  store(r.data(), p);
  return r;
}
template <class T, int N>
std::vector<int> truth_of(const Mask<T, N>& m) {
  bool r[N];
  store_mask(r, m, N);
  return {r, r + N};
}
template <class P>
P counting(int from = 1) {
  typename P::value_type x[P::lanes];
  for (int i = 0; i < P::lanes; ++i) x[i] = static_cast<typename P::value_type>(from + i);
  return load<P>(x);
}

/// The worst distance, in ulp, of a function from its reference over `samples` values that `at(t)`, t in [0, 1), gives.
template <class P, class F, class R, class At>
double worst(const F& f, const R& reference, const At& at, int samples = 20000) {
  using T = typename P::value_type;
  double result = 0;
  for (int k = 0; k < samples; k += P::lanes) {
    T x[P::lanes], y[P::lanes];
    for (int i = 0; i < P::lanes; ++i) x[i] = static_cast<T>(at(static_cast<double>(k + i) / samples));
    store(y, f(load<P>(x)));
    for (int i = 0; i < P::lanes; ++i)
      result = std::fmax(result, ulps_between(y[i], static_cast<T>(reference(static_cast<long double>(x[i])))));
  }
  return result;
}
auto between(double low, double high) {
  return [=](double t) { return low + (high - low) * t; };
}
auto magnitudes(double low, double high) {
  return [=](double t) { return std::exp(std::log(low) + (std::log(high) - std::log(low)) * t); };
}

/// f of one number, in the last lane, the others being something else.
template <class P, class F>
double at(const F& f, double x) {
  using T = typename P::value_type;
  T values[P::lanes];
  for (int i = 0; i < P::lanes; ++i) values[i] = static_cast<T>(i % 3 == 0 ? 0.5 : not_a_number);
  values[P::lanes - 1] = static_cast<T>(x);
  store(values, f(load<P>(values)));
  return static_cast<double>(values[P::lanes - 1]);
}

const auto exp_of = [](const auto& x) { return exp(x); };
const auto log_of = [](const auto& x) { return log(x); };
const auto sqrt_of = [](const auto& x) { return sqrt(x); };
const auto rsqrt_of = [](const auto& x) { return rsqrt(x); };
const auto tanh_of = [](const auto& x) { return tanh(x); };
const auto sigmoid_of = [](const auto& x) { return sigmoid(x); };
const auto erf_of = [](const auto& x) { return erf(x); };
const auto sin_of = [](const auto& x) { return sin(x); };
const auto cos_of = [](const auto& x) { return cos(x); };

}  // namespace

// ---- memory ----------------------------------------------------------------------------------------------------------

TEST_CASE_TEMPLATE("what is loaded is what is stored, at any alignment", F, ALL_FORMS) {
  using T = typename F::type;
  static_assert(std::is_trivially_copyable_v<typename F::pack> && std::is_trivially_copyable_v<typename F::mask>);
  std::vector<T> from(F::lanes + 1), to(F::lanes + 1);
  for (int offset = 0; offset < 2; ++offset) {
    for (int i = 0; i <= F::lanes; ++i) from[static_cast<std::size_t>(i)] = static_cast<T>(i * 3 - 7);
    store(to.data() + offset, load<typename F::pack>(from.data() + offset));
    for (int i = 0; i < F::lanes; ++i) CHECK(to[static_cast<std::size_t>(i + offset)] == static_cast<T>((i + offset) * 3 - 7));
  }
  for (T x : lanes_of(splat<typename F::pack>(T(5)))) CHECK(x == T(5));
  const auto counted = lanes_of(iota<typename F::pack>(T(-3)));
  for (int i = 0; i < F::lanes; ++i) CHECK(counted[static_cast<std::size_t>(i)] == static_cast<T>(i - 3));
}

TEST_CASE_TEMPLATE("partial access touches exactly the elements that it names", F, ALL_FORMS) {
  using T = typename F::type;
  using P = typename F::pack;
  for (int count = 0; count <= F::lanes; ++count) {
    // Arrays of the exact size: a sanitizer sees one element too many.
    const std::unique_ptr<T[]> exact(new T[static_cast<std::size_t>(count)]), target(new T[static_cast<std::size_t>(count)]);
    for (int i = 0; i < count; ++i) exact[static_cast<std::size_t>(i)] = static_cast<T>(i + 1);
    const P x = load_partial<P>(exact.get(), count, T(-9));
    const auto lane = lanes_of(x);
    for (int i = 0; i < F::lanes; ++i) CHECK(lane[static_cast<std::size_t>(i)] == (i < count ? static_cast<T>(i + 1) : T(-9)));
    store_partial(target.get(), x, count);
    for (int i = 0; i < count; ++i) CHECK(target[static_cast<std::size_t>(i)] == static_cast<T>(i + 1));
    std::vector<T> guarded(F::lanes + 1, T(77));
    store_partial(guarded.data(), x, count);
    for (int i = count; i <= F::lanes; ++i) CHECK(guarded[static_cast<std::size_t>(i)] == T(77));
    const auto blended = lanes_of(blend_count(counting<P>(), count, splat<P>(T(-1))));
    for (int i = 0; i < F::lanes; ++i) CHECK(blended[static_cast<std::size_t>(i)] == (i < count ? static_cast<T>(i + 1) : T(-1)));
  }
}

TEST_CASE_TEMPLATE("strided access reaches only its own elements", F, ALL_FORMS) {
  using T = typename F::type;
  using P = typename F::pack;
  for (std::ptrdiff_t stride : {std::ptrdiff_t{0}, std::ptrdiff_t{1}, std::ptrdiff_t{3}, std::ptrdiff_t{-2}}) {
    for (int count : {0, 1, F::lanes / 2, F::lanes}) {
      const std::ptrdiff_t span = count == 0 ? 0 : (count - 1) * (stride < 0 ? -stride : stride) + 1;
      const std::unique_ptr<T[]> memory(new T[static_cast<std::size_t>(span)]);
      for (std::ptrdiff_t i = 0; i < span; ++i) memory[static_cast<std::size_t>(i)] = static_cast<T>(i);
      T* const first = memory.get() + (stride < 0 && span > 0 ? span - 1 : 0);
      const auto lane = lanes_of(load_strided<P>(first, stride, count, T(-9)));
      for (int i = 0; i < F::lanes; ++i) CHECK(lane[static_cast<std::size_t>(i)] == (i < count ? first[i * stride] : T(-9)));
      if (stride == 0) continue;
      store_strided(first, stride, counting<P>(50), count);
      for (int i = 0; i < count; ++i) CHECK(first[i * stride] == static_cast<T>(50 + i));
      if (stride == 3 && count > 1) CHECK(first[1] == T(1));
    }
  }
}

TEST_CASE_TEMPLATE("masks survive the way through bools, and through every other type", F, ALL_FORMS) {
  using M = typename F::mask;
  constexpr int N = F::lanes;
  for (int count = 0; count <= N; ++count) {
    const std::unique_ptr<bool[]> exact(new bool[static_cast<std::size_t>(count)]), target(new bool[static_cast<std::size_t>(count)]);
    for (int i = 0; i < count; ++i) exact[static_cast<std::size_t>(i)] = (i * i + count) % 3 == 0;
    const M m = load_mask<M>(exact.get(), count);
    const auto expected = [&](int i) { return i < count && exact[static_cast<std::size_t>(i)]; };
    store_mask(target.get(), m, count);
    for (int i = 0; i < count; ++i) CHECK(target[static_cast<std::size_t>(i)] == expected(i));
    const auto same = [&](const std::vector<int>& v) {
      for (int i = 0; i < N; ++i)
        if (v[static_cast<std::size_t>(i)] != int{expected(i)}) return false;
      return true;
    };
    CHECK(same(truth_of(m)));
    CHECK(same(truth_of(convert_mask<float>(m))));
    CHECK(same(truth_of(convert_mask<double>(m))));
    CHECK(same(truth_of(convert_mask<std::int32_t>(m))));
    CHECK(same(truth_of(convert_mask<std::int64_t>(m))));
    const auto numbers = lanes_of(convert<typename F::type>(m));
    const auto bytes = convert<bool>(m);
    const auto again = truth_of(convert<M>(bytes));
    bool some = false;
    for (int i = 0; i < N; ++i) {
      CHECK(numbers[static_cast<std::size_t>(i)] == (expected(i) ? 1 : 0));
      some = some || expected(i);
    }
    CHECK(same(again));
    CHECK(any(m) == some);
    const auto first = truth_of(first_lanes<M>(count));
    for (int i = 0; i < N; ++i) CHECK(first[static_cast<std::size_t>(i)] == (i < count));
  }
}

// ---- arithmetic and choice ---------------------------------------------------------------------------------------------

TEST_CASE_TEMPLATE("arithmetic is that of the elements", F, ALL_FORMS) {
  using T = typename F::type;
  using P = typename F::pack;
  const P a = counting<P>(-2), b = counting<P>(3);
  const auto each = [&](const P& r, auto f) {
    const auto lane = lanes_of(r);
    for (int i = 0; i < F::lanes; ++i) CHECK(lane[static_cast<std::size_t>(i)] == f(static_cast<T>(i - 2), static_cast<T>(i + 3)));
  };
  each(a + b, [](T x, T y) { return static_cast<T>(x + y); });
  each(a - b, [](T x, T y) { return static_cast<T>(x - y); });
  each(a * b, [](T x, T y) { return static_cast<T>(x * y); });
  each(-a, [](T x, T) { return static_cast<T>(-x); });
  each(1 - a * 2, [](T x, T) { return static_cast<T>(1 - x * 2); });
  each(2 + a - 1, [](T x, T) { return static_cast<T>(2 + x - 1); });
  each(3 * a + 1, [](T x, T) { return static_cast<T>(3 * x + 1); });
  each(fma(a, b, b), [](T x, T y) { return static_cast<T>(x * y + y); });
  each(abs(a), [](T x, T) { return x < 0 ? static_cast<T>(-x) : x; });
  each(maximum(a, T(1) + a * a), [](T x, T) { return std::max(x, static_cast<T>(1 + x * x)); });
  each(maximum(a, -a), [](T x, T) { return std::max(x, static_cast<T>(-x)); });
  each(minimum(a, -a), [](T x, T) { return std::min(x, static_cast<T>(-x)); });
  each(select(less(a, splat<P>(T(1))), b, a), [](T x, T y) { return x < 1 ? y : x; });
  if constexpr (std::is_floating_point_v<T>) {
    each(a / b, [](T x, T y) { return x / y; });
    each(1 / b, [](T, T y) { return 1 / y; });
    each(b / 4, [](T, T y) { return y / 4; });
    CHECK(std::signbit(lanes_of(-splat<P>(T(0)))[0]));
  } else {
    constexpr T most = std::numeric_limits<T>::max(), least = std::numeric_limits<T>::min();
    CHECK(lanes_of(splat<P>(most) + 1)[0] == least);
    CHECK(lanes_of(splat<P>(least) - 1)[0] == most);
    CHECK(lanes_of(splat<P>(most) * 2)[0] == -2);
    CHECK(lanes_of(-splat<P>(least))[0] == least);
    CHECK(lanes_of(abs(splat<P>(least)))[0] == least);
  }
}

TEST_CASE_TEMPLATE("comparisons and the logic of masks are those of the elements", F, ALL_FORMS) {
  using P = typename F::pack;
  const P a = counting<P>(0), b = splat<P>(typename F::type(1));
  const auto each = [&](const typename F::mask& m, auto f) {
    const auto truth = truth_of(m);
    for (int i = 0; i < F::lanes; ++i) CHECK(truth[static_cast<std::size_t>(i)] == int{f(i)});
  };
  each(less(a, b), [](int i) { return i < 1; });
  each(less_equal(a, b), [](int i) { return i <= 1; });
  each(equal(a, b), [](int i) { return i == 1; });
  each(not_equal(a, b), [](int i) { return i != 1; });
  each(logical_not(less(a, b)), [](int i) { return i >= 1; });
  each(logical_and(less_equal(a, b), not_equal(a, b)), [](int i) { return i < 1; });
  each(logical_or(less(b, a), equal(a, b)), [](int i) { return i >= 1; });
  CHECK_FALSE(any(less(a, splat<P>(typename F::type(-1)))));
  CHECK(any(less(a, b)));
}

TEST_CASE_TEMPLATE("NaN is neither less nor equal, and wins every maximum and minimum", F, FLOAT_FORMS) {
  using T = typename F::type;
  using P = typename F::pack;
  const P bad = splat<P>(T(not_a_number)), one = splat<P>(T(1));
  for (int order = 0; order < 2; ++order) {
    const P a = order == 0 ? bad : one, b = order == 0 ? one : bad;
    CHECK_FALSE(any(less(a, b)));
    CHECK_FALSE(any(less_equal(a, b)));
    CHECK_FALSE(any(equal(a, b)));
    CHECK_FALSE(any(logical_not(not_equal(a, b))));
    for (T x : lanes_of(maximum(a, b))) CHECK(std::isnan(x));
    for (T x : lanes_of(minimum(a, b))) CHECK(std::isnan(x));
  }
  CHECK(std::isnan(lanes_of(abs(bad))[0]));
  for (int place = 0; place < F::lanes; ++place) {
    const P mixed = select(equal(counting<P>(0), splat<P>(static_cast<T>(place))), bad, counting<P>(0));
    CHECK(std::isnan(reduce_max(mixed)));
    CHECK(std::isnan(reduce_min(mixed)));
  }
}

TEST_CASE_TEMPLATE("reductions combine every lane once, in one tree order", F, ALL_FORMS) {
  using T = typename F::type;
  using P = typename F::pack;
  CHECK(reduce_add(counting<P>()) == static_cast<T>(F::lanes * (F::lanes + 1) / 2));
  CHECK(reduce_max(counting<P>(-4)) == static_cast<T>(F::lanes - 5));
  CHECK(reduce_min(counting<P>(-4)) == T(-4));
  for (int place = 0; place < F::lanes; ++place) {
    const P peak = select(equal(counting<P>(0), splat<P>(static_cast<T>(place))), splat<P>(T(9)), splat<P>(T(1)));
    CHECK(reduce(peak, [](const auto& a, const auto& b) { return a * b; }) == T(9));
    CHECK(reduce_max(peak) == T(9));
    CHECK(reduce_min(-peak) == T(-9));
  }
  if constexpr (std::is_floating_point_v<T>) {
    T x[F::lanes], halves[F::lanes];
    for (int i = 0; i < F::lanes; ++i) x[i] = halves[i] = static_cast<T>(1) / static_cast<T>(i * i + 3);
    for (int half = F::lanes / 2; half > 0; half /= 2)
      for (int i = 0; i < half; ++i) halves[i] = halves[i] + halves[i + half];
    CHECK(reduce_add(load<P>(x)) == halves[0]);
  }
}

// ---- conversions -----------------------------------------------------------------------------------------------------

namespace {
template <class U, class P>
void check_conversion() {
  using T = typename P::value_type;
  T x[P::lanes];
  for (int i = 0; i < P::lanes; ++i) x[i] = static_cast<T>((i - 3) * 1.75);
  U y[P::lanes];
  store(y, convert<U>(load<P>(x)));
  for (int i = 0; i < P::lanes; ++i) CHECK(y[i] == static_cast<U>(x[i]));
}
}  // namespace

TEST_CASE_TEMPLATE("conversion is static_cast on every lane", F, ALL_FORMS) {
  using P = typename F::pack;
  check_conversion<float, P>();
  check_conversion<double, P>();
  check_conversion<std::int32_t, P>();
  check_conversion<std::int64_t, P>();
  check_conversion<bool, P>();
  const auto truth = truth_of(convert<typename F::mask>(counting<P>(0)));
  for (int i = 0; i < F::lanes; ++i) CHECK(truth[static_cast<std::size_t>(i)] == (i != 0));
  bool bytes[F::lanes];
  for (int i = 0; i < F::lanes; ++i) bytes[i] = i % 3 == 1;
  const auto numbers = lanes_of(convert<typename F::type>(load<Pack<bool, F::lanes>>(bytes)));
  for (int i = 0; i < F::lanes; ++i) CHECK(numbers[static_cast<std::size_t>(i)] == (i % 3 == 1 ? 1 : 0));
}

TEST_CASE_TEMPLATE("a float that no integer holds becomes the smallest integer", F, FLOAT_FORMS) {
  using T = typename F::type;
  using P = typename F::pack;
  for (double x : {not_a_number, infinity, -infinity, 1e30, -1e30, 9223372036854775808.0}) {
    CHECK(lanes_of(convert<std::int32_t>(splat<P>(static_cast<T>(x))))[0] == std::numeric_limits<std::int32_t>::min());
    CHECK(lanes_of(convert<std::int64_t>(splat<P>(static_cast<T>(x))))[0] == std::numeric_limits<std::int64_t>::min());
  }
  CHECK(lanes_of(convert<bool>(splat<P>(T(not_a_number))))[0]);
  CHECK(lanes_of(convert<std::int64_t>(splat<P>(T(3e9))))[0] == 3000000000);
}

// ---- functions: distance from the long double function -----------------------------------------------------------------

TEST_CASE_TEMPLATE("functions are within 4 ulp of the exact value", F, FLOAT_FORMS) {
  using P = typename F::pack;
  constexpr bool single = sizeof(typename F::type) == 4;
  using L = long double;
  CHECK(worst<P>(exp_of, [](L x) { return std::exp(x); }, between(single ? -87.3 : -708., single ? 88.72 : 709.7)) <= 2);
  CHECK(worst<P>(exp_of, [](L x) { return std::exp(x); }, between(single ? -104. : -745.5, single ? -87. : -708.)) <= 2);
  CHECK(worst<P>(exp_of, [](L x) { return std::exp(x); }, between(-1, 1)) <= 2);
  CHECK(worst<P>(log_of, [](L x) { return std::log(x); }, magnitudes(1e-37, 1e38)) <= 2);
  CHECK(worst<P>(log_of, [](L x) { return std::log(x); }, between(0.5, 2)) <= 2);
  CHECK(worst<P>(log_of, [](L x) { return std::log(x); }, magnitudes(single ? 2e-45 : 5e-324, single ? 1.2e-38 : 2.3e-308)) <= 3);
  CHECK(worst<P>(sqrt_of, [](L x) { return std::sqrt(x); }, magnitudes(1e-37, 1e38)) <= 1);
  CHECK(worst<P>(rsqrt_of, [](L x) { return 1 / std::sqrt(x); }, magnitudes(1e-37, 1e38)) <= 2);
  CHECK(worst<P>(tanh_of, [](L x) { return std::tanh(x); }, between(-10, 10)) <= 3);
  CHECK(worst<P>(tanh_of, [](L x) { return std::tanh(x); }, magnitudes(1e-37, 1)) <= 3);
  CHECK(worst<P>(sigmoid_of, [](L x) { return 1 / (1 + std::exp(-x)); }, between(single ? -87. : -700., 40)) <= 4);
  CHECK(worst<P>(erf_of, [](L x) { return std::erf(x); }, between(-7, 7)) <= 4);
  CHECK(worst<P>(erf_of, [](L x) { return std::erf(x); }, magnitudes(1e-37, 1)) <= 4);
  CHECK(worst<P>(sin_of, [](L x) { return std::sin(x); }, between(-100, 100)) <= 4);
  CHECK(worst<P>(cos_of, [](L x) { return std::cos(x); }, between(-100, 100)) <= 4);
  CHECK(worst<P>(sin_of, [](L x) { return std::sin(x); }, magnitudes(1e-37, 1e20), 4000) <= 4);
  CHECK(worst<P>(cos_of, [](L x) { return std::cos(x); }, magnitudes(1e-37, 1e20), 4000) <= 4);
  const auto power = [](const auto& x) { return pow(x, splat<P>(typename F::type(2.5))); };
  CHECK(worst<P>(power, [](L x) { return std::pow(x, 2.5L); }, magnitudes(1e-14, 1e14), 4000) <= 2);
}

TEST_CASE_TEMPLATE("exp overflows, underflows and rounds where the exact function does", F, FLOAT_FORMS) {
  using T = typename F::type;
  using P = typename F::pack;
  constexpr bool single = sizeof(T) == 4;
  CHECK(at<P>(exp_of, infinity) == infinity);
  CHECK(at<P>(exp_of, -infinity) == 0);
  CHECK(std::isnan(at<P>(exp_of, not_a_number)));
  CHECK(at<P>(exp_of, 0) == 1);
  CHECK(at<P>(exp_of, single ? 88.7228 : 709.78) < infinity);
  CHECK(at<P>(exp_of, single ? 88.7229 : 709.79) == infinity);
  CHECK(at<P>(exp_of, 1e9) == infinity);
  CHECK(at<P>(exp_of, -1e9) == 0);
  CHECK(at<P>(exp_of, single ? -103.9 : -745.1) == static_cast<double>(std::numeric_limits<T>::denorm_min()));
  CHECK(at<P>(exp_of, single ? -104.5 : -745.5) == 0);
}

TEST_CASE_TEMPLATE("functions are right at zero, at infinity and outside their domain", F, FLOAT_FORMS) {
  using T = typename F::type;
  using P = typename F::pack;
  for (const auto& f : {+[](const P& x) { return exp(x); }, +[](const P& x) { return log(x); }, +[](const P& x) { return sqrt(x); },
                        +[](const P& x) { return tanh(x); }, +[](const P& x) { return sigmoid(x); },
                        +[](const P& x) { return erf(x); }, +[](const P& x) { return sin(x); }, +[](const P& x) { return cos(x); }})
    CHECK(std::isnan(at<P>(f, not_a_number)));
  CHECK(at<P>(log_of, 0) == -infinity);
  CHECK(at<P>(log_of, -0.) == -infinity);
  CHECK(at<P>(log_of, infinity) == infinity);
  CHECK(at<P>(log_of, 1) == 0);
  CHECK(std::isnan(at<P>(log_of, -1)));
  CHECK(std::isnan(at<P>(log_of, -infinity)));
  CHECK(std::isnan(at<P>(sqrt_of, -1)));
  CHECK(at<P>(sqrt_of, infinity) == infinity);
  CHECK(at<P>(sqrt_of, static_cast<double>(std::numeric_limits<T>::denorm_min())) > 0);
  CHECK(at<P>(rsqrt_of, 0) == infinity);
  CHECK(at<P>(rsqrt_of, infinity) == 0);
  for (double sign : {1., -1.}) {
    CHECK(at<P>(tanh_of, sign * infinity) == sign);
    CHECK(at<P>(tanh_of, sign * 30) == sign);
    CHECK(at<P>(erf_of, sign * infinity) == sign);
    CHECK(at<P>(erf_of, sign * 9) == sign);
    CHECK(std::signbit(at<P>(tanh_of, sign * 0.)) == std::signbit(sign));
    CHECK(std::signbit(at<P>(erf_of, sign * 0.)) == std::signbit(sign));
    CHECK(std::isnan(at<P>(sin_of, sign * infinity)));
    CHECK(std::isnan(at<P>(cos_of, sign * infinity)));
  }
  CHECK(at<P>(sigmoid_of, infinity) == 1);
  CHECK(at<P>(sigmoid_of, -infinity) == 0);
  CHECK(at<P>(sigmoid_of, -90) < 1e-38);
  CHECK(at<P>(sigmoid_of, 90) == 1);
}

TEST_CASE_TEMPLATE("pow has the special cases of std::pow", F, FLOAT_FORMS) {
  using T = typename F::type;
  using P = typename F::pack;
  const double values[] = {0., -0., 1, -1, 2, -2, 3, -3, 0.5, -0.5, 2.5, infinity, -infinity, not_a_number, 1e30, -1e30};
  for (double x : values) {
    for (double y : values) {
      const T expected = std::pow(static_cast<T>(x), static_cast<T>(y));
      const T got = lanes_of(pow(splat<P>(static_cast<T>(x)), splat<P>(static_cast<T>(y))))[P::lanes - 1];
      CAPTURE(x);
      CAPTURE(y);
      CHECK(ulps_between(got, expected) <= 1);
    }
  }
}
