/// Runs loop kernels. Where they add up across rows, the sums start at the reduction's identity and long ones are added chunk by chunk.
#pragma once
#include "loop_preparer.hpp"

#include <cstring>

namespace fluxion::graph::detail {

/// Calls f(O()) for the reduction O of that number.
template <class F, class... O>
void with_reduction(std::uint8_t operation, const F& f, operation::operations<O...>) {
  static_cast<void>(((operation == opcode_of<O> && (f(O{}), true)) || ...));
}

/// Long sums across rows are kept per chunk of rows and added up in order, which bounds their rounding error.
inline constexpr index_t rows_per_chunk = 64;
constexpr bool wants_chunks(index_t rows) { return rows >= 2 * rows_per_chunk; }

template <bool Accumulators>
class loop_runner : public loop_preparer {
 public:
  using loop_preparer::loop_preparer;

 protected:
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
        done = runs_in_chunks(step, l);
        if (done) run_chunks(step, l, scope.take<loop_operand>(static_cast<std::size_t>(l.slots)));
      }
      if (!done) l.function(l.call);
    }
    finish_loop(step, l);
  }

  void finish_loop(const plan_step& step, const prepared_loop& l) {
    if constexpr (Accumulators) finish_means(step, l);
    write_diverted(step);
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
      T identity{};
      with_reduction(slot.reduction, [&]<class O>(O) { identity = O::template identity<T>(); }, operation::reduce_operations{});
      T* p = reinterpret_cast<T*>(data);
      for (index_t i = 0; i < n; ++i) p[i] = identity;
    });
  }

  /// Turns sums into means.
  void finish_means(const plan_step& step, const prepared_loop& l) const {
    for (int k = 0; k < l.slots; ++k) {
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
  }

  bool runs_in_chunks(const plan_step& step, const prepared_loop& l) const {
    if (l.call.outer_rank == 0 || !wants_chunks(l.call.outer[0])) return false;
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
        if (!info_of(slots[k].reduction).adds)
          with_reduction(slots[k].reduction, [&]<class O>(O) { for (index_t i = 0; i < n; ++i) sum[i] = O::combine(sum[i], part[i]); }, operation::reduce_operations{});
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
};

}  // namespace fluxion::graph::detail
