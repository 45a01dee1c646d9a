/// Short constant plans over contiguous arguments and results, run without the executor: where values lie and how kernels step through them are
/// expressions of the extents, written out by the compiler step by step. The executor's walk over the same tables costs some 50 ns a step, which
/// small calls feel. What is not covered (views that are not reshapes, embeddings, random numbers, broadcasts that only the run shows, long sums
/// across rows, batches and tiles of products) is the executor's.
#pragma once
#include "execute.hpp"

#include <utility>

namespace fluxion::graph {

namespace detail {

/// What the compiler finds out about a plan for `direct_plan`.
class direct_analysis {
 public:
  static constexpr int max_steps = 12, max_temporaries = 8;

  constexpr explicit direct_analysis(const plan_view& v) : v_(v) {}

  constexpr bool is_possible() const {
    if (v_.step_count == 0 || v_.step_count > max_steps || v_.temporaries > max_temporaries) return false;
    for (int k = 0; k < v_.output_count; ++k)
      if (!is_reachable(v_.outputs[k])) return false;
    for (int s = 0; s < v_.step_count; ++s)
      if (!is_possible(v_.steps[s])) return false;
    return true;
  }

  /// The value's own axis along axis a of a kernel; -1 where it does not vary.
  constexpr int own_axis(const plan_slot& slot, int a) const {
    const int axis = slot.axes.axis[a];
    return axis < 0 || v_.shape_of(slot.value).extent[axis] == 1 ? -1 : axis;
  }

  /// The outer axes of a kernel as its call sees them: neighbours that every slot crosses evenly are one, those of extent one are none.
  /// `last[n]` is the innermost kernel axis of the n-th, `group[a]` the number of each kernel axis or -1.
  struct outer_axes {
    int count = 0;
    int last[max_rank]{};
    int group[max_rank]{};
  };
  constexpr outer_axes outer_axes_of(const plan_step& step) const {
    outer_axes r;
    for (int a = 0; a < step.outer_rank; ++a) {
      r.group[a] = -1;
      if (v_.axes[step.axis_begin + a] == 1) continue;
      bool merges = r.count > 0;
      for (int k = 0; k < step.slot_count && merges; ++k) {
        const plan_slot& slot = v_.slots[step.slot_begin + k];
        merges = follows(slot, own_axis(slot, r.last[r.count - 1]), own_axis(slot, a));
      }
      if (!merges) ++r.count;
      r.last[r.count - 1] = a;
      r.group[a] = r.count - 1;
    }
    return r;
  }

  /// The innermost axis of a row that is longer than one, or -1.
  constexpr int last_row_axis(const plan_step& step) const {
    for (int a = step.outer_rank + step.row_rank - 1; a >= step.outer_rank; --a)
      if (v_.axes[step.axis_begin + a] != 1) return a;
    return -1;
  }

 private:
  /// Whether a value's memory is that of an argument, a result or a temporary, in the value's own order.
  constexpr bool is_reachable(int value) const {
    while (v_.values[value].place == plan_value::alias) {
      const instruction& x = v_.instructions[value];
      if (x.operation != opcode_of<operation::reshape> && info_of(x.operation).family != family::contract) return false;
      value = v_.values[value].index;
    }
    return v_.values[value].place != plan_value::nowhere;
  }
  /// Whether two neighbouring axes of a kernel run through a value's memory as one.
  constexpr bool follows(const plan_slot& slot, int outer, int inner) const {
    if (outer < 0 || inner < 0) return outer == inner;
    const shape& s = v_.shape_of(slot.value);
    for (++outer; outer < inner; ++outer)
      if (s.extent[outer] != 1) return false;
    return outer == inner;
  }

  constexpr bool is_possible(const plan_step& step) const {
    switch (step.kind) {
      case plan_step::view: return v_.instructions[step.value].operation == opcode_of<operation::reshape>;
      case plan_step::embed: return false;
      case plan_step::contract: {
        const instruction& x = v_.instructions[step.value];
        return v_.shape_of(step.value).rank == 2 && is_reachable(step.value) && is_reachable(x.operand[0]) && is_reachable(x.operand[1]);
      }
      default: break;
    }
    for (int k = 0; k < step.slot_count; ++k)
      if (!is_possible(v_.slots[step.slot_begin + k], step)) return false;
    return true;
  }

