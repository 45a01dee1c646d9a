// Programs of five thousand instructions, planned while this file compiles with the compiler's default limits.
#include "support/large_program.hpp"
#include "support/random_program.hpp"
#include "support/run_plan.hpp"

#include <fluxion/graph/freeze.hpp>

#include <doctest/doctest.h>

#include <algorithm>

using namespace fluxion;
using namespace fluxion::test;

namespace {

template <class T>
bool same(const T* a, const list<T>& b) { return std::equal(b.begin(), b.end(), a); }

/// Whether a plan that was made while compiling is the one made now.
template <class Source>
void check_against_run_time() {
  using plan = graph::constant_plan<Source>;
  const graph::plan q = graph::make_plan(graph::thaw(graph::constant_program<Source>::value));  // recorded now, its order could be another
  const graph::plan_view v = plan::view, w = graph::view_of(q);
  REQUIRE(v.instruction_count == w.instruction_count);
  CHECK(same(v.instructions, q.code.instructions));
  REQUIRE(v.step_count == w.step_count);
  REQUIRE(v.kernel_count == w.kernel_count);
  CHECK(v.temporaries == w.temporaries);
  CHECK(same(v.kernel_begin, q.kernel_begin));
  CHECK(same(v.words, q.words));
  CHECK(same(v.scalars, q.scalars));
  CHECK(same(v.axes, q.axes));
  for (int s = 0; s < v.step_count; ++s) {
    const graph::plan_step &a = v.steps[s], &b = w.steps[s];
    CHECK((a.kind == b.kind && a.value == b.value && a.kernel == b.kernel && a.slot_begin == b.slot_begin && a.slot_count == b.slot_count &&
           a.scalar_begin == b.scalar_begin && a.axis_begin == b.axis_begin && a.with_previous == b.with_previous));
  }
  for (int k = 0; k < q.slots.size(); ++k) CHECK((v.slots[k].value == w.slots[k].value && v.slots[k].kind == w.slots[k].kind && v.slots[k].axes == w.slots[k].axes));
  for (int i = 0; i < v.instruction_count; ++i) CHECK((v.values[i].place == w.values[i].place && v.values[i].index == w.values[i].index));
}

/// What a program computes on random arguments, by the interpreter and by the oracle.
std::string run_and_compare(const program& code) {
  random_case c;
  c.code = code;
  for (int k = 0; k < code.argument_count; ++k)
    for (int i = 0; i < code.size(); ++i) {
      if (!code.is<operation::argument>(i) || code[i].attribute != k) continue;
      std::vector<index_t> extents;
      for (int axis = 0; axis < code.shape_of(i).rank; ++axis) {
        const graph::extent_t e = code.shape_of(i).extent[axis];
        extents.push_back(graph::is_symbol(e) ? 7 : static_cast<index_t>(e));
      }
      c.arguments.push_back(random_value(code[i].type, extents, static_cast<std::uint64_t>(k)));
      for (double& x : c.arguments.back().data) x *= 0.25;
    }
  return compare(run_plan(c.code, c.arguments, c.scalars, {}), graph::evaluate_oracle(c.code, c.arguments, c.scalars), evaluate_disturbed(c), true);
}

}  // namespace

TEST_CASE("the training step of a network, five thousand instructions, is planned by the compiler as it is at run time") {
  using source = network_source<73>;
  static_assert(graph::constant_plan<source>::view.instruction_count > 5000);
  static_assert(graph::constant_plan<source>::view.kernel_count < 20);  // whatever the depth
  check_against_run_time<source>();
}

TEST_CASE("a chain of five thousand elementwise instructions is planned by the compiler as it is at run time") {
  using source = chain_source<950>;
  static_assert(graph::constant_plan<source>::view.instruction_count > 5000);
  check_against_run_time<source>();
}

TEST_CASE("short programs are planned by the compiler as they are at run time") {
  check_against_run_time<network_source<2>>();
  check_against_run_time<chain_source<30>>();
}

TEST_CASE("long programs compute what the oracle says") {
  CHECK(run_and_compare(network_source<4>::make()) == "");
  CHECK(run_and_compare(record_chain(40)) == "");
}
