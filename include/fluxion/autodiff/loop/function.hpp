/// A loop as a function object: what its arguments are in its program, and its gradient.
#pragma once
#include "reverse.hpp"

namespace fluxion::detail {

enum class loop_kind { scan, iterate, while_ };

/// In place of a loss or a condition: there is none.
struct no_function {};

template <class F>
inline constexpr bool is_without_captures = std::is_empty_v<F> && std::is_default_constructible_v<F>;

template <class X>
inline constexpr bool is_sequence_argument = false;
template <class X>
inline constexpr bool is_sequence_argument<Sequence<X>> = true;

/// Loops of variables of the tape: in autodiff/loop_node.hpp.
template <class L, class... X>
struct loop_of_variables {
  static constexpr bool applies = false;
};

/// A loop: called with a state, with the number of steps where the kind wants one, and with sequences and what is the same in every step.
template <loop_kind Kind, class F, class Loss = no_function, class Condition = no_function>
struct Loop {
  static constexpr bool has_loss = !std::is_same_v<Loss, no_function>;

  /// The state after the last step, a pair of that and the outputs if there are any, or the loss.
  template <class S, class... X>
  auto operator()(const S& state, const X&... x) const {
    if constexpr (loop_of_variables<Loop, S, X...>::applies) return loop_of_variables<Loop, S, X...>::record(*this, state, x...);
    else return normalised([&]<class... A>(std::type_identity<std::tuple<A...>>, const auto& arguments, index_t n) {
      using value = loop_value<F, A...>;
      if constexpr (!value::good) return Unknown{};
      else {
        constexpr bool is_counted = Kind != loop_kind::while_ || !value::has_outputs;
        static_assert(is_counted, "while_loop: its steps give no outputs, because their number is not known: use scan or iterate");
        if constexpr (!is_counted) return Unknown{};
        else {
          value loop(arguments, n);
          run(loop, arguments, n);
          if constexpr (has_loss) return loop.template loss<Loss>(arguments);
          else if constexpr (value::has_outputs) return std::pair(loop.state(state), loop.take_outputs());
          else return loop.state(state);
        }
      }
    }, state, x...);
  }

  template <class Value, class Arguments>
  static index_t run(Value& loop, const Arguments& arguments, index_t n) {
    if constexpr (Kind == loop_kind::while_) return loop.template run_while<Condition>(arguments);
    else {
      if constexpr (Kind == loop_kind::scan) n = loop.length();
      loop.run(n);
      return n;
    }
  }

  /// Calls use(types of arguments, references to them, number of steps), where the number of steps is -1 if the arguments do not say it.
  template <class Use, class S, class... X>
  static auto normalised(const Use& use, const S& state, const X&... x) {
    if constexpr (!are_values<S, X...>()) return Unknown{};
    else if constexpr (Kind == loop_kind::iterate) return counted(use, state, x...);
    else {
      constexpr bool good = (Kind == loop_kind::scan) == (is_sequence_argument<X> || ...);
      static_assert(good || Kind != loop_kind::scan, "scan: no argument is a sequence: write fx::each(xs), or use iterate");
      static_assert(good || Kind == loop_kind::scan, "while_loop: each(…) has no meaning where a condition ends the loop");
      if constexpr (!good) return Unknown{};
      else return use(std::type_identity<std::tuple<LoopState<S>, X...>>{}, std::tuple<const S&, const X&...>(state, x...), index_t{-1});
    }
  }

 private:
  template <class Use, class S, class N, class... X>
  static auto counted(const Use& use, const S& state, const N& steps, const X&... x) {
    constexpr bool is_number = std::is_integral_v<N>, has_sequences = (is_sequence_argument<X> || ...);
    static_assert(is_number, "iterate: the argument behind the state is the number of steps");
    static_assert(!has_sequences, "iterate: sequences say how many steps there are: use scan");
    if constexpr (!is_number || has_sequences) return Unknown{};
    else {
      const StepCount count{static_cast<index_t>(steps)};
      if (count.steps < 0) raise<ValueError>("iterate: the number of steps is ", count.steps);
      return use(std::type_identity<std::tuple<LoopState<S>, StepCount, X...>>{}, std::tuple<const S&, const StepCount&, const X&...>(state, count, x...),
                 count.steps);
    }
  }
};

template <class X>
auto make_gradient_of(const X& x) {
  return make_gradient_like(x);
}
template <class X>
auto make_gradient_of(const Sequence<X>& x) {
  return make_gradient_like(x.values);
}

/// The loss of a loop with its gradients with respect to the arguments numbered I.
template <class L, int... I>
struct LoopGradient;
template <loop_kind Kind, class F, class Loss, class Condition, int... I>
struct LoopGradient<Loop<Kind, F, Loss, Condition>, I...> {
  using loop_type = Loop<Kind, F, Loss, Condition>;
  LoopOptions options{};

