// gradgradcheck: derivatives of derivatives against differences.
#include <doctest/doctest.h>

#include <fluxion/autodiff/gradcheck.hpp>
#include <fluxion/nn/layer.hpp>
#include <fluxion/tensor/factory.hpp>

namespace fx = fluxion;

namespace {

using Matrix = fx::Tensor<double, fx::dims<2>>;
using Vector = fx::Tensor<double, fx::dims<1>>;

const Matrix w = {{0.1, -0.3, 0.2}, {0.5, 0.4, -0.6}};
const Vector x = {1, 2, -0.5};

constexpr auto network = [](auto m, auto v) { return std::tuple(fx::softmax(fx::matmul(m, v), fx::axis<0>), fx::sum(fx::tanh(m))); };

/// v³, whose first derivative is right and whose second is not.
constexpr auto wrong_by_two = [](auto v) { return fx::detach(3 * v * v) * v - fx::detach(2 * v * v * v); };

struct Layer {
  fx::nn::BasicLinear<double> linear{3, 2};
  fx::Buffer<double, fx::extents<2>> shift = fx::ones;
  constexpr auto forward(const auto& v) const { return fx::tanh(linear.forward(v)) + shift; }
};
constexpr auto on_model = [](const auto& m, auto v) { return m.forward(v); };

}  // namespace

TEST_CASE("gradgradcheck finds what gradcheck cannot") {
  CHECK(fx::gradcheck(wrong_by_two, x));
  const auto r = fx::gradgradcheck(wrong_by_two, x);
  CHECK(!r);
  CHECK(r.message.find("forward mode: the derivative of result 0 [0] by input 0 [0] is 0, the difference ") == 0);
  CHECK(fx::gradgradcheck([](auto v) { return v * v * v; }, x));
}

TEST_CASE("second derivatives of a function of several values and arguments pass") {
  CHECK(fx::gradgradcheck(network, w, x));
}

TEST_CASE("second derivatives by the parameters of a model pass") {
  fx::nn::manual_seed(3);
  const Layer model;
  CHECK(fx::gradgradcheck(on_model, model, x));
}
