/// What a node of the tape was computed from and how, for messages, drawings and derivatives of derivatives.
#pragma once
#include "../../graph/freeze.hpp"
#include "../../graph/pass/eliminate_dead_code.hpp"
#include "gradient.hpp"
#include "parameter.hpp"
#include "reference.hpp"

#include <cstddef>
#include <string>
#include <vector>

namespace fluxion::detail {

/// A program as the object file keeps it.
struct StoredProgram {
  const graph::instruction* instructions;
  const graph::shape* shapes;
  const std::uint64_t* constants;
  const graph::slice_spec* slices;
  const graph::symbol_origin* symbols;
  const graph::extent_t* symbol_parents;
  const graph::extent_check* checks;
  int instruction_count, shape_count, constant_count, slice_count, symbol_count, check_count;
  int argument_count, scalar_count, output;

  /// The program again; it refers to what is stored.
  graph::program make() const {
    graph::program p;
    p.instructions = list<graph::instruction>::borrow(instructions, instruction_count);
    p.shapes = list<graph::shape>::borrow(shapes, shape_count);
    p.constants = list<std::uint64_t>::borrow(constants, constant_count);
    p.slices = list<graph::slice_spec>::borrow(slices, slice_count);
    p.symbols = list<graph::symbol_origin>::borrow(symbols, symbol_count);
    p.symbol_parents.append(symbol_parents, symbol_count);
    p.checks = list<graph::extent_check>::borrow(checks, check_count);
    p.outputs.push_back(static_cast<std::int16_t>(output));
    p.argument_count = argument_count;
    p.scalar_count = scalar_count;
    return p;
  }
};

/// Stores the program of a source with one output, every array at its exact size.
template <class Source>
class stored_program {
  static constexpr const auto& from = graph::constant_program<Source>::value;
  template <class T, int N, std::size_t Capacity>
  struct exact {
    T data[N > 0 ? N : 1]{};
    constexpr explicit exact(const T (&elements)[Capacity]) {
      for (int i = 0; i < N; ++i) data[i] = elements[i];
    }
  };
  template <int N, class T, std::size_t Capacity>
  static constexpr exact<T, N, Capacity> take(const T (&elements)[Capacity]) {
    return exact<T, N, Capacity>(elements);
  }
  static constexpr auto instructions = take<from.instruction_count>(from.instructions);
  static constexpr auto shapes = take<from.shape_count>(from.shapes);
  static constexpr auto constants = take<from.constant_count>(from.constants);
  static constexpr auto slices = take<from.slice_count>(from.slices);
  static constexpr auto symbols = take<from.symbol_count>(from.symbols);
  static constexpr auto symbol_parents = take<from.symbol_count>(from.symbol_parents);
  static constexpr auto checks = take<from.check_count>(from.checks);

 public:
  static constexpr StoredProgram value{instructions.data, shapes.data, constants.data, slices.data, symbols.data, symbol_parents.data, checks.data,
                                       from.instruction_count, from.shape_count, from.constant_count, from.slice_count, from.symbol_count, from.check_count,
                                       from.argument_count, from.scalar_count, from.outputs[0]};
};

class RuntimeProgram;

/// Something that a node was computed from and that has a gradient.
struct LeafDescription {
  int argument = 0;             // of the program
  TapeNode* node = nullptr;     // or
  const void* parameter = nullptr;
  TapeNode& (*node_of_parameter)(const void*) = nullptr;
  element_type type = element_type::float32;
  bool requires_grad = true;

