/// Operations that move or make values without arithmetic: leaves, generators and views.
#pragma once
#include "operation.hpp"

namespace fluxion::operation {

/// Tensor number `attribute` of the call.
struct argument : other_base<graph::family::leaf, 0> { static constexpr std::string_view name = "argument"; };
/// Run-time scalar number `attribute` of the call.
struct scalar : other_base<graph::family::leaf, 0> { static constexpr std::string_view name = "scalar"; };
/// Entry `attribute` of the program's constants.
struct constant : other_base<graph::family::leaf, 0> { static constexpr std::string_view name = "constant"; };
/// The product of the extents that the mask in `attribute` selects from a shape: how many elements a reduction met.
struct count : other_base<graph::family::leaf, 0> { static constexpr std::string_view name = "count"; };

/// The position along axis `attribute`.
struct iota : other_base<graph::family::generate, 0> { static constexpr std::string_view name = "iota"; };
/// Uniform numbers in [0, 1) by Philox: operands are the generator's key and offset; element i depends on them and i alone.
struct uniform : other_base<graph::family::generate, 2> { static constexpr std::string_view name = "uniform"; };

/// Axes in another order: axis j of the result is axis (attribute >> 4j & 15) of the operand.
struct permute : other_base<graph::family::view, 1> { static constexpr std::string_view name = "permute"; };
/// The same elements in row-major order under another shape.
struct reshape : other_base<graph::family::view, 1> { static constexpr std::string_view name = "reshape"; };
/// Start, stop and step along one axis: entry `attribute` of the program's slices.
struct slice : other_base<graph::family::view, 1> { static constexpr std::string_view name = "slice"; };
/// Zeros of the result's shape with the operand written where the slice `attribute` looks: the adjoint of `slice`.
struct embed : other_base<graph::family::view, 1> { static constexpr std::string_view name = "embed"; };

/// Up to three operands one behind the other along axis `attribute`, whose extents are static.
struct concatenate : other_base<graph::family::view, 3> { static constexpr std::string_view name = "cat"; };

/// A value that a pass will replace: no plan ever holds one. `attribute` tells one from another.
struct placeholder : other_base<graph::family::leaf, 0> { static constexpr std::string_view name = "placeholder"; };

using structural_operations = operations<argument, scalar, constant, count, iota, uniform, permute, reshape, slice, embed, placeholder, concatenate>;

}  // namespace fluxion::operation
