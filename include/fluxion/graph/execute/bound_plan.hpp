/// A plan with its run-time values: descriptors of arguments and outputs, values of symbols, memory for what lies between.
#pragma once
#include "../../core/arena.hpp"
#include "../bind.hpp"
#include "../strided.hpp"

namespace fluxion::graph::detail {

class bound_plan {
 public:
  bound_plan(const plan_view& v, const device_functions& device, const descriptor* arguments, const scalar_value* scalars,
             const descriptor* outputs, const index_t* symbols, counters* count)
      : v_(v), device_(device), arguments_(arguments), scalars_(scalars), outputs_(outputs), symbols_(symbols), count_(count) {}

 protected:
  bool dry() const { return device_.loops == nullptr; }
  int rank_of(int value) const { return v_.shape_of(value).rank; }
  std::size_t size_of_value(int value) const { return size_of(v_.instructions[value].type); }
  /// Planned programs hold every extent's representative already.
  index_t extent(extent_t e) const { return own_value(e, symbols_); }

  FLUXION_NO_INLINE std::byte* scratch(std::size_t bytes) {
    if (count_) count_->temporary_bytes += static_cast<std::int64_t>(bytes);
    return dry() ? nullptr : scope_.take<std::byte>(bytes);
  }

  // Small functions that are called from several places are kept out of line: every program compiles this class.
  FLUXION_NO_INLINE descriptor* new_descriptor(int value, std::byte* data) {
    descriptor* d = new (scope_.take<descriptor>(1)) descriptor;
    const shape& s = v_.shape_of(value);
    d->data = data;
    for (int axis = 0; axis < s.rank; ++axis) d->extent[axis] = extent(s.extent[axis]);
    contiguous_strides(*d, s.rank);
    values_[value] = d;
    return d;
  }

  FLUXION_NO_INLINE std::size_t bytes_of(int value) const {
    const shape& s = v_.shape_of(value);
    auto n = static_cast<index_t>(size_of_value(value));
    for (int axis = 0; axis < s.rank; ++axis) n *= extent(s.extent[axis]);
    return static_cast<std::size_t>(n);
  }

  void finish_outputs() {
    if (dry()) return;
    for (int k = 0; k < v_.output_count; ++k) {
      const int value = v_.outputs[k], rank = rank_of(value);
      if (!is_contiguous(outputs_[k], rank)) write_back(k, value, rank);
    }
  }

  /// Copies a result that was computed contiguously to where it is wanted.
  FLUXION_COLD void write_back(int k, int value, int rank) const {
    int root = value;
    while (v_.instructions[root].operation == opcode_of<operation::reshape>) root = v_.instructions[root].operand[0];
    descriptor from = outputs_[k];
    from.data = values_[root]->data;
    contiguous_strides(from, rank);
    copy_strided(outputs_[k].data, outputs_[k].stride, from.data, from.stride, from.extent, rank, size_of_value(value));
  }

  const plan_view& v_;
  const device_functions& device_;
  const descriptor* arguments_;
  const scalar_value* scalars_;
  const descriptor* outputs_;
  const index_t* symbols_;
  counters* count_;
  ArenaScope scope_;
  const descriptor** values_ = nullptr;
};

}  // namespace fluxion::graph::detail
