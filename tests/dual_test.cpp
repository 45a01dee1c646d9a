// Forward mode: every function against finite differences and closed forms, higher orders by nesting, kinks, mixed types.
#include <doctest/doctest.h>

#include <fluxion/autodiff/dual.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <complex>
#include <initializer_list>
#include <limits>
#include <numbers>
#include <sstream>
#include <string>
#include <type_traits>
#include <utility>

#include "support/scalar_function.hpp"

namespace fx = fluxion;
using fx::test::infinity, fx::test::not_a_number;
using fx::Dual;
using fx::derivative;

namespace {

/// How far a derivative may be from the central difference of step 1e-6.
bool close(double a, double b, double tolerance = 1e-8) { return std::abs(a - b) <= tolerance * (1 + std::abs(b)); }

/// First derivative against differences of the value, second against differences of the first.
template <class F>
void check(const char* name, const F& f, std::initializer_list<double> points) {
  INFO(std::string(name));
  constexpr double h = 1e-6;
  const auto first = [&](const auto& x) { return derivative(f, x); };
  for (const double x : points) {
    CAPTURE(x);
    CHECK(fx::value(f(Dual<double, 3>(x))) == doctest::Approx(f(x)).epsilon(1e-14));
    CHECK(close(first(x), (f(x + h) - f(x - h)) / (2 * h), 1e-7));
    CHECK(close(derivative(first, x), (first(x + h) - first(x - h)) / (2 * h), 1e-7));
    CHECK(close(derivative(f, static_cast<float>(x)), first(static_cast<double>(static_cast<float>(x))), 1e-5));
  }
}
/// The third derivative, by Duals nested three times.
template <class F>
double third(const F& f, double x) {
  return derivative([&](const auto& a) { return derivative([&](const auto& b) { return derivative(f, b); }, a); }, x);
}

}  // namespace

TEST_CASE("first and second derivatives of the functions of one argument agree with finite differences") {
  FLUXION_CHECK(abs, {-2.5, 0.3});
  FLUXION_CHECK(fabs, {-2.5, 0.3});
  FLUXION_CHECK(sqrt, {0.4, 3});
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
  FLUXION_CHECK(tanh, {-2, 0, 1});
  FLUXION_CHECK(asinh, {-2, 0, 1});
  FLUXION_CHECK(acosh, {1.5, 3});
  FLUXION_CHECK(atanh, {-0.6, 0, 0.5});
  FLUXION_CHECK(erf, {-1, 0, 0.7});
  FLUXION_CHECK(erfc, {-1, 0, 0.7});
  check("sigmoid", [](const auto& x) { using fx::math::sigmoid; return sigmoid(x); }, {-3, 0, 2});
  check("rsqrt", [](const auto& x) { using fx::math::rsqrt; return rsqrt(x); }, {0.6, 3});
}

TEST_CASE("first and second derivatives of the functions of several arguments agree with finite differences in every mixture") {
  check("pow by both", [](const auto& x) { using std::pow; return pow(x, 0.5 * x + 1); }, {0.5, 2});
  check("pow by the base", [](const auto& x) { using std::pow; return pow(x, 2.5); }, {0.5, 2});
  check("pow by an integer", [](const auto& x) { using std::pow; return pow(x, 3); }, {-1.5, 0, 2});
  check("pow by the exponent", [](const auto& x) { using std::pow; return pow(2, x); }, {-1.5, 0, 2});
  check("atan2 by both", [](const auto& x) { using std::atan2; return atan2(x, 1 + x * x); }, {-0.5, 0, 2});
  check("atan2 by the first", [](const auto& x) { using std::atan2; return atan2(x, -2.0); }, {-0.5, 2});
  check("atan2 by the second", [](const auto& x) { using std::atan2; return atan2(1.f, x); }, {-0.5, 0, 2});
  check("hypot by both", [](const auto& x) { using std::hypot; return hypot(x, 1 + x * x); }, {-0.5, 0, 2});
  check("hypot by the first", [](const auto& x) { using std::hypot; return hypot(x, 2); }, {-0.5, 2});
  check("hypot by the second", [](const auto& x) { using std::hypot; return hypot(2., x); }, {-0.5, 2});
  check("fmax", [](const auto& x) { using std::fmax; return fmax(x * x * x, x) + fmax(2., x) + fmax(x, 0.1); }, {-0.5, 0.7, 2.5});
  check("fmin", [](const auto& x) { using std::fmin; return fmin(x * x * x, x) + fmin(2., x) + fmin(x, 0.1); }, {-0.5, 0.7, 2.5});
  check("fma", [](const auto& x) { using std::fma; return fma(x, x * x, x) + fma(x, 2., 3.) + fma(2., x, x) + fma(1., 2., x); }, {-0.5, 2});
  check("copysign", [](const auto& x) { using std::copysign; return copysign(x * x, x) + copysign(x, -1.) + copysign(2., x); }, {-0.5, 2});
  check("division", [](const auto& x) { return (x + 1) / (x * x + 3) + 2 / (x + 5) - x / 7; }, {-0.5, 0, 2});
}

