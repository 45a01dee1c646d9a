// linearize: the derivative at a point, applied again and again.
#include <doctest/doctest.h>

#include <fluxion/autodiff/jvp.hpp>
#include <fluxion/autodiff/linearize.hpp>
#include <fluxion/nn/layer.hpp>
#include <fluxion/tensor/factory.hpp>

#include <cmath>

namespace fx = fluxion;

namespace {

using Matrix = fx::Tensor<double, fx::dims<2>>;
using Vector = fx::Tensor<double, fx::dims<1>>;

constexpr auto network = [](auto w, auto x) { return fx::softmax(fx::tanh(fx::matmul(x, w)), fx::axis<-1>); };

}  // namespace

TEST_CASE("the linearised function gives the tangents of jvp, without the value's work") {
  const Matrix w = {{0.1, -0.3, 0.2}, {0.5, 0.4, -0.6}}, x = {{1, 2}, {-1, 0.5}, {0.3, -2}, {0.7, 0.1}};
  const auto [y, df] = fx::linearize(network, w, x);
  const Matrix dw = {{1, -2, 0.5}, {0.3, 1, 2}}, dx = {{0.1, 0.2}, {0.3, -1}, {1, 1}, {0, 0}};
  for (const double scale : {1.0, -2.5}) {
    const Matrix sw = dw * scale, sx = dx * scale;
    const auto [again, expected] = fx::jvp(network)(w, x, sw, sx);
    const Matrix dy = df(sw, sx);
    for (fx::index_t i = 0; i < 12; ++i) {
      CHECK(y.data()[i] == doctest::Approx(again.data()[i]));
      CHECK(dy.data()[i] == doctest::Approx(expected.data()[i]));
    }
  }
  {
    fx::CountingScope scope;
    static_cast<void>(fx::jvp(network)(w, x, dw, dx));
    CHECK(scope.counters().contractions == 3);
  }
  fx::CountingScope scope;
  static_cast<void>(df(dw, dx));
  CHECK(scope.counters().contractions == 2);  // dx · w and x · dw
  CHECK(scope.counters().flops < 300);        // tanh and exp of 12 elements would be 500 more
}

TEST_CASE("what the linearised function holds stays when the arguments are gone") {
  auto make = [] {
    Vector x = {1, 2, 3};
    auto result = fx::linearize([](auto v) { return fx::exp(v) * fx::sum(v * v); }, x);
    x = Vector{0, 0, 0};
    return result;
  };
  const auto [y, df] = make();
  const Vector dy = df(Vector{1, 0, -1});
  for (int i = 0; i < 3; ++i) {
    CHECK(y(i) == doctest::Approx(14 * std::exp(i + 1)));
    CHECK(dy(i) == doctest::Approx(std::exp(i + 1) * (14 * (1 - i) - 4)));
  }
}

TEST_CASE("numbers are points and directions, and several values have several tangents") {
  const fx::Tensor<double, fx::extents<2>> x = {1, 2};
  const auto [y, df] = fx::linearize([](auto v, auto s) { return std::tuple(fx::sin(v * s), fx::sum(v) * s); }, x, 3.0);
  CHECK(std::get<1>(y).item() == 9);
  const auto [a, b] = df(x, 0.5);
  static_assert(std::is_same_v<decltype(a), const fx::Tensor<double, fx::extents<2>>>);
  CHECK(a(1) == doctest::Approx(std::cos(6) * (2 * 3 + 2 * 0.5)));
  CHECK(b.item() == doctest::Approx(3 * 3 + 3 * 0.5));
  const auto [c, d] = df(1.0, 0.0);
  CHECK(c(0) == doctest::Approx(3 * std::cos(3)));
  CHECK(d.item() == doctest::Approx(6));
}

TEST_CASE("a linear function keeps nothing but what it is multiplied with, and a slice of it sees all extents") {
  const Vector x = {1, 2, 3, 4};
  const auto [y, df] = fx::linearize([](auto v) { return fx::slice_axis<0, 1>(v) * 2; }, x);
  const Vector dy = df(Vector{5, 6, 7, 8});
  CHECK(dy.size() == 3);
  CHECK(dy(2) == 16);
  CHECK_THROWS_AS(df(Vector{5, 6, 7}), fx::ShapeError);
  CHECK(y(0) == 4);
}

TEST_CASE("a model is a point, and a model its direction") {
  const fx::nn::BasicLinear<double> model{2, 3};
  const Vector x = {1, 2};
  constexpr auto f = [](const auto& m, auto v) { return fx::tanh(m.forward(v)); };
  const auto [y, df] = fx::linearize(f, model, x);
  const Vector dy = df(model, 0.0);
  const auto [again, expected] = fx::jvp<0>(f)(model, x, model);
  for (int i = 0; i < 3; ++i) {
    CHECK(y(i) == doctest::Approx(again(i)));
    CHECK(dy(i) == doctest::Approx(expected(i)));
  }
}

TEST_CASE("the linearised gradient is the Hessian, applied again and again") {
  const Vector x = {0.3, -1, 2}, d = {1, 2, -1};
  constexpr auto f = [](auto v) { return fx::logsumexp(v * v); };
  const auto [g, h] = fx::linearize(fx::grad(f), x);
  const Vector product = h(d), expected = fx::hvp(f)(x, d), first = fx::grad(f)(x);
  for (int i = 0; i < 3; ++i) {
    CHECK(product(i) == doctest::Approx(expected(i)));
    CHECK(g(i) == doctest::Approx(first(i)));
  }
}
