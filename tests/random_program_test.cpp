// Random programs: every pass and plan computes what the oracle says.
// matrix
#include "support/run_plan.hpp"
#include "support/shrink_program.hpp"

#include <doctest/doctest.h>

#include <cstdlib>
#include <random>

using namespace fluxion;
using namespace fluxion::test;

namespace {

/// How many programs: ten times the usual number under FLUXION_FULL, FLUXION_RANDOM_PROGRAMS=20 for another factor.
int times(int usual) {
  if (const char* factor = std::getenv("FLUXION_RANDOM_PROGRAMS")) return usual * std::atoi(factor);
  return std::getenv("FLUXION_FULL") ? 10 * usual : usual;
}

std::string run_and_compare(const random_case& c, const graph::plan_options& options) {
  try {
    const auto expected = graph::evaluate_oracle(c.code, c.arguments, c.scalars);
    return compare(run_plan(c.code, c.arguments, c.scalars, options), expected, evaluate_disturbed(c), has_single(c.code));
  } catch (const Error& e) {
    return e.what();
  }
}

std::string eliminate_and_compare(const random_case& c, const graph::plan_options&) {
  const auto expected = graph::evaluate_oracle(c.code, c.arguments, c.scalars);
  try {
    const program q = graph::eliminate_dead_code(c.code);
    if (q.size() > c.code.size()) return "the program became longer";
    return compare(graph::evaluate_oracle(q, c.arguments, c.scalars), expected, evaluate_disturbed(c, 1), has_single(c.code));
  } catch (const Error& e) {
    return e.what();
  }
}

/// Checks random programs; shows the first few that fail at their smallest.
template <class F>
void check_programs(int first, int count, const random_options& given, F f, const graph::plan_options& plan = {}) {
  int failures = 0;
  for (int n = 0; n < count && failures < 3; ++n) {
    random_case c = random_program(static_cast<std::uint64_t>(first + n), given).make();
    if (c.code.error.code != graph::program_error::none) {
      FAIL_CHECK("seed " << first + n << " records an error " << static_cast<int>(c.code.error.code) << "\n" << describe(c));
      ++failures;
      continue;
    }
    if (std::getenv("FLUXION_RANDOM_TRACE")) std::fprintf(stderr, "%s\n", describe(c).c_str());
    if (f(c, plan).empty()) continue;
    ++failures;
    const random_case smallest = shrink(c, [&](const random_case& s) { return f(s, plan); });
    FAIL_CHECK(f(smallest, plan) << "\n" << describe(smallest));
  }
}

}  // namespace

TEST_CASE("dead code removal does not change what a random program computes") {
  check_programs(0, times(1000), {.gradients = true}, eliminate_and_compare);
}

TEST_CASE("a fused plan computes what the program says") { check_programs(10'000, times(1500), {}, run_and_compare); }

TEST_CASE("an unfused plan computes what the program says") {
  check_programs(10'000, times(700), {}, run_and_compare, {.fuse = false});
}

TEST_CASE("a fused plan without recomputation computes what the program says") {
  check_programs(20'000, times(500), {}, run_and_compare, {.recompute = false});
}

TEST_CASE("a fused plan of a program with gradients computes what the program says") {
  check_programs(30'000, times(700), {.steps = 6, .gradients = true}, run_and_compare);
}

TEST_CASE("gradients of random smooth programs agree with differences") {
  int checked = 0;
  for (int seed = 0; seed < times(400); ++seed) {
    const random_options options{.steps = 6, .smooth = true, .empty_extents = false, .largest = 5, .elements = 200};
    random_program maker(static_cast<std::uint64_t>(50'000 + seed), options);
    maker.make();
    if (!maker.append_gradients()) continue;
    const random_case c = maker.result();
    INFO(describe(c));
    REQUIRE(c.code.error.code == graph::program_error::none);
    const auto at = graph::evaluate_oracle(c.code, c.arguments, c.scalars);
    // The derivative along one random direction.
    std::mt19937_64 random(static_cast<std::uint64_t>(seed));
    std::vector<oracle_value> direction = c.arguments;
    double predicted = 0, magnitude = 0;
    int gradient = 1;
    for (int i = 0; i < c.code.size(); ++i) {
      if (!c.code.is<operation::argument>(i)) continue;
      const auto k = static_cast<std::size_t>(c.code[i].attribute);
      REQUIRE(at[static_cast<std::size_t>(gradient)].extents == c.arguments[k].extents);
      for (std::size_t n = 0; n < direction[k].data.size(); ++n) {
        direction[k].data[n] = static_cast<double>(random() >> 11) * 0x1p-52 - 1;
        const double part = direction[k].data[n] * at[static_cast<std::size_t>(gradient)].data[n];
        predicted += part;
        magnitude += std::abs(part);
      }
      ++gradient;
    }
    const auto loss = [&](double step) {
      auto moved = c.arguments;
      for (std::size_t k = 0; k < moved.size(); ++k)
        for (std::size_t n = 0; n < moved[k].data.size(); ++n) moved[k].data[n] += step * direction[k].data[n];
      random_case only = c;
      only.code.outputs.clear();
      only.code.outputs.push_back(c.code.outputs[0]);
      return graph::evaluate_oracle(graph::eliminate_dead_code(only.code), moved, c.scalars)[0].data[0];
    };
    const auto difference = [&](double h) { return (8 * (loss(h) - loss(-h)) - (loss(2 * h) - loss(-2 * h))) / (12 * h); };
    const double coarse = difference(1e-3), fine = difference(5e-4);
    if (!std::isfinite(fine)) continue;
    const double tolerance = 1e-7 * (1 + magnitude + std::abs(at[0].data[0])) + 2 * std::abs(coarse - fine);
    CHECK_MESSAGE(std::abs(predicted - fine) <= tolerance, "gradient says " << predicted << ", differences say " << fine);
    ++checked;
  }
  CHECK(checked > 200);
}
