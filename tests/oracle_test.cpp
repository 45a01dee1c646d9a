#include <fluxion/core/random.hpp>
#include <fluxion/graph/function/composition.hpp>
#include <fluxion/graph/oracle.hpp>

#include <doctest/doctest.h>

using namespace fluxion;
using graph::oracle_value;
using graph::program;

namespace {

/// Records a function of arguments with these values (static extents) and evaluates it.
struct fixture {
  program p;
  std::vector<oracle_value> arguments;
  std::vector<graph::scalar_value> scalars;

  Symbol argument(std::vector<index_t> extents, std::vector<double> data, element_type type = element_type::float64, bool run_time = false) {
    graph::shape s;
    for (const index_t e : extents) s.extent[s.rank++] = run_time ? -1 : e;
    arguments.push_back({type, std::move(extents), std::move(data)});
    return Symbol(p, p.argument(static_cast<int>(arguments.size()) - 1, type, s));
  }
  oracle_value operator()(const Symbol& y) {
    p.outputs.clear();
    p.outputs.push_back(static_cast<std::int16_t>(y.index()));
    return graph::evaluate_oracle(p, arguments, scalars)[0];
  }
  bool is(const Symbol& y, const std::vector<double>& expected) {
    const oracle_value v = (*this)(y);
    if (v.data.size() != expected.size()) return false;
    for (std::size_t n = 0; n < expected.size(); ++n)
      if (!(std::abs(v.data[n] - expected[n]) <= 1e-12 * (1 + std::abs(expected[n])))) return false;
    return true;
  }
};

}  // namespace

TEST_CASE("arithmetic is that of the elements") {
  fixture f;
  const Symbol a = f.argument({3}, {1, -2, 4}), b = f.argument({3}, {2, 2, -8});
  CHECK(f.is(a + b, {3, 0, -4}));
  CHECK(f.is(a - b, {-1, -4, 12}));
  CHECK(f.is(a * b, {2, -4, -32}));
  CHECK(f.is(a / b, {0.5, -1, -0.5}));
  CHECK(f.is(-a, {-1, 2, -4}));
  CHECK(f.is(abs(a), {1, 2, 4}));
  CHECK(f.is(relu(a), {1, 0, 4}));
  CHECK(f.is(maximum(a, b), {2, 2, 4}));
  CHECK(f.is(minimum(a, b), {1, -2, -8}));
  CHECK(f.is(pow(b, 3), {8, 8, -512}));
  CHECK(f.is(detach(a), {1, -2, 4}));
}

TEST_CASE("transcendental functions have their known values") {
  fixture f;
  const Symbol x = f.argument({2}, {0, 1});
  CHECK(f.is(exp(x), {1, 2.718281828459045}));
  CHECK(f.is(log(x + 1), {0, 0.6931471805599453}));
  CHECK(f.is(sqrt(x * 4), {0, 2}));
  CHECK(f.is(rsqrt(x * 3 + 1), {1, 0.5}));
  CHECK(f.is(tanh(x), {0, 0.7615941559557649}));
  CHECK(f.is(sigmoid(x), {0.5, 0.7310585786300049}));
  CHECK(f.is(erf(x), {0, 0.8427007929497149}));
  CHECK(f.is(sin(x), {0, 0.8414709848078965}));
  CHECK(f.is(cos(x), {1, 0.5403023058681398}));
}

TEST_CASE("comparisons, logic and selection give bools and pick elements") {
  fixture f;
  const Symbol a = f.argument({3}, {1, 2, 3}), b = f.argument({3}, {2, 2, 2});
  CHECK(f.is(a < b, {1, 0, 0}));
  CHECK(f.is(a <= b, {1, 1, 0}));
  CHECK(f.is(a > b, {0, 0, 1}));
  CHECK(f.is(a == b, {0, 1, 0}));
  CHECK(f.is(a != b, {1, 0, 1}));
  CHECK(f.is(logical_and(a < b, a == b), {0, 0, 0}));
  CHECK(f.is(logical_or(a < b, a == b), {1, 1, 0}));
  CHECK(f.is(logical_not(a < b), {0, 1, 1}));
  CHECK(f.is(where(a < b, a * 10, b), {10, 2, 2}));
  CHECK(f(a < b).type == element_type::boolean);
}

TEST_CASE("conversions truncate, test for zero and round to float32 where asked") {
  fixture f;
  const Symbol a = f.argument({3}, {-1.7, 0, 2.9});
  CHECK(f.is(cast<std::int32_t>(a), {-1, 0, 2}));
  CHECK(f.is(cast<bool>(a), {1, 0, 1}));
  f.p.outputs.clear();
  f.p.outputs.push_back(static_cast<std::int16_t>(cast<float>(a).index()));
  CHECK(graph::evaluate_oracle(f.p, f.arguments, {}, {.round = true})[0].data[0] == static_cast<double>(-1.7f));
}

TEST_CASE("sums of bools count, bools add as truth") {
  fixture f;
  const Symbol a = f.argument({3}, {1, 0, 1}, element_type::boolean);
  CHECK(f.is(sum(a), {2}));
  CHECK(f.is(a + a, {1, 0, 1}));
}

TEST_CASE("operands broadcast from the last axis") {
  fixture f;
  const Symbol a = f.argument({2, 1}, {1, 2}), b = f.argument({3}, {10, 20, 30});
  CHECK(f.is(a + b, {11, 21, 31, 12, 22, 32}));
  CHECK(f.is(expand<2, -1>(b), {10, 20, 30, 10, 20, 30}));
}

