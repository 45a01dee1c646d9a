// vmap: what it computes, of what type, and in how many kernels; with gradients inside and outside.
#include <doctest/doctest.h>

#include <fluxion/autodiff/jvp.hpp>
#include <fluxion/autodiff/vjp.hpp>
#include <fluxion/autodiff/vmap.hpp>
#include <fluxion/nn/layer.hpp>
#include <fluxion/tensor/factory.hpp>

#include <cmath>

namespace fx = fluxion;

namespace {

using Matrix = fx::Tensor<double, fx::dims<2>>;
using Vector = fx::Tensor<double, fx::dims<1>>;

constexpr auto residual = [](auto w, auto x, auto y) { return fx::sum(fx::tanh(fx::matmul(x, w)) * y); };
constexpr auto on_model = [](const auto& m, auto x) { return fx::sum(fx::tanh(m.forward(x))); };

const Matrix w = {{0.1, -0.3}, {0.5, 0.4}, {-0.2, 0.7}}, xs = {{1, 2, 3}, {-1, 0.5, 2}, {0.3, -2, 1}, {2, 2, -1}},
             ys = {{1, -1}, {0.5, 2}, {-0.3, 1}, {2, 0}};

Vector row(const Matrix& m, fx::index_t i) {
  Vector v = fx::zeros<double>({m.extents().extent(1)});
  for (fx::index_t j = 0; j < v.size(); ++j) v(j) = m(i, j);
  return v;
}

}  // namespace

TEST_CASE("vmap of a function of vectors stacks what it gives for each row") {
  constexpr auto f = [](auto v) { return std::tuple(fx::softmax(v, fx::axis<0>), fx::max(v)); };
  const auto [soft, largest] = fx::vmap(f)(xs);
  static_assert(std::is_same_v<decltype(soft), const Matrix> && std::is_same_v<decltype(largest), const Vector>);
  for (fx::index_t i = 0; i < 4; ++i) {
    const auto [one, most] = fx::compile(f)(row(xs, i));
    CHECK(largest(i) == most.item());
    for (fx::index_t j = 0; j < 3; ++j) CHECK(soft(i, j) == doctest::Approx(one(j)));
  }
}

TEST_CASE("vmap of softmax is the one kernel that softmax of rows is") {
  fx::CountingScope scope;
  const Matrix y = fx::vmap([](auto v) { return fx::softmax(v * 2 + 1, fx::axis<0>); })(xs);
  CHECK(scope.counters().kernels == 1);
  CHECK(y.size() == 12);
}

TEST_CASE("vmap of a matrix times a vector is one product of matrices, whichever side the vector is on") {
  for (const bool left : {true, false}) {
    fx::CountingScope scope;
    const Matrix y = left ? fx::vmap([](auto x, auto m) { return fx::matmul(x, m); }, fx::in_dims<0, fx::none>)(xs, w)
                          : fx::vmap([](auto x, auto m) { return fx::matmul(fx::transpose<>(m), x); }, fx::in_dims<0, fx::none>)(xs, w);
    CHECK(scope.counters().contractions == 1);
    CHECK(scope.counters().copies == 0);
    for (fx::index_t i = 0; i < 4; ++i)
      for (fx::index_t j = 0; j < 2; ++j) CHECK(y(i, j) == doctest::Approx(xs(i, 0) * w(0, j) + xs(i, 1) * w(1, j) + xs(i, 2) * w(2, j)));
  }
}

TEST_CASE("batch axes may be any, of static and run-time extents, of tensors and views") {
  const fx::Tensor<double, fx::extents<3, 4>> a = {{1, 2, 3, 4}, {5, 6, 7, 8}, {9, 10, 11, 12}};
  const Matrix b = {{1, 2}, {3, 4}, {5, 6}, {7, 8}};
  constexpr auto outer = [](auto u, auto v) { return fx::unsqueeze<1>(u) * v; };
  const auto y = fx::vmap(outer, fx::in_dims<1, 0>, fx::out_dims<-1>)(a, b);
  static_assert(std::is_same_v<decltype(y), const fx::Tensor<double, fx::extents<3, fx::dynamic_extent, 4>>>);
  const auto z = fx::vmap(outer, fx::in_dims<-1, -2>, fx::out_dims<1>)(a.view(), b.view());
  for (int i = 0; i < 3; ++i)
    for (int j = 0; j < 2; ++j)
      for (int n = 0; n < 4; ++n) {
        CHECK(y(i, j, n) == a(i, n) * b(n, j));
        CHECK(z(i, n, j) == y(i, j, n));
      }
}

