// Training steps of a 64-32-10 classifier with memory for nothing but its parameters, their gradients and one batch. The gradient is
// computed by static reverse mode: while the program compiles, the loss becomes five kernels, and nothing is recorded at run time.
#pragma once
#include <fluxion/autodiff/transform.hpp>
#include <fluxion/fluxion.hpp>

#include <array>
#include <cstdint>

namespace embedded {

namespace fx = fluxion;

inline constexpr int batch = 8, inputs = 64, hidden = 32, classes = 10;

struct Classifier {
  fx::Tensor<float, fx::extents<inputs, hidden>> w1;
  fx::Tensor<float, fx::extents<hidden>> b1;
  fx::Tensor<float, fx::extents<hidden, classes>> w2;
  fx::Tensor<float, fx::extents<classes>> b2;
};

inline constexpr auto loss = [](auto w1, auto b1, auto w2, auto b2, auto images, auto labels) {
  return fx::cross_entropy(fx::matmul(fx::relu(fx::matmul(images, w1) + b1), w2) + b2, labels);
};
inline constexpr auto value_and_gradients = fx::value_and_grad<0, 1, 2, 3>(loss);

inline Classifier model;
inline fx::Tensor<float, fx::extents<batch, inputs>> images;
inline fx::Tensor<std::int64_t, fx::extents<batch>> labels;

/// Numbers from -1 to 1, the same on every machine.
class Noise {
 public:
  float operator()() {
    state_ = state_ * 1664525u + 1013904223u;
    return static_cast<float>(static_cast<std::int32_t>(state_ >> 8) - (1 << 23)) / static_cast<float>(1 << 23);
  }

 private:
  std::uint32_t state_ = 1;
};

inline void prepare() {
  Noise noise;
  for (int i = 0; i < inputs; ++i)
    for (int j = 0; j < hidden; ++j) model.w1(i, j) = 0.2f * noise();
  for (int i = 0; i < hidden; ++i)
    for (int j = 0; j < classes; ++j) model.w2(i, j) = 0.3f * noise();
  for (int i = 0; i < batch; ++i) {
    labels(i) = i;
    for (int j = 0; j < inputs; ++j) images(i, j) = 0.3f * noise() + (j % classes == i ? 1.f : 0.f);
  }
}

/// One step of gradient descent; returns the loss before it.
inline float train_step(float rate) {
  const auto [value, dw1, db1, dw2, db2] = value_and_gradients(model.w1, model.b1, model.w2, model.b2, images, labels);
  model.w1.view() -= rate * dw1.view();
  model.b1.view() -= rate * db1.view();
  model.w2.view() -= rate * dw2.view();
  model.b2.view() -= rate * db2.view();
  return value.item();
}

}  // namespace embedded
