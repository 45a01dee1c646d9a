/// Small programs of static extents as straight-line code: every element of every value a step of its own, no loops, no memory.
#pragma once
#include "scalar_step.hpp"

namespace fluxion::graph {

/// The steps in order, and which of them are the elements of the outputs, one output after the other.
struct straight_line {
  list<scalar_step> steps;
  list<std::int16_t> results;
  bool possible = true;
};

/// How large a program may be. A value of more elements is better off in packets; more steps take the compiler too long.
struct scalarize_limits {
  int elements = 16;
  int steps = 1024;
  int costly = 48;  // exponentials and the like of vectors: packets compute eight of doubles in the time of one
};

namespace detail {

class scalarizer {
 public:
  constexpr scalarizer(const program& p, const scalarize_limits& limits) : p_(p), limits_(limits) {}

  constexpr straight_line run() {
    if (!p_.checks.empty()) line_.possible = false;
    const list<bool> needed = find_needed();
    for (int i = 0; i < p_.size() && line_.possible; ++i) {
      along_.push_back(needed[i] && is_along_directions(i));
      to_.along_directions = along_[i];
      if (needed[i]) add(i);
      else first_.push_back(steps_.size());
      if (to_.steps.size() > 4 * limits_.steps) line_.possible = false;
    }
    if (!line_.possible) return {{}, {}, false};
    order_steps();
    return static_cast<straight_line&&>(line_);
  }

 private:
  /// What results depend on: arguments that nothing reads may have any extents.
  constexpr list<bool> find_needed() {
    list<bool> needed(p_.size(), false);
    for (const int o : p_.outputs) needed[o] = true;
    for (int i = p_.size() - 1; i >= 0; --i) {
      if (!needed[i]) continue;
      for (const std::int16_t o : p_[i].operand)
        if (o >= 0) needed[o] = true;
      const shape& s = p_.shape_of(i);
      for (int axis = 0; axis < s.rank; ++axis)
        if (is_symbol(s.extent[axis])) line_.possible = false;
    }
    return needed;
  }

  static constexpr int count_of(const shape& s) {
    std::int64_t n = 1;
    for (int axis = 0; axis < s.rank; ++axis) n = n > 1 << 20 ? n : n * s.extent[axis];
    return static_cast<int>(n > 1 << 20 ? 1 << 20 : n);
  }
  /// The position of element n along each axis, and back; an axis of extent 1 has only position 0.
  static constexpr void position_of(int n, const shape& s, int* at) {
    for (int axis = s.rank; axis-- > 0;) {
      at[axis] = n % static_cast<int>(s.extent[axis]);
      n /= static_cast<int>(s.extent[axis]);
    }
  }
  static constexpr int element_at(const int* at, const shape& s) {
    int n = 0;
    for (int axis = 0; axis < s.rank; ++axis) n = n * static_cast<int>(s.extent[axis]) + (s.extent[axis] == 1 ? 0 : at[axis]);
    return n;
  }
  /// The step of the operand's element that meets a position of a value of rank `rank`.
  constexpr int step_at(int value, const int* at, int rank) const {
    const shape& s = p_.shape_of(value);
    return steps_[first_[value] + element_at(at + rank - s.rank, s)];
  }

  /// Whether instruction i is linear in unit directions; its operands have been looked at.
  constexpr bool is_along_directions(int i) const {
    const instruction& x = p_[i];
    if (x.operation == opcode_of<operation::cast> && x.flags & unit_flag) return true;
    const auto along = [&](int k) { return x.operand[k] >= 0 && along_[x.operand[k]]; };
    switch (info_of(x.operation).family) {
      case family::view: return along(0) || along(1) || along(2);
      case family::reduce: return along(0) && (p_.is<operation::sum>(i) || p_.is<operation::mean>(i));
      case family::contract: return along(0) || along(1);
      case family::map:
        if (p_.is<operation::div>(i)) return along(0);
        if (p_.is<operation::select>(i)) return along(1) || along(2);
        for (const opcode linear : {opcode_of<operation::add>, opcode_of<operation::sub>, opcode_of<operation::mul>, opcode_of<operation::neg>,
                                    opcode_of<operation::cast>, opcode_of<operation::expand>})
          if (x.operation == linear) return along(0) || along(1);
        return false;
      default: return false;
    }
  }

