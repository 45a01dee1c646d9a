/// A kernel's words as a type: what a device's kernel is instantiated for.
#pragma once
#include "kernel_code.hpp"

#include <array>
#include <utility>

namespace fluxion::graph {

/// The words of a loop kernel as template arguments: equal kernels are one type, wherever they come from. Integers only: nvcc's host stubs
/// cannot name anything richer.
template <std::uint64_t... W>
struct kernel_code {
  static constexpr std::uint64_t words[sizeof...(W)] = {W...};
  static constexpr kernel_header header = unpack_header(words[0]);
  static constexpr int size = header.entries;
  static constexpr std::array<kernel_entry, static_cast<std::size_t>(size > 0 ? size : 1)> read() {
    std::array<kernel_entry, static_cast<std::size_t>(size > 0 ? size : 1)> entries{};
    read_code(words, entries.data());
    return entries;
  }
  static constexpr auto entries = read();
  static constexpr const kernel_entry& entry(int i) { return entries[static_cast<std::size_t>(i)]; }
};

namespace detail {

template <class Plan, int Kernel, class Sequence>
struct kernel_code_of;
template <class Plan, int Kernel, int... I>
struct kernel_code_of<Plan, Kernel, std::integer_sequence<int, I...>> {
  using type = kernel_code<Plan::words[static_cast<std::size_t>(Plan::kernel_begin[Kernel] + I)]...>;
};

}  // namespace detail

/// Distinct kernel number `Kernel` of a constant plan.
template <class Plan, int Kernel>
using kernel_code_t = typename detail::kernel_code_of<
    Plan, Kernel, std::make_integer_sequence<int, Plan::kernel_begin[Kernel + 1] - Plan::kernel_begin[Kernel]>>::type;

/// Whether an entry is the result of reducing a row.
constexpr bool is_row_reduction(const kernel_entry& e) { return e.code < operation_count && info_of(e.code).family == family::reduce; }

/// Whether an entry writes to memory.
constexpr bool is_sink(const kernel_entry& e) {
  return e.code == entry_code::store || e.code == entry_code::store_strided || e.code == entry_code::accumulate;
}

}  // namespace fluxion::graph
