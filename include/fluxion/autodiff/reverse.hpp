/// Derivatives of ordinary functions of numbers by one recording and as few sweeps as possible: for many inputs. forward:: is for few.
#pragma once
#include "../core/arena.hpp"
#include "scalar_var.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <new>
#include <span>
#include <tuple>
#include <type_traits>
#include <utility>

namespace fluxion::reverse {

using forward::Gradient;
using forward::Hessian;
using forward::Jacobian;

namespace detail {

/// Makes x[0 … n) the inputs of a recording; returns the index of the first, of which the next ones' are the numbers below.
template <class T>
std::int32_t make_inputs(ScalarTape<T>& tape, const T* x, std::size_t n, Var<T>* inputs) {
  const std::int32_t first = tape.add_inputs(n);
  for (std::size_t i = 0; i < n; ++i) ::new (static_cast<void*>(inputs + i)) Var<T>(Var<T>::from_tape(x[i], first - static_cast<std::int32_t>(i)));
  return first;
}
/// One sweep from y, then the inputs' adjoints.
template <class T>
void sweep_to_inputs(ScalarTape<T>& tape, const Var<T>& y, std::int32_t first, std::size_t n, T* gradient) {
  if (y.requires_grad()) y.backward(true);
  const T* const adjoint = n > 0 ? &tape.adjoint(first) : nullptr;
  for (std::size_t i = 0; i < n; ++i) gradient[i] = *(adjoint - i);
}

}  // namespace detail

/// Value and gradient of f, a function of an array to a number: `auto [y, dy] = reverse::gradient(f, x);`. f is called once, with variables that are
/// its own: variables of another recording raise ValueError in it. After the first call with as many statements there is no allocation.
template <class F, class T, std::size_t N>
Gradient<T, N> gradient(const F& f, const std::array<T, N>& x) {
  typename ScalarTape<T>::IsolatedScope scope;
  AutoGradMode recording(true);
  std::array<Var<T>, N> inputs;
  const std::int32_t first = detail::make_inputs(scope.tape(), x.data(), N, inputs.data());
  const Var<T> y = f(std::as_const(inputs));
  Gradient<T, N> result{y.value(), {}};
  detail::sweep_to_inputs(scope.tape(), y, first, N, result.gradient.data());
  return result;
}

/// The same for a number of inputs known at run time: f takes a std::span<const Var<T>>. Writes the gradient to `gradient`, returns the value. Raises
/// ShapeError if the sizes differ.
template <class T, class F>
T gradient(const F& f, std::span<const std::type_identity_t<T>> x, std::span<T> gradient) {
  if (x.size() != gradient.size()) raise<ShapeError>("gradient: ", x.size(), " inputs, but room for ", gradient.size(), " derivatives");
  typename ScalarTape<T>::IsolatedScope scope;
  AutoGradMode recording(true);
  ArenaScope scratch;
  auto* const inputs = scratch.take<Var<T>>(x.size());
  const std::int32_t first = detail::make_inputs(scope.tape(), x.data(), x.size(), inputs);
  const Var<T> y = f(std::span<const Var<T>>(inputs, x.size()));
  detail::sweep_to_inputs(scope.tape(), y, first, x.size(), gradient.data());
  return y.value();
}

namespace detail {

/// Derivatives of M outputs by the inputs, K outputs a sweep: to(m, n, derivative).
template <std::size_t K, class T, class To>
void sweep_rows(std::span<const Var<T>> outputs, std::span<const Var<T>> inputs, const To& to) {
  thread_local fluxion::detail::AdjointArray<std::array<T, K>> adjoints;
  auto& tape = ScalarTape<T>::of_this_thread();
  adjoints.reserve(tape.inputs(), tape.size());
  for (std::size_t first = 0; first < outputs.size(); first += K) {
    const std::size_t rows = std::min(K, outputs.size() - first);
    std::int32_t last = 0;
    for (std::size_t k = 0; k < rows; ++k)
      if (const Var<T>& y = outputs[first + k]; y.requires_grad()) {
        y.check_swept();
        adjoints.origin()[y.index()][k] += T(1);
        last = std::max(last, y.index());
      }
    tape.sweep(adjoints, last);
    for (std::size_t n = 0; n < inputs.size(); ++n) {
      const auto column = std::exchange(adjoints.origin()[inputs[n].index()], {});
      for (std::size_t k = 0; k < rows; ++k) to(first + k, n, column[k]);
    }
  }
}

}  // namespace detail

/// Value and Jacobian of f, a function of an array to an array: element [i][j] is the derivative of result i by argument j. One recording; a sweep
/// carries as many rows as a register has lanes.
template <class F, class T, std::size_t N>
auto jacobian(const F& f, const std::array<T, N>& x) {
  typename ScalarTape<T>::IsolatedScope scope;
  AutoGradMode recording(true);
  std::array<Var<T>, N> inputs;
  detail::make_inputs(scope.tape(), x.data(), N, inputs.data());
  const auto results = f(std::as_const(inputs));
  constexpr std::size_t M = std::tuple_size_v<std::remove_const_t<decltype(results)>>;
  std::array<Var<T>, M> y;
  Jacobian<T, M, N> result{};
  for (std::size_t i = 0; i < M; ++i) {
    y[i] = results[i];
    result.value[i] = y[i].value();
  }
  constexpr std::size_t lanes = std::max<std::size_t>(fluxion::detail::direction_lanes<T>, 4);
  detail::sweep_rows<std::min(lanes, std::bit_ceil(M)), T>(y, inputs, [&](std::size_t m, std::size_t n, const T& d) { result.jacobian[m][n] = d; });
  return result;
}

/// The gradient of f and its derivative along a direction, which is the Hessian times the direction: forward over reverse, one recording.
template <class T, std::size_t N>
struct HessianProduct {
  T value;
  std::array<T, N> gradient;
  std::array<T, N> product;
};
template <class F, class T, std::size_t N>
HessianProduct<T, N> hvp(const F& f, const std::array<T, N>& x, const std::array<T, N>& direction) {
  std::array<Dual<T, 1>, N> point;
  for (std::size_t i = 0; i < N; ++i) point[i] = {x[i], {direction[i]}};
  const auto [y, dy] = gradient(f, point);
  HessianProduct<T, N> result{y.value(), {}, {}};
  for (std::size_t i = 0; i < N; ++i) {
    result.gradient[i] = dy[i].value();
    result.product[i] = dy[i].gradient()[0];
  }
  return result;
}

/// Value, gradient and Hessian of f, a function of an array to a number: up to eight columns a recording.
template <class F, class T, std::size_t N>
Hessian<T, N> hessian(const F& f, const std::array<T, N>& x) {
  constexpr std::size_t K = std::min<std::size_t>(N, 8);
  Hessian<T, N> result{};
  for (std::size_t first = 0; first < N; first += K) {
    std::array<Dual<T, K>, N> point;
    for (std::size_t i = 0; i < N; ++i) point[i] = i >= first && i < first + K ? make_dual<K>(x[i], i - first) : Dual<T, K>(x[i]);
    const auto [y, dy] = gradient(f, point);
    result.value = y.value();
    for (std::size_t i = 0; i < N; ++i) {
      result.gradient[i] = dy[i].value();
      for (std::size_t k = 0; k < K && first + k < N; ++k) result.hessian[i][first + k] = dy[i].gradient()[k];
    }
  }
  return result;
}

}  // namespace fluxion::reverse
