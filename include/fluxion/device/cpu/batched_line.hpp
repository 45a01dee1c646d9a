/// Runs straight-line code for a batch: an example in each lane.
///
///   once: what is the same for all examples
///   for each group of as many examples as there are lanes:
///     elements of the group's arguments are turned into tiles: the same element of all examples side by side
///     each step is one C++ statement on packs in registers
///     tiles of the results are turned back
#pragma once
#include "../../graph/batched_line.hpp"
#include "../../graph/call.hpp"
#include "apply_packed.hpp"
#include "row_tile.hpp"

#include <algorithm>
#include <type_traits>

namespace fluxion::host {
inline namespace FLUXION_ABI {

namespace detail {

/// Where the elements of an example lie: in blocks of elements with one stride.
struct example_layout {
  index_t to_next = 0;  // the same element of the next example
  index_t stride = 1;
  int columns = 1, blocks = 1;
  index_t block[graph::batched_call::limits.elements];

  /// `extent` and `stride_of` are those of the value without and with the batch axis.
  FLUXION_NO_INLINE void set(const graph::descriptor& d, const graph::shape& example, int axis) {
    index_t strides[max_rank]{};
    for (int k = 0; k < example.rank; ++k) strides[k] = d.stride[k < axis ? k : k + 1];
    to_next = d.stride[axis];
    int k = example.rank;
    while (k > 0 && example.extent[k - 1] == 1) --k;
    if (k > 0) {
      stride = strides[--k];
      columns = static_cast<int>(example.extent[k]);
    }
    while (k > 0 && (example.extent[k - 1] == 1 || strides[k - 1] == stride * columns)) columns *= static_cast<int>(example.extent[--k]);
    block[0] = 0;
    while (k > 0) {
      --k;
      const int former = blocks;
      // Outer axes come last here: blocks are put in row-major order by counting from the innermost of them.
      for (int n = static_cast<int>(example.extent[k]); n-- > 0;)
        for (int b = 0; b < former; ++b) block[n * former + b] = block[b] + n * strides[k];
      blocks = former * static_cast<int>(example.extent[k]);
    }
  }
};

template <int N, class T>
FLUXION_ALWAYS_INLINE void load_examples(T* tile, const T* p, const example_layout& layout, int examples) {
  for (int b = 0; b < layout.blocks; ++b)
    load_tile<N>(tile + b * layout.columns * N, p + layout.block[b], {layout.stride, layout.to_next, examples, layout.columns});
}
template <int N, class T>
FLUXION_ALWAYS_INLINE void store_examples(T* p, const T* tile, const example_layout& layout, int examples) {
  for (int b = 0; b < layout.blocks; ++b)
    store_tile<N>(p + layout.block[b], tile + b * layout.columns * N, {layout.stride, layout.to_next, examples, layout.columns});
}

/// Something that a step computes is a pack, or a mask.
template <element_type Type, int Lanes, class Carrier>
using step_value = std::conditional_t<Type == element_type::boolean, Mask<Carrier, Lanes>, Pack<element_t<Type>, Lanes>>;

template <int Type, class V, int Count>
struct packs_of {
  V values[Count];
};
template <int Type, class V>
struct packs_of<Type, V, 0> {};

template <class Line, int Lanes, class Carrier, class Sequence>
struct pack_registers;
template <class Line, int Lanes, class Carrier, int... Type>
struct pack_registers<Line, Lanes, Carrier, std::integer_sequence<int, Type...>>
    : packs_of<Type, step_value<static_cast<element_type>(Type), Lanes, Carrier>, Line::value.registers[Type]>... {};

}  // namespace detail

/// The batch of examples that `Source` records, whose straight-line code is a constant.
template <class Source>
class batched_line_runner {
  using batched = graph::constant_batched_line<Source>;
  using line = typename batched::line;

  static constexpr int most_lanes() {
    int lanes = 1;
    for (int i = 0; i < line::size.steps; ++i) {
      if (batched::rate.once[i]) continue;
      const int native = native_lanes_of(line::value.steps[i].type);
      lanes = native > lanes ? native : lanes;
    }
    return lanes;
  }
  static constexpr int native_lanes_of(element_type type) {
    return type == element_type::float32 ? native_lanes<float> : type == element_type::float64 ? native_lanes<double> : type == element_type::int32 ? native_lanes<std::int32_t> : 1;
  }
  static constexpr int lanes = most_lanes();
  /// The numbers whose comparison has masks of the machine's own.
  using carrier = std::conditional_t<lanes == native_lanes<double> && lanes != native_lanes<float>, double, float>;
  using registers = detail::pack_registers<line, lanes, carrier, std::make_integer_sequence<int, element_type_count>>;

  static constexpr int slots = line::view.argument_count + line::view.output_count;
  struct state {
    const graph::descriptor* arguments;
    const graph::scalar_value* scalars;
    std::byte* tile[slots];
  };

  static constexpr int size_of_value(int i) { return batched::count_of(i); }
  static constexpr int first_result(int k) {
    int n = 0;
    for (int i = 0; i < k; ++i) n += size_of_value(line::view.outputs[i]);
    return n;
  }
  /// The instruction of argument `number` if it has a batch axis and something needs it, else -1.
  static constexpr int batched_argument(int number) {
    for (int i = 0; i < line::size.steps; ++i) {
      const graph::scalar_step& s = line::value.steps[i];
      if (s.operation == graph::opcode_of<operation::argument> && !batched::rate.once[i] && line::view.instructions[s.instruction].attribute == number) return s.instruction;
    }
    return -1;
  }
  /// Bytes of the tiles before that of slot k: arguments, then outputs.
  static constexpr std::size_t tile_offset(int k) {
    std::size_t bytes = 0;
    for (int slot = 0; slot < k; ++slot) {
      const int i = slot < line::view.argument_count ? batched_argument(slot) : line::view.outputs[slot - line::view.argument_count];
      if (i >= 0) bytes += (static_cast<std::size_t>(size_of_value(i) * lanes) * size_of(line::view.instructions[i].type) + 63) / 64 * 64;
    }
    return bytes;
  }

 public:
  /// Computes all examples. Results must not overlap what is read.
  static FLUXION_NO_INLINE void run(index_t examples, const graph::descriptor* arguments, const graph::scalar_value* scalars, const graph::descriptor* outputs) {
    alignas(64) std::byte tiles[tile_offset(slots) + 64];
    state s{arguments, scalars, {}};
    each_slot([&](auto k) FLUXION_INLINE_LAMBDA { s.tile[k] = tiles + tile_offset(k); });
    detail::example_layout layout[slots];
    each_slot([&](auto k) { set_layout<k>(layout[k], arguments, outputs); });
    registers r;
    steps<true, 0, line::size.steps>(r, s);
    for (index_t n = 0; n < examples; n += lanes) {
      const int count = static_cast<int>(std::min<index_t>(lanes, examples - n));
      each_slot([&](auto k) FLUXION_INLINE_LAMBDA { fill<k>(s, layout[k], n, count); });
      steps<false, 0, line::size.steps>(r, s);
      each_slot([&](auto k) FLUXION_INLINE_LAMBDA { empty<k>(r, s, layout[k], outputs, n, count); });
    }
  }

 private:
  template <class F>
  static FLUXION_ALWAYS_INLINE void each_slot(const F& f) {
    [&]<int... K>(std::integer_sequence<int, K...>) FLUXION_INLINE_LAMBDA { (f(std::integral_constant<int, K>{}), ...); }(std::make_integer_sequence<int, slots>{});
  }
  template <int K>
  static void set_layout(detail::example_layout& layout, const graph::descriptor* arguments, const graph::descriptor* outputs) {
    if constexpr (K >= line::view.argument_count) {
      constexpr int k = K - line::view.argument_count;
      layout.set(outputs[k], line::view.shape_of(line::view.outputs[k]), batched::output_axis(k));
    } else if constexpr (batched_argument(K) >= 0) {
      layout.set(arguments[K], line::view.shape_of(batched_argument(K)), batched::argument_axis(K));
    }
  }

  // ---- tiles ------------------------------------------------------------------------------------------------------------
  template <int K>
  static FLUXION_ALWAYS_INLINE void fill(const state& s, const detail::example_layout& layout, index_t n, int count) {
    if constexpr (K < line::view.argument_count) {
      constexpr int i = batched_argument(K);
      if constexpr (i >= 0) {
        using T = element_t<line::view.instructions[i].type>;
        detail::load_examples<lanes>(reinterpret_cast<T*>(s.tile[K]), reinterpret_cast<const T*>(s.arguments[K].data) + n * layout.to_next, layout, count);
      }
    }
  }
  template <int K>
  static FLUXION_ALWAYS_INLINE void empty(registers& r, const state& s, const detail::example_layout& layout, const graph::descriptor* outputs, index_t n, int count) {
    if constexpr (K >= line::view.argument_count) {
      constexpr int k = K - line::view.argument_count, i = line::view.outputs[k], first = first_result(k);
      using T = element_t<line::view.instructions[i].type>;
      T* const tile = reinterpret_cast<T*>(s.tile[K]);
      [&]<int... Element>(std::integer_sequence<int, Element...>) FLUXION_INLINE_LAMBDA {
        (put(tile + Element * lanes, at<line::value.results[first + Element]>(r)), ...);
      }(std::make_integer_sequence<int, size_of_value(i)>{});
      detail::store_examples<lanes>(reinterpret_cast<T*>(outputs[k].data) + n * layout.to_next, tile, layout, count);
    }
  }
  template <class T, class V>
  static FLUXION_ALWAYS_INLINE void put(T* to, const V& value) {
    if constexpr (std::is_same_v<T, bool>) store_mask(to, value, lanes);
    else host::store(to, value);
  }

  // ---- steps ------------------------------------------------------------------------------------------------------------
  template <int I>
  static FLUXION_ALWAYS_INLINE auto& at(registers& r) {
    constexpr element_type type = line::value.steps[I].type;
    constexpr int number = static_cast<int>(type);
    using V = detail::step_value<type, lanes, carrier>;
    return static_cast<detail::packs_of<number, V, line::value.registers[number]>&>(r).values[line::value.register_number[I]];
  }

  // Halves: compilers limit how deep and how wide one expression may be.
  template <bool Once, int First, int Count>
  static FLUXION_ALWAYS_INLINE void steps(registers& r, const state& s) {
    if constexpr (Count == 1) {
      if constexpr (batched::rate.once[First] == Once) compute<First>(r, s);
    } else if constexpr (Count > 1) {
      steps<Once, First, Count / 2>(r, s);
      steps<Once, First + Count / 2, Count - Count / 2>(r, s);
    }
  }

  template <int I>
  static FLUXION_ALWAYS_INLINE void compute(registers& r, const state& s) {
    constexpr graph::scalar_step step = line::value.steps[I];
    using O = graph::operation_type<step.operation>;
    using T = element_t<step.type>;
    using V = detail::step_value<step.type, lanes, carrier>;
    if constexpr (std::is_same_v<O, operation::argument>) {
      constexpr int number = line::view.instructions[step.instruction].attribute;
      if constexpr (batched::rate.once[I]) at<I>(r) = same<V>(*element<T, step.instruction, step.element>(s.arguments[number]));
      else {
        const T* const tile = reinterpret_cast<const T*>(s.tile[number]) + step.element * lanes;
        if constexpr (detail::is_mask<V>) at<I>(r) = load_mask<V>(tile, lanes);
        else at<I>(r) = host::load<V>(tile);
      }
    } else if constexpr (std::is_same_v<O, operation::scalar>) {
      const graph::scalar_value& v = s.scalars[line::view.instructions[step.instruction].attribute];
      if constexpr (std::is_floating_point_v<T>) at<I>(r) = same<V>(static_cast<T>(v.floating));
      else at<I>(r) = same<V>(static_cast<T>(v.integer));
    } else if constexpr (std::is_same_v<O, operation::constant>) {
      if constexpr (std::is_floating_point_v<T>) at<I>(r) = same<V>(static_cast<T>(graph::double_of(step.bits)));
      else at<I>(r) = same<V>(static_cast<T>(static_cast<std::int64_t>(step.bits)));
    } else if constexpr (std::is_same_v<O, operation::cast>) {
      if constexpr (detail::is_mask<V>) at<I>(r) = convert<V>(at<step.operand[0]>(r));
      else at<I>(r) = convert<T>(at<step.operand[0]>(r));
    } else if constexpr (O::arity == 3) {
      at<I>(r) = apply_packed<O, V>(at<step.operand[0]>(r), at<step.operand[1]>(r), at<step.operand[2]>(r));
    } else if constexpr (O::arity == 1) {
      at<I>(r) = apply_packed<O, V>(at<step.operand[0]>(r));
    } else {
      at<I>(r) = apply_packed<O, V, is_number(step.operand[1])>(at<step.operand[0]>(r), at<step.operand[1]>(r));
    }
  }
  static constexpr bool is_number(int i) {
    const graph::scalar_step& s = line::value.steps[i];
    return s.operation == graph::opcode_of<operation::constant> && is_floating(s.type) && graph::double_of(s.bits) == graph::double_of(s.bits);
  }
  template <class V, class T>
  static FLUXION_ALWAYS_INLINE V same(T value) {
    if constexpr (detail::is_mask<V>) return truth<V>(value);
    else return splat<V>(value);
  }

  /// Where an element of an argument without a batch axis lies.
  template <class T, int Instruction, int Element>
  static FLUXION_ALWAYS_INLINE const T* element(const graph::descriptor& d) {
    constexpr graph::shape shape = line::view.shape_of(Instruction);
    index_t offset = 0;
    int n = Element;
    for (int axis = shape.rank; axis-- > 0;) {
      offset += n % static_cast<int>(shape.extent[axis]) * d.stride[axis];
      n /= static_cast<int>(shape.extent[axis]);
    }
    return reinterpret_cast<const T*>(d.data) + offset;
  }
};

}  // namespace FLUXION_ABI
}  // namespace fluxion::host
