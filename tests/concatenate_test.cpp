// cat, stack and unflatten: values, derivatives, batches, in straight-line code and in loops.
// matrix
#include <doctest/doctest.h>

#include <fluxion/autodiff/jacobian.hpp>
#include <fluxion/autodiff/jvp.hpp>
#include <fluxion/autodiff/vmap.hpp>
#include <fluxion/fluxion.hpp>
#include <fluxion/tensor/factory.hpp>

#include <cmath>

namespace fx = fluxion;

namespace {

template <std::size_t Columns>
using Rows = fx::Tensor<double, fx::extents<fx::dynamic_extent, Columns>>;

template <std::size_t Columns>
Rows<Columns> rows(fx::index_t n, double start) {
  Rows<Columns> x(fx::uninitialized, fx::extents<fx::dynamic_extent, Columns>(n, static_cast<fx::index_t>(Columns)));
  for (fx::index_t i = 0; i < x.size(); ++i) x.data()[i] = std::sin(start + 0.7 * static_cast<double>(i));
  return x;
}

constexpr auto joined = [](auto a, auto b, auto c, auto d) { return fx::cat<1>(a, fx::exp(b), c, d * 2, fx::transpose(fx::transpose(a))); };
constexpr auto weighted = [](auto a, auto b, auto weights) {
  auto y = fx::cat<-1>(a, b * b);
  return fx::sum(y * weights * y);
};

}  // namespace

TEST_CASE("cat puts values of run-time rows one behind the other, whatever was computed before") {
  const Rows<3> a = rows<3>(5, 0), c = rows<3>(5, 2);
  const Rows<1> b = rows<1>(5, 1);
  const Rows<20> d = rows<20>(5, 3);
  const auto y = fx::compile(joined)(a, b, c, d);
  static_assert(std::is_same_v<decltype(y), const Rows<30>>);
  for (fx::index_t i = 0; i < 5; ++i) {
    for (fx::index_t k = 0; k < 3; ++k) {
      CHECK(y(i, k) == a(i, k));
      CHECK(y(i, 4 + k) == c(i, k));
      CHECK(y(i, 27 + k) == a(i, k));
    }
    CHECK(y(i, 3) == doctest::Approx(std::exp(b(i, 0))));
    for (fx::index_t k = 0; k < 20; ++k) CHECK(y(i, 7 + k) == 2 * d(i, k));
  }
  const Rows<6> e = fx::cat<1>(a, c);  // an expression
  CHECK(e(4, 5) == c(4, 2));
  const Rows<6> z = fx::exp(fx::cat<1>(a, c)) + e;
  CHECK(z(4, 5) == doctest::Approx(std::exp(c(4, 2)) + c(4, 2)));
}

TEST_CASE("cat of two is one copy of each element") {
  const Rows<3> a = rows<3>(5, 0), c = rows<3>(5, 2);
  fx::CountingScope scope;
  const Rows<6> e = fx::cat<1>(a, c);
  CHECK(scope.counters().kernels == 1);
  CHECK(scope.counters().bytes == 2 * 30 * 8);
}

TEST_CASE("rows that differ raise, and signs of zeros and NaN survive") {
  CHECK_THROWS_AS((Rows<6>(fx::cat<1>(rows<3>(4, 0), rows<3>(5, 0)))), fx::ShapeError);
  const fx::Tensor<float, fx::extents<2>> a = {-0.f, std::nanf("")};
  const fx::Tensor<float, fx::extents<4>> y = fx::cat(a, a);
  CHECK(std::signbit(y(2)));
  CHECK(std::isnan(y(3)));
}

TEST_CASE("operands meet in one type") {
  const fx::Tensor<std::int32_t, fx::extents<2>> a = {1, 2};
  const fx::Tensor<float, fx::extents<1>> b = {0.5f};
  const auto y = fx::evaluate(fx::cat(a, b));
  static_assert(std::is_same_v<decltype(y), const fx::Tensor<float, fx::extents<3>>>);
  CHECK(y(0) == 1);
  CHECK(y(2) == 0.5f);
}

TEST_CASE("the adjoint of cat are slices, its tangent is the cat of tangents") {
  const Rows<3> a = rows<3>(20, 0), da = rows<3>(20, 5);
  const Rows<2> b = rows<2>(20, 1);
  const Rows<5> w = rows<5>(20, 2);
  const auto [value, ga, gb] = fx::value_and_grad<0, 1>(weighted)(a, b, w);
  const auto [again, slope] = fx::jvp<0>(weighted)(a, b, w, da);
  double expected = 0, tangent = 0;
  for (fx::index_t i = 0; i < 20; ++i) {
    for (fx::index_t k = 0; k < 3; ++k) {
      expected += a(i, k) * a(i, k) * w(i, k);
      tangent += 2 * a(i, k) * w(i, k) * da(i, k);
      CHECK(ga(i, k) == doctest::Approx(2 * a(i, k) * w(i, k)));
    }
    for (fx::index_t k = 0; k < 2; ++k) {
      expected += std::pow(b(i, k), 4) * w(i, 3 + k);
      CHECK(gb(i, k) == doctest::Approx(4 * std::pow(b(i, k), 3) * w(i, 3 + k)));
    }
  }
  CHECK(value.item() == doctest::Approx(expected));
  CHECK(again.item() == doctest::Approx(expected));
  CHECK(slope.item() == doctest::Approx(tangent));
}

