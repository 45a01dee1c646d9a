/// Finds an element of a list by its hash, during constant evaluation too.
#pragma once
#include "list.hpp"

#include <cstdint>

namespace fluxion {

/// Numbers of a list's elements by open addressing. It may lag behind the list and is then made anew.
class hash_table {
 public:
  /// Whether the table does not hold all of a list of `count` elements, or has no room for one more.
  constexpr bool lags(int count) const { return count != count_ || 2 * count >= slots_.size(); }

  /// Takes the elements 0 … count - 1, which differ from each other. O(count).
  template <class Hash>
  constexpr void make(int count, const Hash& hash_of) {
    int capacity = 64;
    while (capacity < 4 * count + 2) capacity *= 2;
    slots_.assign(capacity, 0);
    std::int32_t* const slots = slots_.begin();
    const auto mask = static_cast<std::uint32_t>(capacity - 1);
    for (int i = 0; i < count; ++i) {
      std::uint32_t slot = hash_of(i) & mask;
      while (slots[slot] != 0) slot = (slot + 1) & mask;
      slots[slot] = i + 1;
    }
    count_ = count;
  }

  /// One more than the number of the element that has this hash and of which `same` is true, or a 0 to be replaced by `add()`.
  template <class Same>
  constexpr std::int32_t& find(std::uint32_t hash, const Same& same) {
    const auto mask = static_cast<std::uint32_t>(slots_.size() - 1);
    std::int32_t* const slots = slots_.begin();
    hash &= mask;
    while (slots[hash] != 0 && !same(slots[hash] - 1)) hash = (hash + 1) & mask;
    return slots[hash];
  }
  /// Counts an element that was appended to the list.
  constexpr std::int32_t add() { return ++count_; }

 private:
  list<std::int32_t> slots_;
  int count_ = 0;
};

}  // namespace fluxion
