/// A kernel of a plan as a type with one integer per word, and what it is called with on a GPU.
#pragma once
#include "../../graph/call.hpp"
#include "../../graph/kernel_type.hpp"

#include <array>
#include <utility>

namespace fluxion::gpu {
inline namespace FLUXION_ABI {

using graph::kernel_code;
using graph::kernel_code_t;

namespace detail {

using graph::is_row_reduction;
using graph::is_sink;

/// Whether a value is computed from a whole row, which then one group has to go through.
template <class Code>
constexpr bool reduces_rows() {
  for (int i = 0; i < Code::size; ++i)
    if (is_row_reduction(Code::entry(i))) return true;
  return false;
}

}  // namespace detail

/// A call of a loop kernel with all that it reads, so that it can be passed to a GPU by value.
template <int Slots, int Scalars>
struct row_call {
  graph::loop_operand slots[Slots > 0 ? Slots : 1];
  graph::scalar_value scalars[Scalars > 0 ? Scalars : 1];
  index_t row = 1;     // length of a row
  index_t rows = 1;    // positions of the outer axes
  index_t chunks = 1;  // parts into which each row is cut; one where rows are reduced
  int outer_rank = 0;
  index_t outer[max_rank]{};
};

/// The same call by value; rows are cut into parts of about `chunk` elements where the kernel allows it.
template <class Code>
row_call<Code::header.slots, Code::header.scalars> pack_call(const graph::loop_call& call, index_t chunk) {
  row_call<Code::header.slots, Code::header.scalars> packed;
  for (int k = 0; k < Code::header.slots; ++k) packed.slots[k] = call.slots[k];
  for (int k = 0; k < Code::header.scalars; ++k) packed.scalars[k] = call.scalars[k];
  packed.row = call.row;
  packed.outer_rank = call.outer_rank;
  for (int axis = 0; axis < call.outer_rank; ++axis) {
    packed.outer[axis] = call.outer[axis];
    packed.rows *= call.outer[axis];
  }
  if (!detail::reduces_rows<Code>() && call.row > chunk) packed.chunks = (call.row + chunk - 1) / chunk;
  return packed;
}

}  // namespace FLUXION_ABI
}  // namespace fluxion::gpu
