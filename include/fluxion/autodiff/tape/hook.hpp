/// Hooks as users write them: callables that see gradients during a backward pass, and may replace them.
#pragma once
#include "gradient.hpp"

#include <span>
#include <type_traits>
#include <utility>

namespace fluxion::detail {

/// f(gradient) of a variable of type V.
template <class V, class F>
struct VariableHook final : TensorHook {
  explicit VariableHook(F function) : f(std::move(function)) {}

  void call(Sweep& sweep, TapeNode& node) override {
    const bool recorded = sweep.creates_graph();
    const V gradient(recorded ? handle_of(*node.adjoint_node, sweep.tape()) : make_input(sweep.tape(), node, node.adjoint, false));
    if constexpr (std::is_void_v<decltype(f(gradient))>) {
      f(gradient);
    } else {
      const auto found = f(gradient);
      using R = std::remove_cvref_t<decltype(found)>;
      if constexpr (std::is_same_v<R, V>) replace(sweep, node, found);
      else if constexpr (requires { typename R::fluxion_expression; }) replace(sweep, node, V(found));
      else replace(sweep, node, V(Tensor<typename V::value_type, typename V::extents_type>(found), false));
    }
  }

 private:
  static void replace(Sweep& sweep, TapeNode& node, const V& by) {
    using E = typename V::extents_type;
    check_equal_extents(node.template extents<E>(), by.extents(), "hook: gradient and what replaces it");
    if (sweep.creates_graph()) {
      node.adjoint_node = by.handle().get();
      sweep.keep(by.handle());
    } else if (by.node().value != node.adjoint) std::memcpy(node.adjoint, by.node().value, node.bytes());
  }

  F f;
};

/// f(variable) after the gradient of a leaf was accumulated.
template <class V, class F>
struct AccumulatedHook final : TensorHook {
  explicit AccumulatedHook(F function) : f(std::move(function)) {}
  void call(Sweep& sweep, TapeNode& leaf) override { f(V(handle_of(leaf, sweep.tape()))); }
  F f;
};

template <class F>
struct BeforeNodeHook final : NodeHook {
  explicit BeforeNodeHook(F function) : f(std::move(function)) {}
  void call(const AnyGradient& output, const AnyGradient*, int) override { f(output); }
  F f;
};
template <class F>
struct AfterNodeHook final : NodeHook {
  explicit AfterNodeHook(F function) : f(std::move(function)) {}
  void call(const AnyGradient& output, const AnyGradient* inputs, int count) override {
    f(std::span<const AnyGradient>(inputs, static_cast<std::size_t>(count)), output);
  }
  F f;
};

}  // namespace fluxion::detail
