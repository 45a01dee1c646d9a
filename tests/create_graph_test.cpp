// Gradients as variables: create_graph, to any order.
#include <doctest/doctest.h>

#include <fluxion/autodiff/create_graph.hpp>
#include <fluxion/autodiff/jvp.hpp>
#include <fluxion/nn/parameter.hpp>

#include <cmath>

namespace fx = fluxion;

namespace {
using Vector = fx::Tensor<double, fx::dims<1>>;
constexpr auto valley = [](const auto& x) { return fx::sum(fx::exp(x * 0.5) * x + fx::sin(x) * fx::sum(x * x)); };
}  // namespace

TEST_CASE("with create_graph a gradient is a variable: its derivative along a direction is what hvp computes") {
  const Vector point = {0.3, -0.7, 1.1}, direction = {1, 2, -1};
  const Vector expected = fx::hvp(valley)(point, direction);
  fx::Var x = fx::variable(Vector(point));
  fx::Var y = valley(x);
  const fx::Var slope = fx::autograd::grad(y, x, {.create_graph = fx::create_graph});
  CHECK(slope.requires_grad());
  const fx::Var along = fx::sum(slope * direction);
  along.backward();
  for (fx::index_t i = 0; i < 3; ++i) CHECK(x.grad()(i) == doctest::Approx(expected(i)).epsilon(1e-12));
}

TEST_CASE("derivatives of any order of a power, in one statement and in several") {
  fx::Var x = fx::variable(Vector{1.5});
  for (const bool several : {false, true}) {
    fx::Var y = several ? fx::Var(fx::sum(x * x)) : fx::Var(fx::sum(x * x * x * x * x));
    if (several) {
      fx::Var cube = fx::sum(x * y);
      fx::Var fifth = cube * y;
      y = fifth;
    }
    double expected = std::pow(1.5, 5);
    CHECK(y.item() == doctest::Approx(expected));
    fx::Var derivative = y;
    for (int order = 1; order <= 4; ++order) {
      const fx::Var next = fx::autograd::grad(derivative, x, {.create_graph = fx::create_graph});
      expected *= (6 - order) / 1.5;
      CHECK(next.value()(0) == doctest::Approx(expected));
      derivative = fx::Var(fx::sum(next));
    }
  }
}

TEST_CASE("a gradient penalty reaches parameters of two layers, as differences confirm") {
  fx::Parameter<double, fx::dims<2>> a = fx::Tensor<double, fx::dims<2>>{{0.5, -0.2}, {0.1, 0.9}, {-0.4, 0.3}};
  fx::Parameter<double, fx::dims<1>> b = Vector{0.2, -0.6};
  const fx::Tensor<double, fx::dims<2>> input = {{0.3, -1.0, 0.8}, {1.2, 0.4, -0.5}};
  const auto penalty = [&] {
    fx::Var x = fx::variable(fx::Tensor<double, fx::dims<2>>(input));
    fx::Var hidden = fx::tanh(fx::matmul(x, a));
    fx::Var y = fx::sum(hidden * b);
    const fx::Var slope = fx::autograd::grad(y, x, {.create_graph = fx::create_graph});
    return fx::Var(fx::sum(slope * slope) + y * 0.5);
  };
  penalty().backward();
  const auto check = [&](auto& p) {
    const auto found = p.grad();
    for (fx::index_t i = 0; i < p.size(); ++i) {
      const double before = p.value().data()[i], h = 1e-6;
      p.value().data()[i] = before + h;
      const double above = penalty().item();
      p.value().data()[i] = before - h;
      const double below = penalty().item();
      p.value().data()[i] = before;
      CHECK(found.data()[i] == doctest::Approx((above - below) / (2 * h)).epsilon(1e-6));
    }
  };
  check(a);
  check(b);
}

TEST_CASE("hooks see recorded gradients under create_graph") {
  fx::Var x = fx::variable(Vector{2, 3});
  fx::Var y = x * x;
  y.register_hook([](const auto& gradient) { return gradient * gradient; });
  x.register_hook([](const auto& gradient) { return gradient * 3.0; });
  fx::Var loss = fx::sum(y * x);  // hooked: dx = 3 (x² + 2x · x²)
  const fx::Var slope = fx::autograd::grad(loss, x, {.create_graph = fx::create_graph});
  CHECK(slope.value()(0) == doctest::Approx(60));
}

TEST_CASE("create_graph names what it cannot record") {
  fx::Var x = fx::variable(Vector{2});
  const Vector many = {1, 2, 3};
  fx::Var y = fx::sum(x * many);
  CHECK_THROWS_AS(fx::autograd::grad(y, x, {.create_graph = fx::create_graph}), fx::ShapeError);
  y.backward();
  CHECK(x.grad()(0) == 6);
}
