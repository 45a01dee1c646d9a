/// Turns groups of instructions into kernel code, slots and steps, and decides what is stored and what is computed again.
#pragma once
#include "fuse.hpp"

namespace fluxion::graph {

namespace detail {

class kernel_emitter {
 public:
  constexpr kernel_emitter(const program& p, const fusion& f, const plan_options& options, plan& out) : p_(p), f_(f), options_(options), out_(out) {
    stored_.assign(p.size(), false);
    recomputed_.assign(p.size(), false);
  }

  /// False where a value would have to be computed again in two ways at once; the caller then plans without recomputation.
  constexpr bool run() {
    decide_memory();
    collect_views();
    for (int g = 0; g < f_.groups.size(); ++g) {
      emit_views_before(g);
      emit_group(g);
      if (failed_) return false;
    }
    emit_views_before(f_.groups.size());
    return true;
  }

  constexpr const list<bool>& stored() const { return stored_; }

 private:
  // ---- memory ------------------------------------------------------------------------------------------------------
  constexpr bool is_leaf(int i) const {
    return p_.is<operation::constant>(i) || p_.is<operation::scalar>(i) || p_.is<operation::count>(i);
  }
  constexpr bool in_memory(int b) const {
    const int root = root_of(p_, b);
    return b != root || p_.is<operation::argument>(b) || stored_[b];
  }

  constexpr void decide_memory() {
    for (int i = 0; i < p_.size(); ++i) {
      const family kind = p_.family_of(i);
      if (kind == family::contract) {
        stored_[i] = true;
        for (int k = 0; k < 2; ++k) stored_[root_of(p_, p_[i].operand[k])] = true;
      } else if (kind == family::view && !is_free_view(p_, i)) {
        stored_[root_of(p_, p_[i].operand[0])] = true;
        if (p_.is<operation::embed>(i)) stored_[i] = true;
      }
    }
    for (int k = 0; k < p_.outputs.size(); ++k) stored_[root_of(p_, p_.outputs[k])] = true;
    for (int g = 0; g < f_.groups.size(); ++g)
      for (int i = f_.groups[g].first; i >= 0; i = f_.next[i]) decide_operands(i, g, 0);
  }

  /// What member (or copy) i of group g reads from other groups is stored there, or computed again here.
  constexpr void decide_operands(int i, int g, int depth) {
    for (int k = 0; k < 3; ++k) {
      if (p_[i].operand[k] < 0) continue;
      const int b = look_through(p_, p_[i].operand[k]).base;
      if (is_leaf(b) || f_.lazy[b] || f_.home[b] == g || in_memory(b)) continue;
      if (recomputed_[b] || (options_.recompute && depth < 6 && worth_recomputing(b))) {
        recomputed_[b] = true;
        decide_operands(b, g, depth + 1);
      } else stored_[b] = true;
    }
  }

  constexpr int wide_axes(int i) const {
    int n = 0;
    for (int a = 0; a < p_.shape_of(i).rank; ++a) n += p_.shape_of(i).extent[a] != 1;
    return n;
  }

  /// A few operations on at most one value of full size cost less than writing and reading the result.
  constexpr bool worth_recomputing(int b) const {
    int flops = 0, loads = 0;
    return cone(b, b, 0, flops, loads) && flops <= 8 && loads <= 1;
  }
  constexpr bool cone(int top, int i, int depth, int& flops, int& loads) const {
    if (p_.family_of(i) != family::map || depth > 4) return false;
    flops += info_of(p_[i].operation).flops;
    for (int k = 0; k < 3; ++k) {
      if (p_[i].operand[k] < 0) continue;
      const int c = look_through(p_, p_[i].operand[k]).base;
      if (is_leaf(c) || f_.lazy[c]) continue;
      const bool narrow = wide_axes(c) < wide_axes(top);
      if (in_memory(c) || (narrow && p_.family_of(c) == family::reduce)) {
        if (!narrow) ++loads;
      } else if (!cone(top, c, depth + 1, flops, loads)) return false;
    }
    return true;
  }

