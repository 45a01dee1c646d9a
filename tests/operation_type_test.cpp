// Element types and how they meet; selection, conversion, broadcasting, views as operands and destinations.
#include <doctest/doctest.h>

#include "support/tensor_values.hpp"

#include <fluxion/fluxion.hpp>

namespace fx = fluxion;

namespace {
template <class X>
using element_of = typename fx::expression_result<X>::value_type;
using Int32 = fx::Tensor<std::int32_t, fx::dims<1>>;
using Int64 = fx::Tensor<std::int64_t, fx::dims<1>>;
using Bool = fx::Tensor<bool, fx::dims<1>>;
using Float = fx::Tensor<float, fx::dims<1>>;
using Double = fx::Tensor<double, fx::dims<1>>;
using Matrix = fx::Tensor<float, fx::dims<2>>;

Matrix counting(fx::index_t rows, fx::index_t columns) {
  Matrix m = fx::empty<float>({rows, columns});
  for (fx::index_t i = 0; i < rows; ++i)
    for (fx::index_t j = 0; j < columns; ++j) m(i, j) = static_cast<float>(i * 100 + j);
  return m;
}
}  // namespace

TEST_CASE("element types meet in the larger one; literals keep the tensor's type unless they are of a higher kind") {
  const Int32 i32 = {7, -7};
  const Int64 i64 = {2, 3};
  const Float f32 = {0.5f, 1.5f};
  const Double f64 = {0.25, 0.75};
  const Bool b = {true, false};
  static_assert(std::is_same_v<element_of<decltype(i32 + i64)>, std::int64_t>);
  static_assert(std::is_same_v<element_of<decltype(i64 + f32)>, float>);
  static_assert(std::is_same_v<element_of<decltype(f32 + f64)>, double>);
  static_assert(std::is_same_v<element_of<decltype(b + i32)>, std::int32_t>);
  static_assert(std::is_same_v<element_of<decltype(i32 / i32)>, float>);
  static_assert(std::is_same_v<element_of<decltype(i64 / i32)>, float>);
  static_assert(std::is_same_v<element_of<decltype(f64 / i32)>, double>);
  static_assert(std::is_same_v<element_of<decltype(i32 * 2.5)>, float>);
  static_assert(std::is_same_v<element_of<decltype(f32 * 2.5)>, float>);
  static_assert(std::is_same_v<element_of<decltype(f64 * 2.5f)>, double>);
  static_assert(std::is_same_v<element_of<decltype(i32 + 1)>, std::int32_t>);
  static_assert(std::is_same_v<element_of<decltype(b + 1)>, std::int64_t>);
  static_assert(std::is_same_v<element_of<decltype(i32 < f64)>, bool>);
  static_assert(std::is_same_v<element_of<decltype(fx::sum(b))>, std::int64_t>);
  static_assert(std::is_same_v<element_of<decltype(fx::sum(i32))>, std::int64_t>);
  static_assert(std::is_same_v<element_of<decltype(fx::mean(i32))>, float>);
  static_assert(std::is_same_v<element_of<decltype(fx::max(i32))>, std::int32_t>);
  static_assert(std::is_same_v<element_of<decltype(fx::argmax(f32, fx::axis<0>))>, std::int64_t>);
  static_assert(std::is_same_v<element_of<decltype(fx::exp(i32))>, float>);

  const Int64 sum = i32 + i64;
  CHECK(sum(1) == -4);
  const Float quotient = i32 / i64;
  CHECK(quotient(0) == 3.5f);
  CHECK(quotient(1) == -7.f / 3.f);
  const Float scaled = i32 * 2.5;
  CHECK(scaled(1) == -17.5f);
  const Double mixed = f32 + f64;
  CHECK(mixed(1) == 2.25);
  const Int32 boolean_sum = b + i32;
  CHECK(boolean_sum(0) == 8);
}

TEST_CASE("integers wrap, compare exactly and survive int64") {
  const Int64 big = {(std::int64_t{1} << 53) + 1, -(std::int64_t{1} << 62), 5, 6, 7};
  const Int64 same = big + 0, twice = big * 2, negated = -big;
  CHECK(same(0) == (std::int64_t{1} << 53) + 1);
  CHECK(twice(1) == std::numeric_limits<std::int64_t>::min());
  CHECK(negated(0) == -(std::int64_t{1} << 53) - 1);
  const Int64 other = big - 1;
  const Bool less = other < big, equal = other == big;
  CHECK(less(0));
  CHECK_FALSE(equal(0));
  const Int32 a = {5, -3, 0, 2, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0, -1, -2, -3}, b = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17};
  const Int32 r = fx::maximum(a, b) * fx::abs(a) - fx::minimum(a, b);
  for (fx::index_t i = 0; i < a.size(); ++i) CHECK(r(i) == std::max(a(i), b(i)) * std::abs(a(i)) - std::min(a(i), b(i)));
}

TEST_CASE("bools add as truth, multiply as and, compare as 0 and 1") {
  const Bool a = {true, true, false, false}, b = {true, false, true, false};
  const Bool either = a + b, both = a * b, exclusive = a != b, below = a < b, negation = fx::logical_not(a), all = fx::logical_and(a, b),
             any = fx::logical_or(a, b);
  for (fx::index_t i = 0; i < 4; ++i) {
    CHECK(either(i) == (a(i) || b(i)));
    CHECK(both(i) == (a(i) && b(i)));
    CHECK(exclusive(i) == (a(i) != b(i)));
    CHECK(below(i) == (a(i) < b(i)));
    CHECK(negation(i) == !a(i));
    CHECK(all(i) == (a(i) && b(i)));
    CHECK(any(i) == (a(i) || b(i)));
  }
}

