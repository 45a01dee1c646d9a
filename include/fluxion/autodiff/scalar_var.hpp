/// `Var<T>`: a number that remembers how it was computed, through any generic C++ code.
///
///     fx::Var<double> x = 0.5, y = 2;
///     x.set_requires_grad();
///     fx::Var<double> z = x * sin(x * y);   // one statement: the partial derivatives of z by x are recorded, once per mention
///     z.backward();                         // x.grad() is dz/dx
#pragma once
#include "scalar/math.hpp"

#include <concepts>
#include <iosfwd>
#include <limits>
#include <memory>
#include <span>
#include <type_traits>
#include <utility>

namespace fluxion {

namespace detail {

/// What else is a number: specialised where `Var<T> get(const X&)` can make it one (mixed_var.hpp).
template <class T, class X>
struct number_from {};
/// What a number is in an expression of tensors: specialised in mixed_var.hpp.
template <class T>
struct number_in_tensors {};

}  // namespace detail

/// A number and the index of the statement that computed it; 16 bytes for double. Numbers convert to constants, whose derivative is 0 and of which
/// nothing is recorded. Expressions of variables have types of their own: what is assigned to a variable is one statement. Copies are the same
/// variable. T is a floating-point number, or a Dual for derivatives of derivatives.
template <class T>
class Var<T, void> {
  static_assert(std::is_floating_point_v<T> || detail::is_dual<T>, "a variable of scalar code is a floating-point number or a Dual");

 public:
  using value_type = T;
  using fluxion_scalar = T;

  Var() = default;
  template <class U>
    requires(detail::is_constant_of<U, T>)
  FLUXION_ALWAYS_INLINE Var(const U& number) : value_(detail::as_scalar<T>(number).value()) {}
  /// Computes and records a statement.
  template <ScalarOperand X>
    requires(std::same_as<typename X::fluxion_scalar, T>)
  FLUXION_ALWAYS_INLINE Var(const X& expression) : value_(expression.value()) {
    record(expression);
  }
  template <ScalarOperand X>
    requires(std::same_as<typename X::fluxion_scalar, T>)
  FLUXION_ALWAYS_INLINE Var& operator=(const X& expression) {
    record(expression);
    value_ = expression.value();
    return *this;
  }

  /// The number that something else is, such as a tensor of rank 0.
  template <class X>
    requires requires(const X& x) { detail::number_from<T, X>::get(x); }
  Var(const X& x) : Var(detail::number_from<T, X>::get(x)) {}

  template <class X>
    requires(detail::is_scalar_of<T, X>)
  FLUXION_ALWAYS_INLINE Var& operator+=(const X& x) { return *this = *this + x; }
  template <class X>
    requires(detail::is_scalar_of<T, X>)
  FLUXION_ALWAYS_INLINE Var& operator-=(const X& x) { return *this = *this - x; }
  template <class X>
    requires(detail::is_scalar_of<T, X>)
  FLUXION_ALWAYS_INLINE Var& operator*=(const X& x) { return *this = *this * x; }
  template <class X>
    requires(detail::is_scalar_of<T, X>)
  FLUXION_ALWAYS_INLINE Var& operator/=(const X& x) { return *this = *this / x; }

  const T& value() const { return value_; }
  const T& item() const { return value_; }
  /// Another value for the statements to come; an input stays the same input.
  void set_value(const T& value) { value_ = value; }
  /// The same value as a constant.
  Var detach() const { return value_; }

  bool requires_grad() const { return place_.is_active(); }
  /// Makes a constant, or a variable whose recording has been released, an input; or an input a constant.
  void set_requires_grad(bool on = true) {
    ScalarTape<T>& tape = tape_type::of_this_thread();
    if (!on) {
      place_ = {};
    } else if (!place_.is_active() || !tape.is_live(place_.recording())) {
      const std::int32_t index = tape.add_inputs();
      place_ = tape.place(index);
    }
  }

  /// The derivatives that sweeps have added up for an input, or since `retain_grad()`. Raises ValueError for anything else, and for what is forgotten.
  const T& grad() const { return gradient(); }
  void zero_grad() const { gradient() = T{}; }
  /// Has backward() keep the gradient of a variable that is no input; it can be read as long as those of inputs. Has no effect on inputs.
  void retain_grad() const {
    if (place_.index() < 0) return;
    check_watched("retain_grad");
    tape_type::of_this_thread().watch(place_).retains = true;
  }
  /// Has every backward() call f(gradient), a T, once the gradient of this variable is complete, if it is not 0. What f returns, if anything, takes its
  /// place. A hook of an input sees what one pass adds. Not called by reverse::jacobian.
  template <class F>
  RemovableHandle register_hook(F f) const {
    check_watched("register_hook");
    return tape_type::of_this_thread().watch(place_).hooks->add(std::make_shared<detail::ScalarHookOf<T, F>>(std::move(f)));
  }

