/// Hooks that users registered, and how they are removed.
#pragma once
#include <cstddef>
#include <memory>
#include <utility>

namespace fluxion {
namespace detail {

/// A hook that a user registered, whatever it is called with.
struct HookBase {
  bool removed = false;
  virtual ~HookBase() = default;
};

}  // namespace detail

/// Removes a hook; copies remove the same one. The hook need not exist any more.
class RemovableHandle {
 public:
  RemovableHandle() = default;
  explicit RemovableHandle(std::weak_ptr<detail::HookBase> hook) : hook_(std::move(hook)) {}
  void remove() {
    if (const auto hook = hook_.lock()) hook->removed = true;
    hook_.reset();
  }

 private:
  std::weak_ptr<detail::HookBase> hook_;
};

namespace detail {

/// Few of one kind of hook, in the order of their registration.
template <class H>
class HookList {
 public:
  HookList() = default;
  HookList(const HookList&) = delete;
  HookList& operator=(const HookList&) = delete;
  ~HookList() { delete[] hooks_; }

  RemovableHandle add(std::shared_ptr<H> hook) {
    int kept = 0;
    for (int k = 0; k < count_; ++k)
      if (!hooks_[k]->removed) hooks_[kept++] = hooks_[k];
    auto* const grown = new std::shared_ptr<H>[static_cast<std::size_t>(kept + 1)];
    for (int k = 0; k < kept; ++k) grown[k] = std::move(hooks_[k]);
    grown[kept] = hook;
    delete[] hooks_;
    hooks_ = grown;
    count_ = kept + 1;
    return RemovableHandle(hook);
  }
  bool any() const {
    for (int k = 0; k < count_; ++k)
      if (!hooks_[k]->removed) return true;
    return false;
  }
  template <class F>
  void each(F&& f) const {
    for (int k = 0; k < count_; ++k) {
      const std::shared_ptr<H> hook = hooks_[k];  // it may add hooks
      if (!hook->removed) f(*hook);
    }
  }

 private:
  std::shared_ptr<H>* hooks_ = nullptr;
  int count_ = 0;
};

}  // namespace detail
}  // namespace fluxion
