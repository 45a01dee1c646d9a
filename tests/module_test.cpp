// Models: how their parameters are found, traced, differentiated, saved.
#include <doctest/doctest.h>

#include <fluxion/autodiff/transform.hpp>
#include <fluxion/nn/layer.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <vector>

namespace fx = fluxion;

struct Swish {
  fx::Parameter<double, fx::extents<1>> beta = fx::ones;
  constexpr auto forward(const auto& x) const { return x * fx::sigmoid(beta * x); }
};
struct Pair {
  std::array<fx::nn::BasicLinear<double>, 2> layers = {fx::nn::BasicLinear<double>{4, 4}, fx::nn::BasicLinear<double>{4, 4}};
  Swish swish;
  fx::Scalar<double> scale = 0.5;
  fx::Buffer<double, fx::extents<4>> shift = fx::ones;
  constexpr auto forward(const auto& x) const {
    return layers[1].forward(fx::apply(swish, layers[0].forward(x))) * scale + shift;
  }
};

namespace {

using Matrix = fx::Tensor<double, fx::dims<2>>;

constexpr auto loss = [](const auto& m, auto x, auto y) { return fx::mse_loss(m.forward(x), y); };

Matrix ramp(fx::index_t rows, fx::index_t columns) {
  Matrix x = fx::zeros<double>(rows, columns);
  for (fx::index_t i = 0; i < x.size(); ++i) x.data()[i] = std::sin(0.7 * static_cast<double>(i));
  return x;
}

Pair global_pair;

}  // namespace

TEST_CASE("parameters have dotted names in the order of declaration") {
  const Pair m;
  std::vector<std::string> names;
  fx::for_each_parameter(m, [&](std::string_view name, const auto&) { names.emplace_back(name); });
  CHECK(names == std::vector<std::string>{"layers.0.weight", "layers.0.bias", "layers.1.weight", "layers.1.bias", "swish.beta"});
  CHECK(fx::parameter_count(m) == 41);
  const fx::nn::Sequential s{fx::nn::Linear{3, 2}, fx::nn::ReLU{}, fx::nn::Linear{2, 1}};
  names.clear();
  fx::for_each_parameter(s, [&](std::string_view name, const auto&) { names.emplace_back(name); });
  CHECK(names == std::vector<std::string>{"0.weight", "0.bias", "2.weight", "2.bias"});
}

TEST_CASE("a model of static storage holds elements, not symbols") {
  static const Pair local;
  CHECK(global_pair.layers[0].weight.size() == 16);
  CHECK(local.swish.beta.value()(0) == 1);
}

TEST_CASE("the gradient of a model has the model's type and agrees with finite differences") {
  fx::nn::manual_seed(1);
  Pair m;
  const Matrix x = ramp(3, 4), y = ramp(3, 4);
  const auto [value, gradient] = fx::value_and_grad(loss)(m, x, y);
  static_assert(std::is_same_v<decltype(gradient), const Pair>);
  CHECK(gradient.layers[0].in_features == 4);
  std::vector<double> expected;
  const auto f = fx::compile(loss);
  fx::for_each_parameter(m, [&](std::string_view, auto& p) {
    for (fx::index_t i = 0; i < p.size(); ++i) {
      const double old = p.data()[i], h = 1e-6;
      p.data()[i] = old + h;
      const double above = f(m, x, y).item();
      p.data()[i] = old - h;
      const double below = f(m, x, y).item();
      p.data()[i] = old;
      expected.push_back((above - below) / (2 * h));
    }
  });
  double worst = 0;
  std::size_t n = 0;
  fx::for_each_parameter(gradient, [&](std::string_view, const auto& p) {
    for (fx::index_t i = 0; i < p.size(); ++i) worst = std::max(worst, std::abs(p.data()[i] - expected[n++]));
  });
  CHECK(n == 41);
  CHECK(worst < 1e-8);
  CHECK(value.item() == doctest::Approx(f(m, x, y).item()));
}

TEST_CASE("a run-time scalar changes results without compiling anew; a buffer takes part and has no gradient") {
  Pair m;
  const Matrix x = ramp(2, 4);
  const auto forward = fx::compile([](const auto& model, auto v) { return model.forward(v); });
  m.scale = 0.0;
  CHECK(forward(m, x)(1, 2) == 1);
}

TEST_CASE("a layer applied to tensors is an expression that is evaluated once") {
  Pair m;
  const Matrix x = ramp(2, 4);
  const Matrix direct = fx::compile([](const auto& model, auto v) { return model.forward(v); })(m, x);
  const Matrix lazy = fx::apply(m, x + 0.0);
  const Matrix eager = m.forward(x);
  for (fx::index_t i = 0; i < x.size(); ++i) {
    CHECK(lazy.data()[i] == doctest::Approx(direct.data()[i]));
    CHECK(eager.data()[i] == doctest::Approx(direct.data()[i]));
  }
}

TEST_CASE("an expression over parameters that were written since raises") {
  Swish s;
  const Matrix x = ramp(2, 4);
  const auto e = s.forward(x);
  s.beta.value() = fx::zeros;
  CHECK_THROWS_AS(static_cast<void>(fx::evaluate(e)), fx::ValueError);
}

TEST_CASE("copying a parameter copies elements, moving steals them") {
  fx::nn::Linear a{3, 2};
  fx::nn::Linear b = a;
  b.weight.value()(0, 0) = 100;
  CHECK(a.weight.value()(0, 0) != 100);
  const float* data = std::as_const(b.weight).data();
  const fx::nn::Linear c = std::move(b);
  CHECK(c.weight.data() == data);
}

TEST_CASE("the same seed gives the same parameters, within the bound of the fan-in") {
  fx::nn::manual_seed(3);
  const fx::nn::Linear a{16, 8};
  fx::nn::manual_seed(3);
  const fx::nn::Linear b{16, 8};
  float largest = 0;
  for (fx::index_t i = 0; i < a.weight.size(); ++i) {
    CHECK(a.weight.data()[i] == b.weight.data()[i]);
    largest = std::max(largest, std::abs(a.weight.data()[i]));
  }
  CHECK(largest < 0.25f);
  CHECK(largest > 0.2f);
}

TEST_CASE("dropout in training zeroes about as many elements as asked, differently each time; inference changes nothing") {
  const fx::nn::Sequential m{fx::nn::Dropout{0.25f}, fx::nn::Dropout{0.25f}};
  const fx::Tensor<float, fx::dims<1>> x = fx::ones<float>(4000);
  fx::Generator generator(5);
  const auto f = fx::compile([](const auto& model, auto v, auto mode) { return model.forward(v, mode); });
  const auto first = f(m, x, fx::train(generator)), second = f(m, x, fx::train(generator));
  int zeros = 0, differ = 0;
  for (fx::index_t i = 0; i < x.size(); ++i) {
    CHECK((first(i) == 0 || first(i) == doctest::Approx(16. / 9)));
    zeros += first(i) == 0;
    differ += (first(i) == 0) != (second(i) == 0);
  }
  CHECK(zeros == doctest::Approx(1750).epsilon(0.1));
  CHECK(differ > 1000);
  const auto still = fx::compile([](const auto& model, auto v) { return model.forward(v) + 0; })(m, x);
  CHECK(still(7) == 1);
}