  // ---- one kernel ------------------------------------------------------------------------------------------------------
  struct draft_entry {
    kernel_entry e;
    std::int16_t instruction = -1;
    axis_map axes;         // of the value -> of the group
    std::int8_t level = 0;  // row passes complete before it can be evaluated
    unsigned varies = 0;   // axes of the group along which it differs
  };

  static constexpr bool is_sink(const kernel_entry& e) {
    return e.code == entry_code::store || e.code == entry_code::store_strided || e.code == entry_code::accumulate;
  }

  constexpr int find(int instruction, const axis_map& axes) const {
    for (int i = draft_.size() - 1; i >= 0; --i)
      if (draft_[i].instruction == instruction && !is_sink(draft_[i].e) && draft_[i].axes == axes) return i;
    return -1;
  }

  constexpr int append(const draft_entry& d) {
    if (draft_.size() >= max_kernel_entries) failed_ = true;
    else draft_.push_back(d);
    return draft_.size() - 1;
  }

  constexpr std::int16_t add_slot(plan_slot::kind_t kind, int value, const axis_map& axes, std::uint8_t reduction = 0) {
    plan_slot slot;
    slot.kind = kind;
    slot.value = static_cast<std::int16_t>(value);
    slot.reduction = reduction;
    for (int a = 0; a < max_rank; ++a)
      if (axes.axis[a] >= 0) slot.axes.axis[axes.axis[a]] = static_cast<std::int8_t>(a);  // by group axis; ordered later
    slots_.push_back(slot);
    return static_cast<std::int16_t>(slots_.size() - 1);
  }

  constexpr unsigned mask_of_map(const axis_map& axes) const {
    unsigned mask = 0;
    for (int a = 0; a < max_rank; ++a)
      if (axes.axis[a] >= 0) mask |= 1u << axes.axis[a];
    return mask;
  }

  /// The entry that evaluates operand `value` of something whose axes run along `outer` axes of the group.
  constexpr int pull_operand(int value, const axis_map& along, int g) {
    const base_use u = look_through(p_, value);
    axis_map axes;
    for (int a = 0; a < p_.shape_of(value).rank; ++a)
      if (u.axis[a] >= 0) axes.axis[u.axis[a]] = along.axis[a];
    return pull(u.base, axes, g);
  }

  constexpr int pull(int i, const axis_map& axes, int g) {
    const int found = find(i, axes);
    if (found >= 0) return found;
    draft_entry d;
    d.instruction = static_cast<std::int16_t>(i);
    d.axes = axes;
    d.e.type = p_[i].type;
    d.varies = mask_of_map(axes);
    if (p_.is<operation::constant>(i)) {
      d.e.code = entry_code::constant;
      d.e.payload = p_.constants[p_[i].attribute];
      return append(d);
    }
    if (is_leaf(i)) {
      d.e.code = entry_code::scalar;
      d.e.slot = static_cast<std::int16_t>(out_.scalars.size() - scalar_begin_);
      out_.scalars.push_back(static_cast<std::int16_t>(i));
      return append(d);
    }
    if (p_.family_of(i) == family::generate) {
      d.e.code = p_.is<operation::iota>(i) ? entry_code::iota : entry_code::uniform;
      if (d.e.code == entry_code::uniform)
        for (int k = 0; k < 2; ++k) d.e.operand[k] = static_cast<std::int16_t>(pull(p_[i].operand[k], {}, g));
      else
        for (int a = 0; a < max_rank; ++a)
          if (a != p_[i].attribute) d.axes.axis[a] = -1;  // it differs along its own axis only
      d.varies = mask_of_map(d.axes);
      d.e.slot = add_slot(plan_slot::generator, i, d.axes);
      d.axes = axes;
      return append(d);
    }
    const bool member = f_.home[i] == g && !f_.lazy[i];
    if (!member && !f_.lazy[i] && !recomputed_[i]) {
      if (!in_memory(i)) failed_ = true;
      d.e.code = entry_code::load;
      d.e.slot = add_slot(plan_slot::input, i, axes);
      return append(d);
    }
    if (p_.family_of(i) != family::map) {
      // A product is read back from memory; a reduction asked for under other axes than its own cannot be computed here.
      if (p_.family_of(i) == family::contract) {
        d.e.code = entry_code::load;
        d.e.slot = add_slot(plan_slot::input, i, axes);
        return append(d);
      }
      failed_ = true;
      return 0;
    }
    d.e.code = p_[i].operation;
    for (int k = 0; k < 3; ++k)
      if (p_[i].operand[k] >= 0) {
        const int o = pull_operand(p_[i].operand[k], axes, g);
        if (failed_) return 0;
        d.e.operand[k] = static_cast<std::int16_t>(o);
        d.level = draft_[o].level > d.level ? draft_[o].level : d.level;
        d.varies |= draft_[o].varies;
      }
    return append(d);
  }

