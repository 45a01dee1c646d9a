// Derivatives of derivatives to the third order, in both modes, against formulas; and what must not be confused on the way.
#include <doctest/doctest.h>

#include <fluxion/autodiff/jacobian.hpp>
#include <fluxion/autodiff/jvp.hpp>
#include <fluxion/autodiff/vjp.hpp>
#include <fluxion/autodiff/vmap.hpp>
#include <fluxion/tensor/factory.hpp>

#include <array>
#include <cmath>

namespace fx = fluxion;

namespace {

using Number = fx::Tensor<double, fx::extents<>>;
using Vector = fx::Tensor<double, fx::dims<1>>;

/// Twelve functions of a number at once, so that every order and mode is one plan.
constexpr auto functions = [](auto x) {
  return std::tuple(x * x * x, 1 / x, fx::exp(x), fx::log(x), fx::sqrt(x), fx::rsqrt(x), fx::sin(x), fx::cos(x), fx::tanh(x), fx::sigmoid(x),
                    fx::pow(x, 2.5), fx::erf(x));
};
constexpr std::size_t count = 12;

/// Their third derivatives.
std::array<double, count> third_derivatives(double x) {
  const double e = std::exp(x), t = std::tanh(x), u = 1 - t * t, s = 1 / (1 + std::exp(-x)), v = s * (1 - s);
  return {6,
          -6 / std::pow(x, 4),
          e,
          2 / (x * x * x),
          0.375 * std::pow(x, -2.5),
          -1.875 * std::pow(x, -3.5),
          -std::cos(x),
          std::sin(x),
          -2 * u * (1 - 3 * t * t),
          v * (1 - 6 * v),
          2.5 * 1.5 * 0.5 * std::pow(x, -0.5),
          2 / std::sqrt(std::acos(-1.0)) * std::exp(-x * x) * (4 * x * x - 2)};
}

template <std::size_t K>
constexpr auto one = [](auto x) { return std::get<K>(functions(x)); };

// Each order by forward or by reverse mode, as functions of functions.
constexpr auto by_reverse = [](auto f) { return fx::grad(f); };
template <class F>
struct ForwardDerivative {
  constexpr auto operator()(auto x) const { return std::get<1>(fx::jvp(F{})(x, 1.0)); }
};
constexpr auto by_forward = []<class F>(F) { return ForwardDerivative<F>{}; };

template <std::size_t K, class A, class B, class C>
constexpr auto third(A a, B b, C c) {
  return a(b(c(one<K>)));
}

/// One of the other orders of modes.
template <std::size_t K>
constexpr auto mixed(auto x) {
  if constexpr (K % 3 == 0) return third<K>(by_forward, by_reverse, by_reverse)(x);
  else if constexpr (K % 3 == 1) return third<K>(by_reverse, by_forward, by_reverse)(x);
  else return third<K>(by_forward, by_forward, by_forward)(x);
}

template <std::size_t... K>
void check_all(std::index_sequence<K...>) {
  constexpr auto third_of_all = [](auto x) { return std::tuple_cat(std::tuple(third<K>(by_reverse, by_reverse, by_reverse)(x), mixed<K>(x))...); };
  const double at = 0.7;
  const auto found = fx::compile(third_of_all)(Number(at));
  const auto expected = third_derivatives(at);
  const auto check = [&]<std::size_t J>(std::integral_constant<std::size_t, J>) {
    INFO("function " << J);
    CHECK(std::get<2 * J>(found).item() == doctest::Approx(expected[J]).epsilon(1e-10));
    CHECK(std::get<2 * J + 1>(found).item() == doctest::Approx(expected[J]).epsilon(1e-10));
  };
  (check(std::integral_constant<std::size_t, K>{}), ...);
}

constexpr auto product = [](auto a, auto b) { return fx::sum(a * a * b); };

}  // namespace

TEST_CASE("third derivatives of twelve functions, by reverse mode thrice and by mixed modes, are those of the formulas") { check_all(std::make_index_sequence<count>{}); }

TEST_CASE("perturbations of an inner derivative are not those of the outer one") {
  const Number x = 3.0;
  // d/dx (x · d/dy (x + y)) = 1, and d/dx (x · d/dy (x y)) = 2x.
  CHECK(fx::grad([](auto a) { return a * fx::grad<1>([](auto p, auto q) { return p + q; })(a, a * 0 + 1); })(x).item() == 1);
  CHECK(fx::grad([](auto a) { return a * std::get<1>(fx::jvp<1>([](auto p, auto q) { return p * q; })(a, a, 1.0)); })(x).item() == 6);
  CHECK(std::get<1>(fx::jvp([](auto a) { return a * fx::grad<1>([](auto p, auto q) { return p * q; })(a, a); })(x, 1.0)).item() == 6);
}

TEST_CASE("one value as both arguments has the derivative by each of them alone") {
  const Vector x = {2, 3};
  const auto check = [&](const Vector& by_first, const Vector& by_second) {
    for (int i = 0; i < 2; ++i) {
      CHECK(by_first(i) == 2 * x(i) * x(i));
      CHECK(by_second(i) == x(i) * x(i));
    }
  };
  const auto [a, b] = fx::grad<0, 1>(product)(x, x);
  check(a, b);
  const auto [c, d] = fx::compile([](auto v) { return fx::grad<0, 1>(product)(v, v); })(x);
  check(c, d);
  const auto [value, e, f] = fx::compile([](auto v) { return fx::vjp(product)(v, v, 1.0); })(x);
  check(e, f);
  CHECK(value.item() == 35);
  const auto [g, h] = fx::compile([](auto v) { return fx::jacfwd<0, 1>(product)(v, v); })(x);
  check(g, h);
  const Number t = fx::compile([](auto v) { return std::get<1>(fx::jvp<0>(product)(v, v, 1.0)); })(x);
  CHECK(t.item() == 2 * (4 + 9));
}

TEST_CASE("an argument made from another stands still while that one is differentiated, and is seen from outside") {
  const Vector x = {2, 3};
  // The gradient by the first argument of a²b is 2ab; with b = a² outside it is 2a³, whose derivative is 6a².
  constexpr auto inner = [](auto v) { return fx::grad<0>(product)(v, v * v); };
  const Vector g = fx::compile(inner)(x);
  const Vector outer = fx::grad([](auto v) { return fx::sum(fx::grad<0>(product)(v, v * v)); })(x);
  for (int i = 0; i < 2; ++i) {
    CHECK(g(i) == 2 * x(i) * x(i) * x(i));
    CHECK(outer(i) == 6 * x(i) * x(i));
  }
}

TEST_CASE("the same tensor as tangent and as argument, or as cotangent, is one thing and another") {
  const Vector x = {2, 3};
  const auto [y, dy] = fx::jvp([](auto v) { return v * v; })(x, x);
  CHECK(dy(1) == 18);
  const Vector z = fx::compile([](auto v) { return std::get<1>(fx::vjp([](auto u) { return u * u; })(v, v)); })(x);
  CHECK(z(1) == 18);
  CHECK(y(1) == 9);
}

TEST_CASE("a per-sample third derivative is vmap of grad of grad of grad") {
  constexpr auto f = [](auto v) { return fx::sin(v) * v; };
  const Vector xs = {0.1, 0.7, 2};
  const Vector d = fx::vmap(fx::grad(fx::grad(fx::grad(f))))(xs);
  for (int i = 0; i < 3; ++i) CHECK(d(i) == doctest::Approx(-3 * std::sin(xs(i)) - xs(i) * std::cos(xs(i))));
}
