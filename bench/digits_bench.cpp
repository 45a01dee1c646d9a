// A training step of the digits' classifier (64-128-10) and of MNIST's (784-128-10), beside what no implementation can do without: its
// matrix products, and one read and one write of the parameters.
#include "training_step.hpp"

#include <cmath>

namespace {

using namespace bench;

constexpr double rate = 1e-6;  // so small that the data stay as they are, however long it runs

template <index_t Features>
void step(benchmark::State& state) {
  perceptron<Features> p;
  p.differentiate();
  // The slope of the loss along one weight of each layer, by differences.
  for (const auto& [w, d] : {std::pair{&p.w1, &p.dw1}, {&p.w2, &p.dw2}, {&p.b1, &p.db1}, {&p.b2, &p.db2}}) {
    const float slope = d->data[3], former = w->data[3], h = 1e-2f;
    w->data[3] = former + h;
    p.differentiate();
    const float above = p.loss;
    w->data[3] = former - h;
    p.differentiate();
    const float below = p.loss;
    w->data[3] = former;
    p.differentiate();
    if (!(std::abs((above - below) / (2 * h) - slope) < 1e-3f)) state.SkipWithError("the gradient is wrong");
  }
  measure(state, [&] { p.step(rate); });
}

template <index_t Features>
void gradients_only(benchmark::State& state) {
  perceptron<Features> p;
  measure(state, [&] { p.differentiate(); });
}

template <index_t Features>
void products(benchmark::State& state) {
  perceptron<Features> p;
  const floats fh(batch * hidden, 1), fl(batch * classes, 2), f_dh(batch * hidden, 3), f_dl(batch * classes, 4);
  const ConstMatrix x(p.x.data, batch, Features), w1(p.w1.data, Features, hidden), w2(p.w2.data, hidden, classes);
  Matrix h(fh.data, batch, hidden), l(fl.data, batch, classes), dh(f_dh.data, batch, hidden), dl(f_dl.data, batch, classes);
  Matrix dw1(p.dw1.data, Features, hidden), dw2(p.dw2.data, hidden, classes);
  const auto touch = [](const floats& w) {
    for (index_t i = 0; i + lanes <= w.size; i += lanes) store(w.data + i, packet::pmul(load(w.data + i), splat(0.999999f)));
  };
  measure(state, [&] {
    h.noalias() = x * w1;
    l.noalias() = h * w2;
    dw2.noalias() = h.transpose() * dl;
    dh.noalias() = dl * w2.transpose();
    dw1.noalias() = x.transpose() * dh;
    touch(p.w1);
    touch(p.b1);
    touch(p.w2);
    touch(p.b2);
  });
}

BENCHMARK(step<64>)->Name("digits/training_step/fluxion/64-128-10");
BENCHMARK(gradients_only<64>)->Name("digits/training_step/gradients_only/64-128-10");
BENCHMARK(products<64>)->Name("digits/training_step/bare_products/64-128-10");
BENCHMARK(step<784>)->Name("digits/training_step/fluxion/784-128-10");
BENCHMARK(gradients_only<784>)->Name("digits/training_step/gradients_only/784-128-10");
BENCHMARK(products<784>)->Name("digits/training_step/bare_products/784-128-10");

}  // namespace

BENCHMARK_MAIN();
