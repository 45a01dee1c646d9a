/// Looking through views that cost nothing inside a kernel: axes permuted, axes of extent one added or removed.
#pragma once
#include "../plan.hpp"
#include "../record.hpp"

namespace fluxion::graph {

/// Whether a reshape only adds or removes axes of extent one.
constexpr bool is_unit_reshape(const program& p, int i) {
  if (!p.is<operation::reshape>(i)) return false;
  const shape& s = p.shape_of(i);
  const shape& t = p.shape_of(p[i].operand[0]);
  int a = 0, b = 0;
  while (true) {
    while (a < s.rank && s.extent[a] == 1) ++a;
    while (b < t.rank && t.extent[b] == 1) ++b;
    if (a == s.rank || b == t.rank) return a == s.rank && b == t.rank;
    if (s.extent[a++] != t.extent[b++]) return false;
  }
}

constexpr bool is_free_view(const program& p, int i) { return p.is<operation::permute>(i) || is_unit_reshape(p, i); }

/// A value with free views looked through.
struct base_use {
  int base = -1;
  std::int8_t axis[max_rank] = {-1, -1, -1, -1, -1, -1, -1, -1};  // of the value -> of the base; -1 where the extent is one
};

constexpr base_use look_through(const program& p, int value) {
  base_use u;
  u.base = value;
  const shape& s = p.shape_of(value);
  for (int a = 0; a < s.rank; ++a) u.axis[a] = static_cast<std::int8_t>(s.extent[a] == 1 ? -1 : a);
  while (is_free_view(p, u.base)) {
    const int next = p[u.base].operand[0];
    std::int8_t to[max_rank] = {-1, -1, -1, -1, -1, -1, -1, -1};  // axis of u.base -> axis of next
    if (p.is<operation::permute>(u.base)) {
      for (int a = 0; a < p.shape_of(u.base).rank; ++a) to[a] = static_cast<std::int8_t>(permuted_axis(p[u.base], a));
    } else {
      const shape& from = p.shape_of(u.base);
      const shape& target = p.shape_of(next);
      int b = 0;
      for (int a = 0; a < from.rank; ++a) {
        if (from.extent[a] == 1) continue;
        while (target.extent[b] == 1) ++b;
        to[a] = static_cast<std::int8_t>(b++);
      }
    }
    for (int a = 0; a < s.rank; ++a)
      if (u.axis[a] >= 0) u.axis[a] = to[u.axis[a]];
    u.base = next;
  }
  return u;
}

/// The value that holds the elements at which a chain of views looks.
constexpr int root_of(const program& p, int i) {
  while (p.is<operation::permute>(i) || p.is<operation::reshape>(i) || p.is<operation::slice>(i)) i = p[i].operand[0];
  return i;
}

}  // namespace fluxion::graph
