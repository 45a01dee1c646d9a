/// Dead-code removal, and the form that planning wants: extents by their representatives, what is read in memory put there.
#pragma once
#include "../program.hpp"

namespace fluxion::graph {

/// Marks what the outputs need. O(n).
constexpr list<bool> live_instructions(const program& p) {
  list<bool> live(p.size(), false);
  for (int k = 0; k < p.outputs.size(); ++k) live[p.outputs[k]] = true;
  for (int i = p.size() - 1; i >= 0; --i) {
    if (!live[i]) continue;
    const instruction& x = p.instructions[i];
    for (int k = 0; k < 3; ++k)
      if (x.operand[k] >= 0) live[x.operand[k]] = true;
  }
  return live;
}

namespace detail {

/// The number that value i is a view of, or -1. A number lies nowhere in memory.
constexpr int viewed_number(const program& p, int i) {
  while (p.family_of(i) == family::view && !is_written_view(p[i].operation)) i = p[i].operand[0];
  return p.family_of(i) == family::leaf && !p.is<operation::argument>(i) && !p.is<operation::placeholder>(i) ? i : -1;
}

/// A value of shape number `shape` that has elements in memory, all of them equal to a number.
constexpr std::int16_t spread_number(program& p, int number, std::int16_t shape) {
  const element_type type = p[number].type;
  return static_cast<std::int16_t>(p.put({.operation = opcode_of<operation::expand>, .type = type, .accumulator = type, .operand = {static_cast<std::int16_t>(number), -1, -1}, .shape = shape}));
}

/// Gives an instruction whose operands are read in memory (a product; what is written into a larger value) operands that lie there.
constexpr void spread_numbers(program& p, instruction& x) {
  const family kind = info_of(x.operation).family;
  bool reads = kind == family::contract || is_written_view(x.operation) || x.operation == opcode_of<operation::slice>;
  if (kind == family::view && !reads) {  // of a number only where each extent is known to be 1
    const shape& s = p.shapes[x.shape];
    for (int axis = 0; axis < s.rank; ++axis) reads = reads || s.extent[axis] != 1;
  }
  if (!reads) return;
  for (std::int16_t& o : x.operand)
    if (const int number = o < 0 ? -1 : viewed_number(p, o); number >= 0) o = spread_number(p, number, p[o].shape);
}

}  // namespace detail

/// Removes instructions that no output needs, and gives every extent the representative of its class, which merges instructions that
/// became equal. Numbers that are read in memory are put there. Keeps order; arguments keep their numbers. O(n).
constexpr program eliminate_dead_code(const program& p) {
  program r;
  r.shapes = p.shapes;  // checks show shapes as they were written
  r.slices = p.slices;
  r.symbols = p.symbols;
  r.symbol_parents = p.symbol_parents;
  r.checks = p.checks;
  r.argument_count = p.argument_count;
  r.scalar_count = p.scalar_count;
  r.differentiated = p.differentiated;
  r.error = p.error;
  r.instructions.reserve(p.size());
  const list<bool> live = live_instructions(p);
  list<std::int16_t> shape_map(p.shapes.size(), -1);
  list<std::int16_t> map(p.size(), -1);
  for (int i = 0; i < p.size(); ++i) {
    if (!live[i]) continue;
    instruction x = p.instructions[i];
    for (int k = 0; k < 3; ++k)
      if (x.operand[k] >= 0) x.operand[k] = map[x.operand[k]];
    if (shape_map[x.shape] < 0) shape_map[x.shape] = r.intern(p.shapes[x.shape]);
    x.shape = shape_map[x.shape];
    if (info_of(x.operation).family == family::reduce) {  // an axis that was found to have extent one is reduced already
      const shape& from = r.shape_of(x.operand[0]);
      for (int axis = 0; axis < from.rank; ++axis)
        if (from.extent[axis] == 1) x.attribute &= ~(1 << axis);
      if (x.attribute == 0) {
        map[i] = x.operand[0];
        continue;
      }
    }
    detail::spread_numbers(r, x);
    if (x.operation == opcode_of<operation::constant>) map[i] = static_cast<std::int16_t>(r.constant_from_bits(x.type, p.constants[x.attribute], x.flags));
    else map[i] = static_cast<std::int16_t>(r.put(x));
  }
  for (int k = 0; k < p.outputs.size(); ++k) r.outputs.push_back(map[p.outputs[k]]);
  return r;
}

}  // namespace fluxion::graph
