/// Drafts a kernel: the entries that evaluate the members of a group and store what must exist in memory, in order.
#pragma once
#include "store_values.hpp"

namespace fluxion::graph::detail {

struct draft_entry {
  kernel_entry e;
  std::int16_t instruction = -1;
  std::int16_t earlier = -1;   // the entry before it that evaluates the same instruction, along other axes
  packed_axes axes = 0;        // of the value -> of the group
  std::int8_t level = 0;       // row passes complete before it can be evaluated
  std::uint8_t varies = 0;     // axes of the group along which it differs
  bool sink = false;           // writes to memory
  bool row_reduce = false;
};

/// The entries of one kernel after the other.
class kernel_drafter {
 public:
  list<draft_entry> entries;
  list<plan_slot> slots;
  int scalar_begin = 0;   // where the kernel's scalars begin
  bool failed = false;
  bool single_row = false;  // the row is one axis

  /// Scalars are appended to a list that all kernels share.
  constexpr kernel_drafter(const program& p, const fusion& f, const memory_choice& memory, list<std::int16_t>& scalars)
      : code_(p.instructions.begin()),
        constants_(p.constants.begin()),
        v_(f.values.begin()),
        groups_(f.groups.begin()),
        flags_(memory.flags.begin()),
        scalars_(scalars),
        latest_(p.size(), std::int16_t{-1}) {}

  /// Drafts group g; `order` receives the axes of its loops, outermost first. Returns the axes of the row.
  constexpr unsigned draft(int g, std::int8_t* order) {
    const kernel_group& k = groups_[g];
    order_axes(k, order);
    const unsigned row = choose_row(k, order);
    entries.clear();
    slots.clear();
    scalar_begin = scalars_.size();
    group_ = g;
    for (int i = k.first; i >= 0 && !failed; i = v_[i].next) {
      if (v_[i].lazy && !(flags_[i] & memory_choice::stored)) continue;
      if (v_[i].family == family::reduce) reduce(i, row);
      else pull(i, v_[i].iteration);
    }
    if (!failed) store_results(k, row);
    for (const draft_entry& d : entries)
      if (d.instruction >= 0) latest_[d.instruction] = -1;
    return row;
  }

 private:
  constexpr int append(draft_entry& d) {
    if (entries.size() >= max_kernel_entries) failed = true;
    else {
      if (!d.sink && d.instruction >= 0) d.earlier = latest_[d.instruction], latest_[d.instruction] = static_cast<std::int16_t>(entries.size());
      entries.push_back(d);
    }
    return entries.size() - 1;
  }

  constexpr std::int16_t add_slot(plan_slot::kind_t kind, int value, packed_axes axes, std::uint8_t reduction = 0) {
    plan_slot slot;
    slot.kind = kind, slot.value = static_cast<std::int16_t>(value), slot.reduction = reduction;
    for (std::int8_t a = 0; axes != 0; ++a, axes >>= 4)
      if ((axes & 15) != 0) slot.axes.axis[(axes & 15) - 1] = a;  // by group axis; ordered later
    slots.push_back(slot);
    return static_cast<std::int16_t>(slots.size() - 1);
  }

  /// The entry that evaluates value i with its axes along `axes` of the group: one drafted before, or a new one.
  constexpr int pull(int i, packed_axes axes) {
    const draft_entry* const drafted = entries.begin();
    int found = latest_.begin()[i];
    while (found >= 0 && drafted[found].axes != axes) found = drafted[found].earlier;
    if (found >= 0) return found;
    const instruction& x = code_[i];
    const fused_value& v = v_[i];
    draft_entry d;
    d.instruction = static_cast<std::int16_t>(i), d.axes = axes, d.e.type = x.type;
    if (v.number) {
      number(d, x);
      return append(d);
    }
    d.varies = static_cast<std::uint8_t>(mask_of_axes(axes));
    if (v.family == family::generate) {
      generate(d, x);
      return append(d);
    }
    const bool here = v.lazy || v.home == group_ || (flags_[i] & memory_choice::recomputed) != 0;
    if (!here || v.family == family::contract) {  // a product is read back from memory
      if (!here && !in_memory(i)) failed = true;
      d.e.code = entry_code::load, d.e.slot = add_slot(plan_slot::input, i, axes);
      return append(d);
    }
    if (v.family != family::map) {  // a reduction asked for under other axes than its own cannot be computed here
      failed = true;
      return 0;
    }
    d.e.code = x.operation;
    for (int k = 0; k < 3 && x.operand[k] >= 0; ++k) {
      const fused_value& operand = v_[x.operand[k]];
      const int o = pull(operand.base, axes_behind(operand.axes, axes));
      if (failed) return 0;
      const draft_entry& from = entries.begin()[o];
      d.e.operand[k] = static_cast<std::int16_t>(o), d.level = from.level > d.level ? from.level : d.level, d.varies |= from.varies;
    }
    return append(d);
  }

