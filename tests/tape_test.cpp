// The tape: its gradients are those of the static transforms, whatever course the program takes.
#include <doctest/doctest.h>

#include <fluxion/autodiff/transform.hpp>
#include <fluxion/autodiff/var.hpp>
#include <fluxion/nn/layer.hpp>
#include <fluxion/optim/sgd.hpp>

#include <cmath>
#include <vector>

namespace fx = fluxion;

struct Net {
  fx::nn::BasicLinear<double> first{4, 6};
  fx::nn::Tanh act;
  fx::nn::BasicLinear<double> second{6, 3};
  constexpr auto forward(const auto& x) const { return fx::apply(second, fx::apply(act, fx::apply(first, x))); }
};

namespace {

using Matrix = fx::Tensor<double, fx::dims<2>>;
using Labels = fx::Tensor<std::int64_t, fx::dims<1>>;

Matrix ramp(fx::index_t rows, fx::index_t columns) {
  Matrix x = fx::zeros<double>(rows, columns);
  for (fx::index_t i = 0; i < x.size(); ++i) x.data()[i] = std::sin(0.7 * static_cast<double>(i));
  return x;
}

std::vector<double> gradients_of(const Net& m) {
  std::vector<double> all;
  fx::for_each_parameter(m, [&](std::string_view, const auto& p) {
    for (fx::index_t i = 0; i < p.size(); ++i) all.push_back(p.grad().data()[i]);
  });
  return all;
}

double worst_difference(const Net& gradient, const std::vector<double>& found, double scale = 1) {
  double worst = 0;
  std::size_t n = 0;
  fx::for_each_parameter(gradient, [&](std::string_view, const auto& p) {
    for (fx::index_t i = 0; i < p.size(); ++i) worst = std::max(worst, std::abs(scale * p.data()[i] - found[n++]));
  });
  return worst;
}

}  // namespace

TEST_CASE("backward gives what value_and_grad gives, in one statement and in several, and accumulates") {
  Net m;
  const Matrix x = ramp(5, 4);
  const Labels y = {0, 1, 2, 1, 0};
  const auto [value, gradient] = fx::value_and_grad([](const auto& net, auto a, auto b) { return fx::cross_entropy(net.forward(a), b); })(m, x, y);

  fx::Var loss = fx::cross_entropy(m.forward(x), y);
  CHECK(loss.item() == doctest::Approx(value.item()));
  loss.backward();
  CHECK(worst_difference(gradient, gradients_of(m)) < 1e-14);
  CHECK(loss.item() == doctest::Approx(value.item()));

  fx::Var hidden = fx::tanh(m.first.forward(x));
  fx::Var logits = m.second.forward(hidden);
  fx::Var again = fx::cross_entropy(logits, y);
  CHECK(fx::Tape::of_this_thread().size() == 3);
  again.backward();
  CHECK(worst_difference(gradient, gradients_of(m), 2) < 1e-14);
}

TEST_CASE("a variable that is used twice gets both adjoints") {
  fx::Parameter<double, fx::extents<2>> w = fx::ones;
  fx::Var a = w * 3.0;
  fx::Var b = a * a + a;
  fx::Var loss = fx::sum(b * w);
  loss.backward();
  CHECK(w.grad()(0) == doctest::Approx(27 + 6));  // (9w² + 3w)w
}

TEST_CASE("a loop of a length known at run time is differentiated") {
  fx::Parameter<double, fx::extents<>> w = fx::Tensor<double, fx::extents<>>(1.1);
  for (const int times : {1, 4}) {
    w.zero_grad();
    fx::Var p = w * 1.0;
    for (int i = 1; i < times; ++i) {
      fx::Var next = p * w;
      p = next;
    }
    p.backward();
    CHECK(w.grad().item() == doctest::Approx(times * std::pow(1.1, times - 1)));
  }
}

TEST_CASE("a parameter that requires no gradient gets none") {
  fx::Parameter<double, fx::extents<2>> w = fx::ones, v = fx::ones;
  v.set_requires_grad(false);
  fx::Var loss = fx::sum(w * v);
  loss.backward();
  CHECK(w.has_grad());
  CHECK(!v.has_grad());
}

TEST_CASE("what cannot be differentiated any more raises") {
  fx::Parameter<double, fx::extents<2>> w = fx::ones;
  fx::Var pair = w * 2.0;
  CHECK_THROWS_AS(pair.backward(), fx::ShapeError);
  fx::Var loss = fx::sum(pair);
  loss.backward(true);
  loss.backward();
  CHECK(w.grad()(0) == 4);
  CHECK_THROWS_AS(loss.backward(), fx::ValueError);
  fx::Var other = fx::sum(w * w);
  CHECK_THROWS_AS(static_cast<void>(loss.item()), fx::ValueError);
  w.value()(0) = 5;
  CHECK_THROWS_AS(other.backward(), fx::ValueError);
  fx::Tape::of_this_thread().clear();
}

TEST_CASE("PyTorch's loop trains") {
  fx::nn::manual_seed(7);
  Net m;
  fx::optim::SGD opt(m, {.lr = 0.5});
  const Matrix x = ramp(5, 4);
  const Labels y = {0, 1, 2, 1, 0};
  double first = 0, last = 0;
  for (int step = 0; step < 200; ++step) {
    fx::Var loss = fx::cross_entropy(m.forward(x), y);
    loss.backward();
    opt.step(m);
    opt.zero_grad(m);
    last = loss.item();
    if (step == 0) first = last;
  }
  CHECK(last < 0.1 * first);
}
