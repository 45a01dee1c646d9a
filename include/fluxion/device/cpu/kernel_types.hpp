/// The lanes in which each entry of a kernel is computed.
#pragma once
#include "../../graph/call.hpp"
#include "../../graph/kernel_type.hpp"
#include "packet.hpp"

#include <utility>

namespace fluxion::host {
inline namespace FLUXION_ABI {

namespace detail {

constexpr int native_lanes_of(element_type type) {
  switch (type) {
    case element_type::float32: return native_lanes<float>;
    case element_type::float64: return native_lanes<double>;
    case element_type::int32: return native_lanes<std::int32_t>;
    default: return 1;
  }
}

using graph::is_row_reduction;
using graph::is_sink;

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
