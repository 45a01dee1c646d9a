// expect: check<.*operation::matmul, fluxion::extents<8, 4>, fluxion::extents<3, 2>
// expect: matmul: inner extents differ
#include <fluxion/autodiff/transform.hpp>
#include <fluxion/nn/layer.hpp>
#include <fluxion/optim/sgd.hpp>

namespace fx = fluxion;

#ifdef FLUXION_CONTROL
constexpr std::size_t features = 4;
#else
constexpr std::size_t features = 3;
#endif
struct Model {
  fx::Parameter<float, fx::extents<features, 2>> weight = fx::ones;
  constexpr auto forward(const auto& x) const { return fx::matmul(x, weight); }
};

int main() {
  const fx::Tensor<float, fx::extents<8, 4>> x = fx::ones;
  Model model;
  fx::optim::SGD optimizer(model, {.lr = 0.1});
  const auto f = [](const auto& m, auto v) { return fx::mean(fx::exp(m.forward(v))); };
  const auto [loss, gradient] = fx::value_and_grad(f)(model, x);
  optimizer.step(model, gradient);
  return loss.item() > 0;
}
