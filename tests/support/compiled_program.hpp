/// Random programs that are planned and compiled with the test, and run with extents that the compilation did not know.
/// The code is a constant of the seed, so a failing seed is looked at as it is: it cannot be shrunk.
#pragma once
#include "random_program.hpp"
#include "run_plan.hpp"
#include "shrink_program.hpp"

#include <fluxion/device/cpu/compile.hpp>
#include <fluxion/graph/explain.hpp>

#include <doctest/doctest.h>

namespace fluxion::test {

inline constexpr random_options compiled_program_options{.steps = 9, .empty_extents = false, .gradients = true, .instructions = 16};

/// The program of a seed, for graph::constant_plan.
template <unsigned Seed>
struct random_source {
  static constexpr graph::program make() { return random_program(Seed, compiled_program_options).make_code(); }
};

/// The case again with other run-time extents; those that the program knows to be equal stay equal. Not every choice passes its checks.
inline random_case resized(const random_case& c, std::uint64_t seed) {
  constexpr index_t sizes[] = {1, 3, 17, 40};
  random_bits_source random(seed);
  std::vector<index_t> chosen;
  for (int n = 0; n < c.code.symbols.size(); ++n) chosen.push_back(sizes[random.below(4)]);
  random_case r = c;
  for (int n = 0; n < c.code.symbols.size(); ++n) {
    const graph::symbol_origin& s = c.code.symbols[n];
    if (s.kind != graph::symbol_origin::argument) continue;
    const extent_t e = c.code.resolve(graph::symbol_extent(n));
    r.arguments[static_cast<std::size_t>(s.index)].extents[static_cast<std::size_t>(s.axis)] =
        graph::is_symbol(e) ? chosen[static_cast<std::size_t>(graph::symbol_number(e))] : static_cast<index_t>(e);
  }
  for (std::size_t k = 0; k < r.arguments.size(); ++k)
    r.arguments[k] = random_value(r.arguments[k].type, r.arguments[k].extents, seed * 16 + k);
  return r;
}

/// Elements of the largest value of a case, or a bound of them.
inline double largest_value(const random_case& c) {
  std::vector<double> symbols;
  const auto product = [&](const shape& s) {
    double n = 1;
    for (int axis = 0; axis < s.rank; ++axis)
      n *= graph::is_symbol(s.extent[axis]) ? symbols[static_cast<std::size_t>(graph::symbol_number(s.extent[axis]))] : static_cast<double>(s.extent[axis]);
    return n;
  };
  for (int n = 0; n < c.code.symbols.size(); ++n) {
    const graph::symbol_origin& s = c.code.symbols[n];
    if (s.kind == graph::symbol_origin::argument)
      symbols.push_back(static_cast<double>(c.arguments[static_cast<std::size_t>(s.index)].extents[static_cast<std::size_t>(s.axis)]));
    else if (s.kind == graph::symbol_origin::strided)
      symbols.push_back(graph::is_symbol(s.base) ? symbols[static_cast<std::size_t>(graph::symbol_number(s.base))] : static_cast<double>(s.base));
    else symbols.push_back(product(c.code.shapes[s.index]) / static_cast<double>(s.offset == 0 ? 1 : s.offset));
  }
  double largest = 0;
  for (int i = 0; i < c.code.size(); ++i) largest = std::max(largest, product(c.code.shape_of(i)));
  return largest;
}

/// Runs a case through the compiled kernels of its source. Throws what binding and running throw.
template <class Source>
std::vector<oracle_value> run_compiled(const random_case& c) {
  using plan = graph::constant_plan<Source>;
  return run_view(plan::view, c.arguments, [&](const graph::descriptor* inputs, const graph::descriptor* outputs, const index_t* symbols) {
    graph::execute_constant<plan>(host::functions_of<plan>, inputs, c.scalars.data(), outputs, symbols);
  });
}

/// Whether a slice starts or ends beyond the extent of an argument.
inline bool slices_beyond(const random_case& c) {
  for (const graph::extent_check& check : c.code.checks) {
    if (check.kind != graph::extent_check::at_least || !graph::is_symbol(check.a)) continue;
    const graph::symbol_origin& s = c.code.symbols[graph::symbol_number(check.a)];
    if (s.kind == graph::symbol_origin::argument &&
        c.arguments[static_cast<std::size_t>(s.index)].extents[static_cast<std::size_t>(s.axis)] < check.b)
      return true;
  }
  return false;
}

/// How many runs there were, and how many extents that the program refuses.
struct tally {
  int runs = 0, refused = 0;
};

/// What is wrong with a run of a case, or "".
template <class Run>
std::string compare_run(const random_case& c, const std::vector<oracle_value>& expected, const Run& run) {
  try {
    return compare(run(c), expected, evaluate_disturbed(c), has_single(c.code));
  } catch (const Error& e) {
    return e.what();
  }
}

/// Runs the program of a seed with the extents it was made with and with others.
template <unsigned Seed>
void check_seed(tally& count) {
  using source = random_source<Seed>;
  random_case given = random_program(Seed, compiled_program_options).make();
  given.code = graph::thaw(graph::constant_program<source>::value);  // compilers differ in the order of its instructions
  REQUIRE(given.code.error.code == graph::program_error::none);
  for (unsigned n = 0; n < 6; ++n) {
    const random_case c = n == 0 ? given : resized(given, Seed * 100 + n);
    std::vector<oracle_value> expected;
    if (largest_value(c) > 20'000) continue;
    try {
      if (slices_beyond(c)) raise<ShapeError>("the oracle gives no elements there");
      expected = graph::evaluate_oracle(c.code, c.arguments, c.scalars);
    } catch (const ShapeError&) {
      CHECK(n > 0);
      CHECK_THROWS_AS(run_compiled<source>(c), Error);
      ++count.refused;
      continue;
    }
    ++count.runs;
    const std::string wrong = compare_run(c, expected, run_compiled<source>);
    if (wrong.empty()) continue;
    const std::string interpreted =
        compare_run(c, expected, [](const random_case& x) { return run_plan(x.code, x.arguments, x.scalars, graph::compiled_options); });
    FAIL_CHECK(wrong << "\ninterpreted: " << (interpreted.empty() ? "correct" : interpreted) << "\n"
                     << describe(c) << graph::explain(graph::constant_plan<source>::view));
    return;
  }
}

template <unsigned... Seed>
void check_seeds() {
  tally count;
  (check_seed<Seed>(count), ...);
  MESSAGE(count.runs << " runs, " << count.refused << " refusals of extents");
  CHECK(count.runs > 3 * static_cast<int>(sizeof...(Seed)));
}

}  // namespace fluxion::test
