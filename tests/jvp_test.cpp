// Forward mode of functions: jvp, vjp and hvp, what they compute and how many kernels that takes.
#include <doctest/doctest.h>

#include <fluxion/autodiff/jvp.hpp>
#include <fluxion/autodiff/vjp.hpp>
#include <fluxion/nn/layer.hpp>
#include <fluxion/tensor/factory.hpp>

#include <cmath>
#include <cstdint>
#include <tuple>

namespace fx = fluxion;

namespace {

using Matrix = fx::Tensor<double, fx::dims<2>>;
using Vector = fx::Tensor<double, fx::dims<1>>;
using Number = fx::Tensor<double, fx::extents<>>;

constexpr auto network_loss = [](auto w, auto b, auto x, auto y) { return fx::mean(fx::cross_entropy(fx::tanh(fx::matmul(x, w)) + b, y)); };

constexpr auto on_model = [](const auto& m, auto x) { return fx::mean(fx::tanh(m.forward(x))); };

struct network {
  Matrix w = {{0.1, -0.3, 0.2}, {0.5, 0.4, -0.6}}, x = {{1, 2}, {-1, 0.5}, {0.3, -2}, {0.7, 0.1}};
  Vector b = {0.1, 0.2, -0.1};
  Matrix dw = {{1, -2, 0.5}, {0.3, 1, 2}};
  Vector db = {0.7, -1, 0.4};
  fx::Tensor<std::int64_t, fx::dims<1>> y = {0, 2, 1, 1};
};

template <class T>
double dot(const T& a, const T& b) {
  double sum = 0;
  for (fx::index_t i = 0; i < a.size(); ++i) sum += a.data()[i] * b.data()[i];
  return sum;
}

}  // namespace

TEST_CASE("jvp of a chain of elementwise functions is one kernel for value and tangent") {
  const fx::Tensor<float, fx::dims<1>> x = {1, 2, -1}, dx = {1, 0, 2};
  fx::CountingScope scope;
  const auto [y, dy] = fx::jvp([](auto v) { return fx::tanh(v * v + 1) * fx::exp(-v); })(x, dx);
  CHECK(scope.counters().kernels == 1);
  for (fx::index_t i = 0; i < 3; ++i) {
    const double v = static_cast<double>(x(i)), t = std::tanh(v * v + 1), e = std::exp(-v);
    CHECK(static_cast<double>(y(i)) == doctest::Approx(t * e));
    CHECK(static_cast<double>(dy(i)) == doctest::Approx(((1 - t * t) * 2 * v * e - t * e) * static_cast<double>(dx(i))));
  }
}

TEST_CASE("jvp takes static extents, tuples, and numbers as tangents") {
  const fx::Tensor<double, fx::extents<2>> a = {1, 2};
  const fx::Tensor<double, fx::extents<3, 1>> b = {{1}, {2}, {3}};
  constexpr auto f = fx::jvp([](auto u, auto v) { return u * v * v; });
  const auto [y, dy] = f(std::tie(a, b), std::tuple(0.5, b));
  static_assert(std::is_same_v<decltype(dy), const fx::Tensor<double, fx::extents<3, 2>>>);
  for (int i = 0; i < 3; ++i)
    for (int j = 0; j < 2; ++j) CHECK(dy(i, j) == doctest::Approx(0.5 * b(i, 0) * b(i, 0) + 2 * a(j) * b(i, 0) * b(i, 0)));
  CHECK(std::get<1>(f(a, b, a, b))(2, 1) == doctest::Approx(3 * 2 * 3 * 3));
}

TEST_CASE("jvp of a function of several values gives a tuple of values and one of tangents") {
  const Vector x = {1, 2}, v = {1, -1};
  const auto [values, tangents] = fx::jvp([](auto a) { return std::tuple(a * a, fx::sum(a)); })(x, v);
  CHECK(std::get<0>(values)(1) == 4);
  CHECK(std::get<1>(values).item() == 3);
  CHECK(std::get<0>(tangents)(1) == -4);
  CHECK(std::get<1>(tangents).item() == 0);
}

TEST_CASE("jvp agrees with gradients along a direction and leaves arguments without a number alone") {
  const network n;
  const auto [value, tangent] = fx::jvp<0, 1>(network_loss)(n.w, n.b, n.x, n.y, n.dw, n.db);
  const auto [loss, dw, db] = fx::value_and_grad<0, 1>(network_loss)(n.w, n.b, n.x, n.y);
  CHECK(value.item() == doctest::Approx(loss.item()));
  CHECK(tangent.item() == doctest::Approx(dot(dw, n.dw) + dot(db, n.db)));
}

TEST_CASE("vjp gives the value and, of every argument's own type, the products with the cotangent") {
  const network n;
  const fx::Tensor<double, fx::extents<2, 3>> w = n.w;
  constexpr auto f = [](auto a, auto b) { return fx::sin(fx::matmul(a, b)); };
  const auto [y, dx, dw] = fx::vjp(f)(n.x, w, fx::Tensor<double, fx::dims<2>>(fx::ones<double>({4, 3})));
  static_assert(std::is_same_v<decltype(dw), const fx::Tensor<double, fx::extents<2, 3>>>);
  const auto [again, only] = fx::vjp<1>(f)(n.x, w, 1.0);
  for (int i = 0; i < 2; ++i)
    for (int j = 0; j < 3; ++j) {
      double expected = 0;
      for (int k = 0; k < 4; ++k) expected += std::cos(n.x(k, 0) * w(0, j) + n.x(k, 1) * w(1, j)) * n.x(k, i);
      CHECK(dw(i, j) == doctest::Approx(expected));
      CHECK(only(i, j) == doctest::Approx(expected));
    }
  CHECK(y(3, 2) == doctest::Approx(std::sin(0.7 * 0.2 - 0.06)));
  CHECK(again(3, 2) == y(3, 2));
  CHECK(dx.size() == 8);
}