  constexpr void emit_reduce(int i, int g, unsigned row) {
    const axis_map& iteration = f_.iteration[i];
    unsigned over = 0;
    axis_map kept;
    for (int a = 0; a < p_.shape_of(p_[i].operand[0]).rank; ++a) {
      if (iteration.axis[a] < 0) continue;
      if (p_[i].attribute >> a & 1) over |= 1u << iteration.axis[a];
      else kept.axis[a] = iteration.axis[a];
    }
    int operand = pull_operand(p_[i].operand[0], iteration, g);
    if (failed_) return;
    const opcode partial = info_of(p_[i].operation).divides_by_count ? opcode_of<operation::sum> : p_[i].operation;
    if ((over & row) != 0) {
      draft_entry d;
      d.instruction = static_cast<std::int16_t>(i);
      d.axes = kept;
      d.e.code = over == row ? p_[i].operation : partial;
      d.e.type = p_[i].type;
      d.e.operand[0] = static_cast<std::int16_t>(operand);
      d.level = static_cast<std::int8_t>(draft_[operand].level + 1);
      d.varies = (draft_[operand].varies | over) & ~row;
      if (over != row) d.instruction = -1;
      operand = append(d);
      if (over == row) return;
    }
    draft_entry d;
    d.instruction = static_cast<std::int16_t>(i);
    d.axes = kept;
    d.e.code = entry_code::accumulate;
    d.e.type = p_[i].type;
    d.e.operand[0] = static_cast<std::int16_t>(operand);
    d.e.operand[1] = partial;
    d.level = draft_[operand].level;
    // A row's partial result is added once; a value that is the same everywhere is still added to every element.
    d.varies = draft_[operand].varies | mask_of_map(kept) | ((over & row) != 0 ? over & ~row : over);
    d.e.slot = add_slot(plan_slot::accumulator, i, kept, p_[i].operation);
    append(d);
  }

  /// Tells `mix` along which axes an operand varies, and what it is computed from where that happens in this kernel.
  template <class Mix>
  constexpr void mix_operand(int value, const axis_map& along, const Mix& mix) const {
    const base_use u = look_through(p_, value);
    axis_map axes;
    for (int a = 0; a < p_.shape_of(value).rank; ++a)
      if (u.axis[a] >= 0) axes.axis[u.axis[a]] = along.axis[a];
    const unsigned mask = mask_of_map(axes);
    if (mask != 0) mix(mask);
    if (!f_.lazy[u.base] && !recomputed_[u.base]) return;
    for (int o = 0; o < 3; ++o)
      if (p_[u.base].operand[o] >= 0) mix_operand(p_[u.base].operand[o], axes, mix);
  }

  /// The row: what the kernel reads again, or else the trailing axes that every operand and every reduction treats alike, so that
  /// they run as one loop with one stride.
  constexpr unsigned choose_row(int g, const std::int8_t* order) const {
    const kernel_group& k = f_.groups[g];
    if (k.row_known) return k.row;
    if (k.axes == 0) return 0;
    if (single_row_) return 1u << order[k.axes - 1];
    std::uint32_t signature[max_rank]{};
    const auto mix = [&](unsigned mask) {
      for (int id = 0; id < k.axes; ++id) signature[id] = signature[id] * 0x01000193u ^ (mask >> id & 1u);
    };
    for (int r = 0; r < k.reduction_kinds; ++r) mix(k.reductions[r]);
    for (int i = k.first; i >= 0; i = f_.next[i]) {
      mix(mask_of_map(f_.iteration[i]));
      for (int o = 0; o < 3; ++o)
        if (p_[i].operand[o] >= 0) mix_operand(p_[i].operand[o], f_.iteration[i], mix);
    }
    unsigned row = 0;
    for (int a = k.axes - 1; a >= 0 && signature[order[a]] == signature[order[k.axes - 1]]; --a) row |= 1u << order[a];
    return row;
  }

