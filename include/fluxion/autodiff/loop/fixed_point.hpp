/// The fixed point of a step, and its derivatives by the implicit function theorem: the adjoint equation is solved by iterating the step's adjoint
/// at the solution. No state but the last is kept.
#pragma once
#include "reverse.hpp"
#include "tangent.hpp"

namespace fluxion {

/// Where counts are wanted: `steps` of the iteration, `reverse_steps` of that of the adjoint equation.
struct FixedPointOptions {
  LoopCounts* counts = nullptr;
};

namespace detail {

/// Gradients of the loss G of the fixed point of F with respect to the arguments numbered `Wanted`: with v = ∂G/∂x at the solution, u = v + (∂F/∂x)ᵀ u
/// is iterated, which contracts as F does; then dw = ∂G/∂w + (∂F/∂w)ᵀ u. Bai, Kolter and Koltun 2019, arXiv:1909.01377.
template <class F, class G, class Wanted, class... A>
class fixed_point_gradient {
  using program = loop_program<F, A...>;
  using step_source = typename program::source;
  using loss_function = typename loop_loss<G, A...>::function;
  using state_adjoints = differentiated<typename program::step, std::index_sequence<>, A...>;
  using adjoints = differentiated<typename program::step, Wanted, A...>;
  using loss_source = typename loss_gradient<loss_function, differentiated<loss_function, Wanted, A...>>::source;
  using iteration_source = step_adjoint_source<step_source, state_adjoints, true>;
  using adjoint_source = step_adjoint_source<step_source, adjoints>;
  static constexpr int state_count = state_adjoints::table.outputs, adjoint_count = adjoints::table.outputs;

 public:
  static constexpr bool good = differentiated_loop<program, loss_source, adjoint_source>::good;
  using loss_type = typename differentiated_loop<program, loss_source, adjoint_source>::loss_type;

  /// Computes the loss and the gradients, a group for each argument wanted. Raises ValueError if an iteration does not converge.
  template <class... X, class L, class... D>
  static void run(const std::tuple<const X&...>& x, const IterationLimits& limits, LoopCounts* counts, L& loss_value, const std::tuple<D&...>& gradients) {
    if constexpr (good) {
      ArenaScope scope;  // outlives the prepared calls, which take from the same memory
      fixed_point_gradient self;
      self.bind(x);
      self.place(scope);
      LoopCounts done;
      self.iterate(limits, done);
      self.iterate_adjoint(limits, done);
      self.finish();
      std::byte* const value[] = {self.loss_value_};
      take_outputs<0>(loss_value, self.loss_, value);
      self.deliver(gradients, Wanted{}, std::make_index_sequence<sizeof...(D)>{});
      if (counts) *counts = done;
    }
  }

 private:
  static constexpr auto primals = [] {
    if constexpr (good) return adjoint_source::make_primals();
    else return std::array<int, 1>{};
  }();

  template <class... X>
  void bind(const std::tuple<const X&...>& x) {
    steps_.template bind<false, A...>(x);
    loss_.template bind<true, A...>(x);
    iteration_.template bind<false, A...>(x);
    first_ = last_.template bind<false, A...>(x);
    steps_.lay_out();
    loss_.check();
    for (int k = 0; k < adjoint_count; ++k) {
      const int primal = primals[static_cast<std::size_t>(k)];
      graph::descriptor d;
      const argument_kind kind = primal >= 0 ? last_.kinds[static_cast<std::size_t>(primal)] : argument_kind{last_.type_of_output(k), 0};
      if (primal >= 0) d = last_.call.arguments[primal];
      graph::detail::contiguous_strides(d, kind.rank);
      last_.call.arguments[first_ + k] = d;
      if (k < state_count) iteration_.call.arguments[first_ + k] = iteration_.call.arguments[first_ + state_count + k] = d;
      layout_.add(k, bytes_of(d, kind));
      for (int axis = 0; axis < kind.rank; ++axis)
        if (loss_.outputs[k + 1].extent[axis] != d.extent[axis])
          raise<ShapeError>("fixed_point: an adjoint of the loss has extents ", extents_text{loss_.outputs[k + 1].extent, kind.rank}, " and not ",
                            extents_text{d.extent, kind.rank});
    }
    iteration_.check();
    last_.check();
    for (int k = 0; k < adjoint_count; ++k)
      if (const int primal = primals[static_cast<std::size_t>(k)]; primal >= 0) {
        last_.require_equal_extents(k, primal, "an adjoint of the step");
        if (k < state_count) iteration_.require_equal_extents(k, primal, "an adjoint of the step");
      }
  }

