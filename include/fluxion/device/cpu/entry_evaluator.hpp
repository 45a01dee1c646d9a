/// What loop kernels do at one place: an entry of the kernel's code evaluated in all lanes, from or to registers and memory. In which
/// order places are visited is said in row_passes.hpp.
#pragma once
#include "../../core/generator.hpp"
#include "apply_packed.hpp"
#include "kernel_types.hpp"
#include "row_tile.hpp"

namespace fluxion::host {
inline namespace FLUXION_ABI {

/// What the lanes of a kernel are: elements of one row that follow each other, the last few of them, or one element each of several rows,
/// which follow each other along the last outer axis.
enum class lanes_along { row, end_of_row, rows };

template <class Code>
class entry_evaluator {
 protected:
  using entry_t = graph::kernel_entry;
  static constexpr int size = Code::size;
  static constexpr int lanes = detail::kernel_lanes<Code>::lanes;
  static constexpr int slots = Code::header.slots > 0 ? Code::header.slots : 1;
  template <int I>
  static constexpr entry_t entry = Code::entry(I);
  template <int I>
  using value_t = typename detail::entry_value<Code, I>::packed;
  template <int I>
  using element = typename detail::entry_value<Code, I>::element;
  using registers = detail::register_file<Code, std::make_integer_sequence<int, size>>;

  struct state {
    const graph::loop_call* call;
    std::byte* base[slots];     // of each slot, at the present row
    index_t offset[slots];      // the same as a number, for generators
    index_t to_next_row[slots];  // elements from there to the same place of the next row
    std::byte* tile[slots];      // of slots whose rows are read or written as a group: in memory, or turned
    index_t tile_stride[slots];  // from the lanes of one element to those of the next
  };

  /// Calls f with the number of every slot, a constant: a loop would keep the state in memory.
  template <class F>
  static FLUXION_ALWAYS_INLINE void each_slot(const F& f) {
    [&]<int... K>(std::integer_sequence<int, K...>) FLUXION_INLINE_LAMBDA {
      const int done[] = {0, (f(std::integral_constant<int, K>{}), 0)...};
      static_cast<void>(done);
    }(std::make_integer_sequence<int, Code::header.slots>{});
  }

  /// At the first row of the call.
  static FLUXION_ALWAYS_INLINE void start(state& s, const graph::loop_call& call) {
    s.call = &call;
    each_slot([&](auto k) FLUXION_INLINE_LAMBDA {
      s.base[k] = call.slots[k].data;
      s.offset[k] = call.slots[k].offset;
      s.to_next_row[k] = call.outer_rank > 0 ? call.slots[k].outer_stride[call.outer_rank - 1] : 0;
    });
  }

  /// At position `at` of the outer axes but the last.
  static FLUXION_ALWAYS_INLINE void move_to(state& s, const index_t* at) {
    each_slot([&](auto k) FLUXION_INLINE_LAMBDA {
      const graph::loop_operand& slot = s.call->slots[k];
      index_t offset = 0;
      for (int a = 0; a + 1 < s.call->outer_rank; ++a) offset += at[a] * slot.outer_stride[a];
      s.base[k] = slot.data + offset * slot_bytes(k);
      s.offset[k] = slot.offset + offset;
    });
  }

  /// `rows` rows further along the last outer axis.
  static FLUXION_ALWAYS_INLINE void advance(state& s, index_t rows) {
    each_slot([&](auto k) FLUXION_INLINE_LAMBDA {
      s.base[k] += s.to_next_row[k] * rows * slot_bytes(k);
      if constexpr (generates) s.offset[k] += s.to_next_row[k] * rows;
    });
  }

  /// Counts on to the next position of the outer axes but the last; false behind the last one.
  static FLUXION_ALWAYS_INLINE bool next(const graph::loop_call& call, index_t* at) {
    int axis = call.outer_rank - 2;
    while (axis >= 0 && ++at[axis] == call.outer[axis]) at[axis--] = 0;
    return axis >= 0;
  }

  static constexpr bool has_code(std::uint8_t code) {
    for (int i = 0; i < size; ++i)
      if (Code::entry(i).code == code) return true;
    return false;
  }
  static constexpr bool generates = has_code(graph::entry_code::iota) || has_code(graph::entry_code::uniform);

  /// Bytes of an element of slot k; nothing for a generator's.
  static constexpr std::array<index_t, static_cast<std::size_t>(slots)> find_slot_bytes() {
    std::array<index_t, static_cast<std::size_t>(slots)> bytes{};
    for (int i = 0; i < size; ++i) {
      const entry_t& e = Code::entry(i);
      if (e.code == graph::entry_code::load || e.code == graph::entry_code::load_strided || detail::is_sink(e))
        bytes[static_cast<std::size_t>(e.slot)] = static_cast<index_t>(size_of(e.type));
    }
    return bytes;
  }
  static constexpr auto slot_bytes_ = find_slot_bytes();
  static constexpr index_t slot_bytes(int k) { return slot_bytes_[static_cast<std::size_t>(k)]; }

  // ---- entries ----------------------------------------------------------------------------------------------------------
  /// Whether entry I is the same number in all lanes.
  template <int I, lanes_along L>
  static constexpr bool is_one = entry<I>.rate == graph::rate::once || (L != lanes_along::rows && entry<I>.rate != graph::rate::full);

  /// Evaluates entry I at element j of the row, or elements j … j + count of it. What is one number fills all lanes.
  template <int I, lanes_along L>
  static FLUXION_ALWAYS_INLINE void evaluate(registers& r, const state& s, index_t j, int count) {
    namespace code = graph::entry_code;
    constexpr entry_t e = entry<I>;
    if constexpr (e.code == code::load || e.code == code::load_strided) {
      detail::get<I>(r) = read<I, L>(s, j, count);
    } else if constexpr (e.code == code::scalar) {
      const graph::scalar_value& v = s.call->scalars[e.slot];
      if constexpr (e.type == element_type::boolean) detail::get<I>(r) = truth<value_t<I>>(v.integer != 0);
      else if constexpr (is_floating(e.type)) detail::get<I>(r) = splat<value_t<I>>(static_cast<element<I>>(v.floating));
      else detail::get<I>(r) = splat<value_t<I>>(static_cast<element<I>>(v.integer));
    } else if constexpr (e.code == code::constant) {
      if constexpr (e.type == element_type::boolean) detail::get<I>(r) = truth<value_t<I>>(e.payload != 0);
      else if constexpr (is_floating(e.type))
        detail::get<I>(r) = splat<value_t<I>>(static_cast<element<I>>(graph::double_of(e.payload)));
      else detail::get<I>(r) = splat<value_t<I>>(static_cast<element<I>>(static_cast<std::int64_t>(e.payload)));
    } else if constexpr (e.code == code::store || e.code == code::store_strided) {
      write<I, L>(detail::get<e.operand[0]>(r), s, j, count);
    } else if constexpr (e.code == code::accumulate) {
      accumulate_into<I, L>(detail::get<e.operand[0]>(r), s, j, count);
    } else if constexpr (e.code == code::iota) {
      using T = element<I>;
      const index_t stride = between_lanes<I, L>(s), start = s.offset[e.slot] + along_row<I>(s, j);
      if (stride == 0) detail::get<I>(r) = splat<value_t<I>>(static_cast<T>(start));
      else if (stride == 1) detail::get<I>(r) = host::iota<value_t<I>>(static_cast<T>(start));
      else detail::get<I>(r) = splat<value_t<I>>(static_cast<T>(start)) + host::iota<value_t<I>>(T(0)) * splat<value_t<I>>(static_cast<T>(stride));
    } else if constexpr (e.code == code::uniform) {
      random_lanes<I, L>(r, s, j);
    } else if constexpr (e.code == graph::opcode_of<operation::cast>) {
      const auto& x = detail::get<e.operand[0]>(r);
      if constexpr (e.type == element_type::boolean) detail::get<I>(r) = convert<value_t<I>>(x);
      else detail::get<I>(r) = convert<element<I>>(x);
    } else if constexpr (e.code < graph::operation_count) {
      apply<I>(r);
    }
  }

  /// Whether entry i is a constant of a floating type and no NaN.
  static constexpr bool is_number(int i) {
    const entry_t& e = Code::entry(i);
    if (e.code != graph::entry_code::constant || !is_floating(e.type)) return false;
    const double value = graph::double_of(e.payload);
    return value == value;
  }

  template <int I>
  static FLUXION_ALWAYS_INLINE void apply(registers& r) {
    constexpr entry_t e = entry<I>;
    using O = graph::operation_type<e.code>;
    if constexpr (O::family == graph::family::map) {
      if constexpr (O::arity == 3)
        detail::get<I>(r) = apply_packed<O, value_t<I>>(detail::get<e.operand[0]>(r), detail::get<e.operand[1]>(r), detail::get<e.operand[2]>(r));
      else if constexpr (O::arity == 1) detail::get<I>(r) = apply_packed<O, value_t<I>>(detail::get<e.operand[0]>(r));
      else detail::get<I>(r) = apply_packed<O, value_t<I>, is_number(e.operand[1])>(detail::get<e.operand[0]>(r), detail::get<e.operand[1]>(r));
    }
  }

  // ---- memory -----------------------------------------------------------------------------------------------------------
  /// Whether entry I reads or writes a tile where lanes are rows: then loops over an element after the other are free of strides.
  static constexpr bool is_tiled(const entry_t& e) {
    return Code::header.rows_as_lanes && Code::header.row_length > 0 && e.rate == graph::rate::full &&
           (e.code == graph::entry_code::load || e.code == graph::entry_code::load_strided || detail::is_sink(e));
  }
  template <int I>
  static constexpr bool in_tile = is_tiled(entry<I>);
  /// The lanes of element j there.
  template <int I>
  static FLUXION_ALWAYS_INLINE element<I>* in_tile_at(const state& s, index_t j) {
    return reinterpret_cast<element<I>*>(s.tile[entry<I>.slot]) + j * s.tile_stride[entry<I>.slot];
  }

  /// Elements from the beginning of a row to element j of entry I's slot.
  template <int I>
  static FLUXION_ALWAYS_INLINE index_t along_row(const state& s, index_t j) {
    constexpr entry_t e = entry<I>;
    if constexpr (e.rate != graph::rate::full) return 0;
    else if constexpr (e.code == graph::entry_code::load || e.code == graph::entry_code::store) return j;
    else return j * s.call->slots[e.slot].row_stride;
  }
  /// Elements of entry I's slot from one lane to the next.
  template <int I, lanes_along L>
  static FLUXION_ALWAYS_INLINE index_t between_lanes(const state& s) {
    constexpr entry_t e = entry<I>;
    if constexpr (is_one<I, L>) return 0;
    else if constexpr (L == lanes_along::rows) return s.to_next_row[e.slot];
    else if constexpr (e.code == graph::entry_code::load || e.code == graph::entry_code::store) return 1;
    else return s.call->slots[e.slot].row_stride;
  }
  /// Whether that is known to be one.
  template <int I, lanes_along L>
  static constexpr bool is_adjacent =
      L != lanes_along::rows && !is_one<I, L> && (entry<I>.code == graph::entry_code::load || entry<I>.code == graph::entry_code::store);
  template <lanes_along L>
  static FLUXION_ALWAYS_INLINE bool is_whole(int count) {
    if constexpr (L == lanes_along::row) return true;
    else if constexpr (L == lanes_along::end_of_row) return false;
    else return count == lanes;
  }

  /// The elements of entry I's slot; lanes behind `count` are harmless numbers.
  template <int I, lanes_along L>
  static FLUXION_ALWAYS_INLINE value_t<I> read(const state& s, index_t j, int count) {
    using V = value_t<I>;
    using T = element<I>;
    const T* p = reinterpret_cast<const T*>(s.base[entry<I>.slot]) + along_row<I>(s, j);
    const index_t stride = between_lanes<I, L>(s);
    if constexpr (in_tile<I> && L == lanes_along::rows) {
      if constexpr (entry<I>.type == element_type::boolean) return load_mask<V>(in_tile_at<I>(s, j), lanes);
      else return host::load<V>(in_tile_at<I>(s, j));
    } else if constexpr (entry<I>.type == element_type::boolean) {
      if (stride == 0) return truth<V>(*p);
      if (stride == 1) return load_mask<V>(p, count);
      bool gathered[lanes];
      for (int n = 0; n < lanes; ++n) gathered[n] = n < count && p[n * stride];
      return load_mask<V>(gathered, lanes);
    } else if constexpr (is_one<I, L>) {
      return splat<V>(*p);
    } else {
      if (is_adjacent<I, L> || (L == lanes_along::rows && stride == 1))
        return is_whole<L>(count) ? host::load<V>(p) : load_partial<V>(p, count, T(1));
      if (L == lanes_along::rows && stride == 0) return splat<V>(*p);
      return host::load_strided<V>(p, stride, count, T(1));
    }
  }

  template <int I, lanes_along L, class V>
  static FLUXION_ALWAYS_INLINE void write(const V& value, const state& s, index_t j, int count) {
    using T = element<entry<I>.operand[0]>;
    T* p = reinterpret_cast<T*>(s.base[entry<I>.slot]) + along_row<I>(s, j);
    const index_t stride = between_lanes<I, L>(s);
    if constexpr (in_tile<I> && L == lanes_along::rows) {
      if constexpr (std::is_same_v<T, bool>) store_mask(in_tile_at<I>(s, j), value, lanes);
      else host::store(in_tile_at<I>(s, j), value);
    } else if constexpr (std::is_same_v<T, bool>) {
      if constexpr (is_one<I, L>) store_mask(p, value, 1);
      else if (stride == 1) store_mask(p, value, count);
      else {
        bool spread[lanes];
        store_mask(spread, value, lanes);
        for (int n = 0; n < count; ++n) p[n * stride] = spread[n];
      }
    } else if constexpr (is_one<I, L>) {
      *p = first_lane(value);
    } else if (is_adjacent<I, L> || (L == lanes_along::rows && stride == 1)) {
      if (is_whole<L>(count)) host::store(p, value);
      else store_partial(p, value, count);
    } else {
      host::store_strided(p, stride, value, count);
    }
  }

  /// Combines a value with what its slot holds. Lanes that share one element of it are reduced first.
  template <int I, lanes_along L>
  static FLUXION_ALWAYS_INLINE void accumulate_into(value_t<I> value, const state& s, index_t j, int count) {
    using V = value_t<I>;
    using T = element<I>;
    using O = graph::operation_type<static_cast<graph::opcode>(entry<I>.operand[1])>;
    T* p = reinterpret_cast<T*>(s.base[entry<I>.slot]) + along_row<I>(s, j);
    const index_t stride = between_lanes<I, L>(s);
    if constexpr (is_one<I, L>) {
      *p = O::combine(*p, first_lane(value));
    } else if (L == lanes_along::rows && stride == 0) {
      if (!is_whole<L>(count)) value = blend_count(value, count, splat<V>(O::template identity<T>()));
      if constexpr (in_tile<I>) {
        T* q = in_tile_at<I>(s, j);
        host::store(q, O::combine(host::load<V>(q), value));
      } else *p = O::combine(*p, reduce(value, [](const auto& a, const auto& b) FLUXION_INLINE_LAMBDA { return O::combine(a, b); }));
    } else if (stride == 1) {
      if (is_whole<L>(count)) host::store(p, O::combine(host::load<V>(p), value));
      else store_partial(p, O::combine(load_partial<V>(p, count, T(0)), value), count);
    } else {
      host::store_strided(p, stride, O::combine(host::load_strided<V>(p, stride, count, T(0)), value), count);
    }
  }

  template <int I, lanes_along L>
  static FLUXION_ALWAYS_INLINE void random_lanes(registers& r, const state& s, index_t j) {
    constexpr entry_t e = entry<I>;
    using T = element<I>;
    std::int64_t words[2];
    store_partial(&words[0], convert<std::int64_t>(detail::get<e.operand[0]>(r)), 1);
    store_partial(&words[1], convert<std::int64_t>(detail::get<e.operand[1]>(r)), 1);
    const auto key = PhiloxKey{static_cast<std::uint32_t>(words[0]), static_cast<std::uint32_t>(static_cast<std::uint64_t>(words[0]) >> 32)};
    const auto offset = static_cast<std::uint64_t>(words[1]);
    const index_t stride = between_lanes<I, L>(s), start = s.offset[e.slot] + along_row<I>(s, j);
    T numbers[lanes];
    for (int n = 0; n < (is_one<I, L> ? 1 : lanes); ++n) numbers[n] = random_uniform<T>(key, offset, static_cast<std::uint64_t>(start + n * stride));
    if constexpr (is_one<I, L>) detail::get<I>(r) = splat<value_t<I>>(numbers[0]);
    else detail::get<I>(r) = host::load<value_t<I>>(numbers);
  }
};

}  // namespace FLUXION_ABI
}  // namespace fluxion::host
