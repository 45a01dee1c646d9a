/// Binding: run-time extents get their values, and everything that only the run can know is checked, before the first kernel.
#pragma once
#include "../core/error.hpp"
#include "call.hpp"

#include <limits>
#include <string>

namespace fluxion::graph {

namespace detail {

/// Extent `e` of the program where symbols have these values.
inline index_t extent_value(const plan_view& v, extent_t e, const index_t* symbols) {
  e = v.resolve(e);
  return is_symbol(e) ? symbols[symbol_number(e)] : static_cast<index_t>(e);
}

/// As written in the source: without replacing a symbol by what it was found equal to.
inline index_t own_value(extent_t e, const index_t* own) { return is_symbol(e) ? own[symbol_number(e)] : static_cast<index_t>(e); }

inline std::string shape_text(const plan_view& v, int id, const index_t* own) {
  index_t extents[max_rank];
  const shape& s = v.shapes[id];
  for (int axis = 0; axis < s.rank; ++axis) extents[axis] = own_value(s.extent[axis], own);
  return to_string(extents, s.rank);
}

[[noreturn]] inline void raise_check(const plan_view& v, const extent_check& c, const index_t* own) {
  const std::string name(info_of(c.operation).name);
  const std::string a = shape_text(v, c.shape_a, own), b = shape_text(v, c.shape_b, own);
  switch (c.kind) {
    case extent_check::equal:
      if (c.operation == opcode_of<operation::matmul>) raise<ShapeError>("matmul: inner extents differ: " + a + " x " + b);
      raise<ShapeError>(name + ": extents differ: " + a + " and " + b);
    case extent_check::broadcast: raise<ShapeError>(name + ": shapes do not broadcast: " + a + " and " + b);
    case extent_check::nonempty: raise<ValueError>(name + ": reduction of an empty axis has no identity: " + a);
    case extent_check::at_least: raise<IndexError>(name + ": end " + std::to_string(c.b) + " is out of range for " + a);
    default: raise<ShapeError>(name + ": " + a + " does not divide into rows of " + std::to_string(c.b));
  }
}

inline index_t product_of_shape(const plan_view& v, int id, const index_t* own) {
  index_t product = 1;
  const shape& s = v.shapes[id];
  for (int axis = 0; axis < s.rank; ++axis) product *= own_value(s.extent[axis], own);
  return product;
}

}  // namespace detail

/// Computes the values of all symbols from the arguments' extents and makes every recorded check. O(symbols + checks).
inline void bind(const plan_view& v, const descriptor* arguments, index_t* symbols) {
  for (int i = 0; i < v.symbol_count; ++i) {
    const symbol_origin& s = v.symbols[i];
    switch (s.kind) {
      case symbol_origin::argument: symbols[i] = arguments[s.index].extent[s.axis]; break;
      case symbol_origin::strided: {
        const index_t base = detail::own_value(s.base, symbols);
        symbols[i] = base > s.offset ? (base - s.offset + s.step - 1) / s.step : 0;
        break;
      }
      default: symbols[i] = detail::product_of_shape(v, s.index, symbols) / (s.offset == 0 ? 1 : s.offset);
    }
  }
  for (int i = 0; i < v.check_count; ++i) {
    const extent_check& c = v.checks[i];
    const index_t a = detail::own_value(c.a, symbols), b = detail::own_value(c.b, symbols);
    bool good = true;
    switch (c.kind) {
      case extent_check::equal:
      case extent_check::broadcast: good = a == b; break;
      case extent_check::nonempty: good = a > 0; break;
      case extent_check::at_least: good = a >= b; break;
      default: good = c.b != 0 && detail::product_of_shape(v, c.shape_a, symbols) % c.b == 0;
    }
    if (!good) detail::raise_check(v, c, symbols);
  }
}

/// The extents of output k.
inline void output_extents(const plan_view& v, int k, const index_t* symbols, index_t* extents) {
  const shape& s = v.shape_of(v.outputs[k]);
  for (int axis = 0; axis < s.rank; ++axis) extents[axis] = detail::extent_value(v, s.extent[axis], symbols);
}

}  // namespace fluxion::graph
