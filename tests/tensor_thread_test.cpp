// Tensors in several threads. Apart from tensor_test, which replaces the allocator.
#include <doctest/doctest.h>

#include <fluxion/tensor/factory.hpp>
#include <fluxion/tensor/tensor.hpp>

#include <thread>
#include <utility>
#include <vector>

namespace fx = fluxion;
using Matrix = fx::Tensor<float, fx::dims<2>>;

TEST_CASE("a block may be freed by another thread") {
  Matrix x = fx::ones<float>({30, 30});
  std::thread([y = std::move(x)]() mutable { y = Matrix(); }).join();
  CHECK(x.size() == 0);
}

TEST_CASE("threads that make, share and free tensors do not meet") {
  const Matrix shared = fx::ones<float>({16, 16});
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&shared] {
      for (int i = 0; i < 200; ++i) {
        Matrix own = shared;
        own(0, 0) = 2;
      }
    });
  for (std::thread& thread : threads) thread.join();
  CHECK(shared(0, 0) == 1);
}
