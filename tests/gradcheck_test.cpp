// gradcheck: what passes, and what the report says about what does not.
#include <doctest/doctest.h>

#include <fluxion/autodiff/gradcheck.hpp>
#include <fluxion/autodiff/var.hpp>

#include <array>
#include <cmath>

#include "support/checked_functions.hpp"

namespace fx = fluxion;
using namespace fx::test;

namespace {

/// The factor is a constant for derivatives, but not for differences.
constexpr auto wrong = [](auto m, auto v) { return fx::matmul(m, v) * fx::sum(fx::detach(v * v)); };

}  // namespace

TEST_CASE("right derivatives pass, of functions of several values too, and of static extents and views") {
  CHECK(fx::gradcheck(network, w, x));
  const fx::Tensor<double, fx::extents<2, 3>> fixed = w;
  CHECK(fx::gradcheck([](auto m, auto s) { return fx::exp(m * s) / fx::sum(m * m); }, fixed, 0.5));
  CHECK(fx::gradcheck([](auto m) { return fx::sum(m * m * m); }, w.view()));
}

TEST_CASE("the report of a wrong derivative names mode, result, input, both places and both numbers") {
  const auto r = fx::gradcheck(wrong, w, x);
  CHECK(!r);
  // d/dx0 of (w x) |x|², at w x = -0.6, 1.6 and |x|² = 5.25: w00 · 5.25 without the factor's part, which is -0.6 · 2 · 1.
  CHECK(r.message.find("forward mode: the derivative of result 0 [0] by input 1 [0] is 0.525, the difference -0.67") == 0);
}

TEST_CASE("a model is checked in each of its parameters, and not in its buffers") {
  fx::nn::manual_seed(3);
  const Layer model;
  CHECK(fx::gradcheck(on_model, model, x));
}

TEST_CASE("tolerances are the caller's") {
  CHECK(!fx::gradcheck({.atol = 1e-14, .rtol = 0}, [](auto v) { return fx::exp(v); }, x));
  CHECK(fx::gradcheck({.eps = 1e-5, .atol = 1e-8, .rtol = 0}, [](auto v) { return fx::exp(v); }, x));
}

TEST_CASE("functions of scalars are checked by dual numbers") {
  const double scale = 3;
  CHECK(fx::gradcheck([&](const auto& v) { return scale * v[0] * v[1]; }, std::array{1.0, 2.0}));
  const auto r = fx::gradcheck([](const auto& v) { return std::array{v[0] * v[1], v[0] * fx::value(v[1])}; }, std::array{1.5, 2.0});
  CHECK(!r);
  CHECK(r.message.find("dual numbers: the derivative of result 0 [1] by input 0 [1] is 0, the difference 1.5") == 0);
}

TEST_CASE("a loss of the tape is checked in its parameters, whose gradients stay as they are") {
  fx::Parameter<double, fx::extents<3>> p = fx::ones;
  const fx::nn::BasicLinear<double> model{3, 2};
  p.grad()(1) = 7;
  bool twice = true;
  const auto loss = [&] {
    fx::Var y = model.forward(p * x);
    if (twice) y = fx::tanh(y * 2);
    return fx::Var(fx::sum(y));
  };
  CHECK(fx::gradcheck(loss, p));
  CHECK(p.grad()(1) == 7);
  const auto r = fx::gradcheck([&] { return fx::Var(fx::sum(p * fx::detach(p))); }, p);
  CHECK(!r);
  CHECK(r.message.find("backward: the derivative of result 0 [] by input 0 [0] is 1, the difference 2") == 0);
}