  /// Whether the row's elements of a value lie one behind the other in memory, as far as types tell.
  constexpr bool row_contiguous(const plan_slot& slot, int outer_rank, int rank) const {
    int last = -1, first = max_rank, wanted = 0;
    for (int a = outer_rank; a < rank; ++a) {
      const int axis = slot.axes.axis[a];
      if (axis < 0) continue;
      if (axis <= last) return false;
      last = axis;
      first = axis < first ? axis : first;
      ++wanted;
    }
    if (wanted == 0) return true;
    int i = slot.value;
    const shape& s = p_.shape_of(i);
    for (int a = first; a < s.rank; ++a) {  // nothing but the row behind its first axis
      if (s.extent[a] == 1) continue;
      if (--wanted < 0) return false;
    }
    if (wanted != 0) return false;
    while (p_.family_of(i) == family::view && !p_.is<operation::embed>(i)) {
      if (p_.is<operation::permute>(i)) return false;
      if (p_.is<operation::slice>(i)) {
        const slice_spec& spec = p_.slices[p_[i].attribute];
        if (spec.step != 1 && spec.axis >= first) return false;
        if (spec.axis > first) return false;
      }
      if (p_.is<operation::reshape>(i)) return !is_strided_argument(root_of(p_, i)) && p_.is<operation::reshape>(i) && chain_is_reshape(i);
      i = p_[i].operand[0];
    }
    return !is_strided_argument(i);
  }
  constexpr bool chain_is_reshape(int i) const {
    while (p_.is<operation::reshape>(i)) i = p_[i].operand[0];
    return p_.family_of(i) != family::view || p_.is<operation::embed>(i);
  }
  constexpr bool is_strided_argument(int i) const { return p_.is<operation::argument>(i) && (p_[i].flags & strided_flag); }

  constexpr void emit_group(int g) {
    const kernel_group& k = f_.groups[g];
    if (k.kind != kernel_group::loop) {
      plan_step step;
      step.kind = k.kind == kernel_group::contract ? plan_step::contract : plan_step::embed;
      step.value = k.product;
      out_.steps.push_back(step);
    }
    if (k.members != 0) emit_loop(g);
  }

  /// Whether the row's axes follow each other in the value, in the kernel's order.
  constexpr bool in_order(const plan_slot& slot, unsigned row, const std::int8_t* order, int axes) const {
    int last = -1;
    for (int a = 0; a < axes; ++a) {
      if (!(row >> order[a] & 1)) continue;
      const int axis = slot.axes.axis[order[a]];
      if (axis <= last) return false;
      for (int between = last + 1; last >= 0 && between < axis; ++between)
        if (p_.shape_of(slot.value).extent[between] != 1) return false;
      last = axis;
    }
    return true;
  }

  constexpr void emit_loop(int g) {
    const kernel_group& k = f_.groups[g];
    // Order of the axes: as in the first member that has most of them, anything else outside.
    std::int8_t order[max_rank]{};
    order_axes(g, order);
    const unsigned row = choose_row(g, order);

    draft_.clear();
    slots_.clear();
    scalar_begin_ = out_.scalars.size();
    for (int i = k.first; i >= 0; i = f_.next[i]) {
      if (f_.lazy[i] && !stored_[i]) continue;
      if (p_.family_of(i) == family::reduce) emit_reduce(i, g, row);
      else pull(i, f_.iteration[i], g);
      if (failed_) return;
    }
    const int computed = draft_.size();
    for (int n = 0; n < computed; ++n) {
      const draft_entry d = draft_[n];
      const int i = d.instruction;
      if (i < 0 || !stored_[i] || f_.home[i] != g || is_sink(d.e) || d.e.code == entry_code::load) continue;
      if (!(d.axes == value_axes(i))) continue;
      draft_entry s;
      s.instruction = d.instruction;
      s.axes = d.axes;
      s.e.code = entry_code::store;
      s.e.type = d.e.type;
      s.e.operand[0] = static_cast<std::int16_t>(n);
      s.level = d.level;
      s.varies = mask_of_map(d.axes) | (d.varies & row);
      // What is written at some positions only would not be written at all if there are none.
      const unsigned along = mask_of_map(d.axes), all = (1u << k.axes) - 1;
      if (((s.varies & row) != 0 && (along & row) != row) || ((along | row) != all)) failed_ = true;
      s.e.slot = add_slot(plan_slot::output, i, d.axes);
      append(s);
    }
    if (failed_) return;
    finish(g, row, order);
  }

