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

namespace detail {

class kernel_emitter {
 public:
  constexpr kernel_emitter(const program& p, const fusion& f, const memory_choice& memory, plan& out)
      : values_(f.values.begin()), groups_(f.groups), views_(memory.views), out_(out), draft_(p, f, memory, out.scalars), finisher_(p, f, draft_, out) {}

  constexpr emission_position run(emission_position at, int budget) {
    budget_ = budget;
    for (; at.group <= groups_.size() && budget_ > 0; ++at.group) {
      // Views are derived before the first kernel that may read them: as soon as what they look at is there.
      for (; at.view < views_.size() && values_[values_[views_[at.view]].root].home < at.group; ++at.view) {
        if (budget_ <= 0) return at;
        emit(plan_step::view, views_[at.view]);
      }
      if (at.group == groups_.size()) continue;
      const kernel_group& k = groups_[at.group];
      if (k.kind != kernel_group::loop) emit(k.kind == kernel_group::contract ? plan_step::contract : plan_step::embed, k.product);
      if (k.members != 0) emit_loop(at.group);
      at.failed = draft_.failed;
      if (at.failed) return at;
    }
    return at;
  }

 private:
  static constexpr int step_cost = 4;  // in entries

  constexpr void emit(plan_step::kind_t kind, int value) {
    plan_step step;
    step.kind = kind, step.value = static_cast<std::int16_t>(value);
    out_.steps.push_back(step);
    budget_ -= step_cost;
  }

  constexpr void emit_loop(int g) {
    std::int8_t order[max_rank]{};
    draft_.single_row = false;
    for (bool done = false; !done && !draft_.failed; draft_.single_row = true) {
      const unsigned row = draft_.draft(g, order);
      budget_ -= draft_.entries.size();
      if (!draft_.failed) done = finisher_.finish(g, row, order);
    }
    budget_ -= step_cost;
  }

  const fused_value* values_;
  const list<kernel_group>& groups_;
  const list<std::int16_t>& views_;
  plan& out_;
  kernel_drafter draft_;
  kernel_finisher finisher_;
  int budget_ = 0;
};

}  // namespace detail

/// Emits kernels from a position on, until the groups end or about `budget` entries were emitted (a step counts as four of them; only the
/// last kernel may exceed it). They are appended to `out`.
constexpr emission_position emit_kernels(const program& p, const fusion& f, const memory_choice& memory, emission_position at, int budget, plan& out) {
  return detail::kernel_emitter(p, f, memory, out).run(at, budget);
}

}  // namespace fluxion::graph
