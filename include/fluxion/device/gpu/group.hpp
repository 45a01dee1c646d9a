/// Execution groups: who works on a row together. One thread of the host is a group too, so that every kernel can be run,
/// tested and debugged where there is no GPU.
#pragma once
#include "../../core/config.hpp"

#include <concepts>

namespace fluxion::gpu {
inline namespace FLUXION_ABI {

/// A reduction's `combine` as a function object.
template <class Operation>
struct combiner {
  template <class T>
  FLUXION_HOST_DEVICE constexpr T operator()(const T& a, const T& b) const {
    return Operation::template combine<T>(a, b);
  }
};

namespace detail {
struct any_combiner {
  template <class T>
  FLUXION_HOST_DEVICE constexpr T operator()(const T& a, const T&) const {
    return a;
  }
};
}  // namespace detail

/// Threads that work together: `rank()` of `size()`; `reduce(value, op)` combines everyone's value and gives the result to
/// all; `sync()` waits for all. Every member makes the same calls of the last two.
template <class G>
concept ExecutionGroup = requires(const G& group, float value) {
  { group.rank() } -> std::convertible_to<int>;
  { group.size() } -> std::convertible_to<int>;
  { group.reduce(value, detail::any_combiner{}) } -> std::same_as<float>;
  group.sync();
};

/// A group of one.
struct one_thread {
  FLUXION_HOST_DEVICE static constexpr int rank() { return 0; }
  FLUXION_HOST_DEVICE static constexpr int size() { return 1; }
  FLUXION_HOST_DEVICE static constexpr void sync() {}
  template <class T, class Combine>
  FLUXION_HOST_DEVICE static constexpr T reduce(T value, Combine) {
    return value;
  }
};
static_assert(ExecutionGroup<one_thread>);

}  // namespace FLUXION_ABI
}  // namespace fluxion::gpu
