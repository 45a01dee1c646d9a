// Reductions and what is composed of them, against plain loops in double.
// matrix
#include <doctest/doctest.h>

#include "support/tensor_values.hpp"

#include <fluxion/fluxion.hpp>

namespace fx = fluxion;

namespace {
using Vector = fx::Tensor<float, fx::dims<1>>;
using Matrix = fx::Tensor<float, fx::dims<2>>;
using Cube = fx::Tensor<float, fx::dims<3>>;

constexpr float infinity = std::numeric_limits<float>::infinity();
constexpr float nan_value = std::numeric_limits<float>::quiet_NaN();

float value_at(fx::index_t i, fx::index_t j, fx::index_t k) { return static_cast<float>((i * 37 + j * 11 + k * 5) % 23 - 9) * 0.5f; }

Cube make_cube(fx::index_t a, fx::index_t b, fx::index_t c) {
  Cube x = fx::empty<float>({a, b, c});
  for (fx::index_t i = 0; i < a; ++i)
    for (fx::index_t j = 0; j < b; ++j)
      for (fx::index_t k = 0; k < c; ++k) x(i, j, k) = value_at(i, j, k);
  return x;
}
}  // namespace

TEST_CASE("sums and means over leading, middle, trailing and several axes agree with loops, for rows of any length") {
  for (const fx::index_t n : {0, 1, 5, 16, 1000}) {
    const Cube x = make_cube(3, 4, n), leading = make_cube(n, 4, 3), middle = make_cube(3, n, 4);
    const Matrix trailing_sum = fx::sum(x, fx::axis<-1>), leading_sum = fx::sum(leading, fx::axis<0>), middle_sum = fx::sum(middle, fx::axis<1>);
    const Vector outer_sum = fx::sum(x, fx::axes<0, 2>), last_two = fx::sum(x, fx::axes<1, 2>);
    const Cube kept = fx::sum(x, fx::axis<1>, fx::keepdim);
    const Matrix average = fx::mean(x, fx::axis<2>);
    REQUIRE(kept.extent(1) == 1);
    for (fx::index_t i = 0; i < 3; ++i) {
      double all = 0;
      for (fx::index_t j = 0; j < 4; ++j) {
        double a = 0, b = 0, c = 0;
        for (fx::index_t k = 0; k < n; ++k) {
          a += x(i, j, k);
          b += leading(k, j, i);
          c += middle(i, k, j);
        }
        all += a;
        CHECK(trailing_sum(i, j) == a);
        CHECK(leading_sum(j, i) == b);
        CHECK(middle_sum(i, j) == c);
        if (n > 0) CHECK(average(i, j) == doctest::Approx(a / static_cast<double>(n)));
        else CHECK(std::isnan(average(i, j)));
      }
      CHECK(last_two(i) == all);
    }
    for (fx::index_t j = 0; j < 4; ++j) {
      double all = 0;
      for (fx::index_t i = 0; i < 3; ++i)
        for (fx::index_t k = 0; k < n; ++k) all += x(i, j, k);
      CHECK(outer_sum(j) == all);
    }
    for (fx::index_t i = 0; i < 3; ++i)
      for (fx::index_t k = 0; k < n; ++k) CHECK(kept(i, 0, k) == x(i, 0, k) + x(i, 1, k) + x(i, 2, k) + x(i, 3, k));
  }
}

TEST_CASE("the sum of ten million tenths is accurate to a millionth, as rows and as columns") {
  Matrix x = fx::full<float>({1, 10'000'000}, 0.1f);
  const double exact = 1e7 * static_cast<double>(0.1f);
  const fx::Tensor<float, fx::extents<>> all = fx::sum(x);
  CHECK(std::abs(all.item() - exact) < 1e-6 * exact);
  const Vector row = fx::sum(x, fx::axis<1>);
  CHECK(std::abs(row(0) - exact) < 1e-6 * exact);
  const auto columns = x.reshape_view({1'000'000, 10});
  const Vector by_column = fx::sum(columns, fx::axis<0>);
  CHECK(std::abs(by_column(3) - exact / 10) < 1e-6 * exact / 10);
  const auto rows = x.reshape_view({10, 1'000'000});
  const fx::Tensor<float, fx::extents<>> both = fx::sum(rows, fx::axes<0, 1>), average = fx::mean(rows);
  CHECK(std::abs(both.item() - exact) < 1e-6 * exact);
  CHECK(std::abs(average.item() - static_cast<double>(0.1f)) < 1e-7);
}

TEST_CASE("max and min carry NaN, know -inf, and argmax names the first of equals or the first NaN") {
  for (const fx::index_t n : {1, 5, 16, 17, 40}) {
    Matrix x = fx::full<float>({5, n}, 1);
    x(1, n - 1) = 2;
    x(2, n / 2) = nan_value;
    x[3].fill(-infinity);
    x(4, n / 3) = 7;
    x(4, n - 1) = 7;
    const Vector largest = fx::max(x, fx::axis<1>), smallest = fx::min(-x, fx::axis<1>);
    const fx::Tensor<std::int64_t, fx::dims<1>> position = fx::argmax(x, fx::axis<1>), least = fx::argmin(-x, fx::axis<1>);
    const fx::Tensor<std::int64_t, fx::dims<1>> column = fx::argmax(x.t(), fx::axis<0>);
    const float expected[] = {1, 2, nan_value, -infinity, 7};
    const fx::index_t at[] = {0, n - 1, n / 2, 0, n / 3};
    for (fx::index_t i = 0; i < 5; ++i) {
      CHECK(fx::test::distance_in_ulp(largest(i), expected[i]) == 0);
      CHECK(fx::test::distance_in_ulp(smallest(i), -expected[i]) == 0);
      CHECK(position(i) == at[i]);
      CHECK(least(i) == at[i]);
      CHECK(column(i) == at[i]);
    }
  }
}

TEST_CASE("integers and bools reduce exactly") {
  const fx::Tensor<std::int32_t, fx::dims<1>> i = {2'000'000'000, 2'000'000'000, -5};
  const fx::Tensor<std::int64_t, fx::extents<>> s = fx::sum(i);
  CHECK(s.item() == 3'999'999'995);
  const fx::Tensor<std::int32_t, fx::extents<>> least = fx::min(i), most = fx::max(i);
  CHECK(least.item() == -5);
  CHECK(most.item() == 2'000'000'000);
  const fx::Tensor<bool, fx::dims<1>> b = {true, false, true};
  const fx::Tensor<std::int64_t, fx::extents<>> count = fx::sum(b);
  CHECK(count.item() == 2);
  const fx::Tensor<bool, fx::extents<>> any = fx::max(b), all = fx::min(b);
  CHECK(any.item());
  CHECK_FALSE(all.item());
}
