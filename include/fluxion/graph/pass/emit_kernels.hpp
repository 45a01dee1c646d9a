/// Turns groups of instructions into kernel code, slots and steps.
#pragma once
#include "finish_kernel.hpp"

namespace fluxion::graph {

/// Where emission goes on.
struct emission_position {
  int group = 0;
  int view = 0;
  bool failed = false;  // a value would have to be computed again in two ways at once: the caller plans with less
};

/// Emits kernels from a position on, until the groups end or about `budget` entries and steps were emitted. They are appended to `out`.
constexpr emission_position emit_kernels(const program& p, const fusion& f, const memory_choice& memory, emission_position at, int budget, plan& out) {
  detail::kernel_drafter draft(p, f, memory, out.scalars);
  detail::kernel_finisher finisher(p, f, draft, out);
  const fused_value* const values = f.values.begin();
  const auto step_of = [&](plan_step::kind_t kind, int value) {
    plan_step step;
    step.kind = kind, step.value = static_cast<std::int16_t>(value);
    out.steps.push_back(step);
  };
  const int groups = f.groups.size();
  for (; at.group <= groups && budget > 0; ++at.group) {
    const int steps = out.steps.size();
    // Views are derived before the first kernel that may read them: as soon as what they look at is there.
    for (; at.view < memory.views.size() && values[values[memory.views[at.view]].root].home < at.group; ++at.view)
      step_of(plan_step::view, memory.views[at.view]);
    if (at.group < groups) {
      const kernel_group& k = f.groups[at.group];
      if (k.kind != kernel_group::loop) step_of(k.kind == kernel_group::contract ? plan_step::contract : plan_step::embed, k.product);
      std::int8_t order[max_rank]{};
      if (k.members != 0)
        for (bool done = false; !done && !draft.failed; draft.single_row = !done) {
          const unsigned row = draft.draft(at.group, order);
          if (!draft.failed) done = finisher.finish(at.group, row, order);
          budget -= draft.entries.size();
        }
      at.failed = draft.failed;
      if (at.failed) return at;
      draft.single_row = false;
    }
    budget -= 4 * (out.steps.size() - steps);
  }
  return at;
}

}  // namespace fluxion::graph
