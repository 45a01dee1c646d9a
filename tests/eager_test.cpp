// Operations evaluated where they are written, by the interpreter.
#define FLUXION_EAGER
#include <doctest/doctest.h>

#include <fluxion/autodiff/transform.hpp>
#include <fluxion/fluxion.hpp>

namespace fx = fluxion;

namespace {
using Vector = fx::Tensor<float, fx::dims<1>>;
using Matrix = fx::Tensor<float, fx::dims<2>>;
}  // namespace

TEST_CASE("an operation gives a tensor at once and keeps static extents") {
  const fx::Tensor<float, fx::extents<2, 3>> a = {{1, 2, 3}, {4, 5, 6}};
  auto y = a * 2 + 1;
  static_assert(std::is_same_v<decltype(y), fx::Tensor<float, fx::extents<2, 3>>>);
  CHECK(y(1, 2) == 13);
  y = fx::transpose(fx::reshape<3, 2>(y));
  CHECK(y(1, 0) == 5);
  auto row = fx::sum(a, fx::axis<0>);
  static_assert(std::is_same_v<decltype(row), fx::Tensor<float, fx::extents<3>>>);
  CHECK(row(2) == 9);
}

TEST_CASE("what is written afterwards does not change a result") {
  Vector a = {1, 2, 3};
  auto y = fx::exp(a) - 1;
  a(0) = 100;
  const Vector z = y;
  CHECK(z(0) == doctest::Approx(std::exp(1.0) - 1));
}

TEST_CASE("each operation is a kernel of its own") {
  const Vector a = {1, 2, 3}, b = {4, 5, 6};
  fx::CountingScope scope;
  Vector y = fx::relu(a * b + 1);
  CHECK(scope.counters().kernels == 3);
  CHECK(y(2) == 19);
}

TEST_CASE("functions composed of several operations, products, views and types are computed as without eager evaluation") {
  const Matrix x = {{1, 2, 3}, {0, -1, 5}};
  const Matrix p = fx::softmax(x, fx::axis<-1>);
  CHECK(p(0, 0) + p(0, 1) + p(0, 2) == doctest::Approx(1));
  CHECK(p(0, 2) / p(0, 1) == doctest::Approx(std::exp(1.0)));
  const Matrix g = fx::matmul(x, x.t()) + Vector{10, 20};
  CHECK(g(0, 0) == 24);
  CHECK(g(1, 0) == 13 + 10);
  const fx::Tensor<std::int64_t, fx::dims<1>> best = fx::argmax(x, fx::axis<1>), labels = {2, 0};
  CHECK(best(1) == 2);
  const fx::Tensor<float, fx::extents<>> loss = fx::cross_entropy(x, labels);
  CHECK(loss.item() == doctest::Approx((std::log(1 + std::exp(-1.0) + std::exp(-2.0)) + 5 + std::log(1 + std::exp(-5.0) + std::exp(-6.0))) / 2));
  const Matrix chosen = fx::where(x > 1, x, -1);
  CHECK(chosen(1, 1) == -1);
  const fx::Tensor<std::int32_t, fx::dims<2>> whole = fx::cast<std::int32_t>(x / 2);
  CHECK(whole(1, 2) == 2);
  const fx::Tensor<float, fx::extents<>> spread = fx::var(x), norm = fx::sqrt(fx::sum(x * x));
  CHECK(spread.item() == doctest::Approx(4.6666667));
  CHECK(norm.item() == doctest::Approx(std::sqrt(40.0)));
  CHECK(fx::evaluate(x + fx::c<2>)(0, 0) == 3);
}

TEST_CASE("views are written, in part and in place") {
  Matrix m = {{1, 2}, {3, 4}};
  m[0] = m[1] * 2;
  CHECK(m(0, 1) == 8);
  m = m.t() + 0;
  CHECK(m(1, 0) == 8);
  m(fx::all, 1) = m(fx::all, 0) + m(fx::all, 1);
  CHECK(m(0, 1) == 9);
}

TEST_CASE("shapes that do not fit raise where the operation is written") {
  const Vector a = {1, 2, 3}, b = {1, 2};
  CHECK_THROWS_AS(a + b, fx::ShapeError);
}

TEST_CASE("traced functions and their gradients run too") {
  const auto f = [](auto x) { return fx::sum(fx::tanh(x) * x); };
  const Vector x = {0.5f, -1};
  const auto [value, gradient] = fx::value_and_grad<0>(f)(x);
  CHECK(value.item() == doctest::Approx(0.5 * std::tanh(0.5) + std::tanh(1.0)));
  CHECK(gradient(0) == doctest::Approx(std::tanh(0.5) + 0.5 * (1 - std::tanh(0.5) * std::tanh(0.5))));
  CHECK(fx::compile([](auto v) { return v * 2 + 1; })(x)(1) == -1);
}
