/// The loop kernel of GPUs, written once over an execution group (a block, a warp, one thread of the host):
///
///   once:   constants, scalars
///   for each row, or part of a row, that falls to this group:
///     for each pass:
///       values of this row (results of former passes), by every thread for itself
///       for each element of the row that falls to this thread: load, compute, reduce, store
///       reduce across the group
///     values and stores of this row
#pragma once
#include "../../core/generator.hpp"
#include "group.hpp"
#include "kernel_code.hpp"

namespace fluxion::gpu {
inline namespace FLUXION_ABI {

namespace detail {

/// What a thread holds of entry I: its present value and, of a value kept between passes, that of each of its elements.
template <int I, class T, int Kept>
struct register_slot {
  T value;
  T kept[Kept];
};
template <int I, class T>
struct register_slot<I, T, 0> {
  T value;
};

template <class Code, int Items, class Sequence>
struct register_file;
template <class Code, int Items, int... I>
struct register_file<Code, Items, std::integer_sequence<int, I...>>
    : register_slot<I, element_t<Code::entry(I).type>, (Code::entry(I).keep != 0 ? Items : 0)>... {};

template <int I, class T, int Kept>
FLUXION_HOST_DEVICE FLUXION_ALWAYS_INLINE T& get(register_slot<I, T, Kept>& r) {
  return r.value;
}
template <int I, class T, int Kept>
FLUXION_HOST_DEVICE FLUXION_ALWAYS_INLINE T& get_kept(register_slot<I, T, Kept>& r, int item) {
  return r.kept[item];
}

}  // namespace detail

/// With `Items` > 0 a row has at most that many elements for each thread, and costly values that several passes use stay in
/// registers; with 0 rows are of any length and every pass computes what it needs.
template <class Code, int Items = 0>
class loop_kernel {
  using entry_t = graph::kernel_entry;
  static constexpr int size = Code::size;
  static constexpr int passes = Code::header.passes;
  static constexpr int slots = Code::header.slots > 0 ? Code::header.slots : 1;
  template <int I>
  static constexpr entry_t entry = Code::entry(I);
  template <int I>
  using value_t = element_t<Code::entry(I).type>;
  template <int I>
  using reduction_t = graph::operation_type<Code::entry(I).code>;
  using registers = detail::register_file<Code, Items, std::make_integer_sequence<int, size>>;

  static constexpr bool has_code(std::uint8_t code) {
    for (int i = 0; i < size; ++i)
      if (Code::entry(i).code == code) return true;
    return false;
  }
  static_assert(!has_code(graph::entry_code::accumulate),
                "gpu: accumulators, that is reductions across rows, have no kernel on this device yet");

 public:
  /// Runs the parts first, first + step, … of the call's rows × chunks parts.
  template <ExecutionGroup Group, class Call>
  static FLUXION_HOST_DEVICE void run(const Group& group, const Call& call, index_t first, index_t step) {
    registers r;
    state<Call> s;
    s.call = &call;
    s.rank = group.rank();
    s.size = group.size();
    move_to(s, 0);
    evaluate_all(r, s, chosen<selection::once, 0>{});
    const index_t parts = call.rows * call.chunks;
    const index_t length = Code::header.row_length > 0 ? index_t{Code::header.row_length} : call.row;
    const index_t chunk = call.chunks == 1 ? length : (length + call.chunks - 1) / call.chunks;
    for (index_t part = first; part < parts; part += step) {
      const index_t row = call.chunks == 1 ? part : part / call.chunks, begin = (part - row * call.chunks) * chunk;
      move_to(s, row);
      s.begin = begin;
      s.end = begin + chunk < length ? begin + chunk : length;
      s.length = length;
      all_passes(group, r, s, std::make_integer_sequence<int, passes>{});
      evaluate_all(r, s, chosen<selection::after, 0>{});
      if (s.rank == 0 && begin == 0) evaluate_all(r, s, chosen<selection::stored_after, 0>{});
    }
  }

 private:
  template <class Call>
  struct state {
    const Call* call;
    std::byte* base[slots];  // of each slot, at the present row
    index_t offset[slots];   // the same as a number, for generators
    index_t begin, end, length;
    int rank, size;
  };

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

  template <class State>
  static FLUXION_HOST_DEVICE FLUXION_ALWAYS_INLINE void move_to(State& s, index_t row) {
    constexpr auto bytes = find_slot_bytes();
    const auto& call = *s.call;
    index_t offset[slots]{};
    for (int axis = call.outer_rank - 1; axis >= 0; --axis) {
      const index_t rest = axis == 0 ? 0 : row / call.outer[axis], at = row - rest * call.outer[axis];
      for (int k = 0; k < Code::header.slots; ++k) offset[k] += at * call.slots[k].outer_stride[axis];
      row = rest;
    }
    for (int k = 0; k < Code::header.slots; ++k) {
      s.base[k] = call.slots[k].data + offset[k] * bytes[static_cast<std::size_t>(k)];
      s.offset[k] = call.slots[k].offset + offset[k];
    }
  }

  // ---- which entries run where ------------------------------------------------------------------------------------------
  enum class selection { once, before_pass, in_pass, reduced_in_pass, after, stored_after };

  /// The passes that evaluate each entry of the full rate: those of its users, since a value that no row buffer keeps is
  /// computed again together with its operands.
  static constexpr std::array<unsigned, static_cast<std::size_t>(size)> find_passes() {
    std::array<unsigned, static_cast<std::size_t>(size)> masks{};
    for (int i = size - 1; i >= 0; --i) {
      const entry_t& e = Code::entry(i);
      unsigned& mask = masks[static_cast<std::size_t>(i)];
      if (detail::is_row_reduction(e) || detail::is_sink(e))
        mask |= e.passes;
      else if (e.rate != graph::rate::full)
        continue;
      const unsigned computed = Items > 0 && e.keep != 0 ? mask & (~mask + 1u) : mask;
      for (const std::int16_t o : e.operand)
        if (o >= 0 && Code::entry(o).rate == graph::rate::full) masks[static_cast<std::size_t>(o)] |= computed;
    }
    return masks;
  }
  static constexpr bool selected(selection s, int pass, int i) {
    constexpr auto masks = find_passes();
    const entry_t& e = Code::entry(i);
    const bool reduction = detail::is_row_reduction(e), sink = detail::is_sink(e);
    const bool here = masks[static_cast<std::size_t>(i)] >> pass & 1;
    switch (s) {
      case selection::once:
        return e.rate == graph::rate::once;
      case selection::before_pass:
        return e.rate == graph::rate::outer && !reduction && !sink && (e.passes >> pass & 1);
      case selection::in_pass:
        return e.rate == graph::rate::full && here;
      case selection::reduced_in_pass:
        return reduction && here;
      case selection::after:
        return e.rate == graph::rate::outer && !reduction && !sink && (e.passes >> passes & 1);
      case selection::stored_after:
        return e.rate == graph::rate::outer && sink;
    }
    return false;
  }
  template <selection S, int Pass, class Sequence>
  struct choice;
  template <selection S, int Pass, int... N>
  struct choice<S, Pass, std::integer_sequence<int, N...>> {
    static constexpr int at(int n) {
      for (int i = 0;; ++i)
        if (selected(S, Pass, i) && n-- == 0) return i;
    }
    using type = std::integer_sequence<int, at(N)...>;
  };
  template <selection S, int Pass>
  static constexpr int count() {
    int n = 0;
    for (int i = 0; i < size; ++i) n += selected(S, Pass, i);
    return n;
  }
  /// The numbers of the entries that are chosen, in order.
  template <selection S, int Pass>
  using chosen = typename choice<S, Pass, std::make_integer_sequence<int, count<S, Pass>()>>::type;

  template <class State, int... I>
  static FLUXION_HOST_DEVICE FLUXION_ALWAYS_INLINE void evaluate_all(registers& r, const State& s,
                                                                     std::integer_sequence<int, I...>) {
    const int done[] = {0, (evaluate<I>(r, s, 0), 0)...};
    static_cast<void>(done);
  }

  // ---- passes -----------------------------------------------------------------------------------------------------------
  template <class Group, class State, int... P>
  static FLUXION_HOST_DEVICE FLUXION_ALWAYS_INLINE void all_passes(const Group& group, registers& r, const State& s,
                                                                   std::integer_sequence<int, P...>) {
    const int done[] = {(one_pass<P>(group, r, s, chosen<selection::reduced_in_pass, P>{}), 0)...};
    static_cast<void>(done);
  }

  template <int P, class Group, class State, int... R>
  static FLUXION_HOST_DEVICE FLUXION_ALWAYS_INLINE void one_pass(const Group& group, registers& r, const State& s,
                                                                 std::integer_sequence<int, R...> reductions) {
    evaluate_all(r, s, chosen<selection::before_pass, P>{});
    const int started[] = {0, (detail::get<R>(r) = reduction_t<R>::template identity<value_t<R>>(), 0)...};
    static_cast<void>(started);
    if constexpr (count<selection::in_pass, P>() > 0 || sizeof...(R) > 0) {
      if constexpr (Items > 0) {
#if defined(__CUDACC__)
#pragma unroll
#endif
        for (int item = 0; item < Items; ++item) {
          const index_t j = s.begin + s.rank + static_cast<index_t>(item) * s.size;
          if (j < s.end) sweep<P>(r, s, j, item, chosen<selection::in_pass, P>{}, reductions);
        }
      } else {
        for (index_t j = s.begin + s.rank; j < s.end; j += s.size)
          sweep<P>(r, s, j, 0, chosen<selection::in_pass, P>{}, reductions);
      }
    }
    const int finished[] = {0, (finish_reduction<R>(group, r, s.length), 0)...};
    static_cast<void>(finished);
  }

  template <int P, class State, int... I, int... R>
  static FLUXION_HOST_DEVICE FLUXION_ALWAYS_INLINE void sweep(registers& r, const State& s, index_t j, int item,
                                                              std::integer_sequence<int, I...>,
                                                              std::integer_sequence<int, R...>) {
    const int evaluated[] = {0, (evaluate_in_pass<P, I>(r, s, j, item), 0)...};
    const int reduced[] = {0, (combine<R>(r), 0)...};
    static_cast<void>(evaluated);
    static_cast<void>(reduced);
  }

  template <int P, int I, class State>
  static FLUXION_HOST_DEVICE FLUXION_ALWAYS_INLINE void evaluate_in_pass(registers& r, const State& s, index_t j,
                                                                         int item) {
    if constexpr (Items > 0 && entry<I>.keep != 0) {
      constexpr bool computed_before = (find_passes()[I] & ((1u << P) - 1)) != 0;
      if constexpr (computed_before) {
        detail::get<I>(r) = detail::get_kept<I>(r, item);
      } else {
        evaluate<I>(r, s, j);
        detail::get_kept<I>(r, item) = detail::get<I>(r);
      }
    } else {
      static_cast<void>(item);
      evaluate<I>(r, s, j);
    }
  }

  template <int R>
  static FLUXION_HOST_DEVICE FLUXION_ALWAYS_INLINE void combine(registers& r) {
    constexpr int operand = entry<R>.operand[0];
    detail::get<R>(r) = reduction_t<R>::template combine<value_t<R>>(detail::get<R>(r), detail::get<operand>(r));
  }
  template <int R, class Group>
  static FLUXION_HOST_DEVICE FLUXION_ALWAYS_INLINE void finish_reduction(const Group& group, registers& r, index_t length) {
    value_t<R> total = group.reduce(detail::get<R>(r), combiner<reduction_t<R>>{});
    if constexpr (reduction_t<R>::divides_by_count) total = total / static_cast<value_t<R>>(length);
    detail::get<R>(r) = total;
  }

  // ---- entries ----------------------------------------------------------------------------------------------------------
  /// Evaluates entry I at element j of the row; of the other rates, the one value there is.
  template <int I, class State>
  static FLUXION_HOST_DEVICE FLUXION_ALWAYS_INLINE void evaluate(registers& r, const State& s, index_t j) {
    namespace code = graph::entry_code;
    using T = value_t<I>;
    constexpr entry_t e = entry<I>;
    constexpr bool full = e.rate == graph::rate::full;
    if constexpr (e.code == code::load) {
      detail::get<I>(r) = reinterpret_cast<const T*>(s.base[e.slot])[full ? j : 0];
    } else if constexpr (e.code == code::load_strided) {
      detail::get<I>(r) = reinterpret_cast<const T*>(s.base[e.slot])[full ? j * s.call->slots[e.slot].row_stride : 0];
    } else if constexpr (e.code == code::store) {
      reinterpret_cast<T*>(s.base[e.slot])[full ? j : 0] = detail::get<e.operand[0]>(r);
    } else if constexpr (e.code == code::store_strided) {
      reinterpret_cast<T*>(s.base[e.slot])[full ? j * s.call->slots[e.slot].row_stride : 0] = detail::get<e.operand[0]>(r);
    } else if constexpr (e.code == code::scalar) {
      const graph::scalar_value& v = s.call->scalars[e.slot];
      if constexpr (e.type == element_type::boolean)
        detail::get<I>(r) = v.integer != 0;
      else if constexpr (is_floating(e.type))
        detail::get<I>(r) = static_cast<T>(v.floating);
      else
        detail::get<I>(r) = static_cast<T>(v.integer);
    } else if constexpr (e.code == code::constant) {
      constexpr T value = is_floating(e.type) ? static_cast<T>(graph::double_of(e.payload))
                                              : static_cast<T>(static_cast<std::int64_t>(e.payload));
      detail::get<I>(r) = value;
    } else if constexpr (e.code == code::iota) {
      detail::get<I>(r) = static_cast<T>(position<e.slot, full>(s, j));
    } else if constexpr (e.code == code::uniform) {
      const auto seed = static_cast<std::uint64_t>(static_cast<std::int64_t>(detail::get<e.operand[0]>(r)));
      const PhiloxKey key{static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32)};
      detail::get<I>(r) =
          random_uniform<T>(key, static_cast<std::uint64_t>(static_cast<std::int64_t>(detail::get<e.operand[1]>(r))),
                            static_cast<std::uint64_t>(position<e.slot, full>(s, j)));
    } else if constexpr (e.code == graph::opcode_of<operation::cast>) {
      detail::get<I>(r) = static_cast<T>(detail::get<e.operand[0]>(r));
    } else {
      using O = graph::operation_type<e.code>;
      if constexpr (O::arity == 1)
        detail::get<I>(r) = O::value(detail::get<e.operand[0]>(r));
      else if constexpr (O::arity == 2)
        detail::get<I>(r) = O::value(detail::get<e.operand[0]>(r), detail::get<e.operand[1]>(r));
      else
        detail::get<I>(r) =
            O::value(detail::get<e.operand[0]>(r), detail::get<e.operand[1]>(r), detail::get<e.operand[2]>(r));
    }
  }

  /// What a generator counts.
  template <int Slot, bool Full, class State>
  static FLUXION_HOST_DEVICE FLUXION_ALWAYS_INLINE index_t position(const State& s, index_t j) {
    return s.offset[Slot] + (Full ? j * s.call->slots[Slot].row_stride : 0);
  }
};

}  // namespace FLUXION_ABI
}  // namespace fluxion::gpu
