/// Programs of any length with the mix of instructions that real ones have: a deep network's training step, and a long chain.
#pragma once
#include <fluxion/graph/function/composition.hpp>
#include <fluxion/graph/pass/differentiate.hpp>

namespace fluxion::test {

using graph::program;

/// A residual network of `blocks` blocks with layer norm, its loss, the gradients of all its parameters, and the parameters after a step
/// of gradient descent as outputs. The extent of the batch is a symbol.
class network_recorder {
 public:
  static constexpr index_t features = 16, hidden = 32, classes = 8;

  constexpr explicit network_recorder(int blocks) : blocks_(blocks) {}

  /// Records the loss; parameters are arguments from the second on.
  constexpr program forward() {
    program p;
    Symbol h = argument(p, -1, features), target = argument(p, -1, classes);
    for (int b = 0; b < blocks_; ++b) {
      const Symbol scale = argument(p, features), shift = argument(p, features);
      const Symbol first = argument(p, features, hidden), first_bias = argument(p, hidden);
      const Symbol second = argument(p, hidden, features), second_bias = argument(p, features);
      const Symbol inner = relu(matmul(layer_norm(h, scale, shift), first) + first_bias);
      h = h + (matmul(inner, second) + second_bias);
    }
    const Symbol weight = argument(p, features, classes), bias = argument(p, classes);
    p.outputs.push_back(static_cast<std::int16_t>(cross_entropy(matmul(h, weight) + bias, target).index()));
    return p;
  }

  /// Appends gradients and updated parameters.
  static constexpr void append_step(program& p) {
    const int loss = p.outputs[0];
    list<int> outputs(1, loss), seeds(1, p.constant(p[loss].type, 1)), parameters;
    for (int i = 0; i < p.size(); ++i)
      if (p.is<operation::argument>(i) && p[i].attribute >= 2) parameters.push_back(i);
    const list<int> gradients = graph::append_adjoints(p, outputs, seeds, parameters);
    for (int k = 0; k < parameters.size(); ++k) {
      const Symbol updated = Symbol(p, parameters[k]) - Symbol(p, gradients[k]) * 0.01;
      p.outputs.push_back(static_cast<std::int16_t>(updated.index()));
    }
  }

 private:
  static constexpr Symbol argument(program& p, graph::extent_t rows, graph::extent_t columns = -2) {
    graph::shape s;
    s.rank = columns == -2 ? 1 : 2;
    s.extent[0] = rows;
    s.extent[1] = columns == -2 ? 0 : columns;
    return Symbol(p, p.argument(p.argument_count, element_type::float32, s));
  }

  int blocks_;
};

/// A chain of `links` elementwise links on rows of a symbolic number; values of earlier links are used again, and some links reduce.
constexpr program record_chain(int links) {
  program p;
  graph::shape s;
  s.rank = 2;
  s.extent[0] = -1;
  s.extent[1] = 12;
  const Symbol x(p, p.argument(0, element_type::float32, s)), y(p, p.argument(1, element_type::float32, s));
  Symbol previous = y, value = x;
  for (int n = 0; n < links; ++n) {
    const Symbol scaled = value * (0.25 + 0.001 * (n % 97));  // no expression records two: their order would be the compiler's
    Symbol next = tanh(scaled + previous * 0.5) + y;
    if (n % 16 == 15) next = next - mean(next, axis<-1>, keepdim);
    else if (n % 5 == 4) next = maximum(next, x) * 0.5;
    previous = value;
    value = next;
  }
  p.outputs.push_back(static_cast<std::int16_t>(value.index()));
  p.outputs.push_back(static_cast<std::int16_t>(sum(value).index()));
  return p;
}

/// The sources of constant programs.
template <int Blocks>
struct network_loss_source {
  static constexpr program make() { return network_recorder(Blocks).forward(); }
};
template <int Blocks>
struct network_source {
  static constexpr program make() {
    program p = network_recorder(Blocks).forward();
    network_recorder::append_step(p);
    return p;
  }
};
template <int Links>
struct chain_source {
  static constexpr program make() { return record_chain(Links); }
};

}  // namespace fluxion::test
