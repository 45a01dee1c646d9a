// Hooks on variables and on nodes of the tape.
#include <doctest/doctest.h>

#include <fluxion/autodiff/var.hpp>

#include <vector>

namespace fx = fluxion;

namespace {
using Vector = fx::Tensor<double, fx::dims<1>>;
}

TEST_CASE("a hook sees the whole gradient of a variable once, and what it returns takes its place") {
  fx::Var x = fx::variable(Vector{1, 2});
  fx::Var y = x * 3.0;
  std::vector<double> seen;
  y.retain_grad();
  y.register_hook([&](const auto& gradient) { seen.push_back(gradient.value()(1)); });
  y.register_hook([](const auto& gradient) { return gradient * 10.0; });
  fx::RemovableHandle last = y.register_hook([](const auto&) { return Vector{1, 1}; });
  fx::Var loss = fx::sum(y * y) + fx::sum(y);
  loss.backward(true);
  CHECK(seen == std::vector<double>{13});
  CHECK(y.grad()(1) == 1);
  CHECK(x.grad()(1) == 3);

  last.remove();
  last.remove();
  x.zero_grad();
  loss.backward();
  CHECK(seen.size() == 2);
  CHECK(x.grad()(1) == 390);
}

TEST_CASE("a hook on a leaf sees the sum over the statements that read it, before it is accumulated, in every pass") {
  fx::Var x = fx::variable(Vector{1, 2});
  int calls = 0;
  x.register_hook([&](const auto& gradient) {
    ++calls;
    return gradient * 0.5;
  });
  for (int times = 1; times <= 3; ++times) {
    fx::Var y = x * 2.0;
    fx::Var loss = fx::sum(y * x);
    loss.backward();
    CHECK(calls == times);
    CHECK(x.grad()(1) == 4 * times);
  }
  fx::Var constant(Vector{1});
  CHECK_THROWS_AS(constant.register_hook([](const auto&) {}), fx::ValueError);
}

TEST_CASE("node hooks see and change the gradient of the value before, and those of what was read after") {
  fx::Var x = fx::variable(Vector{1, 2});
  fx::Var w = fx::variable(Vector{5, 6});
  fx::Var y = x * w;
  y.register_prehook([](const fx::AnyGradient& output) { output.elements<double>()[0] = 100; });
  std::vector<double> inputs;
  y.register_posthook([&](std::span<const fx::AnyGradient> gradients, const fx::AnyGradient& output) {
    for (const fx::AnyGradient& g : gradients) inputs.push_back(g.elements<double>()[0]);
    CHECK(output.size() == 2);
    CHECK_THROWS_AS(static_cast<void>(output.elements<float>()), fx::ValueError);
    gradients[1].elements<double>()[1] = -1;
  });
  fx::Var loss = fx::sum(y);
  loss.backward();
  CHECK(inputs == std::vector<double>{500, 100});
  CHECK(x.grad()(0) == 500);
  CHECK(w.grad()(1) == -1);
  CHECK_THROWS_AS(x.register_prehook([](const fx::AnyGradient&) {}), fx::ValueError);
}

TEST_CASE("an inner recording inside a hook needs a tape of its own, and gets one") {
  fx::Var x = fx::variable(Vector{1, 2});
  fx::Var w = fx::variable(Vector{3, 4});
  fx::Var y = x * 2.0;
  y.register_hook([&](const auto& gradient) {
    const fx::AutoGradMode mode(true);
    {
      fx::Var wrong = fx::sum(w * w);
      CHECK_THROWS_AS(wrong.backward(), fx::ValueError);
    }
    const fx::TapeScope scope;
    const fx::Var seen = gradient.detach();
    fx::Var inner = fx::sum(w * w * seen);
    inner.backward();
  });
  fx::Var loss = fx::sum(y);
  loss.backward();
  CHECK(w.grad()(1) == 8);
  CHECK(x.grad()(1) == 2);
}

TEST_CASE("what a hook throws leaves the recording as it was") {
  fx::Var x = fx::variable(Vector{1, 2});
  fx::Var y = x * 2.0;
  bool throws = true;
  y.register_hook([&](const auto&) {
    if (throws) throw fx::ValueError("enough");
  });
  fx::Var loss = fx::sum(y * y);
  CHECK_THROWS_AS(loss.backward(), fx::ValueError);
  CHECK(!x.has_grad());
  throws = false;
  loss.backward();
  CHECK(x.grad()(1) == 16);
}