  /// The loss and the gradients, each of the structure of its argument; a number's is a tensor of rank 0.
  template <class S, class... X>
  auto operator()(const S& state, const X&... x) const {
    if constexpr (!check<1 + sizeof...(X)>()) return unknowns();
    else return compute_new(std::tie(state, x...), state, x...);
  }

 private:
  template <class All, class S, class... X>
  auto compute_new(const All& all, const S& state, const X&... x) const {
    return loop_type::normalised([&]<class... A>(std::type_identity<std::tuple<A...>>, const auto& arguments, index_t n) {
      using gradient = loop_gradient<F, Loss, std::index_sequence<static_cast<std::size_t>(I)...>, A...>;
      if constexpr (!gradient::good || !is_counted<A...>()) return unknowns();
      else {
        auto result = std::make_tuple(Tensor<typename gradient::loss_type, extents<>>(), make_gradient_of(std::get<static_cast<std::size_t>(I)>(all))...);
        std::apply([&](auto& loss, auto&... part) { compute<gradient, A...>(arguments, n, loss, std::tie(part...)); }, result);
        return result;
      }
    }, state, x...);
  }

 public:
  /// Computes into a loss and gradients, `into(std::tie(loss, gradient…), arguments…)`. Once this thread has the memory for states, nothing
  /// is allocated.
  template <class L, class... D, class S, class... X>
  void into(std::tuple<L&, D&...> destinations, const S& state, const X&... x) const {
    constexpr bool enough = sizeof...(D) == sizeof...(I);
    static_assert(enough, "into: there are not as many destinations as the loss and its gradients");
    if constexpr (check<1 + sizeof...(X)>() && enough) loop_type::normalised([&]<class... A>(std::type_identity<std::tuple<A...>>, const auto& arguments, index_t n) {
      using gradient = loop_gradient<F, Loss, std::index_sequence<static_cast<std::size_t>(I)...>, A...>;
      if constexpr (gradient::good && is_counted<A...>())
        std::apply([&](auto& loss, auto&... part) { compute<gradient, A...>(arguments, n, loss, std::tie(part...)); }, destinations);
    }, state, x...);
  }

 private:
  template <std::size_t Arguments>
  static constexpr bool check() {
    constexpr bool exists = ((I >= 0 && I < static_cast<int>(Arguments)) && ...), is_value = Kind != loop_kind::iterate || ((I != 1) && ...);
    static_assert(exists, "value_and_grad: there is no argument of that number");
    static_assert(is_value, "value_and_grad: the number of steps has no gradient");
    return exists && is_value;
  }
  template <class... A>
  static constexpr bool is_counted() {
    constexpr bool good = Kind != loop_kind::while_ || !loop_value<F, A...>::has_outputs;
    static_assert(good, "while_loop: its steps give no outputs, because their number is not known: use scan or iterate");
    return good;
  }
  static auto unknowns() { return std::make_tuple(Unknown{}, (static_cast<void>(I), Unknown{})...); }
  template <class Gradient, class... A, class Arguments, class L, class... D>
  void compute(const Arguments& arguments, index_t n, L& loss, const std::tuple<D&...>& gradients) const {
    if constexpr (Kind == loop_kind::while_) {
      loop_value<F, A...> loop(arguments);
      n = loop_type::run(loop, arguments, n);
    }
    Gradient::run(arguments, n, options, loss, gradients);
    if (Kind == loop_kind::while_ && options.counts) options.counts->steps += n;
  }
};

}  // namespace fluxion::detail
