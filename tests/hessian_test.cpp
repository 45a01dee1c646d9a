// Hessians: values, blocks, of batches, of what broadcasts at run time.
#include <doctest/doctest.h>

#include <fluxion/autodiff/jacobian.hpp>
#include <fluxion/autodiff/jvp.hpp>
#include <fluxion/autodiff/vmap.hpp>
#include <fluxion/tensor/factory.hpp>

namespace fx = fluxion;

namespace {

using Matrix = fx::Tensor<double, fx::dims<2>>;
using Vector = fx::Tensor<double, fx::dims<1>>;

const Matrix w = {{0.1, -0.3, 0.2}, {0.5, 0.4, -0.6}};
const Vector x = {1, 2, -0.5};

}  // namespace

TEST_CASE("the Hessian is that of the formula, and its blocks are symmetric") {
  constexpr auto rosenbrock = [](auto v) {
    const auto a = fx::slice_axis<0, 0, 1>(v), b = fx::slice_axis<0, 1, 2>(v);
    return fx::sum(fx::pow(1 - a, 2) + 100 * fx::pow(b - a * a, 2));
  };
  const fx::Tensor<double, fx::extents<2>> at = {0.7, -0.3};
  const auto h = fx::hessian(rosenbrock)(at);
  static_assert(std::is_same_v<decltype(h), const fx::Tensor<double, fx::extents<2, 2>>>);
  CHECK(h(0, 0) == doctest::Approx(2 - 400 * (at(1) - 3 * at(0) * at(0))));
  CHECK(h(0, 1) == doctest::Approx(-400 * at(0)));
  CHECK(h(1, 0) == h(0, 1));
  CHECK(h(1, 1) == doctest::Approx(200));
  const auto blocks = fx::hessian<0, 1>([](auto m, auto v) { return fx::sum(fx::tanh(fx::matmul(m, v)) * fx::sum(v * v)); })(w, x);
  const auto& mixed = std::get<1>(std::get<0>(blocks));
  const auto& transposed = std::get<0>(std::get<1>(blocks));
  CHECK(mixed.extents() == fx::dims<3>(2, 3, 3));
  CHECK(transposed.extents() == fx::dims<3>(3, 2, 3));
  for (int i = 0; i < 2; ++i)
    for (int j = 0; j < 3; ++j)
      for (int k = 0; k < 3; ++k) CHECK(mixed(i, j, k) == doctest::Approx(transposed(k, i, j)));
}

TEST_CASE("the Hessian times a direction is what hvp gives") {
  constexpr auto f = [](auto v) { return fx::logsumexp(v * v); };
  const Vector d = {0.3, -1, 2};
  const Matrix h = fx::hessian(f)(x);
  const Vector product = fx::hvp(f)(x, d);
  for (int i = 0; i < 3; ++i) CHECK(product(i) == doctest::Approx(h(i, 0) * d(0) + h(i, 1) * d(1) + h(i, 2) * d(2)));
}

TEST_CASE("vmap of a Hessian is a Hessian for each example") {
  const Matrix xs = {{1, 2}, {3, -1}};
  const auto h = fx::vmap(fx::hessian([](auto v) { return fx::sum(v * v * v) + fx::sum(v) * fx::sum(v); }))(xs);
  CHECK(h.extents() == fx::dims<3>(2, 2, 2));
  for (int n = 0; n < 2; ++n)
    for (int i = 0; i < 2; ++i)
      for (int k = 0; k < 2; ++k) CHECK(h(n, i, k) == doctest::Approx(2 + (i == k ? 6 * xs(n, i) : 0)));
}

TEST_CASE("a run-time extent of 1 that broadcasts has Hessian blocks of its own extents") {
  const Vector a = {3}, b = {1, 2, 4};
  const auto h = fx::hessian<0, 1>([](auto u, auto v) { return fx::sum(u * u * v); })(a, b);
  CHECK(std::get<0>(std::get<0>(h)).extents() == fx::dims<2>(1, 1));
  CHECK(std::get<0>(std::get<0>(h))(0, 0) == 14);
  CHECK(std::get<1>(std::get<0>(h))(0, 2) == 6);
  CHECK(std::get<0>(std::get<1>(h))(2, 0) == 6);
}