TEST_CASE("derivatives are those of the closed forms") {
  const double x = 0.7, e = std::exp(x);
  CHECK(derivative([](auto v) { return exp(v) * sin(v); }, x) == doctest::Approx(e * (std::sin(x) + std::cos(x))));
  CHECK(derivative([](auto v) { return tan(v); }, x) == doctest::Approx(1 / (std::cos(x) * std::cos(x))));
  CHECK(derivative([](auto v) { return pow(v, v); }, x) == doctest::Approx(std::pow(x, x) * (std::log(x) + 1)));
  CHECK(derivative([](auto v) { return log(v) / v; }, x) == doctest::Approx((1 - std::log(x)) / (x * x)));
  CHECK(derivative([](auto v) { return derivative([](auto w) { return sin(w) * w; }, v); }, x) ==
        doctest::Approx(2 * std::cos(x) - x * std::sin(x)));
  CHECK(derivative([](auto v) { return v * v * v + 1; }, 2) == 12);
  CHECK(derivative([](auto) { return 3; }, 2.f) == 0);
  static_assert(std::is_same_v<decltype(derivative([](auto v) { return v; }, 2.f)), float>);
}

TEST_CASE("third derivatives are those of the closed forms") {
  const double x = 0.7, t = std::tanh(x);
  CHECK(third([](const auto& v) { return exp(2 * v); }, x) == doctest::Approx(8 * std::exp(2 * x)));
  CHECK(third([](const auto& v) { return sin(v); }, x) == doctest::Approx(-std::cos(x)));
  CHECK(third([](const auto& v) { return log(v); }, x) == doctest::Approx(2 / (x * x * x)));
  CHECK(third([](const auto& v) { return 1 / v; }, x) == doctest::Approx(-6 / (x * x * x * x)));
  CHECK(third([](const auto& v) { return sqrt(v); }, x) == doctest::Approx(0.375 * std::pow(x, -2.5)));
  CHECK(third([](const auto& v) { return pow(v, 5); }, x) == doctest::Approx(60 * x * x));
  CHECK(third([](const auto& v) { return tanh(v); }, x) == doctest::Approx((1 - t * t) * (6 * t * t - 2)));
  CHECK(third([](const auto& v) { return erf(v); }, x) ==
        doctest::Approx((4 * x * x - 2) * std::exp(-x * x) * 2 * std::numbers::inv_sqrtpi));
}

TEST_CASE_TEMPLATE("every direction is computed, whatever their number", T, float, double) {
  const auto check_directions = []<std::size_t... N>(std::index_sequence<N...>) {
    const auto one = []<std::size_t M>() {
      std::array<T, M> ga, gb;
      for (std::size_t i = 0; i < M; ++i) ga[i] = static_cast<T>(i) + 1, gb[i] = static_cast<T>(i * i) - 3;
      const Dual<T, M> a(3, ga), b(4, gb);
      const Dual<T, M> sum = a + b, difference = a - b, product = a * b, quotient = a / b, other = -(2 * a - b / 2 + 1);
      int wrong = 0;
      for (std::size_t i = 0; i < M; ++i) {
        wrong += sum.gradient()[i] != ga[i] + gb[i];
        wrong += difference.gradient()[i] != ga[i] - gb[i];
        wrong += product.gradient()[i] != ga[i] * 4 + gb[i] * 3;
        wrong += std::abs(quotient.gradient()[i] - (ga[i] / 4 - gb[i] * 3 / 16)) > std::abs(gb[i]) * T(1e-6);
        wrong += other.gradient()[i] != gb[i] / 2 - 2 * ga[i];
      }
      return wrong;
    };
    return (one.template operator()<N + 1>() + ...);
  };
  CHECK(check_directions(std::make_index_sequence<20>()) == 0);
  CHECK(check_directions(std::index_sequence<30, 63, 64, 300, 515>()) == 0);
}

