/// Forward mode: appends the tangents of a program to it.
#pragma once
#include "differentiate.hpp"
#include "direction.hpp"

namespace fluxion::graph {

namespace detail {

/// The tangent of instruction i, from those of its operands (-1 where an operand has none). Maps and reductions have one rule for both
/// modes: being linear in the adjoint and elementwise, it takes a tangent as well. A map adds up its operands' parts; a reduction adds up
/// along its axes, where the adjoint would have been broadcast.
constexpr int record_tangent(program& p, int i, const int* tangent) {
  const instruction x = p[i];
  const operation_info& info = info_of(x.operation);
  const Symbol y(p, i);
  int sum = -1;
  const auto add = [&](int part) { sum = sum < 0 ? part : record_map(p, opcode_of<operation::add>, sum, part); };
  switch (info.family) {
    case family::map: {
      const Symbol operand[max_operands] = {Symbol(p, x.operand[0]), Symbol(p, x.operand[1]), Symbol(p, x.operand[2])};
      for (int k = 0; k < info.arity; ++k)
        if (tangent[x.operand[k]] >= 0) add(rules::map[x.operation](k, Symbol(p, tangent[x.operand[k]]), operand, y).index());
      break;
    }
    case family::reduce: {
      const auto axes = static_cast<unsigned>(x.attribute);
      const Symbol from(p, x.operand[0]), d(p, tangent[x.operand[0]]);
      if (info.adds) add(record_reduce(p, x.operation, d.index(), axes, true));
      else add(rules::reduce[x.operation](d, from, y, axes).reduce<operation::sum>(axes, true).index());
      break;
    }
    case family::view: {
      if (x.operation == opcode_of<operation::concatenate>) {
        instruction same = x;
        same.shape = p.canonical(x.shape);
        for (std::int16_t& o : same.operand)
          if (o >= 0) o = static_cast<std::int16_t>(tangent[o] >= 0 ? tangent[o] : record_expand(p, p.constant(p[o].type, 0), p[o].shape));
        add(p.put(same));
        break;
      }
      const int d = tangent[x.operand[0]];
      if (x.operation == opcode_of<operation::reshape>) add(record_reshape(p, d, p.shape_of(i)));
      else if (x.operation == opcode_of<operation::permute>) {
        int order[max_rank]{};
        for (int axis = 0; axis < y.rank(); ++axis) order[axis] = permuted_axis(x, axis);
        add(record_permute(p, d, order));
      } else {
        instruction same = x;
        same.operand[0] = static_cast<std::int16_t>(d);
        same.shape = p.canonical(x.shape);
        add(p.put(same));
      }
      break;
    }
    case family::contract: {
      const int a = x.operand[0], b = x.operand[1];
      if (tangent[a] >= 0) add(record_matmul(p, tangent[a], b, x.flags));
      if (tangent[b] >= 0) add(record_matmul(p, a, tangent[b], x.flags));
      break;
    }
    default: break;
  }
  return sum < 0 ? sum : record_broadcast_like(p, sum, i);
}

/// Appends the tangents of all outputs of the custom call that computes instruction i, by its rule.
constexpr void append_custom_tangents(program& p, int i, int* tangent) {
  const custom_call c = p.custom_calls[p.custom_call_of(i)];
  list<int> given, found(c.outputs, -1);
  bool any = false;
  for (int k = 0; k < c.inputs; ++k) {
    given.push_back(tangent[p.custom_value(c, k)]);
    any = any || given[k] >= 0;
  }
  if (!any) return;
  if (c.tangent == nullptr) {
    p.fail(program_error::rule_is_missing, opcode_of<operation::detach>, p.shape_of(p.custom_value(c, c.inputs + c.residuals)));
    return;
  }
  c.tangent(p, c, given.elements, found.elements);
  for (int k = 0; k < c.outputs; ++k) {
    const int output = p.custom_value(c, c.inputs + c.residuals + k);
    if (found[k] >= 0 && is_floating(p[output].type)) tangent[output] = record_direction(p, found[k], output);
  }
}

}  // namespace detail

/// Appends to `p` the tangents of `outputs` for the tangents of `inputs` (different instructions, directions as above), and returns them,
/// each of its output's shape and type (zeros where an output depends on no input). One sweep over the instructions, O(n).
constexpr list<int> append_tangents(program& p, const list<int>& inputs, const list<int>& tangents, const list<int>& outputs) {
  const int size = p.size();
  list<bool> wanted_by(size, false);
  list<int> found(size, -1);
  bool* const wanted = wanted_by.elements;
  int* const tangent = found.elements;
  for (int k = 0; k < inputs.size(); ++k) {
    if (!is_floating(p[inputs[k]].type)) p.fail(program_error::not_differentiable, p[inputs[k]].operation, p.shape_of(inputs[k]));
    tangent[inputs[k]] = record_direction(p, tangents[k], inputs[k]);
  }
  // Inside another trace there is more beside, before and behind the function: only what lies between inputs and outputs has a tangent.
  for (const int o : outputs) wanted[o] = true;
  for (int i = size - 1; i >= 0; --i) {
    if (!wanted[i] || tangent[i] >= 0) continue;
    if (const int call = p.custom_call_of(i); call >= 0) {
      const custom_call& c = p.custom_calls[call];
      for (int k = 0; k < c.inputs; ++k) wanted[p.custom_value(c, k)] = true;
      continue;
    }
    for (const std::int16_t o : p.instructions.elements[i].operand)
      if (o >= 0) wanted[o] = true;
  }
  for (int i = 0; i < size; ++i) {
    if (!wanted[i] || tangent[i] >= 0) continue;
    if (p.custom_call_of(i) >= 0) {
      detail::append_custom_tangents(p, i, tangent);
      continue;
    }
    const instruction& x = p.instructions.elements[i];
    const bool any = (x.operand[0] >= 0 && tangent[x.operand[0]] >= 0) || (x.operand[1] >= 0 && tangent[x.operand[1]] >= 0) || (x.operand[2] >= 0 && tangent[x.operand[2]] >= 0);
    if (any && is_floating(x.type) && info_of(x.operation).differentiable) tangent[i] = detail::record_tangent(p, i, tangent);
  }
  list<int> result;
  for (const int o : outputs) result.push_back(tangent[o] >= 0 ? tangent[o] : record_expand(p, p.constant(p[o].type, 0), p[o].shape));
  return result;
}

}  // namespace fluxion::graph
