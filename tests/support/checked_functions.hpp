/// Functions, a model and points of which first and second derivatives are checked.
#pragma once
#include <fluxion/nn/layer.hpp>
#include <fluxion/tensor/factory.hpp>

#include <tuple>

namespace fluxion::test {

using Matrix = Tensor<double, dims<2>>;
using Vector = Tensor<double, dims<1>>;

inline const Matrix w = {{0.1, -0.3, 0.2}, {0.5, 0.4, -0.6}};
inline const Vector x = {1, 2, -0.5};

/// Two values of two arguments.
inline constexpr auto network = [](auto m, auto v) { return std::tuple(softmax(matmul(m, v), axis<0>), sum(tanh(m))); };

/// A model with parameters and a buffer.
struct Layer {
  nn::BasicLinear<double> linear{3, 2};
  Buffer<double, extents<2>> shift = ones;
  constexpr auto forward(const auto& v) const { return tanh(linear.forward(v)) + shift; }
};
inline constexpr auto on_model = [](const auto& m, auto v) { return m.forward(v); };

}  // namespace fluxion::test
