/// The tape: what `Var` records on a thread, in the order in which it happened. A node is an evaluated statement; its backward is the static
/// adjoint of that statement's program, computed from the statement's inputs.
#pragma once
#include "../core/arena.hpp"
#include "tape/mode.hpp"
#include "tape/node.hpp"

#include <atomic>
#include <cstddef>
#include <memory>
#include <new>
#include <utility>

namespace fluxion {

namespace detail {

inline constinit thread_local Tape* current_tape = nullptr;

/// A number that no other recording of any thread has; 0 is none's.
inline std::size_t new_epoch() {
  static std::atomic<std::size_t> threads{0};
  static constinit thread_local std::size_t last = 0;
  if (last == 0) last = threads.fetch_add(1, std::memory_order_relaxed) << 40;
  return ++last;
}

}  // namespace detail

/// Recorded statements, with their values and adjoints in memory that is kept from one recording to the next. Each thread has one, and others
/// inside it while a TapeScope lives.
class Tape {
 public:
  Tape() : epoch_(detail::new_epoch()) {}
  Tape(const Tape&) = delete;
  Tape& operator=(const Tape&) = delete;
  /// Frees the memory. Variables recorded on it can no longer be used.
  ~Tape() {
    epoch_ = detail::new_epoch();
    destroy();
    if (detail::current_tape == this) detail::current_tape = nullptr;
  }

  /// The tape on which statements of this thread are recorded now.
  static Tape& of_this_thread() {
    if (detail::current_tape) return *detail::current_tape;
    return outermost();
  }

  /// Forgets everything; variables recorded so far can no longer be used. Their memory is kept for what is recorded next.
  void clear() {
    epoch_ = detail::new_epoch();  // before nodes end that others have handles of
    destroy();
    arena_.roll_back({0, 0});
    released_ = false;
  }
  /// The same, and gives the memory back to the system.
  void free_memory() {
    clear();
    arena_.release();
    inner_.reset();
  }

  /// How many statements are recorded.
  std::size_t size() const { return size_; }
  /// Bytes that this tape holds, used or not.
  std::size_t capacity() const { return arena_.capacity(); }
  /// Changes whenever the memory of values is used anew.
  std::size_t epoch() const { return epoch_; }
  bool is_released() const { return released_; }

  // ---- for what records -------------------------------------------------------------------------------------------

  /// Called before something is recorded: after a backward pass, or when no variable is left, the recording begins anew.
  void prepare() {
    if (released_ || (handles_ == 0 && last_ != nullptr)) start_anew();
  }
  std::byte* take(std::size_t bytes) { return arena_.take(bytes); }
  Arena& arena() { return arena_; }

  /// Appends a node made of the arguments. What it holds does not count as a use of the tape.
  template <class N, class... A>
  N* append(A&&... arguments) {
    const std::size_t handles = handles_;
    N* const node = append_at<N>(arena_.take(sizeof(N)), std::forward<A>(arguments)...);
    handles_ = handles;
    return node;
  }
  /// The same in memory that was taken before; uses are left to be dropped.
  template <class N, class... A>
  N* append_at(std::byte* memory, A&&... arguments) {
    N* const node = ::new (static_cast<void*>(memory)) N(std::forward<A>(arguments)...);
    node->previous = std::exchange(last_, node);
    ++size_;
    return node;
  }

  /// Calls visit(node) for every node with an adjoint, from the last to the first, then finish(), and releases what was recorded unless told to
  /// retain it.
  template <class F, class G>
  void sweep(F&& visit, G&& finish, bool retain_graph) {
    if (sweeping_) raise<ValueError>("backward: a backward pass of this tape is running; record and differentiate in a TapeScope");
    {
      const SweepGuard guard(*this);
      for (detail::TapeNode* node = last_; node; node = node->previous)
        if (std::exchange(node->has_adjoint, false)) visit(*node);
      finish();
    }
    if (!retain_graph) release();
  }
  bool is_sweeping() const { return sweeping_; }
  detail::TapeNode* last() const { return last_; }

  /// The active tape of this thread whose recording has this number, or null.
  static Tape* find(std::size_t epoch) noexcept {
    Tape* tape = detail::current_tape;
    while (tape && tape->epoch_ != epoch) tape = tape->outer_;
    return tape;
  }
  void add_handle() noexcept { ++handles_; }
  void drop_handle() noexcept { --handles_; }
  void drop_handles(std::size_t count) noexcept { handles_ -= count; }
  /// How many variables and expressions refer to what is recorded.
  std::size_t uses() const { return handles_; }

 private:
  friend class TapeScope;

