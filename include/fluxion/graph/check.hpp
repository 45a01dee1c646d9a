/// What recording found wrong, said by the compiler: one lower-case sentence in a type that shows the operation and both shapes.
#pragma once
#include "../core/unknown.hpp"
#include "program.hpp"

namespace fluxion {

namespace graph {

template <class... X>
inline constexpr bool never = false;

/// Instantiated with the operation and the extents of its operands where they do not fit; a run-time extent is dynamic_extent.
template <program_error Code, class Operation, class Left, class Right>
struct check {
  static_assert(Code != program_error::shapes_do_not_broadcast || never<Operation>,
                "the shapes of the operands do not broadcast: see the operation and both extents above");
  static_assert(Code != program_error::inner_extents_differ || never<Operation>,
                "matmul: inner extents differ: see both extents above");
  static_assert(Code != program_error::rank_too_low || never<Operation>,
                "the rank of an operand is too low for the operation: see its extents above");
  static_assert(Code != program_error::axis_out_of_range || never<Operation>,
                "an axis is out of range for the operand: see the operation and the extents above");
  static_assert(Code != program_error::repeated_axis || never<Operation>, "an axis is named twice: see the operation and the extents above");
  static_assert(Code != program_error::element_counts_differ || never<Operation>,
                "reshape: the numbers of elements differ: see both extents above");
  static_assert(Code != program_error::empty_reduction || never<Operation>,
                "a reduction of an empty axis has no identity: see the operation and the extents above");
  static_assert(Code != program_error::not_differentiable || never<Operation>,
                "a derivative is asked for with respect to something that is not floating point");
  static_assert(Code != program_error::slice_out_of_range || never<Operation>,
                "slice: a bound counts from the end of an extent that is known only at run time, or the step is not positive");
  static_assert(Code != program_error::index_out_of_range || never<Operation>,
                "an index is out of range for the first of the extents above");
  static_assert(Code != program_error::rank_too_high || never<Operation>, "the rank of the result is above fluxion::max_rank");
  static_assert(Code != program_error::not_a_scalar || never<Operation>,
                "grad: the function must return one number: reduce it with sum or mean");
  static_assert(Code != program_error::setting_read_while_traced || never<Operation>,
                "a run-time setting was read while tracing; make it a template parameter or an fx::Scalar");
  static_assert(Code != program_error::wrong_element_type || never<Operation>,
                "the element type does not suit the operation: see the operation above");
  static_assert(Code != program_error::pad_of_unknown_extent || never<Operation>,
                "pad: the extent of the axis must be known when the program compiles");
  static_assert(Code != program_error::cat_of_unknown_extent || never<Operation>,
                "cat: the extents along the axis must be known when the program compiles");
  static_assert(Code != program_error::cat_shapes_differ || never<Operation>,
                "cat: the operands differ in rank, or in an extent along another axis than the one given: see both shapes above");
  static_assert(Code != program_error::rule_is_missing || never<Operation>,
                "a function with a custom_vjp has no tangents: give it a custom_jvp, which serves both modes");
  static_assert(Code != program_error::rule_counts_differ || never<Operation>,
                "a custom rule returns as many values as the function has arguments (custom_vjp) or results (custom_jvp)");
  static_assert(Code != program_error::direction_differs || never<Operation>,
                "a tangent has the shape of its argument, a cotangent that of its result: see both extents above");
  static_assert(Code != program_error::batches_differ || never<Operation>,
                "vmap: the batch axes of two arguments have different extents: see the shapes of both above");
  static_assert(Code != program_error::not_batched || never<Operation>, "vmap: there is no rule for a batch of this operation: see it above");
};

namespace detail {

constexpr std::size_t extent_argument(extent_t e) { return is_symbol(e) ? dynamic_extent : static_cast<std::size_t>(e); }

template <const shape& S, class Sequence>
struct extents_of_shape;
template <const shape& S, int... I>
struct extents_of_shape<S, std::integer_sequence<int, I...>> { using type = extents<extent_argument(S.extent[I])...>; };

}  // namespace detail

/// The extents type of a constant shape.
template <const shape& S>
using extents_of = typename detail::extents_of_shape<S, std::make_integer_sequence<int, S.rank>>::type;

/// The error of a constant program, which `Holder::error` is. `report()` says it, if there is one, and is true in any case: what failed is
/// asked of `passed`, so that nothing behind an error is an error too.
template <class Holder>
struct checked {
  static constexpr error_report error = Holder::error;
  static constexpr shape left = error.a;
  static constexpr shape right = error.b;
  static constexpr bool passed = error.code == program_error::none;
  static constexpr bool report() {
    if constexpr (!passed)
      return fluxion::detail::instantiate<check<error.code, operation_type<error.operation>, extents_of<left>, extents_of<right>>>();
    else return true;
  }
};

}  // namespace graph
}  // namespace fluxion
