// Extents that follow from others, of slices and inferred reshapes, where run-time extents of 1 broadcast; checks of several reshapes.
#include <doctest/doctest.h>

#include <fluxion/autodiff/transform.hpp>
#include <fluxion/fluxion.hpp>
#include <fluxion/tensor/factory.hpp>

#include <cstdint>

namespace fx = fluxion;
using fx::index_t;

namespace {

using Matrix = fx::Tensor<double, fx::dims<2>>;
using Vector = fx::Tensor<double, fx::dims<1>>;

Matrix numbers(index_t rows, index_t columns, double from) {
  Matrix x = fx::full<double>({rows, columns}, 0);
  for (index_t i = 0; i < x.size(); ++i) x.data()[i] = from + static_cast<double>(i);
  return x;
}

}  // namespace

TEST_CASE("a reshape of a sum of a row and a matrix has the sum's elements, whichever comes first") {
  const Matrix row = numbers(1, 3, 0), matrix = numbers(5, 3, 10);
  constexpr auto flat = fx::compile([](auto a, auto b) { return fx::flatten<0, 1>(a + b); });
  constexpr auto inferred = fx::compile([](auto a, auto b) { return fx::reshape<-1>(a + b); });
  for (const Vector& y : {Vector(flat(row, matrix)), Vector(flat(matrix, row)), Vector(inferred(row, matrix))}) {
    REQUIRE(y.size() == 15);
    CHECK(y(0) == 10);
    CHECK(y(14) == 26);
  }
  CHECK(inferred(numbers(1, 1, 0), numbers(0, 1, 0)).size() == 0);
}

TEST_CASE("a slice of a sum of a row and a matrix takes rows of the sum, and an end beyond them raises") {
  const Matrix row = numbers(1, 3, 0), matrix = numbers(5, 3, 10);
  const Matrix all_but_one = fx::compile([](auto a, auto b) { return fx::slice_axis<0, 1, (std::int64_t{1} << 62)>(a + b); })(row, matrix);
  REQUIRE(all_but_one.extent(0) == 4);
  CHECK(all_but_one(3, 2) == 26);
  constexpr auto two = fx::compile([](auto a, auto b) { return fx::slice_axis<0, 1, 3>(a + b); });
  const Matrix rows = two(row, matrix);
  REQUIRE(rows.extent(0) == 2);
  CHECK(rows(0, 0) == 13);
  CHECK_THROWS_AS(two(row, numbers(2, 3, 10)), fx::IndexError);
}

TEST_CASE("what broadcasts may follow a reshape of what was broadcast, and what does not fit raises") {
  constexpr auto f = fx::compile([](auto a, auto b, auto c) { return fx::flatten<0, 1>(a + b) * c; });
  const Matrix row = numbers(1, 3, 0), matrix = numbers(5, 3, 10);
  const Vector weights = fx::full<double>({15}, 2), one = fx::full<double>({1}, 3), wrong = fx::full<double>({14}, 2);
  CHECK(f(row, matrix, weights)(14) == 52);
  CHECK(f(row, matrix, one)(14) == 78);
  CHECK_THROWS_AS(f(row, matrix, wrong), fx::ShapeError);
  CHECK_THROWS_AS(f(numbers(2, 3, 0), matrix, weights), fx::ShapeError);
}

TEST_CASE("each of several reshapes into rows of three is checked") {
  constexpr auto f = fx::compile([](auto a, auto b) { return fx::sum(fx::reshape<-1, 3>(a)) + fx::sum(fx::reshape<-1, 3>(b)); });
  const Matrix good = numbers(2, 3, 0), bad = numbers(2, 2, 0);
  CHECK(f(good, good).item() == 30);
  CHECK_THROWS_AS(f(good, bad), fx::ShapeError);
  CHECK_THROWS_AS(f(bad, good), fx::ShapeError);
}

TEST_CASE("a product without inner elements is zero, however large") {
  const Matrix x = fx::full<double>({0, 60}, 1), w = fx::full<double>({60, 50}, 1);
  const Matrix g = fx::grad<1>([](auto a, auto b) { return fx::sum(fx::matmul(a, b)); })(x, w);
  REQUIRE(g.extent(1) == 50);
  CHECK(g(59, 49) == 0);
}

TEST_CASE("a count has a place in memory where it is put beside other numbers") {
  const Vector x = {1, 2, 3};
  const auto y = fx::compile([](auto v) { return fx::stack(v.count(1u), fx::sum(v)); })(x);
  CHECK(y(0) == 3);
  CHECK(y(1) == 6);
}
