/// Finishes a drafted kernel: how often and in which passes each entry is evaluated, what is kept between passes, its words, slots and step.
#pragma once
#include "draft_kernel.hpp"
#include "slot_layout.hpp"

namespace fluxion::graph::detail {

class kernel_finisher {
 public:
  constexpr kernel_finisher(const program& p, const fusion& f, kernel_drafter& draft, plan& out) : p_(p), f_(f), draft_(draft), out_(out) {}

  /// False where the group must be drafted again with one axis as its row.
  constexpr bool finish(int g, unsigned row, const std::int8_t* order) {
    const kernel_group& k = f_.groups.begin()[g];
    const int passes = schedule(row);
    if (draft_.failed) return true;
    compact();
    if (draft_.entries.empty()) {  // everything it computed is computed again where it is used
      out_.scalars.resize(draft_.scalar_begin);
      return true;
    }
    if (!rows_suit_generators(k, row, order)) {
      if (k.row_known || draft_.single_row) draft_.failed = true;
      out_.scalars.resize(draft_.scalar_begin);
      return false;
    }
    write(k, row, order, passes);
    return true;
  }

 private:
  constexpr bool reads(const draft_entry& d, int o) const { return d.e.operand[o] >= 0 && (o == 0 || d.e.code != entry_code::accumulate); }

  constexpr bool is_costly(const kernel_entry& e) const {
    return e.code == entry_code::uniform || (e.code < operation_count && info_of(e.code).family == family::map && info_of(e.code).flops >= 8);
  }

  /// Rates, and the passes in which each entry is evaluated. Returns the number of passes.
  constexpr int schedule(unsigned row) {
    draft_entry* const entries = draft_.entries.begin();
    const int size = draft_.entries.size();
    int passes = 1;
    for (int n = 0; n < size; ++n) {
      draft_entry& d = entries[n];
      // A value that depends on a row's reduction belongs to that row even if it is one number.
      const bool full = (d.varies & row) != 0 && !d.row_reduce, outer = (d.varies & ~row) != 0 || d.level > 0 || d.sink;
      d.e.rate = full ? rate::full : outer ? rate::outer : rate::once;
      const int ends = d.row_reduce ? d.level : d.sink && full ? d.level + 1 : 1;
      passes = ends > passes ? ends : passes;
    }
    keeps_ = 0;
    if (passes > max_passes) {
      draft_.failed = true;
      return passes;
    }
    for (int n = size - 1; n >= 0; --n) {
      draft_entry& d = entries[n];
      if (d.e.rate != rate::full) {
        d.e.passes = static_cast<std::uint8_t>(1u << (d.row_reduce ? d.level - 1 : d.sink ? passes : d.level));
        if (d.row_reduce) entries[d.e.operand[0]].e.passes |= d.e.passes;
        continue;
      }
      if (d.sink) d.e.passes = static_cast<std::uint8_t>(1u << d.level);
      if (d.e.passes == 0) continue;
      if ((d.e.passes & (d.e.passes - 1)) != 0 && keeps_ < max_row_buffers && is_costly(d.e)) d.e.keep = static_cast<std::uint8_t>(++keeps_);
      const unsigned evaluated = d.e.keep ? d.e.passes & (~d.e.passes + 1u) : d.e.passes;  // kept: the first pass only
      for (int o = 0; o < 3; ++o)
        if (reads(d, o) && entries[d.e.operand[o]].e.rate == rate::full) entries[d.e.operand[o]].e.passes |= static_cast<std::uint8_t>(evaluated);
    }
    return passes;
  }

  /// Drops entries that no pass evaluates and renumbers the rest.
  constexpr void compact() {
    const int size = draft_.entries.size();
    draft_entry* const entries = draft_.entries.begin();
    map_.assign(size, std::int16_t{-1});
    std::int16_t* const map = map_.begin();
    int needed = 0;
    for (int n = size - 1; n >= 0; --n) {
      const draft_entry& d = entries[n];
      if (d.sink) map[n] = 0;
      if (map[n] < 0) continue;
      ++needed;
      for (int o = 0; o < 3; ++o)
        if (reads(d, o)) map[d.e.operand[o]] = 0;
    }
    if (needed == size) return;
    int kept = 0, slots = 0;
    for (int n = 0; n < size; ++n) {
      if (map[n] < 0) continue;
      draft_entry d = entries[n];
      for (int o = 0; o < 3; ++o)
        if (reads(d, o)) d.e.operand[o] = map[d.e.operand[o]];
      if (has_slot(d.e)) {  // every slot belongs to one entry
        draft_.slots[slots] = draft_.slots[d.e.slot];
        d.e.slot = static_cast<std::int16_t>(slots++);
      }
      map[n] = static_cast<std::int16_t>(kept);
      entries[kept++] = d;
    }
    draft_.entries.resize(kept);
    draft_.slots.resize(slots);
  }

