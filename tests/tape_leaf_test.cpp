// Variables of one's own on the tape: leaves, scopes that do not record, seeds, retained gradients, nested tapes.
#include <doctest/doctest.h>

#include <fluxion/autodiff/var.hpp>
#include <fluxion/nn/parameter.hpp>

#include <cmath>

namespace fx = fluxion;

namespace {

using Vector = fx::Tensor<double, fx::dims<1>>;

/// 2 Σ x².
auto twice_square(const fx::Var<double, fx::dims<1>>& x) { return fx::sum(x * x) * 2.0; }

}  // namespace

TEST_CASE("a leaf has the gradient of what was computed from it, accumulated until it is zeroed") {
  fx::Var x = fx::variable(Vector{1, 2, 3});
  CHECK(x.is_leaf());
  CHECK(x.requires_grad());
  CHECK(!x.has_grad());
  for (int times = 1; times <= 2; ++times) {
    fx::Var y = twice_square(x);
    CHECK(!y.is_leaf());
    CHECK(y.requires_grad());
    y.backward();
    CHECK(x.grad()(2) == 12 * times);
  }
  x.zero_grad();
  CHECK(!x.has_grad());
  CHECK(x.grad()(2) == 0);
}

TEST_CASE("a leaf outlives its handle as long as a recorded statement needs it") {
  fx::Var kept = fx::variable(Vector{1, 2});
  const auto compute = [&] {
    fx::Var inner = fx::variable(Vector{3, 4});
    fx::Var y = fx::sum(inner * kept);
    return y;
  };
  fx::Var y = compute();
  y.backward();
  CHECK(kept.grad()(1) == 4);
}

TEST_CASE("what no leaf requires a gradient of is not recorded and owns its value") {
  fx::Var x(Vector{1, 2, 3});
  CHECK(!x.requires_grad());
  fx::Var y = fx::sum(x * 2.0);
  CHECK(y.is_leaf());
  CHECK(!y.requires_grad());
  CHECK_THROWS_WITH_AS(y.backward(), "backward: the variable requires no gradient, nor does anything that it was computed from", fx::ValueError);
  x.set_requires_grad(true);
  fx::Var z = fx::sum(x * y);
  z.backward();
  CHECK(x.grad()(0) == 12);
  CHECK(!y.has_grad());
  CHECK(y.item() == 12);
  CHECK_THROWS_AS(z.set_requires_grad(false), fx::ValueError);
}

TEST_CASE("NoGradGuard, AutoGradMode and InferenceMode nest, and end with their scope") {
  fx::Var x = fx::variable(Vector{1, 2});
  {
    const fx::NoGradGuard guard;
    CHECK(!fx::is_grad_enabled());
    CHECK(!fx::Var(x * 2.0).requires_grad());
    {
      const fx::AutoGradMode mode(true);
      CHECK(fx::Var(x * 2.0).requires_grad());
    }
    CHECK(!fx::is_grad_enabled());
  }
  CHECK(fx::is_grad_enabled());
  fx::Var inferred = [&] {
    const fx::InferenceMode mode;
    return fx::Var(x * 2.0);
  }();
  CHECK(inferred.value()(1) == 4);
  CHECK_THROWS_WITH_AS(fx::Var(x * inferred), "a variable made in inference mode cannot be part of a recorded statement; copy it with detach()", fx::ValueError);
  CHECK(fx::Var(fx::sum(x * inferred.detach())).item() == 10);
}

TEST_CASE("detach is a constant of its own") {
  fx::Var x = fx::variable(Vector{1, 2});
  fx::Var y = x * x;
  fx::Var constant = y.detach();
  fx::Var loss = fx::sum(x * constant);
  loss.backward();
  CHECK(x.grad()(1) == 4);
  fx::Tape::of_this_thread().clear();
  CHECK(constant.value()(1) == 4);
  CHECK_THROWS_AS(static_cast<void>(y.value()), fx::ValueError);
}

TEST_CASE("a variable of any extents is differentiated with a seed") {
  fx::Var x = fx::variable(Vector{1, 2, 3});
  fx::Var y = x * x;
  CHECK_THROWS_AS(y.backward(), fx::ShapeError);
  y.backward(Vector{1, 0, 10}, true);
  CHECK(x.grad()(0) == 2);
  CHECK(x.grad()(1) == 0);
  CHECK(x.grad()(2) == 60);
  y.backward(x * 0.5, true);
  CHECK(x.grad()(1) == 4);
  CHECK_THROWS_AS(y.backward(Vector{1, 2}), fx::ShapeError);
  x.backward(Vector{1, 1, 1});
  CHECK(x.grad()(1) == 5);
}

