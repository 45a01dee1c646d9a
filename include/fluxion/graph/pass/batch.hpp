/// Batches: rewrites what depends on some instructions for other values in their places, which may have one axis more.
#pragma once
#include "batched_matmul.hpp"

namespace fluxion::graph {

/// Moves one axis of x to another place; the others keep their order.
constexpr int record_move_axis(program& p, int x, int from, int to) {
  const int rank = p.shape_of(x).rank;
  int order[max_rank]{};
  for (int axis = 0; axis < rank; ++axis)
    order[axis] = axis == to ? from : axis < to ? (axis < from ? axis : axis + 1) : (axis <= from ? axis - 1 : axis);
  return record_permute(p, x, order);
}

/// A value of the batch, with the batch axis in a certain place: what does not depend on the batch is the same for all of it.
constexpr int record_whole_batch(program& p, const replacement& r, extent_t batch, int axis) {
  int x = r.index;
  const shape s = p.shape_of(x);
  if (!r.batched) {
    if (s.rank >= max_rank) return p.fail(program_error::rank_too_high, p[x].operation, s);
    x = record_expand(p, record_cast(p, x, p[x].type), with_batch(batch, s));
  }
  return record_move_axis(p, x, 0, axis);
}

namespace detail {

// Rules for a batch of calls: see batched_rule.hpp.
constexpr void batched_adjoint_rule(program& p, const custom_call& call, const int* given, int* found);
constexpr void batched_tangent_rule(program& p, const custom_call& call, const int* given, int* found);

/// The sweep of `append_replaced`: what stands for each instruction so far.
class replacer {
 public:
  replacer(const replacer&) = delete;
  constexpr replacer(program& p, extent_t batch) : p_(p), batch_(batch), size_(p.size()), at_(p.size(), replacement{}) {}

  constexpr replacement& operator[](int i) { return at_[i]; }

  constexpr void run(const list<int>& outputs) {
    // Inside another trace there is more beside, before and behind the function: only what lies between is rewritten.
    list<bool> wanted(size_, false);
    for (const int o : outputs) wanted[o] = true;
    for (int i = size_ - 1; i >= 0; --i) {
      if (!wanted[i] || at_[i].index >= 0) continue;
      for (const std::int16_t o : p_[i].operand)
        if (o >= 0) wanted[o] = true;
      if (const int call = p_.custom_call_of(i); call >= 0) {  // its rule wants all of it
        const custom_call& c = p_.custom_calls[call];
        for (int k = 0; k < c.inputs + c.residuals; ++k) wanted[p_.custom_value(c, k)] = true;
        for (int k = 0; k < c.outputs; ++k) wanted[p_[output_of(c, k)].operand[0]] = true;
      }
    }
    for (int i = 0; i < size_; ++i) {
      if (!wanted[i] || at_[i].index >= 0) continue;
      bool any = false, batched = false;
      for (const std::int16_t o : p_.instructions.elements[i].operand)
        if (o >= 0 && at_[o].index >= 0) {
          any = true;
          batched = batched || at_[o].batched;
        }
      if (const int call = p_.custom_call_of(i); call >= 0) replace_call(call);
      else if (any) at_[i] = {batched ? record_batched(i) : record_again(i), batched};
    }
  }

 private:
  constexpr int output_of(const custom_call& c, int k) const { return p_.custom_value(c, c.inputs + c.residuals + k); }
  constexpr replacement value_of(int i) const { return at_[i].index >= 0 ? at_[i] : replacement{i, false}; }

