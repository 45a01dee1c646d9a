// Small programs of static extents: written out element by element, and run without a plan.
#include <fluxion/fluxion.hpp>
#include <fluxion/graph/pass/scalarize.hpp>

#include "support/run_plan.hpp"
#include "support/shrink_program.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <cstdlib>
#include <limits>

namespace fx = fluxion;
using namespace fluxion;
using namespace fluxion::test;

namespace {

/// The steps as a program of numbers, and the elements of a case's arguments as its arguments.
std::vector<double> evaluate(const graph::straight_line& line, const random_case& c) {
  graph::program p;
  std::vector<oracle_value> arguments;
  for (int i = 0; i < line.steps.size(); ++i) {
    const graph::scalar_step& s = line.steps[i];
    if (s.operation == graph::opcode_of<operation::argument>) {
      const oracle_value& from = c.arguments[static_cast<std::size_t>(c.code[s.instruction].attribute)];
      arguments.push_back(oracle_value{s.type, {}, {from.data[static_cast<std::size_t>(s.element)]}});
      p.argument(static_cast<int>(arguments.size()) - 1, s.type, {});
      p.instructions[i] = p.instructions[p.size() - 1];
    } else {
      graph::instruction x{.operation = s.operation, .type = s.type, .accumulator = s.type, .shape = p.number_shape()};
      for (int k = 0; k < graph::max_operands; ++k) x.operand[k] = s.operand[k];
      if (s.operation == graph::opcode_of<operation::constant>) {
        p.constants.push_back(s.bits);
        x.attribute = p.constants.size() - 1;
      } else if (s.operation == graph::opcode_of<operation::scalar>) x.attribute = c.code[s.instruction].attribute;
      p.instructions.push_back(x);
    }
    REQUIRE(p.size() == i + 1);
  }
  for (const std::int16_t r : line.results) p.outputs.push_back(r);
  std::vector<double> result;
  for (const oracle_value& v : graph::evaluate_oracle(p, arguments, c.scalars)) result.push_back(v.data[0]);
  return result;
}

}  // namespace

