/// Element-wise copies between strided memory.
#pragma once
#include "../core/extents.hpp"
#include "../core/layout.hpp"

#include <cstring>
#include <functional>
#include <type_traits>

namespace fluxion::detail {

/// Calls `f(to, from)` for every pair of elements, the last axis fastest.
template <int Rank, class D, class S, class F>
constexpr void for_each_pair(D* to, const index_t* to_strides, S* from, const index_t* from_strides,
                             const index_t* extents, const F& f) {
  if constexpr (Rank == 0) {
    f(*to, *from);
  } else {
    const index_t n = extents[0];
    for (index_t i = 0; i < n; ++i)
      for_each_pair<Rank - 1>(to + i * to_strides[0], to_strides + 1, from + i * from_strides[0], from_strides + 1,
                              extents + 1, f);
  }
}

/// Calls `f(a, b)` for every pair of elements of two mappings with equal extents.
template <class D, class S, class M, class N, class F>
constexpr void for_each_pair(D* a, const M& a_mapping, S* b, const N& b_mapping, const F& f) {
  constexpr int rank = M::extents_type::rank();
  const auto extents = a_mapping.extents();
  if (extents.size() == 0) return;
  if (a_mapping.is_contiguous() && b_mapping.is_contiguous()) {
    for (index_t i = 0, size = extents.size(); i < size; ++i) f(a[i], b[i]);
    return;
  }
  const auto values = extents.to_array();
  const auto a_strides = a_mapping.strides();
  const auto b_strides = b_mapping.strides();
  for_each_pair<rank>(a, a_strides.data(), b, b_strides.data(), values.data(), f);
}

/// Copies elements between mappings with equal extents whose memory does not overlap.
template <class T, class M, class N>
constexpr void copy_elements(T* to, const M& to_mapping, const T* from, const N& from_mapping) {
  if (!std::is_constant_evaluated() && to_mapping.is_contiguous() && from_mapping.is_contiguous()) {
    if (const index_t size = to_mapping.extents().size(); size != 0)
      std::memmove(to, from, static_cast<std::size_t>(size) * sizeof(T));
    return;
  }
  for_each_pair(to, to_mapping, from, from_mapping, [](T& a, const T& b) { a = b; });
}

/// One past the last element that a mapping reaches, counted from the first.
template <class M>
constexpr index_t span_size(const M& mapping) {
  const auto extents = mapping.extents();
  const auto strides = mapping.strides();
  if (extents.size() == 0) return 0;
  index_t last = 0;
  for (int axis = 0; axis < M::extents_type::rank(); ++axis)
    last += (extents.extent(axis) - 1) * strides[static_cast<std::size_t>(axis)];
  return last + 1;
}

/// Whether two ranges of memory meet. Strides are not negative, so a range starts at its first element.
template <class T>
bool ranges_overlap(const T* a, index_t a_span, const T* b, index_t b_span) {
  const std::less<const T*> before;
  return a_span != 0 && b_span != 0 && before(a, b + b_span) && before(b, a + a_span);
}

}  // namespace fluxion::detail
