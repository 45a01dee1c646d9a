/// Value and gradient of a loop's loss: forwards over checkpoints, the loss, and backwards step by step.
#pragma once
#include "adjoint.hpp"

namespace fluxion::detail {

template <class F, class Adjoints>
struct loss_gradient;
template <class F, class Adjoints>
  requires requires { typename Adjoints::leaves; }
struct loss_gradient<F, Adjoints> {
  template <class>
  struct of;
  template <int... K>
  struct of<std::integer_sequence<int, K...>> { using type = gradient_function<F, true, K...>; };
  using source = typename source_over<typename of<typename Adjoints::leaves>::type, typename F::types>::type;
};

/// What of a loss is differentiated. Where it sees outputs, arguments behind the state are one further.
template <class Function, class Wanted, class OfLoss>
struct loss_differentiated;
template <class G, class... A, std::size_t... W, std::size_t... O>
struct loss_differentiated<ungrouped<G, true, A...>, std::index_sequence<W...>, std::index_sequence<O...>> {
  static constexpr std::size_t behind = ((loop_argument<A>::role == loop_role::output) || ...) ? 1 : 0;
  using type = differentiated<ungrouped<G, true, A...>, std::index_sequence<(W == 0 ? 0 : W + behind)..., (O + behind)...>, A...>;
};

/// Numbers of arguments of a loop: those wanted of steps and loss, and then those of the loss alone, which are behind all others and which no step uses.
template <class OfSteps, class OfLoss>
struct wanted_arguments {
  using of_steps = OfSteps;
  using of_loss = OfLoss;
};
template <class Arguments>
struct split_arguments : wanted_arguments<Arguments, std::index_sequence<>> {};
template <class OfSteps, class OfLoss>
struct split_arguments<wanted_arguments<OfSteps, OfLoss>> : wanted_arguments<OfSteps, OfLoss> {};

/// Whether a loop, the gradient of its loss and the adjoint of its step could be recorded, or the compiler has said what is wrong; the loss's type.
template <class Program, class LossSource, class AdjointSource>
struct differentiated_loop {
  static constexpr bool check_sources() {
    if constexpr (!Program::check()) return false;
    else if constexpr (!Recorded<LossSource>) {
      instantiate<plan_call<LossSource>>();
      return false;
    } else if constexpr (!Recorded<AdjointSource>) {
      instantiate<plan_call<AdjointSource>>();
      return false;
    } else return true;
  }
  static constexpr bool good = check_sources();
  using loss_type = typename decltype([] {
    if constexpr (Recorded<LossSource>) return std::type_identity<typename source_output<LossSource, 0>::value_type>{};
    else return std::type_identity<float>{};
  }())::type;
};

/// Gradients of the loss G of a loop of F with respect to the arguments numbered `Arguments`: a std::index_sequence, or `wanted_arguments`.
template <class F, class G, class Arguments, class... A>
class loop_gradient {
  using Wanted = typename split_arguments<Arguments>::of_steps;
  using OfLoss = typename split_arguments<Arguments>::of_loss;
  using program = loop_program<F, A...>;
  using step_source = typename program::source;
  using loss_program = loss_of_loop<G, F, A...>;
  using loss_function = typename loss_program::function;
  using adjoints = differentiated<typename program::step, Wanted, A...>;
  using loss_adjoints = typename loss_differentiated<loss_function, Wanted, OfLoss>::type;
  using loss_source = typename loss_gradient<loss_function, loss_adjoints>::source;
  using adjoint_source = step_adjoint_source<step_source, adjoints>;
  static constexpr int adjoint_count = adjoints::table.outputs;
  static constexpr int state_count = program::steps::count, along_count = program::steps::outputs_along;

 public:
  static constexpr bool good = differentiated_loop<program, loss_source, adjoint_source>::good;
  using loss_type = typename differentiated_loop<program, loss_source, adjoint_source>::loss_type;

  /// Computes the loss and the gradients, a group for each argument wanted. Steps are counted by `n`, or by the sequences if it is negative.
  template <class... X, class L, class... D>
  static void run(const std::tuple<const X&...>& x, index_t n, const LoopOptions& options, L& loss_value, const std::tuple<D&...>& gradients) {
    if constexpr (good) {
      ArenaScope scope;  // outlives the prepared calls, which take from the same memory
      loop_gradient self;
      self.bind(scope, x, n);
      self.place(scope, options.memory, gradients);
      self.sweep(options.counts);
      self.deliver(loss_value, gradients, std::make_index_sequence<Wanted::size()>{});
      self.deliver_of_loss(gradients, OfLoss{}, std::make_index_sequence<OfLoss::size()>{});
    }
  }

