/// Where scalar statements are written: entries and their counts in chunks, adjoints in one array. All of it is kept from one
/// recording to the next. The loop backwards over what was written is here too.
#pragma once
#include "../../core/config.hpp"
#include "../directions.hpp"
#include "../dual_number.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <new>
#include <type_traits>
#include <vector>

namespace fluxion {
namespace detail {

/// The partial derivative by an operand, and the operand's index, packed: sizeof(T) + 4 bytes each, at no particular alignment.
template <class T>
inline constexpr std::size_t entry_bytes = sizeof(T) + sizeof(std::int32_t);

// Not std::memcpy alone: g++ moves its numbers through integer registers.
typedef float unaligned_float FLUXION_UNALIGNED;
typedef double unaligned_double FLUXION_UNALIGNED;
typedef std::int32_t unaligned_index FLUXION_UNALIGNED;

template <class T>
FLUXION_ALWAYS_INLINE void write_unaligned(std::byte* to, const T& x) { std::memcpy(to, &x, sizeof(T)); }
FLUXION_ALWAYS_INLINE void write_unaligned(std::byte* to, float x) { *reinterpret_cast<unaligned_float*>(to) = x; }
FLUXION_ALWAYS_INLINE void write_unaligned(std::byte* to, double x) { *reinterpret_cast<unaligned_double*>(to) = x; }

template <class T>
FLUXION_ALWAYS_INLINE void write_entry(std::byte* entry, const T& partial, std::int32_t index) {
  write_unaligned(entry, partial);
  *reinterpret_cast<unaligned_index*>(entry + sizeof(T)) = index;
}
template <class T>
FLUXION_ALWAYS_INLINE T partial_of(const std::byte* entry) {
  T partial;
  std::memcpy(static_cast<void*>(&partial), entry, sizeof(T));
  return partial;
}
template <class T>
FLUXION_ALWAYS_INLINE std::int32_t index_of(const std::byte* entry) {
  return *reinterpret_cast<const unaligned_index*>(entry + sizeof(T));
}

/// The most entries that one statement has.
inline constexpr std::uint32_t largest_statement = 255;

/// A stretch of the recording. Statement s is the next count[s] entries. A statement has no index of its own: it is its place.
template <class T>
struct ScalarChunk {
  static constexpr std::uint32_t capacity = std::max(512u, std::bit_floor(static_cast<std::uint32_t>((1u << 19) / sizeof(T))));
  static constexpr std::size_t limit = (capacity - largest_statement) * entry_bytes<T>;  // what begins before it has room
  std::byte entries[capacity * entry_bytes<T>];
  std::uint8_t count[capacity];
};

/// A place in the recording: everything before it in this chunk and in the earlier ones.
struct ScalarCursor {
  std::uint32_t chunk = 0, statements = 0;
  std::size_t bytes = 0;  // of entries
};

/// The adjoints of statements 1, 2, … and of inputs -1, -2, …, so that one signed index finds either. Between sweeps those of statements are 0.
template <class Slot>
class AdjointArray {
 public:
  Slot* origin() { return origin_; }
  /// Makes room for inputs down to -inputs and statements up to `statements`; keeps what is there.
  void reserve(std::size_t inputs, std::size_t statements) {
    if (inputs <= inputs_ && statements <= statements_) return;
    if (inputs > inputs_) inputs = std::max<std::size_t>({inputs, 2 * inputs_, 64});
    inputs = std::max(inputs, inputs_);
    if (statements > statements_) statements += statements / 8 + 1024;
    statements = std::max(statements, statements_);
    std::vector<Slot> grown(inputs + 1 + statements);
    std::copy(slots_.begin(), slots_.end(), grown.begin() + static_cast<std::ptrdiff_t>(inputs - inputs_));
    slots_.swap(grown);
    origin_ = slots_.data() + inputs;
    inputs_ = inputs;
    statements_ = statements;
  }
  void clear_statements() { std::fill(slots_.begin() + static_cast<std::ptrdiff_t>(inputs_), slots_.end(), Slot{}); }

