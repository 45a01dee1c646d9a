/// The recording of scalar statements: one per thread and type of number. A statement writes its partial derivatives and the indices of its operands,
/// nothing else; see ../scalar_var.hpp for what is recorded and docs/autodiff.md for what it costs.
#pragma once
#include "../../core/error.hpp"
#include "../tape/mode.hpp"
#include "background.hpp"
#include "entry.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <utility>

namespace fluxion {

/// A thread's recording of statements about Ts. Memory is taken in chunks and never given back before the thread ends.
template <class T>
class ScalarTape {
 public:
  static ScalarTape& of_this_thread();

  /// How many statements are recorded.
  std::size_t size() const { return static_cast<std::uint32_t>(place_) - 1; }
  /// How many entries they have: one for each mention of an active operand.
  std::size_t entries() {
    if (!limit_) return 0;
    save();
    std::size_t bytes = 0;
    for (std::uint32_t c = 0; c <= current_; ++c) bytes += background().chunks[c].bytes;
    return bytes / detail::entry_bytes<T>;
  }
  /// How often the system was asked for memory for statements.
  std::size_t growths() { return background().growths; }
  /// Bytes of a statement with a number of active operands.
  static constexpr std::size_t bytes_of_statement(std::size_t operands) { return operands * detail::entry_bytes<T> + 1; }

  /// Forgets everything, also what was recorded outside of the scopes; variables recorded so far can no longer be used.
  void clear() {
    auto& b = background();
    b.forget_others();
    b.readable = 0;
    if (limit_) roll_back({}, 0);
    for (auto& outer : b.outer) outer = {{}, 0, b.new_recording(), outer.isolated};
    enclosing_ = 0;
    begin_recording();
  }
  /// The same, and gives the memory back to the system. Raises ValueError inside a scope.
  void free_memory() {
    auto& b = background();
    if (!b.outer.empty()) raise<ValueError>("free_memory: a scope of the recording is alive");
    clear();
    b.chunks = {};
    b.adjoints = {};
    *this = ScalarTape();
  }
  /// Sets the gradients of all inputs to 0.
  void zero_grad() {
    auto& b = background();
    for (std::uint32_t i = 1; i <= b.inputs; ++i) b.adjoints.origin()[-static_cast<std::ptrdiff_t>(i)] = T{};
  }

  /// What is recorded while one lives is forgotten at its end, and its memory is used again. Statements in it may use what was recorded before;
  /// gradients of inputs from outside remain.
  class Scope {
   public:
    Scope() : Scope(false) {}
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;
    ~Scope() { tape_.leave(); }

   protected:
    explicit Scope(bool isolated) : tape_(of_this_thread()) { tape_.enter(isolated); }
    ScalarTape& tape_;
  };

  /// A recording of its own inside another one: variables from outside are refused, sweeps end at its beginning.
  class IsolatedScope : public Scope {
   public:
    IsolatedScope() : Scope(true) {}
    ScalarTape& tape() const { return this->tape_; }
  };

  // ---- for variables --------------------------------------------------------------------------------------------------

  /// Marks variables of the present recording or scope; never 0.
  std::uint32_t recording() const { return static_cast<std::uint32_t>(place_ >> 32); }
  detail::ScalarPlace place(std::int32_t index) const { return {index, recording()}; }
  /// Raises ValueError for a variable of a recording that is neither this one nor that of a scope around it.
  FLUXION_ALWAYS_INLINE void admit(std::uint32_t recording) {
    if (recording != this->recording() && recording != enclosing_) [[unlikely]] check_live(recording);
  }
  FLUXION_COLD void check_live(std::uint32_t recording) {
    if (!is_live(recording)) raise<ValueError>("a variable was used whose recording was released, rolled back or is outside of this one; its value() can be used");
  }
  bool is_live(std::uint32_t recording) { return recording == this->recording() || background().is_live(recording); }
  /// Whether the gradient of an input of that recording is still there.
  bool is_readable(std::uint32_t recording) { return is_live(recording) || recording == background().readable; }

