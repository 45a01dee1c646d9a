// Scalar variables: every function has the derivatives that Dual has, whatever its operands are; numbers, comparisons, conversions.
#include <doctest/doctest.h>

#include <fluxion/autodiff/reverse.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <complex>
#include <cstddef>
#include <initializer_list>
#include <limits>
#include <sstream>
#include <string>
#include <type_traits>

#include "support/scalar_function.hpp"

namespace fx = fluxion;
using fx::test::infinity, fx::test::not_a_number;
using fx::Var;

namespace {

using V = Var<double>;

std::size_t statements() { return fx::ScalarTape<double>::of_this_thread().size(); }

bool same(double a, double b) { return std::abs(a - b) <= 1e-14 * (1 + std::abs(b)) || (a != a && b != b) || a == b; }

/// Value and derivative against Dual's.
template <class F>
void check(const char* name, const F& f, std::initializer_list<double> points) {
  INFO(std::string(name));
  const auto of_array = [&](const auto& x) { return f(x[0]); };
  for (const double x : points) {
    CAPTURE(x);
    const auto expected = fx::forward::gradient(of_array, std::array{x});
    const auto found = fx::reverse::gradient(of_array, std::array{x});
    CHECK(same(found.value, expected.value));
    CHECK(same(found.gradient[0], expected.gradient[0]));
  }
}

template <class F>
double derivative(const F& f, double x) {
  return fx::reverse::gradient([&](const auto& v) { return f(v[0]); }, std::array{x}).gradient[0];
}

}  // namespace

TEST_CASE("functions of one argument have Dual's values and derivatives, at kinks too") {
  FLUXION_CHECK(abs, {-2.5, 0, 0.3, not_a_number});
  FLUXION_CHECK(fabs, {-2.5, 0.3});
  FLUXION_CHECK(sqrt, {0, 0.4, 3});
  FLUXION_CHECK(cbrt, {-2, 0.5, 3});
  FLUXION_CHECK(exp, {-2, 0, 1.5});
  FLUXION_CHECK(exp2, {-2, 0, 1.5});
  FLUXION_CHECK(expm1, {-2, 0, 1.5});
  FLUXION_CHECK(log, {0.5, 3});
  FLUXION_CHECK(log2, {0.5, 3});
  FLUXION_CHECK(log10, {0.5, 3});
  FLUXION_CHECK(log1p, {-0.4, 0, 3});
  FLUXION_CHECK(sin, {-2, 0, 1});
  FLUXION_CHECK(cos, {-2, 0, 1});
  FLUXION_CHECK(tan, {-0.9, 0, 1});
  FLUXION_CHECK(asin, {-0.6, 0, 0.5});
  FLUXION_CHECK(acos, {-0.6, 0, 0.5});
  FLUXION_CHECK(atan, {-2, 0, 1});
  FLUXION_CHECK(sinh, {-2, 0, 1});
  FLUXION_CHECK(cosh, {-2, 0, 1});
  FLUXION_CHECK(tanh, {-2, 0, 1, 800});
  FLUXION_CHECK(asinh, {-2, 0, 1});
  FLUXION_CHECK(acosh, {1.5, 3});
  FLUXION_CHECK(atanh, {-0.6, 0, 0.5});
  FLUXION_CHECK(erf, {-1, 0, 0.7});
  FLUXION_CHECK(erfc, {-1, 0, 0.7});
  check("sigmoid", [](const auto& x) { return sigmoid(x); }, {-800, -3, 0, 2});
  check("rsqrt", [](const auto& x) { return rsqrt(x); }, {0.6, 3});
  check("relu", [](const auto& x) { return relu(x); }, {-1, 0, 2, not_a_number});
  check("steps", [](const auto& x) { return floor(x) + 2 * ceil(x) + 4 * round(x) + 8 * trunc(x) + 0 * x; }, {-1.5, 0.25, 1.75});
}

