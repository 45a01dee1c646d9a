/// Hooks as users write them: callables that see gradients during a backward pass, and may replace them.
#pragma once
#include "gradient.hpp"

#include <new>
#include <span>
#include <type_traits>
#include <utility>

namespace fluxion::detail {

/// A value of the tape that nothing computed, in memory that exists already.
inline NodeHandle make_input(Tape& tape, const TapeNode& like, std::byte* data, bool requires_grad) {
  auto* const input = ::new (static_cast<void*>(tape.take(sizeof(InputNode)))) InputNode;
  input->type = like.type;
  input->rank = like.rank;
  for (int axis = 0; axis < like.rank; ++axis) input->extent[axis] = like.extent[axis];
  input->value = data;
  input->requires_grad = requires_grad;
  input->where = like.where;
  return NodeHandle(input, tape);
}

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
