/// Jacobians: appends the derivatives of values by every element of others to a program, as one batch of tangents or of adjoints.
#pragma once
#include "batch.hpp"
#include "tangents.hpp"

namespace fluxion::graph {

/// For every element of a shape, in row-major order, the value that is 1 there and 0 elsewhere: [elements, extents...]. Made of positions
/// where it is used, not kept in memory.
constexpr int record_unit_directions(program& p, const shape& s, element_type type) {
  shape column = with_batch(product_extent(p, s), s), row = column;
  for (int axis = 1; axis < column.rank; ++axis) column.extent[axis] = 1;
  row.extent[0] = 1;
  int position = -1;
  for (int axis = 1; axis < row.rank; ++axis) {
    const int along = record_iota(p, row, axis, element_type::int32);
    if (position >= 0) position = record_map(p, opcode_of<operation::mul>, position, record_count(p, row, 1u << axis, element_type::int32));
    position = position < 0 ? along : record_map(p, opcode_of<operation::add>, position, along);
  }
  const int same = record_map(p, opcode_of<operation::equal>, record_iota(p, column, 0, element_type::int32), position);
  return p.put({.operation = opcode_of<operation::cast>, .type = type, .accumulator = type, .flags = unit_flag, .operand = {static_cast<std::int16_t>(same), -1, -1}, .shape = p[same].shape});
}

namespace detail {

constexpr shape joined(const shape& a, const shape& b) {
  shape s = a;
  s.rank += b.rank;
  for (int axis = 0; axis < b.rank; ++axis) s.extent[a.rank + axis] = b.extent[axis];
  return s;
}

/// Whether a rank is one that a value may have; an error otherwise.
constexpr bool rank_is_possible(program& p, int i, int more) {
  if (p.shape_of(i).rank + more <= max_rank) return true;
  p.fail(program_error::rank_too_high, p[i].operation, p.shape_of(i));
  return false;
}

}  // namespace detail

/// The derivatives of each output by `input`, [output's extents..., input's extents...], in forward mode: one sweep for all elements of the
/// input, whose tangents are a batch.
constexpr list<int> append_forward_jacobian(program& p, const list<int>& outputs, int input) {
  const shape s = p.shape_of(input);
  for (const int o : outputs)
    if (!detail::rank_is_possible(p, o, s.rank)) return outputs;
  list<int> inputs, direction;
  inputs.push_back(input);
  if (s.rank == 0) {
    direction.push_back(p.constant(p[input].type, 1));
    return append_tangents(p, inputs, direction, outputs);
  }
  const int one = p.placeholder(input, p.canonical(p[input].shape));
  direction.push_back(one);
  const list<int> tangents = append_tangents(p, inputs, direction, outputs);
  if (p.error.code != program_error::none) return outputs;
  batch_inputs in{p};
  in.add(one, record_unit_directions(p, s, p[one].type), 0);
  constexpr int last = -1;
  list<int> result;
  const list<int> found = in.replace(tangents, &last, 1);
  for (int k = 0; k < outputs.size(); ++k) result.push_back(p.error.code == program_error::none ? record_reshape(p, found[k], detail::joined(p.shape_of(outputs[k]), s)) : outputs[k]);
  return result;
}

/// The derivatives of `output` by each input, [output's extents..., input's extents...], in reverse mode: one sweep for all elements of the
/// output, whose adjoints are a batch.
constexpr list<int> append_reverse_jacobian(program& p, int output, const list<int>& inputs) {
  const shape s = p.shape_of(output);
  for (const int i : inputs)
    if (!detail::rank_is_possible(p, i, s.rank)) return inputs;
  list<int> outputs, seeds;
  outputs.push_back(output);
  if (s.rank == 0) {
    seeds.push_back(p.constant(p[output].type, 1));
    return append_adjoints(p, outputs, seeds, inputs);
  }
  const int one = p.placeholder(output, p.canonical(p[output].shape));
  seeds.push_back(one);
  const list<int> adjoints = append_adjoints(p, outputs, seeds, inputs);
  if (p.error.code != program_error::none) return inputs;
  batch_inputs in{p};
  in.add(one, record_unit_directions(p, s, p[one].type), 0);
  list<int> result;
  const list<int> found = in.replace(adjoints, nullptr, 0);
  for (int k = 0; k < inputs.size(); ++k) result.push_back(p.error.code == program_error::none ? record_reshape(p, found[k], detail::joined(s, p.shape_of(inputs[k]))) : inputs[k]);
  return result;
}

/// The derivatives of every output by every input: those of the first output first.
constexpr list<int> append_jacobians(program& p, const list<int>& outputs, const list<int>& inputs, bool forward) {
  list<int> result(outputs.size() * inputs.size(), 0);
  if (p.error.code != program_error::none) return result;
  const int rows = outputs.size(), columns = inputs.size();
  if (forward)
    for (int j = 0; j < columns; ++j) {
      const list<int> column = append_forward_jacobian(p, outputs, inputs[j]);
      for (int i = 0; i < rows; ++i) result[i * columns + j] = column[i];
    }
  else
    for (int i = 0; i < rows; ++i) {
      const list<int> row = append_reverse_jacobian(p, outputs[i], inputs);
      for (int j = 0; j < columns; ++j) result[i * columns + j] = row[j];
    }
  return result;
}

}  // namespace fluxion::graph
