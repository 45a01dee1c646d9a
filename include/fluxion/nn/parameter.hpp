/// What layers are made of: parameters, buffers, run-time scalars and settings. All are literal types: they hold elements or a value at run
/// time, and a symbol while a model is traced, which happens in constant evaluation.
#pragma once
#include "../autodiff/tape/parameter_state.hpp"
#include "../tensor/factory.hpp"
#include "../tensor/function.hpp"

#include <cstddef>
#include <memory>
#include <new>
#include <string>
#include <type_traits>
#include <utility>

namespace fluxion {

namespace detail {

/// While it lives, copies of parameters on this thread take extents but no elements: gradients have a model's shape only.
class ShapeOnlyCopies {
 public:
  ShapeOnlyCopies() : outer_(std::exchange(active(), true)) {}
  ShapeOnlyCopies(const ShapeOnlyCopies&) = delete;
  ShapeOnlyCopies& operator=(const ShapeOnlyCopies&) = delete;
  ~ShapeOnlyCopies() { active() = outer_; }
  static bool& active() {
    thread_local bool value = false;
    return value;
  }

 private:
  bool outer_;
};

/// The address of something that has ended: no constant may hold it, so that an object that does is initialised at run time.
constexpr const void* not_a_constant(const void* p) { return p; }

/// A tensor at run time, a symbol in constant evaluation. Models of static storage must not be initialised by the compiler, which would take
/// them for traced ones: they would have symbols and no elements.
template <Element T, Extents E>
class HeldTensor {
 public:
  using value_type = T;
  using extents_type = E;
  using tensor_type = Tensor<T, E>;

  constexpr HeldTensor() { hold(); }
  constexpr HeldTensor(const HeldTensor& other) {
    if (std::is_constant_evaluated()) copy_symbol(other);
    else if (ShapeOnlyCopies::active()) ::new (static_cast<void*>(memory_)) tensor_type(uninitialized, other.extents());
    else ::new (static_cast<void*>(memory_)) tensor_type(other.tensor());
  }
  constexpr HeldTensor(HeldTensor&& other) noexcept {
    if (std::is_constant_evaluated()) copy_symbol(other);
    else ::new (static_cast<void*>(memory_)) tensor_type(std::move(other.tensor()));
  }
  constexpr HeldTensor& operator=(const HeldTensor& other) {
    if (std::is_constant_evaluated()) copy_symbol(other);
    else value() = other.tensor();
    return *this;
  }
  constexpr HeldTensor& operator=(HeldTensor&& other) noexcept {
    if (std::is_constant_evaluated()) copy_symbol(other);
    else value() = std::move(other.tensor());
    return *this;
  }
  constexpr ~HeldTensor() {
    if (!std::is_constant_evaluated()) tensor().~tensor_type();
  }

  // From whatever a tensor can be made of: see tensor/filler.hpp and tensor/factory.hpp.
  constexpr HeldTensor(filler_function<zeros_filler>) requires(E::is_static()) { hold(zeros_filler{}); }
  constexpr HeldTensor(filler_function<ones_filler>) requires(E::is_static()) { hold(ones_filler{}); }
  constexpr HeldTensor(filler_function<eye_filler>) requires(E::is_static() && E::rank() == 2) { hold(eye_filler{}); }
  template <Filler F>
    requires(E::is_static())
  constexpr HeldTensor(const F& filler) {
    hold(filler);
  }
  template <class F, class G>
    requires(G::rank() == E::rank())
  constexpr HeldTensor(const sized_filler<F, G>& filler) {
    hold(filler);
  }
  // Tensors on the heap do not exist in constant evaluation: these make members of a model, not their default initialisers.
  template <class F>
    requires(F::rank() == E::rank())
  HeldTensor(const Tensor<T, F, cpu_t>& tensor) {
    hold(tensor);
  }
  HeldTensor(Tensor<T, E, cpu_t>&& tensor) { hold(std::move(tensor)); }

  /// The elements. Not to be used while tracing.
  tensor_type& value() noexcept {
    ++version_;
    return tensor();
  }
  const tensor_type& value() const noexcept { return tensor(); }
  T* data() noexcept { return value().data(); }
  const T* data() const noexcept { return tensor().data(); }
  E extents() const { return tensor().extents(); }
  index_t size() const { return tensor().size(); }
  layout_right::mapping<E> mapping() const { return tensor().mapping(); }
  static constexpr int rank() { return E::rank(); }
  /// Changes whenever the elements may have been written.
  std::size_t version() const noexcept { return version_; }

