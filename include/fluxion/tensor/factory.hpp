/// Tensors from a rule: zeros, ones, full, empty, eye, arange, linspace.
///
///     zeros<float>({3, 4})             rank from the braced list, extents at run time; also zeros<float>(3, 4)
///     zeros<float>(x.extents())        the extents' own type
///     zeros<float, extents<3, 4>>()    static extents
///     Tensor<float, extents<3>> w = zeros;        the bare name, for static extents; `w = zeros;` sets every element
///     Tensor<float, dims<1>> w = zeros(features); extents without an element type, which the destination gives
///
/// All raise ShapeError "zeros: extents [-1, 2] are negative" or "… overflow", and throw std::bad_alloc.
#pragma once
#include "../core/error.hpp"
#include "../core/extents.hpp"
#include "filler.hpp"
#include "tensor.hpp"

#include <array>
#include <cmath>
#include <concepts>
#include <cstdint>
#include <limits>
#include <type_traits>

namespace fluxion {

namespace detail {

template <class T, Extents E, Filler F>
constexpr Tensor<T, E> make_filled(const F& filler, const E& e, const char* operation) {
  checked_size(e, sizeof(T), operation);
  Tensor<T, E> result(uninitialized, e);
  filler.fill(result.data(), e);
  return result;
}

template <std::size_t N>
constexpr dims<N> to_dims(const index_t (&values)[N]) {
  return dims<N>(std::to_array(values));
}
template <Position... I>
constexpr dims<sizeof...(I)> to_dims(I... values) {
  return dims<sizeof...(I)>(std::array<index_t, sizeof...(I)>{static_cast<index_t>(values)...});
}

}  // namespace detail

// The first template parameter of the overloads without an element type is an integer, which keeps them out of
// `zeros<int>(…)`.

/// The bare name as an initialiser; see filler.hpp. Not meant to be called.
constexpr zeros_filler zeros(filler_token) { return {}; }
template <Element T, Extents E>
constexpr Tensor<T, E> zeros(const E& e = {}) { return detail::make_filled<T>(zeros_filler{}, e, "zeros"); }
template <Element T, std::size_t N>
constexpr Tensor<T, dims<N>> zeros(const index_t (&e)[N]) { return zeros<T>(detail::to_dims(e)); }
template <Element T, Position... I>
constexpr Tensor<T, dims<sizeof...(I)>> zeros(I... e) { return zeros<T>(detail::to_dims(e...)); }
template <int = 0, Extents E>
constexpr sized_filler<zeros_filler, E> zeros(const E& e) { return {{}, e}; }
template <int = 0, std::size_t N>
constexpr sized_filler<zeros_filler, dims<N>> zeros(const index_t (&e)[N]) { return {{}, detail::to_dims(e)}; }
template <int = 0, Position... I>
  requires(sizeof...(I) > 0)
constexpr sized_filler<zeros_filler, dims<sizeof...(I)>> zeros(I... e) { return {{}, detail::to_dims(e...)}; }

/// The bare name as an initialiser; see filler.hpp. Not meant to be called.
constexpr ones_filler ones(filler_token) { return {}; }
template <Element T, Extents E>
constexpr Tensor<T, E> ones(const E& e = {}) { return detail::make_filled<T>(ones_filler{}, e, "ones"); }
template <Element T, std::size_t N>
constexpr Tensor<T, dims<N>> ones(const index_t (&e)[N]) { return ones<T>(detail::to_dims(e)); }
template <Element T, Position... I>
constexpr Tensor<T, dims<sizeof...(I)>> ones(I... e) { return ones<T>(detail::to_dims(e...)); }
template <int = 0, Extents E>
constexpr sized_filler<ones_filler, E> ones(const E& e) { return {{}, e}; }
template <int = 0, std::size_t N>
constexpr sized_filler<ones_filler, dims<N>> ones(const index_t (&e)[N]) { return {{}, detail::to_dims(e)}; }
template <int = 0, Position... I>
  requires(sizeof...(I) > 0)
constexpr sized_filler<ones_filler, dims<sizeof...(I)>> ones(I... e) { return {{}, detail::to_dims(e...)}; }

/// Every element `value`, as torch.full: the element type is that of the value unless it is given.
template <Element T, Extents E>
constexpr Tensor<T, E> full(const E& e, T value) { return detail::make_filled<T>(full_filler<T>{value}, e, "full"); }
template <Element T, Extents E>
constexpr Tensor<T, E> full(T value) { return full<T>(E{}, value); }
template <Element T, std::size_t N>
constexpr Tensor<T, dims<N>> full(const index_t (&e)[N], T value) { return full<T>(detail::to_dims(e), value); }
/// A filler: `Tensor<float, extents<3>> w = full(0.5f);`.
template <Element T>
constexpr full_filler<T> full(T value) { return {value}; }

/// Elements without a value.
template <Element T, Extents E>
constexpr Tensor<T, E> empty(const E& e = {}) {
  detail::checked_size(e, sizeof(T), "empty");
  return Tensor<T, E>(uninitialized, e);
}
template <Element T, std::size_t N>
constexpr Tensor<T, dims<N>> empty(const index_t (&e)[N]) { return empty<T>(detail::to_dims(e)); }
template <Element T, Position... I>
constexpr Tensor<T, dims<sizeof...(I)>> empty(I... e) { return empty<T>(detail::to_dims(e...)); }

/// The bare name as an initialiser; see filler.hpp. Not meant to be called.
constexpr eye_filler eye(filler_token) { return {}; }
/// Ones on the diagonal, zeros elsewhere: [rows, columns], square by default.
template <Element T, Extents E>
constexpr Tensor<T, E> eye() { return detail::make_filled<T>(eye_filler{}, E{}, "eye"); }
template <Element T>
constexpr Tensor<T, dims<2>> eye(index_t rows, index_t columns) {
  return detail::make_filled<T>(eye_filler{}, dims<2>(rows, columns), "eye");
}
template <Element T>
constexpr Tensor<T, dims<2>> eye(index_t rows) { return eye<T>(rows, rows); }

/// start, start + step, … up to but without stop, as numpy.arange. Raises ValueError for a step of zero.
template <Element T>
constexpr Tensor<T, dims<1>> arange(T start, std::type_identity_t<T> stop, std::type_identity_t<T> step = T(1)) {
  static_assert(!std::same_as<T, bool>, "arange: booleans cannot be counted");
  if (step == T(0)) raise<ValueError>("arange: step must not be zero");
  index_t count = 0;
  if constexpr (std::floating_point<T>) {
    const double length = std::ceil((static_cast<double>(stop) - static_cast<double>(start)) / static_cast<double>(step));
    if (!(length < 9e18)) raise<ValueError>("arange: the number of elements is not finite");
    count = length > 0 ? static_cast<index_t>(length) : 0;
  } else {
    // Differences of unsigned numbers do not overflow.
    using U = std::uint64_t;
    const U distance =
        step > 0 ? static_cast<U>(stop) - static_cast<U>(start) : static_cast<U>(start) - static_cast<U>(stop);
    const U stride = step > 0 ? static_cast<U>(step) : U{0} - static_cast<U>(step);
    if (step > 0 ? start < stop : stop < start) {
      const U steps = (distance - 1) / stride;
      if (steps >= static_cast<U>(std::numeric_limits<index_t>::max())) raise<ValueError>("arange: the number of elements overflows");
      count = static_cast<index_t>(steps) + 1;
    }
  }
  detail::checked_size(dims<1>(count), sizeof(T), "arange");
  Tensor<T, dims<1>> result = empty<T>(dims<1>(count));
  T* to = result.data();
  for (index_t i = 0; i < count; ++i) {
    if constexpr (std::floating_point<T>) {
      to[i] = start + static_cast<T>(i) * step;
    } else {
      using U = std::uint64_t;
      to[i] = static_cast<T>(static_cast<U>(start) + static_cast<U>(i) * static_cast<U>(step));
    }
  }
  return result;
}
template <Element T>
constexpr Tensor<T, dims<1>> arange(T stop) { return arange<T>(T(0), stop); }

/// `count` values from start to stop, both included, as numpy.linspace.
template <Element T>
constexpr Tensor<T, dims<1>> linspace(T start, std::type_identity_t<T> stop, index_t count) {
  static_assert(std::floating_point<T>, "linspace needs a floating-point element type");
  detail::checked_size(dims<1>(count), sizeof(T), "linspace");
  Tensor<T, dims<1>> result = empty<T>(dims<1>(count));
  T* to = result.data();
  const T steps = static_cast<T>(count - 1);
  // From both ends, so that each end is exact and the middle is symmetric.
  for (index_t i = 0; i < count; ++i) {
    const T step = count > 1 ? (stop - start) / steps : T(0);
    to[i] = 2 * i < count ? start + static_cast<T>(i) * step : stop - static_cast<T>(count - 1 - i) * step;
  }
  return result;
}

}  // namespace fluxion
