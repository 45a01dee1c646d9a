/// The loop kernel of the CPU: for each row, its passes; in each pass, a packet loop and a tail of fewer lanes.
///
///   once:   constants, scalars
///   for each position of the outer axes:
///     for each pass:
///       values of this row (results of former passes)
///       for each packet of the row: load, compute, keep, reduce, store, accumulate
///       reduce across lanes
///     values and stores of this row
#pragma once
#include "row_passes.hpp"

namespace fluxion::host {
inline namespace FLUXION_ABI {

template <class Code>
class loop_kernel : row_passes<Code, false> {
  using base = row_passes<Code, false>;
  using typename base::selection;

 public:
  /// Runs every row of the call.
  static FLUXION_NO_INLINE void run(const graph::loop_call& call) {
    typename base::state s;
    base::start(s, call);
    typename base::registers r;
    base::template each<selection::once, 0>([&](auto i) FLUXION_INLINE_LAMBDA { base::template evaluate<i.value, lanes_along::row>(r, s, 0, 1); });
    if (call.outer_rank == 0) {
      base::row(r, s, base::lanes);
      return;
    }
    index_t at[max_rank]{};
    for (;;) {
      for (index_t n = call.outer[call.outer_rank - 1]; n > 0; --n) {
        base::row(r, s, base::lanes);
        base::advance(s, 1);
      }
      if (!base::next(call, at)) return;
      base::move_to(s, at);
    }
  }
};

}  // namespace FLUXION_ABI
}  // namespace fluxion::host
