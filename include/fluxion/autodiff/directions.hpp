/// Arithmetic on the N directional derivatives of a dual number: std::array in memory, SIMD registers while computing. The registers are
/// vectors of the compiler, not loops that it may or may not vectorise; constant evaluation and other types use plain loops.
#pragma once
#include "../core/config.hpp"

#include <array>
#include <bit>
#include <concepts>
#include <cstddef>
#include <type_traits>
#include <utility>

namespace fluxion {
namespace detail {
inline namespace FLUXION_ABI {

/// Bytes of the widest register that this build may use; 0 without any.
#if !defined(__GNUC__) || defined(FLUXION_NO_VECTOR) || defined(EIGEN_DONT_VECTORIZE)
inline constexpr std::size_t direction_register = 0;
#elif defined(__AVX512F__)
inline constexpr std::size_t direction_register = 64;
#elif defined(__AVX__)
inline constexpr std::size_t direction_register = 32;
#elif defined(__SSE2__) || defined(__aarch64__) || defined(__wasm_simd128__) || defined(__ALTIVEC__)
inline constexpr std::size_t direction_register = 16;
#else
inline constexpr std::size_t direction_register = 0;
#endif

template <class T>
inline constexpr std::size_t direction_lanes =
    (std::same_as<T, float> || std::same_as<T, double>) && direction_register >= sizeof(T) ? direction_register / sizeof(T) : 1;

#if defined(__GNUC__)
template <class T, std::size_t Lanes>
struct direction_vector {
  typedef T type __attribute__((vector_size(Lanes * sizeof(T))));
};

template <class V, class T>
FLUXION_ALWAYS_INLINE V load_directions(const T* from) {
  V v;
  __builtin_memcpy(&v, from, sizeof(V));
  return v;
}

/// The same for `Lanes` directions at once.
template <std::size_t Lanes, class T, class F, class... From>
FLUXION_ALWAYS_INLINE void step_directions(T* to, std::size_t at, const F& f, const From*... from) {
  using vector = typename direction_vector<T, Lanes>::type;
  const vector result = f(load_directions<vector>(from + at)...);
  __builtin_memcpy(to + at, &result, sizeof(vector));
}

/// The rest from `At` on, in registers of ever smaller powers of two, the last one a scalar.
template <std::size_t At, std::size_t N, class T, class F, class... From>
FLUXION_ALWAYS_INLINE void run_directions(T* to, const F& f, const From*... from) {
  if constexpr (At < N) {
    constexpr std::size_t left = std::bit_floor(N - At);
    constexpr std::size_t lanes = left < direction_lanes<T> ? left : direction_lanes<T>;
    if constexpr (lanes == 1) to[At] = f(from[At]...);
    else step_directions<lanes>(to, At, f, from...);
    run_directions<At + lanes, N>(to, f, from...);
  }
}
#endif

/// f of each direction. In registers up to sixteen of them, where unrolling still keeps sums in place; a loop over registers beyond.
template <class T, std::size_t N, class F, class... From>
FLUXION_ALWAYS_INLINE constexpr std::array<T, N> map_directions(const F& f, const From&... from) {
  std::array<T, N> to;
#if defined(__GNUC__)
  if constexpr (direction_lanes<T> > 1)
    if (!std::is_constant_evaluated()) {
      constexpr std::size_t lanes = direction_lanes<T>;
      if constexpr (N <= 16 * lanes) {
        run_directions<0, N>(to.data(), f, from.data()...);
      } else {
        constexpr std::size_t whole = N - N % lanes;
        for (std::size_t at = 0; at < whole; at += lanes) step_directions<lanes>(to.data(), at, f, from.data()...);
        run_directions<whole, N>(to.data(), f, from.data()...);
      }
      return to;
    }
#endif
  for (std::size_t i = 0; i < N; ++i) to[i] = f(from[i]...);
  return to;
}

}  // namespace FLUXION_ABI
}  // namespace detail
}  // namespace fluxion
