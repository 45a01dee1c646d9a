/// Var: a value that remembers how it was computed, for programs whose course is known only at run time.
///
///     fx::Var loss = fx::cross_entropy(model.forward(images), labels);
///     loss.backward();  opt.step(model);  opt.zero_grad(model);
#pragma once
#include "tape.hpp"
#include "tape/hook.hpp"
#include "tape/statement.hpp"
#include "variable.hpp"

#include <concepts>
#include <type_traits>
#include <utility>

namespace fluxion {

/// What torch.Tensor.backward has as named arguments.
struct BackwardOptions {
  bool retain_graph = false;                // implied by create_graph
  detail::GraphRecorder create_graph = {};  // `fx::create_graph` has the gradients recorded themselves: see `recorded_grad()`
};

/// A value that can be differentiated: a leaf of one's own, or the value of a statement, recorded on this thread's tape if something in it
/// requires a gradient. `backward()` accumulates the gradients of leaves and parameters into their `grad()`. A handle: copies refer to the same
/// value. What was recorded can be read until something is recorded after a `backward()`; leaves live as long as they are used.
template <Element T, Extents E>
class Var<T, E> {
  static_assert(std::is_floating_point_v<T>, "a variable is of floating point");
  using leaf_type = detail::LeafNode<T, E>;

 public:
  using value_type = T;
  using extents_type = E;

  /// Evaluates an expression, and records it if something in it requires a gradient and recording is enabled. Parameters and models in it are
  /// referred to, and must live until `backward()`.
  template <class Given, class X = std::remove_cvref_t<Given>>
    requires(Expression<X> && std::same_as<typename expression_result<X>::value_type, T>)
  Var(Given&& expression, SourceLocation where = SourceLocation::current()) {
    static_assert(std::same_as<typename expression_result<X>::extents_type, E>, "the variable's extents are not the expression's: write fx::Var x = …");
    if (detail::autograd_state.anomaly) check_for_anomaly(expression, where);
    else if (detail::requires_gradient(expression)) record<X>(std::forward<Given>(expression), where);
    else handle_ = detail::make_leaf(Tensor<T, E>(expression), false, where);
  }

  /// A leaf of one's own.
  explicit Var(Tensor<T, E> elements, bool requires_grad = false, SourceLocation where = SourceLocation::current())
      : handle_(detail::make_leaf(std::move(elements), requires_grad, where)) {}

  // ---- the value ----------------------------------------------------------------------------------------------------

  /// The elements. Raises ValueError if the tape has begun anew since.
  View<const T, E, layout_right> value() const {
    detail::TapeNode& x = node();
    detail::pin_value(x);
    return {reinterpret_cast<const T*>(x.value), x.template extents<E>()};
  }
  T item() const { return value().item(); }
  E extents() const { return node().template extents<E>(); }

  /// Whether a gradient of it, or through it, can be computed.
  bool requires_grad() const { return node().requires_grad; }
  /// Whether it is not the value of a recorded statement.
  bool is_leaf() const { return node().is_leaf; }
  /// Only of a leaf; raises ValueError otherwise.
  void set_requires_grad(bool on) { leaf("set_requires_grad").requires_grad = on; }

  /// A copy of the value as a leaf that requires no gradient.
  Var detach(SourceLocation where = SourceLocation::current()) const { return Var(Tensor<T, E>(value()), false, where); }

  /// Gives it the elements of a tensor, a view, a variable or an expression of the same extents, in place. As `+=` (tape/in_place.hpp): a recorded variable
  /// refers to what it is given from then on, gradients included, and so does a constant that is given something recorded; other leaves are written,
  /// those that require a gradient only under NoGradGuard. Where something is written, statements that read it cannot be differentiated any more.
  template <class X>
  void copy_(const X& source) {
    const E own = extents();  // before anything is recorded, which may begin the tape anew
    const detail::TapeNode& x = node();
    if (x.is_leaf && x.requires_grad && is_grad_enabled()) raise<ValueError>("copy_: a leaf that requires a gradient is written only under NoGradGuard");
    const SourceLocation where = x.where;
    if ((is_grad_enabled() && (!x.is_leaf || may_require_grad(source))) || !(x.is_leaf || x.requires_grad)) {
      Var given = given_value(source, where);
      detail::check_equal_extents(own, given.extents(), "copy_");
      *this = std::move(given);
    } else if constexpr (requires { source.value(); }) write(source.value());
    else write(source);
  }