TEST_CASE("numbers of any arithmetic type mix with Duals on either side") {
  const Dual<double, 2> x(3, {1, 2});
  const auto is = [](const Dual<double, 2>& y, double value, double d0, double d1) {
    return y.value() == value && y.gradient()[0] == d0 && y.gradient()[1] == d1;
  };
  CHECK(is(x + 1, 4, 1, 2));
  CHECK(is(1u + x, 4, 1, 2));
  CHECK(is(x - 1.f, 2, 1, 2));
  CHECK(is(1LL - x, -2, -1, -2));
  CHECK(is(x * short{2}, 6, 2, 4));
  CHECK(is(true * x, 3, 1, 2));
  CHECK(is(x / 2, 1.5, 0.5, 1));
  CHECK(is(9 / x, 3, -1, -2));
  CHECK(is(+x, 3, 1, 2));
  static_assert(std::is_same_v<decltype(Dual<float, 2>() * 2.0), Dual<float, 2>>);
  Dual<double, 2> y = 2;
  y += x;
  CHECK(is(y, 5, 1, 2));
  y -= 1;
  CHECK(is(y, 4, 1, 2));
  const auto& same = y;
  y *= same;
  CHECK(is(y, 16, 8, 16));
  y /= 4.f;
  CHECK(is(y, 4, 2, 4));
  y /= same;
  CHECK(is(y, 1, 0, 0));
}

TEST_CASE("comparisons and std::max look at values only") {
  const Dual<double, 2> a(1, {1, 0}), b(1, {0, 1}), c(2, {0, 0});
  CHECK(a == b);
  CHECK(a != c);
  CHECK(a < c);
  CHECK(a < 2);
  CHECK(2 > a);
  CHECK(a <= b);
  CHECK(c >= 2.f);
  CHECK(2 == c);
  CHECK_FALSE(a > c);
  CHECK(std::max(a, b).gradient()[0] == 1);
  CHECK(std::min(b, a).gradient()[1] == 1);
  CHECK_FALSE(Dual<double>(not_a_number) == not_a_number);
  CHECK_FALSE(Dual<double>(not_a_number) <= 1);
}

TEST_CASE("numbers convert to Duals, not back") {
  static_assert(std::is_convertible_v<int, Dual<double, 2>> && std::is_convertible_v<double, Dual<float, 2>>);
  static_assert(!std::is_convertible_v<Dual<double, 2>, double> && !std::is_constructible_v<double, Dual<double, 2>>);
  static_assert(std::is_trivially_copyable_v<Dual<double, 2>> && sizeof(Dual<double, 3>) == 4 * sizeof(double));
  CHECK(fx::value(Dual<double, 2>(3)) == 3);
  CHECK(fx::value(3.f) == 3);
  CHECK(fx::gradient(Dual<double, 2>(3)) == std::array<double, 2>{0, 0});
}

TEST_CASE("at kinks derivatives are PyTorch's") {
  CHECK(derivative([](auto x) { return abs(x); }, 0.) == 0);
  CHECK(derivative([](auto x) { return relu(x); }, 0.) == 0);
  CHECK(derivative([](auto x) { return relu(x); }, 2.) == 1);
  CHECK(derivative([](auto x) { return copysign(x, 1.); }, 0.) == 0);
  CHECK(derivative([](auto x) { return fmax(x, 2); }, 2.) == 0.5);
  CHECK(derivative([](auto x) { return fmin(2 * x, x + 2); }, 2.) == 1.5);
  CHECK(derivative([](auto x) { return maximum(x, 2); }, 2.) == 0.5);
  CHECK(derivative([](auto x) { return minimum(2, x); }, 2.) == 0.5);
  CHECK(derivative([](auto x) { return pow(x, 0); }, 0.) == 0);
  CHECK(derivative([](auto x) { return pow(x, 0.); }, not_a_number) == 0);
  CHECK(derivative([](auto x) { return pow(x, 1); }, 0.) == 1);
  CHECK(derivative([](auto y) { return pow(0, y); }, 2.) == 0);
  CHECK(derivative([](auto y) { return pow(0., y); }, 0.) == 0);
  CHECK(derivative([](auto x) { return sqrt(x); }, 0.) == infinity);
  CHECK(std::isnan(derivative([](auto x) { return atan2(x, 0.); }, 0.)));
  CHECK(std::isnan(derivative([](auto x) { return hypot(x, 0.); }, 0.)));
  for (const auto step : {derivative([](auto x) { return floor(x); }, 1.5), derivative([](auto x) { return ceil(x); }, 1.5),
                          derivative([](auto x) { return round(x); }, 1.4), derivative([](auto x) { return trunc(x); }, 1.5)})
    CHECK(step == 0);
  CHECK(floor(Dual<double>(-1.5)) == -2);
  CHECK(trunc(Dual<double>(-1.5)) == -1);
  CHECK(maximum(Dual<double>(std::numeric_limits<double>::max()), std::numeric_limits<double>::max()) == std::numeric_limits<double>::max());
}

