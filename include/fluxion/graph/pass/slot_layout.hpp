/// How the elements of a kernel's slot lie in memory, as far as types tell.
#pragma once
#include "value_facts.hpp"

namespace fluxion::graph::detail {

constexpr bool is_strided_argument(const program& p, int i) { return p.is<operation::argument>(i) && (p[i].flags & strided_flag); }

constexpr bool chain_is_reshape(const program& p, int i) {
  while (p.is<operation::reshape>(i)) i = p[i].operand[0];
  return p.family_of(i) != family::view || is_written_view(p[i].operation);
}

/// Whether the elements of a row lie one behind the other. The slot's axes are in the order of the kernel's: outer ones, then the row's.
constexpr bool row_contiguous(const program& p, const plan_slot& slot, int outer_rank, int rank) {
  int last = -1, first = max_rank, wanted = 0;
  for (int a = outer_rank; a < rank; ++a) {
    const int axis = slot.axes.axis[a];
    if (axis < 0) continue;
    if (axis <= last) return false;
    last = axis;
    first = axis < first ? axis : first;
    ++wanted;
  }
  if (wanted == 0) return true;
  int i = slot.value;
  const shape& s = p.shape_of(i);
  for (int a = first; a < s.rank; ++a) {  // nothing but the row behind its first axis
    if (s.extent[a] == 1) continue;
    if (--wanted < 0) return false;
  }
  if (wanted != 0) return false;
  while (p.family_of(i) == family::view && !is_written_view(p[i].operation)) {
    if (p.is<operation::permute>(i)) return false;
    if (p.is<operation::slice>(i)) {
      const slice_spec& spec = p.slices[p[i].attribute];
      if (spec.step != 1 && spec.axis >= first) return false;
      if (spec.axis > first) return false;
    }
    if (p.is<operation::reshape>(i)) return !is_strided_argument(p, root_of(p, i)) && chain_is_reshape(p, i);
    i = p[i].operand[0];
  }
  return !is_strided_argument(p, i);
}

/// Whether the row's axes follow each other in the value, in the kernel's order. The slot's axes are still the group's.
constexpr bool row_in_order(const program& p, const plan_slot& slot, unsigned row, const std::int8_t* order, int axes) {
  int last = -1;
  for (int a = 0; a < axes; ++a) {
    if (!(row >> order[a] & 1)) continue;
    const int axis = slot.axes.axis[order[a]];
    if (axis <= last) return false;
    for (int between = last + 1; last >= 0 && between < axis; ++between)
      if (p.shape_of(slot.value).extent[between] != 1) return false;
    last = axis;
  }
  return true;
}

}  // namespace fluxion::graph::detail
