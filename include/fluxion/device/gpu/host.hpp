/// The GPU's kernels on the host: the same source, each row by a group of one thread.
#pragma once
#include "../../graph/execute.hpp"
#include "../../graph/freeze.hpp"
#include "loop_kernel.hpp"

namespace fluxion::gpu {
inline namespace FLUXION_ABI {

/// Elements of a row that one group works on at a time where rows can be cut.
inline constexpr index_t chunk_length = 1024;

/// One part of a call, as a function object: what a Thrust algorithm, or a loop, applies to 0 … rows × chunks.
template <class Code, int Items = 0>
struct part_function {
  row_call<Code::header.slots, Code::header.scalars> call;
  FLUXION_HOST_DEVICE void operator()(index_t part) const {
    loop_kernel<Code, Items>::run(one_thread{}, call, part, call.rows * call.chunks);
  }
};

/// All rows of a call, one after the other.
template <class Code, int Items>
struct host_function {
  static void run(const graph::loop_call& call) {
    loop_kernel<Code, Items>::run(one_thread{}, pack_call<Code>(call, chunk_length), 0, 1);
  }
};
template <class Code>
using host_runner = host_function<Code, 0>;

namespace detail {

[[noreturn]] inline void no_contraction(const graph::contract_call&) {
  raise<Error>("matmul: matrix products have no provider on this device yet");
}

template <class Plan, template <class> class Runner, class Sequence>
struct kernel_table;
template <class Plan, template <class> class Runner, int... K>
struct kernel_table<Plan, Runner, std::integer_sequence<int, K...>> {
  static constexpr graph::loop_function functions[sizeof...(K) + 1] = {&Runner<kernel_code_t<Plan, K>>::run..., nullptr};
};

}  // namespace detail

/// The functions of a constant plan, with `Runner<Code>::run` for each of its kernels.
template <class Plan, template <class> class Runner>
inline constexpr graph::device_functions functions_with{
    detail::kernel_table<Plan, Runner, std::make_integer_sequence<int, Plan::view.kernel_count>>::functions,
    &detail::no_contraction, 1};

/// The GPU's kernels of a constant plan, on one thread of the host.
template <class Plan>
inline constexpr graph::device_functions host_functions_of = functions_with<Plan, host_runner>;

}  // namespace FLUXION_ABI
}  // namespace fluxion::gpu