TEST_CASE("where chooses element by element and keeps what the other branch would have spoilt away") {
  for (const fx::index_t size : fx::test::sizes) {
    const auto x = fx::test::special_tensor<float>(size, 0);
    const Float y = fx::where(x > 0, fx::log(x), -1);
    for (fx::index_t i = 0; i < size; ++i) {
      if (x(i) > 0) CHECK(fx::test::distance_in_ulp(y(i), std::log(static_cast<double>(x(i)))) <= 2);
      else CHECK(y(i) == -1);
    }
  }
  const Int32 a = {1, 2, 3};
  const Int64 b = {10, 20, 30};
  const Int64 chosen = fx::where(Bool{true, false, true}, a, b);
  CHECK(chosen(0) == 1);
  CHECK(chosen(1) == 20);
}

TEST_CASE("cast converts as the language does") {
  const Float x = {0.f, -1.9f, 2.9f, 100.f, -0.f};
  const Int32 i = fx::cast<std::int32_t>(x);
  const Bool b = fx::cast<bool>(x);
  const Double d = fx::cast<double>(x);
  for (fx::index_t k = 0; k < x.size(); ++k) {
    CHECK(i(k) == static_cast<std::int32_t>(x(k)));
    CHECK(b(k) == (x(k) != 0));
    CHECK(d(k) == static_cast<double>(x(k)));
  }
  const Float back = fx::cast<float>(b);
  CHECK(back(1) == 1);
  const Int64 wide = fx::cast<std::int64_t>(Double{1e15, -2.5});
  CHECK(wide(0) == 1'000'000'000'000'000);
  CHECK(wide(1) == -2);
}

TEST_CASE("static and run-time extents of one broadcast, and so do missing leading axes") {
  const Matrix m = counting(3, 20);
  const fx::Tensor<float, fx::extents<fx::dynamic_extent, 1>> column = fx::Tensor<float, fx::dims<2>>{{1}, {2}, {3}};
  const Matrix run_time_column = {{1}, {2}, {3}}, run_time_row = counting(1, 20);
  const Float row = m[1];
  const Matrix a = m * column, b = m * run_time_column, c = m + row, d = m + run_time_row, e = run_time_column + run_time_row;
  const fx::Tensor<float, fx::extents<>> scalar = 5;
  const Matrix f = m - scalar, g = 2 - m;
  for (fx::index_t i = 0; i < 3; ++i)
    for (fx::index_t j = 0; j < 20; ++j) {
      const float x = m(i, j), factor = static_cast<float>(i + 1), p = static_cast<float>(j);
      CHECK(a(i, j) == x * factor);
      CHECK(b(i, j) == x * factor);
      CHECK(c(i, j) == x + 100 + p);
      CHECK(d(i, j) == x + p);
      CHECK(e(i, j) == factor + p);
      CHECK(f(i, j) == x - 5);
      CHECK(g(i, j) == 2 - x);
    }
}

TEST_CASE("strided, transposed and sliced views are operands like any other") {
  const Matrix m = counting(18, 21);
  const Matrix every_other = m(fx::all, fx::slice{1, std::nullopt, 3}) * 2, transposed = m.t() + 1, block = m(fx::slice{2, 9}, fx::slice{3, 20}) - m(fx::slice{1, 8}, fx::slice{0, 17});
  REQUIRE(every_other.extent(1) == 7);
  REQUIRE(transposed.extent(0) == 21);
  for (fx::index_t i = 0; i < 18; ++i)
    for (fx::index_t j = 0; j < 7; ++j) CHECK(every_other(i, j) == 2 * m(i, 1 + 3 * j));
  for (fx::index_t i = 0; i < 21; ++i)
    for (fx::index_t j = 0; j < 18; ++j) CHECK(transposed(i, j) == m(j, i) + 1);
  for (fx::index_t i = 0; i < 7; ++i)
    for (fx::index_t j = 0; j < 17; ++j) CHECK(block(i, j) == 103);
  const Float column = m(fx::all, 4) + m(fx::all, 5);
  CHECK(column(17) == 2 * 1700 + 9);
  const Matrix sum = m + m.t().t();
  CHECK(sum(17, 20) == 2 * 1720);
}

TEST_CASE("strided and transposed views are destinations, and only what they show is written") {
  Matrix m = fx::full<float>({6, 9}, -1);
  const Matrix x = counting(6, 3);
  m(fx::all, fx::slice{1, std::nullopt, 3}) = x + 1;
  for (fx::index_t i = 0; i < 6; ++i)
    for (fx::index_t j = 0; j < 9; ++j) CHECK(m(i, j) == (j % 3 == 1 ? x(i, j / 3) + 1 : -1));
  Matrix t = fx::zeros<float>({3, 6});
  t.t() = x * 2;
  for (fx::index_t i = 0; i < 3; ++i)
    for (fx::index_t j = 0; j < 6; ++j) CHECK(t(i, j) == 2 * x(j, i));
  Bool flags = fx::full<bool>({9}, false);
  flags(fx::slice{0, std::nullopt, 2}) = Float{1, -1, 1, -1, 1} > 0;
  CHECK(flags(0));
  CHECK_FALSE(flags(1));
  CHECK_FALSE(flags(2));
  CHECK(flags(8));
}
