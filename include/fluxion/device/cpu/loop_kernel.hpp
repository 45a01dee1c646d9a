/// The loop kernel of the CPU: for each row, its passes; in each pass, a packet loop and a tail of fewer lanes.
///
///   once:   constants, scalars
///   for each position of the outer axes:
///     for each pass:
///       values of this row (results of former passes)
///       for each packet of the row: load, compute, keep, reduce, store, accumulate
///       reduce across lanes
///     values and stores of this row
///
/// Where the values before the first pass or behind the last one are costly, they are computed for as many rows at once as there are lanes.
#pragma once
#include "row_passes.hpp"

namespace fluxion::host {
inline namespace FLUXION_ABI {

template <class Code>
class loop_kernel : row_passes<Code, false> {
  using base = row_passes<Code, false>;
  using typename base::registers;
  using typename base::selection;
  using typename base::state;
  using base::lanes;

 public:
  /// Runs every row of the call.
  static FLUXION_NO_INLINE void run(const graph::loop_call& call) {
    state s;
    base::start(s, call);
    registers r;
    base::template each<selection::once, 0>([&](auto i) FLUXION_INLINE_LAMBDA { base::template evaluate<i.value, lanes_along::row>(r, s, 0, 1); });
    if constexpr (Code::header.passes == 1)  // short calls of maps: nothing to advance
      if (call.outer_rank == 0) {
        base::row(r, s, lanes);
        return;
      }
    const index_t n = call.outer_rank > 0 ? call.outer[call.outer_rank - 1] : 1;
    index_t at[max_rank]{};
    for (;;) {
      rows(r, s, n);
      if (!base::next(call, at)) return;
      base::move_to(s, at);
    }
  }

 private:
  /// The next rows along the last outer axis.
  static FLUXION_ALWAYS_INLINE void rows(registers& r, state& s, index_t n) {
    if constexpr (works_in_groups()) {
      group_values values{};
      for (; n > 0; n -= lanes) {
        const int count = n < lanes ? static_cast<int>(n) : lanes;
        const state first = s;
        start_group(values, r, first, count);
        for (int row = 0; row < count; ++row) {
          start_row(values, r, row);
          base::template all_passes<false>(r, s, lanes);
          finish_row(values, r, row);
          base::advance(s, 1);
        }
        finish_group(values, r, first, count);
      }
    } else {
      for (; n > 0; --n) {
        base::row(r, s, lanes);
        base::advance(s, 1);
      }
    }
  }

  // ---- the values of several rows at once -------------------------------------------------------------------------------
  /// Whether what is computed once a row takes so long that it is computed for as many rows at once as there are lanes: before the first
  /// pass by conversions, behind the last one by functions of one number.
  static constexpr bool works_in_groups() {
    int before = 0, after = 0;
    for (int i = 0; i < base::size; ++i) {
      if (Code::entry(i).code >= graph::operation_count) continue;
      before += base::selected(selection::first_values, 0, i);
      if (base::selected(selection::after, 0, i)) after += graph::info_of(Code::entry(i).code).flops;
    }
    return lanes > 1 && (before >= 2 || after >= 8);
  }

  template <selection S>
  using list = typename base::template chosen<S, 0>;
  template <int I>
  using value_t = typename base::template value_t<I>;
  template <int I>
  using number_t = typename value_t<I>::value_type;  // truth values are the numbers 0 and 1 of their carrier's type

  /// What passes between single rows and their group: a number of each row.
  template <selection S>
  struct numbers {
    alignas(64) std::byte lane[static_cast<std::size_t>(list<S>::count > 0 ? list<S>::count : 1)][static_cast<std::size_t>(lanes) * 8];
  };
  struct group_values {
    numbers<selection::used_first_values> before;
    numbers<selection::reduced_for_after> after;
  };
  template <int I, selection S>
  static FLUXION_ALWAYS_INLINE number_t<I>* numbers_of(numbers<S>& n) {
    constexpr int number = [] {
      int count = 0;
      for (int i = 0; i < I; ++i) count += base::selected(S, 0, i);
      return count;
    }();
    return reinterpret_cast<number_t<I>*>(n.lane[number]);
  }

  static FLUXION_ALWAYS_INLINE void start_group(group_values& values, registers& r, const state& first, int count) {
    base::template each<selection::first_values, 0>(
        [&](auto i) FLUXION_INLINE_LAMBDA { base::template evaluate<i.value, lanes_along::rows>(r, first, 0, count); });
    base::template each<selection::used_first_values, 0>([&](auto i) FLUXION_INLINE_LAMBDA {
      if constexpr (Code::entry(i.value).type == element_type::boolean)
        store(numbers_of<i.value>(values.before), convert<number_t<i.value>>(detail::get<i.value>(r)));
      else store(numbers_of<i.value>(values.before), detail::get<i.value>(r));
    });
  }
  static FLUXION_ALWAYS_INLINE void start_row(group_values& values, registers& r, int row) {
    base::template each<selection::used_first_values, 0>([&](auto i) FLUXION_INLINE_LAMBDA {
      const auto number = splat<Pack<number_t<i.value>, lanes>>(numbers_of<i.value>(values.before)[row]);
      if constexpr (Code::entry(i.value).type == element_type::boolean) detail::get<i.value>(r) = convert<value_t<i.value>>(number);
      else detail::get<i.value>(r) = number;
    });
  }
  static FLUXION_ALWAYS_INLINE void finish_row(group_values& values, registers& r, int row) {
    base::template each<selection::reduced_for_after, 0>(
        [&](auto i) FLUXION_INLINE_LAMBDA { numbers_of<i.value>(values.after)[row] = first_lane(detail::get<i.value>(r)); });
  }
  static FLUXION_ALWAYS_INLINE void finish_group(group_values& values, registers& r, const state& first, int count) {
    base::template each<selection::reduced_for_after, 0>(
        [&](auto i) FLUXION_INLINE_LAMBDA { detail::get<i.value>(r) = load<value_t<i.value>>(numbers_of<i.value>(values.after)); });
    base::template each<selection::for_after, 0>(
        [&](auto i) FLUXION_INLINE_LAMBDA { base::template evaluate<i.value, lanes_along::rows>(r, first, 0, count); });
  }
};

}  // namespace FLUXION_ABI
}  // namespace fluxion::host