TEST_CASE("reductions run over the axes that they name") {
  fixture f;
  const Symbol x = f.argument({2, 3}, {1, 2, 3, 4, 5, 9});
  CHECK(f.is(sum(x), {24}));
  CHECK(f.is(sum(x, axis<0>), {5, 7, 12}));
  CHECK(f.is(sum(x, axis<1>), {6, 18}));
  CHECK(f.is(mean(x, axis<-1>, keepdim), {2, 6}));
  CHECK(f.is(max(x, axis<0>), {4, 5, 9}));
  CHECK(f.is(min(x, axis<1>), {1, 4}));
  CHECK(f.is(argmax(x, axis<1>), {2, 2}));
  CHECK(f(mean(x, axis<-1>, keepdim)).extents == std::vector<index_t>{2, 1});
}

TEST_CASE("of nothing the sum is zero and the mean is not a number") {
  fixture f;
  const Symbol x = f.argument({0}, {}, element_type::float64, true);
  CHECK(f.is(sum(x), {0}));
  CHECK(std::isnan(f(mean(x)).data[0]));
}

TEST_CASE("a count of run-time extents is their product") {
  fixture f;
  const Symbol x = f.argument({2, 3}, {1, 2, 3, 4, 5, 6}, element_type::float64, true);
  CHECK(f.is(x.count(3), {6}));
  CHECK(f.is(var(x), {3.5}));
}

TEST_CASE("views pick the elements that their definition says") {
  fixture f;
  const Symbol x = f.argument({2, 3}, {1, 2, 3, 4, 5, 6});
  CHECK(f.is(transpose<>(x), {1, 4, 2, 5, 3, 6}));
  CHECK(f.is(reshape<3, 2>(x), {1, 2, 3, 4, 5, 6}));
  CHECK(f.is(slice_axis<1, 1>(x), {2, 3, 5, 6}));
  CHECK(f.is(slice_axis<1, 0, 3, 2>(x), {1, 3, 4, 6}));
  CHECK(f.is(flatten(transpose<>(x)), {1, 4, 2, 5, 3, 6}));
  const Symbol tail = slice_axis<1, 1, 3, 1>(x);
  CHECK(f.is(x.at(graph::record_embed(f.p, (tail * 2).index(), f.p[tail.index()].attribute, x.shape())), {0, 4, 6, 0, 10, 12}));
}

TEST_CASE("permuted axes of rank three go where the order says") {
  fixture f;
  const Symbol x = f.argument({1, 2, 3}, {1, 2, 3, 4, 5, 6});
  const oracle_value y = f(permute(x, axes<2, 0, 1>));
  CHECK(y.extents == std::vector<index_t>{3, 1, 2});
  CHECK(y.data == std::vector<double>{1, 4, 2, 5, 3, 6});
}

TEST_CASE("matrix products transpose by flags and broadcast over batches") {
  fixture f;
  const Symbol a = f.argument({2, 2}, {1, 2, 3, 4}), b = f.argument({2, 2}, {5, 6, 7, 8});
  CHECK(f.is(matmul(a, b), {19, 22, 43, 50}));
  CHECK(f.is(matmul(transpose<>(a), b), {26, 30, 38, 44}));
  CHECK(f.is(matmul(a, transpose<>(b)), {17, 23, 39, 53}));
  CHECK(f.is(a.at(graph::record_matmul(f.p, a.index(), b.index(), 3)), {23, 31, 34, 46}));
  const Symbol c = f.argument({2, 1, 2}, {1, 0, 0, 1});
  CHECK(f.is(matmul(c, b), {5, 6, 7, 8}));
}

TEST_CASE("positions count along their axis and uniforms are those of the generator") {
  fixture f;
  const Symbol x = f.argument({2, 3}, {0, 0, 0, 0, 0, 0});
  CHECK(f.is(x.at(graph::record_iota(f.p, x.shape(), 1, element_type::int32)), {0, 1, 2, 0, 1, 2}));
  CHECK(f.is(x.at(graph::record_iota(f.p, x.shape(), 0, element_type::float64)), {0, 0, 0, 1, 1, 1}));
  const int key = f.p.scalar(0, element_type::int64, false), offset = f.p.scalar(1, element_type::int64, false);
  f.scalars = {graph::scalar_value(std::int64_t{7}), graph::scalar_value(std::int64_t{3})};
  const oracle_value u = f(x.at(graph::record_uniform(f.p, key, offset, x.shape(), element_type::float64)));
  Generator generator(7, 3);
  std::vector<double> expected(6);
  fill_uniform(std::span<double>(expected), generator);
  CHECK(u.data == expected);
}

TEST_CASE("scalars and constants have the value and the type that they are given") {
  fixture f;
  f.scalars = {graph::scalar_value(2.5)};
  const Symbol x = f.argument({2}, {1, 2});
  CHECK(f.is(x * Symbol(f.p, f.p.scalar(0, element_type::float64, true)), {2.5, 5}));
  CHECK(f.is(x * 3, {3, 6}));
}

TEST_CASE("the oracle refuses extents that do not meet") {
  fixture f;
  const Symbol a = f.argument({2}, {1, 2}, element_type::float64, true), b = f.argument({3}, {1, 2, 3}, element_type::float64, true);
  CHECK_THROWS_AS(f(a + b), ShapeError);
}