  /// Memory: the state before and after a step, what the loss gives, and adjoints before and after a step.
  void place(ArenaScope& scope) {
    for (std::byte*& block : state_) block = scope.take<std::byte>(steps_.layout.bytes);
    given_ = scope.take<std::byte>(layout_.bytes);
    for (std::byte*& block : adjoint_) block = scope.take<std::byte>(layout_.bytes);
    loss_value_ = scope.take<std::byte>(sizeof(loss_type));
    steps_.begin_at(state_[0]);
    steps_.write_to(state_[1]);
    steps_.prepare();
    look_at(iteration_, steps_.layout, state_[0]);
    for (int k = 0; k < state_count; ++k) iteration_.call.arguments[first_ + state_count + k].data = given_ + layout_.offset[k];
    point_iteration(given_, adjoint_[0]);
    iteration_.prepare();
  }
  void point_iteration(std::byte* from, std::byte* to) {
    for (int k = 0; k < state_count; ++k) {
      iteration_.call.arguments[first_ + k].data = from + layout_.offset[k];
      iteration_.outputs[k].data = to + layout_.offset[k];
    }
  }

  void iterate(const IterationLimits& limits, LoopCounts& done) {
    done.states = 2;
    done.bytes = 2 * steps_.layout.bytes;
    for (int t = 0; t < limits.steps; ++t) {
      steps_.advance(state_[0], state_[1], 0);
      std::swap(state_[0], state_[1]);
      ++done.steps;
      if (steps_.change(state_[0], state_[1]) <= limits.tolerance) return;
    }
    raise<ValueError>("fixed_point: the iteration did not converge in ", limits.steps, " steps");
  }
  void iterate_adjoint(const IterationLimits& limits, LoopCounts& done) {
    look_at(loss_, steps_.layout, state_[0]);
    loss_.outputs[0].data = loss_value_;
    for (int k = 0; k < adjoint_count; ++k) loss_.outputs[k + 1].data = given_ + layout_.offset[k];
    loss_.call.run_fresh(loss_.outputs);
    look_at(iteration_, steps_.layout, state_[0]);
    const std::byte* from = given_;
    for (int t = 0; t < limits.steps; ++t) {
      point_iteration(const_cast<std::byte*>(from), adjoint_[0]);
      iteration_.run();
      ++done.reverse_steps;
      double change = 0;
      for (int k = 0; k < state_count && change == change; ++k) {
        const std::size_t at = layout_.offset[k];
        const double one = largest_change(iteration_.type_of_output(k), from + at, adjoint_[0] + at, layout_.size[k]);
        if (!(one <= change)) change = one;
      }
      std::swap(adjoint_[0], adjoint_[1]);  // the last one is the second from here on
      from = adjoint_[1];
      if (change <= limits.tolerance) return;
    }
    raise<ValueError>("fixed_point: the adjoint equation did not converge in ", limits.steps, " steps");
  }
  void finish() {
    look_at(last_, steps_.layout, state_[0]);
    for (int k = 0; k < adjoint_count; ++k) {
      last_.call.arguments[first_ + k].data = (k < state_count ? adjoint_[1] : given_) + layout_.offset[k];
      last_.outputs[k].data = adjoint_[0] + layout_.offset[k];
    }
    last_.call.run_fresh(last_.outputs);
  }

