/// A training step of a perceptron with one hidden layer, for batches of 64: loss, gradients, and w -= rate * dw for each parameter.
#pragma once
#include "support.hpp"

namespace bench {

inline constexpr index_t batch = 64, hidden = 128, classes = 10;

template <index_t Features>
struct loss_and_gradients {
  static constexpr void record(recorder& r) {
    const Symbol x = r.floats({any, Features}), y = r.labels({any}), w1 = r.floats({Features, hidden}), b1 = r.floats({hidden}),
                 w2 = r.floats({hidden, classes}), b2 = r.floats({classes});
    const Symbol loss = fx::cross_entropy(fx::matmul(fx::relu(fx::matmul(x, w1) + b1), w2) + b2, y);
    r.output(loss);
    r.gradients(loss, r.program.constant(fx::element_type::float32, 1), {w1, b1, w2, b2});
  }
};
template <index_t... Extents>
struct descent {
  static constexpr void record(recorder& r) {
    const Symbol w = r.floats({Extents...}), d = r.floats({Extents...});
    r.output(w - d * r.number());
  }
};

template <index_t Features>
struct perceptron {
  floats x{batch * Features, 1}, w1{Features * hidden, 2, 0.1f}, b1{hidden, 3, 0}, w2{hidden * classes, 4, 0.1f}, b2{classes, 5, 0};
  floats dw1{Features * hidden, 6}, db1{hidden, 7}, dw2{hidden * classes, 8}, db2{classes, 9};
  std::vector<std::int64_t> y = labels(batch, classes);
  float loss = 0;

  void differentiate() {
    call<loss_and_gradients<Features>>(
        {{x.data, {batch, Features}}, {y.data(), {batch}}, {w1.data, {Features, hidden}}, {b1.data, {hidden}}, {w2.data, {hidden, classes}}, {b2.data, {classes}}},
        {{&loss, {}}, {dw1.data, {Features, hidden}}, {db1.data, {hidden}}, {dw2.data, {hidden, classes}}, {db2.data, {classes}}});
  }
  void step(double rate) {
    differentiate();
    call<descent<Features, hidden>>({{w1.data, {Features, hidden}}, {dw1.data, {Features, hidden}}}, {{w1.data, {Features, hidden}}}, rate);
    call<descent<hidden>>({{b1.data, {hidden}}, {db1.data, {hidden}}}, {{b1.data, {hidden}}}, rate);
    call<descent<hidden, classes>>({{w2.data, {hidden, classes}}, {dw2.data, {hidden, classes}}}, {{w2.data, {hidden, classes}}}, rate);
    call<descent<classes>>({{b2.data, {classes}}, {db2.data, {classes}}}, {{b2.data, {classes}}}, rate);
  }
};

}  // namespace bench
