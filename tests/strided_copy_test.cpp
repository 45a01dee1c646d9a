// Copies between layouts: every order of axes, gaps, all sizes of elements.
// matrix
#include <doctest/doctest.h>

#include <fluxion/graph/strided.hpp>

#include <algorithm>
#include <cstdint>
#include <vector>

using namespace fluxion;

namespace {

struct layout {
  index_t stride[max_rank]{};
  index_t size = 1;
};

/// Strides in which axis order[rank - 1] is the innermost, `gap` elements apart.
layout strides_in(const std::vector<int>& order, const index_t* extent, index_t gap) {
  layout l;
  l.size = gap;
  for (std::size_t k = order.size(); k-- > 0;) {
    l.stride[order[k]] = l.size;
    l.size *= extent[order[k]];
  }
  return l;
}

}  // namespace

TEST_CASE("a copy puts every element in its place, in whichever order axes lie here and there") {
  const index_t extents[][4] = {{1, 1, 1, 1}, {70, 1, 3, 2}, {5, 17, 1, 9}, {8, 8, 16, 2}, {3, 65, 2, 33}, {2, 0, 3, 4}};
  std::uint32_t state = 7;
  int wrong = 0;
  for (const auto& extent : extents)
    for (int rank = 0; rank <= 4; ++rank)
      for (const std::size_t size : {1u, 2u, 4u, 8u, 16u})
        for (int times = 0; times < 4; ++times) {
          const auto shuffled = [&] {
            std::vector<int> order;
            for (int axis = 0; axis < rank; ++axis) order.push_back(axis);
            for (int axis = rank; axis-- > 1;) std::swap(order[static_cast<std::size_t>(axis)], order[(state = state * 1664525u + 1013904223u) / 65536u % static_cast<unsigned>(axis + 1)]);
            return order;
          };
          const layout a = strides_in(shuffled(), extent, times % 2 + 1), b = strides_in(shuffled(), extent, times / 2 + 1);
          std::vector<std::uint8_t> from(static_cast<std::size_t>(a.size) * size + size), to(static_cast<std::size_t>(b.size) * size + size, 99);
          for (std::uint8_t& byte : from) byte = static_cast<std::uint8_t>((state = state * 1664525u + 1013904223u) >> 24);
          std::vector<std::uint8_t> expected = to;
          index_t count = 1;
          for (int axis = 0; axis < rank; ++axis) count *= extent[axis];
          for (index_t n = 0; n < count; ++n) {
            index_t rest = n, at_a = 0, at_b = 0;
            for (int axis = rank; axis-- > 0; rest /= extent[axis]) at_a += rest % extent[axis] * a.stride[axis], at_b += rest % extent[axis] * b.stride[axis];
            std::copy_n(from.begin() + at_a * static_cast<index_t>(size), size, expected.begin() + at_b * static_cast<index_t>(size));
          }
          graph::detail::copy_strided(reinterpret_cast<std::byte*>(to.data()), b.stride, reinterpret_cast<const std::byte*>(from.data()), a.stride, extent, rank, size);
          wrong += to != expected;
        }
  CHECK(wrong == 0);
}