  template <class... D, std::size_t... W, std::size_t... I>
  void deliver(const std::tuple<D&...>& gradients, std::index_sequence<W...>, std::index_sequence<I...>) {
    std::byte* blocks[adjoint_count + 1]{};
    for (int k = 0; k < adjoint_count; ++k) blocks[k] = adjoint_[0] + layout_.offset[k];
    (take_group<first_output_of<W>(), true>(last_, blocks, std::get<I>(gradients)), ...);
  }
  template <std::size_t Argument>
  static constexpr int first_output_of() {
    int k = 0;
    while (k < adjoint_count && adjoints::table.of_output[k].argument != static_cast<int>(Argument)) ++k;
    return k;
  }

  typename program::steps steps_;
  moving_call<loss_source> loss_;
  moving_call<iteration_source> iteration_;
  moving_call<adjoint_source> last_;
  block_layout<adjoint_count> layout_;
  std::byte* state_[2]{};
  std::byte* adjoint_[2]{};
  std::byte* given_ = nullptr;
  std::byte* loss_value_ = nullptr;
  int first_ = 0;
};

/// A fixed point as a function object of a first guess and of what the step wants besides.
template <class F, class Loss = no_function>
struct FixedPoint {
  static constexpr bool has_loss = !std::is_same_v<Loss, no_function>;
  IterationLimits limits{};

  /// The solution, or its loss.
  template <class S, class... X>
  auto operator()(const S& guess, const X&... x) const {
    if constexpr (!are_values<S, X...>()) return Unknown{};
    else return solve(guess, x...);
  }

 private:
  template <class S, class... X>
  auto solve(const S& guess, const X&... x) const {
    using value = loop_value<F, LoopState<S>, X...>;
    if constexpr (!has_no_sequences<X...>() || !value::good) return Unknown{};
    else if constexpr (!has_no_outputs<S, X...>()) return Unknown{};
    else {
      const std::tuple<const S&, const X&...> arguments(guess, x...);
      value loop(arguments);
      loop.run_until(limits);
      if constexpr (has_loss) return loop.template loss<Loss>(arguments);
      else return loop.state(guess);
    }
  }

 public:
  template <class S, class... X>
  static constexpr bool has_no_outputs() {
    constexpr bool good = !loop_value<F, LoopState<S>, X...>::has_outputs;
    static_assert(good, "fixed_point: a step gives no outputs along the way");
    return good;
  }
  template <class... X>
  static constexpr bool has_no_sequences() {
    constexpr bool good = !(is_sequence_argument<X> || ...);
    static_assert(good, "fixed_point: each(…) has no meaning where every step is the same");
    return good;
  }
};

/// The loss of a fixed point with its gradients with respect to the arguments numbered I.
template <class P, int... I>
struct FixedPointGradient;
template <class F, class Loss, int... I>
struct FixedPointGradient<FixedPoint<F, Loss>, I...> {
  FixedPoint<F, Loss> solution;
  FixedPointOptions options{};

  template <class S, class... X>
  auto operator()(const S& guess, const X&... x) const {
    using gradient = fixed_point_gradient<F, Loss, std::index_sequence<static_cast<std::size_t>(I)...>, LoopState<S>, X...>;
    if constexpr (!check<1 + sizeof...(X), X...>()) return unknowns();
    else if constexpr (!gradient::good || !FixedPoint<F, Loss>::template has_no_outputs<S, X...>()) return unknowns();
    else {
      const std::tuple<const S&, const X&...> all(guess, x...);
      auto result = std::make_tuple(Tensor<typename gradient::loss_type, extents<>>(), make_gradient_like(std::get<static_cast<std::size_t>(I)>(all))...);
      std::apply([&](auto& loss, auto&... part) { gradient::run(all, solution.limits, options.counts, loss, std::tie(part...)); }, result);
      return result;
    }
  }
  /// Computes into a loss and gradients, `into(std::tie(loss, gradient…), arguments…)`.
  template <class L, class... D, class S, class... X>
  void into(std::tuple<L&, D&...> destinations, const S& guess, const X&... x) const {
    constexpr bool enough = sizeof...(D) == sizeof...(I);
    static_assert(enough, "into: there are not as many destinations as the loss and its gradients");
    if constexpr (check<1 + sizeof...(X), X...>() && enough) {
      using gradient = fixed_point_gradient<F, Loss, std::index_sequence<static_cast<std::size_t>(I)...>, LoopState<S>, X...>;
      if constexpr (gradient::good && FixedPoint<F, Loss>::template has_no_outputs<S, X...>())
        std::apply([&](auto& loss, auto&... part) {
          gradient::run(std::tuple<const S&, const X&...>(guess, x...), solution.limits, options.counts, loss, std::tie(part...));
        }, destinations);
    }
  }

