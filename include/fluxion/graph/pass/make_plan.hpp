/// From a program to a plan: outputs made distinct, instructions fused, kernels emitted, values placed in memory.
#pragma once
#include "emit_kernels.hpp"

namespace fluxion::graph {

namespace detail {

/// Gives every output elements of its own: an argument, a constant, a transposed view or a value that is already an output is copied.
constexpr program make_outputs_distinct(program p) {
  list<bool> claimed(p.size(), false);
  for (int k = 0; k < p.outputs.size(); ++k) {
    const int o = p.outputs[k];
    int root = o;
    while (p.is<operation::reshape>(root)) root = p[root].operand[0];
    const family kind = p.family_of(root);
    const bool computed = kind == family::map || kind == family::reduce || kind == family::contract || p.is<operation::embed>(root);
    if (computed && root < claimed.size() && !claimed[root]) {
      claimed[root] = true;
      continue;
    }
    instruction copy{.operation = opcode_of<operation::expand>, .type = p[o].type, .accumulator = p[o].type, .shape = p[o].shape, .attribute = k + 1};
    copy.operand[0] = static_cast<std::int16_t>(o);
    p.outputs[k] = static_cast<std::int16_t>(p.put(copy));
  }
  return p;
}

/// Decides where every stored value lives; temporaries share memory when their lives do not meet. O(values × temporaries).
constexpr void place_values(plan& q, const list<bool>& stored) {
  const program& p = q.code;
  q.values.assign(p.size(), plan_value{});
  for (int i = 0; i < p.size(); ++i) {
    if (p.is<operation::argument>(i)) q.values[i] = {plan_value::argument, static_cast<std::int16_t>(p[i].attribute)};
    else if (p.family_of(i) == family::view && !p.is<operation::embed>(i)) q.values[i] = {plan_value::alias, p[i].operand[0]};
  }
  for (int k = 0; k < p.outputs.size(); ++k) q.values[root_of(p, p.outputs[k])] = {plan_value::output, static_cast<std::int16_t>(k)};

  // Lives, in steps.
  list<std::int16_t> born(p.size(), std::int16_t{-1}), died(p.size(), std::int16_t{-1});
  const auto touch = [&](int value, int step) {
    const int root = root_of(p, value);
    if (born[root] < 0) born[root] = static_cast<std::int16_t>(step);
    died[root] = static_cast<std::int16_t>(step);
  };
  for (int s = 0; s < q.steps.size(); ++s) {
    const plan_step& step = q.steps[s];
    if (step.kind == plan_step::loop)
      for (int k = 0; k < step.slot_count; ++k) {
        const plan_slot& slot = q.slots[step.slot_begin + k];
        if (slot.kind != plan_slot::generator) touch(slot.value, s);
      }
    else {
      touch(step.value, s);
      for (int k = 0; k < 2; ++k)
        if (p[step.value].operand[k] >= 0) touch(p[step.value].operand[k], s);
    }
  }
  // The product of a contraction whose epilogue replaces it lies where the epilogue's result will.
  for (int s = 0; s + 1 < q.steps.size(); ++s) {
    if (q.steps[s].kind != plan_step::contract || !q.steps[s + 1].with_previous) continue;
    const int product = q.steps[s].value;
    if (died[product] != s + 1 || q.values[product].place == plan_value::output) continue;
    const plan_step& step = q.steps[s + 1];
    int source = -1, target = -1, sources = 0;
    for (int k = 0; k < step.slot_count; ++k) {
      const plan_slot& slot = q.slots[step.slot_begin + k];
      if (slot.kind == plan_slot::generator) continue;
      if (root_of(p, slot.value) == product) {
        source = k;
        ++sources;
      }
    }
    if (sources != 1) continue;
    kernel_entry entries[max_kernel_entries]{};
    read_code(&q.words[q.kernel_begin[step.kernel]], entries);
    const int count = unpack_header(q.words[q.kernel_begin[step.kernel]]).entries;
    int read = 0;
    for (int e = 0; e < count; ++e)
      if ((entries[e].code == entry_code::load || entries[e].code == entry_code::load_strided) && entries[e].slot == source) read = e;
    for (int e = 0; e < count && target < 0; ++e) {
      if (entries[e].code != entry_code::store) continue;
      const plan_slot& slot = q.slots[step.slot_begin + entries[e].slot];
      if (p[slot.value].type == p[product].type && p[slot.value].shape == p[product].shape && slot.axes == q.slots[step.slot_begin + source].axes &&
          entries[e].rate == rate::full && reads_before(first_write_to(entries[e].slot, entries, count), entries[read], read) && born[slot.value] == s + 1)
        target = slot.value;
    }
    if (target >= 0) {
      born[target] = static_cast<std::int16_t>(s);
      q.values[product] = {plan_value::alias, static_cast<std::int16_t>(target)};
    }
  }
  list<std::int16_t> free_from;  // per temporary: the step after which it is free
  list<std::int16_t> first(q.steps.size(), std::int16_t{-1}), next(p.size(), std::int16_t{-1});  // values born in each step
  for (int i = p.size() - 1; i >= 0; --i) {
    if (born[i] < 0 || !stored[i] || q.values[i].place != plan_value::nowhere) continue;
    next[i] = first[born[i]];
    first[born[i]] = static_cast<std::int16_t>(i);
  }
  for (int s = 0; s < q.steps.size(); ++s)
    for (int i = first[s]; i >= 0; i = next[i]) {
      int chosen = -1;
      for (int t = 0; t < free_from.size() && chosen < 0; ++t)
        if (free_from[t] < s) chosen = t;
      if (chosen < 0) {
        free_from.push_back(0);
        chosen = free_from.size() - 1;
      }
      free_from[chosen] = died[i];
      q.values[i] = {plan_value::temporary, static_cast<std::int16_t>(chosen)};
    }
  q.temporaries = free_from.size();
}

}  // namespace detail

/// The first stage of planning: a program without dead code whose outputs have elements of their own.
constexpr program prepare_program(const program& given) { return detail::make_outputs_distinct(eliminate_dead_code(given)); }

/// What attempt number `attempt` may do: less is fused where something cannot be written or counted along the axes of its kernel, or is wanted
/// along two axes at once.
inline constexpr int plan_attempts = 4;
constexpr plan_options relaxed(plan_options options, int attempt) {
  if (attempt > 0) options.mixed_axes = false;
  if (attempt > 1) options.recompute = false;
  if (attempt > 2) options.fuse = false;
  if (!options.fuse) options.recompute = false;  // a kernel per operation is each operation once
  return options;
}

/// The last stage: kernels, steps and places. False where this fusion cannot be emitted.
constexpr bool emit_plan(const program& p, const fusion& f, const plan_options& options, plan& q) {
  detail::kernel_emitter emitter(p, f, options, q);
  if (!emitter.run()) return false;
  q.code = p;
  detail::place_values(q, emitter.stored());
  return true;
}

/// Plans a program. The same stages serve compiled programs, one constant each, and those built at run time.
constexpr plan make_plan(const program& given, plan_options options = {}) {
  const program p = prepare_program(given);
  for (int attempt = 0; attempt < plan_attempts; ++attempt) {
    plan q;
    const plan_options now = relaxed(options, attempt);
    if (emit_plan(p, fuse(p, now), now, q)) return q;
  }
  return {};
}

}  // namespace fluxion::graph