  const void* source() const { return node ? static_cast<const void*>(node) : parameter; }
  /// The node, or the parameter as one.
  TapeNode& leaf() const { return node ? *node : node_of_parameter(parameter); }
};

struct NodeDescription {
  const StoredProgram* stored = nullptr;   // a statement's program, or
  RuntimeProgram* runtime = nullptr;       // one made at run time, or
  std::string name;                        // what else the node is
  std::vector<graph::descriptor> arguments;
  std::vector<graph::scalar_value> scalars;
  std::vector<LeafDescription> leaves;
};

template <class P>
void describe_parameter(LeafDescription& d, const P& parameter) {
  d.parameter = &parameter;
  d.node_of_parameter = [](const void* p) -> TapeNode& { return detail::node_of_parameter(*static_cast<const P*>(p)); };
  d.type = element_type_of<typename P::value_type>;
}

/// Describes an expression.
template <class X>
void describe_expression(const X& expression, NodeDescription& d) {
  using source = expression_source<X>;
  constexpr int arguments = argument_traits<X>::arguments, scalars = argument_traits<X>::scalars;
  d.stored = &stored_program<source>::value;
  d.arguments.resize(static_cast<std::size_t>(arguments));
  d.scalars.resize(static_cast<std::size_t>(scalars));
  binder b{d.arguments.data(), d.scalars.data()};
  argument_traits<X>::bind(expression, b);
  list<int> numbers;
  int next = 0, leaf = 0;
  gradient_leaves<X>::numbers(numbers, next);
  gradient_leaves<X>::each(expression, [&]<class L>(L& x) {
    LeafDescription l;
    l.argument = numbers[leaf++];
    if constexpr (std::is_base_of_v<TapeNode, L>) {
      l.node = &x;
      l.type = x.type;
    } else {
      describe_parameter(l, x);
    }
    l.requires_grad = wants_gradient(x);
    d.leaves.push_back(l);
  });
}

/// "mul ×2, add, sum": the operations of a program in order, each named once with its count.
FLUXION_COLD inline std::string summary_of(const graph::program& given) {
  const graph::program p = graph::eliminate_dead_code(given);
  int uses[graph::operation_count]{}, order[graph::operation_count], distinct = 0;
  for (int i = 0; i < p.size(); ++i) {
    const graph::opcode code = p[i].operation;
    const bool moves_nothing = code == graph::opcode_of<operation::expand> || code == graph::opcode_of<operation::detach> || code == graph::opcode_of<operation::reshape>;
    const bool converts_number = code == graph::opcode_of<operation::cast> && p.family_of(p[i].operand[0]) == graph::family::leaf && p.shape_of(i).rank == 0;
    if (p.family_of(i) == graph::family::leaf || moves_nothing || converts_number) continue;
    if (uses[code]++ == 0) order[distinct++] = code;
  }
  std::string text;
  for (int k = 0; k < distinct; ++k) {
    if (k) text += ", ";
    text += graph::info_of(static_cast<graph::opcode>(order[k])).name;
    if (uses[order[k]] > 1) text += " ×" + std::to_string(uses[order[k]]);
  }
  return text.empty() ? "copy" : text;
}

/// "statement 'mul, sum' of file.cpp:12"; custom functions and checkpoints do not know their line.
FLUXION_COLD inline std::string name_of_statement(const NodeDescription& d, const SourceLocation& where) {
  std::string text = "statement '" + (d.stored ? summary_of(d.stored->make()) : d.name) + "'";
  if (where.line == 0) return text;
  std::string_view file = where.file;
  if (const std::size_t slash = file.find_last_of("/\\"); slash != file.npos) file.remove_prefix(slash + 1);
  return text + " of " + std::string(file) + ":" + std::to_string(where.line);
}
FLUXION_COLD inline std::string name_of_statement(const TapeNode& node) {
  NodeDescription d;
  node.describe(d);
  return name_of_statement(d, node.where);
}

[[noreturn]] FLUXION_COLD inline void raise_changed(const TapeNode& node) {
  raise<ValueError>("backward: a tensor that the " + name_of_statement(node) + " reads was written after the statement");
}

/// What DetectAnomaly sets.
struct AnomalyChecks {
  /// A statement has been computed.
  void (*forward)(const TapeNode& value, const NodeDescription&);
  /// The gradients of a node, contiguous, one for each of its leaves; null where there is none.
  void (*backward)(const TapeNode&, const AnyGradient* gradients, int count);
};

}  // namespace fluxion::detail