  static constexpr bool has_slot(const kernel_entry& e) {
    return e.code >= entry_code::load && e.code != entry_code::scalar && e.code != entry_code::constant;
  }

  /// A generator's offset must grow by one stride along the whole row.
  constexpr bool rows_suit_generators(const kernel_group& k, unsigned row, const std::int8_t* order) const {
    if ((row & (row - 1)) == 0) return true;
    for (const plan_slot& slot : draft_.slots) {
      if (slot.kind != plan_slot::generator) continue;
      unsigned varies = 0;
      for (int id = 0; id < k.axes; ++id)
        if (slot.axes.axis[id] >= 0) varies |= 1u << id;
      const bool positions = p_.is<operation::iota>(slot.value);
      if ((varies & row) != 0 && (positions || (varies & row) != row || !row_in_order(p_, slot, row, order, k.axes))) return false;
    }
    return true;
  }

  constexpr void write(const kernel_group& k, unsigned row, const std::int8_t* order, int passes) {
    plan_step step;
    step.kind = plan_step::loop;
    step.with_previous = k.kind == kernel_group::contract;
    step.slot_begin = static_cast<std::int16_t>(out_.slots.size());
    step.slot_count = static_cast<std::int16_t>(draft_.slots.size());
    step.scalar_begin = static_cast<std::int16_t>(draft_.scalar_begin);
    step.scalar_count = static_cast<std::int16_t>(out_.scalars.size() - draft_.scalar_begin);
    step.axis_begin = static_cast<std::int16_t>(out_.axes.size());
    std::int8_t sequence[max_rank]{};
    std::int64_t row_length = 1;
    for (int a = 0; a < k.axes; ++a)
      if (!(row >> order[a] & 1)) sequence[step.outer_rank++] = order[a];
    for (int a = 0; a < k.axes; ++a) {
      if (!(row >> order[a] & 1)) continue;
      const extent_t e = k.extent[order[a]];
      sequence[step.outer_rank + step.row_rank++] = order[a];
      row_length = is_symbol(e) || row_length < 0 ? -1 : row_length * e;
    }
    for (int a = 0; a < k.axes; ++a) out_.axes.push_back(k.extent[sequence[a]]);
    for (plan_slot slot : draft_.slots) {
      const axis_map by_group = slot.axes;
      for (int a = 0; a < k.axes; ++a) slot.axes.axis[a] = by_group.axis[sequence[a]];
      out_.slots.push_back(slot);
    }
    step.tiled = step.with_previous && step.outer_rank > 0 && static_cast<int>(f_.values.begin()[k.product].iteration & 15) == sequence[0] + 1;

    plan_slot* const slots = out_.slots.begin() + step.slot_begin;
    for (draft_entry& d : draft_.entries)
      if (d.e.rate == rate::full && has_slot(d.e)) choose_access(d.e, slots[d.e.slot], step.outer_rank, k.axes);
    kernel_header header;
    header.row_length = static_cast<std::uint8_t>(row_length > 0 && row_length <= 64 ? row_length : 0);
    header.rows_as_lanes = prefers_rows_as_lanes(step, header.row_length);
    if (!header.rows_as_lanes && keeps_ > 0) keep_in_outputs();
    header.entries = static_cast<std::int16_t>(draft_.entries.size());
    header.slots = step.slot_count;
    header.scalars = step.scalar_count;
    header.passes = static_cast<std::uint8_t>(passes);
    header.keeps = static_cast<std::uint8_t>(keeps_);
    words_.clear();
    words_.push_back(pack(header));
    int flops = 0;
    for (const draft_entry& d : draft_.entries) {
      if (d.e.rate == rate::full && d.e.code < operation_count) flops += info_of(d.e.code).flops * (d.e.keep ? 1 : std::popcount(d.e.passes));
      if (d.row_reduce) ++flops;
      words_.push_back(pack(d.e));
      if (d.e.code == entry_code::constant) words_.push_back(d.e.payload);
    }
    step.flops = static_cast<std::int16_t>(flops);
    step.kernel = distinct_kernel();
    out_.steps.push_back(step);
  }

