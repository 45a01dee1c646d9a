/// One set of functions for everything that can be computed with: a function names itself as a type `F` with `F::trace(Symbol...)`, and the
/// operands decide what calling it means: symbols record it, tensors and expressions make a node, a `Var` too.
#pragma once
#include "../core/config.hpp"
#include "../core/element_type.hpp"
#include "../core/unknown.hpp"

#include <concepts>
#include <type_traits>
#include <utility>

namespace fluxion {

/// Specialised for each kind of operand: `level` (0 for numbers) and `frontend`, whose `call<F>(x...)` is used when no operand of the
/// call has a higher level.
template <class X>
struct operand_traits {};

template <class X>
  requires std::is_arithmetic_v<X>
struct operand_traits<X> {
  static constexpr int level = 0;
  using frontend = void;
};

/// Whatever is computed with something unknown is unknown.
struct unknown_frontend {
  template <class F, class... X>
  static constexpr Unknown call(const X&...) { return {}; }
};
template <>
struct operand_traits<Unknown> {
  static constexpr int level = 1000;
  using frontend = unknown_frontend;
};

/// Anything a function of the library takes: a number, a symbol, a tensor, a view, an expression, a variable.
template <class X>
concept Operand = requires { operand_traits<std::remove_cvref_t<X>>::level; };

/// An operand that is not a plain number.
template <class X>
concept Tensorial = Operand<X> && operand_traits<std::remove_cvref_t<X>>::level > 0;

namespace detail {

template <class... X>
struct highest;
template <class X>
struct highest<X> { using type = X; };
template <class A, class B, class... Rest>
struct highest<A, B, Rest...>
    : highest<std::conditional_t<(operand_traits<A>::level >= operand_traits<B>::level), A, B>, Rest...> {};

}  // namespace detail

inline namespace FLUXION_ABI {

/// Calls the function F on operands of which at least one is not a plain number.
template <class F, Operand... X>
  requires(Tensorial<X> || ...)
constexpr auto call(X&&... x) {
  using frontend = typename operand_traits<typename detail::highest<std::remove_cvref_t<X>...>::type>::frontend;
  return frontend::template call<F>(std::forward<X>(x)...);
}

}  // namespace FLUXION_ABI

}  // namespace fluxion
