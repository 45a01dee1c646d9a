/// Recording: what appending an operation to a program means for types and shapes, with the simplifications that are exact in floating
/// point made on the way.
#pragma once
#include "program.hpp"

namespace fluxion::graph {

inline constexpr int max_operands = 3;

/// Records a map of up to three operands: promotes their types, aligns their ranks, broadcasts their shapes.
constexpr int record_map(program& p, opcode operation, int a, int b = -1, int c = -1);

/// Records a change of type; the operand itself if it has that type.
constexpr int record_cast(program& p, int x, element_type type) {
  const instruction source = p.instructions.elements[x];
  if (source.type == type && !(source.flags & weak_flag)) return x;
  if (p.is_constant(x)) {
    if (is_floating(source.type) == is_floating(type) || is_floating(source.type)) return p.constant(type, p.constant_of(x));
    return p.constant(type, static_cast<double>(static_cast<std::int64_t>(p.constants[source.attribute])));
  }
  if (source.type == type) return x;  // not a second instruction for the same number: derivatives are by the first
  instruction cast{.operation = opcode_of<operation::cast>, .type = type, .accumulator = type, .shape = source.shape};
  cast.operand[0] = static_cast<std::int16_t>(x);
  return p.put(cast);
}

/// Records a row-major reshape to a shape whose extents are known to multiply to the same number.
constexpr int record_reshape(program& p, int x, shape target) {
  const std::int16_t id = p.intern(target);
  while (p.is<operation::reshape>(x)) x = p[x].operand[0];  // only the last shape matters
  const instruction& source = p[x];
  if (source.shape == id) return x;
  return p.put({.operation = opcode_of<operation::reshape>, .type = source.type, .accumulator = source.type, .operand = {static_cast<std::int16_t>(x), -1, -1}, .shape = id});
}

/// Adds leading axes of extent one up to `rank`. Rank 0 broadcasts as it is.
constexpr int align_rank(program& p, int x, int rank) {
  const shape s = p.shape_of(x);
  if (s.rank == rank || s.rank == 0) return x;
  shape t;
  t.rank = rank;
  for (int axis = 0; axis < rank; ++axis) {
    const int from = axis - (rank - s.rank);
    t.extent[axis] = from < 0 ? 1 : s.extent[from];
  }
  return record_reshape(p, x, t);
}

/// The shape in which operands of a map meet. Extents must be equal, statically 1, or be found equal by the run's check.
constexpr bool broadcast_shapes(program& p, opcode operation, const shape& a, const shape& b, shape& result) {
  if (a.rank == 0 || b.rank == 0) {
    result = a.rank == 0 ? b : a;
    return true;
  }
  const shape ra = a, rb = b;
  result = ra;
  for (int axis = 0; axis < ra.rank; ++axis) {
    extent_t x = ra.extent[axis], y = rb.extent[axis];
    if (x < 0) x = p.resolve(x);
    if (y < 0) y = p.resolve(y);
    if (x != y && y != 1 && x != 1) {
      if (!is_symbol(x) && !is_symbol(y)) {
        p.fail(program_error::shapes_do_not_broadcast, operation, ra, rb);
        return false;
      }
      p.unify(x, y, {extent_check::broadcast, operation, p.intern(ra), p.intern(rb), ra.extent[axis], rb.extent[axis]});
      x = p.resolve(x);
    }
    result.extent[axis] = x == 1 ? y : x;
  }
  return true;
}

namespace detail {

/// The type in which operands meet; numbers take the type of their partner unless they are of a higher kind. Numbers among themselves are
/// computed as C++ does, except that a float is not widened by a literal.
constexpr element_type common_type(const program& p, const int* x, int count, bool floating) {
  element_type strong = element_type::boolean, weak = element_type::boolean;
  bool any_strong = false;
  for (int i = 0; i < count; ++i) {
    const instruction& o = p[x[i]];
    if (o.flags & weak_flag) weak = promote(weak, o.type);
    else {
      strong = promote(strong, o.type);
      any_strong = true;
    }
  }
  const auto kind = [](element_type t) { return t == element_type::boolean ? 0 : is_floating(t) ? 2 : 1; };
  element_type type = strong;
  if (!any_strong) {
    type = floating && !is_floating(weak) ? element_type::float64 : weak;
    for (int i = 0; i < count; ++i)
      if (p[x[i]].type == element_type::float32) type = element_type::float32;
    return type;
  }
  if (kind(weak) > kind(strong)) type = is_floating(weak) ? element_type::float32 : weak;
  if (floating && !is_floating(type)) type = element_type::float32;
  return type;
}

/// Whether a map's operands are numbers beside tensors, so that its result is one too.
constexpr bool are_numbers(const program& p, const operation_info& info, const int* x) {
  if (info.typing == typing::compare || info.typing == typing::logical || info.typing == typing::explicit_) return false;
  for (int i = info.typing == typing::choose ? 1 : 0; i < info.arity; ++i)
    if (!(p[x[i]].flags & weak_flag)) return false;
  return info.typing != typing::choose || p.shape_of(x[0]).rank == 0;
}

/// A value that takes the type of what it meets.
constexpr int record_weak(program& p, int i) {
  if (p.is_constant(i)) return p.constant_from_bits(p[i].type, p.constants[p[i].attribute], weak_flag);
  instruction x = p[i];
  x.flags = static_cast<std::uint8_t>(x.flags | weak_flag);
  return p.put(x);
}

/// Folds arithmetic on two constants, rounded as the run would round it.
constexpr bool fold(opcode operation, element_type type, double a, double b, double& result) {
  if (!is_floating(type)) return false;
  const bool single = type == element_type::float32;
  const auto x = static_cast<float>(a), y = static_cast<float>(b);
  if (operation == opcode_of<operation::add>) result = single ? static_cast<double>(x + y) : a + b;
  else if (operation == opcode_of<operation::sub>) result = single ? static_cast<double>(x - y) : a - b;
  else if (operation == opcode_of<operation::mul>) result = single ? static_cast<double>(x * y) : a * b;
  else if (operation == opcode_of<operation::div> && b != 0) result = single ? static_cast<double>(x / y) : a / b;
  else return false;
  return true;
}

/// The operand that a map simplifies to, or -1. Only what is exact for every value, infinities, NaN and signed zeros included.
constexpr int simplify_map(program& p, opcode operation, element_type type, const int* x, std::int16_t id) {
  const auto whole = [&](int i) { return p[i].shape == id && p[i].type == type; };
  if (operation == opcode_of<operation::mul>) {
    if (p.is_constant(x[0], 1) && whole(x[1])) return x[1];
    if (p.is_constant(x[1], 1) && whole(x[0])) return x[0];
  } else if (operation == opcode_of<operation::div>) {
    if (p.is_constant(x[1], 1) && whole(x[0])) return x[0];
  } else if (operation == opcode_of<operation::sub>) {
    if (p.is_constant(x[1], 0) && p.constants[p[x[1]].attribute] == 0 && whole(x[0])) return x[0];
  } else if (operation == opcode_of<operation::neg>) {
    if (p.is<operation::neg>(x[0])) return p[x[0]].operand[0];
    if (p.is_constant(x[0]) && is_floating(type)) return p.constant(type, -p.constant_of(x[0]));
  } else if (operation == opcode_of<operation::select>) {
    if (x[1] == x[2] && whole(x[1])) return x[1];
    if (p.is_constant(x[0])) {
      const int taken = p.constant_of(x[0]) != 0 ? x[1] : x[2];
      if (whole(taken)) return taken;
    }
  } else if (operation == opcode_of<operation::pow>) {
    if (p.is_constant(x[1], 1) && whole(x[0])) return x[0];
  }
  double folded = 0;
  if ((operation == opcode_of<operation::add> || operation == opcode_of<operation::sub> || operation == opcode_of<operation::mul> ||
       operation == opcode_of<operation::div>) &&
      p.is_constant(x[0]) && p.is_constant(x[1]) && fold(operation, type, p.constant_of(x[0]), p.constant_of(x[1]), folded))
    return p.constant(type, folded);
  return -1;
}

/// Casts the operands of a map to the types that it wants; returns the type in which they meet.
constexpr element_type meet_types(program& p, const operation_info& info, int* x) {
  element_type type = p[x[0]].type;
  switch (info.typing) {
    case typing::promote:
    case typing::floating:
    case typing::compare:
      type = common_type(p, x, info.arity, info.typing == typing::floating);
      for (int i = 0; i < info.arity; ++i) x[i] = record_cast(p, x[i], type);
      break;
    case typing::choose:
      type = common_type(p, x + 1, 2, false);
      x[0] = record_cast(p, x[0], element_type::boolean);
      for (int i = 1; i < 3; ++i) x[i] = record_cast(p, x[i], type);
      break;
    case typing::logical:
      type = element_type::boolean;
      for (int i = 0; i < info.arity; ++i) x[i] = record_cast(p, x[i], type);
      break;
    case typing::explicit_: break;
  }
  return type;
}

/// Records a map whose operands have their final types and broadcast to the shape `id`.
constexpr int record_aligned(program& p, opcode operation, element_type type, int arity, const int* x, std::int16_t id) {
  const instruction* const code = p.instructions.elements;
  const int second = arity > 1 ? x[1] : x[0];
  if (operation == opcode_of<operation::neg> || operation == opcode_of<operation::select> || code[x[0]].operation == opcode_of<operation::constant> ||
      code[second].operation == opcode_of<operation::constant>) {
    const int simpler = simplify_map(p, operation, type, x, id);
    if (simpler >= 0) return simpler;
    if (operation == opcode_of<operation::pow> && p.is_constant(x[1], 2)) return record_map(p, opcode_of<operation::mul>, x[0], x[0]);
  }
  return p.put({.operation = operation,
                .type = type,
                .accumulator = type,
                .operand = {static_cast<std::int16_t>(x[0]), static_cast<std::int16_t>(arity > 1 ? x[1] : -1), static_cast<std::int16_t>(arity > 2 ? x[2] : -1)},
                .shape = id});
}

}  // namespace detail

constexpr int record_map(program& p, opcode operation, int a, int b, int c) {
  const operation_info& info = info_of(operation);
  int x[max_operands] = {a, b, c};
  const instruction* code = p.instructions.elements;
  element_type type = code[a].type;
  // Most operands are of one type.
  const bool alike = info.arity <= 2 && info.typing != typing::choose && info.typing != typing::logical && (info.typing != typing::floating || is_floating(type)) &&
                     !(code[a].flags & weak_flag) && (info.arity == 1 || (code[b].type == type && !(code[b].flags & weak_flag)));
  if (!alike) {
    const bool numbers = detail::are_numbers(p, info, x);
    type = detail::meet_types(p, info, x), code = p.instructions.elements;
    if (numbers) return detail::record_weak(p, detail::record_aligned(p, operation, type, info.arity, x, p.number_shape()));
  }
  if (info.typing == typing::compare) type = element_type::boolean;

  // Most maps have operands of one shape, or numbers beside it: nothing to align, to check or to intern.
  int common = -1;
  for (int i = 0; i < info.arity && common != -2; ++i) {
    const instruction& o = code[x[i]];
    common = o.operation == opcode_of<operation::expand> ? -2 : o.shape == common || p.shapes.elements[o.shape].rank == 0 ? common : common == -1 ? o.shape : -2;
  }
  if (common >= 0) return detail::record_aligned(p, operation, type, info.arity, x, static_cast<std::int16_t>(common));

  int rank = 0;
  for (int i = 0; i < info.arity; ++i) rank = p.shape_of(x[i]).rank > rank ? p.shape_of(x[i]).rank : rank;
  for (int i = 0; i < info.arity; ++i) x[i] = align_rank(p, x[i], rank);
  shape result = p.shape_of(x[0]);
  for (int i = 1; i < info.arity; ++i)
    if (!broadcast_shapes(p, operation, shape(result), p.shape_of(x[i]), result)) return 0;

  // A map broadcasts by itself: an operand that was expanded for nothing else is used as it was.
  for (int i = 0; i < info.arity; ++i) {
    if (!p.is<operation::expand>(x[i])) continue;
    const int bare = align_rank(p, p[x[i]].operand[0], rank);
    const shape s = p.shape_of(bare);
    bool supplied = true;
    for (int axis = 0; axis < result.rank && supplied; ++axis) {
      if (s.rank != 0 && p.resolve(s.extent[axis]) == p.resolve(result.extent[axis])) continue;
      bool other = p.resolve(result.extent[axis]) == 1;
      for (int j = 0; j < info.arity; ++j)
        if (j != i && p.shape_of(x[j]).rank != 0 && p.resolve(p.shape_of(x[j]).extent[axis]) == p.resolve(result.extent[axis])) other = true;
      supplied = other;
    }
    if (supplied) x[i] = bare;
  }

  return detail::record_aligned(p, operation, type, info.arity, x, p.intern(result));
}

/// Records the broadcast of x to shape number `target` of the program; extents of x must be equal or 1.
constexpr int record_expand(program& p, int x, std::int16_t target) {
  const std::int16_t id = p.canonical(target);
  if (p[x].shape == id) return x;
  const shape goal = p.shapes[target];
  if (p.shape_of(x).rank > goal.rank) return p.fail(program_error::shapes_do_not_broadcast, opcode_of<operation::expand>, p.shape_of(x), goal);
  x = align_rank(p, x, goal.rank);
  if (p[x].shape == id) return x;
  shape result;
  if (!broadcast_shapes(p, opcode_of<operation::expand>, p.shape_of(x), goal, result)) return 0;
  for (int axis = 0; axis < goal.rank; ++axis)
    if (p.resolve(result.extent[axis]) != p.resolve(goal.extent[axis]))
      return p.fail(program_error::shapes_do_not_broadcast, opcode_of<operation::expand>, p.shape_of(x), goal);
  if (p.is<operation::expand>(x)) x = p[x].operand[0];
  const element_type type = p[x].type;
  return p.put({.operation = opcode_of<operation::expand>, .type = type, .accumulator = type, .operand = {static_cast<std::int16_t>(x), -1, -1}, .shape = p.canonical(target)});
}
constexpr int record_expand(program& p, int x, const shape& target) { return record_expand(p, x, p.intern(target)); }

/// The mask of all axes.
constexpr unsigned all_axes(int rank) { return (1u << rank) - 1; }

/// Turns axes as written (negative from the end) into a mask; an empty list means all.
constexpr bool axis_mask(program& p, opcode operation, const shape& s, const int* axes, int count, unsigned& mask) {
  mask = count == 0 ? all_axes(s.rank) : 0;
  for (int i = 0; i < count; ++i) {
    const int axis = axes[i] < 0 ? axes[i] + s.rank : axes[i];
    if (axis < 0 || axis >= s.rank) {
      p.fail(program_error::axis_out_of_range, operation, s, {}, axes[i]);
      return false;
    }
    if (mask >> axis & 1) {
      p.fail(program_error::repeated_axis, operation, s, {}, axes[i]);
      return false;
    }
    mask |= 1u << axis;
  }
  return true;
}

/// Removes the axes in the mask, which have extent one.
constexpr int record_squeeze(program& p, int x, unsigned mask) {
  const shape s = p.shape_of(x);
  shape t;
  for (int axis = 0; axis < s.rank; ++axis)
    if (!(mask >> axis & 1)) t.extent[t.rank++] = s.extent[axis];
  return record_reshape(p, x, t);
}

/// Records a reduction over the axes in the mask.
constexpr int record_reduce(program& p, opcode operation, int x, unsigned mask, bool keepdim) {
  const operation_info& info = info_of(operation);
  const bool averages = info.divides_by_count;
  if (info.widens && !is_floating(p[x].type)) x = record_cast(p, x, element_type::int64);
  if (averages && !is_floating(p[x].type)) x = record_cast(p, x, element_type::float32);
  if (p[x].flags & weak_flag) x = record_cast(p, x, p[x].type);
  if (p[x].type == element_type::boolean)  // false < true
    return record_cast(p, record_reduce(p, operation, record_cast(p, x, element_type::int32), mask, keepdim), element_type::boolean);
  const shape s = p.shape_of(x);
  shape t = s;
  unsigned needed = 0;
  for (int axis = 0; axis < s.rank; ++axis) {
    if (!(mask >> axis & 1)) continue;
    if (p.resolve(s.extent[axis]) != 1) needed |= 1u << axis;  // one element is its own reduction
    t.extent[axis] = 1;
    if (!info.has_identity) {
      if (p.resolve(s.extent[axis]) == 0) return p.fail(program_error::empty_reduction, operation, s);
      if (is_symbol(p.resolve(s.extent[axis])))
        p.add_check({extent_check::nonempty, operation, p.intern(s), p.intern(s), s.extent[axis], 0});
    }
  }
  int result = x;
  if (needed != 0) {
    instruction reduce{.operation = operation, .type = p[x].type, .accumulator = p[x].type, .shape = p.intern(t), .attribute = static_cast<std::int32_t>(needed)};
    reduce.operand[0] = static_cast<std::int16_t>(x);
    result = p.put(reduce);
  }
  return keepdim ? result : record_squeeze(p, result, mask);
}

/// The number of elements along the axes in the mask, as a value of the given type.
constexpr int record_count(program& p, const shape& s, unsigned mask, element_type type) {
  double product = 1;
  shape dynamic;
  for (int axis = 0; axis < s.rank; ++axis) {
    if (!(mask >> axis & 1)) continue;
    const extent_t e = p.resolve(s.extent[axis]);
    if (is_symbol(e)) dynamic.extent[dynamic.rank++] = e;
    else product *= static_cast<double>(e);
  }
  if (dynamic.rank == 0) return p.constant(type, product);
  if (product != 1) dynamic.extent[dynamic.rank++] = static_cast<extent_t>(product);
  const int id = p.intern(dynamic);
  return p.put({.operation = opcode_of<operation::count>, .type = type, .accumulator = type, .shape = p.intern({}), .attribute = id});
}

/// Records axes in another order: axis j of the result is axis order[j] of x.
constexpr int record_permute(program& p, int x, const int* order) {
  const shape s = p.shape_of(x);
  shape t;
  t.rank = s.rank;
  bool identity = true;
  std::int32_t code = 0;
  const bool again = p.is<operation::permute>(x);
  const int source = again ? p[x].operand[0] : x;
  for (int axis = 0; axis < s.rank; ++axis) {
    t.extent[axis] = s.extent[order[axis]];
    const int from = again ? p[x].attribute >> 4 * order[axis] & 15 : order[axis];
    code |= static_cast<std::int32_t>(static_cast<std::uint32_t>(from) << 4 * axis);
    identity = identity && from == axis;
  }
  if (identity) return source;
  instruction permute{.operation = opcode_of<operation::permute>, .type = p[x].type, .accumulator = p[x].type, .shape = p.intern(t), .attribute = code};
  permute.operand[0] = static_cast<std::int16_t>(source);
  return p.put(permute);
}

constexpr int permuted_axis(const instruction& permute, int axis) { return permute.attribute >> 4 * axis & 15; }

/// Swaps two axes.
constexpr int record_transpose(program& p, int x, int first, int second) {
  const shape s = p.shape_of(x);
  int order[max_rank]{};
  for (int axis = 0; axis < s.rank; ++axis) order[axis] = axis == first ? second : axis == second ? first : axis;
  return record_permute(p, x, order);
}

/// Records elements start, start + step, … below stop along an axis; stop < 0 counts from the end, `open_end` means all.
inline constexpr std::int64_t open_end = std::int64_t{1} << 62;

constexpr int record_slice(program& p, int x, int axis, std::int64_t start, std::int64_t stop, std::int64_t step) {
  constexpr opcode code = opcode_of<operation::slice>;
  const shape s = p.shape_of(x);
  const extent_t e = p.resolve(s.extent[axis]);
  shape t = s;
  if (step <= 0) return p.fail(program_error::slice_out_of_range, code, s, {}, step);
  if (!is_symbol(e)) {
    const auto clamp = [&](std::int64_t v) { return v < 0 ? (v + e < 0 ? 0 : v + e) : (v > e ? e : v); };
    start = clamp(start);
    stop = clamp(stop);
    t.extent[axis] = stop > start ? (stop - start + step - 1) / step : 0;
  } else {
    if (start < 0 || (stop < 0)) return p.fail(program_error::slice_out_of_range, code, s, {}, start < 0 ? start : stop);
    if (stop == open_end) {
      t.extent[axis] = p.new_symbol({symbol_origin::strided, 0, 0, e, start, step});
      p.add_check({extent_check::at_least, code, p.intern(s), p.intern(s), e, start});
    } else {
      t.extent[axis] = stop > start ? (stop - start + step - 1) / step : 0;
      p.add_check({extent_check::at_least, code, p.intern(s), p.intern(s), e, stop});
    }
  }
  if (p.resolve(t.extent[axis]) == e && start == 0 && step == 1) return x;
  const slice_spec spec{static_cast<std::int16_t>(axis), start, step};
  int k = p.slices.size() - 1;
  while (k >= 0 && !(p.slices[k] == spec)) --k;
  if (k < 0) {
    p.slices.push_back(spec);
    k = p.slices.size() - 1;
  }
  instruction slice{.operation = code, .type = p[x].type, .accumulator = p[x].type, .shape = p.intern(t), .attribute = k};
  slice.operand[0] = static_cast<std::int16_t>(x);
  return p.put(slice);
}

constexpr int record_squeeze(program& p, int x, unsigned mask);

/// Records entry i of the first axis, which goes away; a negative i counts from the end of a static extent.
constexpr int record_index(program& p, int x, std::int64_t i) {
  constexpr opcode code = opcode_of<operation::slice>;
  const shape s = p.shape_of(x);
  if (s.rank == 0) return p.fail(program_error::rank_too_low, code, s);
  const extent_t e = p.resolve(s.extent[0]);
  const std::int64_t at = !is_symbol(e) && i < 0 ? i + e : i;
  if (at < 0 || (!is_symbol(e) && at >= e)) return p.fail(program_error::index_out_of_range, code, s, {}, i);
  return record_squeeze(p, record_slice(p, x, 0, at, at + 1, 1), 1u);
}

/// Records the adjoint of a slice: zeros of a shape with x written where the slice looks.
constexpr int record_embed(program& p, int x, int slice_index, const shape& target) {
  instruction embed{.operation = opcode_of<operation::embed>, .type = p[x].type, .accumulator = p[x].type, .shape = p.intern(target), .attribute = slice_index};
  embed.operand[0] = static_cast<std::int16_t>(x);
  return p.put(embed);
}

/// Sums over what broadcasting added, so that the result has the target's shape: the adjoint of broadcasting.
constexpr int record_sum_to(program& p, int x, const shape& target) {
  const shape goal = target, s = p.shape_of(x);
  if (s.rank == 0 && goal.rank == 0) return x;
  unsigned mask = 0;
  const int added = s.rank - goal.rank;
  for (int axis = 0; axis < s.rank; ++axis)
    if (axis < added || (p.resolve(goal.extent[axis - added]) == 1 && p.resolve(s.extent[axis]) != 1)) mask |= 1u << axis;
  const int reduced = mask == 0 ? x : record_reduce(p, opcode_of<operation::sum>, x, mask, true);
  return record_reshape(p, reduced, goal);
}

/// Records op(a) · op(b) over the last two axes; leading axes broadcast. A transposed operand becomes a flag.
constexpr int record_matmul(program& p, int a, int b, std::uint8_t flags) {
  constexpr opcode code = opcode_of<operation::matmul>;
  int x[2] = {a, b};
  const shape given_a = p.shape_of(a), given_b = p.shape_of(b);
  const element_type type = detail::common_type(p, x, 2, false);
  for (int& i : x) i = record_cast(p, i, type);
  int rank = 2;
  for (int i : x) rank = p.shape_of(i).rank > rank ? p.shape_of(i).rank : rank;
  for (int i = 0; i < 2; ++i) {
    if (p.shape_of(x[i]).rank < 2) return p.fail(program_error::rank_too_low, code, given_a, given_b);
    if (p.is<operation::permute>(x[i])) {
      const instruction permute = p[x[i]];
      const int r = p.shape_of(x[i]).rank;
      bool swaps = permuted_axis(permute, r - 1) == r - 2 && permuted_axis(permute, r - 2) == r - 1;
      for (int axis = 0; axis < r - 2; ++axis) swaps = swaps && permuted_axis(permute, axis) == axis;
      if (swaps) {
        x[i] = permute.operand[0];
        flags = static_cast<std::uint8_t>(flags ^ (i == 0 ? transpose_left : transpose_right));
      }
    }
    x[i] = align_rank(p, x[i], rank);
  }
  const shape s = p.shape_of(x[0]), t = p.shape_of(x[1]);
  const extent_t rows = s.extent[flags & transpose_left ? rank - 1 : rank - 2], inner_a = s.extent[flags & transpose_left ? rank - 2 : rank - 1];
  const extent_t inner_b = t.extent[flags & transpose_right ? rank - 1 : rank - 2], columns = t.extent[flags & transpose_right ? rank - 2 : rank - 1];
  if (p.resolve(inner_a) != p.resolve(inner_b)) {
    if (!is_symbol(p.resolve(inner_a)) && !is_symbol(p.resolve(inner_b))) return p.fail(program_error::inner_extents_differ, code, s, t);
    p.unify(inner_a, inner_b, {extent_check::equal, code, p.intern(s), p.intern(t), inner_a, inner_b});
  }
  shape batch_a = s, batch_b = t, result;
  batch_a.rank = batch_b.rank = rank - 2;
  if (!broadcast_shapes(p, code, batch_a, batch_b, result)) return 0;
  result.rank = rank;
  result.extent[rank - 2] = rows;
  result.extent[rank - 1] = columns;
  instruction matmul{.operation = code, .type = type, .accumulator = type, .flags = flags, .shape = p.intern(result)};
  matmul.operand[0] = static_cast<std::int16_t>(x[0]);
  matmul.operand[1] = static_cast<std::int16_t>(x[1]);
  return p.put(matmul);
}

/// The position along an axis of a shape.
constexpr int record_iota(program& p, const shape& s, int axis, element_type type) {
  return p.put({.operation = opcode_of<operation::iota>, .type = type, .accumulator = type, .shape = p.intern(s), .attribute = axis});
}

/// Uniform numbers in [0, 1) of a shape.
constexpr int record_uniform(program& p, int key, int offset, const shape& s, element_type type) {
  instruction uniform{.operation = opcode_of<operation::uniform>, .type = type, .accumulator = type, .shape = p.intern(s)};
  uniform.operand[0] = static_cast<std::int16_t>(key);
  uniform.operand[1] = static_cast<std::int16_t>(offset);
  return p.put(uniform);
}

}  // namespace fluxion::graph
