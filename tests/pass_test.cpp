#include <fluxion/graph/pass/differentiate.hpp>
#include <fluxion/graph/pass/make_plan.hpp>

#include <doctest/doctest.h>

using namespace fluxion;
using graph::extent_check;
using graph::plan;
using graph::program;
using graph::program_error;

namespace {

constexpr graph::shape shape_of(std::initializer_list<graph::extent_t> extents) {
  graph::shape s;
  for (const graph::extent_t e : extents) s.extent[s.rank++] = e;
  return s;
}

constexpr Symbol argument(program& p, std::initializer_list<graph::extent_t> extents, element_type type = element_type::float32) {
  return Symbol(p, p.argument(p.argument_count, type, shape_of(extents)));
}

constexpr void output(const Symbol& x) { x.program().outputs.push_back(static_cast<std::int16_t>(x.index())); }

/// Kernel launches of a plan: a contraction with its epilogue is one.
constexpr int kernels(const plan& q) {
  int n = 0;
  for (int s = 0; s < q.steps.size(); ++s)
    n += (q.steps[s].kind == graph::plan_step::loop && !q.steps[s].with_previous) || q.steps[s].kind == graph::plan_step::contract ||
         q.steps[s].kind == graph::plan_step::embed;
  return n;
}
template <class F>
constexpr int kernels_of(F record, graph::plan_options options = {}) {
  program p;
  record(p);
  return p.error.code == program_error::none ? kernels(graph::make_plan(p, options)) : -1;
}

/// Appends the gradients of a scalar as outputs.
constexpr void output_gradients(const Symbol& loss, std::initializer_list<Symbol> wrt) {
  program& p = loss.program();
  list<int> outputs(1, loss.index()), seeds(1, p.constant(loss.type(), 1)), of;
  for (const Symbol& w : wrt) of.push_back(w.index());
  for (const int g : graph::append_adjoints(p, outputs, seeds, of)) p.outputs.push_back(static_cast<std::int16_t>(g));
}

}  // namespace

// ---- recording -------------------------------------------------------------------------------------------------------

TEST_CASE("equal expressions are recorded once") {
  program p;
  const Symbol a = argument(p, {3}), b = argument(p, {3});
  CHECK((a * b + exp(a)).index() == (a * b + exp(a)).index());
  CHECK((a * b).index() != (b * a).index());
  CHECK((a * 2).index() == (a * 2.0).index());
}

TEST_CASE("what is exact for every value is simplified") {
  program p;
  const Symbol x = argument(p, {3}), c = argument(p, {3}, element_type::boolean);
  CHECK((x * 1).index() == x.index());
  CHECK((1 * x).index() == x.index());
  CHECK((x / 1).index() == x.index());
  CHECK((x - 0).index() == x.index());
  CHECK((-(-x)).index() == x.index());
  CHECK(pow(x, 1).index() == x.index());
  CHECK(pow(x, 2).index() == (x * x).index());
  CHECK(where(c, x, x).index() == x.index());
  CHECK(p.constant_of((x.constant(2.0) * x.constant(3.0)).index()) == 6);
}

TEST_CASE("what is not exact for every value is kept") {
  program p;
  const Symbol x = argument(p, {3});
  CHECK(p.is<operation::mul>((x * 0).index()));        // NaN, infinities and the sign of zero
  CHECK(p.is<operation::add>((x + 0).index()));        // -0 + 0 is +0
  CHECK(p.is<operation::sub>((x - -0.0).index()));     // -0 - -0 is +0
  CHECK(p.is<operation::sub>((x - x).index()));
  CHECK(p.is<operation::div>((x / x).index()));
  CHECK(p.is<operation::add>(((x + 1) + 1).index()));
}

TEST_CASE("a simplification never changes shape or type") {
  program p;
  const Symbol x = argument(p, {1, 3}), ones = argument(p, {4, 3}), n = argument(p, {3}, element_type::int32);
  CHECK((x * 1 + ones * 0).shape() == shape_of({4, 3}));
  CHECK((n * 1.0).type() == element_type::float32);
  CHECK((n / 1).type() == element_type::float32);
  CHECK((n * 1).type() == element_type::int32);
}

