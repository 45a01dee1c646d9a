/// Finds an element of a list by its hash, during constant evaluation too.
#pragma once
#include "list.hpp"

#include <cstdint>

namespace fluxion {

/// Numbers of a list's elements by open addressing. It may lag behind the list and is then made anew.
class hash_table {
 public:
  /// Whether the table does not hold all of a list of `count` elements, or has no room for one more.
  constexpr bool lags(int count) const { return count != count_ || 2 * count >= slots_.count; }

  /// Takes the elements 0 … count - 1, which differ from each other. O(count).
  template <class Hash>
  constexpr void make(int count, const Hash& hash_of) {
    int capacity = 64;
    while (capacity < 4 * count + 2) capacity *= 2;
    slots_.assign(capacity, 0);
    mask_ = static_cast<std::uint32_t>(capacity - 1), count_ = count;
    for (int i = 0; i < count; ++i) find(hash_of(i), [](int) { return false; }) = i + 1;
  }

  /// One more than the number of the element that has this hash and of which `same` is true, or a 0 to be replaced by `add()`.
  template <class Same>
  constexpr std::int32_t& find(std::uint32_t hash, const Same& same) {
    std::uint32_t slot = hash & mask_;
    while (slots_.elements[slot] != 0 && !same(slots_.elements[slot] - 1)) slot = (slot + 1) & mask_;
    return slots_.elements[slot];
  }
  /// Counts an element that was appended to the list.
  constexpr std::int32_t add() { return ++count_; }

 private:
  list<std::int32_t> slots_;
  std::uint32_t mask_ = 0;
  int count_ = 0;
};

}  // namespace fluxion
