// Jacobians: their shapes and values, both modes against each other, blocks of small residuals.
#include <doctest/doctest.h>

#include <fluxion/autodiff/jacobian.hpp>
#include <fluxion/autodiff/vmap.hpp>
#include <fluxion/tensor/factory.hpp>

#include <algorithm>
#include <cmath>

namespace fx = fluxion;

namespace {

using Matrix = fx::Tensor<double, fx::dims<2>>;
using Vector = fx::Tensor<double, fx::dims<1>>;

constexpr auto network = [](auto w, auto x) { return fx::tanh(fx::matmul(w, x)) * fx::sum(x * x); };

const Matrix w = {{0.1, -0.3, 0.2}, {0.5, 0.4, -0.6}};
const Vector x = {1, 2, -0.5};

/// Where a camera, slightly turned, sees a point, less where it was observed. [2] of [7], [3] and [2].
constexpr auto reprojection = [](auto camera, auto point, auto seen, auto levi_civita) {
  const auto turn = fx::slice_axis<0, 0, 3>(camera), position = fx::slice_axis<0, 3, 6>(camera), focal = fx::slice_axis<0, 6, 7>(camera);
  const auto p = point - position;
  const auto q = p + fx::matmul(fx::matmul(levi_civita, p), turn);
  return focal * fx::slice_axis<0, 0, 2>(q) / fx::slice_axis<0, 2, 3>(q) - seen;
};

}  // namespace

TEST_CASE("a Jacobian has the result's extents and then the argument's, and both modes and differences agree") {
  const auto reverse = fx::jacrev<0, 1>(network)(w, x), forward = fx::jacfwd<0, 1>(network)(w, x);
  const auto& [dw, dx] = reverse;
  static_assert(std::is_same_v<decltype(dw), const fx::Tensor<double, fx::dims<3>>> && std::is_same_v<decltype(dx), const Matrix>);
  CHECK(dw.extents() == fx::dims<3>(2, 2, 3));
  const auto f = fx::compile(network);
  for (fx::index_t k = 0; k < 12; ++k) CHECK(dw.data()[k] == doctest::Approx(std::get<0>(forward).data()[k]));
  for (fx::index_t j = 0; j < 3; ++j) {
    Vector above = x, below = x;
    above(j) += 1e-6;
    below(j) -= 1e-6;
    const Vector a = f(w, above), b = f(w, below);
    for (fx::index_t i = 0; i < 2; ++i) {
      CHECK(dx(i, j) == doctest::Approx((a(i) - b(i)) / 2e-6).epsilon(1e-7));
      CHECK(std::get<1>(forward)(i, j) == doctest::Approx(dx(i, j)));
    }
  }
}

TEST_CASE("Jacobians of static extents are static, and a number's is one value for each result") {
  const fx::Tensor<double, fx::extents<3>> v = {1, 2, 3};
  constexpr auto f = [](auto a, auto s) { return fx::sin(a * s); };
  const auto j = fx::jacfwd(f)(v, 2.0);
  static_assert(std::is_same_v<decltype(j), const fx::Tensor<double, fx::extents<3, 3>>>);
  CHECK(j(1, 1) == doctest::Approx(2 * std::cos(4)));
  CHECK(j(1, 2) == 0);
  const auto s = fx::jacrev<1>(f)(v, 2.0);
  CHECK(s(2) == doctest::Approx(3 * std::cos(6)));
  const auto t = fx::jacfwd<1>(f)(v, 2.0);
  CHECK(t(2) == doctest::Approx(3 * std::cos(6)));
}

TEST_CASE("the Jacobians of several results by several arguments are a tuple for each result") {
  const auto j = fx::jacfwd<0, 1>([](auto a, auto b) { return std::tuple(a * b, fx::sum(b)); })(x, x);
  CHECK(std::get<1>(std::get<0>(j))(2, 2) == -0.5);
  CHECK(std::get<0>(std::get<1>(j))(0) == 0);
  CHECK(std::get<1>(std::get<1>(j))(0) == 1);
  CHECK(std::get<1>(fx::jacrev([](auto a) { return std::tuple(a, a * a); })(x))(1, 1) == 4);
}

