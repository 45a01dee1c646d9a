/// Loop kernels' calls: axis maps become strides, axes that every slot crosses evenly become one, and slots whose memory does not suit the
/// kernel are packed.
#pragma once
#include "bound_plan.hpp"

namespace fluxion::graph::detail {

/// Bytes of one row buffer, of whole packets and cache lines.
constexpr std::size_t keep_stride(const kernel_header& header, std::size_t length, std::size_t lanes) {
  return ((header.rows_as_lanes ? length * lanes : (length + lanes - 1) / lanes * lanes) * 8 + 63) / 64 * 64;
}

class loop_preparer : public bound_plan {
 public:
  using bound_plan::bound_plan;

 protected:
  struct prepared_loop {
    loop_call call;
    loop_operand* operands = nullptr;
    int slots = 0;
    bool empty = false;
    loop_function function = nullptr;
  };

  /// Row axes become one with one stride in every slot; a slot whose memory does not allow that is packed.
  struct packed_output {
    const plan_slot* slot;
    std::byte* data;
    index_t stride[max_rank];  // along the kernel's axes
    index_t own[max_rank];
  };

  prepared_loop prepare(const plan_step& step) {
    prepared_loop l;
    const int rank = step.outer_rank + step.row_rank;
    index_t axes[max_rank];
    index_t outer_size = 1, row_size = 1;
    for (int a = 0; a < rank; ++a) {
      axes[a] = extent(v_.axes[step.axis_begin + a]);
      (a < step.outer_rank ? outer_size : row_size) *= axes[a];
    }
    const std::uint64_t* words = v_.words + v_.kernel_begin[step.kernel];
    const kernel_header header = unpack_header(words[0]);
    l.slots = step.slot_count;
    l.operands = scope_.take<loop_operand>(static_cast<std::size_t>(l.slots ? l.slots : 1));
    l.function = dry() ? nullptr : device_.loops[step.kernel];
    l.empty = outer_size == 0;

    auto* strides = scope_.take<index_t>(static_cast<std::size_t>((l.slots ? l.slots : 1) * max_rank));
    for (int k = 0; k < l.slots; ++k) {
      const plan_slot& slot = v_.slots[step.slot_begin + k];
      index_t* stride = strides + k * max_rank;
      loop_operand& o = *new (&l.operands[k]) loop_operand;
      slot_strides(slot, rank, axes, stride, o);
      if (count_) count_slot(slot, rank, axes);
      if (slot.access != plan_slot::one_element && !collapses(step, axes, stride, slot.access == plan_slot::adjacent && row_size > 1)) {
        if (slot.kind == plan_slot::input) pack_input(slot, step, axes, stride, o);
        else if (slot.kind != plan_slot::generator) divert_output(slot, step, axes, stride, o);
      }
      o.row_stride = 0;
      for (int a = rank - 1; a >= step.outer_rank; --a)
        if (axes[a] != 1) {
          o.row_stride = stride[a];
          break;
        }
    }
    // Outer axes: those of extent one go, neighbours that every slot crosses evenly become one.
    int kept[max_rank];
    index_t extents[max_rank];
    int outer = 0;
    for (int a = 0; a < step.outer_rank; ++a) {
      if (axes[a] == 1) continue;
      bool merges = outer > 0;
      for (int k = 0; k < l.slots && merges; ++k)
        merges = strides[k * max_rank + kept[outer - 1]] == strides[k * max_rank + a] * axes[a];
      if (merges) {
        kept[outer - 1] = a;
        extents[outer - 1] *= axes[a];
      } else {
        kept[outer] = a;
        extents[outer++] = axes[a];
      }
    }
    l.call.outer_rank = outer;
    for (int a = 0; a < outer; ++a) {
      l.call.outer[a] = extents[a];
      for (int k = 0; k < l.slots; ++k) l.operands[k].outer_stride[a] = strides[k * max_rank + kept[a]];
    }
    l.call.code = words;
    l.call.slots = l.operands;
    l.call.row = row_size;
    auto* scalars = scope_.take<scalar_value>(static_cast<std::size_t>(step.scalar_count ? step.scalar_count : 1));
    for (int k = 0; k < step.scalar_count; ++k) scalars[k] = scalar(v_.scalars[step.scalar_begin + k]);
    l.call.scalars = scalars;
    if (header.keeps > 0) {
      l.call.keep_stride = keep_stride(header, static_cast<std::size_t>(row_size), static_cast<std::size_t>(device_.lanes));
      l.call.keep = scratch(l.call.keep_stride * header.keeps);
    }
    if (count_) {
      count_->passes += header.passes;
      count_->flops += static_cast<std::int64_t>(step.flops) * outer_size * row_size;
    }
    return l;
  }

  scalar_value scalar(int value) const {
    const instruction& x = v_.instructions[value];
    return x.operation == opcode_of<operation::scalar> ? scalars_[x.attribute] : element_count_of(v_.shapes[x.attribute]);
  }
  FLUXION_COLD scalar_value element_count_of(const shape& s) const {
    double product = 1;
    for (int axis = 0; axis < s.rank; ++axis) product *= static_cast<double>(extent_value(v_, s.extent[axis], symbols_));
    return scalar_value(product);
  }

