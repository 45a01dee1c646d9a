// The growing array of the passes, and the table that finds its elements.
#include <fluxion/core/hash_table.hpp>

#include <doctest/doctest.h>

using fluxion::hash_table;
using fluxion::list;

namespace {

constexpr int lent[] = {1, 2, 3};

/// Finds numbers by themselves.
struct set {
  list<int> elements;
  hash_table table;
  constexpr int put(int x) {
    const auto hash_of = [](int v) { return static_cast<std::uint32_t>(v % 5); };  // many have one hash
    if (table.lags(elements.size())) table.make(elements.size(), [&](int i) { return hash_of(elements[i]); });
    std::int32_t& found = table.find(hash_of(x), [&](int i) { return elements[i] == x; });
    if (found == 0) {
      elements.push_back(x);
      found = table.add();
    }
    return found - 1;
  }
};

constexpr bool borrows_until_it_grows() {
  list<int> l = list<int>::borrow(lent, 3);
  if (l.begin() != lent) return false;
  const list<int> copy = l;
  l.push_back(4);
  return l.begin() != lent && copy.begin() != lent && copy.size() == 3 && copy[2] == 3 && l.size() == 4 && l[0] == 1 && l[2] == 3 && l[3] == 4;
}
static_assert(borrows_until_it_grows());

constexpr int sum_of_many() {
  list<int> l;
  for (int i = 0; i < 100; ++i) l.push_back(i);
  list<int> twice = l;
  twice.append(l.begin(), l.size());
  int sum = 0;
  for (const int x : twice) sum += x;
  return sum;
}
static_assert(sum_of_many() == 9900);

}  // namespace

TEST_CASE("a list that borrows its elements is copied before it grows, and when it is copied") { CHECK(borrows_until_it_grows()); }

TEST_CASE("appending keeps every element, whatever the number") { CHECK(sum_of_many() == 9900); }

TEST_CASE("assigning gives a list one element many times, its own included") {
  list<int> l(3, 7);
  l.assign(21, l[2]);
  CHECK(l.size() == 21);
  for (const int x : l) CHECK(x == 7);
}

TEST_CASE("a table finds what was put, and a list that changed without it") {
  set s;
  for (int x = 0; x < 200; ++x) CHECK(s.put(x) == x);
  for (int x = 0; x < 200; ++x) CHECK(s.put(x) == x);
  s.elements.push_back(500);
  CHECK(s.put(500) == 200);
  CHECK(s.put(501) == 201);
}
