/// Plans that run again and again on memory of the same extents, as the steps of a loop do: prepared once, then only pointers change.
#pragma once
#include "execute.hpp"

#include <new>

namespace fluxion::graph {

namespace detail {

/// Whether all that a plan does is run loop kernels, look at what others computed, and embed it in zeros.
constexpr bool has_only_loops(const plan_view& v) {
  for (int s = 0; s < v.step_count; ++s)
    if (v.steps[s].kind == plan_step::contract || v.steps[s].with_previous) return false;
  return true;
}

/// The executor with its kernels' calls kept. `Executor` is the one that the plan needs.
template <class Executor, bool Accumulators, bool Embeds>
class kept_calls : Executor {
  using typename Executor::prepared_loop;
  using Executor::arguments_, Executor::count_, Executor::outputs_, Executor::scope_, Executor::v_, Executor::values_;

 public:
  kept_calls(const plan_view& v, const device_functions& device, const descriptor* arguments, const scalar_value* scalars, const descriptor* outputs,
             const index_t* symbols)
      : Executor(v, device, arguments, scalars, outputs, symbols, nullptr) {
    count_ = &counted_;
    const auto steps = static_cast<std::size_t>(v_.step_count);
    values_ = scope_.template take<const descriptor*>(static_cast<std::size_t>(v_.instruction_count));
    this->place_values();
    loops_ = scope_.template take<prepared_loop>(steps);
    of_step_ = scope_.template take<const plan_step*>(steps);
    std::size_t slots = 0;
    for (int s = 0; s < v_.step_count; ++s) slots += static_cast<std::size_t>(v_.steps[s].slot_count);
    moves_ = scope_.template take<move>(slots + 2 * steps);
    for (int s = 0; s < v_.step_count; ++s) {
      const plan_step& step = v_.steps[s];
      if (step.kind == plan_step::view) {
        this->derive_view(step.value);
        continue;
      }
      if (step.kind == plan_step::embed) {
        follow(step.value, const_cast<descriptor*>(values_[step.value])->data);
        for (const int from : v_.instructions[step.value].operand)
          if (from >= 0 && v_.values[from].place != plan_value::argument) follow(from, const_cast<descriptor*>(values_[from])->data);
        of_step_[loop_count_++] = &step;
        continue;
      }
      ::new (static_cast<void*>(loops_ + loop_count_)) prepared_loop(this->prepare(step));
      of_step_[loop_count_] = &step;
      follow(step, loops_[loop_count_++]);
    }
    count_ = nullptr;
    this->diverted_count_ = 0;
  }

  /// Whether nothing had to be brought into another layout, so that pointers are all that changes.
  bool usable() const { return counted_.copies == 0; }

  void run() {
    for (int k = 0; k < move_count_; ++k) *moves_[k].to = moves_[k].from->data + moves_[k].offset;
    for (int k = 0; k < loop_count_; ++k) {
      if constexpr (Embeds)
        if (of_step_[k]->kind == plan_step::embed) {
          this->run_embed(of_step_[k]->value);
          continue;
        }
      const prepared_loop& l = loops_[k];
      if constexpr (Accumulators) {
        this->start_accumulators(*of_step_[k], l);
        if (!l.empty) {
          if (this->runs_in_chunks(*of_step_[k], l)) {
            ArenaScope scope;
            this->run_chunks(*of_step_[k], l, scope.take<loop_operand>(static_cast<std::size_t>(l.slots)));
          } else l.function(l.call);
        }
        this->finish_means(*of_step_[k], l);
      } else if (!l.empty) l.function(l.call);
    }
  }

 private:
  /// A pointer that lies `offset` bytes behind the elements of an argument or an output.
  struct move {
    std::byte** to;
    const descriptor* from;
    std::ptrdiff_t offset;
  };

  void follow(const plan_step& step, const prepared_loop& l) {
    for (int k = 0; k < l.slots; ++k) {
      const plan_slot& slot = v_.slots[step.slot_begin + k];
      if (slot.kind != plan_slot::generator) follow(slot.value, l.operands[k].data);
    }
  }
  /// Moves a pointer to elements of `value` along, if they are in an argument or an output.
  void follow(int value, std::byte*& pointer) {
    while (v_.values[value].place == plan_value::alias) value = v_.values[value].index;
    const plan_value& place = v_.values[value];
    if (place.place != plan_value::argument && place.place != plan_value::output) return;
    const descriptor* const from = place.place == plan_value::argument ? arguments_ + place.index : outputs_ + place.index;
    moves_[move_count_++] = {&pointer, from, pointer - from->data};
  }

  counters counted_;
  prepared_loop* loops_ = nullptr;
  const plan_step** of_step_ = nullptr;
  move* moves_ = nullptr;
  int loop_count_ = 0, move_count_ = 0;
};

}  // namespace detail

/// Runs a constant plan many times. Between runs the `data` of arguments and outputs may change, their extents and strides may not. The
/// calls of kernels are prepared once where the plan has only loop kernels and needs no copies; everything else takes the general way. Takes
/// scratch memory of the thread while it lives, so several must end in the reverse order of their beginning.
template <class Plan>
class repeated_plan {
  static constexpr detail::executor_features features = detail::features_of(Plan::view);
  using executor = detail::executor<features.loops, features.contractions, features.embeds, features.views, features.accumulators, features.temporaries>;
  static constexpr bool may_keep = detail::has_only_loops(Plan::view);
  struct nothing {
    nothing(const plan_view&, const device_functions&, const descriptor*, const scalar_value*, const descriptor*, const index_t*) {}
    static constexpr bool usable() { return false; }
    void run() {}
  };

 public:
  repeated_plan(const device_functions& device, const descriptor* arguments, const scalar_value* scalars, const descriptor* outputs, const index_t* symbols)
      : device_(device), arguments_(arguments), scalars_(scalars), outputs_(outputs), symbols_(symbols),
        calls_(Plan::view, device, arguments, scalars, outputs, symbols) {}
  repeated_plan(const repeated_plan&) = delete;
  repeated_plan& operator=(const repeated_plan&) = delete;

  /// As execute_constant; with counters the general way, so that they see what it would do.
  void run(counters* count) {
    if (count == nullptr && calls_.usable()) calls_.run();
    else execute_constant<Plan>(device_, arguments_, scalars_, outputs_, symbols_, count);
  }

 private:
  const device_functions& device_;
  const descriptor* arguments_;
  const scalar_value* scalars_;
  const descriptor* outputs_;
  const index_t* symbols_;
  std::conditional_t<may_keep, detail::kept_calls<executor, features.accumulators, features.embeds>, nothing> calls_;
};

}  // namespace fluxion::graph