 private:
  static constexpr auto primals = [] {
    if constexpr (good) return adjoint_source::make_primals();
    else return std::array<int, 1>{};
  }();
  /// The adjoints that go from step to step: cotangents of the state, then sums. They are the last arguments of the adjoint's program.
  static constexpr auto carried = [] {
    struct { int output[adjoint_count + 1]; int count; } c{};
    for (int k = 0; k < adjoint_count; ++k)
      if (adjoints::table.of_output[k].role != loop_role::sequence) c.output[c.count++] = k;
    return c;
  }();
  /// How many cotangents of the state a step's adjoint has; behind them come those of the outputs along the way, of floating point.
  static constexpr int state_adjoints = [] {
    int n = 0;
    while (n < adjoint_count && adjoints::table.of_output[n].role == loop_role::state) ++n;
    return n;
  }();
  static constexpr auto along = [] {
    struct { int output[along_count + 1]; int count; } a{};
    if constexpr (good) {
      constexpr const auto& p = graph::constant_program<step_source>::value;
      for (int k = state_count; k < state_count + along_count; ++k)
        if (is_floating(p.instructions[p.outputs[k]].type)) a.output[a.count++] = k;
    }
    return a;
  }();
  /// The arguments behind the step's own, and the outputs of the loss: those of the state, of the outputs along the way, and of constants.
  static constexpr int place_of_carried(int c) { return c < state_adjoints ? c : c + along.count; }
  /// Outputs of the loss' gradient: the last ones belong to the arguments that only the loss uses.
  static constexpr int first_of_loss = 1 + carried.count + along.count, loss_count = 1 + loss_adjoints::table.outputs;
  static constexpr bool is_sequence(int k) { return adjoints::table.of_output[k].role == loop_role::sequence; }
  template <std::size_t Argument>
  static constexpr int first_output_of() {
    int k = 0;
    while (k < adjoint_count && adjoints::table.of_output[k].argument != static_cast<int>(Argument)) ++k;
    return k;
  }

  template <class... X>
  void bind(ArenaScope& scope, const std::tuple<const X&...>& x, index_t n) {
    steps_.template bind<false, A...>(x);
    step_arguments_ = reverse_.template bind<false, A...>(x);
    n_ = n >= 0 ? n : steps_.length();
    steps_.lay_out();
    for (int j = 0; j < along_count; ++j) {
      const std::size_t bytes = steps_.bytes_of_output(state_count + j) * static_cast<std::size_t>(n_);
      steps_.rows[j] = scope.take<std::byte>(bytes + 1);
    }
    for (int j = 0; j < along.count; ++j) {
      const int output = along.output[j];
      along_adjoint_[j] = scope.take<std::byte>(steps_.bytes_of_output(output) * static_cast<std::size_t>(n_) + 1);
      graph::descriptor d = steps_.outputs[output];
      d.data = along_adjoint_[j];
      reverse_.call.arguments[step_arguments_ + state_adjoints + j] = d;
    }
    steps_.point_outputs(0);
    loss_program::template bind<moving_call<loss_source>, program>(loss_, x, steps_, n_);
    loss_.check();
    for (int c = 0; c < carried.count; ++c) {
      const int k = carried.output[c], primal = primals[static_cast<std::size_t>(k)];
      graph::descriptor d;
      const argument_kind kind = primal_kind(k);
      if (primal >= 0) d = reverse_.call.arguments[primal];
      graph::detail::contiguous_strides(d, kind.rank);
      reverse_.call.arguments[step_arguments_ + place_of_carried(c)] = d;
      adjoint_layout_.add(k, bytes_of(d, kind));
    }
    reverse_.check();
    for (int k = 0; k < adjoint_count; ++k)
      if (const int primal = primals[static_cast<std::size_t>(k)]; primal >= 0) reverse_.require_equal_extents(k, primal, "an adjoint of the step");
    for (int c = 0; c < carried.count; ++c) {
      const int k = carried.output[c], rank = primal_kind(k).rank;
      for (int axis = 0; axis < rank; ++axis)
        if (const auto& given = loss_.outputs[place_of_carried(c) + 1]; given.extent[axis] != reverse_.outputs[k].extent[axis])
          raise<ShapeError>("loop: an adjoint of the loss has extents ", extents_text{given.extent, rank}, " and not ",
                            extents_text{reverse_.outputs[k].extent, rank});
    }
  }
  argument_kind primal_kind(int k) const {
    const int primal = primals[static_cast<std::size_t>(k)];
    return primal >= 0 ? reverse_.kinds[static_cast<std::size_t>(primal)] : argument_kind{reverse_.type_of_output(k), 0};
  }

