/// Loops on the tape: `scan`, `iterate` and `while_loop` of variables are one node each, whose backward is the loop's own adjoint over checkpoints.
///
///     fx::Var y = fx::iterate(euler)(x, 1000, k);                                  // x and k are variables, or parameters
///     fx::Var z = fx::on_tape(fx::iterate(euler), {fx::checkpoints(20)})(x, 1000, k);
#pragma once
#include "loop.hpp"
#include "tape/given_gradient.hpp"

#include <array>
#include <cstddef>
#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>

namespace fluxion {
namespace detail {

/// An argument of a recorded loop, as its node keeps it; `get()` is what the loop is called with. Here: something without a gradient, copied.
template <class X>
struct kept_argument {
  static constexpr bool has_gradient = false, is_good = std::is_arithmetic_v<X>;
  explicit kept_argument(const X& x) : value(x) {}
  const X& get() const { return value; }
  bool changed() const { return false; }
  static bool wanted(const X&) { return false; }
  static void check(const X&, const Tape&) {}
  void describe(NodeDescription&) const {}
  X value;
};
/// Tensors and views are shared, and watched as those of statements are.
template <class X>
  requires requires(const X& x) {
    x.mapping();
    typename X::extents_type;
    requires !ParameterLike<X>;
  }
struct kept_argument<X> {
  using leaf = std::remove_cvref_t<decltype(as_expression(std::declval<const X&>()))>;
  static constexpr bool has_gradient = false, is_good = true;
  explicit kept_argument(const X& x) : value(as_expression(x)), views(value) {}
  auto get() const {
    if constexpr (saved_share<leaf>::is_one)
      return View<const typename X::value_type, typename X::extents_type, layout_right>(value.block.template data<typename X::value_type>(), value.mapping.extents());
    else return value;
  }
  bool changed() const { return argument_traits<leaf>::changed(value) || views.changed(); }
  static bool wanted(const X&) { return false; }
  static void check(const X&, const Tape&) {}
  void describe(NodeDescription&) const {}
  leaf value;
  [[no_unique_address]] WatchedViews<view_leaves<leaf>> views;
};
template <class T, class E>
struct kept_argument<Var<T, E>> : given_input<Var<T, E>> {
  static constexpr bool is_good = true;
  using given_input<Var<T, E>>::given_input;
  View<const T, E, layout_right> get() const { return {reinterpret_cast<const T*>(this->leaf().value), this->extents()}; }
  bool changed() const { return this->reference.changed(); }
};
template <ParameterLike P>
struct kept_argument<P> : given_input<P> {
  static constexpr bool is_good = true;
  explicit kept_argument(const P& p) : given_input<P>(p), version(p.version()) {}
  View<const typename P::value_type, typename P::extents_type, layout_right> get() const { return {this->parameter->data(), this->extents()}; }
  bool changed() const { return this->parameter->version() != version; }
  std::size_t version;
};
template <class X>
struct kept_argument<Sequence<X>> : kept_argument<X> {
  explicit kept_argument(const Sequence<X>& x) : kept_argument<X>(x.values) {}
  static bool wanted(const Sequence<X>& x) { return kept_argument<X>::wanted(x.values); }
  static void check(const Sequence<X>& x, const Tape& tape) { kept_argument<X>::check(x.values, tape); }
};

/// What a kept argument is while the loop runs: sequences refer to values that must be somewhere.
template <class X>
struct argument_in_use {
  explicit argument_in_use(const kept_argument<X>& x) : value(x.get()) {}
  const auto& get() const { return value; }
  std::remove_cvref_t<decltype(std::declval<const kept_argument<X>&>().get())> value;
};
template <class X>
struct argument_in_use<Sequence<X>> : argument_in_use<X> {
  explicit argument_in_use(const kept_argument<Sequence<X>>& x) : argument_in_use<X>(x) {}
  auto get() const { return each(this->value); }
};

template <class X>
inline constexpr bool is_loop_variable = is_var<X>;
template <class X>
  requires(Expression<X> && count_gradient_leaves<X>() > 0)
inline constexpr bool is_loop_variable<X> = true;
template <class X>
inline constexpr bool is_loop_variable<Sequence<X>> = is_var<X>;
template <class... X>
inline constexpr bool is_loop_variable<std::tuple<X...>> = (is_loop_variable<X> || ...);
template <class X, std::size_t N>
inline constexpr bool is_loop_variable<std::array<X, N>> = is_loop_variable<X>;

/// F without its last argument.
template <class F>
struct WithoutLast {
  template <class... X>
  constexpr auto operator()(const X&... x) const {
    return [&]<std::size_t... I>(std::index_sequence<I...>, const auto& all) { return F{}(std::get<I>(all)...); }(
        std::make_index_sequence<sizeof...(X) - 1>{}, std::tie(x...));
  }
};
template <>
struct WithoutLast<no_function> : no_function {};

/// The number whose gradients are those of a loop for a given gradient of its value, which is the last argument.
template <class Loss>
struct SeededLoss {
  template <class S, class... X>
  constexpr auto operator()(const S& state, const X&... x) const {
    const auto& seed = std::get<sizeof...(X) - 1>(std::tie(x...));
    if constexpr (std::is_same_v<Loss, no_function>) return sum(state * seed);
    else return WithoutLast<Loss>{}(state, x...) * seed;
  }
};

/// The numbers of the arguments that have a gradient.
template <class... X>
struct loop_wanted {
  static constexpr int count = (static_cast<int>(kept_argument<X>::has_gradient) + ... + 0);
  static constexpr auto numbers = [] {
    std::array<int, sizeof...(X)> n{};
    int argument = 0;
    std::size_t k = 0;
    (..., (kept_argument<X>::has_gradient ? void(n[k++] = argument++) : void(++argument)));
    return n;
  }();
};

template <class L, class V, class... X>
class LoopNode;
template <loop_kind Kind, class F, class Loss, class Condition, class V, class... X>
class LoopNode<Loop<Kind, F, Loss, Condition>, V, X...> final : public TapeNode {
  using seeded = Loop<Kind, WithoutLast<F>, SeededLoss<Loss>, WithoutLast<Condition>>;
  using wanted = loop_wanted<X...>;

