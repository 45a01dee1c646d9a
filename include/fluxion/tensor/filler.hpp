/// Fillers: `Tensor<float, extents<2, 2>> w = zeros;`. Functions named `zeros`, `ones` and `eye` make tensors when they are
/// called; the bare name, which an object could not share with a function template, converts to a tensor as a reference to
/// the one overload that takes a `filler_token`.
#pragma once
#include "../core/extents.hpp"

#include <cstddef>
#include <cstring>
#include <type_traits>

namespace fluxion {

/// The parameter of the overload that a bare `zeros` stands for. Nobody calls it.
struct filler_token { explicit filler_token() = default; };

/// What a class takes in order to be initialised by a bare name: `X(filler_function<zeros_filler>)`.
template <class F>
using filler_function = F (&)(filler_token);

/// A function from extents to elements: has `fluxion_filler` and `fill(pointer, extents)` for contiguous elements.
template <class F>
concept Filler = requires { typename F::fluxion_filler; };

/// The same value everywhere; `V` is its type, converted to that of the destination.
template <class V>
struct full_filler {
  using fluxion_filler = void;
  V value;
  template <class T, Extents E>
  constexpr void fill(T* data, const E& e) const {
    const T converted = static_cast<T>(value);
    for (index_t i = 0, size = e.size(); i < size; ++i) data[i] = converted;
  }
};
struct zeros_filler {
  using fluxion_filler = void;
  template <class T, Extents E>
  constexpr void fill(T* data, const E& e) const {
    if (std::is_constant_evaluated()) return full_filler<int>{0}.fill(data, e);
    // Every element type is zero when all its bits are.
    if (const index_t size = e.size(); size != 0) std::memset(data, 0, static_cast<std::size_t>(size) * sizeof(T));
  }
};
struct ones_filler {
  using fluxion_filler = void;
  template <class T, Extents E>
  constexpr void fill(T* data, const E& e) const { full_filler<int>{1}.fill(data, e); }
};
/// Ones on the diagonal of a matrix, zeros elsewhere.
struct eye_filler {
  using fluxion_filler = void;
  template <class T, Extents E>
  constexpr void fill(T* data, const E& e) const {
    static_assert(E::rank() == 2, "eye needs a tensor of rank 2");
    for (index_t i = 0; i < e.extent(0); ++i)
      for (index_t j = 0; j < e.extent(1); ++j) *data++ = i == j ? T(1) : T(0);
  }
};

/// A filler with extents but without an element type: `Tensor<float, dims<1>> w = ones(features);`.
template <Filler F, Extents E>
struct sized_filler {
  F filler;
  E extents;
};

}  // namespace fluxion
