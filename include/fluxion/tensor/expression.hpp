/// Expressions: thin trees that remember what to compute. Nothing runs until one is assigned to a tensor or a view.
#pragma once
#include "argument.hpp"

#include <utility>

namespace fluxion {

namespace detail {

#if !defined(FLUXION_NO_HEAP)
/// A heap tensor in an expression: shares ownership, and knows whether the tensor was written since.
template <class T, class E>
struct shared_leaf {
  SharedBlock block;
  layout_right::mapping<E> mapping;
};
#endif

/// Operands of a node, by value, each a base class of its own number: no std::tuple, short names.
template <int I, class X>
struct child {
  X value;
};
template <class Sequence, class... X>
struct children;
template <int... I, class... X>
struct children<std::integer_sequence<int, I...>, X...> : child<I, X>... {};

template <int I, class X>
constexpr const X& get_child(const child<I, X>& c) {
  return c.value;
}

}  // namespace detail

inline namespace FLUXION_ABI {

/// A call of the function F: `F::trace(Symbol...)` records it.
template <class F, class... X>
class Node {
 public:
  using fluxion_expression = void;
  using function = F;

  constexpr explicit Node(X... x) : children_{{std::move(x)}...} {}

  /// Calls f(child...).
  template <class G>
  constexpr decltype(auto) apply(const G& f) const {
    return apply(f, std::make_integer_sequence<int, static_cast<int>(sizeof...(X))>{});
  }

  /// The value as a symbol while a model is traced: then the leaves are symbols themselves.
  constexpr Symbol symbol() const
    requires(graph::HoldsSymbol<X> && ...)
  {
    return apply([](const auto&... x) { return graph::symbol_frontend::call_holders<F>(x...); });
  }

 private:
  template <class G, int... I>
  constexpr decltype(auto) apply(const G& f, std::integer_sequence<int, I...>) const {
    return f(detail::get_child<I>(children_)...);
  }

  detail::children<std::make_integer_sequence<int, static_cast<int>(sizeof...(X))>, X...> children_;
};

}  // namespace FLUXION_ABI

/// A compile-time number in an expression, such as `c<2>`: part of the program, not of its call.
template <auto V>
struct Constant {};
template <auto V>
inline constexpr Constant<V> c{};
template <auto V>
constexpr auto symbol_of(Constant<V>) {
  return V;
}

// ---- leaves -----------------------------------------------------------------------------------------------------------

namespace detail {

#if !defined(FLUXION_NO_HEAP)
template <class T, class E>
  requires(!Tensor<T, E, cpu_t>::is_in_place)
shared_leaf<T, E> as_expression(const Tensor<T, E, cpu_t>& x) {
  check_has_elements(x);
  return {x.share(), x.mapping()};
}
#endif
template <class T, class E>
  requires(Tensor<T, E, cpu_t>::is_in_place)
constexpr Tensor<T, E, cpu_t> as_expression(const Tensor<T, E, cpu_t>& x) {
  return x;
}
template <class T, class E, class L>
constexpr View<const std::remove_const_t<T>, E, L> as_expression(const View<T, E, L>& x) {
  return x;
}
template <class X>
  requires std::is_arithmetic_v<X>
constexpr X as_expression(X x) {
  return x;
}
template <auto V>
constexpr Constant<V> as_expression(Constant<V> x) {
  return x;
}
template <class X>
  requires Expression<std::remove_cvref_t<X>>
constexpr std::remove_cvref_t<X> as_expression(X&& x) {
  return std::forward<X>(x);
}
/// Whatever says itself what it is in an expression: parameters, variables.
template <class X>
  requires requires(const X& x) { x.as_leaf(); }
constexpr auto as_expression(const X& x) {
  return x.as_leaf();
}

}  // namespace detail

#if !defined(FLUXION_NO_HEAP)
template <class T, class E>
struct argument_traits<detail::shared_leaf<T, E>> {
  using leaf = detail::shared_leaf<T, E>;
  static constexpr int arguments = 1, scalars = 0;
  static constexpr Symbol lower(detail::lowering& l) {
    return {l.program, detail::lower_argument<E>(l, element_type_of<T>, false)};
  }
  static void bind(const leaf& x, auto& b) { b.add(x.block.template data<T>(), x.mapping); }
  static bool changed(const leaf& x) { return x.block.changed(); }
};
#endif

template <auto V>
struct argument_traits<Constant<V>> {
  static constexpr int arguments = 0, scalars = 0;
  static constexpr Symbol lower(detail::lowering& l) {
    return {l.program, l.program.constant(std::is_integral_v<decltype(V)> ? element_type::int64 : element_type::float64,
                                          static_cast<double>(V), graph::weak_flag)};
  }
  static void bind(Constant<V>, auto&) {}
  static constexpr bool changed(Constant<V>) { return false; }
};

template <class F, class... X>
struct argument_traits<Node<F, X...>> {
  using leaf = Node<F, X...>;
  static constexpr int arguments = (argument_traits<X>::arguments + ... + 0), scalars = (argument_traits<X>::scalars + ... + 0);
  static constexpr auto lower(detail::lowering& l) {
    // Braces fix the order: operands are recorded from left to right.
    const detail::children<std::make_integer_sequence<int, static_cast<int>(sizeof...(X))>, detail::lowered_t<X>...> operands{
        {argument_traits<X>::lower(l)}...};
    return trace(operands, std::make_integer_sequence<int, static_cast<int>(sizeof...(X))>{});
  }
  static void bind(const leaf& x, auto& b) {
    x.apply([&](const auto&... child) { (argument_traits<std::remove_cvref_t<decltype(child)>>::bind(child, b), ...); });
  }
  static bool changed(const leaf& x) {
    return x.apply([](const auto&... child) { return (argument_traits<std::remove_cvref_t<decltype(child)>>::changed(child) || ...); });
  }

