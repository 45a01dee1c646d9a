/// What a parameter holds for the tape, if there is anything: hooks, and a gradient that was recorded.
#pragma once

namespace fluxion::detail {

struct TapeNode;

/// Made by the tape when it is first needed, deleted by the parameter.
struct ParameterState {
  virtual ~ParameterState() = default;
  /// The parameter as a leaf, with its present extents.
  virtual TapeNode& node() = 0;
  virtual void forget_recorded() noexcept = 0;
};

/// Has the functions of the tape found that parameters call.
struct ForTape {};
template <class>
inline constexpr bool needs_tape = false;

}  // namespace fluxion::detail