  /// Adds the derivatives of this variable, times a seed, to the gradients of the inputs that it depends on; releases what the innermost scope has
  /// recorded unless told to retain it. Raises ValueError if it depends on no input or its recording was released.
  void backward(bool retain_graph = false) const { backward_from(T(1), retain_graph); }
  template <std::same_as<T> Seed>
  void backward(const Seed& seed, bool retain_graph = false) const { backward_from(seed, retain_graph); }

  ScalarReference<T> reference() const { return {value_, place_}; }

  auto as_leaf() const
    requires requires(const Var& x) { detail::number_in_tensors<T>::get(x); }
  {
    return detail::number_in_tensors<T>::get(*this);
  }

  /// A variable of an index that somebody else gave.
  static Var from_tape(const T& value, std::int32_t index) {
    Var x = value;
    x.place_ = tape_type::of_this_thread().place(index);
    return x;
  }
  std::int32_t index() const { return place_.index(); }

  /// Raises ValueError if a sweep cannot begin here.
  void check_swept() const {
    if (!place_.is_active()) raise<ValueError>("backward: the variable depends on no input; inputs are told by set_requires_grad()");
    if (!tape_type::of_this_thread().is_live(place_.recording()))
      raise<ValueError>("backward: the recording was released by an earlier backward, which retain_graph = true avoids, or rolled back");
  }

 private:
  using tape_type = ScalarTape<T>;

  template <class X>
  FLUXION_ALWAYS_INLINE void record(const X& expression) {
    place_ = tape_type::of_this_thread().record(expression);
  }
  T& gradient() const {
    tape_type& tape = tape_type::of_this_thread();
    if (!tape.is_readable(place_.recording())) check_input();
    if (place_.index() > 0)
      if (auto* const watch = tape.find_watch(place_); watch && watch->retains) return watch->retained;
    check_input();
    return tape.adjoint(place_.index());
  }
  void check_input() const {
    if (place_.index() >= 0) raise<ValueError>("grad: only an input, told by set_requires_grad(), has a gradient, or what retain_grad() was called for");
    if (!tape_type::of_this_thread().is_readable(place_.recording())) raise<ValueError>("grad: the input's recording was released or rolled back");
  }
  void check_watched(const char* what) const {
    if (!place_.is_active()) raise<ValueError>(what, ": the variable requires no gradient");
    if (!tape_type::of_this_thread().is_live(place_.recording())) raise<ValueError>(what, ": the variable's recording was released or rolled back");
  }
  void backward_from(const T& seed, bool retain_graph) const {
    check_swept();
    tape_type& tape = tape_type::of_this_thread();
    tape.prepare_sweep();
    tape.adjoint(place_.index()) += seed;
    tape.sweep(place_.index(), retain_graph);
  }

  T value_{};
  detail::ScalarPlace place_;
};

template <std::floating_point T>
Var(T) -> Var<T>;
template <ScalarOperand X>
Var(const X&) -> Var<typename X::fluxion_scalar>;

/// An input: a variable that requires a gradient.
template <class T>
  requires(std::is_floating_point_v<T> || detail::is_dual<T>)
Var<T> variable(const T& value) {
  Var<T> x = value;
  x.set_requires_grad();
  return x;
}

/// One sweep for several outputs: adds the derivatives of the sum of outputs times seeds, as torch.autograd.backward. Outputs that depend on no
/// input are left out.
template <class T>
void backward(std::span<const Var<T>> outputs, std::span<const std::type_identity_t<T>> seeds, bool retain_graph = false) {
  if (outputs.size() != seeds.size()) raise<ValueError>("backward: ", outputs.size(), " outputs, but ", seeds.size(), " seeds");
  auto& tape = ScalarTape<T>::of_this_thread();
  std::int32_t last = 0;
  for (const Var<T>& y : outputs)
    if (y.requires_grad()) y.check_swept();
  tape.prepare_sweep();
  for (std::size_t i = 0; i < outputs.size(); ++i)
    if (outputs[i].requires_grad()) {
      tape.adjoint(outputs[i].index()) += seeds[i];
      last = std::max(last, outputs[i].index());
    }
  tape.sweep(last, retain_graph);
}

/// The value.
template <class Character, class Traits, ScalarOperand X>
std::basic_ostream<Character, Traits>& operator<<(std::basic_ostream<Character, Traits>& out, const X& x) { return out << x.value(); }

}  // namespace fluxion

/// Those of the value.
template <class T>
class std::numeric_limits<fluxion::Var<T>> : public std::numeric_limits<T> {
  using var = fluxion::Var<T>;
  using base = std::numeric_limits<T>;

 public:
  static var min() noexcept { return base::min(); }
  static var max() noexcept { return base::max(); }
  static var lowest() noexcept { return base::lowest(); }
  static var epsilon() noexcept { return base::epsilon(); }
  static var round_error() noexcept { return base::round_error(); }
  static var infinity() noexcept { return base::infinity(); }
  static var quiet_NaN() noexcept { return base::quiet_NaN(); }
  static var signaling_NaN() noexcept { return base::signaling_NaN(); }
  static var denorm_min() noexcept { return base::denorm_min(); }
};
