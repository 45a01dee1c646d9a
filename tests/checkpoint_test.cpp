// matrix
// The schedule of the reverse sweep: every step once, in order, from the right state, with as few steps computed again as possible.
#include <doctest/doctest.h>

#include <fluxion/autodiff/loop/checkpoints.hpp>

#include <algorithm>
#include <vector>

namespace fx = fluxion;
using fx::index_t;

namespace {

/// The fewest steps that must be computed to reverse n with c states, by dynamic programming over all ways to place the next.
index_t fewest(index_t n, index_t c) {
  const auto size = static_cast<std::size_t>(n + 1);
  std::vector<index_t> before(size), now(size);
  for (index_t l = 0; l <= n; ++l) before[static_cast<std::size_t>(l)] = l * (l - 1) / 2;
  for (index_t s = 2; s <= c; ++s) {
    now[0] = now[1] = 0;
    for (index_t l = 2; l <= n; ++l) {
      index_t best = l * (l - 1) / 2;
      for (index_t m = 1; m < l; ++m)
        best = std::min(best, m + before[static_cast<std::size_t>(l - m)] + now[static_cast<std::size_t>(m)]);
      now[static_cast<std::size_t>(l)] = best;
    }
    std::swap(before, now);
  }
  return before[static_cast<std::size_t>(n)];
}

/// Runs the schedule with numbers for states; the steps that were computed, or -1 if a state was wrong.
constexpr index_t steps_of(index_t n, index_t c) {
  index_t memory[512]{}, position[512]{}, steps = 0, next = n - 1;
  bool good = true;
  fx::detail::reverse_steps(
      n, c, position,
      [&](index_t from, index_t to, index_t t) {
        good = good && memory[from] == t && from != to && to < c + 2;
        memory[to] = t + 1;
        ++steps;
      },
      [&](index_t from, index_t t) { good = good && memory[from] == t && t == next--; });
  return good && next == -1 ? steps : -1;
}

}  // namespace

TEST_CASE("checkpoints: reversing computes exactly as many steps as the best schedule") {
  for (index_t n = 1; n <= 60; ++n)
    for (index_t c = 1; c <= n; ++c) {
      INFO(n, " steps, ", c, " states");
      CHECK(steps_of(n, c) == fewest(n, c));
    }
}

TEST_CASE("checkpoints: to reverse 1000 steps, 1954 are computed with 44 states and 3545 with 11, 499 of 500 with all") {
  CHECK(steps_of(500, 500) == 499);
  CHECK(fx::square_root_checkpoints.states(1000) == 44);
  CHECK(steps_of(1000, 44) == 1954);
  CHECK(fewest(1000, 44) == 1954);
  CHECK(fx::logarithmic_checkpoints.states(1000) == 11);
  CHECK(steps_of(1000, 11) == 3545);
  CHECK(fewest(1000, 11) == 3545);
  static_assert(steps_of(30, 5) > 30);
}

TEST_CASE("checkpoints: policies keep at least one state and no more than there are steps") {
  for (const fx::Checkpoints& policy : {fx::keep_all, fx::checkpoints(8), fx::square_root_checkpoints, fx::logarithmic_checkpoints})
    for (const index_t n : {0, 1, 2, 3, 5, 100}) {
      CHECK(policy.states(n) >= 1);
      CHECK(policy.states(n) <= std::max<index_t>(n, 1));
    }
  CHECK(fx::keep_all.states(100000) == 100000);
  CHECK(fx::checkpoints(8).states(100000) == 8);
  CHECK(fx::checkpoints(0).states(10) == 1);
  CHECK(fx::logarithmic_checkpoints.states(1024) == 11);
}
