/// The executor: walks a plan's steps, turning axis maps into strides, and calls the device's kernels. The same code runs compiled and
/// interpreted kernels and, with no kernels at all, only counts.
#pragma once
#include "../core/arena.hpp"
#include "bind.hpp"
#include "strided.hpp"

#include <cstring>

namespace fluxion::graph {

namespace detail {

template <class T>
T reduction_identity(std::uint8_t operation) {
  if (operation == opcode_of<operation::amax>) return operation::amax::identity<T>();
  if (operation == opcode_of<operation::amin>) return operation::amin::identity<T>();
  return T(0);
}

/// What a plan makes the executor do; the rest of it is not even instantiated.
struct executor_features {
  bool loops = false, contractions = false, embeds = false, views = false, accumulators = false, temporaries = false;
};

constexpr executor_features features_of(const plan_view& v) {
  executor_features f;
  for (int s = 0; s < v.step_count; ++s) {
    f.loops = f.loops || v.steps[s].kind == plan_step::loop;
    f.contractions = f.contractions || v.steps[s].kind == plan_step::contract;
    f.embeds = f.embeds || v.steps[s].kind == plan_step::embed;
    f.views = f.views || v.steps[s].kind == plan_step::view;
    for (int k = 0; k < v.steps[s].slot_count; ++k)
      f.accumulators = f.accumulators || v.slots[v.steps[s].slot_begin + k].kind == plan_slot::accumulator;
  }
  f.temporaries = v.temporaries > 0;
  return f;
}

template <bool Loops, bool Contractions, bool Embeds, bool Views, bool Accumulators, bool Temporaries>
class executor {
 public:
  executor(const plan_view& v, const device_functions& device, const descriptor* arguments, const scalar_value* scalars, const descriptor* outputs,
           const index_t* symbols, counters* count)
      : v_(v), device_(device), arguments_(arguments), scalars_(scalars), outputs_(outputs), symbols_(symbols), count_(count) {}

  void run() {
    values_ = scope_.take<const descriptor*>(static_cast<std::size_t>(v_.instruction_count));
    place_values();
    for (int s = 0; s < v_.step_count; ++s) {
      const plan_step& step = v_.steps[s];
      switch (step.kind) {
        case plan_step::loop:
          if constexpr (Loops) run_loop(step);
          break;
        case plan_step::view:
          if constexpr (Views) derive_view(step.value);
          break;
        case plan_step::embed:
          if constexpr (Embeds) run_embed(step.value);
          break;
        case plan_step::contract:
          if constexpr (Contractions) {
            const bool epilogue = s + 1 < v_.step_count && v_.steps[s + 1].with_previous;
            if (epilogue) ++s;
            run_contract(step, epilogue ? &v_.steps[s] : nullptr);
          }
      }
    }
    finish_outputs();
  }

 private:
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

