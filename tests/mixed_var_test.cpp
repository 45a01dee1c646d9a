// Numbers and tensors in one recording: one backward pass, in the right order, whoever it begins with.
#include <doctest/doctest.h>

#include <fluxion/autodiff/mixed_var.hpp>
#include <fluxion/autodiff/reverse.hpp>
#include <fluxion/tensor/factory.hpp>

#include <array>
#include <cmath>
#include <cstddef>
#include <type_traits>

namespace fx = fluxion;
using Vector = fx::Tensor<double, fx::extents<3>>;
using V = fx::Var<double>;
using Tape = fx::ScalarTape<double>;

namespace {

void clear() {
  Tape::of_this_thread().clear();
  fx::Tape::of_this_thread().clear();
}

}  // namespace

TEST_CASE("a number computed from tensors and numbers differentiates to both") {
  clear();
  const fx::Var w = fx::variable(Vector{1, 2, 3});
  const V x = fx::variable(2.);
  const fx::Var squares = fx::sum(w * w);
  static_assert(std::is_same_v<decltype(squares), const fx::Var<double, fx::extents<>>>);
  V loss = squares;
  CHECK(loss.value() == 14);
  loss = loss * x + x;
  loss.backward(true);
  CHECK(x.grad() == 15);
  CHECK(w.grad()(2) == 12);
  loss.backward(true);
  CHECK(x.grad() == 30);
  CHECK(w.grad()(2) == 24);
  loss.backward();
  CHECK(w.grad()(0) == 12);
  CHECK_THROWS_AS(loss.backward(), fx::ValueError);
  CHECK_THROWS_AS(squares.backward(), fx::ValueError);
}

TEST_CASE("a tensor computed from numbers differentiates to them") {
  clear();
  const V x = fx::variable(2.);
  const V y = x * x;
  const fx::Var w = fx::variable(Vector{1, 2, 3});
  const fx::Var loss = fx::sum(fx::exp(y * w - 12.0) + x);
  loss.backward();
  double by_y = 0;
  for (int i = 0; i < 3; ++i) {
    const double e = std::exp(4. * (i + 1) - 12);
    CHECK(w.grad()(i) == doctest::Approx(4 * e));
    by_y += (i + 1) * e;
  }
  CHECK(x.grad() == doctest::Approx(by_y * 4 + 3));
}

TEST_CASE("statements that alternate between numbers and tensors are swept in reverse order") {
  clear();
  const V x = fx::variable(0.3);
  const fx::Var w = fx::variable(Vector{0.1, 0.2, 0.3});
  const auto run = [](const auto& start, const auto& weights, auto&& number, auto&& tensor) {
    auto state = number(start * 2.0);
    for (int i = 0; i < 3; ++i) {
      const auto t = tensor(fx::tanh(weights * state + 0.1));
      const auto s = number(tensor(fx::sum(t * t * weights)));
      state = number(sin(state) + s * s + start * s);
    }
    return state;
  };
  const V y = run(x, w, [](const auto& e) { return V(e); }, [](const auto& e) { return fx::Var(e); });
  const auto value_at = [&](double start, const Vector& weights) {
    return run(start, weights, [](const auto& e) {
      if constexpr (std::is_arithmetic_v<std::remove_cvref_t<decltype(e)>>) return e;
      else return e.item();
    }, [](const auto& e) { return fx::Tensor(e); });
  };
  CHECK(y.value() == doctest::Approx(value_at(0.3, Vector{0.1, 0.2, 0.3})));
  y.backward();
  constexpr double h = 1e-6;
  CHECK(x.grad() == doctest::Approx((value_at(0.3 + h, Vector{0.1, 0.2, 0.3}) - value_at(0.3 - h, Vector{0.1, 0.2, 0.3})) / (2 * h)).epsilon(1e-7));
  for (std::size_t k = 0; k < 3; ++k) {
    Vector up{0.1, 0.2, 0.3}, down = up;
    up.data()[k] += h;
    down.data()[k] -= h;
    CHECK(w.grad().data()[k] == doctest::Approx((value_at(0.3, up) - value_at(0.3, down)) / (2 * h)).epsilon(1e-7));
  }
}

TEST_CASE("a loop of mixed recordings begins anew by itself") {
  clear();
  const fx::Var w = fx::variable(Vector{1, 2, 3});
  std::size_t capacity = 0;
  for (int step = 0; step < 20; ++step) {
    w.zero_grad();
    V x = fx::variable(2.);
    const V s = fx::sum(w * x);
    const V loss = s * s;
    loss.backward();
    CHECK(x.grad() == 2 * 12 * 6);
    CHECK(w.grad()(0) == 2 * 12 * 2);
    if (step == 2) capacity = fx::Tape::of_this_thread().capacity();
  }
  CHECK(fx::Tape::of_this_thread().capacity() == capacity);
  // The other way: the pass begins with a tensor.
  for (int step = 0; step < 3; ++step) {
    w.zero_grad();
    V x = fx::variable(2.);
    const V s = fx::sum(w * w);
    const fx::Var loss = fx::sum(w * V(s * x));
    loss.backward();
    CHECK(x.grad() == 14 * 6);
    CHECK(w.grad()(0) == 14 * 2 + 2 * 2 * 6);
    CHECK(Tape::of_this_thread().size() == 0);
  }
}

TEST_CASE("constants of either kind are constants of the other") {
  clear();
  const V c = 2;
  const fx::Var w = fx::variable(Vector{1, 2, 3});
  const fx::Var y = fx::sum(w * c);
  CHECK(fx::Tape::of_this_thread().size() == 1);
  const V n = fx::Var(fx::sum(Vector{1, 2, 3} * c));
  CHECK(n.value() == 12);
  CHECK_FALSE(n.requires_grad());
  {
    fx::NoGradGuard guard;
    CHECK_FALSE(V(y).requires_grad());
  }
  y.backward();
  CHECK(w.grad()(1) == 2);
}

TEST_CASE("where numbers and tensors cannot be mixed it is said") {
  clear();
  const fx::Var w = fx::variable(Vector{1, 2, 3});
  CHECK_THROWS_AS(fx::reverse::gradient([&](const auto& x) { return V(fx::sum(w * V(x[0]))); }, std::array{1.}), fx::ValueError);
  const V x = fx::variable(1.);
  fx::Var<double, fx::extents<3>> later = w * 1.0;
  {
    Tape::Scope scope;
    later = w * V(x * 2);
  }
  const V y = x * 3;
  const fx::Var loss = fx::sum(later) + fx::sum(w * y);
  CHECK_THROWS_AS(loss.backward(true), fx::ValueError);  // in the middle
  x.zero_grad();
  y.backward(true);
  CHECK(x.grad() == 3);
  clear();
  const V number = fx::sum(w * w);
  fx::Tape::of_this_thread().clear();
  CHECK_THROWS_AS(number.backward(), fx::ValueError);
  clear();
}