  /// Rows up to this length are reduced several at a time: turning them in memory takes less time than reductions across lanes, partial
  /// packets and functions of one number a row.
  static constexpr int short_row = 32;
  static constexpr int max_tiles = 32;  // they lie on the stack, at most four kilobytes each

  /// Whether a kernel runs faster with a lane for each row: its rows are short, or their elements lie apart and those of neighbouring rows
  /// side by side.
  constexpr bool prefers_rows_as_lanes(const plan_step& step, int row_length) const {
    const int last = step.outer_rank - 1;
    if (last < 0) return false;
    const extent_t rows = out_.axes[step.axis_begin + last];
    if (!is_symbol(rows) && rows < 8) return false;  // most lanes would be idle
    if (row_length > 0 && row_length <= short_row && step.slot_count <= max_tiles)
      for (const draft_entry& d : draft_.entries)
        if (d.row_reduce) return true;
    bool apart = false;
    for (const draft_entry& d : draft_.entries) {
      if (d.e.rate != rate::full || d.e.code < entry_code::load || d.e.code > entry_code::store_strided || !has_slot(d.e)) continue;
      if (!row_contiguous(p_, out_.slots[step.slot_begin + d.e.slot], last, last + 1)) return false;
      apart = apart || d.e.code == entry_code::load_strided || d.e.code == entry_code::store_strided;
    }
    return apart;
  }

  /// Values that are kept until an output of their type is stored are kept in that output's row: long rows then go through one array less.
  constexpr void keep_in_outputs() {
    list<bool> taken(draft_.slots.size(), false);
    const int size = draft_.entries.size();
    keeps_ = 0;
    for (int n = 0; n < size; ++n) {
      kernel_entry& e = draft_.entries[n].e;
      if (e.keep == 0) continue;
      e.keep = 0;
      for (int m = n + 1; m < size && e.keep == 0 && e.code < operation_count && e.type != element_type::boolean; ++m) {
        const kernel_entry& s = draft_.entries[m].e;
        if (s.code != entry_code::store || s.rate != rate::full || s.type != e.type || 2 * s.passes <= e.passes || taken[s.slot]) continue;
        taken[s.slot] = true;
        e.keep = kept_in_output;
        e.slot = s.slot;
      }
      if (e.keep == 0) e.keep = static_cast<std::uint8_t>(++keeps_);
    }
  }

  constexpr void choose_access(kernel_entry& e, plan_slot& slot, int outer_rank, int rank) const {
    const bool adjacent = (e.code == entry_code::load || e.code == entry_code::store) && row_contiguous(p_, slot, outer_rank, rank);
    slot.access = adjacent ? plan_slot::adjacent : plan_slot::any_stride;
    if (adjacent) return;
    if (e.code == entry_code::load) e.code = entry_code::load_strided;
    else if (e.code == entry_code::store) e.code = entry_code::store_strided;
  }

  /// The number of the kernel whose words were just written.
  constexpr std::int16_t distinct_kernel() {
    const std::uint64_t* const words = words_.begin();
    const int size = words_.size();
    std::uint64_t hash = 0;
    for (int w = 0; w < size; ++w) hash = (hash ^ words[w]) * 0x9E3779B97F4A7C15u, hash ^= hash >> 32;
    for (int c = 0; c < hashes_.size(); ++c) {
      if (hashes_.begin()[c] != hash) continue;
      const int begin = out_.kernel_begin[c];
      if (out_.kernel_begin[c + 1] - begin != size) continue;
      int w = 0;
      while (w < size && out_.words[begin + w] == words[w]) ++w;
      if (w == size) return static_cast<std::int16_t>(c);
    }
    if (out_.kernel_begin.empty()) out_.kernel_begin.push_back(0);
    out_.words.append(words, size);
    out_.kernel_begin.push_back(out_.words.size());
    hashes_.push_back(hash);
    return static_cast<std::int16_t>(hashes_.size() - 1);
  }

  const program& p_;
  const fusion& f_;
  kernel_drafter& draft_;
  plan& out_;
  int keeps_ = 0;
  list<std::int16_t> map_;
  list<std::uint64_t> words_;
  list<std::uint64_t> hashes_;  // of the distinct kernels
};

}  // namespace fluxion::graph::detail
