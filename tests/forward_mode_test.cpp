// Forward mode on programs: tangents against differences and against adjoints, for every operation and for random programs.
// matrix
#include <fluxion/graph/pass/tangents.hpp>

#include "support/run_plan.hpp"
#include "support/shrink_program.hpp"

#include <doctest/doctest.h>

#include <cstdlib>
#include <initializer_list>

using namespace fluxion;
using namespace fluxion::test;

namespace {

int times(int usual) { return std::getenv("FLUXION_FULL") ? 10 * usual : usual; }

using values = std::vector<oracle_value>;

list<int> numbers(std::initializer_list<int> given) {
  list<int> r;
  for (const int i : given) r.push_back(i);
  return r;
}

/// A case whose floating arguments have directions: further arguments, in the order of `inputs`.
struct directed_case {
  random_case at;
  list<int> inputs, tangents;

  explicit directed_case(random_case c) : at(std::move(c)) {
    const int size = at.code.size();
    for (int i = 0; i < size; ++i)
      if (at.code.is<operation::argument>(i) && is_floating(at.code[i].type)) {
        inputs.push_back(i);
        tangents.push_back(add_like(i, at.arguments[static_cast<std::size_t>(at.code[i].attribute)].extents));
      }
  }
  /// One more argument for a value of the program with such extents.
  int add_like(int i, const std::vector<index_t>& extents) {
    shape s = at.code.shape_of(i);
    for (int axis = 0; axis < s.rank; ++axis)
      if (graph::is_symbol(s.extent[axis])) s.extent[axis] = -1;
    at.arguments.push_back(random_value(at.code[i].type, extents, at.seed * 64 + at.arguments.size()));
    return at.code.argument(static_cast<int>(at.arguments.size()) - 1, at.code[i].type, s);
  }
  values evaluate(const list<int>& outputs) {
    at.code.outputs.clear();
    for (const int o : outputs) at.code.outputs.push_back(static_cast<std::int16_t>(o));
    return graph::evaluate_oracle(graph::eliminate_dead_code(at.code), at.arguments, at.scalars);
  }
  list<int> floating_outputs() const {
    list<int> result;
    for (int k = 0; k < at.code.outputs.size(); ++k)
      if (is_floating(at.code[at.code.outputs[k]].type)) result.push_back(at.code.outputs[k]);
    return result;
  }
};

struct product {
  double sum = 0, magnitude = 0;
};
product inner(const values& a, const values& b) {
  product r;
  for (std::size_t k = 0; k < a.size(); ++k) {
    REQUIRE(a[k].extents == b[k].extents);
    for (std::size_t n = 0; n < a[k].data.size(); ++n) {
      r.sum += a[k].data[n] * b[k].data[n];
      r.magnitude += std::abs(a[k].data[n] * b[k].data[n]);
    }
  }
  return r;
}

values given(const directed_case& c, const list<int>& arguments) {
  values r;
  for (const int i : arguments) r.push_back(c.at.arguments[static_cast<std::size_t>(c.at.code[i].attribute)]);
  return r;
}

/// Whether <u, J v> = <Jᵀ u, v>; false too where there is nothing to compare.
bool agrees_with_adjoints(directed_case& c) {
  const list<int> outputs = c.floating_outputs();
  if (outputs.empty() || c.inputs.empty()) return false;
  const values y = c.evaluate(outputs);
  list<int> seeds;
  for (int k = 0; k < outputs.size(); ++k) seeds.push_back(c.add_like(outputs[k], y[static_cast<std::size_t>(k)].extents));
  INFO("seed " << c.at.seed);
  const list<int> forward = graph::append_tangents(c.at.code, c.inputs, c.tangents, outputs);
  REQUIRE(c.at.code.error.code == graph::program_error::none);
  list<int> cotangents;
  for (int k = 0; k < outputs.size(); ++k) cotangents.push_back(graph::record_direction(c.at.code, seeds[k], outputs[k]));
  const list<int> reverse = graph::append_adjoints(c.at.code, outputs, cotangents, c.inputs);
  REQUIRE(c.at.code.error.code == graph::program_error::none);
  const values tangents = c.evaluate(forward);
  for (std::size_t k = 0; k < y.size(); ++k) CHECK(tangents[k].type == y[k].type);
  const product a = inner(tangents, given(c, seeds)), b = inner(c.evaluate(reverse), given(c, c.tangents));
  if (!std::isfinite(a.magnitude) || !std::isfinite(b.magnitude) || a.magnitude > 1e8 || b.magnitude > 1e8) return false;
  CHECK_MESSAGE(std::abs(a.sum - b.sum) <= 1e-9 * (1 + a.magnitude + b.magnitude), describe(c.at));
  return true;
}

/// Whether the tangents are differences along the directions.
bool agrees_with_differences(directed_case& c) {
  const list<int> outputs = c.floating_outputs();
  if (outputs.empty() || c.inputs.empty()) return false;
  const values tangents = c.evaluate(graph::append_tangents(c.at.code, c.inputs, c.tangents, outputs));
  const values start = c.at.arguments, v = given(c, c.tangents);
  const auto moved = [&](double h) {
    for (int k = 0; k < c.inputs.size(); ++k) {
      const auto a = static_cast<std::size_t>(c.at.code[c.inputs[k]].attribute);
      for (std::size_t n = 0; n < start[a].data.size(); ++n) c.at.arguments[a].data[n] = start[a].data[n] + h * v[static_cast<std::size_t>(k)].data[n];
    }
    return c.evaluate(outputs);
  };
  const double h = 1e-3;
  const values a = moved(h), b = moved(-h), a2 = moved(2 * h), b2 = moved(-2 * h), a4 = moved(4 * h), b4 = moved(-4 * h);
  c.at.arguments = start;
  INFO(describe(c.at));
  bool any = false;
  for (std::size_t k = 0; k < a.size(); ++k) {
    REQUIRE(tangents[k].extents == a[k].extents);
    for (std::size_t n = 0; n < a[k].data.size(); ++n) {
      const double one = a[k].data[n] - b[k].data[n], two = a2[k].data[n] - b2[k].data[n], four = a4[k].data[n] - b4[k].data[n];
      const double fine = (8 * one - two) / (12 * h), coarse = (8 * two - four) / (24 * h);
      if (!std::isfinite(fine) || !std::isfinite(coarse)) continue;
      any = true;
      CHECK(std::abs(tangents[k].data[n] - fine) <= 1e-8 * (1 + std::abs(fine)) + 1e-10 * std::abs(a[k].data[n]) + std::abs(coarse - fine));
    }
  }
  return any;
}

/// A case of float64 arguments between `low` and `high`.
random_case case_of(const std::vector<std::vector<index_t>>& extents, double low, double high, std::uint64_t seed) {
  random_case c;
  c.seed = seed;
  random_bits_source random(seed);
  for (const auto& e : extents) {
    shape s;
    for (const index_t n : e) s.extent[s.rank++] = n == 1 || random.below(2) ? n : -1;
    c.code.argument(static_cast<int>(c.arguments.size()), element_type::float64, s);
    c.arguments.push_back(random_value(element_type::float64, e, seed + c.arguments.size()));
    for (double& v : c.arguments.back().data) v = low + (high - low) * (v + 2) / 4;
  }
  return c;
}

/// The gradients of the output, weighted by one more argument: what second derivatives are the derivatives of.
random_case gradients_of(random_case c) {
  const int y = c.code.outputs[0], arguments = static_cast<int>(c.arguments.size());
  const std::vector<index_t> extents = graph::evaluate_oracle(c.code, c.arguments, c.scalars)[0].extents;
  shape s;
  for (const index_t n : extents) s.extent[s.rank++] = n;
  c.arguments.push_back(random_value(element_type::float64, extents, c.seed + 100));
  list<int> wrt;
  for (int i = 0; i < c.code.size(); ++i)
    if (c.code.is<operation::argument>(i) && c.code[i].attribute < arguments) wrt.push_back(i);
  const int weights = c.code.argument(arguments, element_type::float64, s);
  const list<int> gradients = graph::append_adjoints(c.code, numbers({y}), numbers({weights}), wrt);
  c.code.outputs.clear();
  for (const int g : gradients) c.code.outputs.push_back(static_cast<std::int16_t>(g));
  return c;
}

/// All checks, of first and second derivatives, of a program of which `record` makes the output from the numbers of the arguments.
template <class F>
void check_operation(const std::vector<std::vector<index_t>>& extents, double low, double high, F record) {
  for (std::uint64_t seed = 1; seed <= 4; ++seed) {
    random_case c = case_of(extents, low, high, seed);
    c.code.outputs.push_back(static_cast<std::int16_t>(record(c.code)));
    REQUIRE(c.code.error.code == graph::program_error::none);
    directed_case forward(c), both(c);
    CHECK(agrees_with_differences(forward));
    CHECK(agrees_with_adjoints(both));
    directed_case second(gradients_of(c)), second_both(second);
    CHECK(agrees_with_differences(second));
    CHECK(agrees_with_adjoints(second_both));
  }
}

}  // namespace

