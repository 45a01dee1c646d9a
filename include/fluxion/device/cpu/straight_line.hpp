/// Runs straight-line code: one C++ statement per step, values in registers. No loop, no memory of its own, no allocation.
#pragma once
#include "../../graph/call.hpp"
#include "../../graph/operation/apply.hpp"
#include "../../graph/straight_line.hpp"

#include <type_traits>

namespace fluxion::host {
inline namespace FLUXION_ABI {

namespace detail {

/// The values of one type.
template <class T, int Count>
struct registers_of {
  T values[Count];
};
template <class T>
struct registers_of<T, 0> {};

/// All values, each in the array of its type.
template <class Line, class Sequence>
struct registers;
template <class Line, int... Type>
struct registers<Line, std::integer_sequence<int, Type...>>
    : registers_of<element_t<static_cast<element_type>(Type)>, Line::value.registers[Type]>... {};

}  // namespace detail

/// The code of `Source`, whose program could be written out element by element.
template <class Source>
class straight_line_runner {
  using line = graph::constant_straight_line<Source>;
  using registers = detail::registers<line, std::make_integer_sequence<int, element_type_count>>;

 public:
  /// Every argument is read before any result is written, so they may share memory in any way.
  static void run(const graph::descriptor* arguments, const graph::scalar_value* scalars, const graph::descriptor* outputs) {
    registers r;
    steps<0, line::size.steps>(r, arguments, scalars);
    store_all(r, outputs, std::make_integer_sequence<int, line::view.output_count>{});
  }

 private:
  template <int I>
  static FLUXION_ALWAYS_INLINE auto& at(registers& r) {
    constexpr element_type type = line::value.steps[I].type;
    using T = element_t<type>;
    return static_cast<detail::registers_of<T, line::value.registers[static_cast<int>(type)]>&>(r).values[line::value.register_number[I]];
  }

  // Halves: compilers limit how deep and how wide one expression may be.
  template <int First, int Count>
  static FLUXION_ALWAYS_INLINE void steps(registers& r, const graph::descriptor* arguments, const graph::scalar_value* scalars) {
    if constexpr (Count == 1) at<First>(r) = compute<First>(r, arguments, scalars);
    else if constexpr (Count > 1) {
      steps<First, Count / 2>(r, arguments, scalars);
      steps<First + Count / 2, Count - Count / 2>(r, arguments, scalars);
    }
  }

  template <int I>
  static FLUXION_ALWAYS_INLINE auto compute(registers& r, const graph::descriptor* arguments, const graph::scalar_value* scalars) {
    constexpr graph::scalar_step s = line::value.steps[I];
    using O = graph::operation_type<s.operation>;
    using T = element_t<s.type>;
    if constexpr (std::is_same_v<O, operation::argument>) {
      constexpr int number = line::code.instructions[s.instruction].attribute;
      return *element<T, s.instruction, s.element>(arguments[number]);
    } else if constexpr (std::is_same_v<O, operation::scalar>) {
      const graph::scalar_value& v = scalars[line::code.instructions[s.instruction].attribute];
      if constexpr (std::is_floating_point_v<T>) return static_cast<T>(v.floating);
      else return static_cast<T>(v.integer);
    } else if constexpr (std::is_same_v<O, operation::constant>) {
      if constexpr (std::is_floating_point_v<T>) return static_cast<T>(graph::double_of(s.bits));
      else return static_cast<T>(static_cast<std::int64_t>(s.bits));
    } else if constexpr (std::is_same_v<O, operation::cast>) {
      return static_cast<T>(at<s.operand[0]>(r));
    } else if constexpr (O::typing == graph::typing::choose) {
      return at<s.operand[0]>(r) ? at<s.operand[1]>(r) : at<s.operand[2]>(r);
    } else if constexpr (O::arity == 1) {
      return graph::detail::apply_unary<O>(at<s.operand[0]>(r));
    } else {
      return graph::detail::apply_binary<O>(at<s.operand[0]>(r), at<s.operand[1]>(r));
    }
  }

  /// Where an element of an instruction's value lies.
  template <class T, int Instruction, int Element>
  static FLUXION_ALWAYS_INLINE T* element(const graph::descriptor& d) {
    constexpr graph::shape shape = line::view.shape_of(Instruction);
    index_t offset = 0;
    int n = Element;
    for (int axis = shape.rank; axis-- > 0;) {
      offset += n % static_cast<int>(shape.extent[axis]) * d.stride[axis];
      n /= static_cast<int>(shape.extent[axis]);
    }
    return reinterpret_cast<T*>(d.data) + offset;
  }

  static constexpr int size_of_output(int k) {
    const graph::shape& s = line::view.shape_of(line::view.outputs[k]);
    int n = 1;
    for (int axis = 0; axis < s.rank; ++axis) n *= static_cast<int>(s.extent[axis]);
    return n;
  }
  static constexpr int first_result(int k) {
    int n = 0;
    for (int i = 0; i < k; ++i) n += size_of_output(i);
    return n;
  }

  template <int K, int... Element>
  static FLUXION_ALWAYS_INLINE void store(registers& r, const graph::descriptor& output, std::integer_sequence<int, Element...>) {
    using T = element_t<line::view.instructions[line::view.outputs[K]].type>;
    ((*element<T, line::view.outputs[K], Element>(output) = at<line::value.results[first_result(K) + Element]>(r)), ...);
  }
  template <int... K>
  static FLUXION_ALWAYS_INLINE void store_all(registers& r, const graph::descriptor* outputs, std::integer_sequence<int, K...>) {
    (store<K>(r, outputs[K], std::make_integer_sequence<int, size_of_output(K)>{}), ...);
  }
};

}  // namespace FLUXION_ABI
}  // namespace fluxion::host
