/// A program as text and as a Graphviz drawing.
#pragma once
#include "program.hpp"

#include <string>

namespace fluxion::graph {

/// "[n0, 10]": symbols are named by number.
inline std::string to_text(const shape& s) {
  std::string text = "[";
  for (int axis = 0; axis < s.rank; ++axis) {
    if (axis) text += ", ";
    text += is_symbol(s.extent[axis]) ? "n" + std::to_string(symbol_number(s.extent[axis])) : std::to_string(s.extent[axis]);
  }
  return text + "]";
}

namespace detail {

inline std::string axes_text(unsigned mask) {
  std::string text;
  for (int axis = 0; axis < max_rank; ++axis)
    if (mask >> axis & 1) text += (text.empty() ? "" : ",") + std::to_string(axis);
  return text;
}

inline std::string number_text(double value) {
  char buffer[40];
  std::snprintf(buffer, sizeof buffer, "%.9g", value);
  return buffer;
}

}  // namespace detail

/// One instruction without its number: "mul float32[n0, 10] %4 %7".
inline std::string to_text(const program& p, int i) {
  const instruction& x = p[i];
  std::string text(info_of(x.operation).name);
  text += " " + std::string(name_of(x.type)) + to_text(p.shape_of(i));
  for (int k = 0; k < 3; ++k)
    if (x.operand[k] >= 0) text += " %" + std::to_string(x.operand[k]);
  if (p.is<operation::argument>(i) || p.is<operation::scalar>(i)) text += " #" + std::to_string(x.attribute);
  else if (p.is<operation::constant>(i)) text += " " + detail::number_text(p.constant_of(i));
  else if (p.family_of(i) == family::reduce) text += " over " + detail::axes_text(static_cast<unsigned>(x.attribute));
  else if (p.is<operation::iota>(i)) text += " along " + std::to_string(x.attribute);
  else if (p.is<operation::permute>(i)) {
    text += " order ";
    for (int axis = 0; axis < p.shape_of(i).rank; ++axis) text += (axis ? "," : "") + std::to_string(x.attribute >> 4 * axis & 15);
  } else if (p.family_of(i) == family::contract) {
    if (x.flags & 1) text += " left transposed";
    if (x.flags & 2) text += " right transposed";
  }
  return text;
}

/// The whole program, a line an instruction.
inline std::string to_text(const program& p) {
  std::string text;
  for (int i = 0; i < p.size(); ++i) text += "%" + std::to_string(i) + " = " + to_text(p, i) + "\n";
  text += "outputs";
  for (int k = 0; k < p.outputs.size(); ++k) text += " %" + std::to_string(p.outputs[k]);
  return text + "\n";
}

/// The program in Graphviz's language: `dot -Tsvg`.
inline std::string to_graphviz(const program& p) {
  std::string text = "digraph program {\n  node [shape=box, fontname=\"monospace\"];\n";
  for (int i = 0; i < p.size(); ++i) {
    bool output = false;
    for (int k = 0; k < p.outputs.size(); ++k) output = output || p.outputs[k] == i;
    text += "  v" + std::to_string(i) + " [label=\"%" + std::to_string(i) + " " + to_text(p, i) + "\"" + (output ? ", peripheries=2" : "") + "];\n";
    for (int k = 0; k < 3; ++k)
      if (p[i].operand[k] >= 0) text += "  v" + std::to_string(p[i].operand[k]) + " -> v" + std::to_string(i) + ";\n";
  }
  return text + "}\n";
}

}  // namespace fluxion::graph
