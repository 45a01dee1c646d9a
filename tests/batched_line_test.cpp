// vmap of functions of small tensors: straight-line code with an example in each lane.
// matrix
#include <doctest/doctest.h>

#include <fluxion/autodiff/jacobian.hpp>
#include <fluxion/autodiff/vmap.hpp>
#include <fluxion/tensor/factory.hpp>
#include <fluxion/tensor/plan_of.hpp>

#include <cmath>

namespace fx = fluxion;

namespace {

template <class T>
using Rows = fx::Tensor<T, fx::extents<fx::dynamic_extent, 3>>;
template <class T>
using Row = fx::Tensor<T, fx::extents<3>>;

template <class T>
Rows<T> rows(fx::index_t n, double step) {
  Rows<T> x(fx::uninitialized, fx::extents<fx::dynamic_extent, 3>(n, 3));
  for (fx::index_t i = 0; i < n; ++i)
    for (fx::index_t k = 0; k < 3; ++k) x(i, k) = static_cast<T>(std::sin(step * static_cast<double>(3 * i + k)));
  return x;
}
template <class T>
Row<T> row(const Rows<T>& x, fx::index_t i) { return {x(i, 0), x(i, 1), x(i, 2)}; }

// Reductions, products, choices, comparisons; a matrix and a number that are the same for all.
constexpr auto mixed = [](auto x, auto y, auto m, auto rate) {
  auto turned = fx::matmul(m, x) * rate;
  auto soft = fx::softmax(turned, fx::axis<0>);
  auto large = turned > y;
  return std::tuple(soft, fx::where(large, fx::exp(y), turned), large, fx::argmax(turned, fx::axis<0>), fx::unsqueeze<1>(x) * y, fx::sum(m) * 2);
};
constexpr auto bend = [](auto x, auto y) { return fx::sum(fx::tanh(x) * y) / (1 + x[1] * x[1]) + y[2] * fx::max(x); };

}  // namespace

TEST_CASE_TEMPLATE("each example of a batch of any size gets what the function gives for it alone", T, float, double) {
  const fx::Tensor<T, fx::extents<3, 3>> m = {{T(1), T(-2), T(0.5)}, {T(0), T(1), T(3)}, {T(-1), T(0.25), T(1)}};
  constexpr auto f = fx::vmap(mixed, fx::in_dims<0, 0, fx::none, fx::none>);
  constexpr T tolerance = sizeof(T) == 4 ? T(1e-6) : T(1e-14);
  for (const fx::index_t n : {0, 1, 3, 7, 8, 16, 17, 37}) {
    const Rows<T> x = rows<T>(n, 0.7), y = rows<T>(n, 1.3);
    const auto [soft, chosen, large, best, outer, total] = f(x, y, m, T(0.75));
    REQUIRE(soft.extents().extent(0) == n);
    for (fx::index_t i = 0; i < n; ++i) {
      const auto [soft1, chosen1, large1, best1, outer1, total1] = fx::compile(mixed)(row(x, i), row(y, i), m, T(0.75));
      CHECK(best(i) == best1.item());
      CHECK(total(i) == total1.item());
      for (fx::index_t k = 0; k < 3; ++k) {
        CHECK(std::abs(soft(i, k) - soft1(k)) <= tolerance);
        CHECK(std::abs(chosen(i, k) - chosen1(k)) <= 4 * tolerance);
        CHECK(large(i, k) == large1(k));
        for (fx::index_t j = 0; j < 3; ++j) CHECK(outer(i, k, j) == outer1(k, j));
      }
    }
  }
}

TEST_CASE("a batch of small examples is one kernel, which reads and writes each element once") {
  const Rows<double> x = rows<double>(21, 0.7), y = rows<double>(21, 1.3);
  constexpr auto g = fx::vmap(fx::value_and_grad<0, 1>(bend));
  fx::CountingScope scope;
  const auto [v, dx, dy] = g(x, y);
  CHECK(scope.counters().kernels == 1);
  CHECK(scope.counters().copies == 0);
  CHECK(scope.counters().bytes == 21 * (3 + 3 + 1 + 3 + 3) * 8);
  CHECK(fx::explain(g, x, y).find("straight line for packets of examples") != std::string::npos);
  for (fx::index_t i = 0; i < 21; ++i) {
    const auto [v1, dx1, dy1] = fx::value_and_grad<0, 1>(bend)(row(x, i), row(y, i));
    CHECK(v(i) == doctest::Approx(v1.item()).epsilon(1e-13));
    for (fx::index_t k = 0; k < 3; ++k) {
      CHECK(dx(i, k) == doctest::Approx(dx1(k)).epsilon(1e-13));
      CHECK(dy(i, k) == doctest::Approx(dy1(k)).epsilon(1e-13));
    }
  }
}

TEST_CASE("a map of rows stays one loop over all elements") {
  const Rows<float> x = rows<float>(9, 0.7);
  constexpr auto f = fx::vmap([](auto v) { return fx::exp(v) * 2 + 1; });
  CHECK(fx::explain(f, x).find("straight line") == std::string::npos);
  CHECK(f(x)(8, 2) == doctest::Approx(std::exp(x(8, 2)) * 2 + 1));
}

