/// Compiled plans on an NVIDIA GPU: one kernel per distinct kernel of the plan and width of group.
// needs: nvcc
#pragma once
#include "cuda.hpp"
#include "cuda_group.hpp"
#include "host.hpp"

namespace fluxion::gpu {
inline namespace FLUXION_ABI {

namespace detail {

/// The device that launches of this thread go to: the executor's function pointers carry no state.
inline const Cuda*& current_device() {
  thread_local const Cuda* device = nullptr;
  return device;
}

class device_scope {
 public:
  explicit device_scope(const Cuda& device) : former_(std::exchange(current_device(), &device)) {}
  device_scope(const device_scope&) = delete;
  device_scope& operator=(const device_scope&) = delete;
  ~device_scope() { current_device() = former_; }

 private:
  const Cuda* former_;
};

/// Groups go over the call's parts in strides of the grid.
template <class Group, int Items, int Slots, int Scalars, std::uint64_t... W>
__global__ void __launch_bounds__(Group::threads) run_parts(const __grid_constant__ row_call<Slots, Scalars> call) {
  loop_kernel<kernel_code<W...>, Items>::run(Group{}, call, Group::index(), Group::count());
}

/// Specialised on the integers: nvcc's host stub of a kernel must be able to name its arguments.
template <class Code>
struct launcher;
template <std::uint64_t... W>
struct launcher<kernel_code<W...>> {
  using code = kernel_code<W...>;
  static constexpr int slots = code::header.slots, scalars = code::header.scalars;
  static_assert(sizeof(row_call<slots, scalars>) <= 32764,
                "a kernel reads and writes more tensors than a launch has room for");

  /// Short rows by a warp, others by a block; both keep costly values in registers while a thread's share of a row is
  /// small.
  static void run(const graph::loop_call& call) {
    if constexpr (!reduces_rows<code>()) {
      launch<warp, 0>(pack_call<code>(call, 1024));
    } else {
      constexpr index_t shared_row = 8;  // elements of a row for each thread
      const auto packed = pack_call<code>(call, call.row);
      if (packed.row <= shared_row * 32)
        launch<warp, 8>(packed);
      else if constexpr (code::header.row_length == 0) {
        if (packed.row <= shared_row * 256)
          launch<block<256>, 8>(packed);
        else
          launch<block<256>, 0>(packed);
      }
    }
  }

 private:
  template <class Group, int Items>
  static void launch(const row_call<slots, scalars>& call) {
    const Cuda* device = current_device();
    if (device == nullptr) raise<Error>("cuda: a kernel was launched outside execute()");
    const index_t wanted = (call.rows * call.chunks + Group::groups_in_block - 1) / Group::groups_in_block;
    const index_t useful = static_cast<index_t>(device->multiprocessors()) * (2048 / Group::threads);
    const auto blocks = static_cast<unsigned>(wanted < useful ? wanted : useful);
    if (blocks == 0) return;
    run_parts<Group, Items, slots, scalars, W...><<<blocks, Group::threads, 0, device->stream()>>>(call);
    check(cudaGetLastError(), "cuda: launching a kernel");
  }
};

}  // namespace detail

/// A GPU's functions for a constant plan.
template <class Plan>
inline constexpr graph::device_functions functions_of = functions_with<Plan, detail::launcher>;

/// Runs a constant plan on a device, whose memory arguments and outputs are in; returns when all kernels are launched.
/// Raises ShapeError and the like before the first of them. This evaluator has kernels only: a plan that needs temporaries
/// or copies raises Error.
template <class Plan>
void execute(const Cuda& device, const graph::descriptor* arguments, const graph::scalar_value* scalars,
             const graph::descriptor* outputs) {
  constexpr const graph::plan_view& v = Plan::view;
  static_assert(v.temporaries == 0, "plans with values between kernels do not run on this device yet");
  index_t symbols[static_cast<std::size_t>(v.symbol_count > 0 ? v.symbol_count : 1)]{};
  graph::bind(v, arguments, symbols);
  for (int k = 0; k < v.output_count; ++k)
    if (!graph::detail::is_contiguous(outputs[k], v.shape_of(v.outputs[k]).rank))
      raise<Error>("cuda: outputs must be contiguous");
  // The executor copies on the host, so ask it first, without kernels, whether it would.
  constexpr graph::device_functions none{nullptr, nullptr, 1};
  graph::counters count;
  graph::execute_constant<Plan>(none, arguments, scalars, outputs, symbols, &count);
  if (count.copies > 0) raise<Error>("cuda: an operand's memory layout needs a copy, which this device cannot make yet");
  check(cudaSetDevice(device.device()), "cuda: selecting a device");
  const detail::device_scope scope(device);
  graph::execute_constant<Plan>(functions_of<Plan>, arguments, scalars, outputs, symbols);
}

}  // namespace FLUXION_ABI
}  // namespace fluxion::gpu
