/// Reductions over the axes in the instruction's mask. The reduced axes stay with extent one; a reshape removes them.
#pragma once
#include "operation.hpp"

#include <limits>

namespace fluxion::operation {

/// Base of a reduction: `identity`, `combine` two partial results, `finish` with the number of elements; the adjoint in the library's
/// own operations, `d` and `y` having extent one along the reduced axes.
template <bool HasIdentity>
struct reduce_base : other_base<graph::family::reduce, 1> {
  static constexpr bool has_identity = HasIdentity;
  static constexpr bool divides_by_count = false;
};

struct sum : reduce_base<true> {
  static constexpr std::string_view name = "sum";
  template <class T> static constexpr T identity() { return T(0); }
  template <class T> FLUXION_ALWAYS_INLINE static constexpr T combine(const T& a, const T& b) { return a + b; }
  template <class S> static constexpr S adjoint(const S& d, const S& x, const S&, unsigned) { return d.expand_like(x); }
};

struct mean : reduce_base<true> {
  static constexpr std::string_view name = "mean";
  static constexpr bool divides_by_count = true;
  template <class T> static constexpr T identity() { return T(0); }
  template <class T> FLUXION_ALWAYS_INLINE static constexpr T combine(const T& a, const T& b) { return a + b; }
  template <class S> static constexpr S adjoint(const S& d, const S& x, const S&, unsigned axes) {
    return (d / x.count(axes)).expand_like(x);
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

using reduce_operations = operations<sum, mean, amax, amin>;

/// The product of matrices, batched over leading axes: flag 1 transposes the left operand's last two axes, flag 2 the right one's.
struct matmul : other_base<graph::family::contract, 2> {
  static constexpr std::string_view name = "matmul";
};

using contract_operations = operations<matmul>;

}  // namespace fluxion::operation
