/// Anomaly mode: the first NaN or infinity of a statement or of its backward is an error that names the operation and the line.
///
///     const fx::DetectAnomaly scope;
///     fx::Var loss = fx::sum(fx::log(x));   // ValueError: anomaly: log gives -inf at [2] in the statement 'log, sum' of model.cpp:12
#pragma once
#include "../graph/oracle.hpp"
#include "../graph/pass/differentiate.hpp"
#include "var.hpp"

#include <cmath>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fluxion {

namespace detail {

/// "-inf at [2]" if memory holds something that is not finite, else nothing.
inline std::string find_anomaly(const std::byte* data, element_type type, int rank, const index_t* extents) {
  index_t size = 1;
  for (int axis = 0; axis < rank; ++axis) size *= extents[axis];
  for (index_t n = 0; n < size; ++n) {
    const double v = type == element_type::float32 ? static_cast<double>(reinterpret_cast<const float*>(data)[n]) : reinterpret_cast<const double*>(data)[n];
    if (std::isfinite(v)) continue;
    index_t at[max_rank];
    for (int axis = rank; axis-- > 0; n /= extents[axis]) at[axis] = n % extents[axis];
    return std::string(std::isnan(v) ? "NaN" : v > 0 ? "inf" : "-inf") + (rank > 0 ? " at " + to_string(at, rank) : "");
  }
  return {};
}

/// A value bound to a program, for the oracle.
inline graph::oracle_value oracle_value_of(const graph::descriptor& d, element_type type, int rank) {
  graph::oracle_value v;
  v.type = type;
  v.extents.assign(d.extent, d.extent + rank);
  index_t size = 1;
  for (int axis = 0; axis < rank; ++axis) size *= d.extent[axis];
  dispatch(type, [&](auto zero) {
    using T = decltype(zero);
    for (index_t n = 0; n < size; ++n) {
      index_t rest = n, offset = 0;
      for (int axis = rank; axis-- > 0; rest /= d.extent[axis]) offset += rest % d.extent[axis] * d.stride[axis];
      v.data.push_back(static_cast<double>(reinterpret_cast<const T*>(d.data)[offset]));
    }
  });
  return v;
}

/// Evaluates a program instruction by instruction and names the first whose result is not finite although its operands are: "log gives -inf at
/// [2]". Empty if there is none, which happens where only the rounding of kernels made one.
inline std::string blame_operation(graph::program p, const std::vector<graph::descriptor>& given, const std::vector<graph::scalar_value>& scalars) {
  std::vector<graph::oracle_value> arguments(given.size());
  for (int i = 0; i < p.size(); ++i)
    if (p.is<operation::argument>(i)) {
      const auto k = static_cast<std::size_t>(p[i].attribute);
      arguments[k] = oracle_value_of(given[k], p[i].type, p.shape_of(i).rank);
    }
  p = graph::eliminate_dead_code(p);
  p.outputs.clear();
  for (int i = 0; i < p.size(); ++i) p.outputs.push_back(static_cast<std::int16_t>(i));
  const std::vector<graph::oracle_value> values = graph::evaluate_oracle(p, arguments, scalars, {.round = true});
  std::vector<bool> finite(values.size(), true);
  for (std::size_t i = 0; i < values.size(); ++i) {
    const graph::oracle_value& v = values[i];
    if (!is_floating(v.type)) continue;
    const std::string found = find_anomaly(reinterpret_cast<const std::byte*>(v.data.data()), element_type::float64, static_cast<int>(v.extents.size()), v.extents.data());
    finite[i] = found.empty();
    const graph::instruction& x = p[static_cast<int>(i)];
    bool operands_finite = true;
    for (int k = 0; k < graph::max_operands; ++k)
      if (x.operand[k] >= 0) operands_finite = operands_finite && finite[static_cast<std::size_t>(x.operand[k])];
    // A constant is what the user wrote; what it makes of others is reported.
    if (finite[i] || !operands_finite || x.operation == graph::opcode_of<operation::constant>) continue;
    if (x.operation == graph::opcode_of<operation::argument>) return "argument " + std::to_string(x.attribute) + " has " + found;
    return std::string(graph::info_of(x.operation).name) + " gives " + found;
  }
  return {};
}

inline void check_forward(const TapeNode& value, const NodeDescription& d) {
  const std::string found = find_anomaly(value.value, value.type, value.rank, value.extent);
  if (found.empty()) return;
  std::string blame = blame_operation(d.stored->make(), d.arguments, d.scalars);
  if (blame.empty()) blame = "the result has " + found;
  raise<ValueError>("anomaly: " + blame + " in the " + name_of_statement(d, value.where));
}

inline void check_backward(const TapeNode& node, const AnyGradient* gradients, int count) {
  std::string found;
  for (int k = 0; k < count && found.empty(); ++k)
    if (gradients[k].data) found = find_anomaly(gradients[k].data, gradients[k].type, gradients[k].rank, gradients[k].extents);
  if (found.empty()) return;
  NodeDescription d;
  node.describe(d);
  const ArenaScope unpacked;
  if (node.extras && node.extras->saved) node.extras->saved->unpack(d.arguments.data(), Arena::of_this_thread());
  std::string blame;
  if (d.stored) {
    graph::program p = d.stored->make();
    const int output = p.outputs[0];
    graph::shape s = p.shape_of(output);
    for (int axis = 0; axis < s.rank; ++axis)
      if (graph::is_symbol(s.extent[axis])) s.extent[axis] = -1;
    list<int> outputs, seeds, wrt;
    seeds.push_back(p.argument(p.argument_count, p[output].type, s));
    outputs.push_back(output);
    for (int i = 0; i < p.size(); ++i)
      for (const LeafDescription& leaf : d.leaves)
        if (p.is<operation::argument>(i) && p[i].attribute == leaf.argument && leaf.requires_grad) wrt.push_back(i);
    p.outputs.clear();
    for (const int a : graph::append_adjoints(p, outputs, seeds, wrt)) p.outputs.push_back(static_cast<std::int16_t>(a));
    d.arguments.push_back(node.describe_memory(node.adjoint));
    blame = blame_operation(std::move(p), d.arguments, d.scalars);
    const std::string seed = "argument " + std::to_string(d.arguments.size() - 1) + " has";
    if (blame.starts_with(seed)) blame = "the gradient that it is given has" + blame.substr(seed.size());
  }
  if (blame.empty()) blame = "a gradient has " + found;
  raise<ValueError>("anomaly: " + blame + " in the backward of the " + name_of_statement(d, node.where));
}

inline constexpr AnomalyChecks anomaly_checks{&check_forward, &check_backward};

}  // namespace detail

/// While it lives, every statement of this thread and every backward of one is checked: the first NaN or infinity raises ValueError, which names the
/// operation that made it and the line of the variable. Costs a pass over every value. libtorch's DetectAnomalyGuard.
class DetectAnomaly {
 public:
  explicit DetectAnomaly(bool enabled = true) : outer_(std::exchange(detail::autograd_state.anomaly, enabled ? &detail::anomaly_checks : nullptr)) {}
  DetectAnomaly(const DetectAnomaly&) = delete;
  DetectAnomaly& operator=(const DetectAnomaly&) = delete;
  ~DetectAnomaly() { detail::autograd_state.anomaly = outer_; }

 private:
  const detail::AnomalyChecks* outer_;
};

}  // namespace fluxion
