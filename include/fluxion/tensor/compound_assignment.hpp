/// `x += e`, `x -= e`, `x *= e`, `x /= e` for tensors and views: one kernel that reads and writes x.
#pragma once
#include "../graph/function/elementwise.hpp"
#include "evaluate.hpp"
#include "tensor.hpp"
#include "view.hpp"

#include <type_traits>

namespace fluxion {

/// Adds to every element. x keeps its extents: what does not broadcast to them is refused, while compiling or by ShapeError. Any overlap is
/// allowed.
template <class T, Extents E, Operand X>
constexpr Tensor<T, E, cpu_t>& operator+=(Tensor<T, E, cpu_t>& x, const X& e) {
  x.view() = x.view() + e;
  return x;
}
template <class T, Extents E, class L, Operand X>
  requires(!std::is_const_v<T>)
constexpr View<T, E, L> operator+=(View<T, E, L> x, const X& e) {
  x = x + e;
  return x;
}

/// Subtracts from every element; as `+=`.
template <class T, Extents E, Operand X>
constexpr Tensor<T, E, cpu_t>& operator-=(Tensor<T, E, cpu_t>& x, const X& e) {
  x.view() = x.view() - e;
  return x;
}
template <class T, Extents E, class L, Operand X>
  requires(!std::is_const_v<T>)
constexpr View<T, E, L> operator-=(View<T, E, L> x, const X& e) {
  x = x - e;
  return x;
}

/// Multiplies every element; as `+=`.
template <class T, Extents E, Operand X>
constexpr Tensor<T, E, cpu_t>& operator*=(Tensor<T, E, cpu_t>& x, const X& e) {
  x.view() = x.view() * e;
  return x;
}
template <class T, Extents E, class L, Operand X>
  requires(!std::is_const_v<T>)
constexpr View<T, E, L> operator*=(View<T, E, L> x, const X& e) {
  x = x * e;
  return x;
}

/// Divides every element; as `+=`. Integers only by what keeps them integers.
template <class T, Extents E, Operand X>
constexpr Tensor<T, E, cpu_t>& operator/=(Tensor<T, E, cpu_t>& x, const X& e) {
  x.view() = x.view() / e;
  return x;
}
template <class T, Extents E, class L, Operand X>
  requires(!std::is_const_v<T>)
constexpr View<T, E, L> operator/=(View<T, E, L> x, const X& e) {
  x = x / e;
  return x;
}

}  // namespace fluxion