 private:
  std::vector<Slot> slots_;
  Slot* origin_ = nullptr;
  std::size_t inputs_ = 0, statements_ = 0;
};

/// Whether a contribution of x is exactly nothing. An adjoint of 0 does not reach the operands, infinite as the partial derivative may be.
template <class T>
FLUXION_ALWAYS_INLINE bool is_nothing(const T& x) { return x == T(0); }
template <class T, std::size_t N, class Tag>
bool is_nothing(const Dual<T, N, Tag>& x) {
  return is_nothing(x.value()) && std::all_of(x.gradient().begin(), x.gradient().end(), [](const T& g) { return is_nothing(g); });
}
template <class T, std::size_t K>
FLUXION_ALWAYS_INLINE bool is_nothing(const std::array<T, K>& x) {
  bool nothing = true;
  for (const T& element : x) nothing &= is_nothing(element);
  return nothing;
}

template <class T>
FLUXION_ALWAYS_INLINE void add_product(T& to, const T& partial, const T& adjoint) { to += partial * adjoint; }
/// Several adjoints at once, in registers.
template <class T, std::size_t K>
FLUXION_ALWAYS_INLINE void add_product(std::array<T, K>& to, const T& partial, const std::array<T, K>& adjoint) {
  to = map_directions<T, K>([&](const auto& sum, const auto& d) FLUXION_INLINE_LAMBDA { return sum + d * partial; }, to, adjoint);
}

/// The chunks of a thread's recording of Ts.
template <class T>
class ScalarChunks {
 public:
  struct Stretch {
    std::unique_ptr<ScalarChunk<T>> data;
    std::size_t bytes;  // of entries
    std::uint32_t statements;
    std::int32_t first;  // index of the first statement
  };

  std::size_t size() const { return stretches_.size(); }
  Stretch& operator[](std::size_t i) { return stretches_[i]; }
  const Stretch& operator[](std::size_t i) const { return stretches_[i]; }
  void append() { stretches_.push_back({std::unique_ptr<ScalarChunk<T>>(new ScalarChunk<T>), 0, 0, 1}); }

  /// Just behind the statement of an index.
  ScalarCursor behind(std::int32_t index, std::uint32_t last_chunk) const {
    std::uint32_t c = last_chunk;
    while (stretches_[c].first > index) --c;
    const Stretch& stretch = stretches_[c];
    ScalarCursor at{c, stretch.statements, stretch.bytes};
    for (const auto end = static_cast<std::uint32_t>(index - stretch.first + 1); at.statements > end;) at.bytes -= stretch.data->count[--at.statements] * entry_bytes<T>;
    return at;
  }

  /// The same, where it is not behind `from`.
  ScalarCursor behind(std::int32_t index, const ScalarCursor& from) const {
    if (stretches_[from.chunk].first > index) return behind(index, from.chunk);
    ScalarCursor at = from;
    for (const auto end = static_cast<std::uint32_t>(index - stretches_[at.chunk].first + 1); at.statements > end;)
      at.bytes -= stretches_[at.chunk].data->count[--at.statements] * entry_bytes<T>;
    return at;
  }

  /// Hands the adjoints of the statements between `floor` and `at` to their operands, the last statement first, and leaves `at` at `floor`.
  template <class Slot>
  void sweep(Slot* adjoints, ScalarCursor& at, const ScalarCursor& floor) const {
    while (at.chunk >= floor.chunk) {
      const Stretch& stretch = stretches_[at.chunk];
      const std::uint32_t low = at.chunk == floor.chunk ? floor.statements : 0;
      if (at.statements > low) sweep_chunk(adjoints, stretch, at, low);
      if (at.chunk == floor.chunk) return;
      --at.chunk;
      at.bytes = stretches_[at.chunk].bytes;
      at.statements = stretches_[at.chunk].statements;
    }
  }

 private:
  template <class Slot>
  static void sweep_chunk(Slot* adjoints, const Stretch& stretch, ScalarCursor& at, std::uint32_t low) {
    const std::byte* entries = stretch.data->entries + at.bytes;
    const std::uint8_t* const count = stretch.data->count;
    Slot* const own = adjoints + stretch.first;
    for (std::uint32_t s = at.statements; s-- > low;) {
      const std::uint32_t n = count[s];
      entries -= n * entry_bytes<T>;
      const Slot adjoint = own[s];
      if (is_nothing(adjoint)) continue;
      own[s] = Slot{};
      const auto add = [&](std::size_t i) FLUXION_INLINE_LAMBDA {
        const std::byte* const entry = entries + i * entry_bytes<T>;
        add_product(adjoints[index_of<T>(entry)], partial_of<T>(entry), adjoint);
      };
      // Most statements have a few operands: no loop whose end the processor would have to guess a second time.
      switch (n) {
        default:
          for (std::uint32_t i = n; i-- > 4;) add(i);
          [[fallthrough]];
        case 4: add(3); [[fallthrough]];
        case 3: add(2); [[fallthrough]];
        case 2: add(1); [[fallthrough]];
        case 1: add(0);
      }
    }
    at.bytes = static_cast<std::size_t>(entries - stretch.data->entries);
    at.statements = low;
  }

  std::vector<Stretch> stretches_;
};

}  // namespace detail
}  // namespace fluxion