TEST_CASE("an extent that is known only by what it meets is a static one to cat and to its adjoint") {
  const fx::Tensor<double, fx::dims<1>> a = {1, 2, 3};
  const fx::Tensor<double, fx::extents<3>> b = {4, 5, 6};
  constexpr auto f = [](auto x, auto y) {
    auto z = x * y;  // so x has three elements
    return fx::sum(fx::pow(fx::cat(x, z, x), 2.0));
  };
  const auto g = fx::grad(f)(a, b);
  for (int k = 0; k < 3; ++k) CHECK(g(k) == doctest::Approx(4 * a(k) + 2 * a(k) * b(k) * b(k)));
}

TEST_CASE("stack makes a new axis of values and of numbers, anywhere") {
  const fx::Tensor<double, fx::dims<2>> a = {{1, 2, 3}, {4, 5, 6}}, b = {{7, 8, 9}, {10, 11, 12}};
  const auto first = fx::evaluate(fx::stack(a, b));
  static_assert(std::is_same_v<decltype(first), const fx::Tensor<double, fx::extents<2, fx::dynamic_extent, fx::dynamic_extent>>>);
  const auto last = fx::evaluate(fx::stack<-1>(a, b, a));
  for (int i = 0; i < 2; ++i)
    for (int j = 0; j < 3; ++j) {
      CHECK(first(0, i, j) == a(i, j));
      CHECK(first(1, i, j) == b(i, j));
      CHECK(last(i, j, 1) == b(i, j));
      CHECK(last(i, j, 2) == a(i, j));
    }
  constexpr auto vector = [](auto x, auto y) { return fx::stack(x * y, x, 2.0, fx::sin(y)); };
  const auto v = fx::compile(vector)(3.0, 0.5);
  static_assert(std::is_same_v<decltype(v), const fx::Tensor<double, fx::extents<4>>>);
  CHECK(v(0) == 1.5);
  CHECK(v(2) == 2);
  const auto j = fx::jacfwd<1>(vector)(3.0, 0.5);
  CHECK(j(0) == 3);
  CHECK(j(2) == 0);
  CHECK(j(3) == doctest::Approx(std::cos(0.5)));
}

TEST_CASE("stacked residuals of a batch have their Jacobians as blocks") {
  const Rows<3> x = rows<3>(11, 0);
  constexpr auto f = [](auto u) { return fx::stack(u[0] * u[1], fx::sum(u * u)); };
  const auto blocks = fx::vmap(fx::jacfwd(f))(x);
  static_assert(std::is_same_v<decltype(blocks), const fx::Tensor<double, fx::extents<fx::dynamic_extent, 2, 3>>>);
  for (fx::index_t i = 0; i < 11; ++i) {
    CHECK(blocks(i, 0, 0) == x(i, 1));
    CHECK(blocks(i, 0, 1) == x(i, 0));
    CHECK(blocks(i, 0, 2) == 0);
    for (fx::index_t k = 0; k < 3; ++k) CHECK(blocks(i, 1, k) == doctest::Approx(2 * x(i, k)));
  }
}

TEST_CASE("a batch of cat is cat of the batch, also beside what is the same for all") {
  const fx::Tensor<double, fx::dims<2>> x = {{1, 2}, {3, 4}, {5, 6}};
  const fx::Tensor<double, fx::extents<2>> same = {8, 9};
  constexpr auto f = [](auto u, auto v) { return fx::cat(fx::unflatten<0, 1, 2>(u), fx::unflatten<0, 1, -1>(v), fx::unflatten<0, 1, 2>(u * 2)); };
  const auto y = fx::vmap(f, fx::in_dims<0, fx::none>)(x, same);
  CHECK(y.extents() == fx::dims<3>(3, 3, 2));
  for (int i = 0; i < 3; ++i)
    for (int k = 0; k < 2; ++k) {
      CHECK(y(i, 0, k) == x(i, k));
      CHECK(y(i, 1, k) == same(k));
      CHECK(y(i, 2, k) == 2 * x(i, k));
    }
}

TEST_CASE("unflatten makes several axes of one, of static and run-time extent") {
  const fx::Tensor<double, fx::dims<2>> x = {{1, 2, 3, 4, 5, 6}, {7, 8, 9, 10, 11, 12}};
  const fx::Tensor<double, fx::extents<fx::dynamic_extent, 2, fx::dynamic_extent>> y = fx::unflatten<1, 2, -1>(x);
  CHECK(y(1, 1, 0) == 10);
  const fx::Tensor<double, fx::extents<4, 3>> s = fx::ones<double>({4, 3});
  const auto z = fx::evaluate(fx::unflatten<0, -1, 2>(s) * 2.0);
  static_assert(std::is_same_v<decltype(z), const fx::Tensor<double, fx::extents<2, 2, 3>>>);
  CHECK_THROWS_AS(fx::evaluate(fx::unflatten<1, 4, -1>(x)), fx::ShapeError);
}
