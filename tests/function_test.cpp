// Traced functions: what they compute, where they put it, what they refuse.
#include <doctest/doctest.h>

#include <fluxion/graph/function/composition.hpp>
#include <fluxion/tensor/factory.hpp>
#include <fluxion/tensor/function.hpp>

#include <cmath>
#include <utility>

namespace fx = fluxion;

namespace {
using Vector = fx::Tensor<float, fx::dims<1>>;

constexpr auto axpy = fx::compile([](auto a, auto x, auto y) { return a * x + y; });
constexpr auto moments = fx::compile([](auto x) { return std::tuple(fx::mean(x), fx::mean(x * x)); });
constexpr auto swap_both = fx::compile([](auto x, auto y) { return std::pair(y, x); });
constexpr auto update_function = [](auto p, auto m, auto g) {
  const auto n = m * 0.5f + g;
  return std::tuple(p - n * 0.1f, n);
};
constexpr auto update = fx::compile(update_function);
}  // namespace

TEST_CASE("a traced function computes a new tensor from tensors and numbers") {
  Vector x = {1, 2, 3}, y = {10, 20, 30};
  const fx::Tensor z = axpy(2.f, x, y);
  CHECK(z(0) == 12);
  CHECK(z(2) == 36);
}

TEST_CASE("a traced function takes views and static tensors and keeps static extents") {
  fx::Tensor<float, fx::extents<2, 2>> a = {{1, 2}, {3, 4}};
  const auto product = fx::compile([](auto m, auto n) { return fx::matmul(m, n); })(a, a.t());
  static_assert(std::is_same_v<decltype(product), const fx::Tensor<float, fx::extents<2, 2>>>);
  CHECK(product(0, 0) == 5);
  CHECK(product(1, 1) == 25);
}

TEST_CASE("a function of several results gives a tuple") {
  Vector x = {1, 2, 3};
  const auto [first, second] = moments(x);
  CHECK(first.item() == doctest::Approx(2));
  CHECK(second.item() == doctest::Approx(14. / 3));
}

TEST_CASE("results go into given tensors, which may be arguments") {
  Vector x = {1, 2, 3}, y = {10, 20, 30};
  axpy.into(y, 2.f, x, y);
  CHECK(y(1) == 24);
  fx::Tensor<float, fx::dims<2>> rows = fx::zeros<float>({2, 3});
  axpy.into(rows[1], 1.f, x, x);
  CHECK(rows(0, 2) == 0);
  CHECK(rows(1, 2) == 6);
  swap_both.into(std::tie(x, y), x, y);
  CHECK(x(1) == 24);
  CHECK(y(1) == 2);
}

TEST_CASE("an update of two tensors in place is one kernel without copies") {
  Vector p = {1, 2}, m = {2, 4}, g = {1, 1};
  fx::CountingScope scope;
  update.into(std::tie(p, m), p, m, g);
  CHECK(scope.counters().kernels == 1);
  CHECK(scope.counters().temporary_bytes == 0);
  CHECK(m(1) == 3);
  CHECK(p(1) == doctest::Approx(1.7));
}

TEST_CASE("what may be computed in place is told from the plan") {
  using call = fx::detail::plan_call<fx::detail::function_source<std::remove_const_t<decltype(update_function)>, Vector, Vector, Vector>>;
  static_assert(fx::detail::may_be_in_place(call::view, 0, 0));
  static_assert(fx::detail::may_be_in_place(call::view, 1, 1));
}

TEST_CASE("a destination of other extents raises and stays as it was") {
  Vector x = {1, 2, 3}, z = {7, 7};
  CHECK_THROWS_AS(axpy.into(z, 1.f, x, x), fx::ShapeError);
  CHECK(z(0) == 7);
  CHECK_THROWS_AS(axpy(1.f, x, z), fx::ShapeError);
}

TEST_CASE("a traced function called while tracing another becomes part of it") {
  const auto both = fx::compile([](auto x) { return axpy(x, x, 1); });
  Vector x = {1, 2, 3};
  CHECK(both(x)(2) == 10);
}

TEST_CASE("a function of numbers alone gives a tensor of rank 0") {
  const auto f = fx::compile([](auto x) { return x * x + 1; });
  CHECK(f(3.0).item() == 10);
}
