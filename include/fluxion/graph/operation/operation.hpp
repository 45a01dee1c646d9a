/// What an operation says about itself. Each lives in one struct of this folder: its name, its function, its derivative, its cost.
#pragma once
#include "../../core/config.hpp"
#include "../../core/element_type.hpp"
#include "../../core/math.hpp"

#include <cstdint>
#include <string_view>

namespace fluxion::graph {

/// Which rules and which kernels an operation follows.
enum class family : std::uint8_t {
  leaf,      // argument, scalar, constant, count
  generate,  // iota, random bits
  map,       // element by element
  view,      // permute, reshape, slice; embed and concatenate, which write
  reduce,
  contract,
};

/// How the element types of a map's operands decide its own.
enum class typing : std::uint8_t {
  promote,   // operands meet in one type, which is the result's
  floating,  // as promote; integers become float32
  compare,   // operands meet in one type, the result is bool
  logical,   // bool operands, bool result
  choose,    // bool, then as promote
  explicit_  // stated by the instruction (cast)
};

/// Floating-point operations per element, by the count of additions and multiplications of a vectorised implementation.
struct cost_t {
  int flops = 1;
};

}  // namespace fluxion::graph

/// The operations themselves.
namespace fluxion::operation {

using graph::family;
using graph::typing;
using cost_t = graph::cost_t;

/// Base of a map: `value(x...)` for any scalar-like T, `derivative<I>(d, x..., y)` in the library's own operations: the adjoint of
/// operand I for an adjoint d of the result y; being diagonal it is also the tangent of y for a tangent d of operand I.
template <int Arity, typing Typing = typing::promote>
struct map_base {
  static constexpr graph::family family = graph::family::map;
  static constexpr int arity = Arity;
  static constexpr graph::typing typing = Typing;
  static constexpr cost_t cost{};
};

template <graph::family Family, int Arity>
struct other_base {
  static constexpr graph::family family = Family;
  static constexpr int arity = Arity;
  static constexpr graph::typing typing = graph::typing::explicit_;
  static constexpr cost_t cost{};
};

/// A list of operation types.
template <class... O>
struct operations {};

}  // namespace fluxion::operation