  constexpr bool is_possible(const plan_slot& slot, const plan_step& step) const {
    if (slot.kind == plan_slot::generator || !is_reachable(slot.value)) return false;
    const shape& s = v_.shape_of(slot.value);
    const int rank = step.outer_rank + step.row_rank;
    for (int a = 0; a < rank; ++a)
      if (const int axis = own_axis(slot, a); axis >= 0 && s.extent[axis] != v_.axes[step.axis_begin + a]) return false;
    // Along a row the elements must lie evenly, side by side where the kernel reads packets.
    int before = -1;
    bool first = true;
    for (int a = step.outer_rank; a < rank; ++a) {
      if (v_.axes[step.axis_begin + a] == 1) continue;
      const int axis = own_axis(slot, a);
      if (!first && !follows(slot, before, axis)) return false;
      before = axis, first = false;
    }
    if (slot.access != plan_slot::adjacent || first) return true;
    if (before < 0) return false;
    for (int axis = before + 1; axis < s.rank; ++axis)
      if (s.extent[axis] != 1) return false;
    return true;
  }

  const plan_view& v_;
};

}  // namespace detail

/// One call of a constant plan whose extents are as recorded: where run-time extents of 1 were broadcast to others, the executor is wanted.
template <class Plan>
class direct_plan {
  static constexpr const plan_view& view = Plan::view;
  static constexpr detail::direct_analysis analysis{view};

 public:
  static constexpr bool possible = analysis.is_possible();

  direct_plan(const device_functions& device, const descriptor* arguments, const scalar_value* scalars, const descriptor* outputs, const index_t* symbols)
      : device_(device), arguments_(arguments), scalars_(scalars), outputs_(outputs), symbols_(symbols) {}

  /// Runs all steps. False, with nothing done, where memory or extents ask for the executor.
  bool run() {
    if (!is_covered(std::make_integer_sequence<int, view.instruction_count>{}, std::make_integer_sequence<int, view.output_count>{}, steps{})) return false;
    if constexpr (view.temporaries > 0 || has_keeps()) {
      ArenaScope scope;
      if constexpr (view.temporaries > 0) place_temporaries(scope, std::make_integer_sequence<int, view.instruction_count>{});
      if constexpr (has_keeps()) keep_ = scope.template take<std::byte>(keep_bytes(steps{}));
      run_steps(steps{});
    } else run_steps(steps{});
    return true;
  }

 private:
  using steps = std::make_integer_sequence<int, view.step_count>;

  // Everything is a constant or one load, not a loop over tables: compilers do not unroll those where they optimise moderately.
  template <extent_t E>
  FLUXION_ALWAYS_INLINE index_t extent() const {
    if constexpr (is_symbol(E)) return symbols_[symbol_number(E)];
    else return static_cast<index_t>(E);
  }
  /// The product of the extents that a list of them holds.
  template <class Extents>
  FLUXION_ALWAYS_INLINE index_t product() const {
    return [&]<int... I>(std::integer_sequence<int, I...>) FLUXION_INLINE_LAMBDA {
      return (extent<Extents::values.elements[I]>() * ... * index_t{1});
    }(std::make_integer_sequence<int, Extents::values.size>{});
  }
  struct extent_list {
    extent_t elements[max_rank]{};
    int size = 0;
    constexpr void add(extent_t e) { elements[size++] = e; }
  };
  /// Extents behind an axis of a value, all for -1.
  template <int Value, int Axis>
  struct extents_behind {
    static constexpr extent_list make() {
      extent_list r;
      for (int axis = Axis + 1; axis < view.shape_of(Value).rank; ++axis) r.add(view.shape_of(Value).extent[axis]);
      return r;
    }
    static constexpr extent_list values = make();
  };
  /// Extents of the axes of a kernel whose calls see them as outer axis `Group`; of those of its rows for -1.
  template <int S, int Group>
  struct extents_of_group {
    static constexpr extent_list make() {
      constexpr plan_step step = view.steps[S];
      constexpr auto outer = analysis.outer_axes_of(step);
      extent_list r;
      for (int a = 0; a < step.outer_rank + step.row_rank; ++a)
        if (a < step.outer_rank ? Group >= 0 && outer.group[a] == Group : Group < 0) r.add(view.axes[step.axis_begin + a]);
      return r;
    }
    static constexpr extent_list values = make();
  };
  template <int Value>
  FLUXION_ALWAYS_INLINE index_t count() const {
    return product<extents_behind<Value, -1>>();
  }
  template <int Value>
  static constexpr std::size_t size = size_of(view.instructions[Value].type);

