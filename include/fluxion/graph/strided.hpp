/// Values in memory by extents and strides: what the executor and its callers ask of them.
#pragma once
#include "call.hpp"

#include <cstring>
#include <initializer_list>

namespace fluxion::graph::detail {

/// Copies elements of Size bytes along two axes, in squares that touch as many lines of the cache as a line has elements: of two strides
/// of 1 that are along different axes both are used. O(elements).
template <std::size_t Size>
void copy_squares(std::byte* to, const index_t* to_stride, const std::byte* from, const index_t* from_stride, const index_t* extent) {
  constexpr auto bytes = static_cast<index_t>(Size), edge = bytes < 64 ? 64 / bytes : 1;
  for (index_t i = 0; i < extent[0]; i += edge)
    for (index_t j = 0; j < extent[1]; j += edge) {
      const index_t rows = extent[0] - i < edge ? extent[0] - i : edge, columns = extent[1] - j < edge ? extent[1] - j : edge;
      for (index_t r = 0; r < rows; ++r) {
        std::byte* const out = to + ((i + r) * to_stride[0] + j * to_stride[1]) * bytes;
        const std::byte* const in = from + ((i + r) * from_stride[0] + j * from_stride[1]) * bytes;
        if (columns == edge)
          for (index_t c = 0; c < edge; ++c) std::memcpy(out + c * to_stride[1] * bytes, in + c * from_stride[1] * bytes, Size);
        else
          for (index_t c = 0; c < columns; ++c) std::memcpy(out + c * to_stride[1] * bytes, in + c * from_stride[1] * bytes, Size);
      }
    }
}

/// Copies elements of `size` bytes between strided layouts of the same extents, axis by axis; the last two in squares.
FLUXION_NO_INLINE inline void copy_axes(std::byte* to, const index_t* to_stride, const std::byte* from, const index_t* from_stride, const index_t* extent, int rank,
                         std::size_t size) {
  if (rank == 0) {
    std::memcpy(to, from, size);
    return;
  }
  const auto bytes = static_cast<index_t>(size);
  if (rank == 1) {
    if (to_stride[0] == 1 && from_stride[0] == 1) {
      std::memcpy(to, from, size * static_cast<std::size_t>(extent[0]));
      return;
    }
    for (index_t i = 0; i < extent[0]; ++i) std::memcpy(to + i * to_stride[0] * bytes, from + i * from_stride[0] * bytes, size);
    return;
  }
  if (rank == 2 && !(to_stride[1] == 1 && from_stride[1] == 1)) {
    switch (size) {
      case 1: return copy_squares<1>(to, to_stride, from, from_stride, extent);
      case 4: return copy_squares<4>(to, to_stride, from, from_stride, extent);
      case 8: return copy_squares<8>(to, to_stride, from, from_stride, extent);
      default: break;
    }
  }
  for (index_t i = 0; i < extent[0]; ++i)
    copy_axes(to + i * to_stride[0] * bytes, to_stride + 1, from + i * from_stride[0] * bytes, from_stride + 1, extent + 1, rank - 1, size);
}

/// Copies elements of `size` bytes between strided layouts of the same extents. Where they are adjacent along different axes here and there, it is a
/// transposition by squares. O(elements).
inline void copy_strided(std::byte* to, const index_t* to_stride, const std::byte* from, const index_t* from_stride, const index_t* extent, int rank,
                         std::size_t size) {
  if (rank == 0 || (to_stride[rank - 1] == 1 && from_stride[rank - 1] == 1 && extent[rank - 1] != 1))
    return copy_axes(to, to_stride, from, from_stride, extent, rank, size);
  // The axes along which elements are adjacent come last, that of the destination behind that of the source; axes of extent 1 do not matter.
  index_t e[max_rank], t[max_rank], f[max_rank];
  int axes = 0;
  for (int axis = 0; axis < rank; ++axis)
    if (extent[axis] != 1) e[axes] = extent[axis], t[axes] = to_stride[axis], f[axes++] = from_stride[axis];
  const auto move_last = [&](const index_t* strides) {
    int found = axes - 1;
    while (found >= 0 && strides[found] != 1) --found;
    if (found < 0) return;
    for (index_t* of : {e, t, f}) {
      const index_t moved = of[found];
      for (int axis = found; axis + 1 < axes; ++axis) of[axis] = of[axis + 1];
      of[axes - 1] = moved;
    }
  };
  move_last(f);
  move_last(t);
  copy_axes(to, t, from, f, e, axes, size);
}

inline void contiguous_strides(descriptor& d, int rank) {
  index_t stride = 1;
  for (int axis = rank - 1; axis >= 0; --axis) {
    d.stride[axis] = stride;
    stride *= d.extent[axis];
  }
}

inline bool is_contiguous(const descriptor& d, int rank) {
  index_t stride = 1;
  for (int axis = rank - 1; axis >= 0; --axis) {
    if (d.extent[axis] != 1 && d.stride[axis] != stride) return d.extent[axis] == 0;
    stride *= d.extent[axis];
  }
  return true;
}

inline index_t element_count(const descriptor& d, int rank) {
  index_t n = 1;
  for (int axis = 0; axis < rank; ++axis) n *= d.extent[axis];
  return n;
}

/// Strides of a reshape without copying, if there are any. `d` comes with contiguous ones.
inline bool reshape_strides(const descriptor& from, int from_rank, descriptor& d, int rank) {
  if (is_contiguous(from, from_rank)) return true;
  if (element_count(d, rank) == 0) return true;
  descriptor r = d;
  int a = 0, b = 0;
  while (true) {
    while (a < from_rank && from.extent[a] == 1) ++a;
    while (b < rank && d.extent[b] == 1) r.stride[b++] = 1;
    if (a == from_rank || b == rank) break;
    if (from.extent[a] == d.extent[b]) {
      r.stride[b++] = from.stride[a++];
      continue;
    }
    // A group of axes on either side with the same product.
    int a_end = a + 1, b_end = b + 1;
    index_t x = from.extent[a], y = d.extent[b];
    while (x != y) {
      if (x < y) {
        if (a_end == from_rank) return false;
        x *= from.extent[a_end++];
      } else {
        if (b_end == rank) return false;
        y *= d.extent[b_end++];
      }
    }
    for (int k = a; k + 1 < a_end; ++k)
      if (from.stride[k] != from.stride[k + 1] * from.extent[k + 1]) return false;
    index_t stride = from.stride[a_end - 1];
    for (int k = b_end - 1; k >= b; --k) {
      r.stride[k] = stride;
      stride *= d.extent[k];
    }
    a = a_end;
    b = b_end;
  }
  d = r;
  return true;
}

}  // namespace fluxion::graph::detail