  /// Memory: the kept states, two that are passed through and the last; adjoints before and after a step; and the calls prepared on it.
  template <class... D>
  void place(ArenaScope& scope, const Checkpoints& memory, const std::tuple<D&...>& gradients) {
    states_ = memory.states(n_);
    memory_ = scope.take<std::byte>(steps_.layout.bytes * static_cast<std::size_t>(states_ + 3));
    position_ = scope.take<index_t>(static_cast<std::size_t>(states_));
    for (std::byte*& block : adjoint_) block = scope.take<std::byte>(adjoint_layout_.bytes);
    loss_value_ = scope.take<std::byte>(sizeof(loss_type));
    place_sequences(scope, gradients, std::make_index_sequence<Wanted::size()>{});
    for (int k = first_of_loss; k < loss_count; ++k) of_loss_[k] = scope.take<std::byte>(loss_.bytes_of_output(k) + 1);
    steps_.begin_at(memory_);
    if (n_ > 0) {
      steps_.write_to(block(states_));
      steps_.prepare();
    }
    look_at(loss_, steps_.layout, memory_);
    loss_.outputs[0].data = loss_value_;
    for (int c = 0; c < carried.count; ++c) loss_.outputs[place_of_carried(c) + 1].data = adjoint_[0] + adjoint_layout_.offset[carried.output[c]];
    for (int j = 0; j < along.count; ++j) loss_.outputs[1 + state_adjoints + j].data = along_adjoint_[j];
    for (int k = first_of_loss; k < loss_count; ++k) loss_.outputs[k].data = of_loss_[k];
    if (n_ > 0) {
      look_at(reverse_, steps_.layout, memory_);
      point_adjoints(0, 0);
      reverse_.prepare();
    }
  }
  template <class... D, std::size_t... I>
  void place_sequences(ArenaScope& scope, const std::tuple<D&...>& gradients, std::index_sequence<I...>) {
    (place_sequence<wanted<I>>(scope, std::get<I>(gradients)), ...);
  }
  template <std::size_t I>
  static constexpr std::size_t wanted = [] {
    return []<std::size_t... W>(std::index_sequence<W...>) {
      constexpr std::size_t all[] = {W...};
      return all[I];
    }(Wanted{});
  }();
  /// Rows of a sequence's gradient are written where they are wanted, unless that is memory of the sequence itself or has gaps.
  template <std::size_t Argument, class D>
  void place_sequence(ArenaScope& scope, D& gradient) {
    constexpr int k = first_output_of<Argument>();
    if constexpr (k < adjoint_count && is_sequence(k)) {
      graph::descriptor d;
      describe(d, gradient.data(), gradient.mapping());
      if (d.extent[0] != n_) raise<ShapeError>("scan: the gradient of a sequence of ", n_, " entries is wanted in a tensor of ", d.extent[0]);
      const std::size_t bytes = reverse_.bytes_of_output(k) * static_cast<std::size_t>(n_);
      bool direct = gradient.mapping().is_contiguous();
      for (int s = 0; s < steps_.sequences.count; ++s) {
        const sequence_binding& q = steps_.sequences.entries[s];
        if (d.data < q.data + q.stride * q.length && q.data < d.data + bytes) direct = false;
      }
      rows_[k] = direct ? d.data : scope.take<std::byte>(bytes);
    }
  }

