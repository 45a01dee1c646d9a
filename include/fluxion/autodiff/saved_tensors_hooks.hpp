/// SavedTensorsHooks: what recorded statements save for backward is kept in another form, as torch.autograd.graph.saved_tensors_hooks.
///
///     const fx::autograd::SavedTensorsHooks hooks(
///         [](const fx::SavedTensor& x) { return std::vector<_Float16>(x.elements<float>(), x.elements<float>() + x.size()); },
///         [](const std::vector<_Float16>& packed, const fx::UnpackedTensor& x) { std::ranges::copy(packed, x.elements<float>()); });
#pragma once
#include "tape/saved.hpp"

#include <memory>
#include <utility>

namespace fluxion::autograd {

/// While it lives, statements of this thread pack what they save: pack(SavedTensor) gives an object, and backward has
/// unpack(object, UnpackedTensor) write the elements again, each time it needs them. Saved are the values of statements recorded in a scope, and shares
/// of heap tensors of any element type; leaves, parameters, views and tensors in place, which others keep anyway, are not. A packed value's own
/// memory is given back as soon as no variable refers to it. Of scopes within each other the innermost counts. What pack raises, the
/// statement raises, and it is not recorded. Functions are kept as long as what they packed.
template <class Pack, class Unpack>
class SavedTensorsHooks {
 public:
  SavedTensorsHooks(Pack pack, Unpack unpack)
      : hooks_(std::move(pack), std::move(unpack)), outer_(std::exchange(detail::autograd_state.saved_hooks, &hooks_)) {}
  SavedTensorsHooks(const SavedTensorsHooks&) = delete;
  SavedTensorsHooks& operator=(const SavedTensorsHooks&) = delete;
  ~SavedTensorsHooks() { detail::autograd_state.saved_hooks = outer_; }

 private:
  template <class P>
  struct Packed final : detail::PackedValue {
    Packed(P&& p, std::shared_ptr<const Unpack> f) : value(std::move(p)), function(std::move(f)) {}
    void unpack(const UnpackedTensor& into) const override { (*function)(value, into); }
    P value;
    std::shared_ptr<const Unpack> function;
  };
  struct Hooks final : detail::SavedHooks {
    Hooks(Pack&& p, Unpack&& u) : pack_function(std::move(p)), unpack_function(std::make_shared<const Unpack>(std::move(u))) {}
    std::unique_ptr<detail::PackedValue> pack(const SavedTensor& x) const override {
      return std::make_unique<Packed<decltype(pack_function(x))>>(pack_function(x), unpack_function);
    }
    Pack pack_function;
    std::shared_ptr<const Unpack> unpack_function;
  };

  Hooks hooks_;
  const detail::SavedHooks* outer_;
};

}  // namespace fluxion::autograd