  constexpr axis_map value_axes(int i) const {
    axis_map axes = f_.iteration[i];
    if (p_.family_of(i) == family::reduce)
      for (int a = 0; a < max_rank; ++a)
        if (p_[i].attribute >> a & 1) axes.axis[a] = -1;
    return axes;
  }

  constexpr void order_axes(int g, std::int8_t* order) const {
    const kernel_group& k = f_.groups[g];
    int best = -1, most = -1;
    const auto consider = [&](int i, int count) {
      if (count > most) {
        best = i;
        most = count;
      }
    };
    const auto count_axes = [&](int i) {
      int n = 0;
      for (int a = 0; a < max_rank; ++a) n += f_.iteration[i].axis[a] >= 0;
      return n;
    };
    if (k.kind == kernel_group::contract) consider(k.product, count_axes(k.product));
    for (int i = k.first; i >= 0; i = f_.next[i]) consider(i, count_axes(i));
    bool placed[max_rank]{};
    int n = 0;
    for (int a = 0; a < max_rank; ++a)
      if (f_.iteration[best].axis[a] >= 0) placed[f_.iteration[best].axis[a]] = true;
    for (int id = 0; id < k.axes; ++id)
      if (!placed[id]) order[n++] = static_cast<std::int8_t>(id);
    for (int a = 0; a < max_rank; ++a)
      if (f_.iteration[best].axis[a] >= 0) order[n++] = f_.iteration[best].axis[a];
  }

  constexpr bool is_row_reduce(const draft_entry& d) const {
    return d.e.code < operation_count && info_of(d.e.code).family == family::reduce;
  }