  /// What stands for the elements while a model is traced.
  constexpr Symbol symbol() const { return symbol_; }
  constexpr Symbol& symbol_reference() { return symbol_; }

 protected:
  tensor_type& tensor() noexcept { return *std::launder(reinterpret_cast<tensor_type*>(memory_)); }
  const tensor_type& tensor() const noexcept { return *std::launder(reinterpret_cast<const tensor_type*>(memory_)); }

 private:
  template <class... Init>
  constexpr void hold(Init&&... init) {
    if (std::is_constant_evaluated()) {
      const int ended = 0;
      traced_ = not_a_constant(&ended);
    } else {
      ::new (static_cast<void*>(memory_)) tensor_type(std::forward<Init>(init)...);
    }
  }
  constexpr void copy_symbol(const HeldTensor& other) {
    symbol_ = other.symbol_;
    traced_ = other.traced_;
  }

  alignas(tensor_type) std::byte memory_[sizeof(tensor_type)];
  Symbol symbol_;
  const void* traced_ = nullptr;
  std::size_t version_ = 0;
};

/// What a parameter or a buffer is in an expression: a reference, since models outlive the statements that use them.
template <class P>
class HeldReference {
 public:
  constexpr explicit HeldReference(const P& held) : held_(&held), version_(0) {
    if (!std::is_constant_evaluated()) version_ = held.version();
  }
  constexpr Symbol symbol() const { return held_->symbol(); }
  const P& held() const { return *held_; }
  bool changed() const { return held_->version() != version_; }

  // For the tape.
  static constexpr void gradient_numbers(list<int>& wrt, int& next) {
    if constexpr (P::is_trained) wrt.push_back(next);
    ++next;
  }
  template <class F>
  void each_gradient([[maybe_unused]] F&& f) const {
    if constexpr (P::is_trained) f(*held_);
  }

 private:
  const P* held_;
  std::size_t version_;
};

}  // namespace detail

/// A trained tensor of a layer: `Parameter<float, dims<2>> weight = zeros(out, in);`. Copying copies the elements, moving steals them;
/// neither takes the gradient along.
template <Element T, Extents E>
class Parameter : public detail::HeldTensor<T, E> {
  using base = detail::HeldTensor<T, E>;

 public:
  using tensor_type = typename base::tensor_type;
  static constexpr bool is_trained = true;
  using base::base;
  constexpr Parameter() = default;
  constexpr Parameter(const Parameter& other) : base(other), requires_grad_(other.requires_grad_) {}
  constexpr Parameter(Parameter&& other) noexcept : base(std::move(other)), requires_grad_(other.requires_grad_) {}
  constexpr Parameter& operator=(const Parameter& other) {
    base::operator=(other);
    requires_grad_ = other.requires_grad_;
    return *this;
  }
  constexpr Parameter& operator=(Parameter&& other) noexcept {
    base::operator=(std::move(other));
    requires_grad_ = other.requires_grad_;
    return *this;
  }
  constexpr ~Parameter() {
    if (!std::is_constant_evaluated()) {
      delete gradient_;
      delete tape_state_;
    }
  }

  /// Whether backward() accumulates into `grad()`. Static transforms differentiate with respect to every parameter.
  bool requires_grad() const noexcept { return requires_grad_; }
  void set_requires_grad(bool on) noexcept { requires_grad_ = on; }

  /// The accumulated gradient; zeros if there is none. Part of the bookkeeping, not of the value: also of a const parameter.
  tensor_type& grad() const {
    if (!has_grad_) {
      allocate_grad();
      *gradient_ = zeros_filler{};
      has_grad_ = true;
    }
    return *gradient_;
  }
  bool has_grad() const noexcept { return has_grad_; }
  /// Forgets the gradient; its memory is kept.
  void zero_grad() const noexcept {
    has_grad_ = false;
    if (tape_state_) tape_state_->forget_recorded();
  }
  /// The gradient's memory, about to be written as a whole.
  tensor_type& overwrite_grad() const {
    allocate_grad();
    has_grad_ = true;
    return *gradient_;
  }

  // With autodiff/var.hpp, as members of a Var. Hooks belong to this object: copies, and what it is moved to, have none.

