/// Directions: what a tangent or a cotangent must be like to belong to a value.
#pragma once
#include "../record.hpp"

namespace fluxion::graph {

/// Records d in the type and the shape of instruction i; what broadcast into i broadcasts.
constexpr int record_broadcast_like(program& p, int d, int i) {
  d = record_cast(p, d, p[i].type);
  return p.canonical(p[d].shape) == p.canonical(p[i].shape) ? d : record_expand(p, d, p[i].shape);
}

/// A direction `d` for the value `i`, in its type: of its shape, which the run checks where the types do not say, or a number for all of it.
/// The extents of a value that is no argument are known only where they were recorded: a run-time 1 may have met larger ones. Its direction
/// may then be a run-time 1 as well.
constexpr int record_direction(program& p, int d, int i) {
  const shape s = p.shape_of(d), goal = p.shape_of(i);
  const auto kind = p.is<operation::argument>(i) ? extent_check::equal : extent_check::broadcast;
  if (s.rank != 0) {
    bool equal = s.rank == goal.rank;
    for (int axis = 0; equal && axis < s.rank; ++axis) {
      const extent_t x = p.resolve(s.extent[axis]), y = p.resolve(goal.extent[axis]);
      equal = x == y || is_symbol(x) || is_symbol(y);
      if (equal) p.unify(y, x, {kind, p[i].operation, p.intern(goal), p.intern(s), goal.extent[axis], s.extent[axis]});
    }
    if (!equal) return p.fail(program_error::direction_differs, p[i].operation, goal, s);
  }
  return record_broadcast_like(p, d, i);
}

}  // namespace fluxion::graph