TEST_CASE("first and second derivatives of every map of the table, broadcast or not, agree with differences in both modes") {
  int maps = 0;
  for (int code = 0; code < graph::operation_count; ++code) {
    const auto operation = static_cast<graph::opcode>(code);
    const graph::operation_info& info = graph::info_of(operation);
    if (info.family != graph::family::map || !info.differentiable || info.typing == graph::typing::explicit_) continue;
    CAPTURE(info.name);
    ++maps;
    for (const bool broadcast : {false, true}) {
      const std::vector<std::vector<index_t>> extents = broadcast ? std::vector<std::vector<index_t>>{{4}, {3, 1}, {2, 1, 4}} : std::vector<std::vector<index_t>>{{3, 4}, {3, 4}, {3, 4}};
      check_operation(extents, 0.3, 1.7, [&](program& p) {
        if (operation == graph::opcode_of<fluxion::operation::expand>) return graph::record_expand(p, 1, shape{.rank = 3, .extent = {2, p.shape_of(1).extent[0], 4}});
        const int condition = graph::record_map(p, graph::opcode_of<fluxion::operation::less>, 0, 1);
        if (info.arity == 3) return graph::record_map(p, operation, condition, 1, 2);
        return info.arity == 1 ? graph::record_map(p, operation, 0) : graph::record_map(p, operation, 0, 1);
      });
    }
  }
  CHECK(maps >= 20);
}

