/// What a plan costs, as a value that a program can assert on while it compiles.
#pragma once
#include "plan_view.hpp"

namespace fluxion::graph {

/// Counts of a plan that do not depend on run-time extents; bytes and flops are -1 where they do.
struct plan_summary {
  int kernels = 0;         // launches; a matrix product with its epilogue is one
  int passes = 0;          // sweeps over rows, and one for each matrix product
  int contractions = 0;    // matrix products
  int distinct_loops = 0;  // loop kernels that are instantiated
  int temporaries = 0;     // buffers between kernels
  int row_buffers = 0;     // values kept between the passes of a row in memory of their own
  std::int64_t bytes = 0;  // read and written by kernels, each value once a kernel
  std::int64_t flops = 0;
};

namespace detail {

/// The product of extents, or -1 if one is a symbol.
constexpr std::int64_t static_product(const plan_view& v, const extent_t* extents, int rank) {
  std::int64_t n = 1;
  for (int axis = 0; axis < rank; ++axis) {
    const extent_t e = v.resolve(extents[axis]);
    if (is_symbol(e)) return -1;
    n *= e;
  }
  return n;
}

constexpr void add_known(std::int64_t& total, std::int64_t n) { total = n < 0 || total < 0 ? -1 : total + n; }

}  // namespace detail

/// Summarises a plan. Counting devices and the CPU count the same (see CountingScope).
constexpr plan_summary summarize(const plan_view& v) {
  plan_summary r;
  r.distinct_loops = v.kernel_count;
  r.temporaries = v.temporaries;
  for (int s = 0; s < v.step_count; ++s) {
    const plan_step& step = v.steps[s];
    const auto bytes_of = [&](int value) {
      const shape& t = v.shape_of(value);
      const std::int64_t n = detail::static_product(v, t.extent, t.rank);
      return n < 0 ? n : n * static_cast<std::int64_t>(size_of(v.instructions[value].type));
    };
    if (step.kind == plan_step::view) continue;
    if (!step.with_previous) ++r.kernels;
    if (step.kind == plan_step::loop) {
      const kernel_header header = unpack_header(v.words[v.kernel_begin[step.kernel]]);
      r.passes += header.passes;
      r.row_buffers += header.keeps;
      const std::int64_t points = detail::static_product(v, v.axes + step.axis_begin, step.outer_rank + step.row_rank);
      detail::add_known(r.flops, points < 0 ? points : points * step.flops);
      for (int k = 0; k < step.slot_count; ++k) {
        const plan_slot& slot = v.slots[step.slot_begin + k];
        if (slot.kind == plan_slot::generator) continue;
        std::int64_t n = static_cast<std::int64_t>(size_of(v.instructions[slot.value].type));
        for (int a = 0; a < step.outer_rank + step.row_rank; ++a)
          if (slot.axes.axis[a] >= 0 && n >= 0) {
            const std::int64_t e = detail::static_product(v, v.axes + step.axis_begin + a, 1);
            n = e < 0 ? -1 : n * e;
          }
        detail::add_known(r.bytes, n);
      }
      continue;
    }
    ++r.passes;
    detail::add_known(r.bytes, bytes_of(step.value));
    for (int k = 0; k < 3; ++k)
      if (v.instructions[step.value].operand[k] >= 0) detail::add_known(r.bytes, bytes_of(v.instructions[step.value].operand[k]));
    if (step.kind != plan_step::contract) continue;
    ++r.contractions;
    const instruction& x = v.instructions[step.value];
    const shape& a = v.shape_of(x.operand[0]);
    const shape& c = v.shape_of(step.value);
    const std::int64_t product = detail::static_product(v, c.extent, c.rank);
    const std::int64_t inner = detail::static_product(v, a.extent + (x.flags & 1 ? a.rank - 2 : a.rank - 1), 1);
    detail::add_known(r.flops, product < 0 || inner < 0 ? -1 : 2 * product * inner);
  }
  return r;
}

}  // namespace fluxion::graph