  /// Has every backward pass of the tape call f(gradient), a Var, once the gradient is complete and before it is accumulated into `grad()`. What f
  /// returns, if anything, takes its place.
  template <class F>
  auto register_hook(F f) const {
    if constexpr (requires { add_gradient_hook(detail::ForTape{}, *this, std::move(f)); }) return add_gradient_hook(detail::ForTape{}, *this, std::move(f));
    else static_assert(detail::needs_tape<F>, "hooks of parameters are hooks of the tape: include <fluxion/autodiff/var.hpp>");
  }
  /// Has every backward pass call f(parameter) after the gradient was accumulated; f may write the parameter.
  template <class F>
  auto register_post_accumulate_grad_hook(F f) {
    if constexpr (requires { add_accumulated_hook(detail::ForTape{}, *this, std::move(f)); }) return add_accumulated_hook(detail::ForTape{}, *this, std::move(f));
    else static_assert(detail::needs_tape<F>, "hooks of parameters are hooks of the tape: include <fluxion/autodiff/var.hpp>");
  }
  /// The accumulated gradient as a recorded variable, if the last backward was with create_graph. Raises ValueError otherwise.
  auto recorded_grad() const { return recorded_gradient_of(detail::ForTape{}, *this); }

  constexpr detail::HeldReference<Parameter> as_leaf() const { return detail::HeldReference<Parameter>(*this); }
  detail::ParameterState*& tape_state() const noexcept { return tape_state_; }

 private:
  void allocate_grad() const {
    if (gradient_ && !(gradient_->extents() == this->extents())) {
      delete gradient_;
      gradient_ = nullptr;
    }
    if (!gradient_) gradient_ = new tensor_type(uninitialized, this->extents());
  }

  mutable tensor_type* gradient_ = nullptr;
  mutable detail::ParameterState* tape_state_ = nullptr;
  mutable bool has_grad_ = false;
  bool requires_grad_ = true;
};

/// State of a layer that is not trained.
template <Element T, Extents E>
class Buffer : public detail::HeldTensor<T, E> {
 public:
  using detail::HeldTensor<T, E>::HeldTensor;
  static constexpr bool is_trained = false;
  constexpr detail::HeldReference<Buffer> as_leaf() const { return detail::HeldReference<Buffer>(*this); }
};

namespace detail {
/// A scalar in an expression: the value that it had when the expression was made.
template <class S>
class ScalarReference {
 public:
  constexpr explicit ScalarReference(const S& scalar) : scalar_(&scalar) {
    if (!std::is_constant_evaluated()) value_ = scalar.value();
  }
  constexpr Symbol symbol() const { return scalar_->symbol(); }
  typename S::value_type value() const { return value_; }

 private:
  const S* scalar_;
  typename S::value_type value_{};
};
}  // namespace detail

/// A number of a layer that may change between calls without compiling anew: an argument of the program.
template <class T>
  requires std::is_arithmetic_v<T>
class Scalar {
 public:
  using value_type = T;
  constexpr Scalar(T value = T{}) : value_(value) {}

  /// The number. An error while tracing, where it is not known yet.
  constexpr T value() const {
    if (traced_.index() >= 0) traced_.program().fail(graph::program_error::setting_read_while_traced, 0);
    return value_;
  }
  constexpr Scalar& operator=(T value) {
    value_ = value;
    return *this;
  }

  constexpr Symbol symbol() const { return traced_; }
  constexpr Symbol& symbol_reference() { return traced_; }
  constexpr detail::ScalarReference<Scalar> as_leaf() const { return detail::ScalarReference<Scalar>(*this); }

 private:
  T value_;
  Symbol traced_;
};

/// A number that a layer is built from, such as a size. Reading it while the layer is traced is an error of the compiler, because what was
/// read then would stay in the program.
template <class T>
class setting {
 public:
  using value_type = T;
  constexpr setting(T value = T{}) : value_(value) {}
  constexpr operator T() const {
    if (hidden_by_) hidden_by_->fail(graph::program_error::setting_read_while_traced, 0);
    return value_;
  }
  /// From here on reading is an error of this program.
  constexpr void hide(graph::program& p) { hidden_by_ = &p; }