TEST_CASE("what does not depend on the batch is repeated") {
  const auto [a, b] = fx::vmap([](auto x, auto m) { return std::tuple(fx::sum(m), fx::sum(x) + m); }, fx::in_dims<0, fx::none>)(xs, w);
  CHECK(a.size() == 4);
  CHECK(a(3) == doctest::Approx(1.2));
  CHECK(b(2, 1, 0) == doctest::Approx(-0.7 + 0.5));
}

TEST_CASE("vmap of vmap is the outer product") {
  constexpr auto product = [](auto a, auto b) { return a * b; };
  const Vector u = {1, 2}, v = {3, 4, 5};
  const Matrix y = fx::vmap(fx::vmap(product, fx::in_dims<fx::none, 0>), fx::in_dims<0, fx::none>)(u, v);
  const Matrix z = fx::vmap([](auto a, auto b) { return fx::vmap([](auto p, auto q) { return p * q; }, fx::in_dims<fx::none, 0>)(a, b); }, fx::in_dims<0, fx::none>)(u, v);
  for (int i = 0; i < 2; ++i)
    for (int j = 0; j < 3; ++j) {
      CHECK(y(i, j) == u(i) * v(j));
      CHECK(z(i, j) == u(i) * v(j));
    }
}

TEST_CASE("vmap of grad gives per-sample gradients, without a product of matrices for each sample") {
  fx::CountingScope scope;
  const auto g = fx::vmap(fx::grad(residual), fx::in_dims<fx::none, 0, 0>)(w, xs, ys);
  CHECK(scope.counters().contractions == 1);
  CHECK(g.extents() == fx::dims<3>(4, 3, 2));
  for (fx::index_t i = 0; i < 4; ++i) {
    const Matrix one = fx::grad(residual)(w, row(xs, i), row(ys, i));
    for (int j = 0; j < 3; ++j)
      for (int k = 0; k < 2; ++k) CHECK(g(i, j, k) == doctest::Approx(one(j, k)));
  }
}

TEST_CASE("the gradient of a sum over a batch is the sum of per-sample gradients") {
  const Matrix g = fx::grad([](auto m, auto x, auto y) { return fx::sum(fx::vmap(residual, fx::in_dims<fx::none, 0, 0>)(m, x, y)); })(w, xs, ys);
  const auto samples = fx::vmap(fx::grad(residual), fx::in_dims<fx::none, 0, 0>)(w, xs, ys);
  for (int j = 0; j < 3; ++j)
    for (int k = 0; k < 2; ++k) CHECK(g(j, k) == doctest::Approx(samples(0, j, k) + samples(1, j, k) + samples(2, j, k) + samples(3, j, k)));
}

TEST_CASE("jvp of vmap is vmap of jvp") {
  constexpr auto f = [](auto x) { return fx::sum(fx::sin(x) * x); };
  const auto [y, dy] = fx::jvp(fx::vmap(f))(xs, xs);
  const auto [z, dz] = fx::vmap(fx::jvp(f))(xs, xs);
  for (int i = 0; i < 4; ++i) {
    CHECK(y(i) == doctest::Approx(z(i)));
    CHECK(dy(i) == doctest::Approx(dz(i)));
  }
}

TEST_CASE("vmap of vjp takes a cotangent for every example") {
  constexpr auto f = [](auto x) { return fx::sin(x); };
  const auto [y, dx] = fx::vmap(fx::vjp(f))(xs, xs);
  CHECK(y(1, 2) == doctest::Approx(std::sin(2)));
  CHECK(dx(1, 2) == doctest::Approx(2 * std::cos(2)));
}

TEST_CASE("per-sample gradients of a model are a tensor for each parameter") {
  const fx::nn::BasicLinear<double> model{3, 2};
  const auto [loss, gradients] = fx::vmap(fx::value_and_grad(on_model), fx::in_dims<fx::none, 0>)(model, xs);
  const auto& [weight, bias] = gradients;
  for (fx::index_t i = 0; i < 4; ++i) {
    const auto [value, one] = fx::value_and_grad(on_model)(model, row(xs, i));
    CHECK(loss(i) == doctest::Approx(value.item()));
    for (int j = 0; j < 2; ++j) CHECK(bias(i, j) == doctest::Approx(one.bias.value()(j)));
    for (fx::index_t k = 0; k < 6; ++k) CHECK(weight.data()[6 * i + k] == doctest::Approx(one.weight.value().data()[k]));
  }
}

