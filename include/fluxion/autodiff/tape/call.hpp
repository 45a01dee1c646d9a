/// Calls of run-time programs as nodes of the tape: the gradients that a backward pass with create_graph records.
#pragma once
#include "runtime_program.hpp"
#include "saved.hpp"

#include <cstring>
#include <utility>
#include <vector>

namespace fluxion::detail {

/// A recorded call. Its results are nodes behind it, which are visited first and wake it.
struct CallNode final : TapeNode {
  NodeDescription call;
  const TapeNode* origin = nullptr;  // whose gradients these are
  std::vector<TapeNode*> results;
  std::vector<char> received;        // whether each result has an adjoint in this pass
  std::vector<NodeHandle> kept;

  void backward(Sweep& sweep) override {
    if (changed()) raise_changed(*this);
    std::vector<int> wrt;
    std::vector<const LeafDescription*> leaves;
    for (const LeafDescription& leaf : call.leaves)
      if (leaf.requires_grad) {
        wrt.push_back(leaf.argument);
        leaves.push_back(&leaf);
      }
    ArenaScope scratch;
    std::vector<graph::descriptor> arguments = call.arguments;
    for (std::size_t k = 0; k < results.size(); ++k) {
      TapeNode& result = *results[k];
      std::byte* seed = result.adjoint;
      if (!std::exchange(received[k], char{0})) {
        seed = scratch.take<std::byte>(result.bytes());
        std::memset(seed, 0, result.bytes());
      }
      arguments.push_back(result.describe_memory(seed));
    }
    std::vector<graph::descriptor> gradients(leaves.size());
    RuntimeProgram& adjoint = call.runtime->adjoint(wrt);
    adjoint.run(arguments.data(), call.scalars.data(), [&](int k, const index_t* extents) {
      const auto at = static_cast<std::size_t>(k);
      const int rank = rank_of(*leaves[at]);
      index_t size = 1;
      for (int axis = 0; axis < rank; ++axis) size *= gradients[at].extent[axis] = extents[axis];
      return gradients[at].data = scratch.take<std::byte>(static_cast<std::size_t>(size) * size_of(leaves[at]->type));
    });
    for (std::size_t k = 0; k < leaves.size(); ++k) {
      const GradientTarget target = sweep.target_of(leaves[k]->leaf());
      add_elements(leaves[k]->type, target.memory, call.arguments[static_cast<std::size_t>(leaves[k]->argument)].extent, gradients[k].data,
                   gradients[k].extent, rank_of(*leaves[k]), target.overwrite);
    }
  }
  void release() override {
    call = {};
    kept.clear();
  }
  bool changed() const override { return origin && origin->changed(); }
  void describe(NodeDescription& d) const override { d = call; }

 private:
  int rank_of(const LeafDescription& leaf) const {
    const graph::program& p = call.runtime->program();
    for (int i = 0; i < p.size(); ++i)
      if (p.is<operation::argument>(i) && p[i].attribute == leaf.argument) return p.shape_of(i).rank;
    return 0;
  }
};

/// One result of a call.
struct ResultNode final : TapeNode {
  CallNode* call = nullptr;
  std::size_t number = 0;
  void backward(Sweep&) override { wake(); }
  bool record_backward(Sweep&) override {
    wake();
    return true;
  }
  void describe(NodeDescription& d) const override {
    d.name = "result " + std::to_string(number);
    LeafDescription leaf;
    leaf.node = call;
    d.leaves.push_back(leaf);
  }

