// Twelve residual blocks: value, gradients and the optimiser's step.
#include <fluxion/autodiff/transform.hpp>
#include <fluxion/nn/layer.hpp>
#include <fluxion/optim/adam.hpp>

#include <cstdint>
#include <cstdio>
#include <tuple>
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
  nn::Linear in{16, 32};
  Block blocks[12];
  nn::Linear out{32, 4};
  constexpr auto forward(const auto& x) const {
    auto h = in.forward(x);
    for (const Block& block : blocks) h = block.forward(h);
    return out.forward(h);
  }
};

constexpr auto step = fx::value_and_grad([](const auto& m, auto x, auto y) { return fx::cross_entropy(m.forward(x), y); });

int main() {
  nn::manual_seed(1);
  Model model, gradients = model;
  fx::optim::AdamW optimizer(model, {.lr = 1e-3});
  fx::Tensor<float, fx::extents<>> loss;
  fx::Tensor<float, fx::dims<2>> x = fx::zeros<float>(24, 16);
  fx::Tensor<std::int64_t, fx::dims<1>> y = fx::zeros<std::int64_t>(24);
  step.into(std::tie(loss, gradients), model, x, y);
  optimizer.step(model, gradients);
  std::printf("%g\n", static_cast<double>(loss.item()));
}
