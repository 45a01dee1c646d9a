// Hooks on scalar variables and their retained gradients, which no statement pays for.
#include <doctest/doctest.h>

#include <fluxion/autodiff/mixed_var.hpp>
#include <fluxion/autodiff/reverse.hpp>

#include <array>
#include <cmath>
#include <vector>

namespace fx = fluxion;
using V = fx::Var<double>;

namespace {
using Tape = fx::ScalarTape<double>;
}

TEST_CASE("retain_grad keeps the gradient of what is no input, over several passes and after the release") {
  V x = fx::variable(3.0);
  V square = x * x, cube = square * x;
  square.retain_grad();
  CHECK(square.grad() == 0);
  V y = cube + 2.0 * square;
  y.backward(true);
  CHECK(square.grad() == 5);  // x + 2
  y.backward();
  CHECK(square.grad() == 10);
  CHECK(x.grad() == 2 * (27 + 12));
  CHECK_THROWS_AS(static_cast<void>(cube.grad()), fx::ValueError);
  square.zero_grad();
  CHECK(square.grad() == 0);
}

TEST_CASE("a hook sees the whole gradient once a pass, and what it returns takes its place") {
  V x = fx::variable(3.0);
  std::vector<double> seen;
  V square = x * x;
  square.register_hook([&](double g) { seen.push_back(g); });
  fx::RemovableHandle clip = square.register_hook([](double g) { return g > 1 ? 1 : g; });
  square.retain_grad();
  V y = square * square + square;
  y.backward(true);
  CHECK(seen == std::vector<double>{19});
  CHECK(square.grad() == 1);
  CHECK(x.grad() == 6);
  clip.remove();
  y.backward();
  CHECK(x.grad() == 6 + 19 * 6);
}

TEST_CASE("several watched statements are visited from the last to the first, in as many chunks as there are") {
  V x = fx::variable(1.0), y = x;
  std::vector<int> order;
  double at_half = 0;
  const int length = 200'000;
  for (int i = 1; i <= length; ++i) {
    y = y * 1.0;
    if (i % 50'000 == 0) y.register_hook([&order, i](double) { order.push_back(i); });
    if (i == length / 2) y.register_hook([&](double g) { return at_half = g, g * 2; });
  }
  V z = y * 3.0;
  z.backward();
  CHECK(order == std::vector<int>{200'000, 150'000, 100'000, 50'000});
  CHECK(at_half == 3);
  CHECK(x.grad() == 6);
}

TEST_CASE("a hook on an input sees what one pass adds, and changes that only") {
  V x = fx::variable(2.0);
  std::vector<double> seen;
  x.register_hook([&](double g) {
    seen.push_back(g);
    return g * 10;
  });
  const Tape::Scope scope;
  for (int pass = 1; pass <= 2; ++pass) {
    V y = x * x + x;
    y.backward();
    CHECK(x.grad() == 50 * pass);
  }
  CHECK(seen == std::vector<double>{5, 5});
}

TEST_CASE("statements have what they had: entries and bytes do not know of hooks, and none is left when a recording ends") {
  const auto f = [](bool watched) {
    V x = fx::variable(2.0);
    const std::size_t entries = Tape::of_this_thread().entries();
    V y = x * x;
    if (watched) y.retain_grad();
    V z = y * x;
    const std::size_t taken = Tape::of_this_thread().entries() - entries;
    z.backward();
    return taken;
  };
  CHECK(f(true) == f(false));
  int calls = 0;
  {
    V x = fx::variable(2.0);
    V y = x * x;
    y.register_hook([&](double) { ++calls; });
    y.backward();
  }
  V x = fx::variable(2.0);
  V y = x * x;  // of the same index
  y.backward();
  CHECK(calls == 1);
}

TEST_CASE("watching inside of a scope or of reverse::gradient does not reach outside") {
  V x = fx::variable(2.0), outer = x * 3.0;
  outer.retain_grad();
  {
    const Tape::Scope scope;
    V inner = outer * outer;
    inner.retain_grad();
    inner.backward();
    CHECK(inner.grad() == 1);
  }
  CHECK(outer.grad() == 12);
  double seen = 0;
  const auto found = fx::reverse::gradient([&](const auto& v) {
    const V square = v[0] * v[0];
    square.register_hook([&](double g) { return seen = g, -g; });
    return square * 5.0;
  }, std::array{3.0});
  CHECK(seen == 5);
  CHECK(found.gradient[0] == -30);
  Tape::of_this_thread().clear();
}

TEST_CASE("an error in a hook ends the sweep, and the next one has the right gradients") {
  V x = fx::variable(2.0);
  bool fails = true;
  x.register_hook([](double g) { return g; });
  V square = x * x;
  square.register_hook([&](double) {
    if (fails) fx::raise<fx::ValueError>("no");
  });
  V y = square * 2.0;
  CHECK_THROWS_AS(y.backward(), fx::ValueError);
  fails = false;
  y.backward();
  CHECK(x.grad() == 8);
}

TEST_CASE("constants and forgotten variables cannot be watched, and say so") {
  V constant = 2.0;
  CHECK_THROWS_WITH(constant.register_hook([](double) {}), "register_hook: the variable requires no gradient");
  CHECK_THROWS_WITH(constant.retain_grad(), "retain_grad: the variable requires no gradient");
  V x = fx::variable(2.0);
  V y = x * x;
  y.backward();
  CHECK_THROWS_WITH(y.retain_grad(), "retain_grad: the variable's recording was released or rolled back");
}

TEST_CASE("numbers between tensors are watched too") {
  fx::Var w = fx::variable(fx::Tensor<double, fx::dims<1>>{1, 2});
  V energy = fx::Var(fx::sum(w * w));
  V half = energy * 0.5;
  half.retain_grad();
  energy.register_hook([](double g) { return g * 10; });
  fx::Var again = fx::sum(w * half);
  again.backward();
  CHECK(half.grad() == 3);
  CHECK(w.grad()(0) == 2.5 + 3 * 0.5 * 10 * 2);
}