  // ---- what is covered --------------------------------------------------------------------------------------------------
  template <int... I, int... K, int... S>
  FLUXION_ALWAYS_INLINE bool is_covered(std::integer_sequence<int, I...>, std::integer_sequence<int, K...>, std::integer_sequence<int, S...>) const {
    return (is_argument_covered<I>() && ...) && (is_contiguous<view.shape_of(view.outputs[K]).rank>(outputs_[K]) && ...) && (is_step_covered<S>() && ...);
  }
  template <int I>
  FLUXION_ALWAYS_INLINE bool is_argument_covered() const {
    if constexpr (view.instructions[I].operation != opcode_of<operation::argument>) return true;
    else return is_contiguous<view.shape_of(I).rank>(arguments_[view.instructions[I].attribute]);
  }
  template <int Rank>
  static FLUXION_ALWAYS_INLINE bool is_contiguous(const descriptor& d) {
    if constexpr (Rank == 0) return true;
    else if constexpr (Rank == 1) return d.stride[0] == 1 || d.extent[0] <= 1;
    else return detail::is_contiguous(d, Rank);
  }
  static constexpr bool has_accumulators(int s) {
    for (int k = 0; k < view.steps[s].slot_count; ++k)
      if (view.slots[view.steps[s].slot_begin + k].kind == plan_slot::accumulator) return true;
    return false;
  }
  template <int S>
  FLUXION_ALWAYS_INLINE bool is_step_covered() const {
    constexpr plan_step step = view.steps[S];
    if constexpr (step.kind == plan_step::loop && has_accumulators(S)) {
      // The executor drops run-time extents of 1 and may then see more of the outer axes as one: all of them together are the limit.
      const index_t rows = [&]<int... N>(std::integer_sequence<int, N...>) FLUXION_INLINE_LAMBDA {
        return (product<extents_of_group<S, N>>() * ... * index_t{1});
      }(std::make_integer_sequence<int, analysis.outer_axes_of(step).count>{});
      return !detail::wants_chunks(rows);
    } else if constexpr (step.kind == plan_step::contract && S + 1 < view.step_count && view.steps[S + 1].with_previous && view.steps[S + 1].tiled) {
      constexpr shape s = view.shape_of(step.value);
      return extent<s.extent[0]>() <= detail::rows_of_tile(extent<s.extent[1]>(), size<step.value>);
    } else return true;
  }