  // ---- gradients ----------------------------------------------------------------------------------------------------

  /// Accumulates the derivatives of this number into the `grad()` of leaves and parameters, and releases what was recorded unless told to retain
  /// it. Raises ShapeError if it is not one number; ValueError if the recording was released, or if something in it was written since.
  void backward(bool retain_graph = false) const { backward(BackwardOptions{retain_graph, {}}); }
  void backward(const BackwardOptions& options) const {
    const detail::TapeNode& x = node();
    if (x.size() != 1) raise<ShapeError>("backward: the variable has extents ", x.template extents<E>(), " and is not one number");
    const T one(1);
    start_backward(options, [&] { return reinterpret_cast<const std::byte*>(&one); }, [&] {
      Tensor<T, E> seed(uninitialized, extents());
      seed.fill(one);
      return Var(std::move(seed));
    });
  }
  /// The same for a variable of any extents: `seed` is the gradient with respect to it, of its extents (PyTorch's `gradient`).
  template <class S>
    requires(!std::is_arithmetic_v<S>)
  void backward(const S& seed, bool retain_graph = false) const {
    backward(seed, BackwardOptions{retain_graph, {}});
  }
  template <class S>
    requires(!std::is_arithmetic_v<S>)
  void backward(const S& seed, const BackwardOptions& options) const {
    if constexpr (std::same_as<S, Var>) {
      detail::check_equal_extents(extents(), seed.extents(), "backward: variable and seed");
      start_backward(options, [&] { return seed.node().value; }, [&] { return seed; });
    } else {
      Tensor<T, E> elements = seed_of(seed);
      detail::check_equal_extents(extents(), elements.extents(), "backward: variable and seed");
      start_backward(options, [&] { return reinterpret_cast<const std::byte*>(elements.data()); }, [&] { return Var(std::move(elements)); });
    }
  }

  /// The accumulated gradient; zeros if there is none. Of a leaf, or after `retain_grad()`; raises ValueError otherwise.
  Tensor<T, E>& grad() const {
    detail::TapeNode& x = node();
    if (x.is_leaf) return static_cast<leaf_type&>(x).grad();
    return retained("grad").gradient;
  }
  bool has_grad() const {
    detail::TapeNode& x = node();
    if (x.is_leaf) return static_cast<leaf_type&>(x).has_gradient;
    return x.extras && x.extras->retained && retained("has_grad").has_gradient;
  }
  /// The accumulated gradient as a recorded variable, if the last backward was with create_graph. It keeps its recording until `zero_grad()`, or
  /// until gradients are accumulated without recording. Raises ValueError if there is none.
  Var recorded_grad() const { return Var(detail::recorded_gradient(node())); }
  /// Forgets the gradient; its memory is kept.
  void zero_grad() const {
    detail::TapeNode& x = node();
    if (x.is_leaf) static_cast<leaf_type&>(x).zero_grad();
    else {
      detail::forget_recorded_gradient(x);
      detail::RetainedTensor<T, E>& kept = retained("zero_grad");
      kept.has_gradient = false;
      kept.gradient.fill(T(0));
    }
  }
  /// Has `backward()` keep the gradient of a variable that is no leaf. Has no effect on leaves.
  void retain_grad() const {
    detail::TapeNode& x = node();
    if (x.is_leaf) return;
    auto& kept = detail::extras_of(x).retained;
    if (!kept) kept = std::make_unique<detail::RetainedTensor<T, E>>(extents());
  }

  // ---- hooks --------------------------------------------------------------------------------------------------------