TEST_CASE("retain_grad keeps the gradient of what is no leaf") {
  fx::Var x = fx::variable(Vector{1, 2});
  fx::Var y = x * 3.0;
  CHECK_THROWS_WITH_AS(static_cast<void>(y.grad()), "grad: the variable is no leaf; call retain_grad() before backward()", fx::ValueError);
  y.retain_grad();
  CHECK(!y.has_grad());
  fx::Var loss = fx::sum(y * y);
  loss.backward(true);
  CHECK(y.grad()(1) == 12);
  loss.backward();
  CHECK(y.grad()(1) == 24);
  CHECK(x.grad()(1) == 72);
  y.zero_grad();
  CHECK(y.grad()(1) == 0);
}

TEST_CASE("leaves are written by copy_ where nothing is recorded, and what read them before cannot be differentiated") {
  fx::Var x = fx::variable(Vector{1, 2});
  fx::Var y = fx::sum(x * x);
  CHECK_THROWS_AS(x.copy_(Vector{0, 0}), fx::ValueError);
  y.backward(true);
  {
    const fx::NoGradGuard guard;
    x.copy_(x - 0.25 * x.grad());
  }
  CHECK(x.value()(1) == 1);
  CHECK_THROWS_AS(y.backward(), fx::ValueError);
  CHECK_THROWS_AS(x.copy_(Vector{1, 2, 3}), fx::Error);
}

TEST_CASE("a broadcast extent of 1 known at run time gets its own gradient") {
  fx::Var x = fx::variable(Vector{2});
  fx::Parameter<double, fx::dims<1>> w = Vector{3};
  const Vector many = {1, 2, 3, 4};
  for (int times = 1; times <= 2; ++times) {
    fx::Var y = fx::sum(x * many * w);
    y.backward();
    CHECK(x.grad()(0) == 30 * times);
    CHECK(w.grad()(0) == 20 * times);
  }
}

TEST_CASE("statements in a TapeScope are on a tape of their own, which is forgotten with it") {
  fx::Var x = fx::variable(Vector{1, 2});
  fx::Var outer = x * x;
  fx::Var kept = fx::sum(x);
  {
    const fx::TapeScope scope;
    fx::Var inner = fx::sum(x * 5.0);
    CHECK(scope.tape().size() == 1);
    CHECK(outer.value()(1) == 4);
    CHECK_THROWS_WITH_AS(fx::Var(outer * 2.0), "a variable was recorded on another tape; detach() it, or pass it as an input", fx::ValueError);
    CHECK_THROWS_AS(outer.backward(Vector{1, 1}), fx::ValueError);
    inner.backward();
    CHECK(x.grad()(0) == 5);
    kept = inner;
  }
  CHECK_THROWS_AS(static_cast<void>(kept.value()), fx::ValueError);
  fx::Var loss = fx::sum(outer);
  loss.backward();
  CHECK(x.grad()(0) == 7);
}

TEST_CASE("a tape of one's own keeps what was recorded between scopes, and frees its memory with itself") {
  fx::Var x = fx::variable(Vector{1, 2});
  fx::Tape tape;
  fx::Var y = fx::sum(x * 1.0);
  {
    const fx::TapeScope scope(tape);
    y = fx::sum(x * x);
    CHECK_THROWS_AS(fx::TapeScope{tape}, fx::ValueError);
  }
  CHECK(tape.size() == 1);
  CHECK(tape.capacity() > 0);
  CHECK_THROWS_AS(static_cast<void>(y.value()), fx::ValueError);
  {
    const fx::TapeScope scope(tape);
    y.backward();
  }
  CHECK(x.grad()(1) == 4);
  tape.free_memory();
  CHECK(tape.capacity() == 0);
}

TEST_CASE("a loop that never calls backward does not grow the tape") {
  fx::Tape tape;
  const fx::TapeScope scope(tape);
  fx::Var x = fx::variable(Vector(fx::ones<double>(1000)));
  for (int i = 0; i < 1000; ++i) {
    fx::Var y = x * 2.0;
    fx::Var z = fx::sum(y * y);
    CHECK(tape.size() == 2);
  }
  CHECK(tape.capacity() <= (std::size_t{1} << 16));
}
