/// checkpoint: a part of a computation of which only the inputs are stored; backward computes the rest again, as torch.utils.checkpoint.
///
///     fx::Var h2 = fx::checkpoint([&](const auto& h) { return block.forward(h); }, h);
///     fx::Var h3 = fx::checkpoint([&](const auto& h, fx::Generator& g) { return dropout.forward(h, fx::train(g)); }, h2, generator);
#pragma once
#include "../core/generator.hpp"
#include "tape/given_gradient.hpp"

#include <cstddef>
#include <cstring>
#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>

namespace fluxion {

namespace detail {

/// An input of a checkpoint, as its node keeps it: something that is copied.
template <class X>
struct checkpoint_input {
  static constexpr bool is_parameter = ParameterLike<X>;
  static_assert(!is_parameter, "checkpoint: parameters and models are captured by reference, not passed");
  explicit checkpoint_input(const X& x) : value(x) {}
  static void check(const X&, const Tape&) {}
  void describe(NodeDescription&) const {}
  bool changed() const { return false; }
  const X& again(Tape&) const { return value; }
  const X& recorded(Tape&) const { return value; }
  void finish(Sweep&, const X&) const {}
  X value;
};
/// The state of a generator: backward sees the same random numbers.
template <>
struct checkpoint_input<Generator> {
  explicit checkpoint_input(const Generator& g) : state(g) {}
  static void check(const Generator&, const Tape&) {}
  void describe(NodeDescription&) const {}
  bool changed() const { return false; }
  Generator again(Tape&) const { return state; }
  Generator recorded(Tape&) const { return state; }
  void finish(Sweep&, const Generator&) const {}
  Generator state;
};
template <class T, class E>
struct checkpoint_input<Var<T, E>> : given_input<Var<T, E>> {
  using base = given_input<Var<T, E>>;
  using base::base;
  bool changed() const { return this->reference.changed(); }
  /// The value as a leaf of the inner tape.
  Var<T, E> again(Tape& inner) const {
    TapeNode& x = this->leaf();
    return Var<T, E>(make_input(inner, x, x.value, x.requires_grad));
  }
  /// The variable itself.
  Var<T, E> recorded(Tape& tape) const { return Var<T, E>(handle_of(this->leaf(), tape)); }
  void finish(Sweep& sweep, const Var<T, E>& inner) const {
    const TapeNode& x = inner.node();
    if (x.has_adjoint) sweep.add(this->leaf(), x.adjoint, x.extent);
  }
};

template <class F, class V, class... X>
class CheckpointNode final : public TapeNode {
 public:
  CheckpointNode(const F& f, const V& value_of_forward, std::tuple<checkpoint_input<X>...>&& inputs)
      : parts_(std::in_place, f, std::move(inputs)), value_(value_of_forward) {
    adopt_value(*this, value_.node());
  }

  void backward(Sweep& sweep) override {
    const TapeScope scope;
    const AutoGradMode mode(true);
    auto inputs = std::apply([&](const auto&... x) {
      return std::tuple<std::remove_cvref_t<decltype(x.again(scope.tape()))>...>(x.again(scope.tape())...);
    }, parts_->inputs);
    const V again = compute_again(inputs);
    TapeNode& result = again.node();
    if (!result.requires_grad) return;
    Sweep inner(scope.tape(), sweep);
    inner.add(result, adjoint, extent);
    inner.run(false);
    finish(sweep, inputs, std::index_sequence_for<X...>{});
  }
  /// Computes the rest again on the tape itself, and differentiates that: what it records is there for further derivatives.
  bool record_backward(Sweep& sweep) override {
    const TapeNode* const before = sweep.tape().last();
    auto inputs = std::apply([&](const auto&... x) {
      return std::tuple<std::remove_cvref_t<decltype(x.recorded(sweep.tape()))>...>(x.recorded(sweep.tape())...);
    }, parts_->inputs);
    const V again = compute_again(inputs);
    TapeNode& result = again.node();
    if (!result.requires_grad || !sweep.wants(&result, &result)) return true;
    sweep.deliver(result, *adjoint_node);
    sweep.visit_recorded(sweep.tape().last(), before);
    return true;
  }
  bool changed() const override {
    return std::apply([](const auto&... x) { return (x.changed() || ... || false); }, parts_->inputs);
  }
  void describe(NodeDescription& d) const override {
    d.name = "checkpoint";
    std::apply([&](const auto&... x) { (x.describe(d), ...); }, parts_->inputs);
  }
  void release() override { parts_.reset(); }

 private:
  struct parts {
    parts(const F& f, std::tuple<checkpoint_input<X>...>&& x) : function(f), inputs(std::move(x)) {}
    F function;
    std::tuple<checkpoint_input<X>...> inputs;
  };
  template <class Inputs>
  V compute_again(Inputs& inputs) const {
    if (changed()) raise_changed(*this);
    const V again = std::apply([&](auto&... x) { return to_variable(parts_->function(x...), where); }, inputs);
    const TapeNode& result = again.node();
    if (result.bytes() != bytes() || std::memcmp(result.value, value, bytes()) != 0)
      raise<ValueError>("backward: the " + name_of_statement(*this) +
                        " computes something else the second time: it reads what was written since, or random numbers of a generator that is not an input");
    return again;
  }
  template <class Inputs, std::size_t... I>
  void finish(Sweep& sweep, const Inputs& inputs, std::index_sequence<I...>) const {
    (std::get<I>(parts_->inputs).finish(sweep, std::get<I>(inputs)), ...);
  }

  std::optional<parts> parts_;
  V value_;
};

}  // namespace detail

/// The value of f(inputs...) as one node that keeps the inputs and the value, but nothing in between: backward calls f again, on a tape inside
/// this one. Inputs are variables, whose gradients are computed, generators, whose random numbers are repeated, and values, which are copied. f
/// refers to models and parameters, which get their gradients; it must not read other recorded variables. Its value is a variable, a tensor
/// or an expression. Backward raises ValueError if f computes anything else the second time. Under
/// create_graph what it computes then is recorded and stays.
template <class F, class... X>
auto checkpoint(const F& f, X&&... inputs) {
  Tape& tape = Tape::of_this_thread();
  const bool recorded = is_grad_enabled();
  const std::size_t uses = tape.uses();
  std::tuple<detail::checkpoint_input<std::remove_cvref_t<X>>...> kept{detail::checkpoint_input<std::remove_cvref_t<X>>(inputs)...};
  const std::size_t held = tape.uses() - uses;
  auto value = [&] {
    const NoGradGuard guard;
    return detail::to_variable(f(inputs...), {});
  }();
  using V = decltype(value);
  if (!recorded) return value;
  (detail::checkpoint_input<std::remove_cvref_t<X>>::check(inputs, tape), ...);
  tape.prepare();
  auto* const node = tape.append<detail::CheckpointNode<F, V, std::remove_cvref_t<X>...>>(f, value, std::move(kept));
  tape.drop_handles(held);
  return V(detail::NodeHandle(node, tape));
}

}  // namespace fluxion
