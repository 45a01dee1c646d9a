/// A turn of a loop with everything that a tape does, for tests that count and for tests with threads.
#pragma once
#include <fluxion/autodiff/checkpoint.hpp>
#include <fluxion/autodiff/custom_function.hpp>

#include <tuple>

namespace fluxion::test {

struct Square : autograd::Function<Square> {
  using Context = autograd::Context<Var<float, dims<1>>>;
  static auto forward(Context& ctx, const auto& x) {
    ctx.save_for_backward(x);
    return x * x;
  }
  static auto backward(Context& ctx, const auto& gradient) { return 2.f * std::get<0>(ctx.saved_tensors()) * gradient; }
};

/// Returns a number that depends on all of it.
inline float tape_turn(Var<float, dims<1>>& w, Generator& generator) {
  Var a = w * 2.f;
  a.retain_grad();
  Var b = Square::apply(a);
  Var c = checkpoint([&](const auto& x, Generator& g) {
    const float shift = static_cast<float>(g.reserve(1) % 3);
    Var inner = tanh(x * 0.01f + shift);
    return inner * w;
  }, b, generator);
  Var loss = sum(c * c);
  const float value = loss.item();
  loss.backward();
  {
    const NoGradGuard guard;
    Var step = w.grad() * 1e-3f;
    w.copy_(w - step);
  }
  w.zero_grad();
  return value;
}

}  // namespace fluxion::test