TEST_CASE("functions of several arguments have Dual's values and derivatives in every mixture") {
  check("arithmetic", [](const auto& x) { return (x + 1) / (x * x + 3) + 2 / (x + 5) - x / 7 - (-x) * (1 - x) + (+x); }, {-0.5, 0, 2});
  check("pow by both", [](const auto& x) { return pow(x, 0.5 * x + 1); }, {0.5, 2});
  check("pow by the base", [](const auto& x) { return pow(x, 2.5) + pow(x, 3) + pow(x, 0); }, {0., 0.5, 2, not_a_number});
  check("pow by the exponent", [](const auto& x) { return pow(2, x); }, {-1.5, 0, 2});
  check("pow of 0", [](const auto& x) { return pow(0., x); }, {0., 2});
  check("atan2", [](const auto& x) { return atan2(x, 1 + x * x) + atan2(x, -2.0) + atan2(1.f, x); }, {-0.5, 0, 2});
  check("hypot", [](const auto& x) { return hypot(x, 1 + x * x) + hypot(x, 2) + hypot(2., x); }, {-0.5, 2});
  check("fmax", [](const auto& x) { return fmax(x * x * x, x) + fmax(2., x) + fmax(x, 0.1); }, {-0.5, 0.1, 0.7, 1, 2, 2.5});
  check("fmin", [](const auto& x) { return fmin(x * x * x, x) + fmin(2., x) + fmin(x, 0.1); }, {-0.5, 0.1, 0.7, 1, 2, 2.5});
  check("maximum", [](const auto& x) { return maximum(x * x, x) + minimum(x, 0.1) + minimum(1, maximum(x, x)); }, {-0.5, 0.1, 1, 2, not_a_number});
  check("fma", [](const auto& x) { return fma(x, x * x, x) + fma(x, 2., 3.) + fma(2., x, x) + fma(1., 2., x); }, {-0.5, 2});
  check("copysign", [](const auto& x) { return copysign(x * x, x) + copysign(x, -1.) + copysign(2., x); }, {-0.5, 0., 2});
}

TEST_CASE("a partial derivative that is not a number does not spoil the other operand's") {
  // The derivative of pow by the exponent is NaN at a negative base.
  const auto [y, dy] = fx::reverse::gradient([](const auto& x) { return pow(x[0], x[1]); }, std::array{-2., 3.});
  CHECK(y == -8);
  CHECK(dy[0] == 12);
  CHECK(std::isnan(dy[1]));
}

TEST_CASE("an infinite partial derivative of what the result does not depend on does no harm") {
  CHECK(derivative([](const auto& x) {
          [[maybe_unused]] const V unused = sqrt(x);
          return x * x;
        }, 0.) == 0);
}

TEST_CASE("numbers of any arithmetic type mix with variables on either side") {
  const auto d = [](const auto& f) { return fx::reverse::gradient([&](const auto& x) { return f(x[0]); }, std::array{3.}); };
  const auto is = [](const auto& found, double value, double slope) { return found.value == value && found.gradient[0] == slope; };
  CHECK(is(d([](const V& x) { return x + 1; }), 4, 1));
  CHECK(is(d([](const V& x) { return 1u + x; }), 4, 1));
  CHECK(is(d([](const V& x) { return x - 1.f; }), 2, 1));
  CHECK(is(d([](const V& x) { return 1LL - x; }), -2, -1));
  CHECK(is(d([](const V& x) { return x * short{2}; }), 6, 2));
  CHECK(is(d([](const V& x) { return true * x; }), 3, 1));
  CHECK(is(d([](const V& x) { return x / 2; }), 1.5, 0.5));
  CHECK(is(d([](const V& x) { return 9 / x; }), 3, -1));
  CHECK(is(d([](const V& x) {
             V y = 2;
             y += x;          // 5
             y -= 1;          // 4
             const V& same = y;
             y *= same;       // 16
             y /= 4.f;        // 4
             y *= x - 1;      // 8, 2 * 2 * (x - 1) + 4
             return y;
           }), 8, 8));
  static_assert(std::is_same_v<decltype(Var(Var<float>() * 2.0)), Var<float>>);
}