 private:
  void wake() {
    call->received[number] = 1;
    call->has_adjoint = true;
  }
};

/// Computes a program's outputs as recorded values. The types of the outputs are those of the program.
inline CallNode& record_call(Tape& tape, RuntimeProgram& program, NodeDescription&& call, const TapeNode* origin) {
  auto* const node = tape.append<CallNode>();
  node->call = std::move(call);
  node->call.stored = nullptr;
  node->call.runtime = &program;
  node->call.name = summary_of(program.program());
  node->origin = origin;
  if (origin) node->where = origin->where;
  bool requires_grad = false;
  for (const LeafDescription& leaf : node->call.leaves) requires_grad = requires_grad || leaf.requires_grad;
  const graph::program& p = program.program();
  program.run(node->call.arguments.data(), node->call.scalars.data(), [&](int k, const index_t* extents) {
    auto* const result = tape.append<ResultNode>();
    const int output = p.outputs[k];
    result->call = node;
    result->number = static_cast<std::size_t>(k);
    result->type = p[output].type;
    result->rank = static_cast<std::int8_t>(p.shape_of(output).rank);
    for (int axis = 0; axis < result->rank; ++axis) result->extent[axis] = extents[axis];
    result->requires_grad = requires_grad;
    result->where = node->where;
    result->value = tape.take(result->bytes());
    node->results.push_back(result);
    return result->value;
  });
  node->received.assign(node->results.size(), 0);
  return *node;
}

/// An argument of a call that is a recorded value or a leaf. The call keeps no handle of a recorded one, so memory of its own stays as long as the tape.
inline void add_argument(NodeDescription& d, TapeNode& value) {
  pin_value(value);
  LeafDescription leaf;
  leaf.argument = static_cast<int>(d.arguments.size());
  leaf.node = &value;
  leaf.type = value.type;
  leaf.requires_grad = value.requires_grad;
  d.arguments.push_back(value.describe_memory(value.value));
  d.leaves.push_back(leaf);
}

/// The sum of two recorded values.
inline TapeNode& record_sum(Tape& tape, TapeNode& a, TapeNode& b) {
  NodeDescription d;
  add_argument(d, a);
  add_argument(d, b);
  CallNode& node = record_call(tape, RuntimeProgram::sum(a.type, a.rank), std::move(d), nullptr);
  node.where = b.where;
  for (TapeNode* x : {&a, &b})
    if (x->is_leaf) node.kept.push_back(handle_of(*x, tape));
  return *node.results[0];
}

/// The gradients of a node as recorded statements.
inline void record_gradients(Sweep& sweep, TapeNode& node) {
  if (node.changed()) raise_changed(node);
  NodeDescription d;
  node.describe(d);
  if (node.extras && node.extras->saved) node.extras->saved->unpack(d.arguments.data(), sweep.tape().arena());
  if (!d.stored && !d.runtime) raise<ValueError>("create_graph: the gradient of '", std::string_view(d.name), "' cannot be recorded");
  RuntimeProgram& program = d.stored ? RuntimeProgram::of(*d.stored) : *d.runtime;
  std::vector<int> wrt;
  std::vector<LeafDescription> leaves;
  for (const LeafDescription& leaf : d.leaves)
    if (leaf.requires_grad && sweep.wants(leaf.node, leaf.source())) {
      wrt.push_back(leaf.argument);
      leaves.push_back(leaf);
    }
  std::vector<NodeHandle> kept;
  const auto add_seed = [&](TapeNode& seed) {
    add_argument(d, seed);
    if (seed.is_leaf) kept.push_back(handle_of(seed, sweep.tape()));
  };
  if (d.runtime) {
    auto& call = static_cast<CallNode&>(node);
    for (std::size_t k = 0; k < call.results.size(); ++k) {
      TapeNode& result = *call.results[k];
      if (std::exchange(call.received[k], char{0})) add_seed(*result.adjoint_node);
      else {
        std::byte* const zeros = sweep.tape().take(result.bytes());
        std::memset(zeros, 0, result.bytes());
        d.arguments.push_back(result.describe_memory(zeros));
      }
    }
  } else {
    add_seed(*node.adjoint_node);
  }
  if (leaves.empty()) return;
  CallNode& gradients = record_call(sweep.tape(), program.adjoint(wrt), std::move(d), &node);
  gradients.kept = std::move(kept);
  for (std::size_t k = 0; k < leaves.size(); ++k) {
    const graph::descriptor& own = gradients.call.arguments[static_cast<std::size_t>(leaves[k].argument)];
    for (int axis = 0; axis < gradients.results[k]->rank; ++axis)
      if (gradients.results[k]->extent[axis] != own.extent[axis])
        raise<ShapeError>("create_graph: a run-time extent of 1 was broadcast; expand it in the statement");
    sweep.deliver(leaves[k].leaf(), *gradients.results[k]);
  }
}

}  // namespace fluxion::detail