  constexpr void number(draft_entry& d, const instruction& x) {
    if (x.operation == opcode_of<operation::constant>) {
      d.e.code = entry_code::constant, d.e.payload = constants_[x.attribute];
      return;
    }
    d.e.code = entry_code::scalar, d.e.slot = static_cast<std::int16_t>(scalars_.size() - scalar_begin);
    scalars_.push_back(d.instruction);
  }

  constexpr void generate(draft_entry& d, const instruction& x) {
    packed_axes own = d.axes;
    if (x.operation == opcode_of<operation::uniform>) {
      d.e.code = entry_code::uniform;
      for (int k = 0; k < 2; ++k) d.e.operand[k] = static_cast<std::int16_t>(pull(x.operand[k], 0));
    } else {
      d.e.code = entry_code::iota;
      own &= 15u << 4 * x.attribute;  // it differs along its own axis only
    }
    d.varies = static_cast<std::uint8_t>(mask_of_axes(own)), d.e.slot = add_slot(plan_slot::generator, d.instruction, own);
  }

  constexpr bool in_memory(int b) const {
    return v_[b].root != b || code_[b].operation == opcode_of<operation::argument> || (flags_[b] & memory_choice::stored) != 0;
  }

  constexpr void reduce(int i, unsigned row) {
    const instruction& x = code_[i];
    const fused_value& v = v_[i];
    const fused_value& from = v_[x.operand[0]];
    const unsigned over = v.reduced;
    const int operand = pull(from.base, axes_behind(from.axes, v.iteration));
    if (failed) return;
    const opcode partial = info_of(x.operation).divides_by_count ? opcode_of<operation::sum> : x.operation;
    draft_entry d;
    d.instruction = static_cast<std::int16_t>(i), d.axes = v.result, d.e.type = x.type, d.e.operand[0] = static_cast<std::int16_t>(operand);
    d.level = entries[operand].level, d.varies = entries[operand].varies;
    if ((over & row) != 0) {
      draft_entry r = d;
      r.e.code = over == row ? x.operation : partial, r.row_reduce = true;
      ++r.level, r.varies = static_cast<std::uint8_t>((r.varies | over) & ~row);
      if (over != row) r.instruction = -1;
      d.e.operand[0] = static_cast<std::int16_t>(append(r)), d.level = r.level, d.varies = r.varies;
      if (over == row || failed) return;
    }
    d.e.code = entry_code::accumulate, d.e.operand[1] = partial, d.sink = true;
    // A row's partial result is added once; a value that is the same everywhere is still added to every element.
    d.varies = static_cast<std::uint8_t>(d.varies | mask_of_axes(v.result) | ((over & row) != 0 ? over & ~row : over));
    d.e.slot = add_slot(plan_slot::accumulator, i, v.result, x.operation);
    append(d);
  }

