// The README's code about derivatives, which readme_test finds here.
#include <doctest/doctest.h>

#include <fluxion/autodiff/jacobian.hpp>
#include <fluxion/autodiff/loop.hpp>
#include <fluxion/autodiff/reverse.hpp>
#include <fluxion/autodiff/vmap.hpp>
#include <fluxion/fluxion.hpp>

namespace fx = fluxion;

TEST_CASE("the README's per-sample gradients and Hessian have the shapes it says") {
  const fx::Tensor<float, fx::extents<3>> w = {1, 2, 3};
  const fx::Tensor<float, fx::dims<2>> xs = {{1, 0, 0}, {0, 1, 0}};
  const fx::Tensor<float, fx::dims<1>> ys = {0, 1};
  constexpr auto sample_loss = [](auto w, auto x, auto y) { return fx::pow(fx::sum(w * x) - y, 2); };
  fx::Tensor each = fx::vmap(fx::grad(sample_loss), fx::in_dims<fx::none, 0, 0>)(w, xs, ys);  // [samples, 3]
  fx::Tensor h = fx::hessian(sample_loss)(w, xs[0], 0.f);                                     // [3, 3]
  CHECK(each(0, 0) == 2);
  CHECK(each(1, 1) == 2);
  CHECK(h(0, 0) == 2);
  CHECK(h(1, 1) == 0);
}

TEST_CASE("the README's function of numbers is differentiated in three ways") {
  constexpr auto valley = [](const auto& x) { return (1 - x[0]) * (1 - x[0]) + 100 * (x[1] - x[0] * x[0]) * (x[1] - x[0] * x[0]); };
  auto a = fx::forward::gradient(valley, std::array{0.7, 0.4});                  // dual numbers
  auto b = fx::reverse::gradient(valley, std::array{0.7, 0.4});                  // a tape of partial derivatives
  using Point = fx::Tensor<double, fx::extents<2>>;
  auto [value, gradient] = fx::value_and_grad(valley)(Point{0.7, 0.4});          // traced: straight-line code, a few nanoseconds
  CHECK(a.gradient[0] == doctest::Approx(gradient(0)));
  CHECK(b.gradient[1] == doctest::Approx(gradient(1)));
  CHECK(value.item() == doctest::Approx(a.value));
}

TEST_CASE("the README's loop is differentiated from a few checkpoints") {
  const fx::Tensor<double, fx::dims<1>> x0 = {1, 2};
  constexpr auto euler = [](auto x, auto k) { return x - 0.01 * k * x; };
  constexpr auto square = [](auto x, auto) { return fx::sum(x * x); };
  auto [loss, dx0, dk] = fx::value_and_grad<0, 2>(fx::iterate(euler, square), {fx::checkpoints(20)})(x0, 1000, 0.3);
  CHECK(loss.item() == doctest::Approx(5 * std::pow(0.997, 2000)));
  CHECK(dx0(1) == doctest::Approx(4 * std::pow(0.997, 2000)));
  CHECK(dk.item() == doctest::Approx(-5 * 20 * std::pow(0.997, 1999)));
}

TEST_CASE("the README's fixed point is differentiated as an equation") {
  using Matrix = fx::Tensor<double, fx::dims<2>>;
  const Matrix z0 = {{0, 0}}, w = {{0.3, -0.2}, {0.1, 0.4}}, x = {{0.5, -1}};
  constexpr auto layer = [](auto z, auto w, auto x) { return fx::tanh(fx::matmul(z, w) + x); };
  constexpr auto size_of_z = [](auto z, auto, auto) { return fx::sum(z * z); };
  auto [size, dw] = fx::value_and_grad<1>(fx::fixed_point(layer, size_of_z))(z0, w, x);  // two states kept, however many steps
  const auto size_for = [&](const Matrix& weights) {
    Matrix z = z0;
    for (int i = 0; i < 100; ++i) z = fx::tanh(fx::matmul(z, weights) + x);
    return z(0, 0) * z(0, 0) + z(0, 1) * z(0, 1);
  };
  Matrix more = w;
  more(0, 1) += 1e-6;
  CHECK(size.item() == doctest::Approx(size_for(w)));
  CHECK(dw(0, 1) == doctest::Approx((size_for(more) - size_for(w)) / 1e-6).epsilon(1e-4));
}