  void slot_strides(const plan_slot& slot, int rank, const index_t* axes, index_t* stride, loop_operand& o) const {
    if (slot.kind == plan_slot::generator) {
      const shape& s = v_.shape_of(slot.value);
      index_t own[max_rank], next = 1;
      for (int axis = s.rank - 1; axis >= 0; --axis) {
        own[axis] = next;
        next *= extent(s.extent[axis]);
      }
      const bool position = v_.instructions[slot.value].operation == opcode_of<operation::iota>;
      for (int a = 0; a < rank; ++a) stride[a] = slot.axes.axis[a] < 0 ? 0 : position ? 1 : own[slot.axes.axis[a]];
      return;
    }
    const descriptor& d = *values_[slot.value];
    o.data = d.data;
    for (int a = 0; a < rank; ++a) {
      const int axis = slot.axes.axis[a];
      stride[a] = axis < 0 || (d.extent[axis] == 1 && axes[a] != 1) ? 0 : d.stride[axis];
    }
  }

  static bool collapses(const plan_step& step, const index_t* axes, const index_t* stride, bool adjacent) {
    index_t length = 1, unit = 0;
    for (int a = step.outer_rank + step.row_rank - 1; a >= step.outer_rank; --a) {
      if (axes[a] == 1) continue;
      if (length == 1) {
        unit = stride[a];
        if (adjacent && unit != 1) return false;
      } else if (stride[a] != unit * length) return false;
      length *= axes[a];
    }
    return true;
  }

  /// Gives a slot contiguous memory over the axes along which it varies, rows innermost.
  FLUXION_COLD std::byte* dense_layout(const plan_slot& slot, const plan_step& step, const index_t* axes, index_t* stride) {
    const int rank = step.outer_rank + step.row_rank;
    bool row_varies = slot.access == plan_slot::adjacent;  // the kernel will read one element after the other
    for (int a = step.outer_rank; a < rank; ++a) row_varies = row_varies || (stride[a] != 0 && axes[a] != 1);
    index_t next = 1;
    for (int a = rank - 1; a >= 0; --a) {
      const bool varies = a >= step.outer_rank ? row_varies : stride[a] != 0;
      stride[a] = varies ? next : 0;
      if (varies) next *= axes[a];
    }
    return scratch(static_cast<std::size_t>(next) * size_of_value(slot.value));
  }

  FLUXION_COLD void pack_input(const plan_slot& slot, const plan_step& step, const index_t* axes, index_t* stride, loop_operand& o) {
    const int rank = step.outer_rank + step.row_rank;
    index_t from[max_rank], extents[max_rank];
    for (int a = 0; a < rank; ++a) from[a] = stride[a];
    const std::byte* source = o.data;
    o.data = dense_layout(slot, step, axes, stride);
    for (int a = 0; a < rank; ++a) extents[a] = stride[a] == 0 ? (axes[a] == 0 ? 0 : 1) : axes[a];
    if (count_) ++count_->copies;
    if (!dry()) copy_strided(o.data, stride, source, from, extents, rank, size_of_value(slot.value));
  }

  FLUXION_COLD void divert_output(const plan_slot& slot, const plan_step& step, const index_t* axes, index_t* stride, loop_operand& o) {
    const int rank = step.outer_rank + step.row_rank;
    packed_output& p = *new (scope_.take<packed_output>(1)) packed_output{&slot, o.data, {}, {}};
    for (int a = 0; a < rank; ++a) p.own[a] = stride[a];
    o.data = dense_layout(slot, step, axes, stride);
    for (int a = 0; a < rank; ++a) p.stride[a] = stride[a];
    if (count_) ++count_->copies;
    if (diverted_count_ < max_diverted) diverted_[diverted_count_++] = {&p, o.data};
    else raise<Error>("a kernel writes more permuted outputs than the executor can divert");
  }

  FLUXION_COLD void count_slot(const plan_slot& slot, int rank, const index_t* axes) {
    if (slot.kind == plan_slot::generator) return;
    auto n = static_cast<std::int64_t>(size_of_value(slot.value));
    for (int a = 0; a < rank; ++a)
      if (slot.axes.axis[a] >= 0) n *= axes[a];
    count_->bytes += n;
  }

  /// Brings what was computed in another layout to its place.
  void write_diverted(const plan_step& step) {
    const int rank = step.outer_rank + step.row_rank;
    for (int d = 0; d < diverted_count_; ++d) {
      const packed_output& p = *diverted_[d].output;
      index_t extents[max_rank];
      for (int a = 0; a < rank; ++a) extents[a] = p.own[a] == 0 ? 1 : extent(v_.axes[step.axis_begin + a]);
      copy_strided(p.data, p.own, diverted_[d].data, p.stride, extents, rank, size_of_value(p.slot->value));
    }
    diverted_count_ = 0;
  }

  /// Runs positions [begin, end) of the first outer axis.
  static void run_range(const prepared_loop& l, index_t begin, index_t end, const plan_view& v, const plan_slot* slots, loop_operand* shifted) {
    for (int k = 0; k < l.slots; ++k) {
      shifted[k] = l.operands[k];
      const index_t offset = begin * l.operands[k].outer_stride[0];
      if (slots[k].kind == plan_slot::generator) shifted[k].offset += offset;
      else shifted[k].data += offset * static_cast<index_t>(size_of(v.instructions[slots[k].value].type));
    }
    loop_call call = l.call;
    call.slots = shifted;
    call.outer[0] = end - begin;
    l.function(call);
  }

  struct diversion {
    const packed_output* output;
    std::byte* data;
  };
  static constexpr int max_diverted = 16;
  diversion diverted_[max_diverted];
  int diverted_count_ = 0;
};

}  // namespace fluxion::graph::detail
