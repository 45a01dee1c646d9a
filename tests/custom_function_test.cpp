// Functions with a derivative of one's own as nodes of the tape.
#include <doctest/doctest.h>

#include <fluxion/autodiff/autograd.hpp>
#include <fluxion/autodiff/custom_function.hpp>
#include <fluxion/nn/parameter.hpp>

namespace fx = fluxion;

namespace {

using Vector = fx::Tensor<double, fx::dims<1>>;
using Variable = fx::Var<double, fx::dims<1>>;

struct Cube : fx::autograd::Function<Cube> {
  using Context = fx::autograd::Context<Variable>;
  static auto forward(Context& ctx, const auto& x) {
    ctx.save_for_backward(x);
    return x * x * x;
  }
  static auto backward(Context& ctx, const auto& gradient) {
    const auto& [x] = ctx.saved_tensors();
    return 3.0 * x * x * gradient;
  }
};

/// x scaled, with a straight-through gradient for x and none for the factor; counts what is asked for.
struct Scale : fx::autograd::Function<Scale> {
  struct Context : fx::autograd::Context<Vector> {
    double factor = 0;
  };
  static Vector forward(Context& ctx, const auto& x, const auto& w, double factor) {
    ctx.factor = factor;
    ctx.save_for_backward(x.value());
    CHECK(ctx.needs_input_grad(0) == x.requires_grad());
    CHECK(ctx.needs_input_grad(1));
    CHECK(!ctx.needs_input_grad(2));
    return x.value() * w * factor;
  }
  static auto backward(Context& ctx, const auto& gradient) {
    const auto& [x] = ctx.saved_tensors();
    return std::make_tuple(gradient, Vector(gradient.value() * x * ctx.factor), fx::autograd::none);
  }
};

struct Wrong : fx::autograd::Function<Wrong> {
  using Context = fx::autograd::Context<>;
  static auto forward(Context&, const auto& x) { return x * 2.0; }
  static auto backward(Context&, const auto&) { return Vector{1, 2, 3}; }
};

}  // namespace

TEST_CASE("a custom function is one node, and its gradient the one it says") {
  fx::Var x = fx::variable(Vector{1, 2});
  fx::Var y = x * 1.0;
  fx::Var z = Cube::apply(y);
  CHECK(z.value()(1) == 8);
  CHECK(fx::Tape::of_this_thread().size() == 2);
  fx::Var loss = fx::sum(z * z);
  loss.backward();
  CHECK(x.grad()(1) == 192);
}

TEST_CASE("a custom function takes parameters and plain values, and need not give every gradient") {
  fx::Var x = fx::variable(Vector{1, 2});
  fx::Parameter<double, fx::dims<1>> w = Vector{3, 4};
  fx::Var y = Scale::apply(x, w, 10.0);
  CHECK(y.value()(1) == 80);
  fx::Var loss = fx::sum(y);
  loss.backward();
  CHECK(x.grad()(1) == 1);
  CHECK(w.grad()(1) == 20);
  x.set_requires_grad(false);
  fx::Var again = fx::sum(Scale::apply(x, w, 1.0));
  again.backward();
  CHECK(w.grad()(1) == 22);
}

TEST_CASE("a custom function of what needs no gradient is not recorded") {
  fx::Var x(Vector{1, 2});
  CHECK(!Cube::apply(x).requires_grad());
  fx::Var leaf = fx::variable(Vector{1, 2});
  const fx::NoGradGuard guard;
  CHECK(!Cube::apply(leaf).requires_grad());
}

TEST_CASE("a saved variable that is written before backward is noticed, and so is a gradient of other extents") {
  fx::Var x = fx::variable(Vector{1, 2});
  fx::Var y = fx::sum(Cube::apply(x));
  {
    const fx::NoGradGuard guard;
    x.copy_(Vector{0, 0});
  }
  CHECK_THROWS_WITH_AS(y.backward(), "saved_tensors: variable 0 was written after it was saved", fx::ValueError);
  fx::Var wrong = fx::sum(Wrong::apply(x));
  CHECK_THROWS_WITH_AS(wrong.backward(), "Function: the gradient of input 0 has extents [3], the input [2]", fx::ShapeError);
}

TEST_CASE("gradients through a custom function are captured like others, and recorded variables of it are released") {
  fx::Tape tape;
  const fx::TapeScope scope(tape);
  fx::Var x = fx::variable(Vector{1, 2});
  for (int i = 0; i < 3; ++i) {
    fx::Var y = x * 2.0;
    fx::Var z = fx::sum(Cube::apply(y));
    CHECK(tape.size() == 3);  // nothing of the last turn is left
    const auto [dx, dy] = fx::autograd::grad(z, std::tie(x, y), {.retain_graph = true});
    CHECK(dx.value()(1) == 96);
    CHECK(dy.value()(1) == 48);
  }
}
