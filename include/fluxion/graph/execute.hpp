/// The executor: walks a plan's steps, turning axis maps into strides, and calls the device's kernels. The same code runs compiled and
/// interpreted kernels and, with no kernels at all, only counts.
#pragma once
#include "execute/loop_runner.hpp"

#include <cstring>

namespace fluxion::graph {

namespace detail {
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

/// Rows of a product that are computed at a time when an epilogue follows: they stay in the second-level cache.
constexpr index_t rows_of_tile(index_t columns, std::size_t size) {
  constexpr index_t tile_bytes = index_t{1} << 22;  // smaller tiles make the product pack its right operand too often
  const index_t rows = columns > 0 ? tile_bytes / (columns * static_cast<index_t>(size)) : 0;
  return rows < 64 ? 64 : rows;
}

template <bool Loops, bool Contractions, bool Embeds, bool Views, bool Accumulators, bool Temporaries>
class executor : protected loop_runner<Accumulators> {
 protected:
  using base = loop_runner<Accumulators>;
  using typename base::prepared_loop;
  using base::bytes_of, base::count_, base::device_, base::dry, base::extent, base::finish_loop, base::finish_outputs, base::new_descriptor;
  using base::outputs_, base::prepare, base::rank_of, base::run_loop, base::run_range, base::scope_, base::scratch, base::size_of_value;
  using base::arguments_, base::symbols_, base::v_, base::values_;

 public:
  using base::base;

  void run() {
    values_ = scope_.template take<const descriptor*>(static_cast<std::size_t>(v_.instruction_count));
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

 protected:
  /// All memory is there before the first kernel: what fails, fails with nothing written.
  void place_values() {
    std::byte** temporary = nullptr;
    if constexpr (Temporaries) {
      auto* sizes = scope_.template take<std::size_t>(static_cast<std::size_t>(v_.temporaries));
      temporary = scope_.template take<std::byte*>(static_cast<std::size_t>(v_.temporaries));
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

  void run_embed(int value) {
    const instruction& x = v_.instructions[value];
    if (count_) {
      ++count_->kernels;
      ++count_->passes;
      count_->bytes += static_cast<std::int64_t>(bytes_of(value));
      for (const int o : x.operand)
        if (o >= 0) count_->bytes += static_cast<std::int64_t>(bytes_of(o));
    }
    if (dry()) return;
    if (x.operation == opcode_of<operation::embed>) {
      const slice_spec& s = v_.slices[x.attribute];
      if (bytes_of(value) == 0) return;
      std::memset(values_[value]->data, 0, bytes_of(value));
      write_window(value, *values_[x.operand[0]], s.axis, s.start, s.step);
      return;
    }
    index_t start = 0;
    for (const int o : x.operand) {
      if (o < 0) continue;
      write_window(value, *values_[o], x.attribute, start, 1);
      start += values_[o]->extent[x.attribute];
    }
  }
  /// Copies `from` to where a slice of a value lies.
  void write_window(int value, const descriptor& from, int axis, index_t start, index_t step) {
    const int rank = rank_of(value);
    const std::size_t size = size_of_value(value);
    descriptor window = *values_[value];
    for (int k = 0; k < rank; ++k) window.extent[k] = from.extent[k];
    if (element_count(window, rank) == 0) return;
    window.data += start * window.stride[axis] * static_cast<index_t>(size);
    window.stride[axis] *= step;
    copy_strided(window.data, window.stride, from.data, from.stride, window.extent, rank, size);
  }
  // ---- contractions ----------------------------------------------------------------------------------------------------
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
    const index_t tile = rows_of_tile(call.columns, size_of(x.type));
    const bool tiled = epilogue->tiled && rank == 2 && epilogue->outer_rank == 1 && epilogue->row_rank == 1 && call.rows > tile;
    if (dry() || !tiled) {
      if (!dry()) multiply(call, a, b, da, db, c, rank, batch);
      run_loop(*epilogue);  // prepared only now: what it packs must have been computed
      return;
    }
    ArenaScope scope;
    const prepared_loop l = prepare(*epilogue);
    if constexpr (Accumulators) base::start_accumulators(*epilogue, l);
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