 public:
  LoopNode(const LoopOptions& options, const V& value_of_loop, std::tuple<kept_argument<X>...>&& arguments)
      : options_(options), value_(value_of_loop), arguments_(std::move(arguments)) {
    adopt_value(*this, value_.node());
  }
  void backward(Sweep& sweep) override {
    if (changed()) raise_changed(*this);
    run(sweep, std::make_index_sequence<static_cast<std::size_t>(wanted::count)>{}, std::index_sequence_for<X...>{});
  }
  bool changed() const override {
    return std::apply([](const auto&... x) { return (x.changed() || ...); }, *arguments_);
  }
  void describe(NodeDescription& d) const override {
    d.name = Kind == loop_kind::scan ? "scan" : Kind == loop_kind::iterate ? "iterate" : "while_loop";
    if (arguments_) std::apply([&](const auto&... x) { (x.describe(d), ...); }, *arguments_);
  }
  void release() override { arguments_.reset(); }

 private:
  template <std::size_t... W, std::size_t... I>
  void run(Sweep& sweep, std::index_sequence<W...>, std::index_sequence<I...>) {
    using T = typename V::value_type;
    const std::tuple<argument_in_use<X>...> used(std::get<I>(*arguments_)...);
    const View<const T, typename V::extents_type, layout_right> seed(reinterpret_cast<const T*>(adjoint), extents<typename V::extents_type>());
    const auto found = LoopGradient<seeded, wanted::numbers[W]...>{options_}(std::get<I>(used).get()..., seed);
    const auto give = [&](const auto& kept, const auto& gradient) {
      const auto extents = gradient.extents().to_array();
      sweep.add(kept.leaf(), reinterpret_cast<const std::byte*>(gradient.data()), extents.data());
    };
    (give(std::get<static_cast<std::size_t>(wanted::numbers[W])>(*arguments_), std::get<W + 1>(found)), ...);
  }