  /// Records the statement whose value is `expression`, if an operand is active.
  template <class E>
  FLUXION_ALWAYS_INLINE detail::ScalarPlace record(const E& expression) {
    static_assert(E::entries <= detail::largest_statement, "a scalar statement has more than 255 operands: name parts of it as variables");
    if (end_ >= limit_) [[unlikely]] {
      if (!is_grad_enabled()) return {};
      next_chunk();
    }
    // Copies, because what is written below could be these members for all that the compiler knows.
    std::byte* const end = end_;
    FLUXION_PREFETCH_WRITE(end + 512);  // a recording that fits into the second cache is written 5 % faster
    const std::uintptr_t counts = counts_;
    const std::uint64_t place = place_;
    const auto finish = [&](std::byte* to, std::uint32_t written) FLUXION_INLINE_LAMBDA -> detail::ScalarPlace {
      *reinterpret_cast<std::uint8_t*>(counts + static_cast<std::uintptr_t>(place)) = static_cast<std::uint8_t>(written);
      end_ = to;
      place_ = place + 1;
      return detail::ScalarPlace(place);
    };
    detail::EntryWriter<T> writer{end};
    expression.push(writer, T(1));
    // The rule: all operands are active and of this recording, and statements are recorded.
    if (((writer.common ^ place) | detail::autograd_state.no_grad) >> 32 == 0) return finish(end + writer.count * detail::entry_bytes<T>, writer.count);
    if (!is_grad_enabled()) [[unlikely]] return {};
    detail::OperandBits all;
    expression.push(all, T(1));
    if (all.bits == 0) return {};
    if ((all.bits ^ place) >> 32 != 0) [[unlikely]] {
      detail::AdmittedEntryWriter<T> entries{{end}, *this};
      expression.push(entries, T(1));
      return finish(entries.to, entries.count);
    }
    detail::ActiveEntryWriter<T> entries{end};
    expression.push(entries, T(1));
    return finish(entries.to, entries.count);
  }

  /// New inputs; returns the index of the first, which is negative. The next ones' are the numbers below.
  std::int32_t add_inputs(std::size_t n = 1) {
    auto& b = background();
    if (!limit_) next_chunk();
    if (n > std::numeric_limits<std::int32_t>::max() - b.inputs) raise<ValueError>("a recording of scalar statements has at most 2147483647 inputs");
    b.readable = 0;
    const auto first = -static_cast<std::int32_t>(b.inputs) - 1;
    b.inputs += static_cast<std::uint32_t>(n);
    b.adjoints.reserve(b.inputs, 0);
    std::fill_n(b.adjoints.origin() - b.inputs, n, T{});
    return first;
  }
  /// The adjoint of an input or, while a sweep is going on, of a statement.
  T& adjoint(std::int32_t index) { return background().adjoints.origin()[index]; }

  /// Before the adjoints of the variables that are swept from are given values.
  void prepare_sweep() {
    auto& b = background();
    b.adjoints.reserve(b.inputs, size());
    if (b.is_sweeping) b.adjoints.clear_statements();  // an error ended the former sweep
    if (b.watches.any()) [[unlikely]] begin_watched_inputs();
    b.is_sweeping = true;
  }
  /// Carries seeds from statement `last` and before it to the inputs; releases the innermost scope's recording unless told to retain it.
  void sweep(std::int32_t last, bool retain_graph) {
    auto& b = background();
    begin_sweep(last);
    const std::uint32_t former = recording();
    if (b.others) b.others->sweep(*this, retain_graph);
    sweep_to(b.floor());
    finish_sweep();
    if (!retain_graph && former == recording()) release();
  }
  /// The same with several adjoints at once, which the caller owns.
  template <class Slot>
  void sweep(detail::AdjointArray<Slot>& adjoints, std::int32_t last) {
    auto& b = background();
    begin_sweep(last);
    b.chunks.sweep(adjoints.origin(), b.swept, b.floor());
  }
  std::uint32_t inputs() { return background().inputs; }

