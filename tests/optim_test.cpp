// Optimisers: steps against the formulas written out, kernels counted.
#include <doctest/doctest.h>

#include <fluxion/optim/adam.hpp>
#include <fluxion/optim/sgd.hpp>

#include <cmath>

namespace fx = fluxion;

struct Weights {
  fx::Parameter<double, fx::dims<1>> w = fx::ones(3);
  fx::Parameter<double, fx::dims<1>> b = fx::zeros(2);
  constexpr auto forward(const auto& x) const { return x * w; }
};

namespace {

Weights weights() { return {.w = fx::Tensor<double, fx::dims<1>>{1, -2, 3}, .b = fx::zeros(2)}; }

Weights gradients_of(double a) {
  Weights g;
  for (int i = 0; i < 3; ++i) g.w.value()(i) = a * (i + 1);
  g.b.value() = fx::ones;
  return g;
}

}  // namespace

TEST_CASE("plain gradient descent subtracts lr times the gradient") {
  Weights m = weights();
  fx::optim::SGD opt(m, {.lr = 0.5});
  opt.step(m, gradients_of(1));
  CHECK(m.w.value()(0) == 0.5);
  CHECK(m.w.value()(2) == 1.5);
  CHECK(m.b.value()(1) == -0.5);
}

TEST_CASE("momentum, dampening, weight decay and Nesterov follow PyTorch's formula") {
  for (const bool nesterov : {false, true}) {
    Weights m = weights();
    const double lr = 0.1, momentum = 0.9, decay = 0.01, dampening = nesterov ? 0 : 0.3;
    fx::optim::SGD opt(m, {.lr = lr, .momentum = momentum, .dampening = dampening, .weight_decay = decay, .nesterov = nesterov});
    double p = -2, buffer = 0;
    for (int step = 0; step < 4; ++step) {
      const double scale = 1 + step;
      opt.step(m, gradients_of(scale));
      double g = 2 * scale + decay * p;
      buffer = step == 0 ? g : momentum * buffer + (1 - dampening) * g;
      g = nesterov ? g + momentum * buffer : buffer;
      p -= lr * g;
      CHECK(m.w.value()(1) == doctest::Approx(p).epsilon(1e-12));
    }
  }
}

TEST_CASE("Adam and AdamW follow PyTorch's formulas") {
  Weights a = weights(), w = weights();
  const double lr = 0.1, b1 = 0.8, b2 = 0.95, eps = 1e-6, decay = 0.1;
  fx::optim::Adam adam(a, {.lr = lr, .beta1 = b1, .beta2 = b2, .eps = eps, .weight_decay = decay});
  fx::optim::AdamW adamw(w, {.lr = lr, .beta1 = b1, .beta2 = b2, .eps = eps, .weight_decay = decay});
  double p[2] = {3, 3}, m[2] = {0, 0}, v[2] = {0, 0};
  for (int t = 1; t <= 4; ++t) {
    const double scale = t % 2 ? 1 : -0.5;
    adam.step(a, gradients_of(scale));
    adamw.step(w, gradients_of(scale));
    for (int k = 0; k < 2; ++k) {
      double g = 3 * scale;
      if (k == 0) g += decay * p[k];
      else p[k] *= 1 - lr * decay;
      m[k] = b1 * m[k] + (1 - b1) * g;
      v[k] = b2 * v[k] + (1 - b2) * g * g;
      const double c1 = 1 - std::pow(b1, t), c2 = 1 - std::pow(b2, t);
      p[k] -= lr / c1 * m[k] / (std::sqrt(v[k]) / std::sqrt(c2) + eps);
    }
    CHECK(a.w.value()(2) == doctest::Approx(p[0]).epsilon(1e-12));
    CHECK(w.w.value()(2) == doctest::Approx(p[1]).epsilon(1e-12));
  }
}

TEST_CASE("every parameter's update is one kernel") {
  Weights m = weights();
  fx::optim::AdamW opt(m, {.lr = 0.1});
  const Weights g = gradients_of(1);
  fx::CountingScope scope;
  opt.step(m, g);
  CHECK(scope.counters().kernels == 2);
  CHECK(scope.counters().passes == 2);
  CHECK(scope.counters().temporary_bytes == 0);
}

TEST_CASE("accumulated gradients are used where there are any, and forgotten by zero_grad") {
  Weights m = weights();
  fx::optim::SGD opt(m, {.lr = 1});
  m.b.grad()(0) = 2;
  opt.step(m);
  CHECK(m.b.value()(0) == -2);
  CHECK(m.w.value()(0) == 1);
  opt.zero_grad(m);
  CHECK(!m.b.has_grad());
  opt.step(m);
  CHECK(m.b.value()(0) == -2);
}