TEST_CASE("comparisons and std::max look at values only, of variables, expressions and numbers") {
  const V a = 1, b = 1, c = 2;
  CHECK(a == b);
  CHECK(a != c);
  CHECK(a + b == c);
  CHECK(a < 2);
  CHECK(2 > a * b);
  CHECK(a <= b);
  CHECK(c >= 2.f);
  CHECK(2 == c);
  CHECK_FALSE(a > c);
  CHECK(std::max(a, c).value() == 2);
  CHECK(std::min(a, c).value() == 1);
  CHECK_FALSE(V(not_a_number) == not_a_number);
  CHECK_FALSE(V(not_a_number) <= 1);
  CHECK(derivative([](const V& x) { return std::max<V>(x * x, 2 * x); }, 3.) == 6);
}

TEST_CASE("numbers convert to variables, not back") {
  static_assert(std::is_convertible_v<int, V> && std::is_convertible_v<double, Var<float>>);
  static_assert(!std::is_convertible_v<V, double> && !std::is_constructible_v<double, V> && !std::is_convertible_v<Var<float>, V>);
  static_assert(std::is_trivially_copyable_v<V> && sizeof(V) == 16);
  const Var x = 2.5;
  static_assert(std::is_same_v<decltype(x), const V>);
  const Var y = x * x;
  static_assert(std::is_same_v<decltype(y), const V>);
  CHECK(fx::value(y) == 6.25);
  CHECK(fx::value(x + y) == 8.75);
  CHECK(y.item() == 6.25);
}

TEST_CASE("tests of the value, limits, printing") {
  CHECK(isnan(V(not_a_number)));
  CHECK(isinf(exp(V(800))));
  CHECK(isfinite(V(1) + 1));
  CHECK_FALSE(isfinite(V(infinity)));
  CHECK(signbit(-V(0.)));
  CHECK(fmax(V(not_a_number), 1) == 1);
  CHECK(fmin(1, V(not_a_number)) == 1);
  using limits = std::numeric_limits<V>;
  CHECK(isnan(limits::quiet_NaN()));
  CHECK(limits::max() == std::numeric_limits<double>::max());
  CHECK(limits::epsilon() == std::numeric_limits<double>::epsilon());
  static_assert(limits::is_specialized && limits::has_infinity && limits::digits == 53);
  std::ostringstream out;
  out << V(2.5) << ' ' << V(1) + 1;
  CHECK(out.str() == "2.5 2");
}

TEST_CASE("an expression may outlive its operands") {
  const auto f = [](const auto& x) {
    auto later = [&] {
      const V inner = x[0] * 3;
      return inner * inner + x[0];
    }();
    return later;
  };
  CHECK(fx::reverse::gradient(f, std::array{2.}).gradient[0] == 37);
}

TEST_CASE("complex numbers of variables differentiate through complex arithmetic") {
  const auto f = [](const auto& t) {
    const std::complex<V> z(cos(t[0]), sin(t[0]));  // exp(i t)
    const std::complex<V> w = z * z / std::complex<V>(V(2)) + z - z;
    return V(w.real() + std::norm(w));
  };
  CHECK(fx::reverse::gradient(f, std::array{0.5}).gradient[0] == doctest::Approx(-std::sin(1.)));
}

TEST_CASE("gradients, jacobians and hessians of polynomials are exact") {
  constexpr auto rosenbrock = [](const auto& x) { return (1 - x[0]) * (1 - x[0]) + 100 * (x[1] - x[0] * x[0]) * (x[1] - x[0] * x[0]); };
  const std::array x{2., 3.};
  const auto g = fx::reverse::gradient(rosenbrock, x);
  CHECK(g.value == 101);
  CHECK(g.gradient == std::array{802., -200.});
  const auto h = fx::reverse::hessian(rosenbrock, x);
  CHECK(h.value == 101);
  CHECK(h.gradient == g.gradient);
  CHECK(h.hessian == std::array{std::array{3602., -800.}, std::array{-800., 200.}});
  const auto p = fx::reverse::hvp(rosenbrock, x, std::array{1., 2.});
  CHECK(p.gradient == g.gradient);
  CHECK(p.product == std::array{2002., -400.});
  const auto j = fx::reverse::jacobian(
      [](const auto& v) { return std::array<V, 5>{v[0] * v[1], v[0] - v[1], v[0] * v[0] * v[0], v[1], 7}; }, x);
  CHECK(j.value == std::array{6., -1., 8., 3., 7.});
  CHECK(j.jacobian == std::array{std::array{3., 2.}, std::array{1., -1.}, std::array{12., 0.}, std::array{0., 1.}, std::array{0., 0.}});
  CHECK(statements() == 0);
}