 private:
  T value_;
  graph::program* hidden_by_ = nullptr;
};

/// A size of a layer.
using index = setting<index_t>;

// ---- as operands and arguments -------------------------------------------------------------------------------------------

template <class T, class E>
struct operand_traits<Parameter<T, E>> {
  static constexpr int level = 1;
  using frontend = expression_frontend;
};
template <class T, class E>
struct operand_traits<Buffer<T, E>> {
  static constexpr int level = 1;
  using frontend = expression_frontend;
};
template <class T>
struct operand_traits<Scalar<T>> {
  static constexpr int level = 1;
  using frontend = expression_frontend;
};

namespace detail {
template <class P>
struct held_argument {
  static constexpr int arguments = 1, scalars = 0;
  static constexpr Symbol lower(lowering& l) {
    return {l.program, lower_argument<typename P::extents_type>(l, element_type_of<typename P::value_type>, false)};
  }
};
template <class T>
constexpr Symbol lower_scalar(lowering& l) {
  constexpr element_type type = std::is_same_v<T, bool>      ? element_type::boolean
                                : std::is_integral_v<T> ? element_type::int64
                                                        : element_type::float64;
  return {l.program, l.program.scalar(l.scalars++, type, true)};
}
}  // namespace detail

template <class P>
struct argument_traits<detail::HeldReference<P>> : detail::held_argument<P> {
  static void bind(const detail::HeldReference<P>& x, auto& b) { b.add(x.held().data(), x.held().mapping()); }
  static bool changed(const detail::HeldReference<P>& x) { return x.changed(); }
};
template <class T, class E>
struct argument_traits<Parameter<T, E>> : detail::held_argument<Parameter<T, E>> {
  using gradient_type = Tensor<T, E, cpu_t>;
  static void bind(const Parameter<T, E>& x, auto& b) { b.add(x.data(), x.mapping()); }
  static bool changed(const Parameter<T, E>&) { return false; }
};
template <class T, class E>
struct argument_traits<Buffer<T, E>> : detail::held_argument<Buffer<T, E>> {
  static void bind(const Buffer<T, E>& x, auto& b) { b.add(x.data(), x.mapping()); }
  static bool changed(const Buffer<T, E>&) { return false; }
};
template <class T>
struct argument_traits<Scalar<T>> {
  static constexpr int arguments = 0, scalars = 1;
  static constexpr Symbol lower(detail::lowering& l) { return detail::lower_scalar<T>(l); }
  static void bind(const Scalar<T>& x, auto& b) { argument_traits<T>::bind(x.value(), b); }
  static bool changed(const Scalar<T>&) { return false; }
};
template <class T>
struct argument_traits<detail::ScalarReference<Scalar<T>>> {
  static constexpr int arguments = 0, scalars = 1;
  static constexpr Symbol lower(detail::lowering& l) { return detail::lower_scalar<T>(l); }
  static void bind(const detail::ScalarReference<Scalar<T>>& x, auto& b) { argument_traits<T>::bind(x.value(), b); }
  static bool changed(const detail::ScalarReference<Scalar<T>>&) { return false; }
};

namespace detail {
template <class X>
inline constexpr bool is_parameter = false;
template <class T, class E>
inline constexpr bool is_parameter<Parameter<T, E>> = true;
template <class X>
inline constexpr bool is_buffer = false;
template <class T, class E>
inline constexpr bool is_buffer<Buffer<T, E>> = true;
template <class X>
inline constexpr bool is_scalar = false;
template <class T>
inline constexpr bool is_scalar<Scalar<T>> = true;
template <class X>
inline constexpr bool is_setting = false;
template <class T>
inline constexpr bool is_setting<setting<T>> = true;

template <class... I>
concept Sizes = sizeof...(I) > 0 && (is_setting<I> || ...) && ((is_setting<I> || Position<I>) && ...);
}  // namespace detail

/// As `zeros(3, 4)` and `ones(3, 4)`, with settings among the sizes.
template <int = 0, class... I>
  requires detail::Sizes<I...>
constexpr sized_filler<zeros_filler, dims<sizeof...(I)>> zeros(const I&... e) { return {{}, dims<sizeof...(I)>(static_cast<index_t>(e)...)}; }
template <int = 0, class... I>
  requires detail::Sizes<I...>
constexpr sized_filler<ones_filler, dims<sizeof...(I)>> ones(const I&... e) { return {{}, dims<sizeof...(I)>(static_cast<index_t>(e)...)}; }

}  // namespace fluxion
