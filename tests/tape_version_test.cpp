// What a recorded statement reads must be as it was: whatever is written in between is named at backward.
#include <doctest/doctest.h>

#include <fluxion/autodiff/var.hpp>
#include <fluxion/nn/layer.hpp>

#include <string>

#include "support/message_of.hpp"

namespace fx = fluxion;

namespace {

using Vector = fx::Tensor<double, fx::dims<1>>;

/// The message of a backward pass that must fail.
template <class V>
std::string message_of(const V& y) {
  return fx::test::message_of([&] { y.backward(); });
}

}  // namespace

TEST_CASE("writing a parameter, a tensor or a leaf that a statement read names the statement") {
  fx::Parameter<double, fx::dims<1>> w = Vector{1, 2};
  fx::Var x = fx::variable(Vector{1, 2});
  Vector t = {3, 4};
  fx::Var y = fx::sum(w * t * x);
  const std::string here = "backward: a tensor that the statement 'mul ×2, sum' of tape_version_test.cpp:" + std::to_string(__LINE__ - 1) + " reads was written after the statement";
  t(0) = 5;
  CHECK(message_of(y) == here);
  w.value()(0) = 5;
  CHECK(message_of(y) == here);
  {
    const fx::NoGradGuard guard;
    x.copy_(t);
  }
  CHECK(message_of(y) == here);
  y = fx::Var(fx::sum(w * t * x));
  CHECK(message_of(y) == "");
}

TEST_CASE("writing a tensor after a statement read a view of it is noticed, through any view and in any part") {
  Vector t = {1, 2, 3, 4};
  const Vector& same = t;
  fx::Var x = fx::variable(Vector{1, 2});
  for (const int way : {0, 1, 2}) {
    fx::Var y = way == 0 ? fx::Var(fx::sum(x * t(fx::slice{0, 2}))) : way == 1 ? fx::Var(fx::sum(x * same(fx::slice{0, 4, 2}))) : fx::Var(fx::sum(x * 1.0));
    if (way == 2) y = fx::Var(fx::sum(x * fx::View<const double, fx::dims<1>, fx::layout_stride>(t(fx::slice{1, 4, 2}))));
    y.backward(true);
    t.view()(3) = 7;
    CHECK(message_of(y) != "");
  }
}

TEST_CASE("a view keeps the elements of a tensor that has ended") {
  fx::Var x = fx::variable(Vector{1, 2});
  const auto compute = [&] {
    Vector t = {5, 6, 7};
    fx::Var y = fx::sum(x * t(fx::slice{1, 3}));
    return y;
  };
  fx::Var y = compute();
  y.backward();
  CHECK(x.grad()(1) == 7);
}

TEST_CASE("writing a parameter or a scalar of a layer after it was applied is noticed") {
  fx::nn::BasicLayerNorm<double> norm{2};
  fx::Var x = fx::variable(fx::Tensor<double, fx::dims<2>>{{1, 2}, {5, 3}});
  fx::Var y = fx::sum(fx::apply(norm, x));
  y.backward(true);
  norm.weight.value()(0) = 2;
  CHECK(message_of(y) != "");
  fx::Var z = fx::sum(fx::apply(norm, x));
  norm.eps = 0.5;
  CHECK(message_of(z) != "");
}

TEST_CASE("a scalar in an expression has the value that it had when the expression was made") {
  fx::Scalar<double> factor = 2.0;
  fx::Var x = fx::variable(Vector{1, 2});
  fx::Var y = fx::sum(x * factor);
  factor = 100.0;
  y.backward();
  CHECK(x.grad()(0) == 2);
}
