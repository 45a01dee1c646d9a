/// Hooks and retained gradients of scalar variables: few, and apart from the recording, which knows nothing of them. A sweep stops at their statements.
#pragma once
#include "../../core/config.hpp"
#include "../tape/hook_list.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <type_traits>
#include <utility>
#include <vector>

namespace fluxion::detail {

/// On the gradient of a number, which it may change.
template <class T>
struct ScalarHook : HookBase {
  virtual void call(T& gradient) = 0;
};
template <class T, class F>
struct ScalarHookOf final : ScalarHook<T> {
  explicit ScalarHookOf(F function) : f(std::move(function)) {}
  void call(T& gradient) override {
    if constexpr (std::is_void_v<decltype(f(std::as_const(gradient)))>) f(std::as_const(gradient));
    else gradient = static_cast<T>(f(std::as_const(gradient)));
  }
  F f;
};

/// A variable whose gradient somebody wants to see.
template <class T>
struct ScalarWatch {
  std::int32_t index;  // negative: an input
  std::uint32_t recording;
  bool retains = false;
  T retained{};
  T before{};  // of an input: its gradient before the sweep
  std::unique_ptr<HookList<ScalarHook<T>>> hooks = std::make_unique<HookList<ScalarHook<T>>>();

  /// Its whole gradient has arrived.
  void arrive(T& gradient) {
    hooks->each([&](ScalarHook<T>& hook) { hook.call(gradient); });
    if (retains) retained += gradient;
  }
};

/// Those of a thread, by index, the last statement first.
template <class T>
class ScalarWatches {
 public:
  bool any() const { return !watches_.empty(); }
  /// Null if there is none.
  ScalarWatch<T>* find(std::int32_t index, std::uint32_t recording) {
    for (ScalarWatch<T>& w : watches_)
      if (w.index == index && w.recording == recording) return &w;
    return nullptr;
  }
  ScalarWatch<T>& add(std::int32_t index, std::uint32_t recording) {
    if (ScalarWatch<T>* const found = find(index, recording)) return *found;
    const auto at = std::find_if(watches_.begin(), watches_.end(), [&](const ScalarWatch<T>& w) { return w.index < index; });
    ScalarWatch<T> w;
    w.index = index;
    w.recording = recording;
    return *watches_.insert(at, std::move(w));
  }
  /// Forgets those for which keep(recording) is false.
  template <class Keep>
  void forget_others(const Keep& keep) {
    std::erase_if(watches_, [&](const ScalarWatch<T>& w) { return !keep(w.recording); });
  }
  /// Calls f(watch) for each, which may add others.
  template <class F>
  void each(const F& f) {
    for (std::size_t k = 0; k < watches_.size(); ++k) f(watches_[k]);
  }

 private:
  std::vector<ScalarWatch<T>> watches_;
};

}  // namespace fluxion::detail
