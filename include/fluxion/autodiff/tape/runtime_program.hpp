/// Programs that are differentiated, planned and interpreted while the program runs: derivatives of derivatives of recorded statements, to any
/// order, without a kernel that the compiler would have to make for each.
#pragma once
#include "../../device/cpu/contract.hpp"
#include "../../graph/bind.hpp"
#include "../../graph/execute.hpp"
#include "../../graph/interpret.hpp"
#include "../../graph/pass/differentiate.hpp"
#include "../../graph/pass/make_plan.hpp"
#include "description.hpp"

#include <map>
#include <memory>
#include <utility>
#include <vector>

namespace fluxion::detail {

/// A program with its plan, and with its adjoints as far as they were asked for.
class RuntimeProgram {
 public:
  explicit RuntimeProgram(graph::program p) : program_(std::move(p)) {
    if (program_.error.code != graph::program_error::none) raise<Error>("create_graph: a statement cannot be differentiated again");
  }

  const graph::program& program() const { return program_; }
  int output_count() const { return program_.outputs.size(); }

  /// That of a statement, made once on each thread.
  static RuntimeProgram& of(const StoredProgram& stored) {
    thread_local std::map<const StoredProgram*, std::unique_ptr<RuntimeProgram>> programs;
    auto& found = programs[&stored];
    if (!found) found = std::make_unique<RuntimeProgram>(stored.make());
    return *found;
  }
  /// The sum of two values of this type and rank.
  static RuntimeProgram& sum(element_type type, int rank) {
    thread_local std::map<std::pair<element_type, int>, std::unique_ptr<RuntimeProgram>> programs;
    auto& found = programs[{type, rank}];
    if (!found) {
      graph::program p;
      const int a = p.argument(0, type, free_shape(rank)), b = p.argument(1, type, free_shape(rank));
      p.outputs.push_back(static_cast<std::int16_t>(graph::record_map(p, graph::opcode_of<operation::add>, a, b)));
      found = std::make_unique<RuntimeProgram>(std::move(p));
    }
    return *found;
  }

  /// The program whose outputs are the gradients of these arguments; after the arguments it takes those of the outputs.
  RuntimeProgram& adjoint(const std::vector<int>& arguments) {
    auto& found = adjoints_[arguments];
    if (found) return *found;
    graph::program p = program_;
    list<int> outputs, seeds, wrt;
    for (int k = 0; k < program_.outputs.size(); ++k) {
      const int o = program_.outputs[k];
      outputs.push_back(o);
      seeds.push_back(p.argument(program_.argument_count + k, p[o].type, free_shape(p.shape_of(o))));
    }
    for (const int argument : arguments) {
      int i = 0;
      while (i < program_.size() && !(p.is<operation::argument>(i) && p[i].attribute == argument)) ++i;
      if (i == program_.size()) raise<Error>("create_graph: a program lacks an argument");
      wrt.push_back(i);
    }
    p.outputs.clear();
    for (const int d : graph::append_adjoints(p, outputs, seeds, wrt)) p.outputs.push_back(static_cast<std::int16_t>(d));
    found = std::make_unique<RuntimeProgram>(std::move(p));
    return *found;
  }

  /// Computes all outputs: `place(k, extents)` says where output k, whose extents these are, is to be put.
  template <class Place>
  void run(const graph::descriptor* arguments, const graph::scalar_value* scalars, Place&& place) {
    if (plan_.code.size() == 0) make_plan();
    std::vector<index_t> symbols(static_cast<std::size_t>(view_.symbol_count + 1));
    graph::bind(view_, arguments, symbols.data());
    std::vector<graph::descriptor> outputs(static_cast<std::size_t>(view_.output_count));
    for (int k = 0; k < view_.output_count; ++k) {
      graph::descriptor& d = outputs[static_cast<std::size_t>(k)];
      graph::output_extents(view_, k, symbols.data(), d.extent);
      index_t stride = 1;
      for (int axis = view_.shape_of(view_.outputs[k]).rank; axis-- > 0; stride *= d.extent[axis]) d.stride[axis] = stride;
      d.data = place(k, d.extent);
    }
    graph::device_functions device;
    device.loops = loops_.data();
    device.contract = &host::contract_any<>;
    graph::execute(view_, device, arguments, scalars, outputs.data(), symbols.data());
  }

 private:
  static graph::shape free_shape(int rank) {
    graph::shape s;
    s.rank = static_cast<decltype(s.rank)>(rank);
    for (int axis = 0; axis < rank; ++axis) s.extent[axis] = -1;
    return s;
  }
  static graph::shape free_shape(graph::shape s) {
    for (int axis = 0; axis < s.rank; ++axis)
      if (graph::is_symbol(s.extent[axis])) s.extent[axis] = -1;
    return s;
  }
  void make_plan() {
    plan_ = graph::make_plan(program_);
    if (plan_.code.size() == 0) raise<Error>("create_graph: a statement could not be planned");
    view_ = graph::view_of(plan_);
    loops_.assign(static_cast<std::size_t>(view_.kernel_count + 1), &graph::interpret_loop);
  }

  graph::program program_;
  graph::plan plan_;
  graph::plan_view view_;
  std::vector<graph::loop_function> loops_;
  std::map<std::vector<int>, std::unique_ptr<RuntimeProgram>> adjoints_;
};

}  // namespace fluxion::detail