  constexpr void finish(int g, unsigned row, const std::int8_t* order) {
    const kernel_group& k = f_.groups[g];
    // Rates: a value that depends on a row's reduction belongs to that row even if it is one number.
    for (draft_entry& d : draft_) {
      bool outer = (d.varies & ~row) != 0 || d.level > 0;
      bool full = (d.varies & row) != 0;
      if (is_row_reduce(d)) {
        full = false;
        outer = true;
      }
      d.e.rate = full ? rate::full : outer ? rate::outer : rate::once;
      if (is_sink(d.e) && d.e.rate == rate::once) d.e.rate = rate::outer;
    }
    int passes = 1;
    for (const draft_entry& d : draft_) {
      if (is_row_reduce(d)) passes = d.level > passes ? d.level : passes;
      else if (is_sink(d.e) && d.e.rate == rate::full)
        passes = d.level + 1 > passes ? d.level + 1 : passes;
    }
    if (passes > max_passes) {
      failed_ = true;
      return;
    }
    // Passes in which each entry is evaluated, from the last entry to the first.
    for (int n = draft_.size() - 1; n >= 0; --n) {
      draft_entry& d = draft_[n];
      const bool sink = is_sink(d.e);
      if (d.e.rate != rate::full) {
        d.e.passes = static_cast<std::uint8_t>(1u << (is_row_reduce(d) ? d.level - 1 : sink ? passes : d.level));
        if (is_row_reduce(d)) draft_[d.e.operand[0]].e.passes |= d.e.passes;
        continue;
      }
      if (sink) d.e.passes = static_cast<std::uint8_t>(1u << d.level);
      if (d.e.passes == 0) continue;
      if (is_costly(d.e) && (d.e.passes & (d.e.passes - 1)) != 0 && keeps_ < max_row_buffers) d.e.keep = static_cast<std::uint8_t>(++keeps_);
      const unsigned evaluated = d.e.keep ? d.e.passes & (~d.e.passes + 1u) : d.e.passes;  // kept: the first pass only
      for (int o = 0; o < 3; ++o)
        if (d.e.operand[o] >= 0 && !(d.e.code == entry_code::accumulate && o > 0))
          draft_[d.e.operand[o]].e.passes |= static_cast<std::uint8_t>(draft_[d.e.operand[o]].e.rate == rate::full ? evaluated : 0u);
    }
    compact();
    if (draft_.empty()) {  // everything it computed is computed again where it is used
      out_.scalars.resize(scalar_begin_);
      keeps_ = 0;
      return;
    }
    // A generator's offset must grow by one stride along the whole row.
    for (const plan_slot& slot : slots_) {
      if (slot.kind != plan_slot::generator || (row & (row - 1)) == 0) continue;
      unsigned varies = 0;
      for (int id = 0; id < k.axes; ++id)
        if (slot.axes.axis[id] >= 0) varies |= 1u << id;
      const bool positions = p_.is<operation::iota>(slot.value);
      if ((varies & row) == 0 || (!positions && (varies & row) == row && in_order(slot, row, order, k.axes))) continue;
      if (k.row_known || single_row_) {
        failed_ = true;
        return;
      }
      single_row_ = true;
      out_.scalars.resize(scalar_begin_);
      keeps_ = 0;
      emit_loop(g);
      single_row_ = false;
      return;
    }

    plan_step step;
    step.kind = plan_step::loop;
    step.with_previous = k.kind == kernel_group::contract;
    step.slot_begin = static_cast<std::int16_t>(out_.slots.size());
    step.slot_count = static_cast<std::int16_t>(slots_.size());
    step.scalar_begin = static_cast<std::int16_t>(scalar_begin_);
    step.scalar_count = static_cast<std::int16_t>(out_.scalars.size() - scalar_begin_);
    step.axis_begin = static_cast<std::int16_t>(out_.axes.size());
    std::int8_t sequence[max_rank]{};
    std::int64_t row_length = 1;
    for (int pass = 0; pass < 2; ++pass)
      for (int a = 0; a < k.axes; ++a) {
        const int id = order[a];
        if (((row >> id & 1) != 0) != (pass == 1)) continue;
        sequence[step.outer_rank + step.row_rank] = static_cast<std::int8_t>(id);
        out_.axes.push_back(k.extent[id]);
        if (pass == 0) ++step.outer_rank;
        else {
          ++step.row_rank;
          row_length = is_symbol(k.extent[id]) || row_length < 0 ? -1 : row_length * k.extent[id];
        }
      }
    for (plan_slot slot : slots_) {
      const axis_map by_group = slot.axes;
      for (int a = 0; a < max_rank; ++a) slot.axes.axis[a] = a < k.axes ? by_group.axis[sequence[a]] : std::int8_t{-1};
      out_.slots.push_back(slot);
    }
    step.tiled = step.with_previous && step.outer_rank > 0 && f_.iteration[k.product].axis[0] == sequence[0];

    for (draft_entry& d : draft_) {
      if (d.e.rate != rate::full) continue;
      const bool strided = (d.e.code == entry_code::load || d.e.code == entry_code::store) &&
                           !row_contiguous(out_.slots[step.slot_begin + d.e.slot], step.outer_rank, k.axes);
      if (strided) d.e.code = d.e.code == entry_code::load ? entry_code::load_strided : entry_code::store_strided;
      if (d.e.code == entry_code::load || d.e.code == entry_code::store) out_.slots[step.slot_begin + d.e.slot].access = plan_slot::adjacent;
      else if (d.e.code >= entry_code::load && d.e.code != entry_code::scalar && d.e.code != entry_code::constant)
        out_.slots[step.slot_begin + d.e.slot].access = plan_slot::any_stride;
    }

    kernel_header header;
    header.row_length = static_cast<std::uint8_t>(row_length > 0 && row_length <= 64 ? row_length : 0);
    header.rows_as_lanes = prefers_rows_as_lanes(step, header.row_length);
    if (!header.rows_as_lanes) keep_in_outputs();
    header.entries = static_cast<std::int16_t>(draft_.size());
    header.slots = step.slot_count;
    header.scalars = step.scalar_count;
    header.passes = static_cast<std::uint8_t>(passes);
    header.keeps = static_cast<std::uint8_t>(keeps_);
    list<kernel_entry> entries;
    int flops = 0;
    for (const draft_entry& d : draft_) {
      entries.push_back(d.e);
      if (d.e.code >= operation_count || d.e.rate != rate::full) continue;
      int times = 0;
      for (int pass = 0; pass < passes; ++pass) times += d.e.passes >> pass & 1;
      flops += info_of(d.e.code).flops * (d.e.keep ? 1 : times);
    }
    for (const draft_entry& d : draft_)
      if (is_row_reduce(d)) ++flops;
    step.flops = static_cast<std::int16_t>(flops);
    step.kernel = distinct_kernel(header, entries);
    out_.steps.push_back(step);
    keeps_ = 0;
  }