TEST_CASE("a jacobian of more rows than a register has lanes is that of forward mode") {
  constexpr auto chain = [](const auto& x) {
    using T = std::remove_cvref_t<decltype(x[0])>;
    std::array<T, 19> y;
    y[0] = x[0] * x[1];
    for (std::size_t i = 1; i < y.size(); ++i) y[i] = sin(y[i - 1]) + x[i % x.size()] / (y[i - 1] * y[i - 1] + 1);
    return y;
  };
  const std::array x{0.3, -1.2, 0.7};
  const auto found = fx::reverse::jacobian(chain, x), expected = fx::forward::jacobian(chain, x);
  CHECK(found.value == expected.value);
  double worst = 0;
  for (std::size_t i = 0; i < 19; ++i)
    for (std::size_t k = 0; k < 3; ++k) worst = std::max(worst, std::abs(found.jacobian[i][k] - expected.jacobian[i][k]));
  CHECK(worst < 1e-13);
}

TEST_CASE("the hessian of a function of more variables than a block has columns is that of forward mode") {
  constexpr auto f = [](const auto& x) {
    using T = std::remove_cvref_t<decltype(x[0])>;
    T sum = 0;
    for (std::size_t i = 0; i + 1 < x.size(); ++i) sum += exp(-x[i] * x[i + 1]) * sin(x[i] + 2 * x[i + 1]) + pow(x[i], 3);
    return sum;
  };
  std::array<double, 11> x;
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = 0.3 + 0.1 * static_cast<double>(i);
  const auto found = fx::reverse::hessian(f, x), expected = fx::forward::hessian(f, x);
  double worst = 0;
  for (std::size_t i = 0; i < x.size(); ++i)
    for (std::size_t k = 0; k < x.size(); ++k) worst = std::max(worst, std::abs(found.hessian[i][k] - expected.hessian[i][k]));
  CHECK(worst < 1e-13);
}

namespace {
/// The example of docs/autodiff.md.
template <class T>
T range(const T& speed, const T& angle, const T& drag) {
  using std::cos, std::sin, std::hypot;
  T x = 0, y = 0, u = speed * cos(angle), v = speed * sin(angle);
  while (y >= 0) {
    const T resistance = drag * hypot(u, v);
    u -= 0.01 * resistance * u;
    v -= 0.01 * (resistance * v + 9.81);
    x += 0.01 * u;
    y += 0.01 * v;
  }
  return x - u / v * y;
}
}  // namespace

TEST_CASE("a simulation whose number of steps is known when it ends has the derivatives of its differences") {
  const auto [x, slope] = fx::reverse::gradient([](const auto& p) { return range(p[0], p[1], p[2]); }, std::array{20., 0.7, 0.02});
  constexpr double h = 1e-6;
  CHECK(x == doctest::Approx(25.7752).epsilon(1e-5));
  CHECK(slope[0] == doctest::Approx((range(20 + h, 0.7, 0.02) - range(20 - h, 0.7, 0.02)) / (2 * h)).epsilon(1e-6));
  CHECK(slope[1] == doctest::Approx((range(20., 0.7 + h, 0.02) - range(20., 0.7 - h, 0.02)) / (2 * h)).epsilon(1e-6));
  CHECK(slope[2] == doctest::Approx((range(20., 0.7, 0.02 + h) - range(20., 0.7, 0.02 - h)) / (2 * h)).epsilon(1e-6));
}