 private:
  static auto unknowns() { return std::make_tuple(Unknown{}, (static_cast<void>(I), Unknown{})...); }
  template <std::size_t Arguments, class... X>
  static constexpr bool check() {
    constexpr bool exists = ((I >= 1 && I < static_cast<int>(Arguments)) && ...);
    static_assert(exists, "fixed_point: there is no argument of that number to differentiate by");
    return exists && FixedPoint<F, Loss>::template has_no_sequences<X...>();
  }
};

/// The fixed point of a solution with its tangent for tangents of the arguments numbered I: the pair of both is one too.
template <class P, int... I>
struct tangent_fixed_point;
template <class F, class Loss, int... I>
struct tangent_fixed_point<FixedPoint<F, Loss>, I...> {
  /// Calls use(fixed point, pair of the guess and 0, the other arguments, their tangents), where the loss returns `OfLoss`.
  template <tangent_result OfLoss, class Use, class S, class... X>
  static auto with(const Use& use, const IterationLimits& limits, const S& guess, const X&... x) {
    constexpr bool good = sizeof...(X) >= 2 * sizeof...(I) && ((I >= 1 && I <= static_cast<int>(sizeof...(X) - sizeof...(I))) && ...);
    static_assert(good, "jvp: behind the arguments of a fixed point come tangents of those numbered");
    if constexpr (!good) return Unknown{};
    else {
      constexpr std::size_t primals = 1 + sizeof...(X) - sizeof...(I);
      using step = tangent_of_step<F, primals, tangent_result::both, static_cast<std::size_t>(I)...>;
      using loss = tangent_of_step<Loss, primals, OfLoss, static_cast<std::size_t>(I)...>;
      const FixedPoint<step, std::conditional_t<std::is_same_v<Loss, no_function>, no_function, loss>> pair{limits};
      auto zero = make_like(guess);
      std::apply([](auto&... leaf) { (set_to_zero(leaf), ...); }, value_group<decltype(zero)>::tie(zero));
      return use(pair, std::tie(guess, std::as_const(zero)), x...);
    }
  }
};

/// The solution or its loss, and its tangent.
template <class P, int... I>
struct FixedPointTangent {
  P solution;
  template <class S, class... X>
  auto operator()(const S& guess, const X&... x) const {
    const auto evaluate = [](const auto& pair, const auto&... all) { return pair(all...); };
    return tangent_fixed_point<P, I...>::template with<tangent_result::both>(evaluate, solution.limits, guess, x...);
  }
};

/// The Hessian of the loss times a direction, as for loops.
template <class P, int... I>
struct FixedPointHessianProduct {
  P solution;
  FixedPointOptions options{};
  template <class S, class... X>
  auto operator()(const S& guess, const X&... x) const {
    return tangent_fixed_point<P, I...>::template with<tangent_result::tangent>([&]<class Pair>(const Pair& pair, const auto&... all) {
      auto result = FixedPointGradient<Pair, I...>{pair, options}(all...);
      if constexpr (sizeof...(I) == 1) return std::get<1>(std::move(result));
      else return std::apply([](auto&, auto&... product) { return std::tuple(std::move(product)...); }, result);
    }, solution.limits, guess, x...);
  }
};

}  // namespace detail
}  // namespace fluxion
