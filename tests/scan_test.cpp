// Loops over sequences, with states of several kinds; loops that end by a condition.
#include <doctest/doctest.h>

#include <fluxion/autodiff/loop.hpp>
#include <fluxion/fluxion.hpp>
#include <fluxion/nn/module.hpp>

#include <array>
#include <cmath>
#include <string>
#include <tuple>

namespace fx = fluxion;
using fx::index_t;

namespace {

using Vector = fx::Tensor<double, fx::dims<1>>;
using Matrix = fx::Tensor<double, fx::dims<2>>;

template <class E, class F>
std::string message_of(F f) {
  try {
    f();
  } catch (const E& error) {
    return error.what();
  }
  return "nothing thrown";
}

/// A filter y' = a y + b x, whose state also counts its steps, in an integer.
constexpr auto filter = [](auto state, auto x, auto a, auto b) {
  auto [y, n] = state;
  return std::make_tuple(a * y + b * x, n + 1);
};
constexpr auto half_square = [](auto state, auto, auto) { return fx::sum(std::get<0>(state) * std::get<0>(state)) / 2; };

/// A layer, as something that is the same in every step.
struct Decay {
  fx::Parameter<double, fx::extents<2>> rate = fx::ones;
  constexpr auto forward(const auto& x) const { return x * fx::exp(-rate); }
};

}  // namespace

TEST_CASE("scan: each step gets its row, and a sequence's gradient has the sequence's extents") {
  Matrix xs = {{1, 2}, {3, -1}, {0.5, 4}, {-2, 1}};
  const std::tuple state{Vector{0.5, -1}, std::int64_t{0}};
  const double a = 0.9, b = 0.3;
  const auto value = [&] {
    double sum = 0;
    for (index_t i = 0; i < 2; ++i) {
      double y = i == 0 ? 0.5 : -1;
      for (index_t t = 0; t < 4; ++t) y = a * y + b * xs(t, i);
      sum += y * y / 2;
    }
    return sum;
  };
  const auto [y, n] = fx::scan(filter)(state, fx::each(xs), a, b);
  CHECK(n == 4);
  CHECK((y(0) * y(0) + y(1) * y(1)) / 2 == doctest::Approx(value()));
  const auto [loss, d_state, d_xs, db] = fx::value_and_grad<0, 1, 3>(fx::scan(filter, half_square), {fx::checkpoints(2)})(state, fx::each(xs), a, b);
  CHECK(loss.item() == doctest::Approx(value()).epsilon(1e-14));
  CHECK(std::get<1>(d_state).item() == 0);
  CHECK(std::get<0>(d_state)(1) == doctest::Approx(std::pow(a, 4) * y(1)).epsilon(1e-13));
  double by_b = 0;
  for (index_t t = 0; t < 4; ++t)
    for (index_t i = 0; i < 2; ++i) {
      CHECK(d_xs(t, i) == doctest::Approx(std::pow(a, 3 - t) * b * y(i)).epsilon(1e-13));
      by_b += std::pow(a, 3 - t) * xs(t, i) * y(i);
    }
  CHECK(db.item() == doctest::Approx(by_b).epsilon(1e-13));
}

TEST_CASE("scan: strided sequences and overlapping destinations give the same gradients") {
  Matrix store = {{1, 3, 0.5, -2}, {2, -1, 4, 1}};
  const std::tuple state{Vector{0.5, -1}, std::int64_t{0}};
  constexpr auto g = fx::value_and_grad<1>(fx::scan(filter, half_square));
  const Matrix rows = store.t();
  const auto [loss, expected] = g(state, fx::each(rows), 0.9, 0.3);
  const auto transposed = store.t();
  const auto [same_loss, gradient] = g(state, fx::each(transposed), 0.9, 0.3);
  CHECK(loss.item() == same_loss.item());
  for (index_t t = 0; t < 4; ++t)
    for (index_t i = 0; i < 2; ++i) CHECK(gradient(t, i) == expected(t, i));
  Matrix in_place = rows;
  double value = 0;
  g.into(std::tie(value, in_place), state, fx::each(in_place), 0.9, 0.3);
  CHECK(value == loss.item());
  for (index_t t = 0; t < 4; ++t)
    for (index_t i = 0; i < 2; ++i) CHECK(in_place(t, i) == expected(t, i));
}

