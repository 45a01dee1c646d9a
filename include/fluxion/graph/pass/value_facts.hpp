/// What planning asks of every value again and again, found once: what lies behind the views of it that cost nothing inside a kernel (axes
/// permuted, axes of extent one added or removed), and which of its axes have another extent than one.
#pragma once
#include "../plan.hpp"
#include "../record.hpp"

namespace fluxion::graph {

/// Axes of a value in one word, four bits each: 1 + the axis that axis a runs along, or 0 for none.
using packed_axes = std::uint32_t;
static_assert(max_rank <= 8);

/// The axes named in packed axes, as a mask.
constexpr unsigned mask_of_axes(packed_axes axes) {
  unsigned mask = 0;
  for (; axes != 0; axes >>= 4) mask |= 1u << (axes & 15);
  return mask >> 1;
}

/// The axes that the axes of a view run along, if those of what it looks at run along `along`.
constexpr packed_axes axes_through(packed_axes view, packed_axes along) {
  packed_axes axes = 0;
  for (int bit = 0; view != 0; view >>= 4, bit += 4)
    if ((view & 15) != 0) axes |= (along >> 4 * ((view & 15) - 1) & 15) << bit;
  return axes;
}

/// The axes of what a view looks at, if the axes of the view run along `along`.
constexpr packed_axes axes_behind(packed_axes view, packed_axes along) {
  packed_axes axes = 0;
  for (; view != 0; view >>= 4, along >>= 4)
    if ((view & 15) != 0) axes |= (along & 15) << 4 * ((view & 15) - 1);
  return axes;
}

/// The value that holds the elements at which a chain of views looks.
constexpr int root_of(const program& p, int i) {
  while (p.is<operation::permute>(i) || p.is<operation::reshape>(i) || p.is<operation::slice>(i)) i = p[i].operand[0];
  return i;
}

struct value_facts {
  graph::family family = family::leaf;
  bool number = false;     // a constant, a scalar or a count: one number in a register
  bool free_view = false;
  std::uint8_t wide = 0;   // mask of the axes whose extent is not one
  std::int16_t base = -1;  // the value with free views looked through
  std::int16_t root = -1;  // the value that holds the elements at which a chain of views looks
  packed_axes axes = 0;    // of the value -> of the base; none where the extent is one
};

namespace detail {

constexpr packed_axes own_axes(unsigned wide) {
  packed_axes axes = 0;
  for (unsigned a = 0; wide >> a != 0; ++a) axes |= (wide >> a & 1) * (a + 1) << 4 * a;
  return axes;
}

/// Where the wide axes of a reshape are those of its operand, in order: which are which.
constexpr bool match_wide_axes(const shape& s, unsigned wide, const shape& t, unsigned wide_operand, packed_axes& axes) {
  int b = 0;
  for (int a = 0; wide >> a != 0; ++a) {
    if (!(wide >> a & 1)) continue;
    while (wide_operand >> b != 0 && !(wide_operand >> b & 1)) ++b;
    if (wide_operand >> b == 0 || s.extent[a] != t.extent[b]) return false;
    axes |= static_cast<packed_axes>(++b) << 4 * a;
  }
  return wide_operand >> b == 0;
}

}  // namespace detail

/// Finds out about every value of a program. O(n).
constexpr list<value_facts> find_facts(const program& p) {
  struct shape_facts {
    std::uint8_t wide = 0;
    packed_axes axes = 0;
  };
  list<shape_facts> of_shape(p.shapes.size(), shape_facts{});
  for (int k = 0; k < p.shapes.size(); ++k) {
    const shape& s = p.shapes.begin()[k];
    unsigned wide = 0;
    for (int a = 0; a < s.rank; ++a) wide |= (s.extent[a] != 1 ? 1u : 0u) << a;
    of_shape[k] = {static_cast<std::uint8_t>(wide), detail::own_axes(wide)};
  }
  list<value_facts> facts(p.size(), value_facts{});
  value_facts* const all = facts.begin();
  const instruction* const code = p.instructions.begin();
  const shape* const shapes = p.shapes.begin();
  const shape_facts* const shape_of = of_shape.begin();
  const int size = p.size();
  for (int i = 0; i < size; ++i) {
    const instruction& x = code[i];
    value_facts& f = all[i];
    f.family = info_of(x.operation).family, f.wide = shape_of[x.shape].wide, f.axes = shape_of[x.shape].axes;
    f.base = f.root = static_cast<std::int16_t>(i);
    if (f.family == family::leaf) f.number = x.operation != opcode_of<operation::argument>;
    if (f.family != family::view || is_written_view(x.operation)) continue;
    const value_facts& of = all[x.operand[0]];
    f.root = of.root;
    packed_axes axes = 0;
    if (x.operation == opcode_of<operation::permute>) {
      for (int a = 0; f.wide >> a != 0; ++a)
        if (f.wide >> a & 1) axes |= static_cast<packed_axes>(permuted_axis(x, a) + 1) << 4 * a;
    } else if (x.operation != opcode_of<operation::reshape> ||
               !detail::match_wide_axes(shapes[x.shape], f.wide, shapes[code[x.operand[0]].shape], of.wide, axes)) continue;
    f.free_view = true, f.base = of.base, f.axes = axes_through(axes, of.axes);
  }
  return facts;
}

}  // namespace fluxion::graph
