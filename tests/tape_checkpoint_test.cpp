// Checkpoints: the gradients are those of the whole computation, with less memory and the same random numbers.
#include <doctest/doctest.h>

#include <fluxion/autodiff/autograd.hpp>
#include <fluxion/autodiff/checkpoint.hpp>
#include <fluxion/nn/layer.hpp>

#include <vector>

namespace fx = fluxion;

namespace {

using Matrix = fx::Tensor<double, fx::dims<2>>;

struct Block {
  fx::Parameter<double, fx::dims<2>> weight;
  auto forward(const auto& x) const {
    fx::Var h = fx::tanh(fx::matmul(x, weight));
    return h * x;
  }
};

Matrix ramp(fx::index_t rows, fx::index_t columns) {
  Matrix x = fx::zeros<double>(rows, columns);
  for (fx::index_t i = 0; i < x.size(); ++i) x.data()[i] = std::sin(0.7 * static_cast<double>(i));
  return x;
}

}  // namespace

TEST_CASE("a checkpoint gives inputs and captured parameters the gradients of the whole, from less memory") {
  Block block{ramp(8, 8)};
  const Matrix start = ramp(50, 8);
  Matrix expected_x, expected_w;
  std::size_t memory[2];
  for (const bool checkpointed : {false, true}) {
    block.weight.zero_grad();
    fx::Tape tape;
    const fx::TapeScope scope(tape);
    fx::Var x = fx::variable(Matrix(start));
    fx::Var h = x * 1.0;
    const auto segment = [&](const auto& input) {
      fx::Var y = input * 0.9;
      for (int i = 0; i < 10; ++i) y = fx::Var(block.forward(y) + y * 0.1);
      return y;
    };
    for (int i = 0; i < 10; ++i) h = checkpointed ? fx::checkpoint(segment, h) : segment(h);
    if (checkpointed) CHECK(tape.size() == 11);
    fx::Var loss = fx::sum(h * h) * 1000.0;
    loss.backward();
    memory[checkpointed] = tape.capacity();
    if (!checkpointed) {
      expected_x = x.grad();
      expected_w = block.weight.grad();
    } else {
      for (fx::index_t i = 0; i < expected_x.size(); ++i) CHECK(x.grad().data()[i] == expected_x.data()[i]);
      for (fx::index_t i = 0; i < expected_w.size(); ++i) CHECK(block.weight.grad().data()[i] == doctest::Approx(expected_w.data()[i]).epsilon(1e-12));
    }
  }
  CHECK(memory[1] * 4 <= memory[0]);
}

TEST_CASE("a generator that is an input repeats its random numbers, and goes on where forward left it") {
  const fx::nn::Dropout dropout{0.5f};
  fx::Generator generator(7), reference(7);
  fx::Var x = fx::variable(Matrix(fx::ones<double>(20, 10)));
  const auto drop = [&](const auto& input, fx::Generator& g) { return dropout.forward(input, fx::train(g)); };
  fx::Var y = fx::checkpoint(drop, x, generator);
  fx::Var plain = drop(x, reference);
  CHECK(generator == reference);
  fx::Var loss = fx::sum(y);
  loss.backward();
  CHECK(generator == reference);
  for (fx::index_t i = 0; i < 200; ++i) CHECK(x.grad().data()[i] == plain.value().data()[i]);
}

TEST_CASE("a checkpoint that computes something else the second time is an error") {
  fx::Generator generator(7);
  const fx::nn::Dropout dropout{0.5f};
  fx::Var x = fx::variable(Matrix(fx::ones<double>(20, 10)));
  fx::Var y = fx::sum(fx::checkpoint([&](const auto& input) { return dropout.forward(input, fx::train(generator)); }, x));
  CHECK_THROWS_WITH_AS(y.backward(), doctest::Contains("computes something else the second time"), fx::ValueError);
  Block block{ramp(10, 10)};
  fx::Var z = fx::sum(fx::checkpoint([&](const auto& input) { return block.forward(input); }, x));
  block.weight.value()(0, 0) += 1;
  CHECK_THROWS_AS(z.backward(), fx::ValueError);
}

TEST_CASE("checkpoints nest, are differentiated with respect to anything, and do nothing where nothing is recorded") {
  fx::Var x = fx::variable(Matrix(ramp(3, 4)));
  fx::Parameter<double, fx::dims<2>> w = ramp(3, 4);
  const auto inner = [&](const auto& a) { return a * a * w; };
  const auto outer = [&](const auto& a, const auto& b, double factor) {
    fx::Var half = fx::checkpoint(inner, a);
    return half * b * factor;
  };
  fx::Var y = x * 2.0;
  const Matrix constant = ramp(3, 4);
  fx::Var z = fx::checkpoint(outer, y, constant, 0.5);
  fx::Var loss = fx::sum(z);
  const auto [dx, dy, dw] = fx::autograd::grad(loss, std::tie(x, y, w));
  for (fx::index_t i = 0; i < 12; ++i) {
    const double v = constant.data()[i];
    CHECK(dy.value().data()[i] == doctest::Approx(2 * v * v * v));
    CHECK(dx.value().data()[i] == doctest::Approx(4 * v * v * v));
    CHECK(dw.value().data()[i] == doctest::Approx(2 * v * v * v));
  }
  CHECK(!w.has_grad());
  const fx::NoGradGuard guard;
  CHECK(!fx::checkpoint(inner, x).requires_grad());
}
