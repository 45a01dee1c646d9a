/// Loops whose number of steps only the run knows: `scan`, `iterate`, `while_loop`, `fixed_point`, and their derivatives. The step is traced and compiled
/// once; its adjoint is run backwards over states that were kept, or that are computed again from checkpoints.
///
///     constexpr auto euler = [](auto x, auto k) { return x - 0.01 * k * x; };
///     constexpr auto square = [](auto x, auto) { return fx::sum(x * x); };
///     auto x = fx::iterate(euler)(x0, 1000, k);
///     auto [loss, dx0, dk] = fx::value_and_grad<0, 2>(fx::iterate(euler, square), {fx::checkpoints(20)})(x0, 1000, k);
#pragma once
#include "loop/chain.hpp"
#include "loop/fixed_point.hpp"
#include "loop/function.hpp"
#include "loop/tangent.hpp"

namespace fluxion {

namespace detail {

template <loop_kind Kind, class F, class Loss, class Condition>
constexpr auto make_loop() {
  constexpr bool without_captures = is_without_captures<F> && is_without_captures<Loss> && is_without_captures<Condition>;
  static_assert(without_captures, "a loop wants functions without captures; pass what they capture as an argument");
  if constexpr (without_captures) return Loop<Kind, F, Loss, Condition>{};
  else return Unknown{};
}

}  // namespace detail

/// A loop over sequences: `scan(step)(state, each(xs), w)` is the state after `state = step(state, x, w)` for each x of xs. The state is a
/// tensor, a number, a model of parameters, or a tuple or an array of such; so are arguments that are not sequences, which every step gets
/// as they are. With a loss the value is that of `loss(state, w)` for the last state; it does not see sequences.
template <class F, class Loss = detail::no_function>
constexpr auto scan(const F&, const Loss& = {}) {
  return detail::make_loop<detail::loop_kind::scan, F, Loss, detail::no_function>();
}
/// The same at once, as in JAX.
template <class F, class S, class X, class... Rest>
auto scan(const F& step, const S& state, const X& x, const Rest&... rest) {
  return scan(step)(state, x, rest...);
}

/// A loop of a given number of steps: `iterate(step)(state, n, w)` is the state after n times `state = step(state, w)`.
template <class F, class Loss = detail::no_function>
constexpr auto iterate(const F&, const Loss& = {}) {
  return detail::make_loop<detail::loop_kind::iterate, F, Loss, detail::no_function>();
}
template <class F, class S, class N, class... Rest>
  requires(std::is_integral_v<N>)
auto iterate(const F& step, const S& state, N n, const Rest&... rest) {
  return iterate(step)(state, n, rest...);
}

/// Steps as long as `condition(state, w)` holds, one bool: `while_loop(condition, step)(state, w)`. Its gradient runs it once to count.
template <class C, class F, class Loss = detail::no_function>
constexpr auto while_loop(const C&, const F&, const Loss& = {}) {
  return detail::make_loop<detail::loop_kind::while_, F, Loss, C>();
}

/// The loss of a loop and its gradients with respect to the arguments numbered I (the number of steps counts as one). Reverse mode; `options`
/// say which states are kept and where counts are wanted. Each step's adjoint is one plan, recorded and compiled once.
template <int... I, detail::loop_kind Kind, class F, class Loss, class Condition>
constexpr auto value_and_grad(const detail::Loop<Kind, F, Loss, Condition>&, const LoopOptions& options = {}) {
  constexpr bool has_loss = detail::Loop<Kind, F, Loss, Condition>::has_loss;
  static_assert(has_loss, "value_and_grad: a loop needs a loss of its last state: scan(step, loss)");
  if constexpr (!has_loss) return Unknown{};
  else if constexpr (sizeof...(I) == 0) return detail::LoopGradient<detail::Loop<Kind, F, Loss, Condition>, 0>{options};
  else return detail::LoopGradient<detail::Loop<Kind, F, Loss, Condition>, I...>{options};
}

/// Forward mode through a loop: `auto [y, dy] = jvp<0, 2>(iterate(step))(x, n, k, dx, dk)`, the last state or its loss, and its tangent for
/// tangents of the arguments numbered I, which come last in that order. Memory does not grow with the number of steps.
template <int... I, detail::loop_kind Kind, class F, class Loss, class Condition>
constexpr auto jvp(const detail::Loop<Kind, F, Loss, Condition>&) {
  if constexpr (sizeof...(I) == 0) return detail::LoopTangent<detail::Loop<Kind, F, Loss, Condition>, 0>{};
  else return detail::LoopTangent<detail::Loop<Kind, F, Loss, Condition>, I...>{};
}

/// The Hessian of a loop's loss times a direction: `hvp<0, 2>(iterate(step, loss))(x, n, k, dx, dk)` are the products for the arguments numbered I, a
/// tuple of several; the directions come last. Reverse over forward mode: the gradient of the loss' tangent, with states of twice the size.
template <int... I, detail::loop_kind Kind, class F, class Loss, class Condition>
constexpr auto hvp(const detail::Loop<Kind, F, Loss, Condition>&, const LoopOptions& options = {}) {
  using loop = detail::Loop<Kind, F, Loss, Condition>;
  static_assert(loop::has_loss, "hvp: a loop needs a loss of its last state: scan(step, loss)");
  if constexpr (!loop::has_loss) return Unknown{};
  else if constexpr (sizeof...(I) == 0) return detail::LoopHessianProduct<loop, 0>{options};
  else return detail::LoopHessianProduct<loop, I...>{options};
}

/// The x with x = step(x, w), for a step that contracts: `fixed_point(step)(guess, w)`. It iterates until a step changes no element by more than the
/// tolerance, and raises ValueError if that takes too many. With a loss the value is that of `loss(x, w)`.
template <class F, class Loss = detail::no_function>
constexpr auto fixed_point(const F&, const Loss& = {}, const IterationLimits& limits = {1e-6, 1000}) {
  constexpr bool without_captures = detail::is_without_captures<F> && detail::is_without_captures<Loss>;
  static_assert(without_captures, "a fixed point wants functions without captures; pass what they capture as an argument");
  if constexpr (without_captures) return detail::FixedPoint<F, Loss>{limits};
  else return Unknown{};
}

/// The loss of a fixed point and its gradients with respect to the arguments numbered I, which are behind the guess: by iterating the adjoint
/// equation at the solution, with the same limits. Memory and work do not depend on how the solution was found; nothing but the solution is kept.
template <int... I, class F, class Loss>
constexpr auto value_and_grad(const detail::FixedPoint<F, Loss>& solution, const FixedPointOptions& options = {}) {
  constexpr bool has_loss = detail::FixedPoint<F, Loss>::has_loss;
  static_assert(has_loss, "value_and_grad: a fixed point needs a loss of its solution: fixed_point(step, loss)");
  constexpr bool by_what = sizeof...(I) > 0 && ((I != 0) && ...);
  static_assert(by_what || !has_loss, "value_and_grad: a fixed point does not depend on its guess, argument 0; say by what, as in value_and_grad<1>");
  if constexpr (!has_loss || !by_what) return Unknown{};
  else return detail::FixedPointGradient<detail::FixedPoint<F, Loss>, I...>{solution, options};
}

/// Forward mode through a fixed point, iterated together with its tangent: `auto [x, dx] = jvp<1>(fixed_point(step))(guess, w, dw)`.
template <int... I, class F, class Loss>
constexpr auto jvp(const detail::FixedPoint<F, Loss>& solution) {
  constexpr bool by_what = sizeof...(I) > 0 && ((I != 0) && ...);
  static_assert(by_what, "jvp: a fixed point does not depend on its guess, argument 0; say by what, as in jvp<1>");
  if constexpr (!by_what) return Unknown{};
  else return detail::FixedPointTangent<detail::FixedPoint<F, Loss>, I...>{solution};
}

/// The Hessian of a fixed point's loss times a direction: `hvp<1>(fixed_point(step, loss))(guess, w, dw)`.
template <int... I, class F, class Loss>
constexpr auto hvp(const detail::FixedPoint<F, Loss>& solution, const FixedPointOptions& options = {}) {
  constexpr bool good = detail::FixedPoint<F, Loss>::has_loss && sizeof...(I) > 0 && ((I != 0) && ...);
  static_assert(good, "hvp: say by which arguments of a fixed point with a loss, but not by the guess, argument 0, as in hvp<1>");
  if constexpr (!good) return Unknown{};
  else return detail::FixedPointHessianProduct<detail::FixedPoint<F, Loss>, I...>{solution, options};
}

/// A traced function, a loop without a loss and a traced function as one that can be differentiated: `chain(before, iterate(step), after)(n, x…)`.
/// before(x…) returns the arguments of the loop in a tuple, the state first, sequences marked by each(…), or the state alone; after(state, x…) sees the
/// last state, what the steps gave along the way if they did, and all arguments. The number of steps of `iterate` comes first.
template <class Before, detail::loop_kind Kind, class F, class Condition, class After>
constexpr auto chain(const Before&, const detail::Loop<Kind, F, detail::no_function, Condition>&, const After&) {
  constexpr bool without_captures = detail::is_without_captures<Before> && detail::is_without_captures<After>;
  static_assert(without_captures, "a chain wants functions without captures; pass what they capture as an argument");
  if constexpr (without_captures) return detail::Chain<Before, detail::Loop<Kind, F, detail::no_function, Condition>, After>{};
  else return Unknown{};
}

/// The value of a chain, which is one number, and its gradients with respect to the arguments numbered I (the number of steps counts as one): the loop
/// is reversed as `options` say, with what only `after` uses left out of the steps, then the adjoint of `before` is one plan.
template <int... I, class Before, class L, class After>
constexpr auto value_and_grad(const detail::Chain<Before, L, After>&, const LoopOptions& options = {}) {
  using chain_type = detail::Chain<Before, L, After>;
  if constexpr (sizeof...(I) == 0) return detail::ChainGradient<chain_type, chain_type::counts>{options};
  else return detail::ChainGradient<chain_type, I...>{options};
}

}  // namespace fluxion
