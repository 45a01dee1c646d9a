// The scalar tape in several threads. Apart from scalar_tape_test, which counts allocations: the thread sanitizer has an allocator of its own.
#include <doctest/doctest.h>

#include <fluxion/autodiff/reverse.hpp>

#include <array>
#include <cmath>
#include <cstddef>
#include <string>
#include <thread>
#include <vector>

#include "support/message_of.hpp"

namespace fx = fluxion;
using fx::test::message_of;
using V = fx::Var<double>;

namespace {

fx::ScalarTape<double>& tape() { return fx::ScalarTape<double>::of_this_thread(); }

}  // namespace

TEST_CASE("a recording of ten million statements needs no stack and 13 bytes for each, and 8 for its adjoint") {
  std::thread([] {
    V x = fx::variable(1.), y = x;
    for (int i = 0; i < 10'000'000; ++i) y = y + 0x1p-30;
    CHECK(tape().size() == 10'000'000);
    y.backward();
    CHECK(x.grad() == 1);
  }).join();
}

TEST_CASE("threads record each on a tape of its own") {
  std::array<double, 4> found{};
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < found.size(); ++t)
    threads.emplace_back([&found, t] {
      const double at = 0.1 * static_cast<double>(t + 1);
      for (int repeat = 0; repeat < 5; ++repeat) {
        const auto f = [](const auto& x) {
          V y = x[0];
          for (int i = 0; i < 2000; ++i) y = sin(y) + x[0];
          return y;
        };
        found[t] = fx::reverse::gradient(f, std::array{at}).gradient[0];
      }
    });
  for (auto& thread : threads) thread.join();
  for (std::size_t t = 0; t < found.size(); ++t) {
    const double at = 0.1 * static_cast<double>(t + 1);
    double y = at, slope = 1;
    for (int i = 0; i < 2000; ++i) {
      slope = std::cos(y) * slope + 1;
      y = std::sin(y) + at;
    }
    CHECK(found[t] == doctest::Approx(slope));
  }
}

TEST_CASE("a variable of another thread cannot be used, even by the first recording of a thread") {
  V x;
  std::thread([&] { x = fx::variable(1.) * 2; }).join();
  std::string message;
  std::thread([&] {
    const V own = fx::variable(1.);
    message = message_of([&] { [[maybe_unused]] const V y = own * x; });
  }).join();
  CHECK(message.starts_with("a variable was used"));
}
