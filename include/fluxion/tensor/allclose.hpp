/// Comparisons of whole tensors: exactly, or up to a tolerance.
#pragma once
#include "../core/shape.hpp"
#include "copy.hpp"
#include "expression_hook.hpp"
#include "tensor.hpp"
#include "view.hpp"

#include <limits>
#include <type_traits>

namespace fluxion {

namespace detail {

template <class X>
concept Comparable = is_tensor<X> || is_view<X> || Expression<X>;

/// A view of a tensor or a view; an expression is evaluated first.
template <class X, class F>
constexpr decltype(auto) with_view(const X& x, const F& f) {
  if constexpr (is_view<X>) {
    return f(x);
  } else if constexpr (is_tensor<X>) {
    return f(x.view());
  } else {
    const Tensor<typename expression_result<X>::value_type, typename expression_result<X>::extents_type> value(x);
    return f(value.view());
  }
}

template <class T, class U>
constexpr bool is_close(T a, U b, double rtol, double atol, bool equal_nan) {
  if constexpr (std::is_same_v<T, U>)
    if (a == b) return true;  // infinities too
  const double x = static_cast<double>(a), y = static_cast<double>(b);
  if (x != x || y != y) return equal_nan && x != x && y != y;
  if (x == y) return true;
  const double distance = x < y ? y - x : x - y;
  const double bound = atol + rtol * (y < 0 ? -y : y);
  // An infinite distance is never small, even where the bound is infinite too.
  return distance <= bound && distance <= std::numeric_limits<double>::max();
}

template <class A, class B, class F>
constexpr bool all_pairs(const A& a, const B& b, const F& holds) {
  bool result = true;
  for_each_pair(a.const_data(), a.mapping(), b.const_data(), b.mapping(),
                [&](const auto& x, const auto& y) { result = result && holds(x, y); });
  return result;
}

}  // namespace detail

/// Whether |a - b| <= atol + rtol * |b| for every pair of elements, as numpy.allclose. Infinities must be equal, NaN equals
/// NaN only if asked for. Extents must be equal: raises ShapeError.
template <detail::Comparable A, detail::Comparable B>
constexpr bool allclose(const A& a, const B& b, double rtol = 1e-5, double atol = 1e-8, bool equal_nan = false) {
  return detail::with_view(a, [&](const auto& x) {
    return detail::with_view(b, [&](const auto& y) {
      detail::check_equal_extents(x.extents(), y.extents(), "allclose");
      return detail::all_pairs(x, y, [&](const auto& p, const auto& q) {
        return detail::is_close(p, q, rtol, atol, equal_nan);
      });
    });
  });
}

/// Whether extents and elements are the same, as torch.equal. NaN differs from everything.
template <detail::Comparable A, detail::Comparable B>
constexpr bool equal(const A& a, const B& b) {
  return detail::with_view(a, [&](const auto& x) {
    return detail::with_view(b, [&](const auto& y) {
      using X = typename std::remove_cvref_t<decltype(x)>::value_type;
      using Y = typename std::remove_cvref_t<decltype(y)>::value_type;
      static_assert(std::is_same_v<X, Y>, "equal: the element types differ");
      using E = typename std::remove_cvref_t<decltype(x)>::extents_type;
      using F = typename std::remove_cvref_t<decltype(y)>::extents_type;
      if constexpr (E::rank() == F::rank()) {
        if (!(x.extents() == y.extents())) return false;
        return detail::all_pairs(x, y, [](const X& p, const X& q) { return p == q; });
      } else {
        return false;
      }
    });
  });
}

}  // namespace fluxion
