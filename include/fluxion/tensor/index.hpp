/// Indexing: integers (negative ones count from the end), `all`, and `slice{start, stop, step}` with Python's meaning.
#pragma once
#include "../core/error.hpp"
#include "../core/extents.hpp"
#include "../core/layout.hpp"

#include <array>
#include <concepts>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

namespace fluxion {

/// The whole axis, as Python's `:`.
struct all_t {};
inline constexpr all_t all{};

/// A range of an axis, as Python's `start:stop:step`. Ends may be open (`std::nullopt`) or negative, and are clamped;
/// the step must be positive.
struct slice {
  std::optional<index_t> start{};
  std::optional<index_t> stop{};
  index_t step = 1;
};

/// An integer that selects one position of an axis.
template <class A>
concept Position = std::integral<A> && !std::same_as<A, bool>;

/// What may stand between the parentheses of `x(…)`.
template <class A>
concept Selector = Position<A> || std::same_as<A, all_t> || std::same_as<A, slice>;

namespace detail {

[[noreturn]] FLUXION_NO_INLINE inline void raise_index(index_t i, int axis, index_t extent) {
  raise<IndexError>("index ", i, " is out of range for axis ", axis, " with extent ", extent);
}

[[noreturn]] FLUXION_NO_INLINE inline void raise_large_index(std::uint64_t i, int axis, index_t extent) {
  raise<IndexError>("index ", i, " is out of range for axis ", axis, " with extent ", extent);
}

/// The position that `i` names, counted from zero. Raises IndexError.
constexpr index_t checked_index(index_t i, int axis, index_t extent) {
  const index_t position = i < 0 ? i + extent : i;
  if (position < 0 || position >= extent) raise_index(i, axis, extent);
  return position;
}

struct range {
  index_t start;
  index_t count;
  index_t step;
};

constexpr index_t clamp_end(index_t i, index_t extent) {
  if (i < 0) i = i < -extent ? 0 : i + extent;
  return i > extent ? extent : i;
}

/// What a slice selects of an axis. Raises IndexError if the step is not positive.
constexpr range resolve(const slice& s, index_t extent) {
  if (s.step <= 0) raise<IndexError>("slice: step must be positive, not ", s.step);
  const index_t start = clamp_end(s.start.value_or(0), extent);
  const index_t stop = clamp_end(s.stop.value_or(extent), extent);
  const index_t count = start < stop ? (stop - start - 1) / s.step + 1 : 0;
  return {start, count, count > 1 ? s.step : 1};  // a step that is not taken must not overflow strides
}

/// What selectors make of extents: which axes stay, and whether the result is contiguous whatever the extents are.
/// Missing selectors are `all`.
template <Extents E, Selector... A>
struct selection {
  static constexpr int rank = E::rank();
  static constexpr int given = static_cast<int>(sizeof...(A));
  static_assert(given <= rank, "more indices than axes");

  enum class kind { position, all, slice };
  static constexpr kind kind_of(int axis) {
    constexpr kind kinds[sizeof...(A) + 1] = {
        (Position<A> ? kind::position : std::same_as<A, all_t> ? kind::all : kind::slice)..., kind::all};
    return axis < given ? kinds[axis] : kind::all;
  }
  static constexpr int result_rank = rank - ((Position<A> ? 1 : 0) + ... + 0);
  static constexpr bool is_element = result_rank == 0;
  static constexpr bool is_contiguous = [] {
    bool kept = false;
    for (int axis = 0; axis < rank; ++axis) {
      if (kind_of(axis) == kind::slice || (kept && kind_of(axis) == kind::position)) return false;
      kept = kept || kind_of(axis) == kind::all;
    }
    return true;
  }();
  static constexpr std::size_t result_extent(std::size_t k) {
    for (int axis = 0; axis < rank; ++axis)
      if (kind_of(axis) != kind::position && k-- == 0)
        return kind_of(axis) == kind::all ? E::static_extent(axis) : dynamic_extent;
    return 0;
  }
  template <class Sequence>
  struct result;
  template <std::size_t... K>
  struct result<std::index_sequence<K...>> { using type = extents<result_extent(K)...>; };
  using extents_type = typename result<std::make_index_sequence<static_cast<std::size_t>(result_rank)>>::type;

  index_t offset = 0;
  std::array<index_t, static_cast<std::size_t>(result_rank)> extent{};
  std::array<index_t, static_cast<std::size_t>(result_rank)> stride{};

  constexpr selection(const E& e, const strides_t<E>& strides, const A&... selectors) {
    int axis = 0;
    std::size_t kept = 0;
    const auto keep = [&](const range& r) {
      const index_t step = strides[static_cast<std::size_t>(axis)];
      offset += r.start * step;
      extent[kept] = r.count;
      stride[kept++] = r.step * step;
      ++axis;
    };
    [[maybe_unused]] const auto select = [&](const auto& selector) {
      using S = std::remove_cvref_t<decltype(selector)>;
      if constexpr (Position<S>) {
        // std::string::npos and its like are not -1.
        if constexpr (std::unsigned_integral<S> && sizeof(S) >= sizeof(index_t))
          if (selector > static_cast<S>(std::numeric_limits<index_t>::max())) raise_large_index(selector, axis, e.extent(axis));
        const index_t i = checked_index(static_cast<index_t>(selector), axis, e.extent(axis));
        offset += i * strides[static_cast<std::size_t>(axis)];
        ++axis;
      } else if constexpr (std::same_as<S, slice>) {
        keep(resolve(selector, e.extent(axis)));
      } else {
        keep({0, e.extent(axis), 1});
      }
    };
    (select(selectors), ...);
    while (axis < rank) keep({0, e.extent(axis), 1});
    // An empty tensor has no memory to point into.
    for (index_t n : extent)
      if (n == 0) offset = 0;
  }
};

}  // namespace detail
}  // namespace fluxion
