/// Execution groups of CUDA: a warp, and a block of threads.
// needs: nvcc
#pragma once
#include "../../core/extents.hpp"
#include "group.hpp"

#include <cub/block/block_reduce.cuh>

namespace fluxion::gpu {
inline namespace FLUXION_ABI {

/// The 32 threads of a warp. Each of a grid's warps is a group.
struct warp {
  static constexpr int threads = 128;  // of a block
  static __device__ int rank() { return static_cast<int>(threadIdx.x) % 32; }
  static __device__ constexpr int size() { return 32; }
  static __device__ void sync() { __syncwarp(); }
  static __device__ index_t index() { return static_cast<index_t>(blockIdx.x) * (threads / 32) + threadIdx.x / 32; }
  static __device__ index_t count() { return static_cast<index_t>(gridDim.x) * (threads / 32); }

  /// Lanes exchange in pairs: every lane combines the same values in the same tree, so all get the same bits.
  template <class T, class Combine>
  static __device__ T reduce(T value, Combine combine) {
    for (int distance = 16; distance > 0; distance /= 2)
      value = combine(value, __shfl_xor_sync(0xffffffffu, value, distance));
    return value;
  }
  static constexpr index_t groups_in_block = threads / 32;
};

/// All threads of a block.
template <int Threads>
struct block {
  static constexpr int threads = Threads;
  static __device__ int rank() { return static_cast<int>(threadIdx.x); }
  static __device__ constexpr int size() { return Threads; }
  static __device__ void sync() { __syncthreads(); }
  static __device__ index_t index() { return blockIdx.x; }
  static __device__ index_t count() { return gridDim.x; }

  template <class T, class Combine>
  static __device__ T reduce(T value, Combine combine) {
    using reduction = cub::BlockReduce<T, Threads>;
    __shared__ typename reduction::TempStorage storage;
    __shared__ T total;
    const T combined = reduction(storage).Reduce(value, combine);
    if (threadIdx.x == 0) total = combined;
    __syncthreads();
    value = total;
    __syncthreads();  // before the next reduction writes there
    return value;
  }
  static constexpr index_t groups_in_block = 1;
};

}  // namespace FLUXION_ABI
}  // namespace fluxion::gpu