  /// Records a custom call of what stands for its values, all outputs at once. For a batch its rule is that of one example, batched.
  constexpr void replace_call(int call) {
    const custom_call c = p_.custom_calls[call];
    bool any = false, batched = false;
    for (int k = 0; k < c.inputs + c.residuals; ++k) {
      const replacement r = at_[p_.custom_value(c, k)];
      any = any || r.index >= 0;
      batched = batched || r.batched;
    }
    for (int k = 0; k < c.outputs; ++k) {
      const replacement r = at_[p_[output_of(c, k)].operand[0]];
      any = any || r.index >= 0;
      batched = batched || r.batched;
    }
    if (!any) return;
    custom_call d = c;
    d.first = static_cast<std::int16_t>(p_.custom_values.size());
    if (batched) {
      d.example = static_cast<std::int16_t>(call);
      if (c.adjoint != nullptr) d.adjoint = &batched_adjoint_rule;
      if (c.tangent != nullptr) d.tangent = &batched_tangent_rule;
    }
    const int number = p_.custom_calls.size();
    p_.custom_calls.push_back(d);
    for (int k = 0; k < c.inputs + c.residuals; ++k) p_.custom_values.push_back(static_cast<std::int16_t>(value_of(p_.custom_value(c, k)).index));
    for (int k = 0; k < c.outputs; ++k) {
      const replacement from = value_of(p_[output_of(c, k)].operand[0]);
      const int output = p_.custom_output(from.index, number, k);
      p_.custom_values.push_back(static_cast<std::int16_t>(output));
      at_[output_of(c, k)] = {output, from.batched};
    }
  }

  constexpr int operand(const instruction& x, int k) const { return at_[x.operand[k]].index >= 0 ? at_[x.operand[k]].index : x.operand[k]; }
  constexpr replacement source(const instruction& x, int k) const { return {operand(x, k), at_[x.operand[k]].batched}; }

  /// The same instruction of other operands.
  constexpr int record_again(int i) {
    instruction x = p_[i];
    x.shape = p_.canonical(x.shape);
    const operation_info& info = info_of(x.operation);
    int operands[max_operands] = {-1, -1, -1};
    for (int k = 0; k < info.arity; ++k)
      if (x.operand[k] >= 0) operands[k] = operand(x, k);
    if (info.family == family::map) return record_aligned(p_, x.operation, x.type, info.arity, operands, x.shape);
    for (int k = 0; k < info.arity; ++k)
      if (x.operand[k] >= 0) x.operand[k] = static_cast<std::int16_t>(operands[k]);
    return p_.put(x);
  }

  constexpr int record_batched(int i) {
    instruction x = p_[i];
    const operation_info& info = info_of(x.operation);
    const shape s = p_.shape_of(i);
    if (s.rank >= max_rank) return p_.fail(program_error::rank_too_high, x.operation, s);
    const shape goal = with_batch(batch_, s);
    if (info.family == family::map) {
      int operands[max_operands] = {-1, -1, -1};
      for (int k = 0; k < info.arity; ++k) operands[k] = aligned_operand(source(x, k), s.rank);
      return record_aligned(p_, x.operation, x.type, info.arity, operands, p_.intern(goal));
    }
    if (info.family == family::contract) return record_batched_matmul(p_, i, source(x, 0), source(x, 1), batch_);
    if (x.operation == opcode_of<operation::concatenate>) {
      for (int k = 0; k < max_operands; ++k)
        if (x.operand[k] >= 0) x.operand[k] = static_cast<std::int16_t>(record_whole_batch(p_, source(x, k), batch_, 0));
      ++x.attribute;
      x.shape = p_.intern(goal);
      return p_.put(x);
    }
    const int a = operand(x, 0);
    if (x.operation == opcode_of<operation::reshape>) return record_reshape(p_, a, goal);
    if (x.operation == opcode_of<operation::permute>) {
      int order[max_rank]{};
      for (int axis = 0; axis < s.rank; ++axis) order[axis + 1] = permuted_axis(x, axis) + 1;
      return record_permute(p_, a, order);
    }
    if (info.family == family::reduce) x.attribute *= 2;
    else if (x.operation == opcode_of<operation::slice> || x.operation == opcode_of<operation::embed>) x.attribute = next_axis(x.attribute);
    else return p_.fail(program_error::not_batched, x.operation, s);
    x.operand[0] = static_cast<std::int16_t>(a);
    x.shape = p_.intern(goal);
    return p_.put(x);
  }

  /// An operand of a map of this rank, so that its axes meet the others' and the batch stays in front.
  constexpr int aligned_operand(const replacement& r, int rank) {
    if (!r.batched) return align_rank(p_, r.index, rank + 1);
    const shape s = p_.shape_of(r.index);
    if (s.rank == rank + 1) return r.index;
    shape t;
    t.rank = rank + 1;
    for (int axis = 0; axis < t.rank; ++axis) {
      const int from = axis - (t.rank - s.rank);
      t.extent[axis] = axis == 0 ? s.extent[0] : from < 1 ? 1 : s.extent[from];
    }
    return record_reshape(p_, r.index, t);
  }