  /// Forgets what the innermost scope has recorded. Its inputs' gradients can be read until there are new inputs.
  void release() {
    auto& b = background();
    b.forget_others();
    const std::uint32_t former = recording();
    if (b.outer.empty()) roll_back({}, 0);
    else roll_back(b.outer.back().cursor, b.outer.back().inputs);
    begin_recording();
    b.readable = former;
  }

  // ---- for statements of another kind between the scalar ones ---------------------------------------------------------

  detail::ScalarCursor position() {
    if (!limit_) next_chunk();
    save();
    return {current_, background_->chunks[current_].statements, background_->chunks[current_].bytes};
  }
  void set_others(const detail::OtherStatements<T>* others) { background().others = others; }
  bool is_isolated() { return background().is_isolated(); }
  void begin_sweep(std::int32_t last) {
    auto& b = background();
    if (limit_) save();
    b.swept = last > 0 ? b.chunks.behind(last, current_) : detail::ScalarCursor{};
  }
  /// Begins a sweep at a place, and ends one.
  void begin_sweep(const detail::ScalarCursor& place) {
    prepare_sweep();
    save();
    background().swept = place;
  }
  void end_sweep() {
    sweep_to({});
    finish_sweep();
  }
  /// Continues the sweep down to a place.
  void sweep_to(const detail::ScalarCursor& place) {
    auto& b = background();
    if (!limit_) return;
    if (b.watches.any()) [[unlikely]] sweep_watched(place);
    b.chunks.sweep(b.adjoints.origin(), b.swept, place);
  }

  // ---- for hooks and retained gradients -------------------------------------------------------------------------------

  detail::ScalarWatch<T>& watch(const detail::ScalarPlace& x) {
    auto& b = background();
    b.watches.forget_others([&](std::uint32_t recording) { return is_readable(recording); });
    return b.watches.add(x.index(), x.recording());
  }
  detail::ScalarWatch<T>* find_watch(const detail::ScalarPlace& x) { return background().watches.find(x.index(), x.recording()); }

 private:
  friend struct detail::ScalarTapeBackground<T>;
  using background_type = detail::ScalarTapeBackground<T>;
  using chunk_type = detail::ScalarChunk<T>;

  background_type& background() {
    if (!background_) [[unlikely]] find_background();
    return *background_;
  }
  FLUXION_COLD void find_background() {
    thread_local background_type background;
    background_ = &background;
  }

  void finish_sweep() {
    auto& b = background();
    if (b.watches.any()) [[unlikely]] finish_watched_inputs();
    b.is_sweeping = false;
  }
  /// Stops at the statements between here and a place that are watched: what follows them is swept, so their adjoints are whole.
  FLUXION_COLD void sweep_watched(const detail::ScalarCursor& place) {
    auto& b = background();
    b.watches.each([&](detail::ScalarWatch<T>& w) {
      if (w.index < 0 || !is_live(w.recording)) return;
      const auto& end = b.chunks[b.swept.chunk];
      if (w.index >= end.first + static_cast<std::int32_t>(b.swept.statements)) return;
      const detail::ScalarCursor at = b.chunks.behind(w.index, b.swept);
      if (at.chunk < place.chunk || (at.chunk == place.chunk && at.statements <= place.statements)) return;
      b.chunks.sweep(b.adjoints.origin(), b.swept, at);
      T& adjoint = b.adjoints.origin()[w.index];
      if (!detail::is_nothing(adjoint)) w.arrive(adjoint);
    });
  }
  /// Inputs have the sum of all sweeps; their hooks see that of this one.
  FLUXION_COLD void begin_watched_inputs() {
    auto& b = background();
    b.watches.each([&](detail::ScalarWatch<T>& w) {
      if (w.index >= 0 || !is_live(w.recording)) return;
      T& adjoint = b.adjoints.origin()[w.index];
      if (b.is_sweeping) adjoint += w.before;
      w.before = std::exchange(adjoint, T{});
    });
  }
  FLUXION_COLD void finish_watched_inputs() {
    auto& b = background();
    b.watches.each([&](detail::ScalarWatch<T>& w) {
      if (w.index >= 0 || !is_live(w.recording)) return;
      T gradient = b.adjoints.origin()[w.index];
      if (!detail::is_nothing(gradient)) w.arrive(gradient);
      b.adjoints.origin()[w.index] = std::exchange(w.before, T{}) + gradient;
    });
  }

