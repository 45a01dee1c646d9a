// Loops over the tape allocate nothing after the first turn.
#include <doctest/doctest.h>

#include <fluxion/nn/layer.hpp>
#include <fluxion/optim/sgd.hpp>

#include <cstdlib>
#include <new>

#include "support/tape_turn.hpp"

namespace fx = fluxion;

namespace {
long allocations = 0;

FLUXION_NO_INLINE void* counted(std::size_t bytes, std::size_t alignment) {
  ++allocations;
  return std::aligned_alloc(alignment, (bytes + alignment - 1) / alignment * alignment);
}
}  // namespace

FLUXION_NO_INLINE void* operator new(std::size_t n) { return counted(n, 16); }
FLUXION_NO_INLINE void* operator new[](std::size_t n) { return counted(n, 16); }
FLUXION_NO_INLINE void* operator new(std::size_t n, std::align_val_t a) { return counted(n, static_cast<std::size_t>(a)); }
FLUXION_NO_INLINE void* operator new(std::size_t n, const std::nothrow_t&) noexcept { return counted(n, 16); }
FLUXION_NO_INLINE void* operator new(std::size_t n, std::align_val_t a, const std::nothrow_t&) noexcept { return counted(n, static_cast<std::size_t>(a)); }
FLUXION_NO_INLINE void operator delete(void* p) noexcept { std::free(p); }
FLUXION_NO_INLINE void operator delete[](void* p) noexcept { std::free(p); }
FLUXION_NO_INLINE void operator delete(void* p, std::size_t) noexcept { std::free(p); }
FLUXION_NO_INLINE void operator delete[](void* p, std::size_t) noexcept { std::free(p); }
FLUXION_NO_INLINE void operator delete(void* p, std::align_val_t) noexcept { std::free(p); }
FLUXION_NO_INLINE void operator delete(void* p, std::size_t, std::align_val_t) noexcept { std::free(p); }

struct Net {
  fx::nn::Linear layer{6, 5};
  constexpr auto forward(const auto& x) const { return fx::tanh(fx::apply(layer, x)); }
};

namespace {

using Vector = fx::Tensor<float, fx::dims<1>>;
constexpr bool recycles = fx::detail::recycles_blocks;

}  // namespace

TEST_CASE("the second turn of a loop over leaves, custom functions, checkpoints and steps allocates nothing") {
  fx::Generator generator(3);
  fx::Var w = fx::variable(Vector{0.1f, 0.2f, 0.3f});
  fx::test::tape_turn(w, generator);
  const long before = allocations;
  float last = 0;
  for (int i = 0; i < 50; ++i) last += fx::test::tape_turn(w, generator);
  if (recycles) CHECK(allocations - before == 0);
  CHECK(last != 0);
}

TEST_CASE("PyTorch's loop over a model allocates nothing after its first turn") {
  Net net;
  fx::optim::SGD optimizer(net, {.lr = 0.1, .momentum = 0.9});
  const fx::Tensor<float, fx::dims<2>> x = fx::ones<float>({4, 6});
  long before = 0;
  for (int i = 0; i < 20; ++i) {
    if (i == 2) before = allocations;
    fx::Var hidden = net.forward(x);
    fx::Var loss = fx::mean(hidden * hidden);
    loss.backward();
    optimizer.step(net);
    optimizer.zero_grad(net);
  }
  if (recycles) CHECK(allocations - before == 0);
}
