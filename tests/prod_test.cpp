// The product over axes: values, derivatives with and without zeros among the elements, integers.
#include <doctest/doctest.h>

#include "support/tensor_values.hpp"

#include <fluxion/autodiff/gradcheck.hpp>
#include <fluxion/autodiff/jacobian.hpp>
#include <fluxion/fluxion.hpp>

namespace fx = fluxion;

namespace {
using Vector = fx::Tensor<double, fx::dims<1>>;
using Matrix = fx::Tensor<double, fx::dims<2>>;
using Cube = fx::Tensor<float, fx::dims<3>>;
using Scalar = fx::Tensor<double, fx::extents<>>;

constexpr auto product = [](const auto& x) { return fx::prod(x); };

/// The product of all elements but those at i and j, which a loop gives.
double product_without(const Vector& x, fx::index_t i, fx::index_t j) {
  double y = 1;
  for (fx::index_t k = 0; k < x.size(); ++k)
    if (k != i && k != j) y *= x(k);
  return y;
}
}  // namespace

TEST_CASE("products over leading, trailing and several axes agree with loops, for rows of any length") {
  for (const fx::index_t n : {0, 1, 5, 16, 17, 300}) {
    Cube x = fx::empty<float>({3, 4, n});
    for (fx::index_t k = 0; k < x.size(); ++k) x.data()[k] = k % 3 == 0 ? 0.5f : k % 3 == 1 ? -2.0f : 1.0f;  // exact in any order
    const fx::Tensor<float, fx::dims<2>> trailing = fx::prod(x, fx::axis<-1>), leading = fx::prod(x, fx::axis<0>);
    const fx::Tensor<float, fx::dims<1>> outer = fx::prod(x, fx::axes<0, 2>);
    for (fx::index_t j = 0; j < 4; ++j) {
      float all = 1;
      for (fx::index_t i = 0; i < 3; ++i) {
        float row = 1;
        for (fx::index_t k = 0; k < n; ++k) row *= x(i, j, k);
        CHECK(trailing(i, j) == row);
        all *= row;
      }
      CHECK(outer(j) == all);
      for (fx::index_t k = 0; k < n; ++k) CHECK(leading(j, k) == x(0, j, k) * x(1, j, k) * x(2, j, k));
    }
  }
}

TEST_CASE("the product of columns so long that they are multiplied in chunks agrees with a loop") {
  Matrix x = fx::full<double>({1000, 9}, 1.0);
  for (fx::index_t i = 0; i < 1000; i += 7) x(i, 4) = i % 2 == 0 ? 2 : 0.5;
  x(500, 5) = 3;
  const Vector y = fx::prod(x, fx::axis<0>);
  double expected = 1;
  for (fx::index_t i = 0; i < 1000; ++i) expected *= x(i, 4);
  CHECK(y(4) == expected);
  CHECK(y(5) == 3);
  CHECK(y(8) == 1);
}

TEST_CASE("integers and bools multiply in int64 and wrap around") {
  const fx::Tensor<std::int32_t, fx::dims<1>> i = {2'000'000'000, 2'000'000'000, -1};
  const fx::Tensor<std::int64_t, fx::extents<>> y = fx::prod(i);
  CHECK(y.item() == -4'000'000'000'000'000'000);
  const fx::Tensor<bool, fx::dims<1>> b = {true, false, true};
  const fx::Tensor<std::int64_t, fx::extents<>> all = fx::prod(b);
  CHECK(all.item() == 0);
  const fx::Tensor<std::int64_t, fx::dims<1>> large = {std::int64_t{1} << 62, 4, 3};
  const fx::Tensor<std::int64_t, fx::extents<>> wrapped = fx::prod(large), sum = fx::sum(fx::cast<std::int64_t>(large + large));
  CHECK(wrapped.item() == 0);
  CHECK(sum.item() == std::numeric_limits<std::int64_t>::min() + 14);
}

TEST_CASE("a NaN is carried, and 0 times infinity is one") {
  const double infinity = std::numeric_limits<double>::infinity(), nan = std::numeric_limits<double>::quiet_NaN();
  CHECK(std::isnan(Scalar(fx::prod(Vector{1, nan, 3})).item()));
  CHECK(std::isnan(Scalar(fx::prod(Vector{0, infinity, 3})).item()));
  CHECK(Scalar(fx::prod(Vector{-2, infinity, 3})).item() == -infinity);
}

TEST_CASE("first and second derivatives are products of the other elements, with none, one, two or three zeros") {
  for (int zeros = 0; zeros <= 3; ++zeros) {
    Vector x = {1.5, -2, 0.75, 3, -0.5};
    for (int k = 0; k < zeros; ++k) x(2 * k) = 0;
    const Vector g = fx::grad(product)(x);
    const Matrix h = fx::hessian(product)(x);
    for (fx::index_t i = 0; i < 5; ++i) {
      CHECK(g(i) == doctest::Approx(product_without(x, i, i)));
      for (fx::index_t j = 0; j < 5; ++j) CHECK(h(i, j) == doctest::Approx(i == j ? 0 : product_without(x, i, j)));
    }
  }
}

TEST_CASE("the derivative beside a zero is zero even where the product of the others overflows") {
  const Vector g = fx::grad(product)(Vector{0, 1e200, 1e200, 3});
  CHECK(g(0) == std::numeric_limits<double>::infinity());
  for (fx::index_t i = 1; i < 4; ++i) CHECK(g(i) == 0);
}

TEST_CASE("derivatives of products of rows and columns agree with differences") {
  const Matrix x = {{1.5, -2, 0.75}, {0.5, 1.25, -1}};
  CHECK(fx::gradcheck([](const auto& v) { return fx::sum(fx::prod(v, fx::axis<1>) * 3) + fx::sum(fx::sin(fx::prod(v * v, fx::axis<0>, fx::keepdim))); }, x));
}
