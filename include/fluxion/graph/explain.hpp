/// A plan in words: which kernels a program became, what each computes in how many passes, and what stays in memory between them.
#pragma once
#include "plan_view.hpp"
#include "summary.hpp"

#include <cstdio>
#include <string>

namespace fluxion::graph {

namespace detail {

FLUXION_COLD inline std::string extents_text(const plan_view& v, const extent_t* extents, int rank, const index_t* symbols) {
  std::string text = "[";
  for (int axis = 0; axis < rank; ++axis) {
    if (axis) text += ", ";
    const extent_t e = v.resolve(extents[axis]);
    if (!is_symbol(e)) text += std::to_string(e);
    else if (symbols != nullptr) text += std::to_string(symbols[symbol_number(e)]);
    else text += "n" + std::to_string(symbol_number(e));
  }
  return text + "]";
}

FLUXION_COLD inline std::string value_text(const plan_view& v, int value, const index_t* symbols) {
  const instruction& x = v.instructions[value];
  const plan_value place = v.values != nullptr ? v.values[value] : plan_value{};
  std::string text;
  if (x.operation == opcode_of<operation::argument>) text = "argument " + std::to_string(x.attribute);
  else if (place.place == plan_value::output) text = "output " + std::to_string(place.index);
  else text = "%" + std::to_string(value) + " " + std::string(info_of(x.operation).name);
  const shape& s = v.shape_of(value);
  return text + " " + std::string(name_of(x.type)) + extents_text(v, s.extent, s.rank, symbols);
}

/// The operations of a kernel in order, each named once with its count.
FLUXION_COLD inline std::string operations_text(const std::uint64_t* words) {
  kernel_entry entries[max_kernel_entries]{};
  read_code(words, entries);
  const int count = unpack_header(words[0]).entries;
  int uses[operation_count]{};
  int order[operation_count], distinct = 0;
  for (int i = 0; i < count; ++i) {
    if (entries[i].code >= operation_count || entries[i].code == opcode_of<operation::expand> || entries[i].code == opcode_of<operation::detach>) continue;
    if (uses[entries[i].code]++ == 0) order[distinct++] = entries[i].code;
  }
  std::string text;
  for (int k = 0; k < distinct; ++k) {
    if (k) text += ", ";
    text += info_of(static_cast<opcode>(order[k])).name;
    if (uses[order[k]] > 1) text += " ×" + std::to_string(uses[order[k]]);
  }
  return text.empty() ? "copy" : text;
}

}  // namespace detail

namespace detail {

/// ", 1.23 MB" where all extents are known: what the steps [first, last] read and write, each value once a step.
inline std::string bytes_text(const plan_view& v, int first, int last, const index_t* symbols) {
  double bytes = 0;
  const auto product = [&](const extent_t* extents, int rank) {
    double n = 1;
    for (int axis = 0; axis < rank; ++axis) {
      const extent_t e = v.resolve(extents[axis]);
      if (is_symbol(e) && symbols == nullptr) return -1.0;
      n *= static_cast<double>(is_symbol(e) ? symbols[symbol_number(e)] : e);
    }
    return n;
  };
  for (int s = first; s <= last; ++s) {
    const plan_step& step = v.steps[s];
    const auto add = [&](int value) {
      const double n = product(v.shape_of(value).extent, v.shape_of(value).rank);
      bytes = n < 0 || bytes < 0 ? -1 : bytes + n * static_cast<double>(size_of(v.instructions[value].type));
    };
    if (step.kind == plan_step::loop)
      for (int k = 0; k < step.slot_count; ++k) {
        if (v.slots[step.slot_begin + k].kind != plan_slot::generator) add(v.slots[step.slot_begin + k].value);
      }
    else {
      add(step.value);
      for (int k = 0; k < 2; ++k)
        if (v.instructions[step.value].operand[k] >= 0) add(v.instructions[step.value].operand[k]);
    }
  }
  if (bytes < 0) return "";
  char text[48];
  if (bytes < 1e4) std::snprintf(text, sizeof text, ", %.0f bytes", bytes);
  else if (bytes < 1e6) std::snprintf(text, sizeof text, ", %.1f kB", bytes / 1e3);
  else std::snprintf(text, sizeof text, ", %.2f MB", bytes / 1e6);
  return text;
}

}  // namespace detail

/// Describes a plan. With the values of its symbols (see bind) run-time extents are shown as numbers.
FLUXION_COLD inline std::string explain(const plan_view& v, const index_t* symbols = nullptr) {
  std::string text;
  int number = 0;
  for (int s = 0; s < v.step_count; ++s) {
    const plan_step& step = v.steps[s];
    if (step.kind == plan_step::view) continue;
    const bool epilogue = step.with_previous;
    if (!epilogue) text += "kernel " + std::to_string(++number) + ": ";
    if (step.kind == plan_step::contract) {
      const instruction& x = v.instructions[step.value];
      text += "matmul " + detail::value_text(v, x.operand[0], symbols) + (x.flags & 1 ? "ᵀ" : "") + " · " +
              detail::value_text(v, x.operand[1], symbols) + (x.flags & 2 ? "ᵀ" : "") + " -> " + detail::value_text(v, step.value, symbols) + detail::bytes_text(v, s, s, symbols) + "\n";
      continue;
    }
    if (step.kind == plan_step::embed) {
      text += std::string(info_of(v.instructions[step.value].operation).name) + " -> " + detail::value_text(v, step.value, symbols) + detail::bytes_text(v, s, s, symbols) + "\n";
      continue;
    }
    const std::uint64_t* words = v.words + v.kernel_begin[step.kernel];
    const kernel_header header = unpack_header(words[0]);
    bool reduces = false, accumulates = false;
    for (int k = 0; k < step.slot_count; ++k) accumulates = accumulates || v.slots[step.slot_begin + k].kind == plan_slot::accumulator;
    kernel_entry entries[max_kernel_entries]{};
    read_code(words, entries);
    for (int i = 0; i < header.entries; ++i) reduces = reduces || (entries[i].code < operation_count && info_of(entries[i].code).family == family::reduce);
    text += epilogue ? "          epilogue " : "";
    text += reduces ? "row" : accumulates ? "reduce" : "map";
    text += " over " + detail::extents_text(v, v.axes + step.axis_begin, step.outer_rank, symbols) + " rows of " +
            detail::extents_text(v, v.axes + step.axis_begin + step.outer_rank, step.row_rank, symbols) + ", " + std::to_string(header.passes) +
            (header.passes == 1 ? " pass" : " passes") + detail::bytes_text(v, s, s, symbols);
    int in_outputs = 0;
    for (int i = 0; i < header.entries; ++i) in_outputs += entries[i].keep == kept_in_output;
    if (in_outputs) text += ", " + std::to_string(in_outputs) + " kept in an output";
    if (header.keeps) text += ", " + std::to_string(header.keeps) + " kept in a row buffer";
    text += ": " + detail::operations_text(words) + "\n";
    for (int k = 0; k < step.slot_count; ++k) {
      const plan_slot& slot = v.slots[step.slot_begin + k];
      if (slot.kind == plan_slot::generator) continue;
      text += slot.kind == plan_slot::input ? "            reads " : slot.kind == plan_slot::output ? "            writes " : "            adds up ";
      text += detail::value_text(v, slot.value, symbols) + "\n";
    }
  }
  return text + std::to_string(number) + (number == 1 ? " kernel, " : " kernels, ") + std::to_string(v.kernel_count) + " distinct loops, " +
         std::to_string(v.temporaries) + " temporaries\n";
}

/// Describes a program that is run as straight-line code: for a batch, if there are symbols.
FLUXION_COLD inline std::string explain_straight_line(const plan_view& v, const plan_summary& summary, const index_t* symbols = nullptr) {
  std::string text = "kernel 1: straight line" + std::string(symbols ? " for packets of examples, " : ", ") + std::to_string(summary.flops) + " flops, " + std::to_string(summary.bytes) + " bytes\n";
  for (int i = 0; i < v.instruction_count; ++i)
    if (v.instructions[i].operation == opcode_of<operation::argument>) text += "            reads " + detail::value_text(v, i, symbols) + "\n";
  for (int k = 0; k < v.output_count; ++k) text += "            writes " + detail::value_text(v, v.outputs[k], symbols) + "\n";
  return text + "1 kernel, 1 distinct loops, 0 temporaries\n";
}

}  // namespace fluxion::graph