TEST_CASE("vjp of several values takes a tuple of cotangents") {
  const Vector x = {1, 2}, c = {1, -1};
  const auto [values, dx] = fx::vjp([](auto a) { return std::tuple(a * a, fx::sum(a * a * a)); })(x, std::tuple(c, 2.0));
  CHECK(std::get<1>(values).item() == 9);
  CHECK(dx(0) == 2 * 1 * 1 + 2 * 3 * 1);
  CHECK(dx(1) == -2 * 2 + 2 * 3 * 4);
}

TEST_CASE("the product of a Hessian agrees with differences of gradients") {
  network n;
  const auto [hw, hb] = fx::hvp<0, 1>(network_loss)(n.w, n.b, n.x, n.y, n.dw, n.db);
  constexpr auto gradient = fx::grad<0, 1>(network_loss);
  const auto at = [&](double h) {
    const Matrix w = n.w + n.dw * h;
    const Vector b = n.b + n.db * h;
    return gradient(w, b, n.x, n.y);
  };
  const auto [aw, ab] = at(1e-5);
  const auto [bw, bb] = at(-1e-5);
  for (fx::index_t i = 0; i < 6; ++i) CHECK(hw.data()[i] == doctest::Approx((aw.data()[i] - bw.data()[i]) / 2e-5).epsilon(1e-7));
  for (fx::index_t i = 0; i < 3; ++i) CHECK(hb.data()[i] == doctest::Approx((ab.data()[i] - bb.data()[i]) / 2e-5).epsilon(1e-7));
}

TEST_CASE("the product of a small network's Hessian takes a matrix product for each that its formula has") {
  const network n;
  fx::CountingScope scope;
  const Matrix h = fx::hvp(network_loss)(n.w, n.b, n.x, n.y, n.dw);
  CHECK(h.extents() == n.w.extents());
  CHECK(scope.counters().contractions == 3);  // x·w, x·dw and xᵀ·(…)
  CHECK(scope.counters().kernels == 3);
}

TEST_CASE("third derivatives, by jvp of jvp of a gradient, are those of the formula") {
  constexpr auto f = [](auto v) { return fx::sin(v) * v * v; };
  constexpr auto first = fx::grad(f);
  constexpr auto second = [](auto v) { return std::get<1>(fx::jvp(decltype(first){})(v, 1.0)); };
  constexpr auto third = fx::jvp(second);
  const double x = 0.7, s = std::sin(x), c = std::cos(x);
  Number at = x;
  const auto [two, three] = third(at, 1.0);
  CHECK(two.item() == doctest::Approx(2 * s + 4 * x * c - x * x * s));
  CHECK(three.item() == doctest::Approx(6 * c - 6 * x * s - x * x * c));
  CHECK(fx::grad(second)(at).item() == doctest::Approx(three.item()));
  CHECK(fx::grad([](auto v) { return std::get<1>(fx::vjp(decltype(first){})(v, 1.0)); })(at).item() == doctest::Approx(three.item()));
}

TEST_CASE("inside a compiled function jvp sees the tangent that it is given, not what it is made of") {
  // The tangent v * v of x is a value: d/dv of (d/dx x³)(v²) is 6 x v at fixed x.
  const Vector x = {1, 2}, v = {3, -1};
  const Vector y = fx::grad<1>([](auto a, auto b) { return fx::sum(std::get<1>(fx::jvp([](auto u) { return u * u * u; })(a, b * b))); })(x, v);
  CHECK(y(0) == 18);
  CHECK(y(1) == -24);
}

TEST_CASE("tangents of a model are a model") {
  using Model = fx::nn::Linear;
  const Model model{2, 3};
  const Matrix x64 = {{1, 2}, {0.5, -1}};
  const fx::Tensor<float, fx::dims<2>> x = fx::cast<float>(x64);
  const auto [value, gradient] = fx::value_and_grad(on_model)(model, x);
  const auto [again, tangent] = fx::jvp<0>(on_model)(model, x, gradient);
  CHECK(again.item() == doctest::Approx(value.item()));
  double expected = 0;
  for (fx::index_t i = 0; i < gradient.weight.value().size(); ++i) expected += std::pow(static_cast<double>(gradient.weight.value().data()[i]), 2);
  for (fx::index_t i = 0; i < gradient.bias.value().size(); ++i) expected += std::pow(static_cast<double>(gradient.bias.value().data()[i]), 2);
  CHECK(static_cast<double>(tangent.item()) == doctest::Approx(expected));
  const Model hv = fx::hvp(on_model)(model, x, gradient);
  CHECK(hv.weight.value().size() == 6);
}

TEST_CASE("a tangent of other run-time extents than its argument is an error that says so") {
  const Vector x = {1, 2, 3}, v = {1};
  CHECK_THROWS_AS(fx::jvp([](auto a) { return a * a; })(x, v), fx::ShapeError);
}

TEST_CASE("a run-time extent of 1 broadcasts in its tangent too, and its product with a cotangent is reduced") {
  const Vector x = {2}, y = {1, 2, 3}, dx = {10}, dy = {1, 0, -1};
  constexpr auto f = [](auto a, auto b) { return a * b; };
  const auto [value, tangent] = fx::jvp(f)(x, y, dx, dy);
  CHECK(value(2) == 6);
  CHECK(tangent.size() == 3);
  CHECK(tangent(2) == 10 * 3 - 2);
  const auto [again, px, py] = fx::vjp(f)(x, y, dy);
  CHECK(again(2) == 6);
  CHECK(px.size() == 1);
  CHECK(px(0) == 1 - 3);
  CHECK(py(2) == -2);
}
