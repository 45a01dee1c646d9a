/// Compiled plans on the CPU: one instantiation per distinct kernel, in a table that the executor indexes; the interpreter for all of them
/// under FLUXION_EAGER.
#pragma once
#include "../../graph/execute.hpp"
#include "../../graph/freeze.hpp"
#include "contract.hpp"

#if defined(FLUXION_EAGER)
#include "../../graph/interpret.hpp"
#else
#include "loop_kernel.hpp"
#include "rows_as_lanes.hpp"
#endif

namespace fluxion::host {
inline namespace FLUXION_ABI {

namespace detail {

#if defined(FLUXION_EAGER)

template <class Plan, class Sequence>
struct kernel_table;
template <class Plan, int... K>
struct kernel_table<Plan, std::integer_sequence<int, K...>> {
  static constexpr graph::loop_function functions[sizeof...(K) + 1] = {(static_cast<void>(K), &graph::interpret_loop)..., nullptr};
};

inline constexpr int widest_lanes = 1;

#else

/// The kernel of a code, in the one of the two ways that its header names; where there is one lane, they do the same.
template <class Code>
constexpr graph::loop_function function_of() {
  if constexpr (Code::header.rows_as_lanes && kernel_lanes<Code>::lanes > 1) return &rows_as_lanes<Code>::run;
  else return &loop_kernel<Code>::run;
}

template <class Plan, class Sequence>
struct kernel_table;
template <class Plan, int... K>
struct kernel_table<Plan, std::integer_sequence<int, K...>> {
  static constexpr graph::loop_function functions[sizeof...(K) + 1] = {function_of<graph::kernel_code_t<Plan, K>>()..., nullptr};
};

/// The widest row buffer step of any kernel of this build, in lanes.
inline constexpr int widest_lanes = native_lanes<float> > 1 ? native_lanes<float> : 1;

#endif

}  // namespace detail

/// The product that a plan needs: of one element type where it has only one, so that nothing else is instantiated.
template <class Plan>
constexpr graph::contract_function contraction_of() {
  constexpr auto find = [](bool first) {
    int found = -1;
    for (int s = 0; s < Plan::view.step_count; ++s) {
      if (Plan::view.steps[s].kind != graph::plan_step::contract) continue;
      const int type = static_cast<int>(Plan::view.instructions[Plan::view.steps[s].value].type);
      if (found < 0 || (first ? type < found : type > found)) found = type;
    }
    return found;
  };
  constexpr int least = find(true), most = find(false);
  if constexpr (least < 0) return nullptr;
  else if constexpr (least != most || least == static_cast<int>(element_type::boolean)) return &contract_any<>;
  else return &contract<element_t<static_cast<element_type>(least)>>;
}

/// The CPU's functions for a constant plan.
template <class Plan>
inline constexpr graph::device_functions functions_of{
    detail::kernel_table<Plan, std::make_integer_sequence<int, Plan::view.kernel_count>>::functions, contraction_of<Plan>(), detail::widest_lanes};

}  // namespace FLUXION_ABI
}  // namespace fluxion::host
