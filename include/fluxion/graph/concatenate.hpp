/// Recording values one behind the other.
#pragma once
#include "record.hpp"

namespace fluxion::graph {

namespace detail {

/// Whether values of shapes s and t can lie one behind the other along an axis; run-time extents are checked by the run. An error otherwise.
constexpr bool can_concatenate(program& p, const shape& s, const shape& t, int axis) {
  constexpr opcode code = opcode_of<operation::concatenate>;
  bool good = s.rank == t.rank;
  for (int k = 0; good && k < s.rank; ++k) {
    const extent_t a = p.resolve(s.extent[k]), b = p.resolve(t.extent[k]);
    if (k == axis) {
      if (is_symbol(a) || is_symbol(b)) return p.fail(program_error::cat_of_unknown_extent, code, s, t), false;
    } else if (a != b) {
      good = is_symbol(a) || is_symbol(b);
      if (good) p.unify(a, b, {extent_check::equal, code, p.intern(s), p.intern(t), a, b});
    }
  }
  if (!good) p.fail(program_error::cat_shapes_differ, code, s, t);
  return good;
}

}  // namespace detail

/// Records values one behind the other along an axis whose extents are static, in the type that they meet in. Three at a time are copied: each
/// element log₃(count) times.
constexpr int record_concatenate(program& p, list<int> parts, int axis) {
  element_type type = p[parts[0]].type;
  for (const int i : parts) type = promote(type, p[i].type);
  const shape first = p.shape_of(parts[0]);
  if (axis < 0 || axis >= first.rank) return p.fail(program_error::axis_out_of_range, opcode_of<operation::concatenate>, first, {}, axis);
  for (int k = 0; k < parts.size(); ++k) {
    if (!detail::can_concatenate(p, first, p.shape_of(parts[k]), axis)) return 0;
    parts[k] = record_cast(p, parts[k], type);
  }
  while (parts.size() > 1) {
    list<int> longer;
    for (int k = 0; k < parts.size(); k += max_operands) {
      instruction cat{.operation = opcode_of<operation::concatenate>, .type = type, .accumulator = type, .attribute = axis};
      shape s = p.shape_of(parts[k]);
      s.extent[axis] = 0;
      int count = 0;
      for (; count < max_operands && k + count < parts.size(); ++count) {
        cat.operand[count] = static_cast<std::int16_t>(parts[k + count]);
        s.extent[axis] += p.resolve(p.shape_of(parts[k + count]).extent[axis]);
      }
      cat.shape = p.intern(s);
      longer.push_back(count == 1 ? parts[k] : p.put(cat));
    }
    parts = static_cast<list<int>&&>(longer);
  }
  return parts[0];
}

}  // namespace fluxion::graph