  /// Has every backward pass call f(gradient) with the gradient of this variable, as a Var, once it is complete. What f returns, if anything,
  /// takes its place: a variable, a tensor or an expression.
  template <class F>
  RemovableHandle register_hook(F f) const {
    detail::TapeNode& x = node();
    if (!x.requires_grad) raise<ValueError>("register_hook: the variable requires no gradient");
    return detail::extras_of(x).tensor_hooks.add(std::make_shared<detail::VariableHook<Var, F>>(std::move(f)));
  }
  /// Has every backward pass call f(variable) after the gradient of this leaf was accumulated into its `grad()`.
  template <class F>
  RemovableHandle register_post_accumulate_grad_hook(F f) const {
    detail::TapeNode& x = leaf("register_post_accumulate_grad_hook");
    if (!x.requires_grad) raise<ValueError>("register_post_accumulate_grad_hook: the variable requires no gradient");
    return detail::extras_of(x).accumulated.add(std::make_shared<detail::AccumulatedHook<Var, F>>(std::move(f)));
  }
  /// Has it call f(gradient), an AnyGradient whose elements may be changed, before the node that computed this variable (its `grad_fn`) runs.
  template <class F>
  RemovableHandle register_prehook(F f) const {
    return detail::extras_of(recorded("register_prehook")).before.add(std::make_shared<detail::BeforeNodeHook<F>>(std::move(f)));
  }
  /// Has it call f(inputs, output) after that: a std::span of the gradients of what the statement read, with null data where none is wanted, and
  /// the gradient of its value. f may change what `inputs` holds.
  template <class F>
  RemovableHandle register_posthook(F f) const {
    return detail::extras_of(recorded("register_posthook")).after.add(std::make_shared<detail::AfterNodeHook<F>>(std::move(f)));
  }

  // ---- for the library ------------------------------------------------------------------------------------------------

  /// A variable of a node.
  explicit Var(const detail::NodeHandle& handle) : handle_(handle) {}
  const detail::NodeHandle& handle() const { return handle_; }
  /// The node. Raises ValueError if it is gone.
  detail::TapeNode& node() const {
    if (!handle_.is_live()) raise<ValueError>("a variable was used after its tape had begun anew");
    return *handle_.get();
  }
  /// Writes the elements where they lie.
  template <class X>
  void write(const X& source) {
    detail::TapeNode& x = node();
    if (x.is_leaf) {
      View<T, E, layout_right> destination(static_cast<leaf_type&>(x).tensor.view());
      destination = source;
    } else {
      View<T, E, layout_right> destination(reinterpret_cast<T*>(x.value), extents());
      destination = source;
    }
    ++x.version;
  }
  detail::VariableReference<T, E> as_leaf() const {
    static_cast<void>(node());
    return detail::VariableReference<T, E>(handle_);
  }

 private:
  template <class X, class Given>
  void record(Given&& expression, const SourceLocation& where) {
    Tape& tape = Tape::of_this_thread();
    const std::size_t uses = detail::check_recordable(expression, tape);
    tape.prepare();
    const E extents = expression_result<X>::extents(expression);
    using node_type = detail::StatementNode<X>;
    constexpr std::size_t node_bytes = (sizeof(node_type) + Arena::alignment - 1) / Arena::alignment * Arena::alignment;
    if (detail::autograd_state.saved_hooks) [[unlikely]] return record_packed<node_type>(std::forward<Given>(expression), tape, uses, extents, where);
    std::byte* const memory = tape.take(node_bytes + static_cast<std::size_t>(extents.size()) * sizeof(T));
    auto* const value = reinterpret_cast<T*>(memory + node_bytes);
    View<T, E, layout_right> destination(value, extents);
    evaluate_into_new(destination, expression);
    auto* const node = tape.append_at<node_type>(memory, std::forward<Given>(expression));
    tape.drop_handles(uses);  // what a node holds does not count
    finish_record(tape, *node, reinterpret_cast<std::byte*>(value), extents, where);
  }
  /// Under saved-tensor hooks: the value has memory of its own, and what the node saves is packed.
  template <class N, class Given>
  FLUXION_COLD void record_packed(Given&& expression, Tape& tape, std::size_t uses, const E& extents, const SourceLocation& where) {
    auto saved = detail::pack_leaves(expression);
    struct Memory {
      detail::block* own;
      ~Memory() { detail::release_block(own); }
    } memory{detail::allocate_block(static_cast<std::size_t>(extents.size()) * sizeof(T))};
    View<T, E, layout_right> destination(static_cast<T*>(memory.own->data()), extents);
    evaluate_into_new(destination, expression);
    auto* const node = tape.append_at<N>(tape.take(sizeof(N)), std::forward<Given>(expression));
    tape.drop_handles(uses);
    node->own_value = std::exchange(memory.own, nullptr);
    node->save(std::move(saved));
    finish_record(tape, *node, reinterpret_cast<std::byte*>(destination.data()), extents, where);
  }
  void finish_record(Tape& tape, detail::TapeNode& node, std::byte* value, const E& extents, const SourceLocation& where) {
    node.set_extents(extents);
    node.type = element_type_of<T>;
    node.value = value;
    node.where = where;
    handle_ = detail::NodeHandle(&node, tape);
  }
  template <class X>
  FLUXION_COLD void check_for_anomaly(const X& expression, const SourceLocation& where) {
    if (detail::requires_gradient(expression)) record<X>(expression, where);
    else handle_ = detail::make_leaf(Tensor<T, E>(expression), false, where);
    detail::NodeDescription d;
    detail::describe_expression(expression, d);
    detail::autograd_state.anomaly->forward(node(), d);
  }

