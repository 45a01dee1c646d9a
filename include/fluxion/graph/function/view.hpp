/// Functions that change how elements are looked at, and the matrix product.
#pragma once
#include "../../core/axes.hpp"
#include "../concatenate.hpp"
#include "elementwise.hpp"

namespace fluxion {

namespace graph {

template <int... I>
struct permute_function {
  static constexpr std::string_view name = "permute";
  static constexpr Symbol trace(const Symbol& x) {
    constexpr int count = static_cast<int>(sizeof...(I));
    const int given[count + 1] = {I..., 0};
    unsigned mask = 0;
    if (x.rank() != count) return x.at(x.program().fail(program_error::axis_out_of_range, opcode_of<operation::permute>, x.shape(), {}, count));
    if (!axis_mask(x.program(), opcode_of<operation::permute>, x.shape(), given, count, mask)) return x;
    int order[max_rank]{};
    for (int axis = 0; axis < count; ++axis) order[axis] = given[axis] < 0 ? given[axis] + count : given[axis];
    return x.at(record_permute(x.program(), x.index(), order));
  }
};

template <int A, int B>
struct transpose_function {
  static constexpr std::string_view name = "transpose";
  static constexpr Symbol trace(const Symbol& x) {
    const int rank = x.rank(), a = A < 0 ? A + rank : A, b = B < 0 ? B + rank : B;
    if (a < 0 || a >= rank || b < 0 || b >= rank)
      return x.at(x.program().fail(program_error::axis_out_of_range, opcode_of<operation::permute>, x.shape(), {}, a < 0 || a >= rank ? A : B));
    return x.at(record_transpose(x.program(), x.index(), a, b));
  }
};

/// Fills in the negative extent of t, if there is one, so that it has as many elements as s; the run checks what the types do not say. False
/// after an error.
constexpr bool infer_extents(program& p, const shape& s, shape& t) {
  constexpr opcode code = opcode_of<operation::reshape>;
  int inferred = -1, symbols = 0;
  std::int64_t known = 1, total = 1;
  const shape given = t;
  const auto differ = [&] {
    p.fail(program_error::element_counts_differ, code, s, given);
    return false;
  };
  for (int axis = 0; axis < t.rank; ++axis) {
    if (t.extent[axis] >= 0) known *= t.extent[axis];
    else if (inferred < 0) inferred = axis;
    else return differ();
  }
  for (int axis = 0; axis < s.rank; ++axis) {
    const extent_t e = p.resolve(s.extent[axis]);
    if (is_symbol(e)) ++symbols;
    else total *= e;
  }
  if (symbols == 0) {
    if (inferred >= 0) {
      if (known == 0 || total % known != 0) return differ();
      t.extent[inferred] = total / known;
    } else if (known != total) return differ();
  } else {
    const std::int16_t id = p.intern(s);
    if (inferred >= 0) {
      p.add_check({extent_check::divides, code, id, id, 0, known});
      // One run-time extent and the same static rest: the inferred extent is that one.
      extent_t same = 0;
      if (symbols == 1 && total == known)
        for (int axis = 0; axis < s.rank; ++axis)
          if (is_symbol(p.resolve(s.extent[axis]))) same = p.resolve(s.extent[axis]);
      t.extent[inferred] = same != 0 ? same : p.new_symbol({symbol_origin::quotient, id, 0, 0, known, 1});
    } else p.add_check({extent_check::equal, code, id, id, p.new_symbol({symbol_origin::quotient, id, 0, 0, 1, 1}), known});
  }
  return true;
}

template <std::int64_t... E>
struct reshape_function {
  static constexpr std::string_view name = "reshape";
  static constexpr Symbol trace(const Symbol& x) {
    program& p = x.program();
    const std::int64_t given[] = {E..., 0};
    shape t;
    t.rank = static_cast<int>(sizeof...(E));
    for (int axis = 0; axis < t.rank; ++axis) t.extent[axis] = given[axis];
    if (!infer_extents(p, x.shape(), t)) return x;
    return x.at(record_reshape(p, x.index(), t));
  }
};

template <int First, int Last>
struct flatten_function {
  static constexpr std::string_view name = "flatten";
  static constexpr Symbol trace(const Symbol& x) {
    program& p = x.program();
    const shape s = x.shape();
    const int first = First < 0 ? First + s.rank : First, last = Last < 0 ? Last + s.rank : Last;
    if (s.rank == 0) return x.at(record_reshape(p, x.index(), [] { shape t; t.rank = 1; t.extent[0] = 1; return t; }()));
    if (first < 0 || last >= s.rank || first > last)
      return x.at(p.fail(program_error::axis_out_of_range, opcode_of<operation::reshape>, s, {}, first < 0 || first >= s.rank ? First : Last));
    shape t, merged;
    std::int64_t product = 1;
    for (int axis = 0; axis < s.rank; ++axis) {
      if (axis < first || axis > last) {
        t.extent[t.rank++] = s.extent[axis];
        continue;
      }
      const extent_t e = p.resolve(s.extent[axis]);
      if (is_symbol(e)) merged.extent[merged.rank++] = e;
      else product *= e;
      if (axis != last) continue;
      if (merged.rank == 0) t.extent[t.rank++] = product;
      else if (merged.rank == 1 && product == 1) t.extent[t.rank++] = merged.extent[0];
      else {
        if (product != 1) merged.extent[merged.rank++] = product;
        t.extent[t.rank++] = p.new_symbol({symbol_origin::quotient, p.intern(merged), 0, 0, 1, 1});
      }
    }
    return x.at(record_reshape(p, x.index(), t));
  }
};

template <int Axis>
struct unsqueeze_function {
  static constexpr std::string_view name = "unsqueeze";
  static constexpr Symbol trace(const Symbol& x) {
    program& p = x.program();
    const shape s = x.shape();
    const int at = Axis < 0 ? Axis + s.rank + 1 : Axis;
    if (at < 0 || at > s.rank) return x.at(p.fail(program_error::axis_out_of_range, opcode_of<operation::reshape>, s, {}, Axis));
    shape t;
    t.rank = s.rank + 1;
    for (int axis = 0; axis < t.rank; ++axis) t.extent[axis] = axis < at ? s.extent[axis] : axis == at ? 1 : s.extent[axis - 1];
    return x.at(record_reshape(p, x.index(), t));
  }
};

template <int Axis>
struct squeeze_function {
  static constexpr std::string_view name = "squeeze";
  static constexpr Symbol trace(const Symbol& x) {
    program& p = x.program();
    const shape s = x.shape();
    const int at = Axis < 0 ? Axis + s.rank : Axis;
    if (at < 0 || at >= s.rank) return x.at(p.fail(program_error::axis_out_of_range, opcode_of<operation::reshape>, s, {}, Axis));
    if (p.resolve(s.extent[at]) != 1) return x;
    return x.at(record_squeeze(p, x.index(), 1u << at));
  }
};

template <int Axis, std::int64_t Start, std::int64_t Stop, std::int64_t Step>
struct slice_function {
  static constexpr std::string_view name = "slice";
  static constexpr Symbol trace(const Symbol& x) {
    const int rank = x.rank(), axis = Axis < 0 ? Axis + rank : Axis;
    if (axis < 0 || axis >= rank)
      return x.at(x.program().fail(program_error::axis_out_of_range, opcode_of<operation::slice>, x.shape(), {}, Axis));
    return x.at(record_slice(x.program(), x.index(), axis, Start, Stop, Step));
  }
};

template <int Axis, std::int64_t Before, std::int64_t After>
struct pad_function {
  static_assert(Before >= 0 && After >= 0, "pad: the numbers of zeros are not negative");
  static constexpr std::string_view name = "pad";
  static constexpr Symbol trace(const Symbol& x) {
    program& p = x.program();
    const shape s = x.shape();
    const int axis = Axis < 0 ? Axis + s.rank : Axis;
    if (axis < 0 || axis >= s.rank) return x.at(p.fail(program_error::axis_out_of_range, opcode_of<operation::embed>, s, {}, Axis));
    shape t = s;
    const extent_t e = p.resolve(s.extent[axis]);
    if (is_symbol(e)) return x.at(p.fail(program_error::pad_of_unknown_extent, opcode_of<operation::embed>, s));
    t.extent[axis] = e + Before + After;
    if (Before + After == 0) return x;
    p.slices.push_back({static_cast<std::int16_t>(axis), Before, 1});
    return x.at(record_embed(p, x.cast(x.type()).index(), p.slices.size() - 1, t));
  }
};

template <std::int64_t... E>
struct expand_function {
  static constexpr std::string_view name = "expand";
  static constexpr Symbol trace(const Symbol& x) {
    shape t;
    const std::int64_t given[] = {E..., 0};
    const shape s = x.shape();
    t.rank = static_cast<int>(sizeof...(E));
    for (int axis = 0; axis < t.rank; ++axis) {
      const int from = axis - (t.rank - s.rank);
      t.extent[axis] = given[axis] >= 0 || from < 0 ? given[axis] : s.extent[from];
    }
    return x.at(record_expand(x.program(), x.index(), t));
  }
};

template <int Axis>
struct concatenate_function {
  static constexpr std::string_view name = "cat";
  template <class... X>
  static constexpr Symbol trace(const Symbol& x, const X&... more) {
    list<int> parts;
    parts.push_back(x.index());
    (parts.push_back(more.index()), ...);
    return x.at(record_concatenate(x.program(), static_cast<list<int>&&>(parts), Axis < 0 ? Axis + x.rank() : Axis));
  }
};

template <int Axis>
struct stack_function {
  static constexpr std::string_view name = "stack";
  template <class... X>
  static constexpr Symbol trace(const Symbol& x, const X&... more) {
    constexpr int axis = Axis;
    program& p = x.program();
    const int at = axis < 0 ? axis + x.rank() + 1 : axis;
    list<int> parts;
    const auto add = [&](const Symbol& part) {
      const shape s = part.shape();
      if (at < 0 || at > s.rank || s.rank >= max_rank) return;
      shape t;
      t.rank = s.rank + 1;
      for (int k = 0; k < t.rank; ++k) t.extent[k] = k < at ? s.extent[k] : k == at ? 1 : s.extent[k - 1];
      parts.push_back(record_reshape(p, part.cast(part.type()).index(), t));
    };
    add(x);
    (add(more), ...);
    if (parts.size() != 1 + static_cast<int>(sizeof...(X)))
      return x.at(p.fail(x.rank() >= max_rank ? program_error::rank_too_high : program_error::axis_out_of_range, opcode_of<operation::concatenate>, x.shape(), {}, axis));
    return x.at(record_concatenate(p, static_cast<list<int>&&>(parts), at));
  }
};

template <int Axis, std::int64_t... E>
struct unflatten_function {
  static constexpr std::string_view name = "unflatten";
  static constexpr Symbol trace(const Symbol& x) {
    program& p = x.program();
    const shape s = x.shape();
    constexpr int count = static_cast<int>(sizeof...(E));
    const std::int64_t given[] = {E..., 0};
    const int axis = Axis < 0 ? Axis + s.rank : Axis;
    if (axis < 0 || axis >= s.rank) return x.at(p.fail(program_error::axis_out_of_range, opcode_of<operation::reshape>, s, {}, Axis));
    if (s.rank + count - 1 > max_rank) return x.at(p.fail(program_error::rank_too_high, opcode_of<operation::reshape>, s));
    // Only the one axis: what it becomes is inferred from it alone, whatever the run says about the others.
    shape one, parts, t;
    one.rank = 1, one.extent[0] = s.extent[axis];
    parts.rank = count;
    for (int k = 0; k < count; ++k) parts.extent[k] = given[k];
    if (!infer_extents(p, one, parts)) return x;
    t.rank = s.rank + count - 1;
    for (int k = 0; k < t.rank; ++k) t.extent[k] = k < axis ? s.extent[k] : k < axis + count ? parts.extent[k - axis] : s.extent[k - count + 1];
    return x.at(record_reshape(p, x.index(), t));
  }
};

struct matmul_function {
  static constexpr std::string_view name = "matmul";
  static constexpr Symbol trace(const Symbol& a, const Symbol& b) {
    program& p = a.program();
    // As torch.matmul: a vector is a row on the left and a column on the right, and that axis is removed again.
    int x = a.index(), y = b.index();
    const int rank_a = a.rank(), rank_b = b.rank();
    if (rank_a == 1) x = unsqueeze_function<0>::trace(a).index();
    if (rank_b == 1) y = unsqueeze_function<1>::trace(b).index();
    const int product = record_matmul(p, x, y, 0);
    const int rank = p.shape_of(product).rank;
    unsigned mask = 0;
    if (rank_a == 1 && rank >= 2) mask |= 1u << (rank - 2);
    if (rank_b == 1 && rank >= 2) mask |= 1u << (rank - 1);
    return a.at(mask == 0 ? product : record_squeeze(p, product, mask));
  }
};

}  // namespace graph

inline namespace FLUXION_ABI {

/// Axes in another order: `permute(x, axes<2, 0, 1>)`.
template <Tensorial X, int... I>
constexpr auto permute(X&& x, axes_t<I...>) { return call<graph::permute_function<I...>>(std::forward<X>(x)); }
/// Two axes swapped: `transpose<0, 1>(x)`.
template <int A = -2, int B = -1, Tensorial X>
constexpr auto transpose(X&& x) { return call<graph::transpose_function<A, B>>(std::forward<X>(x)); }
/// Another shape in row-major order; one extent may be -1: `reshape<-1, 64>(x)`.
template <std::int64_t... E, Tensorial X>
constexpr auto reshape(X&& x) { return call<graph::reshape_function<E...>>(std::forward<X>(x)); }
/// Axes First to Last as one.
template <int First = 0, int Last = -1, Tensorial X>
constexpr auto flatten(X&& x) { return call<graph::flatten_function<First, Last>>(std::forward<X>(x)); }
template <int Axis, Tensorial X>
constexpr auto unsqueeze(X&& x) { return call<graph::unsqueeze_function<Axis>>(std::forward<X>(x)); }
template <int Axis, Tensorial X>
constexpr auto squeeze(X&& x) { return call<graph::squeeze_function<Axis>>(std::forward<X>(x)); }
/// Elements Start, Start + Step, … below Stop along an axis: `slice_axis<1, 0, 10>(x)`.
template <int Axis, std::int64_t Start, std::int64_t Stop = graph::open_end, std::int64_t Step = 1, Tensorial X>
constexpr auto slice_axis(X&& x) { return call<graph::slice_function<Axis, Start, Stop, Step>>(std::forward<X>(x)); }
/// Zeros before and after the elements along an axis of static extent: `pad<0, 1, 1>(x)`.
template <int Axis, std::int64_t Before, std::int64_t After, Tensorial X>
constexpr auto pad(X&& x) { return call<graph::pad_function<Axis, Before, After>>(std::forward<X>(x)); }
/// Broadcast to static extents; -1 keeps an axis: `expand<32, -1>(x)`.
template <std::int64_t... E, Tensorial X>
constexpr auto expand(X&& x) { return call<graph::expand_function<E...>>(std::forward<X>(x)); }
/// Tensors one behind the other along an axis, whose extents must be static: `cat<1>(a, b, c)`. torch.cat of several arguments.
template <int Axis = 0, Tensorial X, Tensorial... Y>
constexpr auto cat(X&& x, Y&&... y) { return call<graph::concatenate_function<Axis>>(std::forward<X>(x), std::forward<Y>(y)...); }
/// Tensors of one shape, or numbers, side by side along a new axis: `stack<1>(a, b)`.
template <int Axis = 0, Operand... X>
  requires(Tensorial<X> || ...)
constexpr auto stack(X&&... x) { return call<graph::stack_function<Axis>>(std::forward<X>(x)...); }
/// One axis as several, of which one extent may be -1: `unflatten<1, 4, -1>(x)`.
template <int Axis, std::int64_t... E, Tensorial X>
constexpr auto unflatten(X&& x) { return call<graph::unflatten_function<Axis, E...>>(std::forward<X>(x)); }
/// The product of matrices over the last two axes, batched over the leading ones; vectors as in torch.matmul.
template <class A, class B> requires(Tensorial<A> && Tensorial<B>)
constexpr auto matmul(A&& a, B&& b) { return call<graph::matmul_function>(std::forward<A>(a), std::forward<B>(b)); }

}  // namespace FLUXION_ABI
}  // namespace fluxion
