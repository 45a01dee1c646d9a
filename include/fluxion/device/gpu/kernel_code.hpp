/// A kernel of a plan as a type with one integer per word, and what it is called with on a GPU.
#pragma once
#include "../../graph/call.hpp"

#include <array>
#include <utility>

namespace fluxion::gpu {
inline namespace FLUXION_ABI {

/// The words of a loop kernel as template arguments. Integers only: nvcc's host stubs cannot name anything richer.
template <std::uint64_t... W>
struct kernel_code {
  static constexpr std::uint64_t words[sizeof...(W)] = {W...};
  static constexpr graph::kernel_header header = graph::unpack_header(words[0]);
  static constexpr int size = header.entries;
  static constexpr std::array<graph::kernel_entry, static_cast<std::size_t>(size > 0 ? size : 1)> read() {
    std::array<graph::kernel_entry, static_cast<std::size_t>(size > 0 ? size : 1)> entries{};
    graph::read_code(words, entries.data());
    return entries;
  }
  static constexpr auto entries = read();
  static constexpr const graph::kernel_entry& entry(int i) { return entries[static_cast<std::size_t>(i)]; }
};

namespace detail {

template <class Plan, int Kernel, class Sequence>
struct kernel_code_of;
template <class Plan, int Kernel, int... I>
struct kernel_code_of<Plan, Kernel, std::integer_sequence<int, I...>> {
  using type = kernel_code<Plan::words[static_cast<std::size_t>(Plan::kernel_begin[Kernel] + I)]...>;
};

constexpr bool is_row_reduction(const graph::kernel_entry& e) {
  return e.code < graph::operation_count && graph::info_of(e.code).family == graph::family::reduce;
}
constexpr bool is_sink(const graph::kernel_entry& e) {
  namespace code = graph::entry_code;
  return e.code == code::store || e.code == code::store_strided || e.code == code::accumulate;
}

/// Whether a value is computed from a whole row, which then one group has to go through.
template <class Code>
constexpr bool reduces_rows() {
  for (int i = 0; i < Code::size; ++i)
    if (is_row_reduction(Code::entry(i))) return true;
  return false;
}

}  // namespace detail

/// The code of kernel number `Kernel` of a constant plan.
template <class Plan, int Kernel>
using kernel_code_t = typename detail::kernel_code_of<
    Plan, Kernel, std::make_integer_sequence<int, Plan::kernel_begin[Kernel + 1] - Plan::kernel_begin[Kernel]>>::type;

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
