/// Batches of straight-line code as a constant: what `vmap` makes of a function of small tensors of static extents. The code is that of one
/// example, and a step is computed for as many examples at a time as a packet has lanes.
#pragma once
#include "straight_line.hpp"

namespace fluxion::graph {
inline namespace FLUXION_ABI {

/// A source whose program is that of `example_source` for a batch: `argument_axes[k]` is the batch axis of argument k, negative if it is the same
/// for all, `output_axes[k]` that of output k.
template <class Source>
concept BatchOfExamples = requires {
  typename Source::example_source;
  Source::argument_axes;
  Source::output_axes;
};

/// Straight-line code for packets of examples: the batch is what is long, and costly functions are no better off anywhere else.
struct batched_call {
  static constexpr scalarize_limits limits{.elements = 256, .steps = 1024, .costly = 256};
};

/// A static batch of fewer examples is planned as a whole.
inline constexpr extent_t smallest_static_batch = 16;

template <class Source>
struct constant_batched_line {
  static constexpr bool possible = false;
};

template <BatchOfExamples Source>
struct constant_batched_line<Source> {
  using line = constant_straight_line<typename Source::example_source, batched_call>;
  static constexpr const auto& code = prepared_program<Source>;
  static constexpr plan_view view = unplanned_view(code);

  static constexpr int argument_axis(int number) { return Source::argument_axes[static_cast<std::size_t>(number)]; }
  static constexpr int output_axis(int k) { return Source::output_axes[static_cast<std::size_t>(k)]; }

  /// The extent of the batch.
  static constexpr extent_t find_batch() {
    for (int i = 0; i < view.instruction_count; ++i)
      if (view.instructions[i].operation == opcode_of<operation::argument> && argument_axis(view.instructions[i].attribute) >= 0)
        return view.resolve(view.shape_of(i).extent[argument_axis(view.instructions[i].attribute)]);
    return 0;
  }
  static constexpr extent_t batch = find_batch();

  static constexpr int count_of(int i) {
    int n = 1;
    for (int axis = 0; axis < line::view.shape_of(i).rank; ++axis) n *= static_cast<int>(line::view.shape_of(i).extent[axis]);
    return n;
  }
  /// Whether elements of an example meet. Where they do not, all axes are one loop already, without moving elements between lanes.
  static constexpr bool mixes_elements() {
    const plan_view& v = line::view;
    for (int i = 0; i < v.instruction_count; ++i) {
      const instruction& x = v.instructions[i];
      const operation_info& info = info_of(x.operation);
      if (info.family == family::leaf || info.family == family::generate) continue;
      for (int k = 0; k < info.arity && x.operand[k] >= 0; ++k) {
        const int n = count_of(x.operand[k]);
        if (n == 1 ? info.family == family::contract && count_of(i) > 1 : x.operation != opcode_of<operation::reshape> && (info.family != family::map || n != count_of(i)))
          return true;
      }
    }
    return false;
  }
  static constexpr bool measure() {
    if (!(batch < 0 || batch >= smallest_static_batch)) return false;
    if constexpr (!line::possible) return false;
    else return mixes_elements();
  }
  static constexpr bool possible = measure();

  /// Whether each step is the same for all examples.
  struct rates {
    bool once[line::size.steps > 0 ? line::size.steps : 1];
  };
  static constexpr rates find_rates() {
    rates r{};
    for (int i = 0; i < line::size.steps; ++i) {
      const scalar_step& s = line::value.steps[i];
      r.once[i] = s.operation != opcode_of<operation::argument> || argument_axis(line::view.instructions[s.instruction].attribute) < 0;
      for (const std::int16_t o : s.operand) r.once[i] = r.once[i] && (o < 0 || r.once[o]);
    }
    return r;
  }
  static constexpr rates rate = find_rates();

  /// Bytes and operations of an example, and of what is the same for all of them.
  static constexpr plan_summary summarize(bool once) {
    plan_summary r;
    r.kernels = r.passes = r.distinct_loops = 1;
    for (int i = 0; i < line::size.steps; ++i) {
      if (rate.once[i] != once) continue;
      const scalar_step& s = line::value.steps[i];
      if (s.operation == opcode_of<operation::argument>) r.bytes += static_cast<std::int64_t>(size_of(s.type));
      else r.flops += info_of(s.operation).flops;
    }
    for (int i = 0; i < line::size.results && !once; ++i) r.bytes += static_cast<std::int64_t>(size_of(line::value.steps[line::value.results[i]].type));
    return r;
  }
  /// As far as it is known without the batch's extent.
  static constexpr plan_summary summary_for(std::int64_t examples) {
    plan_summary one = summarize(false);
    const plan_summary common = summarize(true);
    one.bytes = examples < 0 ? -1 : one.bytes * examples + common.bytes;
    one.flops = examples < 0 ? -1 : one.flops * examples + common.flops;
    return one;
  }
  static constexpr plan_summary summary = summary_for(batch);
};

}  // namespace FLUXION_ABI
}  // namespace fluxion::graph