TEST_CASE("at kinks higher orders are right too") {
  CHECK(derivative([](auto x) { return derivative([](auto y) { return pow(y, 2); }, x); }, 0.) == 2);
  CHECK(derivative([](auto x) { return derivative([](auto y) { return abs(y); }, x); }, 0.) == 0);
  // The mixed derivative of pow(x, y) at y = 0 is 1 / x.
  const auto h = fx::forward::hessian([](const auto& x) { return pow(x[0], x[1]); }, std::array{2., 0.});
  CHECK(h.gradient[0] == 0);
  CHECK(h.gradient[1] == doctest::Approx(std::log(2)));
  CHECK(h.hessian[0][1] == doctest::Approx(0.5));
  CHECK(h.hessian[1][0] == doctest::Approx(0.5));
}

TEST_CASE("NaN and infinity pass through") {
  CHECK(isnan(Dual<double>(not_a_number)));
  CHECK(isnan(abs(Dual<double, 2>(not_a_number))));
  CHECK(isnan(relu(Dual<double>(not_a_number))));
  CHECK(isnan(maximum(Dual<double>(not_a_number), 1)));
  CHECK(isnan(minimum(1, Dual<double>(not_a_number))));
  CHECK(fmax(Dual<double>(not_a_number), 1) == 1);
  CHECK(fmin(1, Dual<double>(not_a_number)) == 1);
  CHECK(isinf(exp(Dual<double>(800))));
  CHECK(isinf(Dual<Dual<double>>(-infinity)));
  CHECK(isfinite(Dual<double>(1)));
  CHECK_FALSE(isfinite(Dual<double>(infinity)));
  CHECK(signbit(Dual<double>(-0.)));
  CHECK(derivative([](auto x) { return sigmoid(x); }, -800.) == 0);
  CHECK(derivative([](auto x) { return tanh(x); }, 800.) == 0);
  using limits = std::numeric_limits<Dual<Dual<float, 2>, 3>>;
  CHECK(isnan(limits::quiet_NaN()));
  CHECK(limits::max() == std::numeric_limits<float>::max());
  CHECK(limits::epsilon() == std::numeric_limits<float>::epsilon());
  static_assert(limits::is_specialized && limits::has_infinity && limits::digits == 24);
}

TEST_CASE("the derivative of a function that contains a derivative does not confuse the two") {
  // d/dx (x * d/dy (x + y)) is 1; confusing the perturbations makes it 2.
  const auto inner = [](auto x) { return derivative([x](auto y) { return x + y; }, decltype(x)(1)); };
  CHECK(derivative([=](auto x) { return x * inner(x); }, 1.) == 1);
  // d/dx (x * d/dy (x * y * y)) = d/dx (2 x² y) = 4 x y.
  CHECK(derivative([](auto x) { return x * derivative([x](auto y) { return x * y * y; }, decltype(x)(3)); }, 2.) == 24);
  // Written-out types, without the function's mark.
  using D = Dual<double>;
  CHECK(derivative([](D x) { return x * derivative([x](Dual<D> y) { return x + y; }, D(1)); }, 1.) == 1);
}

namespace {
struct first_function;
struct second_function;
template <class A, class B>
concept Addable = requires(const A& a, const B& b) { a + b; };
template <class A, class B>
concept Multipliable = requires(const A& a, const B& b) { a * b; };
}  // namespace

TEST_CASE("numbers of two functions of which neither is nested in the other do not compile together") {
  using A = Dual<double, 1, first_function>;
  using B = Dual<double, 1, second_function>;
  static_assert(Addable<A, A> && Addable<A, double> && Addable<Dual<A, 1, second_function>, A> && Addable<A, Dual<A, 2>>);
  static_assert(!Addable<A, B> && !Multipliable<A, B> && !Addable<A, Dual<double, 2, first_function>>);
  static_assert(!std::is_convertible_v<A, B>);
}

TEST_CASE("an inner Dual is a constant to the outer one") {
  using Inner = Dual<double, 2>;
  using Outer = Dual<Inner, 3>;
  const Inner c(2, {1, 0});
  const Outer x(Inner(3, {0, 1}), {1, 0, 0});
  const Outer y = c * x;
  CHECK(y.value().value() == 6);
  CHECK(y.value().gradient() == std::array<double, 2>{3, 2});
  CHECK(y.gradient()[0].value() == 2);
  CHECK(y.gradient()[0].gradient() == std::array<double, 2>{1, 0});
  CHECK(y.gradient()[1].value() == 0);
}

