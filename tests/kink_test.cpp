// Derivatives where a function has none, or more than one: what PyTorch answers.
#include <doctest/doctest.h>

#include <fluxion/fluxion.hpp>

#include <cmath>
#include <limits>

namespace fx = fluxion;

namespace {
using Vector = fx::Tensor<double, fx::extents<4>>;
constexpr double nan_value = std::numeric_limits<double>::quiet_NaN();
}  // namespace

// One plan for all of them: each is an output.
constexpr auto gradients = [](auto x, auto ties, auto zeros) {
  constexpr auto total = [](auto f) { return fx::grad([](auto v) { return fx::sum(decltype(f){}(v)); }); };
  return std::make_tuple(
      total([](auto v) { return fx::relu(v); })(x), total([](auto v) { return fx::abs(v); })(x),
      total([](auto v) { return fx::pow(v, 2); })(x), total([](auto v) { return fx::pow(v, 0); })(x),
      fx::grad([](auto v) { return fx::max(v); })(ties), fx::grad([](auto v) { return fx::min(v); })(ties),
      total([](auto v) { return fx::maximum(v, 0); })(x), fx::grad([](auto v) { return fx::norm(v); })(zeros),
      total([](auto v) { return fx::where(v > 0, fx::log(v), v); })(x), total([](auto v) { return fx::where(v > 0, fx::sqrt(v), 0); })(x));
};

TEST_CASE("at kinks gradients are those of PyTorch") {
  const Vector x = {-1, 0, 1, 4}, ties = {3, 1, 3, 1}, zeros = {0, 0, 0, 0};
  const auto [relu, absolute, square, one, largest, smallest, half, norm, logarithm, root] = fx::compile(gradients)(x, ties, zeros);
  CHECK(fx::allclose(relu, Vector{0, 0, 1, 1}));
  CHECK(fx::allclose(absolute, Vector{-1, 0, 1, 1}));
  CHECK(fx::allclose(square, Vector{-2, 0, 2, 8}));
  CHECK(fx::allclose(one, Vector{0, 0, 0, 0}));
  CHECK(fx::allclose(largest, Vector{0.5, 0, 0.5, 0}));
  CHECK(fx::allclose(smallest, Vector{0, 0.5, 0, 0.5}));
  CHECK(fx::allclose(half, Vector{0, 0.5, 1, 1}));
  CHECK(fx::allclose(norm, zeros));
  // Torch gives NaN here too: 1/x of the branch that is not taken is infinite or NaN, times zero. Fluxion chooses after multiplying.
  CHECK(fx::allclose(logarithm, Vector{1, 1, 1, 0.25}));
  CHECK(fx::allclose(root, Vector{0, 0, 0.5, 0.25}));
}

TEST_CASE("a branch within a branch that is not taken makes no NaN") {
  const Vector x = {-1, 0, 1, 4};
  const Vector g = fx::grad([](auto v) { return fx::sum(fx::where(v > 0, fx::where(v < 2, fx::log(v) / fx::sqrt(v - 1 + (v < 2)), 2 * v), 0)); })(x);
  CHECK(g(0) == 0);
  CHECK(g(1) == 0);
  CHECK(g(2) == doctest::Approx(1));
  CHECK(g(3) == 2);
}

TEST_CASE("the norm at zero has no NaN in its second derivative either") {
  const Vector zeros = {0, 0, 0, 0}, v = {1, 2, 3, 4};
  const Vector h = fx::hvp([](auto x) { return fx::norm(x); })(zeros, v);
  for (int i = 0; i < 4; ++i) CHECK(h(i) == 0);
}

TEST_CASE("NaN in an argument stays where it is") {
  const Vector x = {nan_value, 1, 2, 3};
  const Vector g = fx::grad([](auto v) { return fx::sum(v * v); })(x);
  CHECK(std::isnan(g(0)));
  CHECK(g(3) == 6);
}
