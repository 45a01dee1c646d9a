// autograd::grad: gradients of recorded variables as values.
#include <doctest/doctest.h>

#include <fluxion/autodiff/autograd.hpp>
#include <fluxion/nn/parameter.hpp>

namespace fx = fluxion;

namespace {
using Vector = fx::Tensor<double, fx::dims<1>>;
}  // namespace

TEST_CASE("gradients are returned, and accumulated nowhere") {
  fx::Var x = fx::variable(Vector{1, 2});
  fx::Parameter<double, fx::dims<1>> w = Vector{3, 4};
  fx::Var y = x * w;
  fx::Var loss = fx::sum(y * y);
  const auto [dx, dw, dy] = fx::autograd::grad(loss, std::tie(x, w, y));
  CHECK(dx.value()(1) == 64);
  CHECK(dw.value()(1) == 32);
  CHECK(dy.value()(1) == 16);
  CHECK(!dx.requires_grad());
  CHECK(!x.has_grad());
  CHECK(!w.has_grad());
  CHECK_THROWS_AS(fx::autograd::grad(loss, x), fx::ValueError);
}

TEST_CASE("several outputs and seeds give the sum of their gradients; what they do not depend on is an error or zero") {
  fx::Var x = fx::variable(Vector{1, 2});
  fx::Var other = fx::variable(Vector{1, 2, 3});
  fx::Var y = x * x;
  fx::Var z = fx::exp(y);
  CHECK_THROWS_AS(fx::autograd::grad(y, x), fx::ShapeError);
  const fx::Var dx = fx::autograd::grad(std::tie(y, z), x, std::make_tuple(Vector{1, 1}, x * 0.0), {.retain_graph = true});
  CHECK(dx.value()(1) == 4);
  CHECK_THROWS_WITH_AS(fx::autograd::grad(std::tie(y), std::tie(x, other), std::make_tuple(Vector{1, 1}), {.retain_graph = true}),
                       "grad: the outputs do not depend on input 1; set allow_unused for a gradient of zero", fx::ValueError);
  const auto [again, zero] = fx::autograd::grad(std::tie(y), std::tie(x, other), std::make_tuple(Vector{1, 1}), {.allow_unused = true});
  CHECK(again.value()(1) == 4);
  CHECK(zero.value()(2) == 0);
}
