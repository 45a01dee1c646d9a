/// Reverse mode: appends the adjoints of a program to it.
#pragma once
#include "../function/composition.hpp"
#include "direction.hpp"

namespace fluxion::graph {

namespace detail {

/// Adjoint of operand `index` of map O, or an empty symbol where there is none.
template <class O>
constexpr Symbol map_adjoint(int index, const Symbol& d, const Symbol* x, const Symbol& y) {
  if constexpr (O::family != family::map) return {};
  else if constexpr (requires { O::differentiable; }) return {};
  else if constexpr (O::arity == 1) return O::template derivative<0>(d, x[0], y);
  else if constexpr (O::arity == 2)
    return index == 0 ? O::template derivative<0>(d, x[0], x[1], y) : O::template derivative<1>(d, x[0], x[1], y);
  else
    return index == 1 ? O::template derivative<1>(d, x[0], x[1], x[2], y) : O::template derivative<2>(d, x[0], x[1], x[2], y);
}

template <class O>
constexpr Symbol reduce_adjoint(const Symbol& d, const Symbol& x, const Symbol& y, unsigned axes) {
  if constexpr (O::family != family::reduce) return {};
  else return O::adjoint(d, x, y, axes);
}

/// An adjoint that was chosen by `where`, perhaps several times, and is zero elsewhere: where(condition, chosen, 0), or the other way round.
struct choices {
  static constexpr int capacity = 4;
  int chosen;
  int condition[capacity]{};
  bool inverted[capacity]{};
  int count = 0;
};
constexpr choices choices_of(const program& p, int adjoint) {
  choices c{adjoint};
  while (c.count < choices::capacity && p.is<operation::select>(c.chosen)) {
    const instruction& x = p.instructions.elements[c.chosen];
    const bool first = p.is_constant(x.operand[2], 0);
    if (!first && !p.is_constant(x.operand[1], 0)) break;
    c.condition[c.count] = x.operand[0];
    c.inverted[c.count++] = !first;
    c.chosen = x.operand[first ? 1 : 2];
  }
  return c;
}
constexpr Symbol choose(const choices& c, Symbol d) {
  for (int k = c.count; k-- > 0;) {
    const Symbol condition(d.program(), c.condition[k]);
    d = c.inverted[k] ? where(condition, 0, d) : where(condition, d, 0);
  }
  return d;
}

/// Whether a map's slope is 1 or -1 everywhere.
constexpr bool has_unit_slope(opcode operation) {
  return operation == opcode_of<operation::add> || operation == opcode_of<operation::sub> || operation == opcode_of<operation::neg> ||
         operation == opcode_of<operation::cast> || operation == opcode_of<operation::expand>;
}

template <class List>
struct adjoint_rules;
template <class... O>
struct adjoint_rules<operation::operations<O...>> {
  using map_rule = Symbol (*)(int, const Symbol&, const Symbol*, const Symbol&);
  using reduce_rule = Symbol (*)(const Symbol&, const Symbol&, const Symbol&, unsigned);
  static constexpr map_rule map[sizeof...(O)] = {&map_adjoint<O>...};
  static constexpr reduce_rule reduce[sizeof...(O)] = {&reduce_adjoint<O>...};
};
using rules = adjoint_rules<all_operations>;

}  // namespace detail

constexpr list<int> append_adjoints(program& p, const list<int>& outputs, const list<int>& seeds, const list<int>& wrt);

namespace detail {

/// Whether an input of the custom call that computes instruction i is marked.
constexpr bool depends_on_marked(const program& p, int i, const bool* marked) {
  const custom_call& c = p.custom_calls[p.custom_call_of(i)];
  for (int k = 0; k < c.inputs; ++k)
    if (marked[p.custom_value(c, k)]) return true;
  return false;
}

/// Appends the adjoints of a custom call's inputs by its rule; where it has one for tangents only, by transposing that: the adjoint of what is
/// linear does not depend on where it is taken.
constexpr void append_custom_adjoints(program& p, const custom_call& c, const list<int>& given, const bool* needed, list<int>& found) {
  if (c.adjoint != nullptr) return c.adjoint(p, c, given.elements, found.elements);
  list<int> tangents(c.inputs, -1), results(c.outputs, -1), wrt, outputs, seeds;
  for (int k = 0; k < c.inputs; ++k)
    if (needed[p.custom_value(c, k)]) wrt.push_back(tangents[k] = p.placeholder(p.custom_value(c, k), p[p.custom_value(c, k)].shape));
  c.tangent(p, c, tangents.elements, results.elements);
  for (int k = 0; k < c.outputs; ++k)
    if (results[k] >= 0 && given[k] >= 0) {
      outputs.push_back(record_direction(p, results[k], p.custom_value(c, c.inputs + c.residuals + k)));
      seeds.push_back(given[k]);
    }
  const list<int> adjoints = append_adjoints(p, outputs, seeds, wrt);
  for (int k = 0, next = 0; k < c.inputs; ++k)
    if (tangents[k] >= 0) found[k] = adjoints[next++];
}

}  // namespace detail

/// Appends to `p` the adjoints of `outputs`, seeded with `seeds` (same shapes), and returns the adjoint of each of `wrt`, of that
/// instruction's shape and type (zeros where nothing depends on it). One sweep over the instructions, O(n).
constexpr list<int> append_adjoints(program& p, const list<int>& outputs, const list<int>& seeds, const list<int>& wrt) {
  const int size = p.size();
  const bool has_calls = !p.custom_calls.empty();
  p.differentiated = true;
  list<bool> needed_by(size, false);
  bool* const needed = needed_by.elements;
  for (int w : wrt) {
    if (!is_floating(p[w].type)) p.fail(program_error::not_differentiable, p[w].operation, p.shape_of(w));
    needed[w] = true;
  }
  for (int i = 0; i < size; ++i) {
    const instruction& x = p.instructions.elements[i];
    const bool any = (x.operand[0] >= 0 && needed[x.operand[0]]) || (x.operand[1] >= 0 && needed[x.operand[1]]) || (x.operand[2] >= 0 && needed[x.operand[2]]);
    if (any && is_floating(x.type) && info_of(x.operation).differentiable) needed[i] = true;
    if (x.operation == opcode_of<operation::detach> && x.attribute > 0 && detail::depends_on_marked(p, i, needed)) needed[i] = is_floating(x.type);
  }

  list<int> adjoints(size, -1);
  int* const adjoint = adjoints.elements;
  const auto accumulate = [&](int i, int d, int from) {
    if (!needed[i]) return;
    const std::int16_t goal = p.instructions.elements[i].shape;
    if (from >= 0) d = record_expand(p, d, p.instructions.elements[from].shape);
    if (p.instructions.elements[d].shape != goal || p.canonical(goal) != goal) d = record_sum_to(p, d, p.shapes[goal]);
    d = record_cast(p, d, p.instructions.elements[i].type);
    adjoint[i] = adjoint[i] < 0 ? d : record_map(p, opcode_of<operation::add>, adjoint[i], d);
  };
  for (int k = 0; k < outputs.size(); ++k) {
    const int d = record_expand(p, record_cast(p, seeds[k], p[outputs[k]].type), p[outputs[k]].shape);
    if (needed[outputs[k]]) adjoint[outputs[k]] = adjoint[outputs[k]] < 0 ? d : record_map(p, opcode_of<operation::add>, adjoint[outputs[k]], d);
  }

  // All of a custom call's outputs have their adjoints when the first of them is met.
  const auto follow_rule = [&](int first_output) {
    const custom_call c = p.custom_calls[p.custom_call_of(first_output)];
    list<int> given, found(c.inputs, -1);
    bool any = false;
    for (int k = 0; k < c.outputs; ++k) {
      given.push_back(adjoint[p.custom_value(c, c.inputs + c.residuals + k)]);
      any = any || given[k] >= 0;
    }
    if (!any) return;
    detail::append_custom_adjoints(p, c, given, needed, found);
    for (int k = 0; k < c.inputs; ++k) {
      const int input = p.custom_value(c, k);
      if (found[k] >= 0 && needed[input]) accumulate(input, record_direction(p, found[k], input), -1);
    }
  };

  for (int i = size - 1; i >= 0; --i) {
    if (has_calls && needed[i]) {
      const int call = p.custom_call_of(i);
      if (call >= 0) {
        const custom_call& c = p.custom_calls[call];
        if (p.custom_value(c, c.inputs + c.residuals) == i) follow_rule(i);
        continue;
      }
    }
    if (adjoint[i] < 0 || !needed[i]) continue;
    const instruction x = p.instructions.elements[i];
    const operation_info& info = info_of(x.operation);
    const Symbol d(p, adjoint[i]), y(p, i);
    switch (info.family) {
      case family::map: {
        const Symbol operand[max_operands] = {Symbol(p, x.operand[0]), Symbol(p, x.operand[1]), Symbol(p, x.operand[2])};
        // Where a branch was not taken its adjoint is zero, and zero times an infinite slope would be NaN: what was chosen goes through the
        // rule, which is linear and elementwise, and is chosen again behind it.
        detail::choices c{d.index()};
        if (!detail::has_unit_slope(x.operation)) c = detail::choices_of(p, d.index());
        for (int k = 0; k < info.arity; ++k) {
          if (!needed[x.operand[k]]) continue;
          accumulate(x.operand[k], detail::choose(c, detail::rules::map[x.operation](k, d.at(c.chosen), operand, y)).index(), i);
        }
        break;
      }
      case family::reduce: {
        const Symbol from(p, x.operand[0]);
        accumulate(x.operand[0], detail::rules::reduce[x.operation](d, from, y, static_cast<unsigned>(x.attribute)).index(), x.operand[0]);
        break;
      }
      case family::view: {
        if (x.operation == opcode_of<operation::concatenate>) {
          std::int64_t start = 0;
          for (const int o : x.operand) {
            if (o < 0) continue;
            const std::int64_t next = start + p.resolve(p.shape_of(o).extent[x.attribute]);
            if (needed[o]) accumulate(o, record_slice(p, d.index(), x.attribute, start, next, 1), -1);
            start = next;
          }
          break;
        }
        int back = d.index();
        if (x.operation == opcode_of<operation::permute>) {
          int order[max_rank]{};
          for (int axis = 0; axis < y.rank(); ++axis) order[permuted_axis(x, axis)] = axis;
          back = record_permute(p, back, order);
        } else if (x.operation == opcode_of<operation::reshape>) back = record_reshape(p, back, p.shape_of(x.operand[0]));
        else if (x.operation == opcode_of<operation::slice>) back = record_embed(p, back, x.attribute, p.shape_of(x.operand[0]));
        else {
          instruction slice{.operation = opcode_of<operation::slice>, .type = x.type, .accumulator = x.type, .shape = p[x.operand[0]].shape, .attribute = x.attribute};
          slice.operand[0] = static_cast<std::int16_t>(back);
          back = p.put(slice);
        }
        accumulate(x.operand[0], back, -1);
        break;
      }
      case family::contract: {
        const int a = x.operand[0], b = x.operand[1];
        const bool left = x.flags & transpose_left, right = x.flags & transpose_right;
        const auto flags = [](bool l, bool r) { return static_cast<std::uint8_t>((l ? transpose_left : 0) | (r ? transpose_right : 0)); };
        if (needed[a])
          accumulate(a, left ? record_matmul(p, b, d.index(), flags(right, true)) : record_matmul(p, d.index(), b, flags(false, !right)), -1);
        if (needed[b])
          accumulate(b, right ? record_matmul(p, d.index(), a, flags(true, left)) : record_matmul(p, a, d.index(), flags(!left, false)), -1);
        break;
      }
      default: break;
    }
  }

  list<int> result;
  for (int w : wrt)
    result.push_back(adjoint[w] >= 0 ? adjoint[w] : record_expand(p, p.constant(p[w].type, 0), p[w].shape));
  return result;
}

}  // namespace fluxion::graph
