/// Straight-line code as a constant: what `scalarize` made of a source's program, if anything.
#pragma once
#include "freeze.hpp"
#include "pass/scalarize.hpp"
#include "summary.hpp"

namespace fluxion::graph {
inline namespace FLUXION_ABI {

/// A program without a plan: what callers ask of arguments and results.
template <class Frozen>
constexpr plan_view unplanned_view(const Frozen& code) {
  plan_view v;
  v.instructions = code.instructions;
  v.shapes = code.shapes;
  v.constants = code.constants;
  v.slices = code.slices;
  v.symbols = code.symbols;
  v.symbol_parents = code.symbol_parents;
  v.checks = code.checks;
  v.outputs = code.outputs;
  v.instruction_count = code.instruction_count;
  v.symbol_count = code.symbol_count;
  v.check_count = code.check_count;
  v.output_count = code.output_count;
  v.argument_count = code.argument_count;
  v.scalar_count = code.scalar_count;
  v.differentiated = code.differentiated;
  return v;
}

/// How many steps and results there are, or nothing.
struct straight_line_size {
  bool possible = false;
  int steps = 0, results = 0;
};

/// Straight-line code for single calls.
struct single_call {
  static constexpr scalarize_limits limits{};
};

template <class Source, class Use = single_call>
struct constant_straight_line {
  static constexpr const auto& code = prepared_program<Source>;
  static constexpr straight_line_size measure() {
#if defined(FLUXION_EAGER)
    return {};
#else
    const straight_line line = scalarize(thaw(code), Use::limits);
    return {line.possible, line.steps.size(), line.results.size()};
#endif
  }
  static constexpr straight_line_size size = measure();
  static constexpr bool possible = size.possible;

  struct arrays {
    scalar_step steps[size.steps > 0 ? size.steps : 1];
    std::int16_t results[size.results > 0 ? size.results : 1];
    std::int16_t register_number[size.steps > 0 ? size.steps : 1];  // among the values of its type
    int registers[element_type_count];
  };
  static constexpr arrays make() {
    const straight_line line = scalarize(thaw(code), Use::limits);
    arrays r{};
    for (int i = 0; i < size.steps; ++i) {
      r.steps[i] = line.steps[i];
      r.register_number[i] = static_cast<std::int16_t>(r.registers[static_cast<int>(line.steps[i].type)]++);
    }
    for (int i = 0; i < size.results; ++i) r.results[i] = line.results[i];
    return r;
  }
  static constexpr arrays value = make();

  static constexpr plan_view view = unplanned_view(code);

  /// One kernel that reads each element that it needs once, and writes the results.
  static constexpr plan_summary summarize() {
    plan_summary r;
    r.kernels = r.passes = r.distinct_loops = 1;
    for (int i = 0; i < size.steps; ++i) {
      const scalar_step& s = value.steps[i];
      if (s.operation == opcode_of<operation::argument>) r.bytes += static_cast<std::int64_t>(size_of(s.type));
      else r.flops += info_of(s.operation).flops;
    }
    for (int i = 0; i < size.results; ++i) r.bytes += static_cast<std::int64_t>(size_of(value.steps[value.results[i]].type));
    return r;
  }
  static constexpr plan_summary summary = summarize();
};

}  // namespace FLUXION_ABI
}  // namespace fluxion::graph
