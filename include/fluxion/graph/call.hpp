/// What a device's functions are called with.
#pragma once
#include "plan_view.hpp"

#include <cstddef>

namespace fluxion::graph {

/// A value in memory at run time. Strides count elements.
struct descriptor {
  std::byte* data = nullptr;
  index_t extent[max_rank];  // as many as the value has axes; the rest is never read
  index_t stride[max_rank];
};

/// A run-time scalar in both of its readings.
struct scalar_value {
  double floating = 0;
  std::int64_t integer = 0;

  constexpr scalar_value() = default;
  constexpr scalar_value(bool v) : floating(v), integer(v) {}
  constexpr scalar_value(double v) : floating(v), integer(v >= -9.2e18 && v <= 9.2e18 ? static_cast<std::int64_t>(v) : 0) {}
  constexpr scalar_value(float v) : scalar_value(static_cast<double>(v)) {}
  constexpr scalar_value(std::int64_t v) : floating(static_cast<double>(v)), integer(v) {}
  constexpr scalar_value(std::int32_t v) : scalar_value(static_cast<std::int64_t>(v)) {}
};

/// A slot of a loop kernel: element (o, r) lies Σ o[k]·outer_stride[k] + r·row_stride elements behind data. A generator has no data; what
/// counts is that number plus `offset`.
struct loop_operand {
  std::byte* data = nullptr;
  index_t offset = 0;  // of a generator: where its numbers begin
  index_t row_stride = 0;
  index_t outer_stride[max_rank];  // one for each of the call's outer axes
};

/// One call of a loop kernel: for every position of the outer axes, the kernel's passes over a row.
struct loop_call {
  const std::uint64_t* code = nullptr;  // the kernel's words, for the interpreter
  const loop_operand* slots = nullptr;
  const scalar_value* scalars = nullptr;
  std::byte* keep = nullptr;  // row buffers, `keep_stride` bytes each, 64-byte aligned
  std::size_t keep_stride = 0;
  index_t row = 1;            // length of a row
  int outer_rank = 0;
  index_t outer[max_rank];
};

using loop_function = void (*)(const loop_call&);

/// C = op(A)·op(B) for one matrix; strides of the matrices as they are read (transposition is in the strides). One of each pair is 1.
struct contract_call {
  element_type type = element_type::float32;
  index_t rows = 0, columns = 0, inner = 0;
  const std::byte* a = nullptr;
  const std::byte* b = nullptr;
  std::byte* c = nullptr;
  index_t a_row = 0, a_column = 0, b_row = 0, b_column = 0, c_row = 0;  // C's columns are adjacent
};

using contract_function = void (*)(const contract_call&);

/// What was run, as counted by the executor. `plan_of` predicts the first five.
struct counters {
  std::int64_t kernels = 0;      // launches: a contraction with its epilogue is one
  std::int64_t passes = 0;       // sweeps over rows, and one for each contraction
  std::int64_t contractions = 0;
  std::int64_t bytes = 0;        // read from and written to memory by kernels, each value once a kernel
  std::int64_t flops = 0;
  std::int64_t copies = 0;       // operands brought into another layout first
  std::int64_t temporary_bytes = 0;
};

/// A device for the executor: the functions of its kernels, by number of the distinct kernel.
struct device_functions {
  const loop_function* loops = nullptr;  // null: count only
  contract_function contract = nullptr;
  int lanes = 1;                          // rows of the row buffers are padded to this many elements
};

}  // namespace fluxion::graph
