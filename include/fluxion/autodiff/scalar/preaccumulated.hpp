/// Scalar statements whose partial derivatives somebody else has computed: by solving, by a formula, or by differentiating what is not to be recorded.
#pragma once
#include "../scalar_var.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace fluxion::detail {

/// Terms first to last - 1 of a sum, behind the sum so far: as many as a statement may have.
template <class T, class Term>
struct PreaccumulatedStatement {
  using fluxion_scalar = T;
  static constexpr std::uint32_t entries = 255;
  T number;
  const Var<T>& before;
  const Term& term;
  std::size_t first, last;

  const T& value() const { return number; }
  bool is_active() const { return true; }
  void push(auto& writer, const T& adjoint) const {
    if (first > 0) writer.add(adjoint, before.reference().place);
    for (std::size_t k = first; k < last; ++k) term(k, [&](const T& by, const Var<T>& x) { writer.add(adjoint * by, x.reference().place); });
  }
};

/// A variable of a given value, whose derivative by each of n operands is given: `term(k, add)` calls `add(partial derivative, operand)`. One
/// statement for every 254 operands; a constant if all of them are.
template <class T, class Term>
Var<T> record_preaccumulated(const T& value, std::size_t n, const Term& term) {
  Var<T> y = value;
  constexpr std::size_t most = 254;
  for (std::size_t first = 0; first < n; first += most) {
    const Var<T> before = y;
    y = PreaccumulatedStatement<T, Term>{value, before, term, first, std::min(n, first + most)};
  }
  return y;
}

}  // namespace fluxion::detail
