/// The loop kernel of the CPU: for each row, its passes; in each pass, a packet loop and a tail of fewer lanes.
///
///   once:   constants, scalars
///   for each position of the outer axes:
///     for each pass:
///       values of this row (results of former passes)
///       for each packet of the row: load, compute, keep, reduce, store, accumulate
///       reduce across lanes
///     values and stores of this row
#pragma once
#include "../../core/generator.hpp"
#include "kernel_types.hpp"

namespace fluxion::host {
inline namespace FLUXION_ABI {

template <class Code>
class loop_kernel {
  using entry_t = graph::kernel_entry;
  static constexpr int size = Code::size;
  static constexpr int lanes = detail::kernel_lanes<Code>::lanes;
  static constexpr int passes = Code::header.passes;
  static constexpr int slots = Code::header.slots > 0 ? Code::header.slots : 1;
  template <int I>
  static constexpr entry_t entry = Code::entry(I);
  template <int I>
  using value_t = typename detail::entry_value<Code, I>::packed;
  template <int I>
  using element = typename detail::entry_value<Code, I>::element;
  using registers = detail::register_file<Code, std::make_integer_sequence<int, size>>;

 public:
  /// Runs every row of the call.
  static FLUXION_NO_INLINE void run(const graph::loop_call& call) {
    state s;
    s.call = &call;
    for (int k = 0; k < Code::header.slots; ++k) {
      s.base[k] = call.slots[k].data;
      s.offset[k] = call.slots[k].offset;
    }
    registers r;
    each<selection::once, 0>([&](auto i) FLUXION_INLINE_LAMBDA { evaluate<i.value, false>(r, s, 0, lanes); });
    if (call.outer_rank == 0) {
      row(r, s);
      return;
    }
    index_t at[max_rank]{};
    const int last = call.outer_rank - 1;
    index_t step_bytes[slots];
    for (int k = 0; k < Code::header.slots; ++k) step_bytes[k] = call.slots[k].outer_stride[last] * slot_bytes(k);
    for (;;) {
      for (index_t n = call.outer[last]; n > 0; --n) {
        row(r, s);
        for (int k = 0; k < Code::header.slots; ++k) {
          s.base[k] += step_bytes[k];
          if constexpr (generates) s.offset[k] += call.slots[k].outer_stride[last];
        }
      }
      int axis = last - 1;
      while (axis >= 0 && ++at[axis] == call.outer[axis]) at[axis--] = 0;
      if (axis < 0) return;
      for (int k = 0; k < Code::header.slots; ++k) {
        index_t offset = 0;
        for (int a = 0; a < last; ++a) offset += at[a] * call.slots[k].outer_stride[a];
        s.base[k] = call.slots[k].data + offset * slot_bytes(k);
        s.offset[k] = call.slots[k].offset + offset;
      }
    }
  }

 private:
  struct state {
    const graph::loop_call* call;
    std::byte* base[slots];   // of each slot, at the present row
    index_t offset[slots];    // the same as a number, for generators
  };

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

  // ---- which entries run where ------------------------------------------------------------------------------------------
  enum class selection { once, before_pass, in_pass, reduced_in_pass, after };

  static constexpr bool selected(selection s, int pass, int i) {
    const entry_t& e = Code::entry(i);
    const bool reduction = detail::is_row_reduction(e);
    switch (s) {
      case selection::once: return e.rate == graph::rate::once;
      case selection::before_pass: return e.rate == graph::rate::outer && !reduction && !detail::is_sink(e) && (e.passes >> pass & 1);
      case selection::in_pass: return e.rate == graph::rate::full && (e.passes >> pass & 1);
      case selection::reduced_in_pass: return reduction && (e.passes >> pass & 1);
      case selection::after: return e.rate == graph::rate::outer && !reduction && (e.passes >> passes & 1);
    }
    return false;
  }
  template <selection S, int Pass>
  struct chosen {
    static constexpr int count_entries() {
      int n = 0;
      for (int i = 0; i < size; ++i) n += selected(S, Pass, i);
      return n;
    }
    static constexpr int count = count_entries();
    static constexpr std::array<int, static_cast<std::size_t>(count > 0 ? count : 1)> find() {
      std::array<int, static_cast<std::size_t>(count > 0 ? count : 1)> indices{};
      for (int i = 0, n = 0; i < size; ++i)
        if (selected(S, Pass, i)) indices[static_cast<std::size_t>(n++)] = i;
      return indices;
    }
    static constexpr auto indices = find();
  };

  /// Calls f with the number of every entry that is chosen.
  template <selection S, int Pass, class F>
  static FLUXION_ALWAYS_INLINE void each(const F& f) {
    using list = chosen<S, Pass>;
    if constexpr (list::count > 0)
      [&]<int... N>(std::integer_sequence<int, N...>) FLUXION_INLINE_LAMBDA {
        const int done[] = {(f(std::integral_constant<int, list::indices[static_cast<std::size_t>(N)]>{}), 0)...};
        static_cast<void>(done);
      }(std::make_integer_sequence<int, list::count>{});
  }

  // ---- a row ------------------------------------------------------------------------------------------------------------
  static FLUXION_ALWAYS_INLINE void row(registers& r, const state& s) {
    all_passes(r, s, std::make_integer_sequence<int, passes>{});
    each<selection::after, 0>([&](auto i) FLUXION_INLINE_LAMBDA { evaluate<i.value, false>(r, s, 0, 1); });
  }

  template <int... P>
  static FLUXION_ALWAYS_INLINE void all_passes(registers& r, const state& s, std::integer_sequence<int, P...>) {
    const int done[] = {(one_pass<P>(r, s), 0)...};
    static_cast<void>(done);
  }

  /// Packets after which a partial sum is added to the sum so far: bounds the rounding error of long rows.
  static constexpr index_t block = 256;

  template <int P>
  static FLUXION_ALWAYS_INLINE void one_pass(registers& r, const state& s) {
    each<selection::before_pass, P>([&](auto i) FLUXION_INLINE_LAMBDA { evaluate<i.value, false>(r, s, 0, lanes); });
    if constexpr (chosen<selection::in_pass, P>::count > 0 || chosen<selection::reduced_in_pass, P>::count > 0) {
      const index_t length = Code::header.row_length > 0 ? index_t{Code::header.row_length} : s.call->row;
      const index_t whole = length / lanes * lanes;
      if constexpr (chosen<selection::reduced_in_pass, P>::count == 0) {
        for (index_t j = 0; j < whole; j += lanes) sweep<P, false>(r, s, j, lanes);
        if (lanes > 1 && whole < length) sweep<P, true>(r, s, whole, static_cast<int>(length - whole));
      } else {
        each<selection::reduced_in_pass, P>([&](auto i) FLUXION_INLINE_LAMBDA { start_reduction<i.value>(r); });
        if (whole <= block * lanes) {
          reduce_range<P>(r, s, 0, whole);
        } else {
          registers so_far, lost;
          each<selection::reduced_in_pass, P>([&](auto i) FLUXION_INLINE_LAMBDA {
            start_reduction<i.value>(so_far);
            start_reduction<i.value>(lost);
          });
          for (index_t begin = 0; begin < whole; begin += block * lanes) {
            const index_t end = begin + block * lanes < whole ? begin + block * lanes : whole;
            reduce_range<P>(r, s, begin, end);
            each<selection::reduced_in_pass, P>([&](auto i) FLUXION_INLINE_LAMBDA {
              combine_blocks<i.value>(detail::get<i.value>(so_far), detail::get<i.value>(lost), detail::get<i.value>(r));
              start_reduction<i.value>(r);
            });
          }
          each<selection::reduced_in_pass, P>([&](auto i) FLUXION_INLINE_LAMBDA {
            finish_blocks<i.value>(detail::get<i.value>(so_far), detail::get<i.value>(lost));
            detail::get<i.value>(r) = detail::get<i.value>(so_far);
          });
        }
        if (lanes > 1 && whole < length) sweep<P, true>(r, s, whole, static_cast<int>(length - whole));
        each<selection::reduced_in_pass, P>([&](auto i) FLUXION_INLINE_LAMBDA { finish_reduction<i.value>(r, length); });
      }
    }
  }

  /// Whether pass P is so cheap that it waits for its own partial results: then several are kept side by side.
  template <int P>
  static constexpr bool waits_for_itself() {
    if (Code::header.row_length > 0 && Code::header.row_length < 4 * lanes) return false;
    int flops = 0, entries = 0;
    for (int i = 0; i < size; ++i) {
      if (!selected(selection::in_pass, P, i)) continue;
      const entry_t& e = Code::entry(i);
      if (e.code == graph::entry_code::uniform || e.code == graph::entry_code::accumulate) return false;
      if (e.code < graph::operation_count) flops += graph::info_of(e.code).flops;
      ++entries;
    }
    return flops <= 6 && entries <= 12;
  }

  /// Packets [begin, end) of a reducing pass, four partial results at a time where that hides their latency.
  template <int P>
  static FLUXION_ALWAYS_INLINE void reduce_range(registers& r, const state& s, index_t begin, index_t end) {
    index_t j = begin;
    if constexpr (waits_for_itself<P>()) {
      if (end - j >= 4 * lanes) {
        registers second = r, third = r, fourth = r;
        each<selection::reduced_in_pass, P>([&](auto i) FLUXION_INLINE_LAMBDA {
          start_reduction<i.value>(second);
          start_reduction<i.value>(third);
          start_reduction<i.value>(fourth);
        });
        for (; j + 4 * lanes <= end; j += 4 * lanes) {
          sweep<P, false>(r, s, j, lanes);
          sweep<P, false>(second, s, j + lanes, lanes);
          sweep<P, false>(third, s, j + 2 * lanes, lanes);
          sweep<P, false>(fourth, s, j + 3 * lanes, lanes);
        }
        each<selection::reduced_in_pass, P>([&](auto i) FLUXION_INLINE_LAMBDA {
          combine_into<i.value>(detail::get<i.value>(r), detail::get<i.value>(second));
          combine_into<i.value>(detail::get<i.value>(third), detail::get<i.value>(fourth));
          combine_into<i.value>(detail::get<i.value>(r), detail::get<i.value>(third));
        });
      }
    }
    for (; j < end; j += lanes) sweep<P, false>(r, s, j, lanes);
  }

  template <int P, bool Partial>
  static FLUXION_ALWAYS_INLINE void sweep(registers& r, const state& s, index_t j, int count) {
    each<selection::in_pass, P>([&](auto i) FLUXION_INLINE_LAMBDA {
      constexpr entry_t e = entry<i.value>;
      if constexpr (e.keep != 0 && (e.passes & ((1u << P) - 1)) != 0) {
        load_kept<i.value>(r, s, j);  // computed in a former pass
      } else {
        evaluate<i.value, Partial>(r, s, j, count);
        if constexpr (e.keep != 0) store_kept<i.value>(r, s, j);
      }
    });
    each<selection::reduced_in_pass, P>([&](auto i) FLUXION_INLINE_LAMBDA {
      auto value = detail::get<entry<i.value>.operand[0]>(r);
      if constexpr (Partial) value = blend_count(value, count, identity<i.value>());
      combine_into<i.value>(detail::get<i.value>(r), value);
    });
  }

  // ---- reductions across lanes ------------------------------------------------------------------------------------------
  template <int I>
  using reduction_t = graph::operation_type<entry<I>.code>;
  template <int I>
  static FLUXION_ALWAYS_INLINE value_t<I> identity() {
    return splat<value_t<I>>(reduction_t<I>::template identity<element<I>>());
  }
  template <int I>
  static FLUXION_ALWAYS_INLINE void start_reduction(registers& r) {
    detail::get<I>(r) = identity<I>();
  }
  template <int I>
  static FLUXION_ALWAYS_INLINE void combine_into(value_t<I>& total, const value_t<I>& part) {
    total = reduction_t<I>::combine(total, part);
  }
  template <int I>
  static constexpr bool adds_floats() {
    return is_floating(entry<I>.type) &&
           (std::is_same_v<reduction_t<I>, operation::sum> || std::is_same_v<reduction_t<I>, operation::mean>);
  }
  /// The same for whole blocks, of which a row may have many: what rounding takes from a sum is collected in `lost`.
  template <int I>
  static FLUXION_ALWAYS_INLINE void combine_blocks(value_t<I>& total, value_t<I>& lost, const value_t<I>& part) {
    if constexpr (adds_floats<I>()) {
      const auto sum = total + part, added = sum - total;
      lost = lost + ((total - (sum - added)) + (part - added));
      total = sum;
    } else combine_into<I>(total, part);
  }
  template <int I>
  static FLUXION_ALWAYS_INLINE void finish_blocks(value_t<I>& total, const value_t<I>& lost) {
    if constexpr (adds_floats<I>()) {
      const auto zero = splat<value_t<I>>(element<I>(0));
      total = total + select(equal(lost - lost, zero), lost, zero);  // of an infinite sum nothing sensible was lost
    }
  }
  template <int I>
  static FLUXION_ALWAYS_INLINE void finish_reduction(registers& r, index_t length) {
    auto x = reduce(detail::get<I>(r), [](const auto& a, const auto& b) FLUXION_INLINE_LAMBDA { return reduction_t<I>::combine(a, b); });
    if constexpr (reduction_t<I>::divides_by_count) x = x / static_cast<element<I>>(length);
    detail::get<I>(r) = splat<value_t<I>>(x);
  }

  // ---- row buffers ------------------------------------------------------------------------------------------------------
  // Masks are kept as the numbers 0 and 1 of their carrier's type; rows are padded, so the tail is kept whole.
  template <int I>
  static FLUXION_ALWAYS_INLINE void store_kept(registers& r, const state& s, index_t j) {
    using V = value_t<I>;
    std::byte* buffer = s.call->keep + static_cast<std::size_t>(entry<I>.keep - 1) * s.call->keep_stride;
    using T = typename V::value_type;
    if constexpr (entry<I>.type == element_type::boolean)
      store(reinterpret_cast<T*>(buffer) + j, convert<T>(detail::get<I>(r)));
    else store(reinterpret_cast<T*>(buffer) + j, detail::get<I>(r));
  }
  template <int I>
  static FLUXION_ALWAYS_INLINE void load_kept(registers& r, const state& s, index_t j) {
    using V = value_t<I>;
    std::byte* buffer = s.call->keep + static_cast<std::size_t>(entry<I>.keep - 1) * s.call->keep_stride;
    using T = typename V::value_type;
    const auto value = load<Pack<T, lanes>>(reinterpret_cast<const T*>(buffer) + j);
    if constexpr (entry<I>.type == element_type::boolean) detail::get<I>(r) = convert<V>(value);
    else detail::get<I>(r) = value;
  }

  // ---- entries ----------------------------------------------------------------------------------------------------------
  /// Evaluates entry I at elements j … j + count of the row. Values of the outer and once rates fill all lanes with one number.
  template <int I, bool Partial>
  static FLUXION_ALWAYS_INLINE void evaluate(registers& r, const state& s, index_t j, int count) {
    namespace code = graph::entry_code;
    constexpr entry_t e = entry<I>;
    constexpr bool full = e.rate == graph::rate::full;
    if constexpr (e.code == code::load || e.code == code::load_strided) {
      constexpr bool adjacent = e.code == code::load;
      if constexpr (e.type == element_type::boolean) load_booleans<I, adjacent>(r, s, j, count);
      else {
        using T = element<I>;
        const T* p = reinterpret_cast<const T*>(s.base[e.slot]);
        if constexpr (!full) detail::get<I>(r) = splat<value_t<I>>(*p);
        else if constexpr (!adjacent) {
          const index_t stride = s.call->slots[e.slot].row_stride;
          detail::get<I>(r) = host::load_strided<value_t<I>>(p + j * stride, stride, count, T(1));
        } else if constexpr (Partial) detail::get<I>(r) = load_partial<value_t<I>>(p + j, count, T(1));
        else detail::get<I>(r) = host::load<value_t<I>>(p + j);
      }
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
      write<e.operand[0], e.slot, full, e.code == code::store, Partial>(r, s, j, count);
    } else if constexpr (e.code == code::accumulate) {
      accumulate_into<I, full, Partial>(r, s, j, count);
    } else if constexpr (e.code == code::iota) {
      using T = element<I>;
      const index_t stride = full ? s.call->slots[e.slot].row_stride : 0, start = s.offset[e.slot] + j * stride;
      if constexpr (!full) detail::get<I>(r) = splat<value_t<I>>(static_cast<T>(start));
      else if (stride == 1) detail::get<I>(r) = host::iota<value_t<I>>(static_cast<T>(start));
      else detail::get<I>(r) = splat<value_t<I>>(static_cast<T>(start)) + host::iota<value_t<I>>(T(0)) * splat<value_t<I>>(static_cast<T>(stride));
    } else if constexpr (e.code == code::uniform) {
      random_lanes<I, full>(r, s, j);
    } else if constexpr (e.code == graph::opcode_of<operation::cast>) {
      const auto& x = detail::get<e.operand[0]>(r);
      if constexpr (e.type == element_type::boolean) detail::get<I>(r) = convert<value_t<I>>(x);
      else detail::get<I>(r) = convert<element<I>>(x);
    } else if constexpr (e.code < graph::operation_count) {
      apply<I>(r);
    }
  }

  template <class M>
  static FLUXION_ALWAYS_INLINE M truth(bool value) {
    using P = Pack<typename M::value_type, lanes>;
    return not_equal(splat<P>(typename M::value_type(value ? 1 : 0)), splat<P>(typename M::value_type(0)));
  }

  template <int I>
  static FLUXION_ALWAYS_INLINE void apply(registers& r) {
    constexpr entry_t e = entry<I>;
    using O = graph::operation_type<e.code>;
    if constexpr (O::family == graph::family::map) {
      if constexpr (O::typing == graph::typing::choose) {
        if constexpr (e.type == element_type::boolean) {
          using C = typename value_t<I>::value_type;
          const auto m = convert_mask<C>(detail::get<e.operand[0]>(r));
          const auto a = convert_mask<C>(detail::get<e.operand[1]>(r)), b = convert_mask<C>(detail::get<e.operand[2]>(r));
          detail::get<I>(r) = logical_or(logical_and(m, a), logical_and(logical_not(m), b));
        } else
          detail::get<I>(r) = O::value(convert_mask<element<I>>(detail::get<e.operand[0]>(r)), detail::get<e.operand[1]>(r), detail::get<e.operand[2]>(r));
      } else if constexpr (O::arity == 1) {
        if constexpr (e.type == element_type::boolean && O::typing == graph::typing::promote && O::cost.flops > 0)
          detail::get<I>(r) = convert<value_t<I>>(O::value(convert<typename value_t<I>::value_type>(detail::get<e.operand[0]>(r))));
        else if constexpr (e.type == element_type::boolean)
          detail::get<I>(r) = convert_mask<typename value_t<I>::value_type>(O::value(operand<e.operand[0]>(r)));
        else detail::get<I>(r) = O::value(detail::get<e.operand[0]>(r));
      } else {
        if constexpr (O::typing == graph::typing::logical) {
          using C = typename value_t<I>::value_type;
          detail::get<I>(r) = O::value(convert_mask<C>(detail::get<e.operand[0]>(r)), convert_mask<C>(detail::get<e.operand[1]>(r)));
        } else if constexpr (O::typing == graph::typing::compare && Code::entry(e.operand[0]).type == element_type::boolean) {
          // Truth values compare as the numbers 0 and 1.
          using C = typename value_t<I>::value_type;
          detail::get<I>(r) = O::value(convert<C>(detail::get<e.operand[0]>(r)), convert<C>(detail::get<e.operand[1]>(r)));
        } else if constexpr (e.type == element_type::boolean && O::typing == graph::typing::promote) {
          // They add and multiply so too: true + true is true.
          using C = typename value_t<I>::value_type;
          detail::get<I>(r) = convert<value_t<I>>(O::value(convert<C>(detail::get<e.operand[0]>(r)), convert<C>(detail::get<e.operand[1]>(r))));
        } else detail::get<I>(r) = O::value(detail::get<e.operand[0]>(r), detail::get<e.operand[1]>(r));
      }
    }
  }
  template <int I>
  static FLUXION_ALWAYS_INLINE auto& operand(registers& r) {
    return detail::get<I>(r);
  }

  // ---- memory -----------------------------------------------------------------------------------------------------------
  template <int I, bool Adjacent>
  static FLUXION_ALWAYS_INLINE void load_booleans(registers& r, const state& s, index_t j, int count) {
    constexpr entry_t e = entry<I>;
    const bool* p = reinterpret_cast<const bool*>(s.base[e.slot]);
    if constexpr (e.rate != graph::rate::full) detail::get<I>(r) = truth<value_t<I>>(*p);
    else if constexpr (Adjacent) detail::get<I>(r) = load_mask<value_t<I>>(p + j, count);
    else {
      const index_t stride = s.call->slots[e.slot].row_stride;
      bool gathered[lanes];
      for (int n = 0; n < lanes; ++n) gathered[n] = n < count && p[(j + n) * stride];
      detail::get<I>(r) = load_mask<value_t<I>>(gathered, lanes);
    }
  }

  template <int Source, int Slot, bool Full, bool Adjacent, bool Partial>
  static FLUXION_ALWAYS_INLINE void write(registers& r, const state& s, index_t j, int count) {
    const auto& value = detail::get<Source>(r);
    if constexpr (entry<Source>.type == element_type::boolean) {
      bool* p = reinterpret_cast<bool*>(s.base[Slot]);
      if constexpr (!Full) store_mask(p, value, 1);
      else if constexpr (Adjacent) store_mask(p + j, value, count);
      else {
        const index_t stride = s.call->slots[Slot].row_stride;
        bool spread[lanes];
        store_mask(spread, value, lanes);
        for (int n = 0; n < count; ++n) p[(j + n) * stride] = spread[n];
      }
    } else {
      using T = element<Source>;
      T* p = reinterpret_cast<T*>(s.base[Slot]);
      if constexpr (!Full) *p = first_lane(value);
      else if constexpr (!Adjacent) {
        const index_t stride = s.call->slots[Slot].row_stride;
        host::store_strided(p + j * stride, stride, value, count);
      } else if constexpr (Partial) store_partial(p + j, value, count);
      else host::store(p + j, value);
    }
  }

  template <class T, int N>
  static FLUXION_ALWAYS_INLINE T first_lane(const Pack<T, N>& x) {
    T element;
    store_partial(&element, x, 1);
    return element;
  }

  template <int I, bool Full, bool Partial>
  static FLUXION_ALWAYS_INLINE void accumulate_into(registers& r, const state& s, index_t j, int count) {
    constexpr entry_t e = entry<I>;
    using O = graph::operation_type<static_cast<graph::opcode>(e.operand[1])>;
    using T = element<I>;
    const auto& value = detail::get<e.operand[0]>(r);
    T* p = reinterpret_cast<T*>(s.base[e.slot]);
    if constexpr (!Full) {
      *p = O::combine(*p, first_lane(value));
    } else {
      const index_t stride = s.call->slots[e.slot].row_stride;
      if (stride == 1) {
        if constexpr (Partial) store_partial(p + j, O::combine(load_partial<value_t<I>>(p + j, count, T(0)), value), count);
        else host::store(p + j, O::combine(host::load<value_t<I>>(p + j), value));
      } else {
        const auto old = host::load_strided<value_t<I>>(p + j * stride, stride, count, T(0));
        host::store_strided(p + j * stride, stride, O::combine(old, value), count);
      }
    }
  }

  template <int I, bool Full>
  static FLUXION_ALWAYS_INLINE void random_lanes(registers& r, const state& s, index_t j) {
    constexpr entry_t e = entry<I>;
    using T = element<I>;
    std::int64_t words[2];
    store_partial(&words[0], convert<std::int64_t>(detail::get<e.operand[0]>(r)), 1);
    store_partial(&words[1], convert<std::int64_t>(detail::get<e.operand[1]>(r)), 1);
    const auto key = PhiloxKey{static_cast<std::uint32_t>(words[0]), static_cast<std::uint32_t>(static_cast<std::uint64_t>(words[0]) >> 32)};
    const auto offset = static_cast<std::uint64_t>(words[1]);
    const index_t stride = Full ? s.call->slots[e.slot].row_stride : 0, start = s.offset[e.slot] + j * stride;
    T numbers[lanes];
    for (int n = 0; n < (Full ? lanes : 1); ++n) numbers[n] = random_uniform<T>(key, offset, static_cast<std::uint64_t>(start + n * stride));
    if constexpr (Full) detail::get<I>(r) = host::load<value_t<I>>(numbers);
    else detail::get<I>(r) = splat<value_t<I>>(numbers[0]);
  }
};

}  // namespace FLUXION_ABI
}  // namespace fluxion::host