  constexpr void add(int i) {
    const instruction& x = p_[i];
    const shape& s = p_.shape_of(i);
    const int count = count_of(s);
    first_.push_back(steps_.size());
    if (count == 0 || count > limits_.elements) line_.possible = false;
    if (count > 1 && info_of(x.operation).family == family::map && info_of(x.operation).flops >= 8 && (costly_ += count) > limits_.costly) line_.possible = false;
    if (!line_.possible) return;
    switch (info_of(x.operation).family) {
      case family::leaf: add_leaf(i, count); break;
      case family::map: add_map(i, count); break;
      case family::view: add_view(i, count); break;
      case family::reduce: add_reduction(i, count); break;
      case family::contract: add_product(i, count); break;
      case family::generate: add_positions(i, count); break;
      default: line_.possible = false;
    }
  }

  constexpr void add_leaf(int i, int count) {
    scalar_step step{.operation = p_[i].operation, .type = p_[i].type, .instruction = static_cast<std::int16_t>(i)};
    if (p_.is<operation::constant>(i)) step.bits = p_.constants[p_[i].attribute];
    else if (!p_.is<operation::argument>(i) && !p_.is<operation::scalar>(i)) line_.possible = false;
    for (int n = 0; n < count; ++n) {
      step.element = n;
      steps_.push_back(to_.put(step));
    }
  }

  constexpr void add_positions(int i, int count) {
    if (!p_.is<operation::iota>(i)) {
      line_.possible = false;
      return;
    }
    for (int n = 0; n < count; ++n) {
      int at[max_rank]{};
      position_of(n, p_.shape_of(i), at);
      steps_.push_back(to_.constant(p_[i].type, at[p_[i].attribute]));
    }
  }

  constexpr void add_map(int i, int count) {
    const instruction& x = p_[i];
    const int rank = p_.shape_of(i).rank;
    for (int n = 0; n < count; ++n) {
      int at[max_rank]{};
      position_of(n, p_.shape_of(i), at);
      int operand[max_operands] = {-1, -1, -1};
      for (int k = 0; k < max_operands; ++k)
        if (x.operand[k] >= 0) operand[k] = step_at(x.operand[k], at, rank);
      const int step = to_.map(x.operation, x.type, operand[0], operand[1], operand[2]);
      steps_.push_back(x.flags & unit_flag && to_.is_zero(step) ? to_.zero(x.type, zero_kind::absent) : step);
    }
  }

  constexpr void add_view(int i, int count) {
    const instruction& x = p_[i];
    if (p_.is<operation::concatenate>(i)) {
      for (int n = 0; n < count; ++n) {
        int at[max_rank]{}, k = 0;
        position_of(n, p_.shape_of(i), at);
        for (; at[x.attribute] >= p_.shape_of(x.operand[k]).extent[x.attribute]; ++k) at[x.attribute] -= static_cast<int>(p_.shape_of(x.operand[k]).extent[x.attribute]);
        steps_.push_back(steps_[first_[x.operand[k]] + element_at(at, p_.shape_of(x.operand[k]))]);
      }
      return;
    }
    const int from = x.operand[0];
    const shape &s = p_.shape_of(i), &t = p_.shape_of(from);
    const bool embeds = p_.is<operation::embed>(i);
    const int zero = !embeds ? -1 : to_.zero(x.type, along_[i] ? zero_kind::absent : p_.differentiated ? zero_kind::neutral : zero_kind::number);
    for (int n = 0; n < count; ++n) {
      int at[max_rank]{}, source[max_rank]{};
      position_of(n, s, at);
      if (p_.is<operation::reshape>(i)) {
        steps_.push_back(steps_[first_[from] + n]);
        continue;
      }
      bool inside = true;
      for (int axis = 0; axis < s.rank; ++axis) source[axis] = at[axis];
      if (p_.is<operation::permute>(i)) {
        for (int axis = 0; axis < s.rank; ++axis) source[x.attribute >> 4 * axis & 15] = at[axis];
      } else {
        const slice_spec& slice = p_.slices[x.attribute];
        const auto start = static_cast<int>(slice.start), step = static_cast<int>(slice.step);
        int& position = source[slice.axis];
        if (!embeds) position = start + position * step;
        else {
          inside = position >= start && (position - start) % step == 0 && (position - start) / step < t.extent[slice.axis];
          position = (position - start) / step;
        }
      }
      steps_.push_back(inside ? steps_[first_[from] + element_at(source, t)] : zero);
    }
  }

