/// Reductions over the axes in the instruction's mask. The reduced axes stay with extent one; a reshape removes them.
#pragma once
#include "arithmetic.hpp"

#include <limits>
#include <type_traits>

namespace fluxion::operation {

namespace detail {

/// Numbers whose sums and products wrap around where they overflow: unsigned ones instead of signed integers.
template <class T>
FLUXION_ALWAYS_INLINE constexpr auto wrapping(const T& x) {
  if constexpr (std::is_integral_v<T> && !std::is_same_v<T, bool>) return static_cast<std::make_unsigned_t<T>>(x);
  else return x;
}

}  // namespace detail

/// Base of a reduction: `identity`, `combine` two partial results, `finish` with the number of elements; the adjoint in the library's
/// own operations, `d` and `y` having extent one along the reduced axes.
template <bool HasIdentity>
struct reduce_base : other_base<graph::family::reduce, 1> {
  static constexpr bool has_identity = HasIdentity;
  static constexpr bool divides_by_count = false;
  static constexpr bool adds = false;    // partial results are sums, whose rounding may be collected
  static constexpr bool widens = false;  // integers and bools are reduced in int64
};

struct sum : reduce_base<true> {
  static constexpr std::string_view name = "sum";
  static constexpr bool adds = true, widens = true;
  template <class T> static constexpr T identity() { return T(0); }
  template <class T> FLUXION_ALWAYS_INLINE static constexpr T combine(const T& a, const T& b) { return static_cast<T>(detail::wrapping(a) + detail::wrapping(b)); }
  template <class S> static constexpr S adjoint(const S& d, const S& x, const S&, unsigned) { return d.expand_like(x); }
};

struct mean : reduce_base<true> {
  static constexpr std::string_view name = "mean";
  static constexpr bool divides_by_count = true, adds = true;
  template <class T> static constexpr T identity() { return T(0); }
  template <class T> FLUXION_ALWAYS_INLINE static constexpr T combine(const T& a, const T& b) { return static_cast<T>(detail::wrapping(a) + detail::wrapping(b)); }
  template <class S> static constexpr S adjoint(const S& d, const S& x, const S&, unsigned axes) {
    return (d / x.count(axes)).expand_like(x);
  }
};

/// The product. The derivative by an element is the product of the others, without a division where that element is 0. So are second derivatives;
/// third ones where three elements are 0 are taken for 0.
struct prod : reduce_base<true> {
  static constexpr std::string_view name = "prod";
  static constexpr bool widens = true;
  template <class T> static constexpr T identity() { return T(1); }
  template <class T> FLUXION_ALWAYS_INLINE static constexpr T combine(const T& a, const T& b) { return static_cast<T>(detail::wrapping(a) * detail::wrapping(b)); }
  template <class S> static constexpr S adjoint(const S& d, const S& x, const S&, unsigned axes) {
    // Of zeros there are the number, their sum, which is 0 but has a derivative, and the product of everything else.
    const S is_zero = x == 0;
    const S zeros = is_zero.cast(x.type()).template reduce<sum>(axes, true), rest = where(is_zero, 1, x).template reduce<prod>(axes, true);
    const S sum_of_zeros = where(is_zero, x, 0).template reduce<sum>(axes, true);
    const S finite = where(rest.template map<abs>() == std::numeric_limits<double>::infinity(), 0, rest);  // 0 times a product that overflowed is 0
    const S with_one = where(zeros == 1, sum_of_zeros * finite, 0), with_two = where(zeros == 2, (sum_of_zeros - x) * finite, 0);
    const S of_zero = where(zeros == 1, rest, with_two), of_other = where(zeros == 0, rest, with_one) / where(is_zero, 1, x);
    return d * where(is_zero, of_zero, of_other);
  }
};

/// The largest element, NaN if there is one. Ties share the derivative evenly, as torch.amax.
struct amax : reduce_base<false> {
  static constexpr std::string_view name = "amax";
  template <class T> static constexpr T identity() {
    if constexpr (std::numeric_limits<T>::has_infinity) return -std::numeric_limits<T>::infinity();
    else return std::numeric_limits<T>::lowest();
  }
  template <class T> FLUXION_ALWAYS_INLINE static constexpr T combine(const T& a, const T& b) {
    using math::maximum;
    return maximum(a, b);
  }
  template <class S> static constexpr S adjoint(const S& d, const S& x, const S& y, unsigned axes) {
    const S tied = (x == y).cast(d.type());
    return where(x == y, d / tied.template reduce<sum>(axes, true), 0);
  }
};

/// The smallest element, NaN if there is one. Ties share the derivative evenly, as torch.amin.
struct amin : reduce_base<false> {
  static constexpr std::string_view name = "amin";
  template <class T> static constexpr T identity() {
    if constexpr (std::numeric_limits<T>::has_infinity) return std::numeric_limits<T>::infinity();
    else return std::numeric_limits<T>::max();
  }
  template <class T> FLUXION_ALWAYS_INLINE static constexpr T combine(const T& a, const T& b) {
    using math::minimum;
    return minimum(a, b);
  }
  template <class S> static constexpr S adjoint(const S& d, const S& x, const S& y, unsigned axes) {
    return amax::adjoint(d, x, y, axes);
  }
};

using reduce_operations = operations<sum, mean, prod, amax, amin>;

/// The product of matrices, batched over leading axes: flag 1 transposes the left operand's last two axes, flag 2 the right one's.
struct matmul : other_base<graph::family::contract, 2> {
  static constexpr std::string_view name = "matmul";
};

using contract_operations = operations<matmul>;

}  // namespace fluxion::operation