TEST_CASE("the Jacobian of many small residuals is their blocks, never the dense matrix") {
  using Cameras = fx::Tensor<double, fx::extents<fx::dynamic_extent, 7>>;
  using Points = fx::Tensor<double, fx::extents<fx::dynamic_extent, 3>>;
  using Seen = fx::Tensor<double, fx::extents<fx::dynamic_extent, 2>>;
  fx::Tensor<double, fx::extents<3, 3, 3>> levi_civita = fx::zeros;
  levi_civita(0, 1, 2) = levi_civita(1, 2, 0) = levi_civita(2, 0, 1) = -1;
  levi_civita(0, 2, 1) = levi_civita(2, 1, 0) = levi_civita(1, 0, 2) = 1;
  constexpr fx::index_t n = 50;
  Cameras cameras = fx::zeros<double>({n, 7});
  Points points = fx::zeros<double>({n, 3});
  Seen seen = fx::zeros<double>({n, 2});
  for (fx::index_t i = 0; i < 7 * n; ++i) cameras.data()[i] = 0.3 * std::sin(static_cast<double>(i)) + (i % 7 == 5 ? -4 : i % 7 == 6 ? 2 : 0);
  for (fx::index_t i = 0; i < 3 * n; ++i) points.data()[i] = std::cos(static_cast<double>(i));
  constexpr auto blocks = fx::vmap(fx::jacfwd<0, 1>(reprojection), fx::in_dims<0, 0, 0, fx::none>);
  const auto [by_camera, by_point] = blocks(cameras, points, seen, levi_civita);
  static_assert(std::is_same_v<decltype(by_camera), const fx::Tensor<double, fx::extents<fx::dynamic_extent, 2, 7>>>);
  static_assert(std::is_same_v<decltype(by_point), const fx::Tensor<double, fx::extents<fx::dynamic_extent, 2, 3>>>);
  constexpr auto residuals = fx::vmap(reprojection, fx::in_dims<0, 0, 0, fx::none>);
  for (int c = 0; c < 7; ++c) {
    Cameras above = cameras, below = cameras;
    for (int i = 0; i < n; ++i) {
      above(i, c) += 1e-6;
      below(i, c) -= 1e-6;
    }
    const Seen a = residuals(above, points, seen, levi_civita), b = residuals(below, points, seen, levi_civita);
    double worst = 0;
    for (int i = 0; i < n; ++i)
      for (int k = 0; k < 2; ++k) worst = std::max(worst, std::abs(by_camera(i, k, c) - (a(i, k) - b(i, k)) / 2e-6));
    CHECK(worst < 1e-8);
  }
  fx::CountingScope scope;
  static_cast<void>(blocks(cameras, points, seen, levi_civita));
  CHECK(scope.counters().contractions == 0);               // products as small as these are part of the kernels around them
  CHECK(scope.counters().temporary_bytes < n * 100 * 8);  // a few values for each residual; the dense Jacobian has 100 rows of 500
}

TEST_CASE("a run-time extent of 1 that broadcasts has a Jacobian of its own extents") {
  const Vector a = {3}, b = {1, 2, 4};
  constexpr auto f = [](auto u, auto v) { return u * v; };
  for (const auto& j : {fx::jacrev(f)(a, b), fx::jacfwd(f)(a, b)}) {
    CHECK(j.extents() == fx::dims<2>(3, 1));
    CHECK(j(2, 0) == 4);
  }
}

TEST_CASE("inside a function a Jacobian is a value like any other") {
  // The gradient of the squared norm of the Jacobian of v³, which is diagonal with 3v².
  const Vector g = fx::grad([](auto v) {
    const auto j = fx::jacrev([](auto u) { return u * u * u; })(v);
    return fx::sum(j * j);
  })(x);
  for (int i = 0; i < 3; ++i) CHECK(g(i) == doctest::Approx(36 * x(i) * x(i) * x(i)));
  const Vector d = fx::compile([](auto v) { return fx::sum(fx::jacfwd([](auto u) { return u * u; })(v), fx::axis<0>); })(x);
  CHECK(d(1) == 4);
}
