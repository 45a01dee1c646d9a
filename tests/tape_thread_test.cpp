// Each thread has a tape: threads compute what one alone does, and refuse each other's recordings.
#include <doctest/doctest.h>

#include <fluxion/autodiff/checkpoint.hpp>
#include <fluxion/autodiff/custom_function.hpp>

#include <cstdint>
#include <thread>
#include <tuple>
#include <vector>

#include "support/tape_turn.hpp"

namespace fx = fluxion;

namespace {
using Vector = fx::Tensor<float, fx::dims<1>>;
}

TEST_CASE("threads have tapes of their own, and compute what one alone does") {
  const auto run = [](std::uint64_t seed) {
    fx::Generator generator(seed);
    fx::Var w = fx::variable(Vector{0.1f, 0.2f, 0.3f});
    float sum = 0;
    for (int i = 0; i < 100; ++i) sum += fx::test::tape_turn(w, generator);
    return sum;
  };
  // A leaf that no thread differentiates with respect to is shared by all.
  fx::Var shared(Vector{1, 2, 3});
  std::vector<float> sums(4), products(4);
  {
    std::vector<std::thread> threads;
    for (std::size_t k = 0; k < sums.size(); ++k)
      threads.emplace_back([&, k] {
        const fx::Var own = shared;
        sums[k] = run(k % 2);
        fx::Var x = fx::variable(Vector{1, 1, 1});
        fx::Var y = fx::sum(x * own);
        y.backward();
        products[k] = x.grad()(2);
      });
    for (std::thread& t : threads) t.join();
  }
  for (std::size_t k = 0; k < sums.size(); ++k) {
    CHECK(sums[k] == run(k % 2));
    CHECK(products[k] == 3);
  }
}

TEST_CASE("a variable of another thread's recording is refused") {
  fx::Var x = fx::variable(Vector{1, 2});
  fx::Var y = x * 2.f;
  bool refused = false;
  std::thread([&] {
    fx::Var mine = x * 3.f;  // the same number of statements as outside
    try {
      static_cast<void>(y.value());
    } catch (const fx::ValueError&) {
      refused = true;
    }
  }).join();
  CHECK(refused);
  CHECK(y.value()(1) == 4);
}
