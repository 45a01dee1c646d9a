/// Functions with a derivative of one's own, as torch.autograd.Function: a struct with `forward` and `backward`, recorded as one node.
///
///     struct Cube : fx::autograd::Function<Cube> {
///       using Context = fx::autograd::Context<fx::Var<double, fx::dims<1>>>;
///       static auto forward(Context& ctx, const auto& x) {
///         ctx.save_for_backward(x);
///         return x * x * x;
///       }
///       static auto backward(Context& ctx, const auto& gradient) {
///         const auto& [x] = ctx.saved_tensors();
///         return 3.0 * x * x * gradient;
///       }
///     };
///     fx::Var y = Cube::apply(x);
#pragma once
#include "tape/given_gradient.hpp"

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

namespace fluxion {

namespace autograd {

/// What forward keeps for backward: values of the types S, tensors or variables. A struct derived from it may hold more.
template <class... S>
class Context {
 public:
  /// Keeps values, which are converted to the types S.
  template <class... X>
  void save_for_backward(X&&... x) {
    static_assert(sizeof...(X) == sizeof...(S), "save_for_backward: the context is declared for another number of values");
    saved_.emplace(S(std::forward<X>(x))...);
    each([&](std::size_t k, const auto& value) { versions_[k] = version_of(value); });
  }
  /// What was saved. Raises ValueError if nothing was, or if a variable that was saved has been written since.
  const std::tuple<S...>& saved_tensors() const {
    if (!saved_) raise<ValueError>("saved_tensors: forward saved nothing");
    each([&](std::size_t k, const auto& value) {
      if (version_of(value) != versions_[k]) raise<ValueError>("saved_tensors: variable ", k, " was written after it was saved");
    });
    return *saved_;
  }
  /// Whether the gradient with respect to input k is wanted.
  bool needs_input_grad(std::size_t k) const { return k < inputs_ && wanted_[k]; }

  // ---- for the library ----------------------------------------------------------------------------------------------

  void set_wanted(std::size_t k, bool on) {
    if (k < most_inputs) wanted_[k] = on, inputs_ = k + 1 > inputs_ ? k + 1 : inputs_;
  }
  /// What a node holds does not count as a use of its tape.
  void drop_uses(Tape& tape) const {
    if (saved_)
      each([&](std::size_t, const auto& value) {
        if constexpr (detail::is_var<std::remove_cvref_t<decltype(value)>>)
          if (value.handle().epoch() == tape.epoch()) tape.drop_handle();
      });
  }

 private:
  static constexpr std::size_t most_inputs = 16;

  template <class X>
  static std::size_t version_of(const X& value) {
    if constexpr (detail::is_var<X>) return value.node().version;
    else return 0;
  }
  template <class F>
  void each(F&& f) const {
    [&]<std::size_t... I>(std::index_sequence<I...>) { (f(I, std::get<I>(*saved_)), ...); }(std::index_sequence_for<S...>{});
  }

  std::optional<std::tuple<S...>> saved_;
  std::array<std::size_t, sizeof...(S)> versions_{};
  std::array<bool, most_inputs> wanted_{};
  std::size_t inputs_ = 0;
};

/// What backward returns for an input that has no gradient.
struct None {};
inline constexpr None none{};

}  // namespace autograd

namespace detail {

/// The name of a type as the compiler spells it, without the namespaces that it is in.
template <class F>
std::string spelled_name() {
#if defined(_MSC_VER) && !defined(__clang__)
  return "custom function";
#else
  std::string_view text = __PRETTY_FUNCTION__;
  text.remove_prefix(text.find("F = ") + 4);
  text = text.substr(0, text.find_first_of(";]"));
  if (const std::size_t scope = text.substr(0, text.find('<')).rfind("::"); scope != text.npos) text.remove_prefix(scope + 2);
  return std::string(text);
#endif
}

/// The node of a custom function: its context, its value and its inputs.
template <class F, class V, class... X>
class CustomNode final : public TapeNode {
 public:
  CustomNode(typename F::Context&& context, const V& value_of_forward, const X&... x)
      : parts_(std::in_place, std::move(context), value_of_forward, std::tuple<given_input<X>...>(given_input<X>(x)...)) {
    adopt_value(*this, parts_->value.node());
  }

  void backward(Sweep& sweep) override { run(sweep, make_input(sweep.tape(), *this, adjoint, false)); }
  bool record_backward(Sweep& sweep) override {
    run(sweep, handle_of(*adjoint_node, sweep.tape()));
    return true;
  }
  void describe(NodeDescription& d) const override {
    d.name = spelled_name<F>();
    std::apply([&](const auto&... input) { (input.describe(d), ...); }, parts_->inputs);
  }
  void release() override {
    if (parts_) spare_.emplace(parts_->value);  // which stays readable
    parts_.reset();
  }

 private:
  struct parts {
    parts(typename F::Context&& c, const V& v, std::tuple<given_input<X>...>&& i) : context(std::move(c)), value(v), inputs(std::move(i)) {}
    typename F::Context context;
    V value;
    std::tuple<given_input<X>...> inputs;
  };

  void run(Sweep& sweep, NodeHandle&& gradient) {
    const V given(gradient);
    auto found = F::backward(parts_->context, given);
    if constexpr (is_std_tuple<decltype(found)>) take(sweep, found, std::index_sequence_for<X...>{});
    else take(sweep, std::tie(found), std::index_sequence_for<X...>{});
  }
  template <class G, std::size_t... I>
  void take(Sweep& sweep, const G& gradients, std::index_sequence<I...>) {
    constexpr bool one_each = std::tuple_size_v<G> == sizeof...(X);
    static_assert(one_each, "Function: backward returns a gradient, or autograd::none, for each input of forward");
    if constexpr (one_each) (give_gradient(sweep, std::get<I>(parts_->inputs), std::get<I>(gradients), "Function", I), ...);
  }

  std::optional<parts> parts_;
  std::optional<V> spare_;
};

}  // namespace detail

namespace autograd {

/// The base of a custom function F, which has `Context`, `forward(Context&, inputs...)` and `backward(Context&, gradient)`. Neither is recorded:
/// forward returns a tensor, a variable or an expression; backward a gradient for each input, of its extents, alone or in a tuple, or `none`.
/// Under create_graph backward is recorded, if it computes with variables.
template <class F>
struct Function {
  /// Calls forward and records the call if an input, a variable or a parameter, requires a gradient.
  template <class... X>
  static auto apply(const X&... inputs) {
    const bool recorded = is_grad_enabled() && (detail::given_input<X>::wanted(inputs) || ...);
    typename F::Context context;
    std::size_t k = 0;
    (context.set_wanted(k++, detail::given_input<X>::wanted(inputs)), ...);
    auto value = [&] {
      const NoGradGuard guard;
      return detail::to_variable(F::forward(context, inputs...), {});
    }();
    using V = decltype(value);
    if (!recorded) return value;
    Tape& tape = Tape::of_this_thread();
    (detail::given_input<X>::check(inputs, tape), ...);
    tape.prepare();
    context.drop_uses(tape);
    return V(detail::NodeHandle(tape.append<detail::CustomNode<F, V, X...>>(std::move(context), value, inputs...), tape));
  }
};

}  // namespace autograd
}  // namespace fluxion
