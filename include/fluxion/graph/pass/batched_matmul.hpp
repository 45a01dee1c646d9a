/// The product of matrices for a batch: which of the ways to compute it is the cheapest.
#pragma once
#include "../record.hpp"

namespace fluxion::graph {

/// What stands for an instruction: a value of its shape or, batched, of that shape behind the batch axis.
struct replacement {
  int index = -1;
  bool batched = false;
};

constexpr shape with_batch(extent_t batch, const shape& s) {
  shape t;
  t.rank = s.rank + 1;
  t.extent[0] = batch;
  for (int axis = 0; axis < s.rank; ++axis) t.extent[axis + 1] = s.extent[axis];
  return t;
}

/// The product of extents: static, one of them, or a symbol of its own.
constexpr extent_t product_extent(program& p, const shape& s) {
  std::int64_t known = 1;
  shape dynamic;
  for (int axis = 0; axis < s.rank; ++axis) {
    const extent_t e = p.resolve(s.extent[axis]);
    if (is_symbol(e)) dynamic.extent[dynamic.rank++] = e;
    else known *= e;
  }
  if (dynamic.rank == 0) return known;
  if (known == 0) return 0;
  if (dynamic.rank == 1 && known == 1) return dynamic.extent[0];
  if (known != 1) dynamic.extent[dynamic.rank++] = known;
  return p.new_symbol({symbol_origin::quotient, p.intern(dynamic), 0, 0, 1, 1});
}

namespace detail {

/// x in row-major order with the leading axes of `like` and two last extents.
constexpr int with_last_extents(program& p, int x, const shape& like, extent_t rows, extent_t columns) {
  shape t = like;
  t.extent[t.rank - 2] = rows;
  t.extent[t.rank - 1] = columns;
  return record_reshape(p, x, t);
}

/// The matrices of x one below the other: one matrix, if that is one whose rows are x's last axis.
constexpr int as_rows(program& p, int x) {
  shape s = p.shape_of(x), t;
  const extent_t columns = s.extent[s.rank - 1];
  --s.rank;
  t.rank = 2;
  t.extent[0] = product_extent(p, s);
  t.extent[1] = columns;
  return record_reshape(p, x, t);
}

/// As many rows per example make one large product cheaper than one for each example with its epilogue in cache.
inline constexpr std::int64_t most_folded_rows = 32;

constexpr bool few(const program& p, const shape& s, extent_t rows) {
  std::int64_t n = p.resolve(rows);
  if (is_symbol(n)) return false;
  for (int axis = 0; axis + 2 < s.rank; ++axis) {
    const extent_t e = p.resolve(s.extent[axis]);
    if (is_symbol(e)) return false;
    n *= e;
  }
  return n <= most_folded_rows;
}

/// As many multiplications for each example are cheaper as part of what surrounds them than as a call.
inline constexpr std::int64_t most_tiny_products = 32;

constexpr bool is_tiny(extent_t m, extent_t n, extent_t k) { return m > 0 && n > 0 && k > 0 && m * n * k <= most_tiny_products; }

/// x with one more axis of extent 1.
constexpr int with_axis(program& p, int x, int at) {
  const shape s = p.shape_of(x);
  shape t;
  t.rank = s.rank + 1;
  for (int axis = 0; axis < t.rank; ++axis) t.extent[axis] = axis < at ? s.extent[axis] : axis == at ? 1 : s.extent[axis - 1];
  return record_reshape(p, x, t);
}

constexpr bool is_one_matrix(const program& p, const shape& s) {
  for (int axis = 0; axis + 2 < s.rank; ++axis)
    if (p.resolve(s.extent[axis]) != 1) return false;
  return true;
}

}  // namespace detail

/// Records product i of the program for a batch, of which a and b are the operands, at least one of them batched. Outer products are
/// multiplied elementwise, and products of tiny matrices or of a batch of matrices with one of vectors are sums of such, which fuse with their
/// neighbours. If one operand is a single matrix for all and the examples of the other have few rows, all rows are one matrix. What remains is a product
/// for each example.
constexpr int record_batched_matmul(program& p, int i, const replacement& a, const replacement& b, extent_t batch) {
  const instruction x = p[i];
  const shape s = p.shape_of(i), goal = with_batch(batch, s);
  const int rank = goal.rank;
  const bool left = x.flags & transpose_left, right = x.flags & transpose_right;
  int u = align_rank(p, a.index, rank), v = align_rank(p, b.index, rank);
  const shape of_a = p.shape_of(u), of_b = p.shape_of(v);
  const extent_t m = p.resolve(s.extent[s.rank - 2]), n = p.resolve(s.extent[s.rank - 1]), k = p.resolve(of_a.extent[left ? rank - 2 : rank - 1]);
  const auto multiply = [&] { return record_map(p, opcode_of<operation::mul>, u, v); };
  const auto sum_over = [&](int axis) { return record_reduce(p, opcode_of<operation::sum>, multiply(), 1u << axis, true); };
  if (is_floating(x.type) && k == 1) {
    u = detail::with_last_extents(p, u, of_a, m, 1);
    v = detail::with_last_extents(p, v, of_b, 1, n);
    return record_expand(p, multiply(), goal);
  }
  if (is_floating(x.type) && a.batched && b.batched && (m == 1 || n == 1)) {
    if (n == 1) {  // u is [m, k], left [k, m]
      v = left ? detail::with_last_extents(p, v, of_b, k, 1) : detail::with_last_extents(p, v, of_b, 1, k);
      return detail::with_last_extents(p, sum_over(left ? rank - 2 : rank - 1), goal, m, 1);
    }
    u = right ? detail::with_last_extents(p, u, of_a, 1, k) : detail::with_last_extents(p, u, of_a, k, 1);
    return detail::with_last_extents(p, sum_over(right ? rank - 1 : rank - 2), goal, 1, n);
  }
  if (is_floating(x.type) && rank < max_rank && detail::is_tiny(m, n, k)) {
    // [..., m, 1, k] times [..., 1, n, k], summed over k.
    if (left) u = record_transpose(p, u, rank - 2, rank - 1);
    if (!right) v = record_transpose(p, v, rank - 2, rank - 1);
    u = detail::with_axis(p, u, rank - 1);
    v = detail::with_axis(p, v, rank - 2);
    return record_reshape(p, sum_over(rank), goal);
  }
  if (!b.batched && detail::is_one_matrix(p, of_b) && (!left || m == 1) && detail::few(p, s, m)) {
    u = detail::as_rows(p, detail::with_last_extents(p, u, of_a, m, k));
    v = detail::as_rows(p, v);
    return record_reshape(p, record_matmul(p, u, v, right ? transpose_right : std::uint8_t{0}), goal);
  }
  if (!a.batched && detail::is_one_matrix(p, of_a) && (right || n == 1) && detail::few(p, s, n)) {  // the transposed product
    v = detail::as_rows(p, detail::with_last_extents(p, v, of_b, n, k));
    u = detail::as_rows(p, u);
    const int rows = record_matmul(p, v, u, left ? std::uint8_t{0} : transpose_right);
    return record_transpose(p, detail::with_last_extents(p, rows, goal, n, m), rank - 2, rank - 1);
  }
  return record_matmul(p, u, v, x.flags);
}

}  // namespace fluxion::graph
