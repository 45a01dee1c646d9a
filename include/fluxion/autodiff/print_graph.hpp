/// What was recorded, as text and as a Graphviz drawing: a line or a box for each statement that a variable was computed from.
#pragma once
#include "var.hpp"

#include <cstddef>
#include <map>
#include <string>
#include <vector>

namespace fluxion {

namespace detail {

/// The nodes that a node was computed from, itself last, in the order in which they were recorded.
class RecordedGraph {
 public:
  explicit RecordedGraph(TapeNode& last) {
    std::vector<TapeNode*> open{&last};
    while (!open.empty()) {
      TapeNode* const node = open.back();
      if (done_.contains(node)) {
        open.pop_back();
        continue;
      }
      if (seen_.emplace(node, entry{}).second) {
        entry& e = seen_.at(node);
        if (!node->is_leaf) node->describe(e.description);
        for (const LeafDescription& leaf : e.description.leaves)
          if (leaf.node && !done_.contains(leaf.node)) open.push_back(leaf.node);
        continue;
      }
      open.pop_back();
      done_.emplace(node, order_.size());
      order_.push_back(node);
    }
  }

  std::string text() const {
    std::string text;
    for (std::size_t k = 0; k < order_.size(); ++k) {
      text += "%" + std::to_string(k) + " = " + label(k);
      for (const LeafDescription& leaf : leaves(k)) text += " " + (leaf.node ? "%" + std::to_string(done_.at(leaf.node)) : parameter(leaf));
      text += place(*order_[k], "  ") + "\n";
    }
    return text;
  }

  std::string graphviz() const {
    std::string nodes, edges;
    std::map<const void*, bool> parameters;
    for (std::size_t k = 0; k < order_.size(); ++k) {
      const std::string name = "n" + std::to_string(k);
      nodes += "  " + name + " [label=\"" + escaped(label(k)) + escaped(place(*order_[k], "\\n")) + "\"" + (order_[k]->is_leaf ? ", style=rounded" : "") + "];\n";
      for (const LeafDescription& leaf : leaves(k)) {
        if (leaf.node) {
          edges += "  n" + std::to_string(done_.at(leaf.node)) + " -> " + name + ";\n";
          continue;
        }
        const std::string own = "p" + std::to_string(number_of(leaf.parameter));
        if (!std::exchange(parameters[leaf.parameter], true)) nodes += "  " + own + " [label=\"" + parameter(leaf) + "\", style=rounded];\n";
        edges += "  " + own + " -> " + name + ";\n";
      }
    }
    return "digraph tape {\n  node [shape=box, fontname=\"monospace\"];\n" + nodes + edges + "}\n";
  }

 private:
  struct entry {
    NodeDescription description;
  };

  const std::vector<LeafDescription>& leaves(std::size_t k) const { return seen_.at(order_[k]).description.leaves; }
  std::string label(std::size_t k) const {
    const TapeNode& node = *order_[k];
    const NodeDescription& d = seen_.at(&node).description;
    const std::string what = d.stored ? summary_of(d.stored->make()) : !d.name.empty() ? d.name : node.requires_grad ? "leaf" : "constant";
    return what + " " + std::string(name_of(node.type)) + to_string(node.extent, node.rank);
  }
  std::string parameter(const LeafDescription& leaf) const { return "parameter " + std::to_string(number_of(leaf.parameter)); }
  std::size_t number_of(const void* parameter) const {
    return numbers_.emplace(parameter, numbers_.size()).first->second;
  }
  static std::string place(const TapeNode& node, const char* before) {
    if (node.where.line == 0) return "";
    std::string_view file = node.where.file;
    if (const std::size_t slash = file.find_last_of("/\\"); slash != file.npos) file.remove_prefix(slash + 1);
    return before + std::string(file) + ":" + std::to_string(node.where.line);
  }
  static std::string escaped(const std::string& text) {
    std::string result;
    for (const char c : text) result += c == '"' ? std::string("\\\"") : std::string(1, c);
    return result;
  }

  std::map<const TapeNode*, entry> seen_;
  std::map<const TapeNode*, std::size_t> done_;
  std::vector<TapeNode*> order_;
  mutable std::map<const void*, std::size_t> numbers_;
};

template <class V>
RecordedGraph recorded_graph(const V& variable) {
  TapeNode& node = variable.node();
  if (!variable.handle().is_recording(Tape::of_this_thread())) raise<ValueError>("print_graph: the recording of the variable was released");
  return RecordedGraph(node);
}

}  // namespace detail

/// What a variable was computed from, a line for each statement: its operations, its type and extents, what it read, and its line in the source.
///
///     %0 = leaf float64[2]  model.cpp:10
///     %1 = mul, tanh float64[2] %0 parameter 0  model.cpp:11
template <class T, class E>
std::string print_graph(const Var<T, E>& variable) {
  return detail::recorded_graph(variable).text();
}

/// The same in Graphviz's language: `dot -Tsvg`.
template <class T, class E>
std::string to_graphviz(const Var<T, E>& variable) {
  return detail::recorded_graph(variable).graphviz();
}

}  // namespace fluxion
