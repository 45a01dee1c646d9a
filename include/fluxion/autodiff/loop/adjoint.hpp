/// The reverse sweep of a loop: the adjoint of its step as one plan, run backwards over states that were kept or are computed again.
#pragma once
#include "../vjp.hpp"
#include "checkpoints.hpp"
#include "value.hpp"

namespace fluxion {

/// What a differentiated loop did. Asked for by pointing LoopOptions::counts at one.
struct LoopCounts {
  index_t steps = 0;          // computed forwards, again or for the first time
  index_t reverse_steps = 0;  // the number of steps of the loop
  index_t states = 0;         // kept at a time, the initial one included
  std::size_t bytes = 0;      // of all memory for states: the kept ones, and three that are passed through
};

struct LoopOptions {
  Checkpoints memory = keep_all;
  LoopCounts* counts = nullptr;
};

namespace detail {

/// Of the leaves of a step or a loss, those that are differentiated: the state's and the outputs', as far as they are of floating point, and those
/// of the arguments `Wanted`. What their adjoints are, output by output.
template <class Function, class Wanted, class... A>
struct differentiated;
template <class F, bool Loss, std::size_t... W, class... A>
struct differentiated<ungrouped<F, Loss, A...>, std::index_sequence<W...>, A...> {
  struct adjoint {
    loop_role role = loop_role::state;
    int argument = 0;  // of the loop
    int tensor = 0;    // of the state: which
  };
  template <class L>
  static constexpr bool is_floating_leaf() {
    if constexpr (requires { typename L::value_type; }) return std::is_floating_point_v<typename L::value_type>;
    else return true;
  }
  struct table_t {
    int leaf[256]{};
    adjoint of_output[256]{};
    int leaves = 0, outputs = 0;
  };
  template <class... L>
  static constexpr void add(table_t& t, loop_role role, int argument, bool wanted, int& leaf, int& tensor, std::type_identity<std::tuple<L...>>) {
    [[maybe_unused]] const auto one = [&](int tensors, int outputs, bool floating) {
      if (wanted && floating) {
        t.leaf[t.leaves++] = leaf;
        for (int k = 0; k < outputs; ++k) t.of_output[t.outputs++] = {role, argument, tensor + k};
      }
      ++leaf;
      tensor += tensors;
    };
    (one(argument_traits<L>::arguments, outputs_of_leaf<L>(), is_floating_leaf<L>() || (role != loop_role::state && role != loop_role::output)), ...);
  }
  static constexpr table_t table = [] {
    table_t t;
    int leaf = 0, tensor = 0, argument = 0;
    [[maybe_unused]] const auto one = [&]<class X>(std::type_identity<X>) {
      constexpr loop_role role = loop_argument<X>::role;
      const bool wanted = role == loop_role::state || role == loop_role::output || ((static_cast<int>(W) == argument) || ... || false);
      add(t, role, argument, wanted, leaf, tensor, std::type_identity<typename ungrouped<F, Loss, A...>::template types_of<X>>{});
      ++argument;
    };
    (one(std::type_identity<A>{}), ...);
    return t;
  }();
  template <int... K>
  static auto numbers(std::integer_sequence<int, K...>) -> std::integer_sequence<int, table.leaf[K]...>;
  using leaves = decltype(numbers(std::make_integer_sequence<int, table.leaves>{}));
};

/// Records the adjoints of a step: behind its own arguments come cotangents of the new state, of outputs along the way and, for each constant, the sum of the adjoints
/// so far. Outputs are the adjoints in the order of `Leaves`, those of constants with that sum added. With `AddToState` the state's too are
/// added to something given.
template <class Inner, class Adjoints, bool AddToState = false>
struct step_adjoint_source;
template <class F, class... L, class Adjoints, bool AddToState>
struct step_adjoint_source<function_source<F, L...>, Adjoints, AddToState> {
  using inner = function_source<F, L...>;
  static constexpr int expected_size = 3 * graph::constant_program<inner>::value.instruction_count;

  static constexpr graph::shape without_symbols(graph::shape s) {
    for (int axis = 0; axis < s.rank; ++axis)
      if (graph::is_symbol(s.extent[axis])) s.extent[axis] = -1;
    return s;
  }
  static constexpr graph::program make() {
    using namespace graph;
    program p = thaw(constant_program<inner>::value);
    if (p.error.code != program_error::none) return p;
    const list<int> wrt = instructions_of_arguments<L...>(p, typename Adjoints::leaves{});
    list<int> outputs, cotangents;
    for (const int o : p.outputs)
      if (is_floating(p[o].type)) {
        outputs.push_back(o);
        cotangents.push_back(p.argument(p.argument_count, p[o].type, without_symbols(p.shape_of(o))));
      }
    p.outputs.clear();
    const list<int> found = vjp_function<F, false, 1>::append_products(p, outputs, cotangents, wrt);
    for (int k = 0; k < found.size(); ++k) {
      int adjoint = found[k];
      if (AddToState || Adjoints::table.of_output[k].role == loop_role::constant) {
        const int sum = p.argument(p.argument_count, p[adjoint].type, without_symbols(p.shape_of(adjoint)));
        adjoint = record_map(p, opcode_of<operation::add>, sum, adjoint);
      }
      p.outputs.push_back(static_cast<std::int16_t>(adjoint));
    }
    return p;
  }

  /// The argument that each output is the adjoint of; -1 for a number.
  static constexpr auto make_primals() {
    const graph::program p = graph::thaw(graph::constant_program<inner>::value);
    std::array<int, static_cast<std::size_t>(Adjoints::table.outputs + 1)> primals{};
    const list<int> wrt = instructions_of_arguments<L...>(p, typename Adjoints::leaves{});
    for (int k = 0; k < wrt.size(); ++k) primals[static_cast<std::size_t>(k)] = p.is<operation::argument>(wrt[k]) ? p[wrt[k]].attribute : -1;
    return primals;
  }
};

}  // namespace detail
}  // namespace fluxion
