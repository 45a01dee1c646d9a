// Hooks on the gradients of parameters, and after gradients of leaves were accumulated.
#include <doctest/doctest.h>

#include <fluxion/autodiff/autograd.hpp>
#include <fluxion/autodiff/checkpoint.hpp>
#include <fluxion/nn/layer.hpp>
#include <fluxion/tensor/compound_assignment.hpp>

#include <vector>

namespace fx = fluxion;

namespace {
using Vector = fx::Tensor<double, fx::dims<1>>;
}

TEST_CASE("a hook on a parameter of a model sees its whole gradient once a pass, and what it returns is accumulated") {
  fx::nn::BasicLinear<double> layer{2, 1};
  layer.weight.value() = fx::ones<double>(1, 2);
  std::vector<double> seen;
  fx::RemovableHandle handle = layer.weight.register_hook([&](const auto& gradient) {
    seen.push_back(gradient.value()(0, 1));
    return gradient * 0.5;
  });
  const fx::Tensor<double, fx::dims<2>> input = {{1, 2}};
  for (const int pass : {1, 2}) {
    fx::Var once = fx::sum(fx::apply(layer, input));
    fx::Var twice = fx::sum(fx::apply(layer, input)) + once;
    twice.backward();
    CHECK(seen.size() == static_cast<std::size_t>(pass));
    CHECK(seen.back() == 4);
    CHECK(layer.weight.grad()(0, 1) == 2 * pass);
    CHECK(layer.bias.grad()(0) == 2 * pass);
  }
  handle.remove();
  fx::Var y = fx::sum(fx::apply(layer, input));
  y.backward();
  CHECK(seen.size() == 2);
  CHECK(layer.weight.grad()(0, 1) == 6);
}

TEST_CASE("a hook on a parameter is called for autograd::grad too, and not for a gradient that nobody wants") {
  fx::Parameter<double, fx::dims<1>> w = Vector{1, 2}, other = Vector{3, 4};
  int calls = 0;
  w.register_hook([](const auto& gradient) { return gradient * 10.0; });
  other.register_hook([&](const auto&) { ++calls; });
  fx::Var y = fx::sum(w * other);
  const fx::Var g = fx::autograd::grad(y, w);
  CHECK(g.value()(1) == 40);
  CHECK(!w.has_grad());
  other.set_requires_grad(false);
  fx::Var z = fx::sum(w * other);
  z.backward();
  CHECK(w.grad()(0) == 30);
  CHECK_THROWS_WITH(other.register_hook([](const auto&) {}), "register_hook: the parameter requires no gradient");
}

TEST_CASE("copies of a parameter, and what it is moved to, have no hooks") {
  fx::Parameter<double, fx::dims<1>> w = Vector{1, 2};
  int calls = 0;
  w.register_hook([&](const auto&) { ++calls; });
  fx::Parameter<double, fx::dims<1>> copy = w, moved = std::move(copy);
  fx::Var y = fx::sum(moved * w);
  y.backward();
  CHECK(calls == 1);
  CHECK(moved.grad()(1) == 2);
}

TEST_CASE("after its gradient was accumulated a parameter may be stepped at once") {
  fx::Parameter<double, fx::dims<1>> w = Vector{1, 2};
  w.register_post_accumulate_grad_hook([](auto& p) {
    p.value() -= 0.5 * p.grad();
    p.zero_grad();
  });
  for (int step = 0; step < 2; ++step) {
    fx::Var square = w * w;
    fx::Var y = fx::sum(square) + fx::sum(w * 0.0);
    y.backward();
  }
  CHECK(w.value()(1) == 0);
  CHECK(!w.has_grad());
}

TEST_CASE("the hook after accumulation sees the gradient of a leaf, but not that of autograd::grad") {
  fx::Var x = fx::variable(Vector{1, 2});
  std::vector<double> seen;
  x.register_post_accumulate_grad_hook([&](const auto& leaf) { seen.push_back(leaf.grad()(1)); });
  for (int pass = 0; pass < 2; ++pass) {
    fx::Var y = fx::sum(x * x);
    static_cast<void>(fx::autograd::grad(y, x, {.retain_graph = true}));
    y.backward();
  }
  CHECK(seen == std::vector<double>{4, 8});
  fx::Var y = x * 2.0;
  CHECK_THROWS_AS(y.register_post_accumulate_grad_hook([](const auto&) {}), fx::ValueError);
}

TEST_CASE("hooks of what a checkpoint captures see the sum of its gradient and that of other statements") {
  fx::Parameter<double, fx::dims<1>> w = Vector{1, 2};
  fx::Var v = fx::variable(Vector{3, 4});
  std::vector<double> seen;
  w.register_hook([&](const auto& gradient) { seen.push_back(gradient.value()(1)); });
  v.register_hook([&](const auto& gradient) { seen.push_back(gradient.value()(1)); });
  fx::Var x = fx::variable(Vector{5, 6});
  fx::Var y = fx::checkpoint([&](const auto& input) { return input * w * v; }, x);
  fx::Var loss = fx::sum(y) + fx::sum(w * v);
  loss.backward();
  CHECK(seen.size() == 2);
  CHECK(w.grad()(1) == 6 * 4 + 4);
  CHECK(v.grad()(1) == 6 * 2 + 2);
  CHECK(seen[0] + seen[1] == 28 + 14);
}