TEST_CASE("iterate: a state may be an array of numbers or static tensors, a constant a model") {
  constexpr auto rotate = [](auto p, auto angle) { return std::array{p[0] - angle * p[1], p[1] + angle * p[0]}; };
  constexpr auto first = [](auto p, auto) { return p[0] * 1.0; };
  const auto p = fx::iterate(rotate)(std::array{1.0, 0.0}, 3, 0.5);
  CHECK(p[0] == doctest::Approx(0.25));
  CHECK(p[1] == doctest::Approx(1.375));
  const auto [x, d_p, d_angle] = fx::value_and_grad<0, 2>(fx::iterate(rotate, first))(std::array{1.0, 0.0}, 3, 0.5);
  CHECK(x.item() == p[0]);
  CHECK(d_p[0].item() == doctest::Approx(0.25));
  CHECK(d_p[1].item() == doctest::Approx(-1.375));
  CHECK(d_angle.item() == doctest::Approx(-3.0));  // d/da (1 - 3 a^2)

  constexpr auto decay = [](auto v, auto layer) { return layer.forward(v); };
  constexpr auto total = [](auto v, auto) { return fx::sum(v); };
  Decay layer;
  layer.rate.value() = fx::Tensor<double, fx::extents<2>>{0.1, 0.2};
  const fx::Tensor<double, fx::extents<2>> v = {1, 2};
  const auto [sum, dv, d_layer] = fx::value_and_grad<0, 2>(fx::iterate(decay, total), {fx::logarithmic_checkpoints})(v, 10, layer);
  static_assert(std::is_same_v<std::remove_const_t<decltype(d_layer)>, Decay>);
  CHECK(sum.item() == doctest::Approx(std::exp(-1.0) + 2 * std::exp(-2.0)));
  CHECK(dv(1) == doctest::Approx(std::exp(-2.0)));
  CHECK(d_layer.rate.value()(1) == doctest::Approx(-20 * std::exp(-2.0)));
}

TEST_CASE("a loop of no steps has the value and the gradient of its loss") {
  constexpr auto twice = [](auto x) { return x * 2; };
  constexpr auto square = [](auto x) { return fx::sum(x * x); };
  const Vector x = {1, -3};
  fx::LoopCounts counts;
  const auto [loss, dx] = fx::value_and_grad(fx::iterate(twice, square), {fx::keep_all, &counts})(x, 0);
  CHECK(loss.item() == 10);
  CHECK(dx(1) == -6);
  CHECK(counts.steps == 0);
  CHECK(fx::iterate(twice)(x, 0)(1) == -3);
}

TEST_CASE("while_loop: it stops when its condition fails, and its gradient is that of the steps it took") {
  constexpr auto newton = [](auto x, auto a) { return (x + a / x) / 2; };
  constexpr auto is_far = [](auto x, auto a) { return fx::abs(x * x - a) > 1e-12; };
  constexpr auto root = [](auto x, auto) { return x * 1.0; };
  constexpr auto square_root = fx::while_loop(is_far, newton, root);
  CHECK(square_root(1.0, 7.0).item() == doctest::Approx(std::sqrt(7.0)));
  fx::LoopCounts counts;
  const auto [x, da] = fx::value_and_grad<1>(square_root, {fx::checkpoints(2), &counts})(1.0, 7.0);
  CHECK(da.item() == doctest::Approx(0.5 / std::sqrt(7.0)).epsilon(1e-10));
  CHECK(counts.reverse_steps == 6);
}

TEST_CASE("loops: what does not fit raises before a step is run") {
  constexpr auto add = [](auto s, auto x, auto y) { return s + x + y; };
  const Matrix three = fx::ones<double>({3, 2}), four = fx::ones<double>({4, 2});
  const Vector s = {0, 0};
  CHECK(message_of<fx::ShapeError>([&] { fx::scan(add)(s, fx::each(three), fx::each(four)); }) == "scan: sequences have 3 and 4 entries");
  CHECK(message_of<fx::ShapeError>([&] { fx::scan(add)(Vector{0}, fx::each(three), fx::each(three)); }) ==
        "loop: the state that a step returns has extents [2] and not [1]");
  constexpr auto same = [](auto x) { return x * 1; };
  CHECK(message_of<fx::ValueError>([&] { fx::iterate(same)(s, -1); }) == "iterate: the number of steps is -1");
}