  /// What was marked is no longer, whatever happens.
  struct SweepGuard {
    explicit SweepGuard(Tape& t) : tape(t) { tape.sweeping_ = true; }
    SweepGuard(const SweepGuard&) = delete;
    SweepGuard& operator=(const SweepGuard&) = delete;
    ~SweepGuard() {
      tape.sweeping_ = false;
      for (detail::TapeNode* node = tape.last_; node; node = node->previous) {
        node->has_adjoint = false;
        node->adjoint_node = nullptr;
      }
    }
    Tape& tape;
  };

  FLUXION_NO_INLINE static Tape& outermost() {
    thread_local Tape tape;
    detail::current_tape = &tape;
    return tape;
  }

  void start_anew() {
    if (!sweeping_) clear();
  }

  // Values and retained gradients stay readable until something is recorded.
  void release() {
    const std::size_t handles = handles_;
    for (detail::TapeNode* node = last_; node; node = node->previous) node->release();
    handles_ = handles;
    size_ = 0;
    released_ = true;
  }
  void destroy() {
    for (detail::TapeNode* node = std::exchange(last_, nullptr); node;) {
      detail::TapeNode* const previous = node->previous;
      node->~TapeNode();
      node = previous;
    }
    size_ = handles_ = 0;
  }

  Arena arena_;
  detail::TapeNode* last_ = nullptr;
  std::size_t size_ = 0, epoch_, handles_ = 0;
  bool released_ = false, sweeping_ = false;
  Tape* outer_ = nullptr;        // while this one is active inside another
  std::unique_ptr<Tape> inner_;  // kept for the next scope inside this one
};

/// While it lives, statements of this thread are recorded on another tape: a new one, forgotten at the end, whose memory is kept for the next
/// such scope, or one of your own. What was recorded outside can be read inside but not differentiated.
class TapeScope {
 public:
  TapeScope() : TapeScope(nullptr) {}
  /// Raises ValueError if the tape is recording already.
  explicit TapeScope(Tape& tape) : TapeScope(&tape) {}
  TapeScope(const TapeScope&) = delete;
  TapeScope& operator=(const TapeScope&) = delete;
  ~TapeScope() {
    detail::current_tape = outer_;
    if (is_own_) tape_->clear();
    tape_->outer_ = nullptr;
  }

  Tape& tape() const { return *tape_; }

 private:
  explicit TapeScope(Tape* tape) : outer_(&Tape::of_this_thread()), tape_(tape), is_own_(tape == nullptr) {
    if (is_own_) {
      if (!outer_->inner_) outer_->inner_ = std::make_unique<Tape>();
      tape_ = outer_->inner_.get();
    }
    if (tape_->outer_ != nullptr || tape_ == outer_) raise<ValueError>("a tape cannot be inside itself");
    tape_->outer_ = outer_;
    detail::current_tape = tape_;
  }

  Tape* outer_;
  Tape* tape_;
  bool is_own_;
};

namespace detail {

/// A use of a node. Leaves live as long as they are used; recorded nodes until their recording ends, which a handle notices.
class NodeHandle {
 public:
  NodeHandle() noexcept = default;
  /// A node of this thread's tape.
  NodeHandle(TapeNode* node, Tape& tape) noexcept : node_(node), epoch_(tape.epoch()) {
    tape.add_handle();
    if (node->own_value) [[unlikely]] ++node->value_uses;
  }
  /// A leaf, of which this is the first use.
  explicit NodeHandle(TapeNode* leaf) noexcept : node_(leaf) {}
  NodeHandle(const NodeHandle& other) noexcept : node_(other.node_), epoch_(other.epoch_) { retain(); }
  NodeHandle(NodeHandle&& other) noexcept : node_(std::exchange(other.node_, nullptr)), epoch_(std::exchange(other.epoch_, 0)) {}
  NodeHandle& operator=(NodeHandle other) noexcept {
    std::swap(node_, other.node_);
    std::swap(epoch_, other.epoch_);
    return *this;
  }
  ~NodeHandle() {
    if (node_) drop();
  }

  bool is_leaf() const noexcept { return epoch_ == 0; }
  /// Whether the node is still there.
  bool is_live() const noexcept { return epoch_ == 0 ? node_ != nullptr : Tape::find(epoch_) != nullptr; }
  /// Whether a statement can be recorded that differentiates with respect to the node now.
  bool is_recording(const Tape& tape) const noexcept { return epoch_ == 0 || (epoch_ == tape.epoch() && !tape.is_released()); }
  /// The node, which must be live.
  TapeNode* get() const noexcept { return node_; }
  std::size_t epoch() const noexcept { return epoch_; }

 private:
  void retain() noexcept;
  void drop() noexcept;

  TapeNode* node_ = nullptr;
  std::size_t epoch_ = 0;
};

}  // namespace detail
}  // namespace fluxion

#include "tape/extras.hpp"
#include "tape/leaf.hpp"
