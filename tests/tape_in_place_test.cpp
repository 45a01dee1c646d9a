// Changes of variables in place: recorded as statements, or noticed by those that read what was written.
// matrix
#include <doctest/doctest.h>

#include <fluxion/autodiff/var.hpp>

#include <string>

#include "support/message_of.hpp"

namespace fx = fluxion;

namespace {
using Vector = fx::Tensor<double, fx::dims<1>>;

/// The message of a backward pass that must fail.
template <class V>
std::string message_of(const V& y) {
  return fx::test::message_of([&] { y.backward(Vector{1, 1}); });
}
}  // namespace

TEST_CASE("each operator on a recorded variable is one more statement, and is differentiated") {
  fx::Tape tape;
  const fx::TapeScope scope(tape);
  fx::Var x = fx::variable(Vector{2, 3});
  fx::Var y = x * x;
  y += x;        // x² + x
  y *= 2.0;      // 2x² + 2x
  y -= x * 3.0;  // 2x² - x
  y /= x;        // 2x - 1
  y *= y;        // (2x - 1)²
  CHECK(tape.size() == 6);
  CHECK(y.value()(1) == 25);
  y.backward(Vector{1, 1});
  CHECK(x.grad()(0) == doctest::Approx(12));
  CHECK(x.grad()(1) == doctest::Approx(20));
}

TEST_CASE("a constant leaf to which something recorded is added is recorded from then on") {
  fx::Var x = fx::variable(Vector{2, 3});
  fx::Var sum(Vector{0, 0});
  for (int i = 1; i <= 3; ++i) sum += x * static_cast<double>(i);
  CHECK(!sum.is_leaf());
  CHECK(sum.value()(1) == 18);
  sum.backward(Vector{1, 10});
  CHECK(x.grad()(1) == 60);
}

TEST_CASE("a statement that read the former value keeps it, and so does a copy of the variable") {
  fx::Var x = fx::variable(Vector{2, 3});
  fx::Var y = x * 2.0;
  fx::Var square = y * y;
  const fx::Var former = y;
  y += 1.0;
  CHECK(former.value()(0) == 4);
  CHECK(y.value()(0) == 5);
  fx::Var total = square + y;  // 4x² + 2x + 1
  total.backward(Vector{1, 1});
  CHECK(x.grad()(1) == 26);
}

TEST_CASE("a leaf that requires a gradient is changed only under NoGradGuard, and stays the same leaf") {
  fx::Var x = fx::variable(Vector{2, 3});
  CHECK_THROWS_WITH(x += 1.0, "+=: a leaf that requires a gradient is written only under NoGradGuard");
  CHECK_THROWS_AS(x *= x, fx::ValueError);
  CHECK(x.value()(0) == 2);
  const fx::Var same = x;
  fx::Var y = x * x;
  {
    const fx::NoGradGuard guard;
    x -= 0.5 * x;
  }
  CHECK(x.is_leaf());
  CHECK(x.requires_grad());
  CHECK(same.value()(1) == 1.5);
  CHECK(message_of(y) == "backward: a tensor that the statement 'mul' of tape_in_place_test.cpp:" + std::to_string(__LINE__ - 8) + " reads was written after the statement");
}

TEST_CASE("what is written under NoGradGuard is missed by the statements that read it, which are named, but not by others") {
  fx::Var x = fx::variable(Vector{2, 3});
  fx::Var y = x * 2.0;
  fx::Var before = y * y;
  {
    const fx::NoGradGuard guard;
    y *= 10.0;
  }
  CHECK(y.value()(0) == 40);
  fx::Var after = y * y;
  CHECK(message_of(before) == "backward: a tensor that the statement 'mul' of tape_in_place_test.cpp:" + std::to_string(__LINE__ - 7) + " reads was written after the statement");
  after.backward(Vector{1, 1});
  CHECK(x.grad()(0) == 160);  // the value is what was written, the derivative that of the statement: 2 · 40 · 2
}

TEST_CASE("writing a constant leaf is noticed by the statements that read it") {
  fx::Var x = fx::variable(Vector{2, 3}), c = fx::Var(Vector{1, 1});
  fx::Var y = x * c;
  c += 1.0;
  CHECK(c.is_leaf());
  CHECK(message_of(y) != "");
}

TEST_CASE("copy_ gives a recorded variable the value and the derivative of what it is given") {
  fx::Var x = fx::variable(Vector{2, 3});
  fx::Var y = x * 5.0, z = x * x;
  y.copy_(z * 2.0);
  fx::Var sum = y + z;
  sum.backward(Vector{1, 1}, true);
  CHECK(x.grad()(0) == 12);
  y.copy_(Vector{7, 8});
  CHECK(!y.requires_grad());
  const Vector many = {1, 2, 3};
  CHECK_THROWS_AS(y.copy_(many), fx::ShapeError);
}

TEST_CASE("extents that would change raise, and the variable is as it was") {
  fx::Var x = fx::variable(Vector{2});
  fx::Var y = x * 1.0;
  const Vector many = {1, 2, 3};
  CHECK_THROWS_AS(y += many, fx::ShapeError);
  CHECK(y.value()(0) == 2);
  CHECK(y.extents().extent(0) == 1);
}

TEST_CASE("a gradient that a hook computes with in place is its own") {
  fx::Var x = fx::variable(Vector{2, 3});
  fx::Var y = x * 2.0;
  y.register_hook([](auto gradient) {
    gradient *= 100.0;
    CHECK(gradient.value()(0) == 100);
  });
  y.backward(Vector{1, 1});
  CHECK(x.grad()(0) == 2);
}

TEST_CASE("copy_ of a variable gives a value of its own: what is changed later changes one of them") {
  const fx::Var w = fx::variable(Vector{1, 2});
  fx::Var a = w * 2.0, b(Vector{5, 6}), c = w * 3.0;
  a.copy_(b);
  a += 1.0;
  CHECK(b.value()(0) == 5);
  CHECK(a.value()(0) == 6);
  a = w * 2.0;
  a.copy_(c);
  {
    const fx::NoGradGuard guard;
    a *= 10.0;
  }
  CHECK(a.value()(0) == 30);
  CHECK(c.value()(0) == 3);
  fx::Var recorded = w * 2.0;
  recorded.copy_(w);
  recorded += 1.0;  // a copy of a leaf is none
  recorded.backward(Vector{1, 1});
  CHECK(w.grad()(1) == 1);
}

TEST_CASE("copy_ of something recorded makes a constant recorded, as += does") {
  const fx::Var w = fx::variable(Vector{1, 2});
  fx::Var d(Vector{0, 0});
  d.copy_(w * 2.0);
  REQUIRE(d.requires_grad());
  d.backward(Vector{1, 1});
  CHECK(w.grad()(1) == 2);
}

TEST_CASE("copy_ after a backward pass carries a state from one recording to the next") {
  const fx::Var x = fx::variable(Vector{2, 3});
  fx::Var h = x * 2.0;
  h.backward(Vector{1, 1});
  h.copy_(x * 3.0);
  CHECK(h.value()(0) == 6);
}

TEST_CASE("what a hook copies into its gradient is its own, as what it multiplies is") {
  const fx::Var x = fx::variable(Vector{2, 3});
  fx::Var y = x * 2.0;
  y.register_hook([](auto g) { g.copy_(Vector{100, 100}); });
  y.backward(Vector{1, 1});
  CHECK(x.grad()(0) == 2);
}
