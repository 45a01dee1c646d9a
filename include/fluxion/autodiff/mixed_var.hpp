/// Numbers and tensors in one recording: a variable of rank 0 converts to a number, a number is an operand of tensors, and one backward pass runs
/// the statements of both in the right order.
///
///     fx::Var<double> loss = fx::mean(fx::square(fx::matmul(x, w) - y));   // a statement about tensors, then a number
///     fx::Var<double> total = loss + penalty * penalty;                      // a scalar statement
///     total.backward();
#pragma once
#include "scalar_var.hpp"
#include "var.hpp"

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace fluxion {

namespace detail {

template <class T>
struct Crossing;

/// Where the recording crosses from numbers to tensors or back: a node among the tensors' that knows its place among the scalar statements. In a
/// backward pass the tape of tensors leads; at a crossing the scalar statements behind it are swept before it goes on.
template <class T>
struct CrossingNode : TapeNode {
  ScalarTape<T>& numbers = ScalarTape<T>::of_this_thread();
  const ScalarCursor place = numbers.position();
  const std::uint32_t recording = numbers.recording();
  std::int32_t index = 0;  // of the number
  CrossingNode* former = nullptr;
  bool takes_number = false;

  CrossingNode() { type = element_type_of<T>; }
  bool is_live() const { return numbers.is_live(recording); }
  bool record_backward(Sweep&) override { raise<ValueError>("create_graph: derivatives of derivatives do not pass through numbers of scalar statements"); }
};

/// The first of them: behind it only numbers remain.
template <class T>
struct FirstCrossing final : CrossingNode<T> {
  void backward(Sweep&) override { Crossing<T>::of_this_thread().finish_numbers(); }
  void release() override { Crossing<T>::of_this_thread().tensors_released(*this); }
};

/// A tensor of rank 0 becomes a number: an input of the scalar statements whose gradient is the tensor's.
template <class T>
struct NumberOfTensor final : CrossingNode<T> {
  NodeHandle tensor;
  explicit NumberOfTensor(const NodeHandle& x) : tensor(x) { this->takes_number = true; }
  void backward(Sweep& sweep) override {
    this->numbers.sweep_to(this->place);
    const T adjoint = std::exchange(this->numbers.adjoint(this->index), T{});
    if (!is_nothing(adjoint)) sweep.add(*tensor.get(), reinterpret_cast<const std::byte*>(&adjoint), nullptr);
  }
  void release() override { tensor = {}; }
};

/// A number becomes a tensor of rank 0.
template <class T>
struct TensorOfNumber final : CrossingNode<T> {
  void backward(Sweep& sweep) override {
    if (!this->is_live()) raise<ValueError>("backward: a number that a tensor was computed from has been rolled back");
    if (sweep.is_capturing()) raise<ValueError>("autograd::grad does not pass through numbers of scalar statements: use backward()");
    Crossing<T>::of_this_thread().begin_numbers(*this);
    this->numbers.adjoint(this->index) += *reinterpret_cast<const T*>(this->adjoint);
  }
};

/// The crossings of a thread's recording.
template <class T>
struct Crossing {
  static Crossing& of_this_thread() {
    thread_local Crossing crossing;
    return crossing;
  }

  /// Appends a crossing to the tape of tensors.
  template <class N, class... A>
  N& append(const A&... arguments) {
    Tape& tape = begin_recording();
    auto* const node = tape.append<N>(arguments...);
    node->former = last_;
    last_ = node;
    return *node;
  }

  void begin_numbers(const CrossingNode<T>& from) {
    if (first_->has_adjoint) return;
    from.numbers.begin_sweep(from.place);
    mark(from.former);
  }
  void finish_numbers() { ScalarTape<T>::of_this_thread().end_sweep(); }
  void tensors_released(const TapeNode& first) {
    if (&first != first_) return;
    forget();
    ScalarTape<T>::of_this_thread().release();
  }

  /// Tensors that were recorded since the last time, in a new recording.
  Tape& begin_recording() {
    ScalarTape<T>& numbers = ScalarTape<T>::of_this_thread();
    if (numbers.is_isolated()) raise<ValueError>("inside of reverse::gradient numbers and tensors that require gradients cannot be mixed");
    Tape& tape = Tape::of_this_thread();
    tape.prepare();
    if (first_ && handle_.epoch() != tape.epoch() && handle_.is_live())
      raise<ValueError>("the numbers of a recording cannot be mixed with tensors of two tapes");
    if (!first_ || handle_.epoch() != tape.epoch()) {
      last_ = first_ = tape.append<FirstCrossing<T>>();
      first_->takes_number = true;
      handle_ = NodeHandle(first_, tape);
      static constexpr OtherStatements<T> others{[](ScalarTape<T>&, bool retain_graph) { of_this_thread().sweep_from_number(retain_graph); },
                                                 [] { of_this_thread().forget(); }};
      numbers.set_others(&others);
    }
    return tape;
  }

 private:
  void sweep_from_number(bool retain_graph) {
    Tape& tape = Tape::of_this_thread();
    if (handle_.epoch() != tape.epoch() || tape.is_released())
      raise<ValueError>("backward: tensors that the number may depend on were released, or recorded on another tape");
    mark(last_);
    Sweep(tape).run(retain_graph);
  }
  /// Has the pass visit the crossings that hand adjoints of numbers to tensors.
  static void mark(CrossingNode<T>* node) {
    for (; node; node = node->former)
      if (node->takes_number && node->is_live()) node->has_adjoint = true;
  }
  void forget() {
    first_ = last_ = nullptr;
    handle_ = {};
  }

  CrossingNode<T>* first_ = nullptr;
  CrossingNode<T>* last_ = nullptr;
  NodeHandle handle_;  // a use of the tape, which would begin anew without any
};

/// A variable of rank 0 as a number.
template <class T>
struct number_from<T, Var<T, extents<>>> {
  static Var<T> get(const Var<T, extents<>>& x) {
    const T value = x.item();
    if (!is_grad_enabled() || !x.requires_grad()) return value;
    auto& node = Crossing<T>::of_this_thread().template append<NumberOfTensor<T>>(x.handle());
    node.index = node.numbers.add_inputs();
    // A statement, because an input would be asked for its gradient.
    return Var<T>::from_tape(value, node.index) * T(1);
  }
};
/// The same of an expression, which is evaluated.
template <class T, Expression X>
  requires(std::same_as<typename expression_result<X>::value_type, T> && std::same_as<typename expression_result<X>::extents_type, extents<>>)
struct number_from<T, X> {
  static Var<T> get(const X& x) { return Var<T, extents<>>(x); }
};

template <class T>
  requires std::is_floating_point_v<T>
struct number_in_tensors<T> {
  static VariableReference<T, extents<>> get(const Var<T>& x) {
    if (!is_grad_enabled() || !x.requires_grad()) return VariableReference<T, extents<>>(make_leaf(Tensor<T, extents<>>(x.value()), false, {}));
    x.check_swept();
    auto& node = Crossing<T>::of_this_thread().template append<TensorOfNumber<T>>();
    node.index = x.index();
    Tape& tape = Tape::of_this_thread();
    node.value = tape.take(sizeof(T));
    *reinterpret_cast<T*>(node.value) = x.value();
    return VariableReference<T, extents<>>(NodeHandle(&node, tape));
  }
};

}  // namespace detail

/// A number is no tensor by itself, but an operand of tensors.
template <class T>
  requires std::is_floating_point_v<T>
struct operand_traits<Var<T>> {
  static constexpr int level = 0;
  using frontend = expression_frontend;
};

}  // namespace fluxion