namespace {
constexpr auto rosenbrock = [](const auto& x) { return (1 - x[0]) * (1 - x[0]) + 100 * (x[1] - x[0] * x[0]) * (x[1] - x[0] * x[0]); };
}

TEST_CASE("forward::gradient, jacobian and hessian of polynomials are exact, also at compile time") {
  constexpr auto g = fx::forward::gradient(rosenbrock, std::array{2., 3.});
  static_assert(g.value == 101 && g.gradient[0] == 802 && g.gradient[1] == -200);
  constexpr auto h = fx::forward::hessian(rosenbrock, std::array{2., 3.});
  static_assert(h.value == 101 && h.gradient[0] == 802 && h.gradient[1] == -200);
  static_assert(h.hessian[0][0] == 3602 && h.hessian[0][1] == -800 && h.hessian[1][0] == -800 && h.hessian[1][1] == 200);
  constexpr auto polar = [](const auto& x) { return std::array{x[0] * x[1], x[0] - x[1], x[0] * x[0] * x[0]}; };
  constexpr auto j = fx::forward::jacobian(polar, std::array{2., 3.});
  static_assert(j.value == std::array{6., -1., 8.});
  static_assert(j.jacobian[0] == std::array{3., 2.} && j.jacobian[1] == std::array{1., -1.} && j.jacobian[2] == std::array{12., 0.});
  static_assert(derivative([](auto x) { return x * x / 2; }, 3.) == 3);
  const std::array x{2., 3.};  // in registers
  CHECK(fx::forward::gradient(rosenbrock, x).gradient == g.gradient);
  CHECK(fx::forward::hessian(rosenbrock, x).hessian == h.hessian);
  CHECK(fx::forward::jacobian(polar, x).jacobian == j.jacobian);
  const auto seeds = fx::seed(x);
  CHECK(rosenbrock(seeds).gradient() == g.gradient);
  CHECK(fx::seed<2>(x)[1].gradient() == fx::make_dual<2>(3., 1).gradient());
}

TEST_CASE("a function of written-out types can be differentiated") {
  using D = Dual<double, 2>;
  const auto f = [](const std::array<D, 2>& x) { return x[0] * sin(x[1]); };
  const auto [y, dy] = fx::forward::gradient(f, std::array{2., 0.});
  CHECK(y == 0);
  CHECK(dy == std::array{0., 2.});
}

namespace {
/// The example of docs/autodiff.md.
template <class T>
T eccentric_anomaly(const T& eccentricity, const T& mean_anomaly) {
  using std::abs, std::cos, std::sin;
  T angle = mean_anomaly, error = 1;
  while (abs(error) > 1e-12) {
    error = (angle - eccentricity * sin(angle) - mean_anomaly) / (1 - eccentricity * cos(angle));
    angle -= error;
  }
  return angle;
}
}  // namespace

TEST_CASE("Newton's method differentiates to the derivatives of the implicit function") {
  const auto [angle, slope, hessian] =
      fx::forward::hessian([](const auto& x) { return eccentric_anomaly(x[0], x[1]); }, std::array{0.2, 1.0});
  const double speed = 1 / (1 - 0.2 * std::cos(angle));
  CHECK(angle - 0.2 * std::sin(angle) == doctest::Approx(1));
  CHECK(slope[0] == doctest::Approx(std::sin(angle) * speed));
  CHECK(slope[1] == doctest::Approx(speed));
  CHECK(hessian[1][1] == doctest::Approx(-0.2 * std::sin(angle) * speed * speed * speed));
}

TEST_CASE("std::complex of Duals differentiates through complex arithmetic") {
  using D = Dual<double>;
  using C = std::complex<D>;
  const D t(0.5, {1});
  const C z(cos(t), sin(t));  // exp(i t)
  const C square = z * z, ratio = C(D(1)) / z, sum = z + square - z;
  CHECK(square.real().gradient()[0] == doctest::Approx(-2 * std::sin(1.)));
  CHECK(square.imag().gradient()[0] == doctest::Approx(2 * std::cos(1.)));
  CHECK(ratio.imag().gradient()[0] == doctest::Approx(-std::cos(0.5)));
  CHECK(sum.imag().value() == doctest::Approx(std::sin(1.)));
  CHECK(std::norm(z).value() == doctest::Approx(1));
  CHECK(std::norm(z).gradient()[0] == doctest::Approx(0));
}

TEST_CASE("a Dual is printed as its value and its directions") {
  std::ostringstream out;
  out << Dual<double, 3>(2.5, {1, 0, -2});
  CHECK(out.str() == "2.5 [1 0 -2]");
}
