// Rules of one's own: differentiation follows them instead of what they stand for, in both modes, to any order, and on the tape.
#include <doctest/doctest.h>

#include <fluxion/autodiff/custom.hpp>
#include <fluxion/autodiff/jvp.hpp>
#include <fluxion/autodiff/var.hpp>
#include <fluxion/autodiff/vjp.hpp>
#include <fluxion/fluxion.hpp>
#include <fluxion/nn/module.hpp>

#include <cmath>

namespace fx = fluxion;

namespace {

using Vector = fx::Tensor<double, fx::dims<1>>;

/// The identity, whose gradient is cut off at 1: it can be seen that the rule was followed.
constexpr auto clipped = fx::custom_vjp([](auto x) { return std::pair(x, x); },
                                        [](auto x, auto dy) { return fx::where(fx::abs(x) < 1, dy, 0); });
/// A product with its rule written out, three times too large.
constexpr auto product = fx::custom_vjp([](auto a, auto b) { return a * b; }, [](auto a, auto b) { return std::make_pair(a * b, std::make_tuple(a, b)); },
                                        [](auto known, auto dy) { return std::make_tuple(3 * dy * std::get<1>(known), 3 * dy * std::get<0>(known)); });
/// log(1 + exp(x)) with a rule that does not overflow.
constexpr auto softplus = fx::custom_jvp([](auto x) { return fx::log(1 + fx::exp(x)); }, [](auto x, auto dx) { return fx::sigmoid(x) * dx; });
/// Two results of two arguments, with tangents that are easy to tell apart.
constexpr auto odd_pair = fx::custom_jvp([](auto x, auto y) { return std::make_tuple(fx::sqrt(x * x + y * y), fx::tanh(x) * y); },
                                      [](auto x, auto y, auto dx, auto dy) { return std::make_tuple(10 * dx + y * dy, 20 * dy - x * dx); });

constexpr auto sum_of_clipped = [](auto x) { return fx::sum(clipped(x) * x); };
constexpr auto sum_of_products = [](auto a, auto b) { return fx::sum(product(product(a, b), a)); };
constexpr auto sum_of_softplus = [](auto x) { return fx::sum(softplus(x)); };

}  // namespace

TEST_CASE("custom_vjp: the value is forward's, the gradient backward's") {
  const Vector x = {0.5, -2, 3};
  const auto [value, dx] = fx::value_and_grad(sum_of_clipped)(x);
  CHECK(value.item() == doctest::Approx(0.25 + 4 + 9));
  CHECK(dx(0) == doctest::Approx(1.0));   // x + x
  CHECK(dx(1) == doctest::Approx(-2.0));  // the rule gives 0 for the left factor
  CHECK(dx(2) == doctest::Approx(3.0));
  const Vector y = clipped(x);
  CHECK(y(1) == -2);
}

TEST_CASE("custom_vjp: rules compose with each other and with the chain rule, for several arguments") {
  const Vector a = {2, -1}, b = {3, 0.5};
  const auto [value, da, db] = fx::value_and_grad<0, 1>(sum_of_products)(a, b);
  CHECK(value.item() == doctest::Approx(12 + 0.5));
  for (fx::index_t i = 0; i < 2; ++i) {
    CHECK(da(i) == doctest::Approx(9 * a(i) * b(i) + 3 * a(i) * b(i)));  // through the inner product twice, and beside it once
    CHECK(db(i) == doctest::Approx(9 * a(i) * a(i)));
  }
}

TEST_CASE("custom_vjp: a number is an argument like any other") {
  constexpr auto scaled = [](auto a, auto b) {
    constexpr auto scale = fx::custom_vjp([](auto u, auto v) { return std::make_pair(u * v, std::make_tuple(u, v)); },
                                          [](auto known, auto dy) { return std::make_tuple(dy * std::get<1>(known), 3 * fx::sum(dy * std::get<0>(known))); });
    return fx::sum(scale(a, b));
  };
  const auto [value, db] = fx::value_and_grad<1>(scaled)(Vector{2, -1}, 3.0);
  CHECK(value.item() == 3);
  CHECK(db.item() == 3 * (2 - 1));
}

TEST_CASE("custom_vjp: the rule is differentiated where a gradient is") {
  constexpr auto second = [](auto a, auto b) { return fx::sum(fx::grad([](auto p, auto q) { return fx::sum(product(p, q) * p); })(a, b)); };
  const Vector a = {2}, b = {3};
  // d/da (3 p q + p q) = 4 q, and the adjoint's own products are not custom.
  const auto [value, da] = fx::value_and_grad(second)(a, b);
  CHECK(value.item() == doctest::Approx(3 * 2 * 3 + 3 * 2));
  CHECK(da(0) == doctest::Approx(3 * 3 + 3 * 3));  // of 3 p q: 3 q; of the value p q, by its rule: 3 q
}

