/// An NVIDIA GPU as an object: its stream, its memory, and its errors as the library's.
// needs: nvcc
#pragma once
#include "../../core/error.hpp"
#include "../../core/extents.hpp"

#include <cuda_runtime_api.h>

#include <string>
#include <utility>

namespace fluxion::gpu {

/// There is no GPU here that this program can use.
class UnavailableError : public Error {
 public:
  using Error::Error;
};

/// Raises what a call of the CUDA runtime reports, naming what was being done: UnavailableError where there is no usable
/// GPU, else Error.
inline void check(cudaError_t status, const char* what) {
  if (status == cudaSuccess) return;
  cudaGetLastError();  // one that is not sticky would be reported again by the next launch
  const std::string reason =
      std::string(" (cuda error ") + std::to_string(static_cast<int>(status)) + ": " + cudaGetErrorString(status) + ")";
  switch (status) {
    case cudaErrorInsufficientDriver:
      raise<UnavailableError>(
          std::string(what) +
          ": the NVIDIA driver is missing or older than the CUDA runtime of this program; install a newer one" + reason);
    case cudaErrorNoDevice:
      raise<UnavailableError>(std::string(what) + ": this machine has no CUDA device" + reason);
    case cudaErrorNoKernelImageForDevice:
      raise<UnavailableError>(
          std::string(what) +
          ": the program was not compiled for the architecture of this device; add it with nvcc's -gencode" + reason);
    case cudaErrorMemoryAllocation:
      raise<Error>(std::string(what) + ": the device is out of memory" + reason);
    default:
      raise<Error>(std::string(what) + " failed" + reason);
  }
}

/// A device and a stream of its own, in which everything runs that is asked of this object. Raises UnavailableError where
/// there is none.
class Cuda {
 public:
  explicit Cuda(int device = 0) : device_(device) {
    int count = 0;
    check(cudaGetDeviceCount(&count), "cuda: looking for devices");
    if (device < 0 || device >= count)
      raise<UnavailableError>("cuda: there is no device " + std::to_string(device) + "; found " + std::to_string(count));
    check(cudaSetDevice(device_), "cuda: selecting a device");
    check(cudaDeviceGetAttribute(&multiprocessors_, cudaDevAttrMultiProcessorCount, device_),
          "cuda: asking for the number of multiprocessors");
    check(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), "cuda: creating a stream");
  }
  Cuda(const Cuda&) = delete;
  Cuda& operator=(const Cuda&) = delete;
  ~Cuda() { cudaStreamDestroy(stream_); }

  int device() const { return device_; }
  cudaStream_t stream() const { return stream_; }
  int multiprocessors() const { return multiprocessors_; }
  /// Waits until all that was asked for is done; raises what went wrong in it.
  void synchronize() const { check(cudaStreamSynchronize(stream_), "cuda: waiting for the stream"); }

 private:
  int device_ = 0;
  int multiprocessors_ = 1;
  cudaStream_t stream_ = nullptr;
};

/// Elements in a device's memory, owned. Copies to and from the host wait for the stream.
template <class T>
class buffer {
 public:
  buffer() = default;
  buffer(const Cuda& device, index_t size) : device_(&device), size_(size) {
    if (size == 0) return;
    check(cudaSetDevice(device.device()), "cuda: selecting a device");
    check(cudaMalloc(reinterpret_cast<void**>(&data_), bytes()), "cuda: allocating memory");
  }
  buffer(const Cuda& device, const T* elements, index_t size) : buffer(device, size) { copy_from(elements); }
  buffer(buffer&& other) noexcept
      : device_(other.device_), data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}
  buffer& operator=(buffer other) noexcept {
    std::swap(device_, other.device_);
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    return *this;
  }
  ~buffer() { cudaFree(data_); }

  T* data() const { return data_; }
  index_t size() const { return size_; }
  /// From `size()` elements of the host.
  void copy_from(const T* elements) { copy(data_, elements, cudaMemcpyHostToDevice, "cuda: copying to the device"); }
  /// To `size()` elements of the host.
  void copy_to(T* elements) const { copy(elements, data_, cudaMemcpyDeviceToHost, "cuda: copying to the host"); }

 private:
  std::size_t bytes() const { return static_cast<std::size_t>(size_) * sizeof(T); }
  void copy(T* to, const T* from, cudaMemcpyKind kind, const char* what) const {
    if (size_ == 0) return;
    check(cudaMemcpyAsync(to, from, bytes(), kind, device_->stream()), what);
    device_->synchronize();
  }

  const Cuda* device_ = nullptr;
  T* data_ = nullptr;
  index_t size_ = 0;
};

}  // namespace fluxion::gpu
