/// Tensors of random numbers: rand, randn.
#pragma once
#include "../core/random.hpp"
#include "factory.hpp"

#include <concepts>
#include <span>

namespace fluxion {

/// Uniform numbers in [0, 1) from a generator: `rand<float>(generator, {3, 4})`, `rand<float, extents<3, 4>>(generator)`. The same generator gives
/// the same numbers on every device. Raises ShapeError for extents that are negative or overflow, and throws std::bad_alloc.
template <std::floating_point T, Extents E>
Tensor<T, E> rand(Generator& generator, const E& e = {}) {
  Tensor<T, E> result = empty<T>(e);
  fill_uniform(std::span<T>(result.data(), static_cast<std::size_t>(e.size())), generator);
  return result;
}
template <std::floating_point T, std::size_t N>
Tensor<T, dims<N>> rand(Generator& generator, const index_t (&e)[N]) {
  return rand<T>(generator, detail::to_dims(e));
}

/// Normal numbers of mean 0 and standard deviation 1; as `rand`.
template <std::floating_point T, Extents E>
Tensor<T, E> randn(Generator& generator, const E& e = {}) {
  Tensor<T, E> result = empty<T>(e);
  fill_normal(std::span<T>(result.data(), static_cast<std::size_t>(e.size())), generator);
  return result;
}
template <std::floating_point T, std::size_t N>
Tensor<T, dims<N>> randn(Generator& generator, const index_t (&e)[N]) {
  return randn<T>(generator, detail::to_dims(e));
}

}  // namespace fluxion