  /// The slice along the axis after that of slice k.
  constexpr std::int32_t next_axis(int k) {
    slice_spec spec = p_.slices[k];
    ++spec.axis;
    for (int j = 0; j < p_.slices.size(); ++j)
      if (p_.slices[j] == spec) return j;
    p_.slices.push_back(spec);
    return p_.slices.size() - 1;
  }

  program& p_;
  extent_t batch_;
  int size_;
  list<replacement> at_;
};

}  // namespace detail

/// Appends to `p` what `outputs` are with `to` in the places of `from`: values of the same types, which have the same shapes or, if they are
/// batched, those with an axis of extent `batch` before them. Returns the outputs, batched if they depend on something batched, themselves
/// if they depend on nothing that is replaced. What is computed for one example is computed for the batch: one sweep, O(n), and no loop.
constexpr list<replacement> append_replaced(program& p, const list<int>& from, const list<replacement>& to, extent_t batch, const list<int>& outputs) {
  detail::replacer r(p, batch);
  for (int k = 0; k < from.size(); ++k) r[from[k]] = to[k];
  r.run(outputs);
  list<replacement> result;
  for (const int o : outputs) result.push_back(r[o].index >= 0 ? r[o] : replacement{o, false});
  return result;
}

/// The inputs of a batch: an instruction that stands for one example each, and the value that will take its place.
struct batch_inputs {
  program& p;
  list<int> examples{};
  list<replacement> wholes{};
  extent_t batch = 0;

  /// The value `whole`, whose batch axis is `axis`, takes the place of the instruction `example`.
  constexpr void add(int example, int whole, int axis) {
    const shape s = p.shape_of(whole);
    const extent_t e = s.extent[axis];
    if (examples.empty()) batch = e;
    else if (p.resolve(batch) != p.resolve(e)) {
      const shape first = p.shape_of(wholes[0].index);
      if (!is_symbol(p.resolve(batch)) && !is_symbol(p.resolve(e))) p.fail(program_error::batches_differ, opcode_of<operation::argument>, first, s);
      else p.unify(batch, e, {extent_check::equal, opcode_of<operation::argument>, p.intern(first), p.intern(s), batch, e});
    }
    examples.push_back(example);
    wholes.push_back({record_move_axis(p, whole, axis, 0), true});
  }

  /// The outputs for the whole batch, with batch axes where `out` says: 0 if there is none, one for all, or one for each.
  constexpr list<int> replace(const list<int>& outputs, const int* out, int given) {
    if (p.error.code != program_error::none) return outputs;
    list<int> result;
    const list<replacement> found = append_replaced(p, examples, wholes, batch, outputs);
    for (int k = 0; k < outputs.size(); ++k) {
      const int rank = p.shape_of(outputs[k]).rank + 1, asked = given == 0 ? 0 : given == 1 ? out[0] : k < given ? out[k] : rank;
      const int axis = asked < 0 ? asked + rank : asked;
      const bool good = axis >= 0 && axis < rank && (given <= 1 || given == outputs.size());
      result.push_back(good ? record_whole_batch(p, found[k], batch, axis)
                            : p.fail(program_error::axis_out_of_range, opcode_of<operation::permute>, p.shape_of(outputs[k]), {}, asked));
    }
    return result;
  }
};

/// Makes argument `number` of a program a placeholder for one example, and room in its symbols for a batch axis, so that an argument with
/// that axis can take its number. Returns the placeholder.
constexpr int release_argument(program& p, int number, int axis) {
  p.instructions = list<instruction>(static_cast<const list<instruction>&>(p.instructions));  // they may be borrowed, and will be written
  p.symbols = list<symbol_origin>(static_cast<const list<symbol_origin>&>(p.symbols));
  for (symbol_origin& s : p.symbols)
    if (s.kind == symbol_origin::argument && s.index == number && s.axis >= axis) ++s.axis;
  for (int i = 0; i < p.size(); ++i) {
    if (!p.is<operation::argument>(i) || p[i].attribute != number) continue;
    p.instructions[i].operation = opcode_of<operation::placeholder>;
    p.instructions[i].attribute = -1 - number;
    return i;
  }
  return -1;
}

}  // namespace fluxion::graph

#include "batched_rule.hpp"
