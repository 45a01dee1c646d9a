/// Whether statements are recorded on this thread, and scopes that say so: `NoGradGuard`, `AutoGradMode`, `InferenceMode`, as in libtorch.
#pragma once
#include <cstdint>
#include <utility>

namespace fluxion {

namespace detail {

struct AnomalyChecks;
struct SavedHooks;

/// What one thread's scopes have set.
struct AutogradState {
  std::uint64_t no_grad = 0;  // all bits while nothing is recorded: statements about numbers look at it together with other bits
  bool inference = false;
  const AnomalyChecks* anomaly = nullptr;  // set by DetectAnomaly
  const SavedHooks* saved_hooks = nullptr;  // set by SavedTensorsHooks
};
inline constinit thread_local AutogradState autograd_state{};

}  // namespace detail

/// Whether variables are recorded on this thread.
inline bool is_grad_enabled() noexcept { return detail::autograd_state.no_grad == 0; }

/// While it lives, variables made on this thread are recorded, or are not.
class AutoGradMode {
 public:
  explicit AutoGradMode(bool enabled) noexcept : outer_(std::exchange(detail::autograd_state.no_grad, enabled ? 0 : ~std::uint64_t{})) {}
  AutoGradMode(const AutoGradMode&) = delete;
  AutoGradMode& operator=(const AutoGradMode&) = delete;
  ~AutoGradMode() { detail::autograd_state.no_grad = outer_; }

 private:
  std::uint64_t outer_;
};

/// While it lives, nothing is recorded on this thread: variables made from expressions own their value and require no gradient.
class NoGradGuard : public AutoGradMode {
 public:
  NoGradGuard() noexcept : AutoGradMode(false) {}
};

/// As NoGradGuard; what is made in it may moreover never be part of a recorded statement, which is an error then.
class InferenceMode : public NoGradGuard {
 public:
  InferenceMode() noexcept : outer_(std::exchange(detail::autograd_state.inference, true)) {}
  ~InferenceMode() { detail::autograd_state.inference = outer_; }

 private:
  bool outer_;
};

}  // namespace fluxion
