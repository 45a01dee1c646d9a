/// A row in passes: which entries of a kernel's code are evaluated where, and what is kept and reduced on the way. The lanes are elements of
/// one row (loop_kernel.hpp) or the same element of several rows (rows_as_lanes.hpp).
#pragma once
#include "entry_evaluator.hpp"

namespace fluxion::host {
inline namespace FLUXION_ABI {

template <class Code, bool Rows>
class row_passes : protected entry_evaluator<Code> {
 protected:
  using evaluator = entry_evaluator<Code>;
  using typename evaluator::entry_t;
  using typename evaluator::registers;
  using typename evaluator::state;
  using evaluator::lanes;
  using evaluator::size;
  template <int I>
  static constexpr entry_t entry = Code::entry(I);
  template <int I>
  using value_t = typename evaluator::template value_t<I>;
  template <int I>
  using element = typename evaluator::template element<I>;
  static constexpr int passes = Code::header.passes;
  static constexpr lanes_along along = Rows ? lanes_along::rows : lanes_along::row;
  /// Elements of a row that one sweep takes.
  static constexpr int step = Rows ? 1 : lanes;

  template <int I, lanes_along L>
  static FLUXION_ALWAYS_INLINE void evaluate(registers& r, const state& s, index_t j, int count) {
    evaluator::template evaluate<I, L>(r, s, j, count);
  }

  // ---- which entries run where ------------------------------------------------------------------------------------------
  enum class selection { once, before_pass, in_pass, reduced_in_pass, after, for_after, reduced_for_after, first_values, used_first_values };

  /// What the values behind the passes are computed from, and they themselves.
  static constexpr auto find_needed_after() {
    std::array<bool, static_cast<std::size_t>(size > 0 ? size : 1)> needed{};
    for (int i = size - 1; i >= 0; --i) {
      const entry_t& e = Code::entry(i);
      if (e.rate != graph::rate::outer || detail::is_row_reduction(e)) continue;
      bool& here = needed[static_cast<std::size_t>(i)];
      here = here || (e.passes >> passes & 1);
      for (int o = 0; here && o < (e.code == graph::entry_code::accumulate ? 1 : 3); ++o)
        if (e.operand[o] >= 0) needed[static_cast<std::size_t>(e.operand[o])] = true;
    }
    return needed;
  }
  static constexpr auto needed_after = find_needed_after();

  /// Whether something that is evaluated once for each row, or oftener, and not before the first pass, has entry i for an operand.
  static constexpr bool used_in_passes(int i) {
    for (int c = i + 1; c < size; ++c) {
      const entry_t& e = Code::entry(c);
      if (e.rate == graph::rate::outer && !detail::is_row_reduction(e) && (detail::is_sink(e) || (e.passes & 1) || (e.passes >> passes & 1))) continue;
      for (int o = 0; o < (e.code == graph::entry_code::accumulate ? 1 : 3); ++o)
        if (e.operand[o] == i) return true;
    }
    return false;
  }

  static constexpr bool selected(selection s, int pass, int i) {
    const entry_t& e = Code::entry(i);
    const bool reduction = detail::is_row_reduction(e);
    switch (s) {
      case selection::once: return e.rate == graph::rate::once;
      case selection::before_pass: return e.rate == graph::rate::outer && !reduction && !detail::is_sink(e) && (e.passes >> pass & 1);
      case selection::in_pass: return e.rate == graph::rate::full && (e.passes >> pass & 1);
      case selection::reduced_in_pass: return reduction && (e.passes >> pass & 1);
      case selection::after: return e.rate == graph::rate::outer && !reduction && (e.passes >> passes & 1);
      case selection::for_after: return e.rate == graph::rate::outer && !reduction && needed_after[static_cast<std::size_t>(i)];
      case selection::reduced_for_after: return reduction && needed_after[static_cast<std::size_t>(i)];
      case selection::first_values: return selected(selection::before_pass, 0, i);
      case selection::used_first_values: return selected(selection::before_pass, 0, i) && used_in_passes(i);
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
  /// All passes over one row in packets of `count`, or over the `count` rows of a group.
  static FLUXION_ALWAYS_INLINE void row(registers& r, const state& s, int count) {
    all_passes(r, s, count);
    each<selection::after, 0>([&](auto i) FLUXION_INLINE_LAMBDA { evaluate<i.value, along>(r, s, 0, count); });
  }

  /// All passes; `First` tells whether the values before the first one are still to be evaluated.
  template <bool First = true>
  static FLUXION_ALWAYS_INLINE void all_passes(registers& r, const state& s, int count) {
    all_passes<First>(r, s, count, std::make_integer_sequence<int, passes>{});
  }
  template <bool First, int... P>
  static FLUXION_ALWAYS_INLINE void all_passes(registers& r, const state& s, int count, std::integer_sequence<int, P...>) {
    const int done[] = {(one_pass<P, (First || P > 0)>(r, s, count), 0)...};
    static_cast<void>(done);
  }

  /// Sweeps after which a partial sum is added to the sum so far: bounds the rounding error of long rows.
  static constexpr index_t block = 256;

  template <int P, bool Before>
  static FLUXION_ALWAYS_INLINE void one_pass(registers& r, const state& s, int count) {
    if constexpr (Before) each<selection::before_pass, P>([&](auto i) FLUXION_INLINE_LAMBDA { evaluate<i.value, along>(r, s, 0, count); });
    if constexpr (chosen<selection::in_pass, P>::count > 0 || chosen<selection::reduced_in_pass, P>::count > 0) {
      const index_t length = Code::header.row_length > 0 ? index_t{Code::header.row_length} : s.call->row;
      const index_t whole = length / step * step;
      if constexpr (chosen<selection::reduced_in_pass, P>::count == 0) {
        for (index_t j = 0; j < whole; j += step) sweep<P, along>(r, s, j, count);
        if (step > 1 && whole < length) sweep<P, lanes_along::end_of_row>(r, s, whole, static_cast<int>(length - whole));
      } else {
        each<selection::reduced_in_pass, P>([&](auto i) FLUXION_INLINE_LAMBDA { start_reduction<i.value>(r); });
        if constexpr (!sums_in_blocks<P>()) {
          reduce_range<P>(r, s, count, 0, whole);
        } else {
          // One loop for one block and for several: the sweep is compiled once.
          const bool several = whole > block * step;
          registers so_far, lost;
          if (several)
            each<selection::reduced_in_pass, P>([&](auto i) FLUXION_INLINE_LAMBDA {
              start_reduction<i.value>(so_far);
              start_reduction<i.value>(lost);
            });
          for (index_t begin = 0;; begin += block * step) {
            const index_t end = begin + block * step < whole ? begin + block * step : whole;
            reduce_range<P>(r, s, count, begin, end);
            if (!several) break;
            each<selection::reduced_in_pass, P>([&](auto i) FLUXION_INLINE_LAMBDA {
              combine_blocks<i.value>(detail::get<i.value>(so_far), detail::get<i.value>(lost), detail::get<i.value>(r));
              start_reduction<i.value>(r);
            });
            if (end == whole) break;
          }
          if (several)
            each<selection::reduced_in_pass, P>([&](auto i) FLUXION_INLINE_LAMBDA {
              finish_blocks<i.value>(detail::get<i.value>(so_far), detail::get<i.value>(lost));
              detail::get<i.value>(r) = detail::get<i.value>(so_far);
            });
        }
        if (step > 1 && whole < length) sweep<P, lanes_along::end_of_row>(r, s, whole, static_cast<int>(length - whole));
        each<selection::reduced_in_pass, P>([&](auto i) FLUXION_INLINE_LAMBDA { finish_reduction<i.value>(r, length); });
      }
    }
  }

  /// Whether pass P adds up more than one block, as far as the code tells.
  template <int P>
  static constexpr bool sums_in_blocks() {
    if (Code::header.row_length > 0) return false;
    for (int i = 0; i < size; ++i)
      if (selected(selection::reduced_in_pass, P, i) && is_floating(Code::entry(i).type) && graph::info_of(Code::entry(i).code).adds)
        return true;
    return false;
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

  /// Elements [begin, end) of a reducing pass, four partial results at a time where that hides their latency.
  template <int P>
  static FLUXION_ALWAYS_INLINE void reduce_range(registers& r, const state& s, int count, index_t begin, index_t end) {
    index_t j = begin;
    if constexpr (waits_for_itself<P>()) {
      if (end - j >= 4 * step) {
        registers second = r, third = r, fourth = r;
        each<selection::reduced_in_pass, P>([&](auto i) FLUXION_INLINE_LAMBDA {
          start_reduction<i.value>(second);
          start_reduction<i.value>(third);
          start_reduction<i.value>(fourth);
        });
        for (; j + 4 * step <= end; j += 4 * step) {
          sweep<P, along>(r, s, j, count);
          sweep<P, along>(second, s, j + step, count);
          sweep<P, along>(third, s, j + 2 * step, count);
          sweep<P, along>(fourth, s, j + 3 * step, count);
        }
        each<selection::reduced_in_pass, P>([&](auto i) FLUXION_INLINE_LAMBDA {
          combine_into<i.value>(detail::get<i.value>(r), detail::get<i.value>(second));
          combine_into<i.value>(detail::get<i.value>(third), detail::get<i.value>(fourth));
          combine_into<i.value>(detail::get<i.value>(r), detail::get<i.value>(third));
        });
      }
    }
    for (; j < end; j += step) sweep<P, along>(r, s, j, count);
  }

  template <int P, lanes_along L>
  static FLUXION_ALWAYS_INLINE void sweep(registers& r, const state& s, index_t j, int count) {
    each<selection::in_pass, P>([&](auto i) FLUXION_INLINE_LAMBDA {
      constexpr entry_t e = entry<i.value>;
      if constexpr (e.keep != 0 && (e.passes & ((1u << P) - 1)) != 0) {
        load_kept<i.value, L>(r, s, j, count);  // computed in a former pass
      } else {
        evaluate<i.value, L>(r, s, j, count);
        if constexpr (e.keep != 0) store_kept<i.value, L>(r, s, j, count);
      }
    });
    each<selection::reduced_in_pass, P>([&](auto i) FLUXION_INLINE_LAMBDA {
      auto value = detail::get<entry<i.value>.operand[0]>(r);
      if constexpr (L == lanes_along::end_of_row) value = blend_count(value, count, identity<i.value>());
      combine_into<i.value>(detail::get<i.value>(r), value);
    });
  }

  // ---- reductions -------------------------------------------------------------------------------------------------------
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
    return is_floating(entry<I>.type) && reduction_t<I>::adds;
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
    auto& total = detail::get<I>(r);
    if constexpr (Rows) {
      if constexpr (reduction_t<I>::divides_by_count) total = total / static_cast<element<I>>(length);
    } else {
      auto x = reduce(total, [](const auto& a, const auto& b) FLUXION_INLINE_LAMBDA { return reduction_t<I>::combine(a, b); });
      if constexpr (reduction_t<I>::divides_by_count) x = x / static_cast<element<I>>(length);
      total = splat<value_t<I>>(x);
    }
  }

  // ---- kept values -------------------------------------------------------------------------------------------------------
  // Masks are kept as the numbers 0 and 1 of their carrier's type; rows are padded, so the tail is kept whole.
  template <int I>
  static FLUXION_ALWAYS_INLINE auto* kept_at(const state& s, index_t j) {
    using T = typename value_t<I>::value_type;
    constexpr entry_t e = entry<I>;
    if constexpr (e.keep == graph::kept_in_output) return reinterpret_cast<T*>(s.base[e.slot]) + j;
    else return reinterpret_cast<T*>(s.call->keep + static_cast<std::size_t>(e.keep - 1) * s.call->keep_stride) + (Rows ? j * lanes : j);
  }
  template <int I, lanes_along L>
  static FLUXION_ALWAYS_INLINE void store_kept(registers& r, const state& s, index_t j, int count) {
    auto* p = kept_at<I>(s, j);
    using T = std::remove_pointer_t<decltype(p)>;
    if constexpr (entry<I>.type == element_type::boolean) store(p, convert<T>(detail::get<I>(r)));
    else if constexpr (entry<I>.keep == graph::kept_in_output && L == lanes_along::end_of_row) store_partial(p, detail::get<I>(r), count);
    else store(p, detail::get<I>(r));
  }
  template <int I, lanes_along L>
  static FLUXION_ALWAYS_INLINE void load_kept(registers& r, const state& s, index_t j, int count) {
    const auto* p = kept_at<I>(s, j);
    using V = value_t<I>;
    using T = typename V::value_type;
    if constexpr (entry<I>.type == element_type::boolean) detail::get<I>(r) = convert<V>(load<Pack<T, lanes>>(p));
    else if constexpr (entry<I>.keep == graph::kept_in_output && L == lanes_along::end_of_row) detail::get<I>(r) = load_partial<V>(p, count, T(1));
    else detail::get<I>(r) = load<V>(p);
  }
};

}  // namespace FLUXION_ABI
}  // namespace fluxion::host
