/// Var: a value that remembers how it was computed, for programs whose course is known only at run time.
///
///     fx::Var loss = fx::cross_entropy(model.forward(images), labels);
///     loss.backward();  opt.step(model);  opt.zero_grad(model);
#pragma once
#include "tape.hpp"

#include <concepts>
#include <new>
#include <type_traits>

namespace fluxion {

/// The value of a statement, recorded on this thread's tape. What is to be differentiated with respect to are the parameters that the statement
/// reads; `backward()` accumulates into their `grad()`. A handle: copies refer to the same value. It can be read until something is recorded
/// after a `backward()`.
template <Element T, Extents E>
class Var {
 public:
  using value_type = T;
  using extents_type = E;

  /// Evaluates an expression and records it. Parameters and models in it are referred to, and must live until `backward()`.
  template <Expression X>
    requires(std::same_as<typename expression_result<X>::value_type, T>)
  Var(const X& expression) {
    static_assert(std::same_as<typename expression_result<X>::extents_type, E>, "the variable's extents are not the expression's: write fx::Var x = …");
    static_assert(std::is_floating_point_v<T>, "a variable is of floating point");
    Tape& tape = Tape::of_this_thread();
    tape.prepare();
    using node_type = detail::StatementNode<X>;
    const E extents = expression_result<X>::extents(expression);
    auto* const value = reinterpret_cast<T*>(tape.take(static_cast<std::size_t>(extents.size()) * sizeof(T)));
    View<T, E, layout_right> destination(value, extents);
    evaluate_into_new(destination, expression);
    auto* const node = ::new (static_cast<void*>(tape.take(sizeof(node_type)))) node_type(expression);
    node->extents = extents;
    node->value = value;
    tape.append(*node);
    node_ = node;
    epoch_ = tape.epoch();
  }

  /// The elements. Raises ValueError if the tape has begun anew since.
  View<const T, E, layout_right> value() const {
    check();
    return {node_->value, node_->extents};
  }
  T item() const { return value().item(); }
  E extents() const { return value().extents(); }

  /// Accumulates the derivatives of this number into the parameters' `grad()`, and releases what was recorded unless told to retain it.
  /// Raises ShapeError if it is not one number, ValueError if the recording was released or a tensor in it was written since.
  void backward(bool retain_graph = false) const {
    check();
    Tape& tape = Tape::of_this_thread();
    if (tape.is_released()) raise<ValueError>("backward: the recording was released by an earlier backward; pass retain_graph = true to that one");
    if (node_->extents.size() != 1) raise<ShapeError>("backward: the variable has extents ", node_->extents, " and is not one number");
    *node_->adjoint_memory() = T(1);
    node_->has_adjoint = true;
    tape.sweep(*node_, retain_graph);
  }

  detail::VariableReference<T, E> as_leaf() const {
    check();
    if (Tape::of_this_thread().is_released()) raise<ValueError>("the recording of a variable was released by backward; its value can be copied with value()");
    return {node_, epoch_};
  }

 private:
  void check() const {
    if (epoch_ != Tape::of_this_thread().epoch()) raise<ValueError>("a variable was used after its tape had begun anew");
  }

  detail::ValueNode<T, E>* node_ = nullptr;
  std::size_t epoch_ = 0;
};

template <Expression X>
Var(const X&) -> Var<typename expression_result<X>::value_type, typename expression_result<X>::extents_type>;

template <class T, class E>
struct operand_traits<Var<T, E>> {
  static constexpr int level = 1;
  using frontend = expression_frontend;
};

}  // namespace fluxion