  constexpr void add_reduction(int i, int count) {
    const instruction& x = p_[i];
    const int from = x.operand[0], size = count_of(p_.shape_of(from));
    opcode combine = opcode_of<operation::add>;
    if (p_.is<operation::amax>(i)) combine = opcode_of<operation::maximum>;
    else if (p_.is<operation::amin>(i)) combine = opcode_of<operation::minimum>;
    else if (p_.is<operation::prod>(i)) combine = opcode_of<operation::mul>;
    else if (!p_.is<operation::sum>(i) && !p_.is<operation::mean>(i)) line_.possible = false;
    const int first = steps_.size();
    for (int n = 0; n < count; ++n) steps_.push_back(-1);
    for (int n = 0; n < size; ++n) {
      int at[max_rank]{};
      position_of(n, p_.shape_of(from), at);
      const int to = first + element_at(at, p_.shape_of(i));
      const int value = to_.cast(steps_[first_[from] + n], x.type);
      steps_[to] = steps_[to] < 0 ? value : to_.map(combine, x.type, steps_[to], value);
    }
    if (info_of(x.operation).divides_by_count) {
      const int divisor = to_.constant(x.type, size / count);
      for (int n = 0; n < count; ++n) steps_[first + n] = to_.map(opcode_of<operation::div>, x.type, steps_[first + n], divisor);
    }
  }

  constexpr void add_product(int i, int count) {
    const instruction& x = p_[i];
    const int a = x.operand[0], b = x.operand[1], rank = p_.shape_of(i).rank;
    const shape &s = p_.shape_of(a), &t = p_.shape_of(b);
    const bool left = x.flags & transpose_left, right = x.flags & transpose_right;
    const auto inner = static_cast<int>(s.extent[left ? s.rank - 2 : s.rank - 1]);
    for (int n = 0; n < count; ++n) {
      int at[max_rank]{}, at_a[max_rank]{}, at_b[max_rank]{};
      position_of(n, p_.shape_of(i), at);
      int sum = -1;
      for (int k = 0; k < inner; ++k) {
        for (int axis = 0; axis < rank - 2; ++axis) at_a[axis] = at_b[axis] = at[axis];
        at_a[left ? rank - 1 : rank - 2] = at[rank - 2];
        at_a[left ? rank - 2 : rank - 1] = k;
        at_b[right ? rank - 1 : rank - 2] = k;
        at_b[right ? rank - 2 : rank - 1] = at[rank - 1];
        const int product = to_.map(opcode_of<operation::mul>, x.type, steps_[first_[a] + element_at(at_a + rank - s.rank, s)],
                                steps_[first_[b] + element_at(at_b + rank - t.rank, t)]);
        sum = sum < 0 ? product : to_.map(opcode_of<operation::add>, x.type, sum, product);
      }
      steps_.push_back(sum < 0 ? to_.constant(x.type, 0) : sum);
    }
  }

  /// Keeps what results need, each step right before the first that reads it: so fewer values are alive at a time than in the program's order.
  constexpr void order_steps() {
    list<std::int16_t> number(to_.steps.size(), -1);
    list<int> open;
    for (int k = 0; k < p_.outputs.size(); ++k)
      for (int n = 0, count = count_of(p_.shape_of(p_.outputs[k])); n < count; ++n) {
        const int result = steps_[first_[p_.outputs[k]] + n];
        open.push_back(result);
        while (!open.empty()) {
          const int i = open.back();
          const int before = open.size();
          for (int operand = max_operands; operand-- > 0;) {
            const int o = to_.steps[i].operand[operand];
            if (o >= 0 && number[o] < 0) open.push_back(o);
          }
          if (open.size() > before) continue;
          open.pop_back();
          if (number[i] >= 0) continue;
          number[i] = static_cast<std::int16_t>(line_.steps.size());
          scalar_step step = to_.steps[i];
          for (std::int16_t& o : step.operand)
            if (o >= 0) o = number[o];
          line_.steps.push_back(step);
        }
        line_.results.push_back(number[result]);
      }
    if (line_.steps.size() > limits_.steps) line_.possible = false;
  }

  const program& p_;
  int costly_ = 0;
  scalarize_limits limits_;
  straight_line line_;
  step_recorder to_;
  list<bool> along_;  // of each instruction
  list<int> first_;  // of each instruction, in steps_
  list<int> steps_;  // of each element
};

}  // namespace detail

/// Writes a program out element by element. Impossible where extents are known only to the run, where values are large or random, and beyond the
/// limits. O(elements of all values).
constexpr straight_line scalarize(const program& p, const scalarize_limits& limits = {}) { return detail::scalarizer(p, limits).run(); }

}  // namespace fluxion::graph
