// A deep residual model: what its training step becomes, and that it trains. Its compilation is the measure of the compiler's effort.
#include <doctest/doctest.h>

#include <fluxion/autodiff/transform.hpp>
#include <fluxion/nn/layer.hpp>
#include <fluxion/optim/adam.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

namespace fx = fluxion;
namespace nn = fx::nn;

struct Block {
  nn::LayerNorm norm{32};
  nn::Linear first{32, 32};
  nn::ReLU act;
  nn::Linear second{32, 32};
  constexpr auto forward(const auto& x) const { return x + second.forward(act.forward(first.forward(norm.forward(x)))); }
};

struct Model {
  static constexpr int depth = 12;
  nn::Linear in{16, 32};
  Block blocks[depth];
  nn::Linear out{32, 4};
  constexpr auto forward(const auto& x) const {
    auto h = in.forward(x);
    for (const Block& block : blocks) h = block.forward(h);
    return out.forward(h);
  }
};

namespace {

constexpr auto step = fx::value_and_grad([](const auto& m, auto x, auto y) { return fx::cross_entropy(m.forward(x), y); });

}  // namespace

TEST_CASE("twelve residual blocks take exactly the matrix products that were written, and train") {
  nn::manual_seed(1);
  Model model, gradients = model;
  fx::Tensor<float, fx::extents<>> loss;
  fx::Tensor<float, fx::dims<2>> x = fx::zeros<float>(24, 16);
  fx::Tensor<std::int64_t, fx::dims<1>> y = fx::zeros<std::int64_t>(24);
  for (fx::index_t i = 0; i < 24; ++i) {
    y(i) = i % 4;
    for (fx::index_t j = 0; j < 16; ++j) x(i, j) = static_cast<float>(std::sin(static_cast<double>(i * 16 + j)));
  }
  step.into(std::tie(loss, gradients), model, x, y);
  const float first = loss.item();

  // Along the gradient the loss changes by the gradient's square.
  const auto loss_at = [&](float distance) {
    Model moved = model, ignored = model;
    std::vector<const float*> directions;
    fx::for_each_parameter(std::as_const(gradients), [&](std::string_view, const auto& g) { directions.push_back(g.data()); });
    std::size_t n = 0;
    fx::for_each_parameter(moved, [&](std::string_view, auto& p) {
      float* to = p.data();
      for (fx::index_t i = 0; i < p.size(); ++i) to[i] += distance * directions[n][i];
      ++n;
    });
    fx::Tensor<float, fx::extents<>> value;
    step.into(std::tie(value, ignored), moved, x, y);
    return static_cast<double>(value.item());
  };
  double square = 0;
  fx::for_each_parameter(std::as_const(gradients), [&](std::string_view, const auto& g) {
    for (fx::index_t i = 0; i < g.size(); ++i) square += static_cast<double>(g.data()[i]) * static_cast<double>(g.data()[i]);
  });
  const float h = static_cast<float>(2e-2 / std::sqrt(square));
  CHECK((loss_at(h) - loss_at(-h)) / (2 * static_cast<double>(h)) == doctest::Approx(square).epsilon(0.02));

  {
    const fx::CountingScope scope;
    step.into(std::tie(loss, gradients), model, x, y);
    // Three for each Linear: the value and both derivatives; the first needs none for its input.
    CHECK(scope.counters().contractions == 3 * (2 * Model::depth + 2) - 1);
  }
  // So deep a model without warm-up jumps now and then, at other steps with other rounding: the least loss tells, not the last.
  fx::optim::AdamW opt(model, {.lr = 1e-3});
  float least = first;
  for (int n = 0; n < 250; ++n) {
    step.into(std::tie(loss, gradients), model, x, y);
    least = std::min(least, loss.item());
    opt.step(model, gradients);
  }
  CHECK(least < 0.2f * first);
}
