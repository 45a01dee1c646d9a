/// Device tags. A tensor's device is part of its type; a tag says only where, the evaluators live under device/.
#pragma once
#include <string_view>
#include <type_traits>

namespace fluxion {

/// The processor that runs the program.
struct cpu_t { static constexpr std::string_view name = "cpu"; };
/// An NVIDIA GPU.
struct cuda_t { static constexpr std::string_view name = "cuda"; };
/// An AMD GPU.
struct hip_t { static constexpr std::string_view name = "hip"; };
/// An Apple GPU (Metal).
struct mps_t { static constexpr std::string_view name = "mps"; };

inline constexpr cpu_t cpu{};
inline constexpr cuda_t cuda{};
inline constexpr hip_t hip{};
inline constexpr mps_t mps{};

/// A type that says where elements live.
template <class D>
concept DeviceTag = std::is_empty_v<D> && requires { std::string_view{D::name}; };

}  // namespace fluxion