  /// All memory is there before the first kernel: what fails, fails with nothing written.
  void place_values() {
    std::byte** temporary = nullptr;
    if constexpr (Temporaries) {
      auto* sizes = scope_.take<std::size_t>(static_cast<std::size_t>(v_.temporaries));
      temporary = scope_.take<std::byte*>(static_cast<std::size_t>(v_.temporaries));
      for (int t = 0; t < v_.temporaries; ++t) sizes[t] = 0;
      for (int i = 0; i < v_.instruction_count; ++i) {
        if (v_.values[i].place != plan_value::temporary) continue;
        const std::size_t bytes = bytes_of(i);
        std::size_t& size = sizes[v_.values[i].index];
        size = bytes > size ? bytes : size;
      }
      for (int t = 0; t < v_.temporaries; ++t) temporary[t] = scratch(sizes[t]);
    }
    for (int i = 0; i < v_.instruction_count; ++i) {
      const plan_value& p = v_.values[i];
      if (p.place == plan_value::argument) values_[i] = &arguments_[p.index];
      else if (Temporaries && p.place == plan_value::temporary) new_descriptor(i, temporary[p.index]);
      else if (p.place == plan_value::output) {
        const descriptor& o = outputs_[p.index];
        const bool direct = is_contiguous(o, rank_of(v_.outputs[p.index]));
        new_descriptor(i, direct ? o.data : scratch(bytes_of(i)));
      }
    }
    for (int i = 0; Contractions && i < v_.instruction_count; ++i)
      if (v_.values[i].place == plan_value::alias && info_of(v_.instructions[i].operation).family == family::contract)
        new_descriptor(i, values_[v_.values[i].index]->data);
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

  // ---- views ---------------------------------------------------------------------------------------------------------
  void derive_view(int value) {
    const instruction& x = v_.instructions[value];
    const descriptor& from = *values_[x.operand[0]];
    const int rank = rank_of(value), from_rank = rank_of(x.operand[0]);
    descriptor* d = new_descriptor(value, from.data);
    if (x.operation == opcode_of<operation::permute>) {
      for (int axis = 0; axis < rank; ++axis) {
        const int source = x.attribute >> 4 * axis & 15;
        d->extent[axis] = from.extent[source];
        d->stride[axis] = from.stride[source];
      }
    } else if (x.operation == opcode_of<operation::slice>) {
      const slice_spec& s = v_.slices[x.attribute];
      for (int axis = 0; axis < rank; ++axis) d->stride[axis] = from.stride[axis];
      if (element_count(*d, rank) > 0 && d->data)
        d->data += s.start * from.stride[s.axis] * static_cast<index_t>(size_of_value(value));
      d->stride[s.axis] *= s.step;
    } else if (!reshape_strides(from, from_rank, *d, rank)) {
      // No strides look at these elements in that order: they are copied.
      std::byte* copy = scratch(bytes_of(value));
      if (count_) ++count_->copies;
      descriptor flat = from;
      contiguous_strides(flat, from_rank);
      if (!dry()) copy_strided(copy, flat.stride, from.data, from.stride, from.extent, from_rank, size_of_value(value));
      d->data = copy;
    }
  }

  /// Strides of a reshape without copying, if there are any. `d` comes with contiguous ones.
  static bool reshape_strides(const descriptor& from, int from_rank, descriptor& d, int rank) {
    if (is_contiguous(from, from_rank)) return true;
    if (element_count(d, rank) == 0) return true;
    descriptor r = d;
    int a = 0, b = 0;
    while (true) {
      while (a < from_rank && from.extent[a] == 1) ++a;
      while (b < rank && d.extent[b] == 1) r.stride[b++] = 1;
      if (a == from_rank || b == rank) break;
      if (from.extent[a] == d.extent[b]) {
        r.stride[b++] = from.stride[a++];
        continue;
      }
      // A group of axes on either side with the same product.
      int a_end = a + 1, b_end = b + 1;
      index_t x = from.extent[a], y = d.extent[b];
      while (x != y) {
        if (x < y) {
          if (a_end == from_rank) return false;
          x *= from.extent[a_end++];
        } else {
          if (b_end == rank) return false;
          y *= d.extent[b_end++];
        }
      }
      for (int k = a; k + 1 < a_end; ++k)
        if (from.stride[k] != from.stride[k + 1] * from.extent[k + 1]) return false;
      index_t stride = from.stride[a_end - 1];
      for (int k = b_end - 1; k >= b; --k) {
        r.stride[k] = stride;
        stride *= d.extent[k];
      }
      a = a_end;
      b = b_end;
    }
    d = r;
    return true;
  }

  void run_embed(int value) {
    const instruction& x = v_.instructions[value];
    const descriptor& from = *values_[x.operand[0]];
    const descriptor& to = *values_[value];
    const slice_spec& s = v_.slices[x.attribute];
    const int rank = rank_of(value);
    const std::size_t size = size_of_value(value);
    if (count_) {
      ++count_->kernels;
      ++count_->passes;
      count_->bytes += static_cast<std::int64_t>(bytes_of(value) + bytes_of(x.operand[0]));
    }
    if (dry()) return;
    std::memset(to.data, 0, bytes_of(value));
    descriptor window = to;
    for (int axis = 0; axis < rank; ++axis) window.extent[axis] = from.extent[axis];
    if (element_count(window, rank) == 0) return;
    window.data += s.start * to.stride[s.axis] * static_cast<index_t>(size);
    window.stride[s.axis] *= s.step;
    copy_strided(window.data, window.stride, from.data, from.stride, window.extent, rank, size);
  }

  // ---- loops ---------------------------------------------------------------------------------------------------------
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
      const auto lanes = static_cast<std::size_t>(device_.lanes);
      const auto length = static_cast<std::size_t>(row_size);
      l.call.keep_stride = ((header.rows_as_lanes ? length * lanes : (length + lanes - 1) / lanes * lanes) * 8 + 63) / 64 * 64;
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

  void start_accumulators(const plan_step& step, const prepared_loop& l) {
    for (int k = 0; k < l.slots; ++k) {
      const plan_slot& slot = v_.slots[step.slot_begin + k];
      if (slot.kind == plan_slot::accumulator) fill_identity(slot, l.operands[k].data);
    }
  }
  void fill_identity(const plan_slot& slot, std::byte* data) const {
    const index_t n = static_cast<index_t>(bytes_of(slot.value) / size_of_value(slot.value));
    dispatch(v_.instructions[slot.value].type, [&](auto zero) {
      using T = decltype(zero);
      const T identity = reduction_identity<T>(slot.reduction);
      T* p = reinterpret_cast<T*>(data);
      for (index_t i = 0; i < n; ++i) p[i] = identity;
    });
  }

  void finish_loop(const plan_step& step, const prepared_loop& l) {
    const int rank = step.outer_rank + step.row_rank;
    for (int k = 0; Accumulators && k < l.slots; ++k) {
      const plan_slot& slot = v_.slots[step.slot_begin + k];
      if (slot.kind != plan_slot::accumulator || !info_of(slot.reduction).divides_by_count) continue;
      const instruction& x = v_.instructions[slot.value];
      index_t reduced = 1;
      const shape& s = v_.shape_of(x.operand[0]);
      for (int axis = 0; axis < s.rank; ++axis)
        if (x.attribute >> axis & 1) reduced *= extent(s.extent[axis]);
      const index_t n = static_cast<index_t>(bytes_of(slot.value) / size_of_value(slot.value));
      dispatch(x.type, [&](auto zero) {
        using T = decltype(zero);
        if constexpr (std::is_floating_point_v<T>) {
          T* p = reinterpret_cast<T*>(l.operands[k].data);
          for (index_t i = 0; i < n; ++i) p[i] /= static_cast<T>(reduced);
        }
      });
    }
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

  /// Long sums across rows are kept per chunk of rows and added up in order, which bounds their rounding error.
  static constexpr index_t rows_per_chunk = 64;

  bool wants_chunks(const plan_step& step, const prepared_loop& l) const {
    if (l.call.outer_rank == 0 || l.call.outer[0] < 2 * rows_per_chunk) return false;
    bool any = false;
    for (int k = 0; k < l.slots; ++k) {
      const plan_slot& slot = v_.slots[step.slot_begin + k];
      if (slot.kind != plan_slot::accumulator) continue;
      if (l.operands[k].outer_stride[0] != 0 || !is_floating(v_.instructions[slot.value].type)) return false;
      any = true;
    }
    return any;
  }

  /// Adds to sums; what rounding takes from them is collected.
  template <int N, class T>
  static void add_part(T* sum, T* rest, const T* part) {
    T total[N], lost[N];
    for (int i = 0; i < N; ++i) total[i] = sum[i] + part[i];
    for (int i = 0; i < N; ++i) {
      const T added = total[i] - sum[i];
      lost[i] = rest[i] + ((sum[i] - (total[i] - added)) + (part[i] - added));
    }
    for (int i = 0; i < N; ++i) sum[i] = total[i];
    for (int i = 0; i < N; ++i) rest[i] = lost[i];
  }

  /// Calls f(zero, k, elements) for every accumulator, all of which are floating point here.
  template <class F>
  void each_accumulator(const plan_slot* slots, const prepared_loop& l, const F& f) const {
    for (int k = 0; k < l.slots; ++k) {
      if (slots[k].kind != plan_slot::accumulator) continue;
      const auto n = static_cast<index_t>(bytes_of(slots[k].value) / size_of_value(slots[k].value));
      if (v_.instructions[slots[k].value].type == element_type::float32) f(float{}, k, n);
      else f(double{}, k, n);
    }
  }

  void run_chunks(const plan_step& step, const prepared_loop& l, loop_operand* shifted) {
    ArenaScope scope;
    const plan_slot* slots = v_.slots + step.slot_begin;
    auto** total = scope.take<std::byte*>(static_cast<std::size_t>(l.slots));
    auto** lost = scope.take<std::byte*>(static_cast<std::size_t>(l.slots));
    for (int k = 0; k < l.slots; ++k) {
      total[k] = l.operands[k].data;
      if (slots[k].kind != plan_slot::accumulator) continue;
      const std::size_t bytes = bytes_of(slots[k].value);
      l.operands[k].data = scope.take<std::byte>(bytes);
      lost[k] = scope.take<std::byte>(bytes);
      std::memset(lost[k], 0, bytes);
    }
    for (index_t begin = 0; begin < l.call.outer[0]; begin += rows_per_chunk) {
      const index_t end = begin + rows_per_chunk < l.call.outer[0] ? begin + rows_per_chunk : l.call.outer[0];
      start_accumulators(step, l);
      run_range(l, begin, end, v_, slots, shifted);
      each_accumulator(slots, l, [&](auto zero, int k, index_t n) {
        using T = decltype(zero);
        T* sum = reinterpret_cast<T*>(total[k]);
        T* rest = reinterpret_cast<T*>(lost[k]);
        const T* part = reinterpret_cast<const T*>(l.operands[k].data);
        if (slots[k].reduction == opcode_of<operation::amax>)
          for (index_t i = 0; i < n; ++i) sum[i] = operation::amax::combine(sum[i], part[i]);
        else if (slots[k].reduction == opcode_of<operation::amin>)
          for (index_t i = 0; i < n; ++i) sum[i] = operation::amin::combine(sum[i], part[i]);
        else {
          index_t i = 0;
          for (; i + 8 <= n; i += 8) add_part<8>(sum + i, rest + i, part + i);  // of a known length, which compilers turn into packets
          for (; i < n; ++i) add_part<1>(sum + i, rest + i, part + i);
        }
      });
    }
    each_accumulator(slots, l, [&](auto zero, int k, index_t n) {
      using T = decltype(zero);
      T* sum = reinterpret_cast<T*>(total[k]);
      const T* rest = reinterpret_cast<const T*>(lost[k]);
      for (index_t i = 0; i < n; ++i) sum[i] += rest[i] - rest[i] == 0 ? rest[i] : T(0);  // of an infinite sum nothing sensible was lost
    });
    for (int k = 0; k < l.slots; ++k) l.operands[k].data = total[k];
  }

  void run_loop(const plan_step& step) {
    ArenaScope scope;
    if (count_ && !step.with_previous) ++count_->kernels;
    const prepared_loop l = prepare(step);
    if (dry()) {
      diverted_count_ = 0;
      return;
    }
    if constexpr (Accumulators) start_accumulators(step, l);
    if (!l.empty) {
      bool done = false;
      if constexpr (Accumulators) {
        done = wants_chunks(step, l);
        if (done) run_chunks(step, l, scope.take<loop_operand>(static_cast<std::size_t>(l.slots)));
      }
      if (!done) l.function(l.call);
    }
    finish_loop(step, l);
  }

  // ---- contractions ----------------------------------------------------------------------------------------------------
  /// Bytes of a product that are computed at a time when an epilogue follows: they stay in the second-level cache.
  static constexpr index_t tile_bytes = index_t{1} << 22;  // smaller tiles make the product pack its right operand too often

  struct matrix {
    const std::byte* data;
    index_t row, column;
  };

  matrix operand_matrix(int value, bool transposed, int rank) {
    const descriptor* d = values_[value];
    index_t row = d->stride[rank - 2], column = d->stride[rank - 1];
    // One of the two strides must be one; an axis of extent one has any.
    if (row != 1 && column != 1 && d->extent[rank - 1] != 1 && d->extent[rank - 2] != 1 && element_count(*d, rank) > 0) {
      std::byte* copy = scratch(bytes_of(value));
      if (count_) ++count_->copies;
      const descriptor from = *d;
      descriptor* dense = new_descriptor(value, copy);
      if (!dry()) copy_strided(copy, dense->stride, from.data, from.stride, from.extent, rank, size_of_value(value));
      d = dense;
      row = d->stride[rank - 2];
      column = 1;
    } else {
      if (d->extent[rank - 1] == 1 && row != 1) column = 1;
      if (d->extent[rank - 2] == 1 && column != 1) row = 1;
      if (d->extent[rank - 1] == 1 && d->extent[rank - 2] == 1) row = column = 1;
      // Both strides one: the longer axis keeps its own.
      if (row == 1 && column == 1 && d->extent[rank - 2] != 1 && d->extent[rank - 1] != 1) row = d->extent[rank - 1];
    }
    return transposed ? matrix{d->data, column, row} : matrix{d->data, row, column};
  }

  void run_contract(const plan_step& step, const plan_step* epilogue) {
    const instruction x = v_.instructions[step.value];
    const int rank = rank_of(step.value);
    const descriptor& c = *values_[step.value];
    const matrix a = operand_matrix(x.operand[0], x.flags & 1, rank), b = operand_matrix(x.operand[1], x.flags & 2, rank);
    const descriptor& da = *values_[x.operand[0]];
    const descriptor& db = *values_[x.operand[1]];
    contract_call call;
    call.type = x.type;
    call.rows = c.extent[rank - 2];
    call.columns = c.extent[rank - 1];
    call.inner = da.extent[x.flags & 1 ? rank - 2 : rank - 1];
    call.a_row = a.row;
    call.a_column = a.column;
    call.b_row = b.row;
    call.b_column = b.column;
    call.c_row = call.columns;
    index_t batch = 1;
    for (int axis = 0; axis < rank - 2; ++axis) batch *= c.extent[axis];
    if (count_) {
      ++count_->kernels;
      ++count_->contractions;
      ++count_->passes;
      count_->bytes += static_cast<std::int64_t>(bytes_of(x.operand[0]) + bytes_of(x.operand[1]) + bytes_of(step.value));
      count_->flops += 2 * batch * call.rows * call.columns * call.inner;
    }
    if (epilogue == nullptr) {
      if (!dry()) multiply(call, a, b, da, db, c, rank, batch);
      return;
    }
    const auto size = static_cast<index_t>(size_of(x.type));
    index_t tile = call.columns > 0 ? tile_bytes / (call.columns * size) : 0;
    if (tile < 64) tile = 64;
    const bool tiled = epilogue->tiled && rank == 2 && epilogue->outer_rank == 1 && epilogue->row_rank == 1 && call.rows > tile;
    if (dry() || !tiled) {
      if (!dry()) multiply(call, a, b, da, db, c, rank, batch);
      run_loop(*epilogue);  // prepared only now: what it packs must have been computed
      return;
    }
    ArenaScope scope;
    const prepared_loop l = prepare(*epilogue);
    if constexpr (Accumulators) start_accumulators(*epilogue, l);
    auto* shifted = scope.take<loop_operand>(static_cast<std::size_t>(l.slots));
    for (index_t begin = 0; begin < call.rows; begin += tile) {
      const index_t end = begin + tile < call.rows ? begin + tile : call.rows;
      contract_call part = call;
      part.rows = end - begin;
      part.a = a.data + begin * a.row * size;
      part.b = b.data;
      part.c = c.data + begin * call.c_row * size;
      device_.contract(part);
      run_range(l, begin, end, v_, v_.slots + epilogue->slot_begin, shifted);
    }
    finish_loop(*epilogue, l);
  }

  void multiply(contract_call call, const matrix& a, const matrix& b, const descriptor& da, const descriptor& db, const descriptor& c, int rank,
                index_t batch) const {
    const auto size = static_cast<index_t>(size_of(call.type));
    for (index_t n = 0; n < batch; ++n) {
      index_t rest = n, a_offset = 0, b_offset = 0, c_offset = 0;
      for (int axis = rank - 3; axis >= 0; --axis) {
        const index_t at = rest % c.extent[axis];
        rest /= c.extent[axis];
        if (da.extent[axis] != 1) a_offset += at * da.stride[axis];
        if (db.extent[axis] != 1) b_offset += at * db.stride[axis];
        c_offset += at * c.stride[axis];
      }
      call.a = a.data + a_offset * size;
      call.b = b.data + b_offset * size;
      call.c = c.data + c_offset * size;
      if (call.rows > 0 && call.columns > 0) device_.contract(call);
    }
  }

  struct diversion {
    const packed_output* output;
    std::byte* data;
  };
  static constexpr int max_diverted = 16;

  const plan_view& v_;
  const device_functions& device_;
  const descriptor* arguments_;
  const scalar_value* scalars_;
  const descriptor* outputs_;
  const index_t* symbols_;
  counters* count_;
  ArenaScope scope_;
  const descriptor** values_ = nullptr;
  diversion diverted_[max_diverted];
  int diverted_count_ = 0;
};

}  // namespace detail

/// Runs a bound plan. `outputs` are descriptors of the destinations, which no argument overlaps unless the plan allows it. All checks and
/// allocations come before the first kernel. With `device.loops == nullptr` nothing is computed or allocated, only counted. A template, so that
/// only programs that need the whole executor compile it.
template <class = void>
void execute(const plan_view& v, const device_functions& device, const descriptor* arguments, const scalar_value* scalars,
                    const descriptor* outputs, const index_t* symbols, counters* count = nullptr) {
  detail::executor<true, true, true, true, true, true>(v, device, arguments, scalars, outputs, symbols, count).run();
}

/// The same for a constant plan, whose view is `Plan::view`: only what the plan needs is instantiated.
template <class Plan>
void execute_constant(const device_functions& device, const descriptor* arguments, const scalar_value* scalars, const descriptor* outputs,
                      const index_t* symbols, counters* count = nullptr) {
  constexpr detail::executor_features f = detail::features_of(Plan::view);
  detail::executor<f.loops, f.contractions, f.embeds, f.views, f.accumulators, f.temporaries>(Plan::view, device, arguments, scalars, outputs,
                                                                                               symbols, count)
      .run();
}

}  // namespace fluxion::graph
