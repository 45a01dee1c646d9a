/// Parameters of models as leaves of the tape: for hooks on their gradients, and for gradients that are recorded.
#pragma once
#include "gradient.hpp"
#include "hook.hpp"
#include "parameter_state.hpp"

#include <memory>
#include <type_traits>
#include <utility>

namespace fluxion {

template <class T, class E>
class Var;

namespace detail {

/// A leaf whose gradient is the parameter's. Nobody holds a handle of it: it belongs to the parameter.
template <class P>
struct ParameterNode final : TapeNode, ParameterState {
  explicit ParameterNode(const P& p) : parameter(&p) {
    is_leaf = true;
    type = element_type_of<typename P::value_type>;
  }
  TapeNode& node() override {
    set_extents(parameter->extents());
    requires_grad = parameter->requires_grad();
    return *this;
  }
  void forget_recorded() noexcept override { forget_recorded_gradient(*this); }
  const void* source() const override { return parameter; }
  GradientTarget gradient_target() override {
    forget_recorded();
    const bool overwrite = !parameter->has_grad();
    return {reinterpret_cast<std::byte*>((overwrite ? parameter->overwrite_grad() : parameter->grad()).data()), overwrite};
  }

  const P* parameter;
};

/// The leaf of a parameter, made at the first call.
template <class P>
TapeNode& node_of_parameter(const P& p) {
  ParameterState*& state = p.tape_state();
  if (!state) state = new ParameterNode<P>(p);
  return state->node();
}

/// f(parameter) after its gradient was accumulated.
template <class P, class F>
struct ParameterHook final : TensorHook {
  ParameterHook(P& p, F function) : parameter(p), f(std::move(function)) {}
  void call(Sweep&, TapeNode&) override { f(parameter); }
  P& parameter;
  F f;
};

// What members of parameters call.

template <class P, class F>
RemovableHandle add_gradient_hook(ForTape, const P& p, F f) {
  using V = Var<typename P::value_type, typename P::extents_type>;
  if (!p.requires_grad()) raise<ValueError>("register_hook: the parameter requires no gradient");
  return extras_of(node_of_parameter(p)).tensor_hooks.add(std::make_shared<VariableHook<V, F>>(std::move(f)));
}
template <class P, class F>
RemovableHandle add_accumulated_hook(ForTape, P& p, F f) {
  if (!p.requires_grad()) raise<ValueError>("register_post_accumulate_grad_hook: the parameter requires no gradient");
  return extras_of(node_of_parameter(std::as_const(p))).accumulated.add(std::make_shared<ParameterHook<P, F>>(p, std::move(f)));
}
template <class P>
auto recorded_gradient_of(ForTape, const P& p) {
  return Var<typename P::value_type, typename P::extents_type>(recorded_gradient(node_of_parameter(p)));
}

}  // namespace detail
}  // namespace fluxion