  /// Rows up to this length are reduced several at a time: turning them in memory takes less time than reductions across lanes, partial
  /// packets and functions of one number a row.
  static constexpr int short_row = 32;

  /// Whether a kernel runs faster with a lane for each row: its rows are short, or their elements lie apart and those of neighbouring rows
  /// side by side.
  constexpr bool prefers_rows_as_lanes(const plan_step& step, int row_length) const {
    const int last = step.outer_rank - 1;
    if (last < 0) return false;
    const extent_t rows = out_.axes[step.axis_begin + last];
    if (!is_symbol(rows) && rows < 8) return false;  // most lanes would be idle
    if (row_length > 0 && row_length <= short_row)
      for (const draft_entry& d : draft_)
        if (is_row_reduce(d)) return true;
    bool apart = false;
    for (const draft_entry& d : draft_) {
      if (d.e.rate != rate::full || d.e.code < entry_code::load || d.e.code > entry_code::store_strided) continue;
      if (d.e.code == entry_code::scalar || d.e.code == entry_code::constant) continue;
      if (!row_contiguous(out_.slots[step.slot_begin + d.e.slot], last, last + 1)) return false;
      apart = apart || d.e.code == entry_code::load_strided || d.e.code == entry_code::store_strided;
    }
    return apart;
  }

  /// Values that are kept until an output of their type is stored are kept in that output's row: long rows then go through one array less.
  constexpr void keep_in_outputs() {
    list<bool> taken(slots_.size(), false);
    keeps_ = 0;
    for (int n = 0; n < draft_.size(); ++n) {
      kernel_entry& e = draft_[n].e;
      if (e.keep == 0) continue;
      e.keep = 0;
      for (int m = n + 1; m < draft_.size() && e.keep == 0 && e.code < operation_count && e.type != element_type::boolean; ++m) {
        const kernel_entry& s = draft_[m].e;
        if (s.code != entry_code::store || s.rate != rate::full || s.type != e.type || 2 * s.passes <= e.passes || taken[s.slot]) continue;
        taken[s.slot] = true;
        e.keep = kept_in_output;
        e.slot = s.slot;
      }
      if (e.keep == 0) e.keep = static_cast<std::uint8_t>(++keeps_);
    }
  }

  constexpr bool is_costly(const kernel_entry& e) const {
    return e.code == entry_code::uniform || (e.code < operation_count && info_of(e.code).family == family::map && info_of(e.code).flops >= 8);
  }

