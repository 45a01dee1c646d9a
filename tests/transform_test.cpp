// Gradients of functions: against finite differences, and of the arguments' own types.
#include <doctest/doctest.h>

#include <fluxion/autodiff/transform.hpp>
#include <fluxion/tensor/factory.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace fx = fluxion;

namespace {


using Matrix = fx::Tensor<double, fx::dims<2>>;
using Vector = fx::Tensor<double, fx::dims<1>>;

constexpr auto loss = [](auto w, auto b, auto x, auto y) { return fx::cross_entropy(fx::tanh(fx::matmul(x, w)) + b, y); };

template <class T, class F>
double worst_difference(T& x, const T& gradient, const F& value) {
  double worst = 0;
  for (fx::index_t i = 0; i < x.size(); ++i) {
    const double old = x.data()[i], h = 1e-6;
    x.data()[i] = old + h;
    const double above = value();
    x.data()[i] = old - h;
    const double below = value();
    x.data()[i] = old;
    worst = std::max(worst, std::abs((above - below) / (2 * h) - gradient.data()[i]));
  }
  return worst;
}

}  // namespace

TEST_CASE("value_and_grad agrees with finite differences in every argument asked for") {
  Matrix w = {{0.1, -0.3, 0.2}, {0.5, 0.4, -0.6}}, x = {{1, 2}, {-1, 0.5}, {0.3, -2}};
  Vector b = {0.1, 0.2, -0.1};
  const fx::Tensor<std::int64_t, fx::dims<1>> y = {0, 2, 1};
  const auto [value, dw, db] = fx::value_and_grad<0, 1>(loss)(w, b, x, y);
  static_assert(std::is_same_v<decltype(dw), const Matrix> && std::is_same_v<decltype(db), const Vector>);
  const auto f = fx::compile(loss);
  const auto call = [&] { return f(w, b, x, y).item(); };
  CHECK(value.item() == doctest::Approx(call()));
  CHECK(worst_difference(w, dw, call) < 1e-8);
  CHECK(worst_difference(b, db, call) < 1e-8);
}

TEST_CASE("grad of one argument gives a tensor of the argument's own extents") {
  const fx::Tensor<float, fx::extents<3>> x = {1, 2, 3};
  const auto g = fx::grad([](auto v) { return fx::sum(v * v * v); })(x);
  static_assert(std::is_same_v<decltype(g), const fx::Tensor<float, fx::extents<3>>>);
  CHECK(g(2) == 27);
}

TEST_CASE("a gradient of a gradient is the second derivative") {
  constexpr auto cube = [](auto v) { return fx::sum(v * v * v); };
  constexpr auto first = fx::grad(cube);
  const auto second = fx::grad([](auto v) { return fx::sum(decltype(first){}(v)); });
  const Vector x = {1, 2, -3};
  const Vector h = second(x);
  CHECK(h(0) == 6);
  CHECK(h(2) == -18);
}

TEST_CASE("an argument that the result does not depend on has a gradient of zeros") {
  const Vector x = {1, 2}, y = {3, 4, 5};
  const auto [dx, dy] = fx::grad<0, 1>([](auto a, auto) { return fx::sum(a); })(x, y);
  CHECK(dx(1) == 1);
  CHECK(dy.size() == 3);
  CHECK(dy(2) == 0);
}

TEST_CASE("value and gradients go into given tensors") {
  const Vector x = {1, 2};
  fx::Tensor<double, fx::extents<>> value;
  Vector dx = {0, 0};
  fx::value_and_grad([](auto a) { return fx::sum(a * a); }).into(std::tie(value, dx), x);
  CHECK(value.item() == 5);
  CHECK(dx(1) == 4);
}

TEST_CASE("the derivative by a number counts every use of it, whatever type it takes there") {
  const fx::Tensor<float, fx::extents<2>> x = {1, 2};
  const auto g = fx::grad([](auto s, auto v) { return fx::sum(fx::cast<double>(v * s)) + s * s; })(3.0, x);
  CHECK(g.item() == 9);
}

TEST_CASE("the gradient of one element of a tensor of run-time extents is one there") {
  const fx::Tensor<double, fx::dims<1>> x = {1, 2, 3};
  const fx::Tensor<double, fx::dims<1>> g = fx::grad([](auto v) { return v[1]; })(x);
  CHECK(g(0) == 0);
  CHECK(g(1) == 1);
  const fx::Tensor<double, fx::dims<2>> y = fx::full<double>({40, 2}, 1);
  const fx::Tensor<double, fx::dims<2>> h = fx::grad([](auto v) { return v(0, 1); })(y);
  CHECK(h(0, 1) == 1);
  CHECK(h(1, 1) == 0);
}

TEST_CASE("a number that meets a product or a slice has a place in memory, whatever the extents are known to be") {
  constexpr std::size_t n = fx::dynamic_extent;
  const fx::Tensor<double, fx::extents<1, n>> row = fx::full<double>({1, 40}, 3);
  const fx::Tensor<double, fx::extents<n, 1>> column = fx::full<double>({40, 1}, 5);
  const auto product = [](auto a, auto b) { return fx::sum(fx::matmul(a, b)); };
  const auto [by_row, by_column] = fx::grad<0, 1>(product)(row, column);
  CHECK(by_row(0, 39) == 5);
  CHECK(by_column(39, 0) == 3);
  const auto scaled = [](auto a, auto s) { return fx::sum(fx::matmul(fx::reshape<1, 1>(s), a)); };
  CHECK(fx::grad<1>(scaled)(row, 2.0).item() == 120);
  CHECK(fx::grad<0>(scaled)(row, 2.0)(0, 7) == 2);
}