  // ---- memory -------------------------------------------------------------------------------------------------------------
  template <int... I>
  FLUXION_ALWAYS_INLINE void place_temporaries(ArenaScope& scope, std::integer_sequence<int, I...>) {
    std::size_t sizes[view.temporaries]{};
    (enlarge<I>(sizes), ...);
    for (int t = 0; t < view.temporaries; ++t) temporary_[t] = scope.template take<std::byte>(sizes[t]);
  }
  template <int I>
  FLUXION_ALWAYS_INLINE void enlarge(std::size_t* sizes) const {
    if constexpr (view.values[I].place == plan_value::temporary) {
      const std::size_t bytes = static_cast<std::size_t>(count<I>()) * size<I>;
      std::size_t& largest = sizes[view.values[I].index];
      if (bytes > largest) largest = bytes;
    }
  }
  template <int Value>
  FLUXION_ALWAYS_INLINE std::byte* data() const {
    constexpr plan_value v = view.values[Value];
    if constexpr (v.place == plan_value::argument) return arguments_[v.index].data;
    else if constexpr (v.place == plan_value::output) return outputs_[v.index].data;
    else if constexpr (v.place == plan_value::temporary) return temporary_[v.index];
    else return data<v.index>();
  }
  static constexpr kernel_header header_of(const plan_step& step) { return unpack_header(view.words[view.kernel_begin[step.kernel]]); }
  static constexpr bool has_keeps() {
    for (int s = 0; s < view.step_count; ++s)
      if (view.steps[s].kind == plan_step::loop && header_of(view.steps[s]).keeps > 0) return true;
    return false;
  }
  /// Of the row buffers of a kernel.
  template <int S>
  FLUXION_ALWAYS_INLINE std::size_t keep_stride() const {
    return detail::keep_stride(header_of(view.steps[S]), static_cast<std::size_t>(row_length<S>()), static_cast<std::size_t>(device_.lanes));
  }
  template <int S>
  FLUXION_ALWAYS_INLINE std::size_t keep_bytes_of() const {
    if constexpr (view.steps[S].kind != plan_step::loop || header_of(view.steps[S]).keeps == 0) return 0;
    else return keep_stride<S>() * header_of(view.steps[S]).keeps;
  }
  template <int... S>
  FLUXION_ALWAYS_INLINE std::size_t keep_bytes(std::integer_sequence<int, S...>) const {
    std::size_t bytes = 0;
    ((bytes = keep_bytes_of<S>() > bytes ? keep_bytes_of<S>() : bytes), ...);
    return bytes;
  }

  // ---- steps --------------------------------------------------------------------------------------------------------------
  template <int... S>
  FLUXION_ALWAYS_INLINE void run_steps(std::integer_sequence<int, S...>) {
    (run_step<S>(), ...);
  }
  template <int S>
  FLUXION_ALWAYS_INLINE void run_step() {
    if constexpr (view.steps[S].kind == plan_step::loop) run_loop<S>(std::make_integer_sequence<int, view.steps[S].slot_count>{});
    else if constexpr (view.steps[S].kind == plan_step::contract) run_contract<S>();
  }

  template <int S>
  FLUXION_ALWAYS_INLINE index_t row_length() const {
    return product<extents_of_group<S, -1>>();
  }
  /// Elements between neighbours along an axis of a contiguous value.
  template <int Value, int Axis>
  FLUXION_ALWAYS_INLINE index_t stride() const {
    if constexpr (Axis < 0) return 0;
    else return product<extents_behind<Value, Axis>>();
  }

