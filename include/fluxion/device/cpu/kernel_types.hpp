/// A kernel's words as a type, and the lanes in which each of its entries is computed.
#pragma once
#include "../../graph/call.hpp"
#include "packet.hpp"

#include <array>

namespace fluxion::host {
inline namespace FLUXION_ABI {

/// The words of a loop kernel as template arguments: equal kernels are one type, wherever they come from.
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

constexpr int native_lanes_of(element_type type) {
  switch (type) {
    case element_type::float32: return native_lanes<float>;
    case element_type::float64: return native_lanes<double>;
    case element_type::int32: return native_lanes<std::int32_t>;
    default: return 1;
  }
}

constexpr bool is_row_reduction(const graph::kernel_entry& e) {
  return e.code < graph::operation_count && graph::info_of(e.code).family == graph::family::reduce;
}
constexpr bool is_sink(const graph::kernel_entry& e) {
  namespace code = graph::entry_code;
  return e.code == code::store || e.code == code::store_strided || e.code == code::accumulate;
}

/// How entry types become packs: all of a kernel have the same number of lanes.
template <class Code>
struct kernel_lanes {
  static constexpr int choose() {
    int lanes = 1;
    for (int i = 0; i < Code::size; ++i) {
      // Values that are the same along a row do not decide: a float kernel with a double scalar stays a float kernel.
      if (Code::entry(i).rate != graph::rate::full) continue;
      const int native = native_lanes_of(Code::entry(i).type);
      lanes = native > lanes ? native : lanes;
    }
    return lanes;
  }
  static constexpr int lanes = choose();

  /// The type whose comparison made a boolean entry: its mask has that type's lanes.
  static constexpr element_type carrier(int i) {
    for (;;) {
      const graph::kernel_entry& e = Code::entry(i);
      if (e.type != element_type::boolean) return e.type;
      if (e.code >= graph::operation_count || e.operand[0] < 0) break;
      if (e.code == graph::opcode_of<operation::select>) i = e.operand[1];
      else i = e.operand[0];
    }
    return lanes == native_lanes_of(element_type::float64) && lanes != native_lanes_of(element_type::float32) ? element_type::float64
                                                                                                             : element_type::float32;
  }
};

/// The register type of entry I.
template <class Code, int I>
struct entry_value {
  static constexpr int lanes = kernel_lanes<Code>::lanes;
  static constexpr element_type type = Code::entry(I).type;
  using element = element_t<type>;
  using packed = std::conditional_t<type == element_type::boolean, Mask<element_t<kernel_lanes<Code>::carrier(I)>, lanes>, Pack<element, lanes>>;
};

/// One register of a kernel. All registers of a row are bases of one object, which the optimiser takes apart again.
template <int I, class V>
struct register_slot {
  V value;
};
template <class Code, class Sequence>
struct register_file;
template <class Code, int... I>
struct register_file<Code, std::integer_sequence<int, I...>> : register_slot<I, typename entry_value<Code, I>::packed>... {};

template <int I, class V>
FLUXION_ALWAYS_INLINE V& get(register_slot<I, V>& r) {
  return r.value;
}

}  // namespace detail
}  // namespace FLUXION_ABI
}  // namespace fluxion::host
