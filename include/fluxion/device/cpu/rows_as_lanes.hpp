/// The loop kernel of the CPU for rows that are short, or whose elements are not adjacent while those of neighbouring rows are: a lane is a
/// row, and a group of rows is walked element by element. Reductions do not cross lanes, and what is computed once a row is computed for all
/// rows of the group at once.
///
///   once:   constants, scalars
///   for each group of rows along the last outer axis:
///     short rows are turned into tiles, unless the group's elements are neighbours in memory already
///     for each pass:
///       values of these rows (results of former passes)
///       for each element of the rows: load, compute, keep, reduce, store, accumulate
///     values and stores of these rows
///     tiles are turned back
#pragma once
#include "row_passes.hpp"

namespace fluxion::host {
inline namespace FLUXION_ABI {

template <class Code>
class rows_as_lanes : row_passes<Code, true> {
  using base = row_passes<Code, true>;
  using typename base::registers;
  using typename base::selection;
  using typename base::state;
  using base::lanes;
  template <int I>
  using element = typename base::template element<I>;

 public:
  /// Runs every row of the call.
  static FLUXION_NO_INLINE void run(const graph::loop_call& call) {
    state s;
    base::start(s, call);
    alignas(64) std::byte tiles[tile_bytes > 0 ? tile_bytes : 1];
    registers r;
    base::template each<selection::once, 0>([&](auto i) FLUXION_INLINE_LAMBDA { base::template evaluate<i.value, lanes_along::rows>(r, s, 0, 1); });
    const index_t rows = call.outer_rank > 0 ? call.outer[call.outer_rank - 1] : 1;
    index_t at[max_rank]{};
    for (;;) {
      place_tiles(s, tiles);
      each_tile([&](auto i) FLUXION_INLINE_LAMBDA { start_sums<i.value>(s); });
      for (index_t n = 0; n < rows; n += lanes) {
        const int count = rows - n < lanes ? static_cast<int>(rows - n) : lanes;
        each_tile([&](auto i) FLUXION_INLINE_LAMBDA { fill_tile<i.value>(s, tiles, n == 0, count); });
        base::row(r, s, count);
        each_tile([&](auto i) FLUXION_INLINE_LAMBDA { empty_tile<i.value>(s, count); });
        base::advance(s, lanes);
      }
      each_tile([&](auto i) FLUXION_INLINE_LAMBDA { finish_sums<i.value>(s); });
      if (!base::next(call, at)) return;
      base::move_to(s, at);
    }
  }

 private:
  // ---- tiles ------------------------------------------------------------------------------------------------------------
  template <class F>
  static FLUXION_ALWAYS_INLINE void each_tile(const F& f) {
    [&]<int... I>(std::integer_sequence<int, I...>) FLUXION_INLINE_LAMBDA {
      const int done[] = {0, (call_if<I>(f), 0)...};
      static_cast<void>(done);
    }(std::make_integer_sequence<int, base::size>{});
  }
  template <int I, class F>
  static FLUXION_ALWAYS_INLINE void call_if(const F& f) {
    if constexpr (base::template in_tile<I>) f(std::integral_constant<int, I>{});
  }

  /// Bytes of the tiles of the entries before number `end`.
  static constexpr int bytes_before(int end) {
    int bytes = 0;
    for (int i = 0; i < end; ++i)
      if (base::is_tiled(Code::entry(i))) bytes += (int{Code::header.row_length} * lanes * static_cast<int>(size_of(Code::entry(i).type)) + 63) / 64 * 64;
    return bytes;
  }
  static constexpr int tile_bytes = bytes_before(base::size);

  static FLUXION_ALWAYS_INLINE void place_tiles(state& s, std::byte* tiles) {
    each_tile([&](auto i) FLUXION_INLINE_LAMBDA {
      constexpr int offset = bytes_before(i.value);
      constexpr int slot = Code::entry(i.value).slot;
      s.tile[slot] = tiles + offset;
      s.tile_stride[slot] = lanes;
    });
  }

  template <int I>
  static element<I>* tile_of(const state& s) {
    return base::template in_tile_at<I>(s, 0);
  }
  template <int I>
  static element<I>* memory_of(const state& s) {
    return reinterpret_cast<element<I>*>(s.base[Code::entry(I).slot]);
  }
  template <int I>
  static row_block block_of(const state& s, int count) {
    constexpr int slot = Code::entry(I).slot;
    return {s.call->slots[slot].row_stride, s.to_next_row[slot], count, Code::header.row_length};
  }
  template <int I>
  static constexpr bool is_sum = Code::entry(I).code == graph::entry_code::accumulate;

  /// Whether a whole group of rows is in memory as it would be in its tile.
  template <int I>
  static FLUXION_ALWAYS_INLINE bool is_tile_in_memory(const state& s, int count) {
    return !is_sum<I> && element_is_number<I> && count == lanes && s.to_next_row[Code::entry(I).slot] == 1;
  }
  template <int I>
  static constexpr bool element_is_number = !std::is_same_v<element<I>, bool>;

  template <int I>
  static FLUXION_ALWAYS_INLINE void fill_tile(state& s, std::byte* tiles, bool first, int count) {
    constexpr int slot = Code::entry(I).slot;
    if (is_tile_in_memory<I>(s, count)) {
      s.tile[slot] = s.base[slot];
      s.tile_stride[slot] = s.call->slots[slot].row_stride;
      return;
    }
    if (s.to_next_row[slot] == 1 && !is_sum<I>) {  // the last group may be smaller
      constexpr int offset = bytes_before(I);
      s.tile[slot] = tiles + offset;
      s.tile_stride[slot] = lanes;
    }
    if constexpr (!detail::is_sink(Code::entry(I)))
      if (first || s.to_next_row[slot] != 0) load_tile<lanes>(tile_of<I>(s), memory_of<I>(s), block_of<I>(s, count));
  }
  template <int I>
  static FLUXION_ALWAYS_INLINE void empty_tile(const state& s, int count) {
    if constexpr (detail::is_sink(Code::entry(I)) && !is_sum<I>)
      if (!is_tile_in_memory<I>(s, count)) store_tile<lanes>(memory_of<I>(s), tile_of<I>(s), block_of<I>(s, count));
  }

  // Sums that all rows add to are kept in each lane until the last group.
  template <int I>
  static FLUXION_ALWAYS_INLINE void start_sums(const state& s) {
    if constexpr (is_sum<I>) {
      using O = graph::operation_type<static_cast<graph::opcode>(Code::entry(I).operand[1])>;
      for (int n = 0; n < Code::header.row_length * lanes; ++n) tile_of<I>(s)[n] = O::template identity<element<I>>();
    }
  }
  template <int I>
  static FLUXION_ALWAYS_INLINE void finish_sums(const state& s) {
    if constexpr (is_sum<I>) {
      using O = graph::operation_type<static_cast<graph::opcode>(Code::entry(I).operand[1])>;
      using P = Pack<element<I>, lanes>;
      const row_block block = block_of<I>(s, 0);
      if (block.to_next_row != 0) return;
      for (int j = 0; j < block.columns; ++j) {
        element<I>& sum = memory_of<I>(s)[j * block.row_stride];
        sum = O::combine(sum, reduce(load<P>(tile_of<I>(s) + j * lanes), [](const auto& a, const auto& b) FLUXION_INLINE_LAMBDA { return O::combine(a, b); }));
      }
    }
  }
};

}  // namespace FLUXION_ABI
}  // namespace fluxion::host
