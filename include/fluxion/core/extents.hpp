/// Extents in std::mdspan's vocabulary: each is static, or `dynamic_extent` and stored.
#pragma once
#include <array>
#include <concepts>
#include <cstddef>
#include <string>
#include <type_traits>
#include <utility>

namespace fluxion {

/// Sizes, offsets and strides. Signed, as in std::span's difference_type, so that differences are never surprising.
using index_t = std::ptrdiff_t;

/// The highest rank of a tensor.
inline constexpr int max_rank = 8;

/// Marks an extent that is known only at run time.
inline constexpr std::size_t dynamic_extent = static_cast<std::size_t>(-1);

/// A list of extents, each static or `dynamic_extent`; only the dynamic ones take space.
template <std::size_t... E>
class extents {
  static_assert(sizeof...(E) <= static_cast<std::size_t>(max_rank), "extents: rank is above fluxion::max_rank");

 public:
  using index_type = index_t;

  static constexpr int rank() { return static_cast<int>(sizeof...(E)); }
  static constexpr int rank_dynamic() { return ((E == dynamic_extent ? 1 : 0) + ... + 0); }
  static constexpr std::size_t static_extent(int axis) { return static_[static_cast<std::size_t>(axis)]; }
  static constexpr bool is_static() { return rank_dynamic() == 0; }
  /// The number of elements when every extent is static.
  static constexpr index_t static_size() requires((E != dynamic_extent) && ...) {
    return (static_cast<index_t>(E) * ... * index_t{1});
  }

  constexpr extents() = default;

  /// From one value per axis; static axes must be given their own extent (checked by the caller that knows the operation).
  constexpr explicit extents(const std::array<index_t, sizeof...(E)>& values) {
    for (int axis = 0, k = 0; axis < rank(); ++axis)
      if (static_extent(axis) == dynamic_extent) dynamic_[static_cast<std::size_t>(k++)] = values[static_cast<std::size_t>(axis)];
  }

  /// From one integer per axis.
  template <std::convertible_to<index_t>... I>
    requires(sizeof...(I) == sizeof...(E) && sizeof...(I) > 0)
  constexpr explicit(false) extents(I... values)
      : extents(std::array<index_t, sizeof...(E)>{static_cast<index_t>(values)...}) {}

  constexpr index_t extent(int axis) const {
    if (static_extent(axis) != dynamic_extent) return static_cast<index_t>(static_extent(axis));
    int k = 0;
    for (int j = 0; j < axis; ++j) k += static_extent(j) == dynamic_extent;
    return dynamic_[static_cast<std::size_t>(k)];
  }

  /// The number of elements.
  constexpr index_t size() const {
    index_t n = 1;
    for (int axis = 0; axis < rank(); ++axis) n *= extent(axis);
    return n;
  }

  constexpr std::array<index_t, sizeof...(E)> to_array() const {
    std::array<index_t, sizeof...(E)> values{};
    for (int axis = 0; axis < rank(); ++axis) values[static_cast<std::size_t>(axis)] = extent(axis);
    return values;
  }

  template <std::size_t... F>
  friend constexpr bool operator==(const extents& a, const extents<F...>& b) {
    if constexpr (sizeof...(E) != sizeof...(F)) return false;
    else {
      for (int axis = 0; axis < rank(); ++axis)
        if (a.extent(axis) != b.extent(axis)) return false;
      return true;
    }
  }

 private:
  static constexpr std::array<std::size_t, sizeof...(E) + 1> static_{E..., 0};
  std::array<index_t, static_cast<std::size_t>(rank_dynamic())> dynamic_{};
};

namespace detail {
template <class>
inline constexpr bool is_extents = false;
template <std::size_t... E>
inline constexpr bool is_extents<extents<E...>> = true;

template <class Sequence>
struct dims_of;
template <std::size_t... I>
struct dims_of<std::index_sequence<I...>> { using type = extents<(static_cast<void>(I), dynamic_extent)...>; };
}  // namespace detail

template <class E>
concept Extents = detail::is_extents<E>;

/// Extents of a given rank, all known at run time only (std::dims).
template <std::size_t Rank>
using dims = typename detail::dims_of<std::make_index_sequence<Rank>>::type;

/// "[2, 3]" for messages and printing.
inline std::string to_string(const index_t* values, int rank) {
  std::string text = "[";
  for (int axis = 0; axis < rank; ++axis) {
    if (axis) text += ", ";
    text += std::to_string(values[axis]);
  }
  return text + "]";
}

template <Extents E>
std::string to_string(const E& e) {
  const auto values = e.to_array();
  return to_string(values.data(), E::rank());
}

}  // namespace fluxion