  LoopOptions options_;
  V value_;
  std::optional<std::tuple<kept_argument<X>...>> arguments_;
};

/// Runs a loop of variables, and records it if one of them requires a gradient.
template <class L, class S, class... X>
auto record_loop(const L& loop, const LoopOptions& options, const S& state, const X&... x) {
  constexpr bool good = kept_argument<S>::is_good && (kept_argument<X>::is_good && ...);
  static_assert(good, "a loop of variables takes variables, parameters, tensors, views and numbers, and has one state; of a model, pass the parameters");
  if constexpr (!good) return Unknown{};
  else {
    using kept_type = std::tuple<kept_argument<S>, kept_argument<X>...>;
    const bool recorded = is_grad_enabled() && (kept_argument<S>::wanted(state) || ... || kept_argument<X>::wanted(x));
    Tape& tape = Tape::of_this_thread();
    if (recorded) kept_argument<S>::check(state, tape), (kept_argument<X>::check(x, tape), ...);
    const std::size_t uses = tape.uses();
    kept_type kept{kept_argument<S>(state), kept_argument<X>(x)...};
    const std::size_t held = tape.uses() - uses;
    const auto value = [&]<std::size_t... I>(std::index_sequence<I...>) {
      const std::tuple<argument_in_use<S>, argument_in_use<X>...> used(std::get<I>(kept)...);
      auto result = loop(std::get<I>(used).get()...);
      constexpr bool has_one = requires { typename decltype(result)::extents_type; };
      static_assert(has_one, "a loop of variables has one value: its steps cannot give outputs");
      if constexpr (has_one) return to_variable(std::move(result), {});
      else return Unknown{};
    }(std::index_sequence_for<S, X...>{});
    using V = std::remove_cvref_t<decltype(value)>;
    if constexpr (!is_var<V>) return Unknown{};
    else {
      if (!recorded) return V(value);
      tape.prepare();
      auto* const node = tape.append<LoopNode<L, V, S, X...>>(options, value, std::move(kept));
      tape.drop_handles(held);
      return V(NodeHandle(node, tape));
    }
  }
}

/// Expressions are statements of their own.
template <class X>
decltype(auto) as_loop_argument(const X& x) {
  if constexpr (Expression<X>) return to_variable(x, {});
  else return (x);
}

template <class L, class... X>
  requires(is_loop_variable<X> || ...)
struct loop_of_variables<L, X...> {
  static constexpr bool applies = true;
  static auto record(const L& loop, const X&... x) { return record_loop(loop, {}, as_loop_argument(x)...); }
};

/// A loop with the way that its backward goes.
template <class L>
struct LoopOnTape {
  LoopOptions options;
  template <class... X>
  auto operator()(const X&... x) const {
    constexpr bool has_variables = (is_loop_variable<X> || ...);
    static_assert(has_variables, "on_tape: no argument of the loop is a variable");
    if constexpr (has_variables) return record_loop(L{}, options, as_loop_argument(x)...);
    else return Unknown{};
  }
};

}  // namespace detail

/// A loop of variables as one node of the tape, with options for its backward: how many states are kept, and where counts are wanted. Without, all are
/// kept. The state is a variable, a parameter or a tensor; so are the other arguments, which may be numbers, and sequences of such. Not with create_graph.
template <detail::loop_kind Kind, class F, class Loss, class Condition>
constexpr auto on_tape(const detail::Loop<Kind, F, Loss, Condition>&, const LoopOptions& options = {}) {
  return detail::LoopOnTape<detail::Loop<Kind, F, Loss, Condition>>{options};
}

}  // namespace fluxion
