/// From a program to a plan: outputs made distinct, instructions fused, kernels emitted, values placed in memory.
#pragma once
#include "emit_kernels.hpp"
#include "place_values.hpp"

#include <limits>

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
    const bool computed = kind == family::map || kind == family::reduce || kind == family::contract || is_written_view(p[root].operation);
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

/// Where the values of a plan live whose kernels were emitted.
constexpr placement place_values(const program& p, const memory_choice& memory, const plan_view& emitted) {
  return detail::value_placer(p, emitted).run([&](int i) { return (memory.flags.begin()[i] & memory_choice::stored) != 0; });
}

/// The last stages: kernels, steps and places. False where this fusion cannot be emitted.
constexpr bool emit_plan(const program& p, const fusion& f, const plan_options& options, plan& q) {
  const memory_choice memory = choose_memory(p, f, options);
  if (emit_kernels(p, f, memory, {}, std::numeric_limits<int>::max(), q).failed) return false;
  q.code = p;
  placement places = place_values(p, memory, view_of(q));
  q.values = static_cast<list<plan_value>&&>(places.values);
  q.temporaries = places.temporaries;
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