TEST_CASE("run-time extents that meet become one and are checked once") {
  program p;
  const Symbol a = argument(p, {-1, 4}), b = argument(p, {-1, 4});
  CHECK(!(p.resolve(a.shape().extent[0]) == p.resolve(b.shape().extent[0])));
  const Symbol y = a + b, z = a * b;
  CHECK(p.checks.size() == 1);
  CHECK(p.checks[0].kind == extent_check::broadcast);
  CHECK(p.resolve(a.shape().extent[0]) == p.resolve(b.shape().extent[0]));
  CHECK(p.shape_of(y.index()) == p.shape_of(z.index()));
}

TEST_CASE("a run-time extent that meets a static one becomes it") {
  program p;
  const Symbol a = argument(p, {-1}), b = argument(p, {5}), c = argument(p, {-1});
  const Symbol y = a + c;
  static_cast<void>(c + b);
  CHECK(p.resolve(y.shape().extent[0]) == 5);
  CHECK(p.checks.size() == 2);
}

TEST_CASE("static extents that do not fit are an error value with both shapes") {
  program p;
  const Symbol a = argument(p, {3, 4}), b = argument(p, {3, 5});
  static_cast<void>(a + b);
  CHECK(p.error.code == program_error::shapes_do_not_broadcast);
  CHECK(p.error.a == shape_of({3, 4}));
  CHECK(p.error.b == shape_of({3, 5}));
  static_cast<void>(matmul(a, b));
  CHECK(p.error.code == program_error::shapes_do_not_broadcast);  // the first error stays
}

TEST_CASE("a transposed operand of a matrix product is a flag") {
  program p;
  const Symbol a = argument(p, {4, 3}), b = argument(p, {5, 4});
  const Symbol y = matmul(transpose<0, 1>(a), transpose<0, 1>(b));
  CHECK(p[y.index()].flags == (graph::transpose_left | graph::transpose_right));
  CHECK(y.shape() == shape_of({3, 5}));
}

// ---- dead code -------------------------------------------------------------------------------------------------------

TEST_CASE("dead code goes, order and argument numbers stay") {
  program p;
  const Symbol a = argument(p, {3}), b = argument(p, {3});
  static_cast<void>(exp(a) * 2);
  output(tanh(b));
  const program q = graph::eliminate_dead_code(p);
  REQUIRE(q.size() == 2);
  CHECK(q.is<operation::argument>(0));
  CHECK(q[0].attribute == 1);
  CHECK(q.is<operation::tanh>(1));
  CHECK(q.argument_count == 2);
}

TEST_CASE("instructions whose extents were found equal later are merged") {
  program p;
  const Symbol a = argument(p, {-1}), b = argument(p, {-1});
  const Symbol x = Symbol(p, graph::record_iota(p, a.shape(), 0, element_type::float32));
  const Symbol y = Symbol(p, graph::record_iota(p, b.shape(), 0, element_type::float32));
  output(x * (a + b));
  output(y * (a + b));
  const program q = graph::eliminate_dead_code(p);
  CHECK(q.outputs[0] == q.outputs[1]);
}

TEST_CASE("a reduction over an axis found to have extent one is its operand") {
  program p;
  const Symbol a = argument(p, {-1, 3}), one = argument(p, {1, 3});
  const Symbol s = sum(a, axis<0>, keepdim);
  static_cast<void>(matmul(transpose<0, 1>(a), one));  // the inner extents are equal
  output(s);
  const program q = graph::eliminate_dead_code(p);
  CHECK(q.is<operation::argument>(q.outputs[0]));
}

// ---- fusion ----------------------------------------------------------------------------------------------------------

