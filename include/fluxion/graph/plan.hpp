/// The plan: what a device executes. Steps in order, the slots and scalars each kernel is called with, and where every value lives.
#pragma once
#include "kernel_code.hpp"

namespace fluxion::graph {

/// An axis map: entry k is the axis of a value that runs along axis k of a kernel, or -1.
struct axis_map {
  std::int8_t axis[max_rank] = {-1, -1, -1, -1, -1, -1, -1, -1};
  friend constexpr bool operator==(const axis_map& a, const axis_map& b) {
    for (int k = 0; k < max_rank; ++k)
      if (a.axis[k] != b.axis[k]) return false;
    return true;
  }
};

/// A value in memory as a kernel sees it.
struct plan_slot {
  enum kind_t : std::uint8_t { input, output, accumulator, generator };
  /// What the kernel expects along a row.
  enum access_t : std::uint8_t { one_element, adjacent, any_stride };
  kind_t kind = input;
  access_t access = one_element;
  std::uint8_t reduction = 0;  // opcode of an accumulator's reduction
  std::int16_t value = -1;     // instruction
  axis_map axes;               // per kernel axis: the value's axis
};

struct plan_step {
  enum kind_t : std::uint8_t {
    loop,      // run a loop kernel
    contract,  // matrix product of `value`
    view,      // derive the descriptor of `value` from its operand's
    embed,     // zeros with the operand written into a slice, or operands one behind the other
  };
  kind_t kind = loop;
  bool with_previous = false;  // a loop that is the epilogue of the contraction before it
  bool tiled = false;          // … and can run tile by tile along its first axis
  std::int16_t value = -1;
  std::int16_t kernel = -1;    // distinct kernel
  std::int16_t slot_begin = 0, slot_count = 0;
  std::int16_t scalar_begin = 0, scalar_count = 0;
  std::int16_t axis_begin = 0;  // extents: outer axes, then row axes
  std::int8_t outer_rank = 0, row_rank = 0;
  std::int16_t flops = 0;       // per element of the iteration space, all passes
};

/// Where a value lives.
struct plan_value {
  enum place_t : std::uint8_t { nowhere, argument, output, temporary, alias };
  place_t place = nowhere;
  std::int16_t index = -1;  // argument, output or temporary number; for an alias the value whose memory it looks at
};

struct plan {
  program code;  // what was planned, in final form
  list<plan_step> steps;
  list<plan_slot> slots;
  list<std::int16_t> scalars;    // instructions (scalar or count) whose values kernels receive
  list<extent_t> axes;           // extents of kernels' axes
  list<std::uint64_t> words;     // code of all distinct kernels
  list<std::int32_t> kernel_begin;  // first word of each, and the end
  list<plan_value> values;       // per instruction
  int temporaries = 0;
};

}  // namespace fluxion::graph