 private:
  template <class Children, int... I>
  static constexpr auto trace(const Children& operands, std::integer_sequence<int, I...>) {
    return F::trace(detail::get_child<I>(operands)...);
  }
};

namespace detail {

/// The device of an operand; void of numbers, which are at home everywhere.
template <class X>
struct device_of { using type = void; };
template <class T, class E, class D>
struct device_of<Tensor<T, E, D>> { using type = D; };
template <class T, class E, class L>
struct device_of<View<T, E, L>> { using type = cpu_t; };
template <class X>
  requires Expression<X>
struct device_of<X> { using type = cpu_t; };

/// The device of several operands, numbers aside.
template <class... D>
struct common_device { using type = cpu_t; };
template <class D, class... Rest>
struct common_device<D, Rest...> { using type = D; };
template <class... Rest>
struct common_device<void, Rest...> : common_device<Rest...> {};

template <class... D>
constexpr bool have_one_device() {
  using device = typename common_device<D...>::type;
  return ((std::is_same_v<D, device> || std::is_void_v<D>) && ...);
}

}  // namespace detail

namespace detail {

/// What FLUXION_EAGER evaluates at once. Parameters and variables wait for the statement, which may have to be differentiated.
template <class X>
inline constexpr bool is_plain_operand = std::is_arithmetic_v<X>;
template <class T, class E, class D>
inline constexpr bool is_plain_operand<Tensor<T, E, D>> = true;
template <class T, class E, class L>
inline constexpr bool is_plain_operand<View<T, E, L>> = true;
template <auto V>
inline constexpr bool is_plain_operand<Constant<V>> = true;

}  // namespace detail

inline namespace FLUXION_ABI {

struct expression_frontend {
  template <class F, class... X>
  static constexpr auto call(X&&... x) {
    constexpr bool one_device = detail::have_one_device<typename detail::device_of<std::remove_cvref_t<X>>::type...>();
    using device = typename detail::common_device<typename detail::device_of<std::remove_cvref_t<X>>::type...>::type;
    static_assert(one_device, "cannot combine tensors on different devices: move one with .to(…)");
    if constexpr (one_device && std::is_same_v<device, cpu_t>) {
      return make<F>(std::forward<X>(x)...);
    } else {
      if constexpr (one_device) detail::instantiate<detail::execution_on<device>>();
      return Unknown{};
    }
  }

 private:
#if defined(FLUXION_EAGER)
  static constexpr bool is_eager = true;
#else
  static constexpr bool is_eager = false;
#endif
  template <class F, class... X>
  static constexpr auto make(X&&... x) {
    using node = Node<F, std::remove_cvref_t<decltype(detail::as_expression(std::forward<X>(x)))>...>;
    if constexpr (is_eager && (detail::is_plain_operand<std::remove_cvref_t<X>> && ...)) return evaluate(node(detail::as_expression(std::forward<X>(x))...));
    else return node(detail::as_expression(std::forward<X>(x))...);
  }
};

}  // namespace FLUXION_ABI

template <class T, class E, class D>
struct operand_traits<Tensor<T, E, D>> {
  static constexpr int level = 1;
  using frontend = expression_frontend;
};
template <class T, class E, class L>
struct operand_traits<View<T, E, L>> {
  static constexpr int level = 1;
  using frontend = expression_frontend;
};
template <class F, class... X>
struct operand_traits<Node<F, X...>> {
  static constexpr int level = 1;
  using frontend = expression_frontend;
};
template <auto V>
struct operand_traits<Constant<V>> {
  static constexpr int level = 0;
  using frontend = expression_frontend;
};

}  // namespace fluxion
