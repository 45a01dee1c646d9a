/// Axes as types, so that the shape of a result is known while the program compiles.
#pragma once
#include <cstddef>

namespace fluxion {

/// A list of axes; negative ones count from the last. `axes<0, -1>` is the first and the last.
template <int... I>
struct axes_t {
  static constexpr int count = static_cast<int>(sizeof...(I));
  static constexpr int values[sizeof...(I) + 1] = {I..., 0};
};
template <int... I>
inline constexpr axes_t<I...> axes{};
/// One axis: `softmax(x, axis<-1>)`.
template <int I>
inline constexpr axes_t<I> axis{};

/// Keeps a reduced axis with extent one, as PyTorch's `keepdim=True`: `sum(x, axis<-1>, keepdim)`.
struct keepdim_t {};
inline constexpr keepdim_t keepdim{};

template <class>
inline constexpr bool is_axes = false;
template <int... I>
inline constexpr bool is_axes<axes_t<I...>> = true;
template <class A>
concept Axes = is_axes<A>;

}  // namespace fluxion