TEST_CASE("batch axes may be any and elements may lie apart") {
  constexpr auto f = [](auto a, auto b) { return std::tuple(fx::matmul(a, b), fx::sum(a)); };
  fx::Tensor<double, fx::extents<2, fx::dynamic_extent, 3>> a(fx::uninitialized, fx::extents<2, fx::dynamic_extent, 3>(2, 22, 3));
  fx::Tensor<double, fx::extents<3, 2, fx::dynamic_extent>> b(fx::uninitialized, fx::extents<3, 2, fx::dynamic_extent>(3, 2, 11));
  double next = 0;
  for (fx::index_t i = 0; i < 2 * 22 * 3; ++i) a.data()[i] = std::sin(next += 0.9);
  for (fx::index_t i = 0; i < 3 * 2 * 11; ++i) b.data()[i] = std::sin(next += 0.9);
  const auto other = a.view()(fx::all, fx::slice{1, std::nullopt, 2}, fx::all);  // every second example
  const auto [y, s] = fx::vmap(f, fx::in_dims<1, -1>, fx::out_dims<1, 0>)(other, b);
  static_assert(std::is_same_v<decltype(y), const fx::Tensor<double, fx::extents<2, fx::dynamic_extent, 2>>>);
  for (fx::index_t n = 0; n < 11; ++n) {
    double sum = 0;
    for (fx::index_t i = 0; i < 2; ++i)
      for (fx::index_t j = 0; j < 2; ++j) {
        double product = 0;
        for (fx::index_t k = 0; k < 3; ++k) product += a(i, 2 * n + 1, k) * b(k, j, n);
        CHECK(y(i, n, j) == doctest::Approx(product));
        for (fx::index_t k = 0; k < 3 && j == 0; ++k) sum += a(i, 2 * n + 1, k);
      }
    CHECK(s(n) == doctest::Approx(sum));
  }
}

TEST_CASE("results may be written over arguments") {
  Rows<double> x = rows<double>(19, 0.7);
  const Rows<double> before = x;
  fx::vmap([](auto v) { return v * fx::sum(v); }).into(x, x);
  auto shifted = x.view()(fx::slice{0, 18}, fx::all), from = x.view()(fx::slice{1, 19}, fx::all);
  fx::vmap([](auto v) { return v - fx::mean(v); }).into(shifted, from);
  for (fx::index_t i = 0; i + 1 < 19; ++i) {
    const double s = before(i + 1, 0) + before(i + 1, 1) + before(i + 1, 2);
    for (fx::index_t k = 0; k < 3; ++k) CHECK(x(i, k) == doctest::Approx(before(i + 1, k) * s - s * s / 3));
  }
}

TEST_CASE("batches that differ raise, and static ones are known") {
  constexpr auto f = fx::vmap([](auto a, auto b) { return fx::sum(a * b); });
  CHECK_THROWS_AS(f(rows<double>(4, 1), rows<double>(5, 1)), fx::ShapeError);
  fx::Tensor<double, fx::extents<20, 3>> known;
  for (fx::index_t i = 0; i < 60; ++i) known.data()[i] = static_cast<double>(i);
  const auto y = f(known, known);
  static_assert(std::is_same_v<decltype(y), const fx::Tensor<double, fx::extents<20>>>);
  static_assert(fx::plan_of_call<decltype(f), decltype(known), decltype(known)>.bytes == 20 * (3 + 3 + 1) * 8);
  CHECK(y(19) == 57 * 57 + 58 * 58 + 59 * 59);
  CHECK_THROWS_AS(f(known, rows<double>(5, 1)), fx::ShapeError);
}

TEST_CASE("truth values and integers go through packets too") {
  using Flags = fx::Tensor<bool, fx::extents<fx::dynamic_extent, 3>>;
  using Counts = fx::Tensor<std::int32_t, fx::extents<fx::dynamic_extent, 3>>;
  Flags on(fx::uninitialized, fx::extents<fx::dynamic_extent, 3>(13, 3));
  Counts count(fx::uninitialized, fx::extents<fx::dynamic_extent, 3>(13, 3));
  for (fx::index_t i = 0; i < 39; ++i) on.data()[i] = i % 3 == 1 || i % 5 == 0, count.data()[i] = static_cast<std::int32_t>(i * i - 100);
  const auto [chosen, most, as_float, any] = fx::vmap([](auto m, auto c) {
    return std::tuple(fx::sum(fx::where(m, c, 0)), fx::max(c), fx::mean(fx::cast<float>(c)), fx::logical_or(m[0], m[2]));
  })(on, count);
  for (fx::index_t i = 0; i < 13; ++i) {
    std::int64_t s = 0;
    std::int32_t m = count(i, 0);
    float f = 0;
    for (fx::index_t k = 0; k < 3; ++k) s += on(i, k) ? count(i, k) : 0, m = std::max(m, count(i, k)), f += static_cast<float>(count(i, k));
    CHECK(chosen(i) == s);
    CHECK(most(i) == m);
    CHECK(as_float(i) == doctest::Approx(f / 3));
    CHECK(any(i) == (on(i, 0) || on(i, 2)));
  }
}

TEST_CASE("Jacobians of a batch leave out what a direction does not have, infinite slopes included") {
  constexpr auto f = [](auto x) { return std::tuple(fx::sqrt(x[0]) * x[1], x[2] * x[2]); };
  Rows<double> x = rows<double>(10, 0.7);
  x(4, 0) = 0;
  for (fx::index_t i = 0; i < 10; ++i) x(i, 0) = std::abs(x(i, 0));
  const auto [a, b] = fx::vmap(fx::jacfwd(f))(x);
  for (fx::index_t i = 0; i < 10; ++i) {
    CHECK(a(i, 1) == doctest::Approx(std::sqrt(x(i, 0))));
    CHECK(a(i, 2) == 0);
    CHECK(b(i, 0) == 0);
    CHECK(b(i, 2) == doctest::Approx(2 * x(i, 2)));
  }
  CHECK(std::isinf(a(4, 0)));
}