  template <class S>
  static Var given_value(const S& source, const SourceLocation& where) {
    if constexpr (std::same_as<S, Var>) {
      if (source.requires_grad() && is_grad_enabled()) return Var(cast<T>(source), where);  // not the same value: each may be changed
      return Var(seed_of(source), false, where);
    } else if constexpr (Expression<S>) return Var(source, where);
    else return Var(seed_of(source), false, where);
  }
  template <class S>
  static bool may_require_grad([[maybe_unused]] const S& source) {
    if constexpr (std::same_as<S, Var>) return source.requires_grad();
    else if constexpr (Expression<S>) return detail::requires_gradient(source);
    else return false;
  }
  template <class S>
  static Tensor<T, E> seed_of(const S& seed) {
    if constexpr (requires { seed.value(); }) return Tensor<T, E>(seed.value());
    else return Tensor<T, E>(seed);
  }
  /// The seed is the elements, or under create_graph a variable.
  template <class Elements, class Recorded>
  void start_backward(const BackwardOptions& options, const Elements& elements, const Recorded& recorded) const {
    detail::TapeNode& x = node();
    if (!x.requires_grad) raise<ValueError>("backward: the variable requires no gradient, nor does anything that it was computed from");
    Tape& tape = Tape::of_this_thread();
    if (!handle_.is_leaf()) {
      if (handle_.epoch() != tape.epoch()) raise<ValueError>("backward: the variable was recorded on another tape");
      if (tape.is_released()) raise<ValueError>("backward: the recording was released by an earlier backward; pass retain_graph = true to that one");
    }
    detail::Sweep sweep(tape, options.create_graph);
    if (sweep.creates_graph()) {
      const Var seed = recorded();
      if (!seed.handle_.is_recording(tape)) raise<ValueError>("backward: the seed was recorded on another tape, or its recording was released");
      sweep.keep(seed.handle_);
      sweep.deliver(x, seed.node());
    } else {
      sweep.add(x, elements(), x.extent);
    }
    sweep.run(options.retain_graph || sweep.creates_graph());
  }

  leaf_type& leaf(const char* what) const {
    detail::TapeNode& x = node();
    if (!x.is_leaf) raise<ValueError>(what, ": the variable is no leaf; take detach() of it");
    return static_cast<leaf_type&>(x);
  }
  detail::TapeNode& recorded(const char* what) const {
    detail::TapeNode& x = node();
    if (x.is_leaf) raise<ValueError>(what, ": the variable is a leaf, which no statement computed");
    return x;
  }
  detail::RetainedTensor<T, E>& retained(const char* what) const {
    detail::TapeNode& x = node();
    if (!x.extras || !x.extras->retained) raise<ValueError>(what, ": the variable is no leaf; call retain_grad() before backward()");
    return static_cast<detail::RetainedTensor<T, E>&>(*x.extras->retained);
  }

  detail::NodeHandle handle_;
};

template <Expression X>
Var(const X&) -> Var<typename expression_result<X>::value_type, typename expression_result<X>::extents_type>;
template <class T, class E>
Var(Tensor<T, E>, bool = false, SourceLocation = {}) -> Var<T, E>;

template <class T, Extents E>
struct operand_traits<Var<T, E>> {
  static constexpr int level = 1;
  using frontend = expression_frontend;
};

/// A leaf that requires a gradient, with these elements.
template <class T, class E>
Var<T, E> variable(Tensor<T, E> elements, SourceLocation where = SourceLocation::current()) {
  return Var<T, E>(std::move(elements), true, where);
}
/// The same with the elements of a view or the value of an expression.
template <class X>
  requires(Expression<X> || AnyView<X>)
auto variable(const X& source, SourceLocation where = SourceLocation::current()) {
  if constexpr (AnyView<X>) return variable(Tensor<typename X::value_type, typename X::extents_type>(source), where);
  else return variable(evaluate(source), where);
}

}  // namespace fluxion

#include "tape/in_place.hpp"