TEST_CASE("first and second derivatives of every reduction of the table agree with differences in both modes") {
  for (int code = 0; code < graph::operation_count; ++code) {
    const graph::operation_info& info = graph::info_of(static_cast<graph::opcode>(code));
    if (info.family != graph::family::reduce) continue;
    CAPTURE(info.name);
    for (const unsigned axes : {1u, 2u, 5u, 7u})
      check_operation({{3, 2, 4}}, -1.5, 1.5, [&](program& p) { return graph::record_reduce(p, static_cast<graph::opcode>(code), 0, axes, axes == 2); });
  }
}

TEST_CASE("first and second derivatives of views and products agree with differences in both modes") {
  check_operation({{3, 2, 4}}, -1, 1, [](program& p) {
    const int order[] = {2, 0, 1};
    return graph::record_permute(p, 0, order);
  });
  check_operation({{6, 4}}, -1, 1, [](program& p) { return graph::record_slice(p, 0, 0, 1, 6, 2); });
  check_operation({{6, 4}}, -1, 1, [](program& p) { return graph::record_reshape(p, 0, shape{.rank = 3, .extent = {p.shape_of(0).extent[0], 1, p.shape_of(0).extent[1]}}); });
  check_operation({{5, 4}}, -1, 1, [](program& p) {  // an embedding is the adjoint of a slice
    const Symbol x(p, 0);
    const int part = graph::record_slice(p, (x * x * x).index(), 0, 1, 4, 2);
    return graph::append_adjoints(p, numbers({part}), numbers({part}), numbers({0}))[0];
  });
  for (int flags = 0; flags < 4; ++flags)
    check_operation({flags & 1 ? std::vector<index_t>{2, 1, 5, 3} : std::vector<index_t>{2, 1, 3, 5}, flags & 2 ? std::vector<index_t>{2, 4, 5} : std::vector<index_t>{2, 5, 4}}, -1, 1,
                    [&](program& p) { return graph::record_matmul(p, 0, 1, static_cast<std::uint8_t>(flags)); });
  check_operation({{3, 4}}, -1, 1, [](program& p) {
    const Symbol x(p, 0);
    return matmul(transpose<>(tanh(x)), x).index();
  });
}

TEST_CASE("elements that tie for the largest share the tangent as they share the adjoint") {
  random_case c = case_of({{4}}, -1, 1, 1);
  c.arguments[0].data = {2, 1, 2, 0};
  c.code.outputs.push_back(static_cast<std::int16_t>(graph::record_reduce(c.code, graph::opcode_of<operation::amax>, 0, 1, false)));
  directed_case d(c), both(c);
  const std::vector<double> v = d.at.arguments[1].data;
  CHECK(d.evaluate(graph::append_tangents(d.at.code, d.inputs, d.tangents, d.floating_outputs()))[0].data[0] == doctest::Approx((v[0] + v[2]) / 2));
  CHECK(agrees_with_adjoints(both));
}

