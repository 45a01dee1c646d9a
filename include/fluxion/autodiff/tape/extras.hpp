/// What few values of the tape have: hooks, a gradient that is kept, a gradient that is a recorded value itself.
#pragma once
#include "../tape.hpp"

#include <memory>

namespace fluxion::detail {

struct SavedValues;
struct DeleteSavedValues {
  void operator()(SavedValues*) const noexcept;
};

struct NodeExtras : Recycled {
  HookList<TensorHook> tensor_hooks;
  HookList<TensorHook> accumulated;  // of a leaf: after its gradient was accumulated
  HookList<NodeHook> before, after;
  std::unique_ptr<RetainedGradient> retained;
  NodeHandle recorded;  // the kept gradient under create_graph; of a leaf a use of the tape
  std::unique_ptr<SavedValues, DeleteSavedValues> saved;
};

inline TapeNode::~TapeNode() {
  delete extras;
  release_block(own_value);
}
inline NodeExtras& extras_of(TapeNode& node) {
  if (!node.extras) node.extras = new NodeExtras;
  return *node.extras;
}

/// The gradient that is kept for a value is, or is no longer, a recorded value. What a node of the tape keeps does not count as a use of it.
inline void set_recorded_gradient(TapeNode& of, const NodeHandle& gradient) {
  NodeHandle& kept = extras_of(of).recorded;
  const auto count = [&](bool up) {
    if (of.is_leaf || kept.is_leaf()) return;
    if (Tape* const tape = Tape::find(kept.epoch())) up ? tape->add_handle() : tape->drop_handle();
  };
  count(true);
  kept = gradient;
  count(false);
}
inline void forget_recorded_gradient(TapeNode& of) {
  if (of.extras) set_recorded_gradient(of, {});
}

}  // namespace fluxion::detail
