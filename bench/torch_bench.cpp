// libtorch beside Fluxion in one program, both on one thread. cmake/bench.cmake gives libtorch a fast BLAS and an allocator that keeps
// its memory. The names are this file's own: a ratio must not divide times of two programs.
// needs: torch
#include <torch/torch.h>

#include "training_step.hpp"

#include <cmath>

namespace {

using namespace bench;

constexpr double rate = 1e-6;

torch::Tensor tensor_of(const floats& from, torch::IntArrayRef sizes) { return torch::from_blob(from.data, sizes).clone(); }

/// The same step from the same start, as libtorch's users write it.
template <index_t Features>
struct torch_perceptron {
  perceptron<Features> start;
  torch::nn::Linear first{torch::nn::LinearOptions(Features, hidden)}, second{torch::nn::LinearOptions(hidden, classes)};
  torch::Tensor x = tensor_of(start.x, {batch, Features}), y = torch::from_blob(start.y.data(), {batch}, torch::kLong).clone();
  torch::optim::SGD optimizer;

  torch_perceptron() : optimizer({first->weight, first->bias, second->weight, second->bias}, torch::optim::SGDOptions(rate)) {
    torch::NoGradGuard guard;
    first->weight.copy_(tensor_of(start.w1, {Features, hidden}).t());
    first->bias.copy_(tensor_of(start.b1, {hidden}));
    second->weight.copy_(tensor_of(start.w2, {hidden, classes}).t());
    second->bias.copy_(tensor_of(start.b2, {classes}));
  }
  torch::Tensor step() {
    optimizer.zero_grad();
    const torch::Tensor loss = torch::nn::functional::cross_entropy(second->forward(torch::relu(first->forward(x))), y);
    loss.backward();
    optimizer.step();
    return loss;
  }
};

template <index_t Features>
void by_torch(benchmark::State& state) {
  torch_perceptron<Features> t;
  perceptron<Features> own;
  own.step(rate);
  const torch::Tensor loss = t.step();
  const torch::Tensor slope = t.first->weight.grad().t().contiguous();
  if (!(std::abs(loss.template item<float>() - own.loss) < 1e-4f) || !(difference(slope.template data_ptr<float>(), own.dw1.data, Features * hidden) < 1e-3))
    state.SkipWithError("results differ");
  measure(state, [&] { t.step(); });
}

template <index_t Features>
void by_fluxion(benchmark::State& state) {
  perceptron<Features> p;
  measure(state, [&] { p.step(rate); });
}

struct chain_program {
  static constexpr void record(recorder& r) {
    const Symbol a = r.floats({any}), b = r.floats({any}), c = r.floats({any});
    r.output(fx::maximum(fx::abs((a * b + c) * 0.5f - 1.f) * 2.f - 0.25f, 0.f));
  }
};
struct softmax_program {
  static constexpr void record(recorder& r) { r.output(fx::softmax(r.floats({any, any}), fx::axis<-1>)); }
};

void chain_by_fluxion(benchmark::State& state) {
  const index_t n = state.range(0);
  const floats a(n, 1), b(n, 2), c(n, 3), y(n, 4);
  measure(state, [&] { call<chain_program>({{a.data, {n}}, {b.data, {n}}, {c.data, {n}}}, {{y.data, {n}}}); });
}

template <index_t Rows, index_t Columns>
void softmax_by_fluxion(benchmark::State& state) {
  const floats x(Rows * Columns, 1, 3), y(Rows * Columns, 4);
  measure(state, [&] { call<softmax_program>({{x.data, {Rows, Columns}}}, {{y.data, {Rows, Columns}}}); });
}

void chain_by_torch(benchmark::State& state) {
  torch::NoGradGuard guard;
  const index_t n = state.range(0);
  const floats fa(n, 1), fb(n, 2), fc(n, 3);
  const torch::Tensor a = tensor_of(fa, {n}), b = tensor_of(fb, {n}), c = tensor_of(fc, {n});
  torch::Tensor y = torch::empty({n});
  measure(state, [&] { y = (((a * b + c) * 0.5 - 1).abs() * 2 - 0.25).clamp_min(0); });
}

template <index_t Rows, index_t Columns>
void softmax_by_torch(benchmark::State& state) {
  torch::NoGradGuard guard;
  const floats from(Rows * Columns, 1, 3);
  const torch::Tensor x = tensor_of(from, {Rows, Columns});
  torch::Tensor y = torch::empty({Rows, Columns});
  measure(state, [&] { torch::softmax_out(y, x, -1); });
}

BENCHMARK(by_fluxion<64>)->Name("torch/training_step/fluxion/64-128-10");
BENCHMARK(by_torch<64>)->Name("torch/training_step/torch/64-128-10");
BENCHMARK(by_fluxion<784>)->Name("torch/training_step/fluxion/784-128-10");
BENCHMARK(by_torch<784>)->Name("torch/training_step/torch/784-128-10");
BENCHMARK(chain_by_fluxion)->Name("torch/chain_of_8/fluxion")->Arg(1000)->Arg(100000)->Arg(10000000);
BENCHMARK(chain_by_torch)->Name("torch/chain_of_8/torch")->Arg(1000)->Arg(100000)->Arg(10000000);
BENCHMARK(softmax_by_fluxion<65536, 64>)->Name("torch/softmax/fluxion/65536x64");
BENCHMARK(softmax_by_torch<65536, 64>)->Name("torch/softmax/torch/65536x64");
BENCHMARK(softmax_by_fluxion<4096, 1000>)->Name("torch/softmax/fluxion/4096x1000");
BENCHMARK(softmax_by_torch<4096, 1000>)->Name("torch/softmax/torch/4096x1000");
BENCHMARK(softmax_by_fluxion<256, 16384>)->Name("torch/softmax/fluxion/256x16384");
BENCHMARK(softmax_by_torch<256, 16384>)->Name("torch/softmax/torch/256x16384");

}  // namespace

int main(int argc, char** argv) {
  torch::set_num_threads(1);
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
}
