/// Shapes of the compiler: each extent is static, or a symbol that stands for a number known at run time.
#pragma once
#include "../core/extents.hpp"

#include <cstdint>

namespace fluxion::graph {

/// A static extent (>= 0), or symbol number `-1 - extent`.
using extent_t = std::int64_t;

constexpr bool is_symbol(extent_t e) { return e < 0; }
constexpr int symbol_number(extent_t e) { return static_cast<int>(-1 - e); }
constexpr extent_t symbol_extent(int number) { return -1 - static_cast<extent_t>(number); }

struct shape {
  int rank = 0;
  extent_t extent[max_rank]{};

  friend constexpr bool operator==(const shape& a, const shape& b) {
    if (a.rank != b.rank) return false;
    for (int axis = 0; axis < a.rank; ++axis)
      if (a.extent[axis] != b.extent[axis]) return false;
    return true;
  }
};

/// Where the value of a symbol comes from.
struct symbol_origin {
  enum kind_t : std::uint8_t {
    argument,  // extent `axis` of argument `index`
    strided,   // ceil((value of symbol `base` - offset) / step): what a slice leaves of an axis
    quotient,  // product of the extents of shape `index` / offset: the inferred extent of a reshape
  };
  kind_t kind = argument;
  std::int16_t index = 0;
  std::int16_t axis = 0;
  extent_t base = 0;
  std::int64_t offset = 0;
  std::int64_t step = 1;
};

/// A condition on run-time extents, tested once before the first kernel.
struct extent_check {
  enum kind_t : std::uint8_t {
    equal,      // a == b
    broadcast,  // a == b, or one of them is 1
    nonempty,   // a > 0: a reduction without identity
    at_least,   // a >= b: a slice with a static end
    divides,    // the extents of shape_a multiply to a multiple of b
  };
  kind_t kind = equal;
  std::uint8_t operation = 0;  // opcode that asked
  std::int16_t shape_a = 0;
  std::int16_t shape_b = 0;
  extent_t a = 0;
  extent_t b = 0;
};

/// Static extents of an `extents<...>` type; dynamic ones are 0 and counted in `dynamic`.
template <Extents E>
constexpr shape static_shape() {
  shape s;
  s.rank = E::rank();
  for (int axis = 0; axis < s.rank; ++axis)
    s.extent[axis] = E::static_extent(axis) == dynamic_extent ? -1 : static_cast<extent_t>(E::static_extent(axis));
  return s;
}

}  // namespace fluxion::graph
