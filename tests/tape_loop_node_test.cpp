// Loops of variables are one node of the tape, whose backward is the loop's adjoint.
#include <doctest/doctest.h>

#include <fluxion/autodiff/create_graph.hpp>
#include <fluxion/autodiff/loop_node.hpp>
#include <fluxion/nn/parameter.hpp>

#include <cmath>

namespace fx = fluxion;

namespace {

using Vector = fx::Tensor<double, fx::dims<1>>;
using Matrix = fx::Tensor<double, fx::dims<2>>;

constexpr auto euler = [](auto x, auto k) { return x - 0.1 * k * x * x; };

/// The same steps, each a statement.
template <class V>
V by_statements(const V& x, int steps, const auto& k) {
  V y = x * 1.0;
  for (int i = 0; i < steps; ++i) y = y - 0.1 * k * y * y;
  return y;
}

}  // namespace

TEST_CASE("a loop of variables is one node, with the gradients of its steps as statements") {
  fx::Tape tape;
  const fx::TapeScope scope(tape);
  fx::Var x = fx::variable(Vector{1, 2});
  fx::Parameter<double, fx::dims<1>> k = Vector{0.5, 0.7};
  for (const bool as_node : {false, true}) {
    fx::Var start = fx::sin(x);
    fx::Var y = as_node ? fx::iterate(euler)(start, 7, k) : by_statements(start, 7, k);
    if (as_node) CHECK(tape.size() == 2);
    fx::Var loss = fx::sum(y * y);
    loss.backward();
    static Vector dx, dk;
    if (!as_node) dx = x.grad(), dk = k.grad();
    for (fx::index_t i = 0; i < 2; ++i) {
      CHECK(x.grad()(i) == doctest::Approx(dx(i)).epsilon(1e-12));
      CHECK(k.grad()(i) == doctest::Approx(dk(i)).epsilon(1e-12));
    }
    x.zero_grad();
    k.zero_grad();
  }
}

TEST_CASE("with checkpoints fewer states are kept and steps are computed again, for the same gradient") {
  fx::Var x = fx::variable(Vector{1, 2});
  Vector expected;
  for (const int states : {0, 3}) {
    fx::LoopCounts counts;
    fx::LoopOptions options;
    options.counts = &counts;
    if (states > 0) options.memory = fx::checkpoints(states);
    fx::Var y = fx::on_tape(fx::iterate(euler), options)(x, 50, 0.3);
    y.backward(Vector{1, 1});
    CHECK(counts.reverse_steps == 50);
    if (states == 0) {
      CHECK(counts.steps == 50);
      expected = x.grad();
    } else {
      CHECK(counts.states == 3);
      CHECK(counts.steps > 50);
      CHECK(x.grad()(1) == expected(1));
    }
    x.zero_grad();
  }
}

TEST_CASE("a scan over a sequence of variables gives each entry its gradient, beside tensors that have none") {
  constexpr auto cell = [](auto h, auto row, auto w, auto shift) { return fx::tanh(fx::matmul(w, h) + row + shift); };
  fx::Var h = fx::variable(Vector{0.1, -0.2});
  fx::Var w = fx::variable(Matrix{{0.5, -0.3}, {0.2, 0.4}});
  fx::Var rows = fx::variable(Matrix{{1, 2}, {0.5, -1}, {0.3, 0.7}});
  const Vector shift = {0.01, 0.02};
  fx::Var last = fx::scan(cell)(h, fx::each(rows), w, shift);
  fx::Var loss = fx::sum(last * last);
  loss.backward();
  const auto check = [&](auto& v) {
    const auto found = v.grad();
    const fx::NoGradGuard guard;
    for (fx::index_t i = 0; i < found.size(); ++i) {
      double side[2];
      for (const int s : {0, 1}) {
        auto moved = std::remove_cvref_t<decltype(found)>(v.value());
        const auto before = moved;
        moved.data()[i] += s ? 1e-6 : -1e-6;
        v.copy_(moved);
        const fx::Var y = fx::scan(cell)(h, fx::each(rows), w, shift);
        side[s] = fx::Var(fx::sum(y * y)).item();
        v.copy_(before);
      }
      CHECK(found.data()[i] == doctest::Approx((side[1] - side[0]) / 2e-6).epsilon(1e-6));
    }
  };
  check(h);
  check(w);
  check(rows);
}

TEST_CASE("a while_loop of variables runs as long as its condition holds, and a loss of the last state may be its value") {
  constexpr auto halve = [](auto x, auto f) { return x * f; };
  constexpr auto above = [](auto x, auto) { return fx::sum(x) > 1.0; };
  constexpr auto energy = [](auto x, auto f) { return fx::sum(x * x) * f; };
  fx::Var x = fx::variable(Vector{3, 5});
  fx::Var f = fx::variable(fx::Tensor<double, fx::extents<>>(0.5));
  fx::Var y = fx::while_loop(above, halve)(x, f);  // three steps
  CHECK(y.value()(1) == 5.0 / 8);
  y.backward(Vector{1, 1});
  CHECK(x.grad()(0) == 1.0 / 8);
  CHECK(f.grad().item() == doctest::Approx(3 * 0.25 * 8));
  f.zero_grad();
  fx::Var e = fx::iterate(halve, energy)(x, 2, f);  // f⁵ Σx²
  e.backward();
  CHECK(f.grad().item() == doctest::Approx(5 * 0.0625 * 34));
}

TEST_CASE("a loop of constants is not recorded, and what a recorded one read must not be written") {
  fx::Tape tape;
  const fx::TapeScope scope(tape);
  const fx::Var constant(Vector{1, 2});
  fx::Var y = fx::iterate(euler)(constant, 3, 0.1);
  CHECK(!y.requires_grad());
  CHECK(tape.size() == 0);
  fx::Var x = fx::variable(Vector{1, 2});
  Vector k = {1, 1};
  fx::Var z = fx::iterate(euler)(x, 3, k);
  k(0) = 2;
  CHECK_THROWS_WITH(z.backward(Vector{1, 1}), "backward: a tensor that the statement 'iterate' reads was written after the statement");
  fx::Var w = fx::iterate(euler)(x, 3, 0.1);
  const fx::Var total = fx::sum(w);
  CHECK_THROWS_WITH(total.backward({.create_graph = fx::create_graph}), "create_graph: the gradient of 'iterate' cannot be recorded");
}
