// backward() that records the gradients which it accumulates.
#include <doctest/doctest.h>

#include <fluxion/autodiff/checkpoint.hpp>
#include <fluxion/autodiff/create_graph.hpp>
#include <fluxion/autodiff/mixed_var.hpp>
#include <fluxion/nn/parameter.hpp>

#include <cmath>

namespace fx = fluxion;

namespace {
using Vector = fx::Tensor<double, fx::dims<1>>;
constexpr fx::BackwardOptions recorded{.create_graph = fx::create_graph};
}  // namespace

TEST_CASE("a second backward goes through the gradients that the first one accumulated") {
  fx::Var x = fx::variable(Vector{2, 3});
  fx::Parameter<double, fx::dims<1>> w = Vector{5, 7};
  fx::Var y = fx::sum(x * x * x * w);
  y.backward({.create_graph = fx::create_graph});
  CHECK(x.grad()(0) == 60);  // 3x²w
  CHECK(w.grad()(1) == 27);  // x³
  fx::Var penalty = fx::sum(x.recorded_grad() * w.recorded_grad());  // 3x⁵w
  x.zero_grad();
  w.zero_grad();
  penalty.backward();
  CHECK(x.grad()(0) == 15 * 16 * 5);
  CHECK(w.grad()(1) == 3 * 243);
}

TEST_CASE("autograd::grad goes through accumulated gradients, to the third order") {
  fx::Var x = fx::variable(Vector{1.5});
  fx::Var y = fx::sum(x * x * x * x);
  y.backward(recorded);
  fx::Var slope = fx::sum(x.recorded_grad());
  x.zero_grad();
  slope.backward(recorded);
  CHECK(x.grad()(0) == doctest::Approx(12 * 1.5 * 1.5));
  const fx::Var third = fx::autograd::grad(fx::Var(fx::sum(x.recorded_grad())), x);
  CHECK(third.value()(0) == doctest::Approx(24 * 1.5));
  x.zero_grad();
}

TEST_CASE("recorded gradients add up, and what was accumulated without recording is a constant among them") {
  fx::Var x = fx::variable(Vector{2, 3});
  for (const bool first : {false, true}) {
    fx::Var y = fx::sum(x * x), z = fx::sum(x * x * x);
    if (first) y.backward(recorded);
    else y.backward(true);
    z.backward(recorded);
    const fx::Var both = x.recorded_grad();
    CHECK(both.value()(1) == 6 + 27);
    CHECK(x.grad()(1) == 6 + 27);
    const fx::Var second = fx::autograd::grad(fx::Var(fx::sum(both)), x);
    CHECK(second.value()(1) == (first ? 2 : 0) + 18);
    x.zero_grad();
  }
}

TEST_CASE("a gradient that is accumulated without recording is recorded no longer, nor after zero_grad") {
  fx::Var x = fx::variable(Vector{2});
  fx::Parameter<double, fx::dims<1>> w = Vector{5};
  CHECK_THROWS_WITH(x.recorded_grad(), "recorded_grad: the last backward did not record a gradient; call backward({.create_graph = fx::create_graph})");
  fx::Var y = fx::sum(x * x * w);
  y.backward(recorded);
  CHECK(x.recorded_grad().value()(0) == 20);
  CHECK(w.recorded_grad().value()(0) == 4);
  w.zero_grad();
  CHECK_THROWS_AS(w.recorded_grad(), fx::ValueError);
  y.backward();
  CHECK(x.grad()(0) == 40);
  CHECK_THROWS_AS(x.recorded_grad(), fx::ValueError);
}

TEST_CASE("the tape begins anew although a leaf had a recorded gradient, once it is zeroed") {
  fx::Tape tape;
  const fx::TapeScope scope(tape);
  fx::Var x = fx::variable(Vector{2});
  for (int turn = 0; turn < 3; ++turn) {
    {
      fx::Var y = fx::sum(x * x);
      y.retain_grad();
      y.backward(recorded);
      CHECK(y.recorded_grad().item() == 1);
    }
    CHECK(tape.uses() == 1);
    x.zero_grad();
    CHECK(tape.uses() == 0);
  }
}

TEST_CASE("retained gradients are recorded, and adding to them does not change what passes on") {
  fx::Var x = fx::variable(Vector{2});
  fx::Var square = x * x;
  square.retain_grad();
  fx::Var y = fx::sum(square * square);
  y.backward(recorded);
  CHECK(square.grad()(0) == 8);
  y.backward(recorded);
  CHECK(square.recorded_grad().value()(0) == 16);
  CHECK(x.grad()(0) == 64);
  fx::Var along = fx::sum(square.recorded_grad());  // 2 · 2x²
  x.zero_grad();
  along.backward();
  CHECK(x.grad()(0) == 16);
}

TEST_CASE("a seed may be a variable, through which the second backward goes") {
  fx::Var x = fx::variable(Vector{2, 3}), seed = fx::variable(Vector{1, 10});
  fx::Var y = x * x;
  y.backward(seed, {.create_graph = fx::create_graph});
  CHECK(x.grad()(1) == 60);
  fx::Var total = fx::sum(x.recorded_grad());
  total.backward();
  CHECK(seed.grad()(1) == 6);
}

TEST_CASE("hooks change what is accumulated and recorded") {
  fx::Var x = fx::variable(Vector{2});
  fx::Parameter<double, fx::dims<1>> w = Vector{5};
  x.register_hook([](const auto& gradient) { return gradient * gradient; });
  w.register_hook([](const auto& gradient) { return gradient * 3.0; });
  fx::Var y = fx::sum(x * x * w);
  y.backward(recorded);
  CHECK(x.grad()(0) == 400);
  CHECK(w.grad()(0) == 12);
  fx::Var total = fx::sum(w.recorded_grad());
  x.zero_grad();
  total.backward();
  CHECK(x.grad()(0) == 144);  // (6x)²
}

TEST_CASE("a checkpoint under create_graph gives the second derivatives of what it computes") {
  fx::Parameter<double, fx::dims<1>> w = Vector{0.7, -0.4};
  const auto second = [&](bool checkpointed) {
    fx::Var x = fx::variable(Vector{0.3, 1.1});
    fx::Var h = x * 2.0;
    const auto part = [&](const auto& v) {
      fx::Var a = fx::tanh(v * w);
      return a * v;
    };
    fx::Var z = checkpointed ? fx::checkpoint(part, h) : fx::Var(part(h));
    fx::Var loss = fx::sum(z * z);
    w.zero_grad();
    loss.backward(recorded);
    fx::Var penalty = fx::sum(x.recorded_grad() * x.recorded_grad()) + fx::sum(w.recorded_grad());
    x.zero_grad();
    w.zero_grad();
    penalty.backward();
    return Vector{x.grad()(0), x.grad()(1), w.grad()(0), w.grad()(1)};
  };
  const Vector expected = second(false), found = second(true);
  for (fx::index_t i = 0; i < 4; ++i) CHECK(found(i) == doctest::Approx(expected(i)).epsilon(1e-12));
}

TEST_CASE("create_graph does not pass through numbers of scalar statements, and says so") {
  fx::Var w = fx::variable(Vector{1, 2});
  fx::Var<double> number = fx::Var(fx::sum(w * w));
  number *= 2.0;
  fx::Var again = fx::sum(w * number);
  CHECK_THROWS_WITH(again.backward(recorded), "create_graph: derivatives of derivatives do not pass through numbers of scalar statements");
  again.backward();
  CHECK(w.grad()(0) == 2 * 5 + 2 * 3 * 2);
}