TEST_CASE("custom_jvp: forward mode follows the rule, and reverse mode its transpose") {
  const Vector x = {-1, 0.5, 800}, v = {1, 2, 3};
  const auto [y, dy] = fx::jvp(sum_of_softplus)(x, v);
  const auto sigmoid = [](double t) { return 1 / (1 + std::exp(-t)); };
  CHECK(std::isinf(y.item()));
  CHECK(dy.item() == doctest::Approx(sigmoid(-1) + 2 * sigmoid(0.5) + 3));
  const auto dx = fx::grad(sum_of_softplus)(x);
  CHECK(dx(0) == doctest::Approx(sigmoid(-1)));
  CHECK(dx(2) == 1);  // that of the operations would be inf / inf
  const auto h = fx::hvp(sum_of_softplus)(x, v);
  CHECK(h(1) == doctest::Approx(2 * sigmoid(0.5) * sigmoid(-0.5)));
}

TEST_CASE("custom_jvp: several results, of which only some are used, give the same products in both modes") {
  constexpr auto both = [](auto x, auto y) { const auto [r, phi] = odd_pair(x, y); return std::make_tuple(r * 2, phi * y); };
  constexpr auto radius = [](auto x, auto y) { return fx::sum(std::get<0>(odd_pair(x, y))); };
  const Vector x = {0.5}, y = {2}, dx = {3}, dy = {7};
  const auto [value, tangent] = fx::jvp(both)(x, y, dx, dy);
  const double phi = std::tanh(0.5) * 2;
  CHECK(std::get<0>(value)(0) == doctest::Approx(2 * std::hypot(0.5, 2)));
  CHECK(std::get<0>(tangent)(0) == doctest::Approx(2 * (30 + 14)));
  CHECK(std::get<1>(tangent)(0) == doctest::Approx((140 - 1.5) * 2 + phi * 7));
  const auto [again, bx, by] = fx::vjp(both)(x, y, std::tuple(Vector{1}, Vector{-1}));
  CHECK(bx(0) == doctest::Approx(2 * 10 - 2 * -0.5));
  CHECK(by(0) == doctest::Approx(2 * 2 - (2 * 20 + phi)));
  const auto [gx, gy] = fx::grad<0, 1>(radius)(x, y);
  CHECK(gx(0) == 10);
  CHECK(gy(0) == 2);
}

TEST_CASE("stop_gradient: nothing flows through it, and a straight-through estimator has the gradient of what it stands for") {
  constexpr auto stopped = [](auto x) { return fx::sum(x * fx::stop_gradient(x)); };
  constexpr auto signs = [](auto x) { return fx::sum((x + fx::stop_gradient(fx::where(x > 0, 1, -1) - x)) * x); };
  const Vector x = {1.4, -2.6};
  CHECK(fx::grad(stopped)(x)(0) == 1.4);
  const auto [value, dx] = fx::value_and_grad(signs)(x);
  CHECK(value.item() == doctest::Approx(1.4 + 2.6));
  CHECK(dx(0) == doctest::Approx(1.4 + 1));
  CHECK(dx(1) == doctest::Approx(-2.6 - 1));
}

TEST_CASE("a rule that is not differentiated costs nothing: residuals are not computed") {
  constexpr auto costly = [](auto x) { return fx::custom_vjp([](auto u) { return std::make_pair(u + 1, fx::exp(fx::sin(u))); }, [](auto e, auto dy) { return e * dy; })(x); };
  const Vector x = {0.3};
  const auto entries = [](const auto& v) { int maps = 0; for (int i = 0; i < v.instruction_count; ++i) maps += v.instructions[i].operation == fx::graph::opcode_of<fx::operation::exp>; return maps; };
  using source = fx::detail::function_source<std::remove_const_t<decltype(costly)>, Vector>;
  CHECK(entries(fx::graph::constant_plan<source>::view) == 0);
  constexpr auto total = [](auto u) { return fx::sum(fx::custom_vjp([](auto w) { return std::make_pair(w + 1, fx::exp(fx::sin(w))); }, [](auto e, auto dy) { return e * dy; })(u)); };
  CHECK(fx::grad(total)(x)(0) == doctest::Approx(std::exp(std::sin(0.3))));
  const Vector y = fx::compile(costly)(x);
  CHECK(y(0) == 1.3);
}

TEST_CASE("on the tape a statement follows the rules of the functions in it") {
  fx::Parameter<double, fx::dims<1>> x = Vector{0.5, -2};
  const fx::Var y = clipped(x) * 3;
  const fx::Var loss = fx::sum(y);
  loss.backward();
  CHECK(loss.item() == doctest::Approx(-4.5));
  CHECK(x.grad()(0) == 3);
  CHECK(x.grad()(1) == 0);
}
