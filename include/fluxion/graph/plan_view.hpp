/// A plan as the executor reads it: pointers to arrays, whether they were computed by the compiler or at run time.
#pragma once
#include "plan.hpp"

namespace fluxion::graph {

/// Pointers into a plan; owns nothing.
struct plan_view {
  const instruction* instructions = nullptr;
  const shape* shapes = nullptr;
  const std::uint64_t* constants = nullptr;
  const slice_spec* slices = nullptr;
  const symbol_origin* symbols = nullptr;
  const extent_t* symbol_parents = nullptr;
  const extent_check* checks = nullptr;
  const std::int16_t* outputs = nullptr;
  const plan_step* steps = nullptr;
  const plan_slot* slots = nullptr;
  const std::int16_t* scalars = nullptr;
  const extent_t* axes = nullptr;
  const std::uint64_t* words = nullptr;
  const std::int32_t* kernel_begin = nullptr;
  const plan_value* values = nullptr;
  int instruction_count = 0;
  int symbol_count = 0;
  int check_count = 0;
  int output_count = 0;
  int argument_count = 0;
  int scalar_count = 0;
  int step_count = 0;
  int kernel_count = 0;
  int temporaries = 0;
  bool differentiated = false;

  constexpr const shape& shape_of(int i) const { return shapes[instructions[i].shape]; }
  constexpr extent_t resolve(extent_t e) const {
    while (is_symbol(e) && symbol_parents[symbol_number(e)] != e) e = symbol_parents[symbol_number(e)];
    return e;
  }
};

/// The view of a plan made at run time; the plan must outlive it.
constexpr plan_view view_of(const plan& q) {
  const program& p = q.code;
  plan_view v;
  v.instructions = p.instructions.begin();
  v.shapes = p.shapes.begin();
  v.constants = p.constants.begin();
  v.slices = p.slices.begin();
  v.symbols = p.symbols.begin();
  v.symbol_parents = p.symbol_parents.begin();
  v.checks = p.checks.begin();
  v.outputs = p.outputs.begin();
  v.steps = q.steps.begin();
  v.slots = q.slots.begin();
  v.scalars = q.scalars.begin();
  v.axes = q.axes.begin();
  v.words = q.words.begin();
  v.kernel_begin = q.kernel_begin.begin();
  v.values = q.values.begin();
  v.instruction_count = p.size();
  v.symbol_count = p.symbols.size();
  v.check_count = p.checks.size();
  v.output_count = p.outputs.size();
  v.argument_count = p.argument_count;
  v.scalar_count = p.scalar_count;
  v.step_count = q.steps.size();
  v.kernel_count = q.kernel_begin.empty() ? 0 : q.kernel_begin.size() - 1;
  v.temporaries = q.temporaries;
  v.differentiated = p.differentiated;
  return v;
}

}  // namespace fluxion::graph