  /// Drops entries that no pass evaluates and renumbers the rest.
  constexpr void compact() {
    list<bool> needed(draft_.size(), false);
    for (int n = draft_.size() - 1; n >= 0; --n) {
      const draft_entry& d = draft_[n];
      const bool sink = is_sink(d.e);
      if (sink) needed[n] = true;
      if (!needed[n]) continue;
      for (int o = 0; o < 3; ++o)
        if (d.e.operand[o] >= 0 && !(d.e.code == entry_code::accumulate && o > 0)) needed[d.e.operand[o]] = true;
    }
    list<std::int16_t> map(draft_.size(), -1);
    list<draft_entry> kept;
    list<std::int16_t> slot_map(slots_.size(), -1);
    list<plan_slot> slots;
    for (int n = 0; n < draft_.size(); ++n) {
      if (!needed[n]) continue;
      draft_entry d = draft_[n];
      for (int o = 0; o < 3; ++o)
        if (d.e.operand[o] >= 0 && !(d.e.code == entry_code::accumulate && o > 0)) d.e.operand[o] = map[d.e.operand[o]];
      if (d.e.code != entry_code::scalar && d.e.code >= entry_code::load && d.e.code != entry_code::constant) {
        if (slot_map[d.e.slot] < 0) {
          slots.push_back(slots_[d.e.slot]);
          slot_map[d.e.slot] = static_cast<std::int16_t>(slots.size() - 1);
        }
        d.e.slot = slot_map[d.e.slot];
      }
      kept.push_back(d);
      map[n] = static_cast<std::int16_t>(kept.size() - 1);
    }
    draft_ = static_cast<list<draft_entry>&&>(kept);
    slots_ = static_cast<list<plan_slot>&&>(slots);
  }

  constexpr std::int16_t distinct_kernel(const kernel_header& header, const list<kernel_entry>& entries) {
    list<std::uint64_t> words;
    append_code(words, header, entries);
    for (int c = 0; c + 1 < out_.kernel_begin.size(); ++c) {
      const int begin = out_.kernel_begin[c], size = out_.kernel_begin[c + 1] - begin;
      if (size != words.size()) continue;
      int w = 0;
      while (w < size && out_.words[begin + w] == words[w]) ++w;
      if (w == size) return static_cast<std::int16_t>(c);
    }
    if (out_.kernel_begin.empty()) out_.kernel_begin.push_back(0);
    for (const std::uint64_t w : words) out_.words.push_back(w);
    out_.kernel_begin.push_back(out_.words.size());
    return static_cast<std::int16_t>(out_.kernel_begin.size() - 2);
  }

  /// Views are derived before the first kernel that may read them: as soon as what they look at is there.
  constexpr void emit_views_before(int g) {
    for (int n = first_view_; n < views_.size(); ++n) {
      const int i = views_[n];
      if (i < 0) {
        if (n == first_view_) ++first_view_;
        continue;
      }
      if (f_.home[root_of(p_, i)] >= g) continue;
      plan_step step;
      step.kind = plan_step::view;
      step.value = static_cast<std::int16_t>(i);
      out_.steps.push_back(step);
      views_[n] = -1;
    }
  }

  /// Marks the views between a value that something reads in memory and the root that holds its elements.
  constexpr void need_view(list<bool>& needed, int i) const {
    while (p_.family_of(i) == family::view && !p_.is<operation::embed>(i)) {
      needed[i] = true;
      i = p_[i].operand[0];
    }
  }

  constexpr void collect_views() {
    list<bool> needed(p_.size(), false);
    for (int i = 0; i < p_.size(); ++i) {
      const family kind = p_.family_of(i);
      if (kind == family::contract)
        for (int k = 0; k < 2; ++k) need_view(needed, p_[i].operand[k]);
      else if (p_.is<operation::embed>(i)) need_view(needed, p_[i].operand[0]);
      else if (kind == family::view && !is_free_view(p_, i)) need_view(needed, i);
    }
    for (int i = 0; i < p_.size(); ++i)
      if (needed[i]) views_.push_back(static_cast<std::int16_t>(i));
  }

  const program& p_;
  const fusion& f_;
  plan_options options_;
  plan& out_;
  list<bool> stored_;
  list<bool> recomputed_;
  list<draft_entry> draft_;
  list<plan_slot> slots_;
  int scalar_begin_ = 0;
  int keeps_ = 0;
  list<std::int16_t> views_;  // still to be derived, -1 when done
  int first_view_ = 0;
  bool single_row_ = false;
  bool failed_ = false;
};

}  // namespace detail

}  // namespace fluxion::graph