TEST_CASE("random programs written out element by element compute what they compute as a whole") {
  const int times = std::getenv("FLUXION_FULL") ? 4000 : 400;
  int possible = 0;
  for (int n = 0; n < times; ++n) {
    random_program maker(static_cast<std::uint64_t>(120'000 + n), {.steps = 8, .smooth = n % 2 == 0, .empty_extents = false, .gradients = n % 4 == 0, .static_extents = true, .largest = 3, .elements = 16});
    random_case c = maker.make();
    c.code = graph::prepare_program(c.code);
    const graph::straight_line line = graph::scalarize(c.code, {.elements = 64, .steps = 4096});
    if (!line.possible) continue;
    ++possible;
    INFO(describe(c));
    const std::vector<double> found = evaluate(line, c);
    std::size_t at = 0;
    for (const oracle_value& y : graph::evaluate_oracle(c.code, c.arguments, c.scalars))
      for (const double expected : y.data) {
        REQUIRE(at < found.size());
        const double v = found[at++];
        CHECK((v == expected || (std::isnan(v) && std::isnan(expected)) || std::abs(v - expected) <= 1e-5 * (1 + std::abs(expected))));
      }
    CHECK(at == found.size());
  }
  CHECK(possible > times / 2);
}

TEST_CASE("a program that is too large or of run-time extents is not written out") {
  graph::program p;
  const Symbol x(p, p.argument(0, element_type::float32, {.rank = 1, .extent = {20}}));
  p.outputs.push_back(static_cast<std::int16_t>(exp(x).index()));
  CHECK_FALSE(graph::scalarize(p).possible);
  CHECK(graph::scalarize(p, {.elements = 20}).steps.size() == 40);
  CHECK_FALSE(graph::scalarize(p, {.elements = 20, .steps = 39}).possible);
  graph::program q;
  const Symbol y(q, q.argument(0, element_type::float32, {.rank = 1, .extent = {-1}}));
  q.outputs.push_back(static_cast<std::int16_t>(exp(y).index()));
  CHECK_FALSE(graph::scalarize(q).possible);
}

namespace {
constexpr auto mixed = [](auto a, auto b, auto rate) {
  auto y = fx::softmax(fx::matmul(a, b) * rate, fx::axis<-1>);
  return std::make_tuple(y, fx::transpose(y) - fx::mean(y, fx::axis<0>, fx::keepdim), fx::argmax(y, fx::axis<1>), fx::max(y) > 0.5);
};
constexpr auto loss = [](auto w, auto b, auto x) { return fx::mean(fx::tanh(fx::matmul(w, x) + b) * fx::norm(b)); };
}  // namespace

TEST_CASE("the same function of static and of run-time extents gives the same values and gradients") {
  const fx::Tensor<double, fx::extents<3, 2>> a = {{1, -2}, {0.5, 3}, {-1, 1}};
  const fx::Tensor<double, fx::extents<2, 3>> b = {{2, 0, 1}, {-1, 1, 0.25}};
  const auto f = fx::compile(mixed);
  static_assert(fx::plan_of_call<decltype(f), decltype(a), decltype(b), double>.kernels == 1);
  const auto [y, centred, best, large] = f(a, b, 0.7);
  const fx::Tensor<double, fx::dims<2>> ra = a, rb = b;
  const auto [ry, rcentred, rbest, rlarge] = f(ra, rb, 0.7);
  CHECK(fx::allclose(y, ry));
  CHECK(fx::allclose(centred, rcentred));
  CHECK(best(1) == rbest(1));
  CHECK(large.item() == rlarge.item());

  const fx::Tensor<double, fx::extents<2>> bias = {0.1, 0.4};
  const fx::Tensor<double, fx::dims<1>> rbias = bias;
  const auto [v, dw, db, dx] = fx::value_and_grad<0, 1, 2>(loss)(b, bias, a);
  const auto [rv, rdw, rdb, rdx] = fx::value_and_grad<0, 1, 2>(loss)(rb, rbias, ra);
  CHECK(v.item() == doctest::Approx(rv.item()).epsilon(1e-14));
  CHECK(fx::allclose(dw, rdw));
  CHECK(fx::allclose(db, rdb));
  CHECK(fx::allclose(dx, rdx));
}

TEST_CASE("numbers are differentiated in their own precision, and a float stays one") {
  constexpr auto f = [](auto x, auto y) { return fx::sin(x) * y + 0.5 * x * x; };
  const auto [v, dx, dy] = fx::value_and_grad<0, 1>(f)(0.3, 2.0);
  static_assert(std::is_same_v<typename decltype(dx)::value_type, double>);
  CHECK(v.item() == doctest::Approx(std::sin(0.3) * 2 + 0.045).epsilon(1e-15));
  CHECK(dx.item() == doctest::Approx(std::cos(0.3) * 2 + 0.3).epsilon(1e-15));
  CHECK(dy.item() == doctest::Approx(std::sin(0.3)).epsilon(1e-15));
  const auto single = fx::grad<0>(f)(0.3f, 2.f);
  static_assert(std::is_same_v<typename decltype(single)::value_type, float>);
  CHECK(single.item() == doctest::Approx(std::cos(0.3) * 2 + 0.3).epsilon(1e-6));
}

TEST_CASE("loops with static bounds unroll into straight-line code") {
  constexpr auto root = [](auto a) {
    auto x = a;
    for (int i = 0; i < 8; ++i) x = 0.5 * (x + a / x);
    return x;
  };
  const auto [x, slope] = fx::value_and_grad(root)(2.0);
  CHECK(x.item() == doctest::Approx(std::sqrt(2.0)).epsilon(1e-14));
  CHECK(slope.item() == doctest::Approx(0.5 / std::sqrt(2.0)).epsilon(1e-13));
}

TEST_CASE("integers wrap around as they do in packets") {
  constexpr std::int64_t largest = std::numeric_limits<std::int64_t>::max(), least = std::numeric_limits<std::int64_t>::min();
  constexpr auto f = [](auto a) { return std::make_tuple(a + 1, a * a, -(a + 1), fx::abs(a + 1), fx::sum(a)); };
  const fx::Tensor<std::int64_t, fx::extents<2>> a = {largest, 3};
  const auto [next, square, negative, absolute, total] = fx::compile(f)(a);
  CHECK(next(0) == least);
  CHECK(square(0) == 1);
  CHECK(negative(0) == least);
  CHECK(absolute(0) == least);
  CHECK(absolute(1) == 4);
  CHECK(total.item() == least + 2);
}

TEST_CASE("what is written may be what is read") {
  fx::Tensor<double, fx::extents<2, 2>> x = {{1, 2}, {3, 4}};
  x = fx::matmul(x, fx::transpose(x)) + x;
  CHECK(x(0, 0) == 6);
  CHECK(x(0, 1) == 13);
  CHECK(x(1, 0) == 14);
  CHECK(x(1, 1) == 29);
  x = fx::transpose(x);
  CHECK(x(0, 1) == 14);
}

TEST_CASE("straight-line code is counted as one kernel that reads and writes each element once") {
  const fx::Tensor<float, fx::extents<3>> a = {1, 2, 3};
  auto e = fx::exp(a) * a + 1;
  static_assert(fx::plan_of<decltype(e)>.kernels == 1);
  fx::CountingScope scope;
  const fx::Tensor<float, fx::extents<3>> y = e;
  CHECK(scope.counters().kernels == 1);
  CHECK(scope.counters().bytes == fx::plan_of<decltype(e)>.bytes);
  CHECK(scope.counters().flops == fx::plan_of<decltype(e)>.flops);
  CHECK(y(2) == doctest::Approx(std::exp(3.0) * 3 + 1));
  CHECK(fx::explain(e).find("straight line") != std::string::npos);
}

namespace {
/// Rosenbrock's valley: the same code for arrays of Duals, for tensors and for what stands for them while they are traced.
constexpr auto valley = [](const auto& x) {
  auto sum = (1 - x[0]) * (1 - x[0]);
  for (int i = 0; i < 3; ++i) {
    const auto fall = x[i + 1] - x[i] * x[i];
    sum = sum + 100 * fall * fall;
  }
  return sum;
};
}  // namespace

TEST_CASE("elements are taken from a traced tensor as from any other") {
  const fx::Tensor<double, fx::extents<4>> x = {0.8, 0.9, 1.1, 1.3};
  const auto [y, g] = fx::value_and_grad(valley)(x);
  CHECK(y.item() == doctest::Approx(valley(x)));
  const fx::Tensor<double, fx::dims<1>> r = x;
  CHECK(fx::allclose(fx::grad(valley)(r), g));
  const double h = 1e-6;
  for (int i = 0; i < 4; ++i) {
    fx::Tensor<double, fx::extents<4>> above = x, below = x;
    above(i) += h;
    below(i) -= h;
    CHECK(g(i) == doctest::Approx((valley(above) - valley(below)) / (2 * h)).epsilon(1e-7));
  }
  const fx::Tensor<double, fx::dims<1>> shorter = {1, 2, 3};
  CHECK_THROWS_AS(fx::grad(valley)(shorter), fx::IndexError);
  constexpr auto corner = [](auto m) { return m(-1, 0) * m[0][-1]; };
  const fx::Tensor<double, fx::extents<2, 3>> m = {{1, 2, 3}, {4, 5, 6}};
  CHECK(fx::compile(corner)(m).item() == 12);
}
