/// Reductions, and the functions that are compositions of them. Without axes all are reduced; `keepdim` leaves them with extent one.
#pragma once
#include "../../core/axes.hpp"
#include "elementwise.hpp"

namespace fluxion {

namespace graph {

template <class A>
constexpr bool mask_of(const Symbol& x, opcode operation, unsigned& mask) {
  return axis_mask(x.program(), operation, x.shape(), A::values, A::count, mask);
}

/// A reduction as a function.
template <class O, class A, bool Keepdim>
struct reduction {
  static constexpr std::string_view name = O::name;
  static constexpr Symbol trace(const Symbol& x) {
    unsigned mask = 0;
    if (!mask_of<A>(x, opcode_of<O>, mask)) return x;
    return x.reduce<O>(mask, Keepdim);
  }
};

/// Removes the reduced axes unless they are kept.
template <class A, bool Keepdim>
constexpr Symbol finish_reduction(const Symbol& reduced, unsigned mask) {
  if constexpr (Keepdim) return reduced;
  else return reduced.at(record_squeeze(reduced.program(), reduced.index(), mask));
}

template <class A, bool Keepdim>
struct logsumexp_function {
  static constexpr std::string_view name = "logsumexp";
  static constexpr Symbol trace(const Symbol& x) {
    unsigned mask = 0;
    if (!mask_of<A>(x, opcode_of<operation::amax>, mask)) return x;
    const Symbol largest = detach(x.reduce<operation::amax>(mask, true));
    // A row of equal infinities has no finite shift: exp(inf - inf) would be NaN.
    const Symbol shift = where(abs(largest) == std::numeric_limits<double>::infinity(), 0, largest);
    return finish_reduction<A, Keepdim>(log(exp(x - shift).template reduce<operation::sum>(mask, true)) + shift, mask);
  }
};

template <class A, bool Keepdim, int Correction>
struct var_function {
  static constexpr std::string_view name = "var";
  static constexpr Symbol trace(const Symbol& x) {
    unsigned mask = 0;
    if (!mask_of<A>(x, opcode_of<operation::mean>, mask)) return x;
    const Symbol centred = x - x.reduce<operation::mean>(mask, true);
    const Symbol squares = centred * centred;
    if constexpr (Correction == 0) return finish_reduction<A, Keepdim>(squares.template reduce<operation::mean>(mask, true), mask);
    else
      return finish_reduction<A, Keepdim>(
          squares.template reduce<operation::sum>(mask, true) / maximum(x.count(mask) - Correction, 0), mask);
  }
};

template <class A, bool Keepdim>
struct norm_function {
  static constexpr std::string_view name = "norm";
  static constexpr Symbol trace(const Symbol& x) {
    unsigned mask = 0;
    if (!mask_of<A>(x, opcode_of<operation::sum>, mask)) return x;
    const Symbol squares = (x * x).template reduce<operation::sum>(mask, true);
    // The square root's slope at 0 is infinite: zeros go round it, in value and in every derivative.
    const Symbol is_zero = squares == 0;
    return finish_reduction<A, Keepdim>(where(is_zero, 0, sqrt(where(is_zero, 1, squares))), mask);
  }
};

template <class A, bool Keepdim, class O>
struct argument_of_extremum {
  static constexpr std::string_view name = "argmax";
  static constexpr Symbol trace(const Symbol& x) {
    static_assert(A::count == 1, "argmax, argmin: name one axis");
    unsigned mask = 0;
    if (!mask_of<A>(x, opcode_of<O>, mask)) return x;
    const Symbol best = x.reduce<O>(mask, true);
    int axis = 0;
    while (!(mask >> axis & 1)) ++axis;
    const Symbol position = x.at(record_iota(x.program(), x.shape(), axis, element_type::int64));
    // The first position that holds the extremum; a NaN is the extremum of its row.
    const Symbol found = where(logical_or(x == best, x != x), position, std::numeric_limits<std::int64_t>::max() / 2);
    return finish_reduction<A, Keepdim>(found.template reduce<operation::amin>(mask, true), mask);
  }
};

}  // namespace graph

inline namespace FLUXION_ABI {

/// Sum over axes; of nothing 0. Integers and bools are summed in int64.
template <Tensorial X, int... I>
constexpr auto sum(X&& x, axes_t<I...> = {}) { return call<graph::reduction<operation::sum, axes_t<I...>, false>>(std::forward<X>(x)); }
template <Tensorial X, int... I>
constexpr auto sum(X&& x, axes_t<I...>, keepdim_t) { return call<graph::reduction<operation::sum, axes_t<I...>, true>>(std::forward<X>(x)); }
/// Arithmetic mean over axes; of nothing NaN.
template <Tensorial X, int... I>
constexpr auto mean(X&& x, axes_t<I...> = {}) { return call<graph::reduction<operation::mean, axes_t<I...>, false>>(std::forward<X>(x)); }
template <Tensorial X, int... I>
constexpr auto mean(X&& x, axes_t<I...>, keepdim_t) { return call<graph::reduction<operation::mean, axes_t<I...>, true>>(std::forward<X>(x)); }
/// Product over axes; of nothing 1. Integers and bools are multiplied in int64.
template <Tensorial X, int... I>
constexpr auto prod(X&& x, axes_t<I...> = {}) { return call<graph::reduction<operation::prod, axes_t<I...>, false>>(std::forward<X>(x)); }
template <Tensorial X, int... I>
constexpr auto prod(X&& x, axes_t<I...>, keepdim_t) { return call<graph::reduction<operation::prod, axes_t<I...>, true>>(std::forward<X>(x)); }
/// Largest element over axes (torch.amax): NaN if there is one; of nothing an error.
template <Tensorial X, int... I>
constexpr auto max(X&& x, axes_t<I...> = {}) { return call<graph::reduction<operation::amax, axes_t<I...>, false>>(std::forward<X>(x)); }
template <Tensorial X, int... I>
constexpr auto max(X&& x, axes_t<I...>, keepdim_t) { return call<graph::reduction<operation::amax, axes_t<I...>, true>>(std::forward<X>(x)); }
/// Smallest element over axes (torch.amin).
template <Tensorial X, int... I>
constexpr auto min(X&& x, axes_t<I...> = {}) { return call<graph::reduction<operation::amin, axes_t<I...>, false>>(std::forward<X>(x)); }
template <Tensorial X, int... I>
constexpr auto min(X&& x, axes_t<I...>, keepdim_t) { return call<graph::reduction<operation::amin, axes_t<I...>, true>>(std::forward<X>(x)); }
/// Position of the first largest element along one axis, int64.
template <Tensorial X, int I>
constexpr auto argmax(X&& x, axes_t<I>) { return call<graph::argument_of_extremum<axes_t<I>, false, operation::amax>>(std::forward<X>(x)); }
template <Tensorial X, int I>
constexpr auto argmax(X&& x, axes_t<I>, keepdim_t) { return call<graph::argument_of_extremum<axes_t<I>, true, operation::amax>>(std::forward<X>(x)); }
template <Tensorial X, int I>
constexpr auto argmin(X&& x, axes_t<I>) { return call<graph::argument_of_extremum<axes_t<I>, false, operation::amin>>(std::forward<X>(x)); }
/// log(sum(exp(x))) without overflow.
template <Tensorial X, int... I>
constexpr auto logsumexp(X&& x, axes_t<I...> = {}) { return call<graph::logsumexp_function<axes_t<I...>, false>>(std::forward<X>(x)); }
template <Tensorial X, int... I>
constexpr auto logsumexp(X&& x, axes_t<I...>, keepdim_t) { return call<graph::logsumexp_function<axes_t<I...>, true>>(std::forward<X>(x)); }
/// Euclidean norm over axes (torch.linalg.vector_norm): the root of the sum of squares; its derivative at zero is zero.
template <Tensorial X, int... I>
constexpr auto norm(X&& x, axes_t<I...> = {}) { return call<graph::norm_function<axes_t<I...>, false>>(std::forward<X>(x)); }
template <Tensorial X, int... I>
constexpr auto norm(X&& x, axes_t<I...>, keepdim_t) { return call<graph::norm_function<axes_t<I...>, true>>(std::forward<X>(x)); }
/// Variance over axes with Bessel's correction (`Correction` 1, torch.var's default) or without (0).
template <int Correction = 1, Tensorial X, int... I>
constexpr auto var(X&& x, axes_t<I...> = {}) { return call<graph::var_function<axes_t<I...>, false, Correction>>(std::forward<X>(x)); }
template <int Correction = 1, Tensorial X, int... I>
constexpr auto var(X&& x, axes_t<I...>, keepdim_t) { return call<graph::var_function<axes_t<I...>, true, Correction>>(std::forward<X>(x)); }

}  // namespace FLUXION_ABI
}  // namespace fluxion