  std::byte* block(index_t k) const { return memory_ + static_cast<std::size_t>(k) * steps_.layout.bytes; }
  void point_adjoints(int from, index_t t) {
    for (int c = 0; c < carried.count; ++c) {
      const int k = carried.output[c];
      reverse_.call.arguments[step_arguments_ + place_of_carried(c)].data = adjoint_[from] + adjoint_layout_.offset[k];
      reverse_.outputs[k].data = adjoint_[1 - from] + adjoint_layout_.offset[k];
    }
    for (int j = 0; j < along.count; ++j)
      reverse_.call.arguments[step_arguments_ + state_adjoints + j].data =
          along_adjoint_[j] + static_cast<std::size_t>(t) * steps_.bytes_of_output(along.output[j]);
    if constexpr (carried.count < adjoint_count)
      for (int k = 0; k < adjoint_count; ++k)
        if (is_sequence(k)) reverse_.outputs[k].data = rows_[k] + static_cast<std::size_t>(t) * reverse_.bytes_of_output(k);
  }
  void take_loss(std::byte* state) {
    look_at(loss_, steps_.layout, state);
    loss_.call.run_fresh(loss_.outputs);
  }

  void sweep(LoopCounts* counts) {
    LoopCounts done;
    const auto advance = [&](index_t from, index_t to, index_t t) {
      steps_.advance(block(from), block(to), t);
      ++done.steps;
    };
    if (n_ == 0) take_loss(block(0));
    reverse_steps(n_, states_, position_, advance, [&](index_t from, index_t t) {
      if (t == n_ - 1) {
        advance(from, states_ + 2, t);
        take_loss(block(states_ + 2));
      }
      for (int k = 0; k < state_count; ++k) reverse_.call.arguments[k].data = block(from) + steps_.layout.offset[k];
      reverse_.enter(t);
      point_adjoints(last_, t);
      reverse_.run();
      last_ = 1 - last_;
      ++done.reverse_steps;
    });
    done.states = states_;
    done.bytes = steps_.layout.bytes * static_cast<std::size_t>(states_ + 3);
    if (counts) *counts = done;
  }

  template <class L, class... D, std::size_t... I>
  void deliver(L& loss_value, const std::tuple<D&...>& gradients, std::index_sequence<I...>) {
    std::byte* const value[] = {loss_value_};
    take_outputs<0>(loss_value, loss_, value);
    (deliver_one<wanted<I>>(std::get<I>(gradients)), ...);
  }
  template <class... D, std::size_t... O, std::size_t... I>
  void deliver_of_loss([[maybe_unused]] const std::tuple<D&...>& gradients, std::index_sequence<O...>, std::index_sequence<I...>) {
    constexpr std::size_t behind = loss_differentiated<loss_function, Wanted, OfLoss>::behind;
    (take_group<first_output_of_loss<O + behind>(), true>(loss_, of_loss_, std::get<Wanted::size() + I>(gradients)), ...);
  }
  template <std::size_t Argument>
  static constexpr int first_output_of_loss() {
    int k = 0;
    while (k < loss_count - 1 && loss_adjoints::table.of_output[k].argument != static_cast<int>(Argument)) ++k;
    return k + 1;
  }
  template <std::size_t Argument, class D>
  void deliver_one(D& gradient) {
    constexpr int k = first_output_of<Argument>();
    std::byte* blocks[adjoint_count + 1]{};
    if constexpr (k < adjoint_count && is_sequence(k)) {
      if (gradient.data() == reinterpret_cast<const void*>(rows_[k])) return;
      graph::descriptor from;
      describe(from, gradient.data(), gradient.mapping());
      const graph::descriptor to = from;
      constexpr int rank = D::rank();
      graph::detail::contiguous_strides(from, rank);
      if (graph::detail::element_count(from, rank) > 0)
        graph::detail::copy_strided(to.data, to.stride, rows_[k], from.stride, from.extent, rank, sizeof(typename D::value_type));
    } else {
      for (int c = 0; c < carried.count; ++c) blocks[carried.output[c]] = adjoint_[last_] + adjoint_layout_.offset[carried.output[c]];
      take_group<k, true>(reverse_, blocks, gradient);
    }
  }

  typename program::steps steps_;
  moving_call<loss_source> loss_;
  moving_call<adjoint_source> reverse_;
  block_layout<adjoint_count> adjoint_layout_;
  index_t n_ = 0, states_ = 1;
  index_t* position_ = nullptr;
  std::byte* memory_ = nullptr;
  std::byte* adjoint_[2]{};
  std::byte* along_adjoint_[along_count + 1]{};
  std::byte* loss_value_ = nullptr;
  std::byte* of_loss_[loss_count + 1]{};
  std::byte* rows_[adjoint_count + 1]{};
  int step_arguments_ = 0, last_ = 0;
};

}  // namespace fluxion::detail
