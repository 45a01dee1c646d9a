/// Rules of one's own for a batch of calls: the rule is recorded for one example and replaced by the batch. Included by batch.hpp.
#pragma once
#include "batch.hpp"

namespace fluxion::graph::detail {

/// Follows the rule of the call for one example with placeholders for what is given, and puts the batch in the places of its values.
/// `first` is the first of the call's values that is given a direction, `count` their number.
constexpr list<replacement> follow_batched_rule(program& p, const custom_call& c, custom_call::rule rule, const int* given, int first, int count, int results, extent_t& batch) {
  const custom_call one = p.custom_calls[c.example];
  list<int> from, directions(count, -1), found(results, -1), outputs;
  list<replacement> to;
  const auto put = [&](int example, int whole) {
    const shape s = p.shape_of(whole);
    const bool batched = s.rank > p.shape_of(example).rank;
    if (batched) batch = s.extent[0];
    from.push_back(example);
    to.push_back({whole, batched});
  };
  for (int k = 0; k < c.inputs + c.residuals + c.outputs; ++k) put(p.custom_value(one, k), p.custom_value(c, k));
  for (int k = 0; k < count; ++k) {
    if (given[k] < 0) continue;
    const int example = p.custom_value(one, first + k);
    directions[k] = p.placeholder(example, p.canonical(p[example].shape));
    put(directions[k], given[k]);
  }
  rule(p, one, directions.elements, found.elements);
  for (int k = 0; k < results; ++k)
    if (found[k] >= 0) outputs.push_back(found[k]);
  const list<replacement> replaced = append_replaced(p, from, to, batch, outputs);
  list<replacement> all(results, replacement{});
  for (int k = 0, next = 0; k < results; ++k)
    if (found[k] >= 0) all[k] = replaced[next++];
  return all;
}

/// What is batched where `goal` is not is added up; what is not where `goal` is, is the same for all examples.
constexpr int fit_to_batch(program& p, const replacement& r, int example, int goal, extent_t batch) {
  if (r.index < 0) return -1;
  const bool wanted = p.shape_of(goal).rank > p.shape_of(example).rank;
  if (wanted) return record_whole_batch(p, r, batch, 0);
  if (!r.batched) return r.index;
  const int sum = record_reduce(p, opcode_of<operation::sum>, r.index, 1u, true);
  const shape s = p.shape_of(sum);
  shape t;
  t.rank = s.rank - 1;
  for (int axis = 0; axis < t.rank; ++axis) t.extent[axis] = s.extent[axis + 1];
  return record_reshape(p, sum, t);
}

constexpr void batched_adjoint_rule(program& p, const custom_call& c, const int* given, int* found) {
  const custom_call one = p.custom_calls[c.example];
  extent_t batch = 1;
  const list<replacement> adjoints = follow_batched_rule(p, c, one.adjoint, given, c.inputs + c.residuals, c.outputs, c.inputs, batch);
  for (int k = 0; k < c.inputs; ++k) found[k] = fit_to_batch(p, adjoints[k], p.custom_value(one, k), p.custom_value(c, k), batch);
}

constexpr void batched_tangent_rule(program& p, const custom_call& c, const int* given, int* found) {
  const custom_call one = p.custom_calls[c.example];
  extent_t batch = 1;
  const list<replacement> tangents = follow_batched_rule(p, c, one.tangent, given, 0, c.inputs, c.outputs, batch);
  for (int k = 0; k < c.outputs; ++k) {
    const int output = c.inputs + c.residuals + k;
    found[k] = fit_to_batch(p, tangents[k], p.custom_value(one, output), p.custom_value(c, output), batch);
  }
}

}  // namespace fluxion::graph::detail
