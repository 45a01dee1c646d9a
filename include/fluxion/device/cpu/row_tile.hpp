/// Tiles: a few neighbouring rows, turned so that the same element of all of them lies in adjacent lanes.
#pragma once
#include "../../core/extents.hpp"
#include "packet.hpp"

#include <utility>

namespace fluxion::host {
inline namespace FLUXION_ABI {

/// Where the rows of a tile lie in memory. Strides count elements.
struct row_block {
  index_t row_stride;   // from one element of a row to the next
  index_t to_next_row;
  int rows;             // at most as many as lanes
  int columns;
};

namespace detail {
/// How many of `all` lie in the part of `size` that begins at `start`.
constexpr int part_of(int all, int start, int size) { return all - start < 0 ? 0 : all - start < size ? all - start : size; }

/// Turns a square of packets: lane j of packet i becomes lane i of packet j. Blocks off the diagonal change places, of half the size each time.
template <class L, int Step>
FLUXION_ALWAYS_INLINE void turn(typename L::part* square) {
  constexpr auto lower = [] {
    std::uint32_t bits = 0;
    for (int i = 0; i < L::lanes; ++i) bits |= std::uint32_t{(i & Step) == 0} << i;
    return bits;
  }();
  const auto keep = L::mask_from_bits(lower);
  [&]<int... N>(std::integer_sequence<int, N...>) FLUXION_INLINE_LAMBDA {
    const auto swap = [&](auto& a, auto& b) FLUXION_INLINE_LAMBDA {
      const auto first = L::select(keep, a, L::template exchange<Step>(b));
      b = L::select(keep, L::template exchange<Step>(a), b);
      a = first;
    };
    const int done[] = {(swap(square[N / Step * 2 * Step + N % Step], square[N / Step * 2 * Step + N % Step + Step]), 0)...};
    static_cast<void>(done);
  }(std::make_integer_sequence<int, L::lanes / 2>{});
  if constexpr (Step > 1) turn<L, Step / 2>(square);
}
}  // namespace detail

/// Element c of row r of the block becomes tile[c * N + r]; what no row has is a harmless number.
template <int N, class T>
FLUXION_NO_INLINE void load_tile(T* tile, const T* p, const row_block& block) {
  using P = Pack<T, N>;
  using L = typename P::lane;
  if (block.to_next_row == 0) {
    for (int c = 0; c < block.columns; ++c) store(tile + c * N, splat<P>(p[c * block.row_stride]));
  } else if (block.to_next_row == 1) {
    for (int c = 0; c < block.columns; ++c) store(tile + c * N, load_partial<P>(p + c * block.row_stride, block.rows, T(1)));
  } else {
    if constexpr (L::is_packet)
      if (block.row_stride == 1) {
        for (int r = 0; r < N; r += L::lanes)
          for (int c = 0; c < block.columns; c += L::lanes) {
            const int rows = detail::part_of(block.rows, r, L::lanes), columns = detail::part_of(block.columns, c, L::lanes);
            typename L::part square[L::lanes];
            for (int i = 0; i < L::lanes; ++i) square[i] = i < rows ? L::load_partial(p + (r + i) * block.to_next_row + c, columns, T(1)) : L::set(T(1));
            detail::turn<L, L::lanes / 2>(square);
            for (int i = 0; i < columns; ++i) L::store(tile + (c + i) * N + r, square[i]);
          }
        return;
      }
    for (int c = 0; c < block.columns; ++c)
      for (int r = 0; r < N; ++r) tile[c * N + r] = r < block.rows ? p[r * block.to_next_row + c * block.row_stride] : T(1);
  }
}

/// The other way round; nothing but the block is written.
template <int N, class T>
FLUXION_NO_INLINE void store_tile(T* p, const T* tile, const row_block& block) {
  using P = Pack<T, N>;
  using L = typename P::lane;
  if (block.to_next_row == 1) {
    for (int c = 0; c < block.columns; ++c) store_partial(p + c * block.row_stride, load<P>(tile + c * N), block.rows);
    return;
  }
  if constexpr (L::is_packet)
    if (block.row_stride == 1) {
      for (int r = 0; r < N; r += L::lanes)
        for (int c = 0; c < block.columns; c += L::lanes) {
          const int rows = detail::part_of(block.rows, r, L::lanes), columns = detail::part_of(block.columns, c, L::lanes);
          typename L::part square[L::lanes];
          for (int i = 0; i < L::lanes; ++i) square[i] = i < columns ? L::load(tile + (c + i) * N + r) : L::set(T(0));
          detail::turn<L, L::lanes / 2>(square);
          for (int i = 0; i < rows; ++i) L::store_partial(p + (r + i) * block.to_next_row + c, square[i], columns);
        }
      return;
    }
  for (int c = 0; c < block.columns; ++c)
    for (int r = 0; r < block.rows; ++r) p[r * block.to_next_row + c * block.row_stride] = tile[c * N + r];
}

}  // namespace FLUXION_ABI
}  // namespace fluxion::host