  template <int S, int... K>
  FLUXION_ALWAYS_INLINE void run_loop(std::integer_sequence<int, K...>) {
    constexpr plan_step step = view.steps[S];
    constexpr kernel_header header = header_of(step);
    constexpr auto outer = analysis.outer_axes_of(step);
    loop_operand slots[step.slot_count > 0 ? step.slot_count : 1];
    (place_slot<S, K>(slots[K]), ...);
    scalar_value values[step.scalar_count > 0 ? step.scalar_count : 1];
    place_scalars<S>(values, std::make_integer_sequence<int, step.scalar_count>{});
    loop_call call;
    constexpr const std::uint64_t* code = view.words + view.kernel_begin[step.kernel];
    call.code = code;
    call.slots = slots;
    call.scalars = values;
    call.row = row_length<S>();
    call.outer_rank = outer.count;
    const index_t rows = [&]<int... N>(std::integer_sequence<int, N...>) FLUXION_INLINE_LAMBDA {
      ((call.outer[N] = product<extents_of_group<S, N>>()), ...);
      return (call.outer[N] * ... * index_t{1});
    }(std::make_integer_sequence<int, outer.count>{});
    if constexpr (header.keeps > 0) {
      call.keep_stride = keep_stride<S>();
      call.keep = keep_;
    }
    if (rows > 0) device_.loops[step.kernel](call);
    (finish_mean<S, K>(slots[K]), ...);
  }
  template <int S, int K>
  FLUXION_ALWAYS_INLINE void place_slot(loop_operand& o) const {
    constexpr plan_step step = view.steps[S];
    constexpr plan_slot slot = view.slots[step.slot_begin + K];
    constexpr auto outer = analysis.outer_axes_of(step);
    constexpr int row_axis = analysis.last_row_axis(step);
    o.data = data<slot.value>();
    if constexpr (row_axis >= 0) o.row_stride = stride<slot.value, analysis.own_axis(slot, row_axis)>();
    [&]<int... N>(std::integer_sequence<int, N...>) FLUXION_INLINE_LAMBDA {
      ((o.outer_stride[N] = stride<slot.value, analysis.own_axis(slot, outer.last[N])>()), ...);
    }(std::make_integer_sequence<int, outer.count>{});
    if constexpr (slot.kind == plan_slot::accumulator) {
      using T = element_t<view.instructions[slot.value].type>;
      detail::with_reduction(slot.reduction, [&]<class O>(O) {
        T* const p = reinterpret_cast<T*>(o.data);
        for (index_t i = 0, n = count<slot.value>(); i < n; ++i) p[i] = O::template identity<T>();
      }, operation::reduce_operations{});
    }
  }
  template <int S, int... K>
  FLUXION_ALWAYS_INLINE void place_scalars(scalar_value* values, std::integer_sequence<int, K...>) const {
    ((values[K] = scalar<view.scalars[view.steps[S].scalar_begin + K]>()), ...);
  }
  template <int Value>
  FLUXION_ALWAYS_INLINE scalar_value scalar() const {
    constexpr instruction x = view.instructions[Value];
    if constexpr (x.operation == opcode_of<operation::scalar>) return scalars_[x.attribute];
    else {
      constexpr shape s = view.shapes[x.attribute];
      return [&]<int... Axis>(std::integer_sequence<int, Axis...>) FLUXION_INLINE_LAMBDA {
        return scalar_value((static_cast<double>(extent<view.resolve(s.extent[Axis])>()) * ... * 1.0));
      }(std::make_integer_sequence<int, s.rank>{});
    }
  }
  template <int Value>
  struct reduced_extents {
    static constexpr extent_list make() {
      constexpr instruction x = view.instructions[Value];
      extent_list r;
      for (int axis = 0; axis < view.shape_of(x.operand[0]).rank; ++axis)
        if (x.attribute >> axis & 1) r.add(view.shape_of(x.operand[0]).extent[axis]);
      return r;
    }
    static constexpr extent_list values = make();
  };
  /// Turns sums into means.
  template <int S, int K>
  FLUXION_ALWAYS_INLINE void finish_mean(const loop_operand& o) const {
    constexpr plan_slot slot = view.slots[view.steps[S].slot_begin + K];
    if constexpr (slot.kind == plan_slot::accumulator && info_of(slot.reduction).divides_by_count) {
      constexpr instruction x = view.instructions[slot.value];
      using T = element_t<x.type>;
      const index_t reduced = product<reduced_extents<slot.value>>();
      T* const p = reinterpret_cast<T*>(o.data);
      for (index_t i = 0, n = count<slot.value>(); i < n; ++i) p[i] /= static_cast<T>(reduced);
    }
  }

  template <int S>
  FLUXION_ALWAYS_INLINE void run_contract() const {
    constexpr int value = view.steps[S].value;
    constexpr instruction x = view.instructions[value];
    constexpr shape a = view.shape_of(x.operand[0]), c = view.shape_of(value);
    constexpr bool left = x.flags & transpose_left, right = x.flags & transpose_right;
    contract_call call;
    call.type = x.type;
    call.rows = extent<c.extent[0]>();
    call.columns = extent<c.extent[1]>();
    call.inner = extent<a.extent[left ? 0 : 1]>();
    if (call.rows == 0 || call.columns == 0) return;
    call.a = data<x.operand[0]>();
    call.b = data<x.operand[1]>();
    call.c = data<value>();
    call.a_row = left ? 1 : call.inner;
    call.a_column = left ? call.rows : 1;
    call.b_row = right ? 1 : call.columns;
    call.b_column = right ? call.inner : 1;
    call.c_row = call.columns;
    device_.contract(call);
  }

  const device_functions& device_;
  const descriptor* arguments_;
  const scalar_value* scalars_;
  const descriptor* outputs_;
  const index_t* symbols_;
  std::byte* keep_ = nullptr;
  std::byte* temporary_[view.temporaries > 0 ? view.temporaries : 1];
};

}  // namespace fluxion::graph
