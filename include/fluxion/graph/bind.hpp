/// Binding: run-time extents get their values, and everything that only the run can know is checked, before the first kernel.
#pragma once
#include "../core/error.hpp"
#include "../core/arena.hpp"
#include "call.hpp"

#include <limits>
#include <string_view>

namespace fluxion::graph {

namespace detail {

/// Extent `e` of the program where symbols have these values.
inline index_t extent_value(const plan_view& v, extent_t e, const index_t* symbols) {
  e = v.resolve(e);
  return is_symbol(e) ? symbols[symbol_number(e)] : static_cast<index_t>(e);
}

/// As written in the source: without replacing a symbol by what it was found equal to.
inline index_t own_value(extent_t e, const index_t* own) { return is_symbol(e) ? own[symbol_number(e)] : static_cast<index_t>(e); }

FLUXION_COLD inline void add_shape(fluxion::detail::message& m, const plan_view& v, int id, const index_t* own) {
  const shape& s = v.shapes[id];
  index_t extents[max_rank];
  for (int axis = 0; axis < s.rank; ++axis) extents[axis] = own_value(s.extent[axis], own);
  m.add(fluxion::detail::extents_text{extents, s.rank});
}

[[noreturn]] FLUXION_COLD inline void raise_check(const plan_view& v, const extent_check& c, const index_t* own) {
  const char *before = ": ", *between = nullptr;
  bool shows_number = false;
  switch (c.kind) {
    case extent_check::equal: {
      const bool product = c.operation == opcode_of<operation::matmul>;
      before = product ? ": inner extents differ: " : ": extents differ: ";
      between = product ? " x " : " and ";
      break;
    }
    case extent_check::broadcast:
      before = ": shapes do not broadcast: ";
      between = " and ";
      break;
    case extent_check::nonempty: before = ": reduction of an empty axis has no identity: "; break;
    case extent_check::at_least: before = " is out of range for "; break;
    default:
      between = " does not divide into rows of ";
      shows_number = true;
  }
  fluxion::detail::message m;
  m.add(info_of(c.operation).name);
  if (c.kind == extent_check::at_least) {
    m.add(": end ");
    m.add(c.b);
  }
  m.add(before);
  add_shape(m, v, c.shape_a, own);
  if (between != nullptr) m.add(between);
  if (shows_number) m.add(c.b);
  else if (between != nullptr) add_shape(m, v, c.shape_b, own);
  if (c.kind == extent_check::nonempty) fluxion::detail::raise_text<ValueError>(m.text());
  if (c.kind == extent_check::at_least) fluxion::detail::raise_text<IndexError>(m.text());
  fluxion::detail::raise_text<ShapeError>(m.text());
}

[[noreturn]] FLUXION_COLD inline void raise_unbroadcastable(index_t a, index_t b) {
  raise<ShapeError>("shapes do not broadcast: extents ", a, " and ", b);
}

/// What a slice leaves of an axis of `base` elements.
inline index_t strided_extent(const symbol_origin& s, index_t base) {
  return base > s.offset ? static_cast<index_t>((base - s.offset + s.step - 1) / s.step) : 0;
}
/// The inferred extent of a reshape of `elements` elements.
inline index_t quotient_extent(const symbol_origin& s, index_t elements) { return static_cast<index_t>(elements / (s.offset == 0 ? 1 : s.offset)); }

/// Whether a check holds for these extents, or for the elements of its shape.
inline bool check_holds(const extent_check& c, index_t a, index_t b) {
  switch (c.kind) {
    case extent_check::equal: return a == b;
    case extent_check::broadcast: return a == b || a == 1 || b == 1;
    case extent_check::nonempty: return a > 0;
    case extent_check::at_least: return a >= b;
    default: return c.b != 0 && a % c.b == 0;
  }
}

template <class Extent>
index_t product_of_shape(const plan_view& v, int id, const Extent& extent) {
  index_t product = 1;
  const shape& s = v.shapes[id];
  for (int axis = 0; axis < s.rank; ++axis) product *= extent(s.extent[axis]);
  return product;
}

/// Where run-time extents of 1 meet larger ones, recording has taken them for equal. That is exact as long as only maps see the smaller
/// extents; a reduction, product or view of a value that is really smaller, or such a value as a result, is refused.
FLUXION_COLD inline void check_broadcast_is_exact(const plan_view& v, const descriptor* arguments, const index_t* symbols) {
  struct actual { index_t extent[max_rank]; };
  ArenaScope scope;
  auto* shapes = scope.take<actual>(static_cast<std::size_t>(v.instruction_count));
  const auto differs = [&](int i) {
    const shape& s = v.shape_of(i);
    for (int axis = 0; axis < s.rank; ++axis)
      if (shapes[i].extent[axis] != extent_value(v, s.extent[axis], symbols)) return true;
    return false;
  };
  const auto refuse = [&](int i, std::string_view what) {
    const shape& s = v.shape_of(i);
    index_t e[max_rank];
    for (int axis = 0; axis < s.rank; ++axis) e[axis] = extent_value(v, s.extent[axis], symbols);
    raise<ShapeError>(what, ": a run-time extent of 1 broadcasts only inside elementwise operations: ", fluxion::detail::extents_text{shapes[i].extent, s.rank},
                      " is taken for ", fluxion::detail::extents_text{e, s.rank}, "; expand it first");
  };
  for (int i = 0; i < v.instruction_count; ++i) {
    const instruction& x = v.instructions[i];
    const shape& s = v.shape_of(i);
    const operation_info& info = info_of(x.operation);
    for (int axis = 0; axis < s.rank; ++axis) shapes[i].extent[axis] = extent_value(v, s.extent[axis], symbols);
    if (x.operation == opcode_of<operation::argument>) {
      for (int axis = 0; axis < s.rank; ++axis) shapes[i].extent[axis] = arguments[x.attribute].extent[axis];
    } else if (info.family == family::map && x.operation != opcode_of<operation::expand>) {
      for (int axis = 0; axis < s.rank; ++axis) {
        shapes[i].extent[axis] = 1;
        for (int k = 0; k < 3; ++k)
          if (x.operand[k] >= 0 && v.shape_of(x.operand[k]).rank != 0 && shapes[x.operand[k]].extent[axis] != 1)
            shapes[i].extent[axis] = shapes[x.operand[k]].extent[axis];
      }
    } else if (x.operation == opcode_of<operation::reshape>) {
      // Adding and removing axes of extent one is harmless; anything else needs the extents that were recorded.
      const shape& from = v.shape_of(x.operand[0]);
      int a = 0, b = 0;
      bool unit = true;
      while (unit && (a < s.rank || b < from.rank)) {
        if (a < s.rank && s.extent[a] == 1) shapes[i].extent[a++] = 1;
        else if (b < from.rank && from.extent[b] == 1) ++b;
        else if (a < s.rank && b < from.rank && v.resolve(s.extent[a]) == v.resolve(from.extent[b])) shapes[i].extent[a++] = shapes[x.operand[0]].extent[b++];
        else unit = false;
      }
      if (!unit && differs(x.operand[0])) refuse(x.operand[0], "reshape");
    } else if (info.family != family::leaf && info.family != family::generate && x.operation != opcode_of<operation::expand>) {
      for (int k = 0; k < 3; ++k)
        if (x.operand[k] >= 0 && differs(x.operand[k])) refuse(x.operand[k], info.name);
    }
  }
  for (int k = 0; k < v.output_count; ++k)
    if (!v.differentiated && differs(v.outputs[k])) refuse(v.outputs[k], "result");
}

/// What follows from other extents: of slices and inferred reshapes. `extent(e)` is the value of an extent.
template <class Extent>
index_t derived_extent(const plan_view& v, const symbol_origin& s, const Extent& extent) {
  if (s.kind == symbol_origin::strided) return strided_extent(s, extent(s.base));
  return quotient_extent(s, product_of_shape(v, s.index, extent));
}

/// Where extents of 1 met larger ones: every class of equal extents takes the larger. Those that follow from others are computed from what these
/// became, again until nothing changes, as classes may hold both kinds.
FLUXION_COLD inline void bind_broadcasts(const plan_view& v, const descriptor* arguments, index_t* symbols) {
  ArenaScope scope;
  const auto count = static_cast<std::size_t>(v.symbol_count);
  auto *const before = scope.take<index_t>(count), *const value = scope.take<index_t>(count);
  const auto add = [&](int i, index_t own) {
    const extent_t root = v.resolve(symbol_extent(i));
    if (is_symbol(root) && value[symbol_number(root)] == 1) value[symbol_number(root)] = own;
  };
  for (int i = 0; i < v.symbol_count; ++i) before[i] = 1;
  for (int round = 0; round <= v.symbol_count; ++round) {
    const auto extent = [&](extent_t e) {
      e = v.resolve(e);
      return is_symbol(e) ? before[symbol_number(e)] : static_cast<index_t>(e);
    };
    for (int i = 0; i < v.symbol_count; ++i) value[i] = 1;
    for (int i = 0; i < v.symbol_count; ++i)
      if (v.symbols[i].kind == symbol_origin::argument) add(i, symbols[i]);
    for (int i = 0; i < v.symbol_count; ++i)
      if (v.symbols[i].kind != symbol_origin::argument) add(i, symbols[i] = derived_extent(v, v.symbols[i], extent));
    bool changed = false;
    for (int i = 0; i < v.symbol_count; ++i) {
      changed = changed || before[i] != value[i];
      before[i] = value[i];
    }
    if (!changed) break;
  }
  // Members of a class that are not 1 must agree.
  for (int i = 0; i < v.symbol_count; ++i)
    if (const index_t all = extent_value(v, symbol_extent(i), value); symbols[i] != 1 && symbols[i] != all) raise_unbroadcastable(symbols[i], all);
  for (int i = 0; i < v.symbol_count; ++i)
    if (v.resolve(symbol_extent(i)) == symbol_extent(i)) symbols[i] = value[i];
  for (int i = 0; i < v.check_count; ++i) {
    const extent_check& c = v.checks[i];
    const auto extent = [&](extent_t e) { return extent_value(v, e, symbols); };
    if (!check_holds(c, c.kind == extent_check::divides ? product_of_shape(v, c.shape_a, extent) : extent(c.a), extent(c.b))) raise_check(v, c, symbols);
  }
  check_broadcast_is_exact(v, arguments, symbols);
}

}  // namespace detail

/// Computes the values of all symbols from the arguments' extents and makes every recorded check. O(symbols + checks); where a run-time
/// extent of 1 meets a larger one, which then holds for all that were recorded as equal, also O(instructions). True if there is such a one.
inline bool bind(const plan_view& v, const descriptor* arguments, index_t* symbols) {
  const auto own = [&](extent_t e) { return detail::own_value(e, symbols); };
  for (int i = 0; i < v.symbol_count; ++i) {
    const symbol_origin& s = v.symbols[i];
    symbols[i] = s.kind == symbol_origin::argument ? arguments[s.index].extent[s.axis] : detail::derived_extent(v, s, own);
  }
  bool broadcasts = false;
  for (int i = 0; i < v.check_count; ++i)
    if (const extent_check& c = v.checks[i]; c.kind == extent_check::broadcast && own(c.a) != own(c.b)) broadcasts = true;
  // Where something broadcasts, what follows from other extents is not known yet, nor what an extent of 1 becomes.
  const auto is_known = [&](extent_t e) { return own(e) != 1 && (!is_symbol(e) || v.symbols[symbol_number(e)].kind == symbol_origin::argument); };
  for (int i = 0; i < v.check_count; ++i) {
    const extent_check& c = v.checks[i];
    const bool compares = c.kind == extent_check::equal || c.kind == extent_check::broadcast;
    if (broadcasts && !(compares && is_known(c.a) && is_known(c.b))) continue;
    if (!detail::check_holds(c, c.kind == extent_check::divides ? detail::product_of_shape(v, c.shape_a, own) : own(c.a), own(c.b))) detail::raise_check(v, c, symbols);
  }
  if (broadcasts) detail::bind_broadcasts(v, arguments, symbols);
  return broadcasts;
}

/// The extents of output k.
inline void output_extents(const plan_view& v, int k, const index_t* symbols, index_t* extents) {
  const shape& s = v.shape_of(v.outputs[k]);
  for (int axis = 0; axis < s.rank; ++axis) extents[axis] = detail::extent_value(v, s.extent[axis], symbols);
}

}  // namespace fluxion::graph