TEST_CASE("a run-time extent of 1 that broadcasts in every example has its gradient added up") {
  const Matrix a = {{2}, {3}}, b = {{1, 2, 3}, {4, 5, 6}};
  const auto [da, db] = fx::vmap(fx::grad<0, 1>([](auto u, auto v) { return fx::sum(u * v * v); }))(a, b);
  CHECK(da.extents() == a.extents());
  CHECK(da(0, 0) == 14);
  CHECK(da(1, 0) == 77);
  CHECK(db(1, 2) == 36);
}

TEST_CASE("inside a function vmap does not take a value for its example, however that value was made") {
  // c is made of x's first entry, as vmap's example of x would be.
  const Vector x = {2, 3, 5};
  const Vector y = fx::compile([](auto v) {
    const auto c = fx::squeeze<0>(fx::slice_axis<0, 0, 1>(v));
    return fx::vmap([](auto e, auto k) { return e * e * k; }, fx::in_dims<0, fx::none>)(v, c * c);
  })(x);
  for (int i = 0; i < 3; ++i) CHECK(y(i) == x(i) * x(i) * 4);
}

TEST_CASE("batch axes of different run-time extents are an error that says so") {
  CHECK_THROWS_WITH_AS(fx::vmap([](auto a, auto b) { return fx::sum(a) * fx::sum(b); })(xs, w), "argument: extents differ: [4, 3] and [3, 2]", fx::ShapeError);
}

TEST_CASE("an empty batch, the argument itself and a number are results too") {
  const Matrix nothing = fx::zeros<double>({0, 3});
  const auto [a, b, c] = fx::vmap([](auto v) { return std::tuple(fx::max(v), v, 2.0); })(nothing);
  CHECK(a.size() == 0);
  CHECK(b.extents() == fx::dims<2>(0, 3));
  CHECK(c.size() == 0);
  const auto [d, e, f] = fx::vmap([](auto v) { return std::tuple(fx::max(v), v, 2.0); })(xs);
  CHECK(d(3) == 2);
  CHECK(e(1, 0) == -1);
  CHECK(f(3) == 2);
}

TEST_CASE("inside a function of a model vmap takes its parameters as they are") {
  const fx::nn::BasicLinear<double> model{3, 2};
  constexpr auto f = [](const auto& m, auto x) {
    return fx::vmap([](auto weight, auto v) { return fx::matmul(weight, v); }, fx::in_dims<fx::none, 0>)(m.weight, x);
  };
  const Matrix y = fx::compile(f)(model, xs), z = fx::matmul(xs, fx::transpose<>(model.weight.value()));
  for (fx::index_t i = 0; i < 8; ++i) CHECK(y.data()[i] == doctest::Approx(z.data()[i]));
  const auto [value, gradient] = fx::value_and_grad([](const auto& m, auto x) {
    const auto v = fx::vmap([](const auto& layer, auto u) { return fx::sum(fx::tanh(layer.forward(u))); }, fx::in_dims<fx::none, 0>)(m, x);
    return fx::sum(v);
  })(model, xs);
  const auto expected = fx::grad([](const auto& m, auto x) { return fx::sum(fx::tanh(m.forward(x))); })(model, xs);
  for (fx::index_t i = 0; i < 6; ++i) CHECK(gradient.weight.value().data()[i] == doctest::Approx(expected.weight.value().data()[i]));
  CHECK(std::isfinite(value.item()));
}

TEST_CASE("small products of matrices become part of the kernels around them, large ones are one for each example") {
  const fx::Tensor<double, fx::extents<5, 3, 3>> a = fx::Tensor<double, fx::extents<5, 3, 3>>(fx::ones<double>({5, 3, 3}));
  {
    fx::CountingScope scope;
    const auto y = fx::vmap([](auto m) { return fx::tanh(fx::matmul(m, fx::transpose<>(m)) * 2); })(a);
    CHECK(scope.counters().contractions == 0);
    CHECK(scope.counters().kernels == 1);
    CHECK(y(4, 2, 1) == doctest::Approx(std::tanh(6)));
  }
  const fx::Tensor<double, fx::dims<3>> b = fx::ones<double>({3, 9, 7});
  fx::CountingScope scope;
  const auto y = fx::vmap([](auto m) { return fx::matmul(fx::transpose<>(m), m); })(b);
  CHECK(scope.counters().contractions == 1);
  CHECK(y.extents() == fx::dims<3>(3, 7, 7));
  CHECK(y(2, 3, 4) == 9);
}