TEST_CASE("a number is a tangent for every element, and what does not depend on the input has tangents of zeros") {
  random_case c = case_of({{3}, {2, 2}}, -1, 1, 1);
  const list<int> t = graph::append_tangents(c.code, numbers({0}), numbers({c.code.constant(element_type::float64, 3)}), numbers({0, 1}));
  for (const int i : t) c.code.outputs.push_back(static_cast<std::int16_t>(i));
  const values r = graph::evaluate_oracle(c.code, c.arguments);
  CHECK(r[0].data == std::vector<double>{3, 3, 3});
  CHECK(r[1].data == std::vector<double>{0, 0, 0, 0});
}

TEST_CASE("a tangent of other extents than its input is refused, in recording or when run") {
  program p;
  p.argument(0, element_type::float64, {.rank = 1, .extent = {3}});
  p.argument(1, element_type::float64, {.rank = 1, .extent = {1}});
  graph::append_tangents(p, numbers({0}), numbers({1}), numbers({0}));
  CHECK(p.error.code == graph::program_error::direction_differs);
  program q;
  q.argument(0, element_type::float64, {.rank = 1, .extent = {-1}});
  q.argument(1, element_type::float64, {.rank = 1, .extent = {-1}});
  q.outputs.push_back(static_cast<std::int16_t>(graph::append_tangents(q, numbers({0}), numbers({1}), numbers({0}))[0]));
  REQUIRE(q.checks.size() == 1);
  CHECK(q.checks[0].kind == graph::extent_check::equal);
}

TEST_CASE("tangents of random programs pair with cotangents as adjoints do") {
  int checked = 0;
  for (int n = 0; n < times(600); ++n) {
    directed_case c(random_program(static_cast<std::uint64_t>(80'000 + n), {.steps = 8, .largest = 8, .elements = 500}).make());
    checked += agrees_with_adjoints(c);
  }
  CHECK(checked > times(400));
}

TEST_CASE("tangents of random smooth programs agree with differences") {
  int checked = 0;
  for (int n = 0; n < times(300); ++n) {
    directed_case c(random_program(static_cast<std::uint64_t>(90'000 + n), {.steps = 6, .smooth = true, .empty_extents = false, .largest = 5, .elements = 200}).make());
    checked += agrees_with_differences(c);
  }
  CHECK(checked > times(200));
}

TEST_CASE("tangents of gradients of random smooth programs are symmetric and agree with differences") {
  int checked = 0;
  for (int n = 0; n < times(100); ++n) {
    random_program maker(static_cast<std::uint64_t>(95'000 + n), {.steps = 4, .smooth = true, .empty_extents = false, .largest = 4, .elements = 60});
    maker.make();
    if (!maker.append_gradients()) continue;
    directed_case c(maker.result()), again(maker.result());
    checked += agrees_with_differences(again);
    // The gradient's Jacobian is symmetric: its outputs after the value are in the order of the inputs.
    list<int> gradients, others;
    for (int k = 1; k < c.at.code.outputs.size(); ++k) gradients.push_back(c.at.code.outputs[k]);
    for (int k = 0; k < c.inputs.size(); ++k) others.push_back(c.add_like(c.inputs[k], given(c, c.inputs)[static_cast<std::size_t>(k)].extents));
    const values hv = c.evaluate(graph::append_tangents(c.at.code, c.inputs, c.tangents, gradients));
    const values hu = c.evaluate(graph::append_tangents(c.at.code, c.inputs, others, gradients));
    const product a = inner(hv, given(c, others)), b = inner(hu, given(c, c.tangents));
    if (std::isfinite(a.magnitude) && std::isfinite(b.magnitude)) CHECK(std::abs(a.sum - b.sum) <= 1e-8 * (1 + a.magnitude + b.magnitude));
  }
  CHECK(checked > times(50));
}

TEST_CASE("a fused plan of a program with tangents computes what the program says") {
  for (int n = 0; n < times(200); ++n) {
    directed_case c(random_program(static_cast<std::uint64_t>(97'000 + n), {.steps = 6, .largest = 17, .elements = 1000}).make());
    const list<int> outputs = c.floating_outputs();
    if (outputs.empty() || c.inputs.empty()) continue;
    for (const int t : graph::append_tangents(c.at.code, c.inputs, c.tangents, outputs)) c.at.code.outputs.push_back(static_cast<std::int16_t>(t));
    INFO(describe(c.at));
    const values expected = graph::evaluate_oracle(c.at.code, c.at.arguments, c.at.scalars);
    CHECK(compare(run_plan(c.at.code, c.at.arguments, c.at.scalars, {}), expected, evaluate_disturbed(c.at), has_single(c.at.code)) == "");
  }
}