  void begin_recording() { set_recording(background().new_recording()); }
  void set_recording(std::uint32_t recording) {
    counts_ += static_cast<std::uintptr_t>(place_);
    place_ = std::uint64_t{recording} << 32 | static_cast<std::uint32_t>(place_);
    counts_ -= static_cast<std::uintptr_t>(place_);
  }

  void save() {
    auto& stretch = background_->chunks[current_];
    stretch.bytes = static_cast<std::size_t>(end_ - stretch.data->entries);
    stretch.statements = static_cast<std::uint32_t>(place_) - static_cast<std::uint32_t>(stretch.first);
  }
  FLUXION_COLD void next_chunk() {
    auto& b = background();
    const auto first = static_cast<std::uint32_t>(place_);
    std::uint32_t next = 0;
    if (limit_) {
      save();
      if (first > std::numeric_limits<std::int32_t>::max() - 2 * chunk_type::capacity)
        raise<ValueError>("a recording of scalar statements has at most 2147483647 of them");
      next = current_ + 1;
    } else {
      begin_recording();
    }
    if (next == b.chunks.size()) {
      b.chunks.append();
      ++b.growths;
    }
    b.chunks[next].first = static_cast<std::int32_t>(first);
    select({next, 0, 0});
  }
  void select(const detail::ScalarCursor& at) {
    auto& stretch = background_->chunks[at.chunk];
    current_ = at.chunk;
    end_ = stretch.data->entries + at.bytes;
    limit_ = stretch.data->entries + chunk_type::limit;
    place_ = std::uint64_t{recording()} << 32 | (static_cast<std::uint32_t>(stretch.first) + at.statements);
    counts_ = reinterpret_cast<std::uintptr_t>(stretch.data->count + at.statements) - static_cast<std::uintptr_t>(place_);
  }
  void roll_back(const detail::ScalarCursor& to, std::uint32_t inputs) {
    select(to);
    background_->inputs = inputs;
  }

  void enter(bool isolated) {
    const auto cursor = position();
    auto& b = background();
    b.outer.push_back({cursor, b.inputs, recording(), isolated});
    enclosing_ = isolated ? 0 : recording();
    begin_recording();
  }
  void leave() noexcept {
    const auto outer = background_->outer.back();
    background_->outer.pop_back();
    roll_back(outer.cursor, outer.inputs);
    background_->readable = 0;
    set_recording(outer.recording);
    enclosing_ = background_->enclosing();
  }

  // What a statement reads, and of which it moves the first and the last.
  std::byte* end_ = nullptr;    // of the entries
  std::byte* limit_ = nullptr;  // behind which there might be no room for a statement; null if there is no chunk
  std::uintptr_t counts_ = 0;   // the next statement's count is here and as many bytes further as the next word says
  std::uint64_t place_ = background_type::no_recording << 32 | 1;  // of the next statement: its index, and the recording in the upper half
  std::uint32_t current_ = 0;                      // number of the chunk
  std::uint32_t enclosing_ = 0;                    // recording of the next scope around, 0 if there is none
  background_type* background_ = nullptr;
};

namespace detail {

// Constant-initialised and never destroyed, so that reaching it costs no call.
template <class T>
inline constinit thread_local ScalarTape<T> scalar_tape{};

template <class T>
ScalarTapeBackground<T>::~ScalarTapeBackground() { scalar_tape<T> = ScalarTape<T>(); }

}  // namespace detail

template <class T>
FLUXION_ALWAYS_INLINE ScalarTape<T>& ScalarTape<T>::of_this_thread() { return detail::scalar_tape<T>; }

}  // namespace fluxion