namespace {

constexpr void record_chain(program& p) {
  const Symbol x = argument(p, {-1, 16});
  output(tanh(exp(sin(cos(sqrt(abs(-(x * 2))))))));
}
constexpr void record_softmax(program& p) { output(softmax(argument(p, {-1, -1}), axis<-1>)); }
constexpr void record_cross_entropy(program& p) {
  const Symbol logits = argument(p, {-1, 10}), labels = argument(p, {-1}, element_type::int64);
  const Symbol loss = cross_entropy(logits, labels);
  output(loss);
  output_gradients(loss, {logits});
}
constexpr void record_layer_norm(program& p) {
  const Symbol x = argument(p, {-1, 64}), w = argument(p, {64}), b = argument(p, {64});
  output(layer_norm(x, w, b));
}
constexpr void record_layer_norm_backward(program& p) {
  const Symbol x = argument(p, {-1, 64}), w = argument(p, {64}), b = argument(p, {64}), d = argument(p, {-1, 64});
  const Symbol y = layer_norm(x, w, b);
  list<int> outputs(1, y.index()), seeds(1, d.index()), wrt;
  for (const Symbol& s : {x, w, b}) wrt.push_back(s.index());
  for (const int g : graph::append_adjoints(p, outputs, seeds, wrt)) p.outputs.push_back(static_cast<std::int16_t>(g));
}
constexpr void record_training_step(program& p) {
  const Symbol x = argument(p, {64, 784}), labels = argument(p, {64}, element_type::int64);
  const Symbol w1 = argument(p, {784, 128}), b1 = argument(p, {128}), w2 = argument(p, {128, 10}), b2 = argument(p, {10});
  const Symbol loss = cross_entropy(matmul(relu(matmul(x, w1) + b1), w2) + b2, labels);
  output(loss);
  output_gradients(loss, {w1, b1, w2, b2});
}

static_assert(kernels_of(record_chain) == 1);
static_assert(kernels_of(record_chain, {.fuse = false}) >= 6);
static_assert(kernels_of(record_softmax) == 1);
static_assert(kernels_of(record_cross_entropy) == 1);
static_assert(kernels_of(record_layer_norm) == 1);
static_assert(kernels_of(record_layer_norm_backward) == 1);
static_assert(kernels_of(record_training_step) == 5);

}  // namespace

TEST_CASE("a plan made when compiling is the plan made when running") {
  constexpr int compiled = kernels_of(record_training_step);
  CHECK(kernels_of(record_training_step) == compiled);
}

TEST_CASE("a value that a wider kernel reads is not reduced in it once for every row") {
  const auto record = [](program& p) {
    const Symbol x = argument(p, {3, 4, 5}), e = exp(argument(p, {4, 1}));
    output(x * e);
    output(sum(e, axis<0>, keepdim));
  };
  CHECK(kernels_of(record) == 2);
}

TEST_CASE("equal kernels are shared") {
  program p;
  const Symbol a = argument(p, {8, 3}), b = argument(p, {9, 3});
  output(softmax(a, axis<-1>));
  output(softmax(b, axis<-1>));
  const plan q = graph::make_plan(p);
  CHECK(kernels(q) == 2);
  CHECK(q.kernel_begin.size() == 2);
}

TEST_CASE("every program has a plan, whatever it asks of a row") {
  program p;
  const Symbol x = argument(p, {2, 3, 4});
  const Symbol position = Symbol(p, graph::record_iota(p, x.shape(), 2, element_type::int32));
  output(sum(tanh(mean(where(position < 1, x, 0), axes<0, 2>, keepdim))));
  CHECK(graph::make_plan(p).code.size() > 0);
}

TEST_CASE("a kernel has at most eight axes, however many an instruction would bring at once") {
  program p;
  const Symbol x = argument(p, {2, 3, 4, 5, 6, 7}), shared = argument(p, {7}), y = argument(p, {8, 9, 10, 7});
  output(x * shared);
  output(y * shared);  // reads what the first kernel reads, which has one of its four axes
  const plan q = graph::make_plan(p);
  CHECK(kernels(q) == 2);
}

TEST_CASE("a program of thousands of instructions is planned") {
  program p;
  Symbol x = argument(p, {-1, 64});
  for (int n = 0; n < 1500; ++n) x = tanh(x * (1.0 + n) + 0.5);
  output(x);
  const plan q = graph::make_plan(p);
  CHECK(q.code.size() > 4500);
  CHECK(q.steps.size() > 0);
}