  constexpr void store_results(const kernel_group& k, unsigned row) {
    const int computed = entries.size();
    for (int n = 0; n < computed && !failed; ++n) {
      const draft_entry& d = entries.begin()[n];
      const int i = d.instruction;
      if (i < 0 || d.sink || !(flags_[i] & memory_choice::stored) || v_[i].home != group_ || d.e.code == entry_code::load || d.axes != v_[i].result) continue;
      draft_entry s;
      s.instruction = d.instruction, s.axes = d.axes, s.level = d.level, s.sink = true;
      s.e.code = entry_code::store, s.e.type = d.e.type, s.e.operand[0] = static_cast<std::int16_t>(n);
      // What is written at some positions only would not be written at all if there are none.
      const unsigned along = mask_of_axes(d.axes), all = (1u << k.axes) - 1;
      s.varies = static_cast<std::uint8_t>(along | (d.varies & row));
      if (((s.varies & row) != 0 && (along & row) != row) || ((along | row) != all)) failed = true;
      s.e.slot = add_slot(plan_slot::output, i, s.axes);
      append(s);
    }
  }

  // ---- loops -------------------------------------------------------------------------------------------------------
  /// Order of the axes: as in the first member that has most of them, anything else outside.
  constexpr void order_axes(const kernel_group& k, std::int8_t* order) const {
    packed_axes best = k.kind == kernel_group::contract ? v_[k.product].iteration : v_[k.first].iteration;
    unsigned placed = mask_of_axes(best);
    int most = std::popcount(placed);
    for (int i = k.first; i >= 0 && most < k.axes; i = v_[i].next) {
      if (v_[i].iteration == best) continue;
      const unsigned mask = mask_of_axes(v_[i].iteration);
      const int count = std::popcount(mask);
      if (count > most) most = count, best = v_[i].iteration, placed = mask;
    }
    int n = 0;
    for (std::int8_t id = 0; id < k.axes; ++id)
      if (!(placed >> id & 1)) order[n++] = id;
    for (; best != 0; best >>= 4)
      if ((best & 15) != 0) order[n++] = static_cast<std::int8_t>((best & 15) - 1);
  }

  /// Removes from `same` the axes that an operand, or what it is computed from in this kernel, treats otherwise than axis `last`.
  constexpr void compare_axes(int value, packed_axes along, unsigned last, unsigned& same) const {
    const fused_value& operand = v_[value];
    const packed_axes axes = axes_behind(operand.axes, along);
    const unsigned mask = mask_of_axes(axes);
    same &= mask & last ? mask : ~mask;
    if (same == last || (!v_[operand.base].lazy && !(flags_[operand.base] & memory_choice::recomputed))) return;
    const std::int16_t* const operands = code_[operand.base].operand;
    for (int o = 0; o < 3 && operands[o] >= 0; ++o) compare_axes(operands[o], axes, last, same);
  }

  /// The row: what the kernel reads again, or else the trailing axes that every operand and every reduction treats alike, so that
  /// they run as one loop with one stride.
  constexpr unsigned choose_row(const kernel_group& k, const std::int8_t* order) const {
    if (k.row_known) return k.row;
    if (k.axes == 0) return 0;
    const unsigned last = 1u << order[k.axes - 1];
    if (single_row || k.axes == 1) return last;
    unsigned same = (1u << k.axes) - 1;
    for (int r = 0; r < k.reduction_kinds; ++r) same &= k.reductions[r] & last ? k.reductions[r] : ~static_cast<unsigned>(k.reductions[r]);
    for (int i = k.first; i >= 0 && same != last; i = v_[i].next) {
      const packed_axes along = v_[i].iteration;
      const unsigned mask = mask_of_axes(along);
      same &= mask & last ? mask : ~mask;
      for (int o = 0; o < 3 && code_[i].operand[o] >= 0; ++o) compare_axes(code_[i].operand[o], along, last, same);
    }
    unsigned row = 0;
    for (int a = k.axes - 1; a >= 0 && (same >> order[a] & 1); --a) row |= 1u << order[a];
    return row;
  }

  const instruction* code_;
  const std::uint64_t* constants_;
  const fused_value* v_;
  const kernel_group* groups_;
  const std::uint8_t* flags_;
  list<std::int16_t>& scalars_;
  list<std::int16_t> latest_;  // per instruction: the last entry that evaluates it
  int group_ = -1;
};

}  // namespace fluxion::graph::detail
