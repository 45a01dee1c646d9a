/// Decides which values exist in memory, which are computed again in every kernel that reads them, and which views need a descriptor.
#pragma once
#include "fuse.hpp"

#include <bit>

namespace fluxion::graph {

/// What is stored, by instruction, and the views that something reads in memory in the order in which they can be derived: before the
/// first kernel after the one that computes what they look at.
struct memory_choice {
  static constexpr std::uint8_t stored = 1, recomputed = 2, viewed = 4;
  list<std::uint8_t> flags;
  list<std::int16_t> views;
};

namespace detail {

class memory_chooser {
 public:
  constexpr memory_chooser(const program& p, const fusion& f, const plan_options& options)
      : p_(p), code_(p.instructions.begin()), v_(f.values.begin()), groups_(f.groups), options_(options) {
    choice_.flags.assign(p.size(), std::uint8_t{0});
    flags_ = choice_.flags.begin();
  }

  constexpr memory_choice run() {
    const int size = p_.size();
    for (int i = 0; i < size; ++i) {
      const family kind = v_[i].family;
      if (kind == family::contract) {
        store(i), need(code_[i].operand[0]), need(code_[i].operand[1]);
      } else if (kind == family::view && !v_[i].free_view) {
        for (const std::int16_t o : code_[i].operand)
          if (o >= 0) need(o);
        if (is_written_view(code_[i].operation)) store(i);
        else mark_views(i);
      }
    }
    for (int k = 0; k < p_.outputs.size(); ++k) store(v_[p_.outputs[k]].root);
    for (int g = 0; g < groups_.size(); ++g)
      for (int i = groups_.begin()[g].first; i >= 0; i = v_[i].next) decide_operands(i, g, 0);
    sort_views();
    return static_cast<memory_choice&&>(choice_);
  }

 private:
  constexpr void store(int i) { flags_[i] |= memory_choice::stored; }
  constexpr bool in_memory(int b) const {
    return v_[b].root != b || code_[b].operation == opcode_of<operation::argument> || (flags_[b] & memory_choice::stored) != 0;
  }
  /// Something reads i in memory.
  constexpr void need(int i) {
    store(v_[i].root);
    mark_views(i);
  }
  constexpr void mark_views(int i) {
    for (; v_[i].root != i && !(flags_[i] & memory_choice::viewed); i = code_[i].operand[0]) flags_[i] |= memory_choice::viewed;
  }

  /// What member (or copy) i of group g reads from other groups is stored there, or computed again here.
  constexpr void decide_operands(int i, int g, int depth) {
    for (int k = 0; k < 3 && code_[i].operand[k] >= 0; ++k) {
      const int b = v_[code_[i].operand[k]].base;
      if (v_[b].number || v_[b].lazy || v_[b].home == g || in_memory(b)) continue;
      if ((flags_[b] & memory_choice::recomputed) || (options_.recompute && depth < 6 && worth_recomputing(b))) {
        flags_[b] |= memory_choice::recomputed;
        decide_operands(b, g, depth + 1);
      } else store(b);
    }
  }

  /// A few operations on at most one value of full size cost less than writing and reading the result.
  constexpr bool worth_recomputing(int b) const {
    int flops = 0, loads = 0;
    if (code_[b].flags & recomputed_flag) return v_[b].family == family::map;
    return cone(std::popcount(v_[b].wide), b, 0, flops, loads) && loads <= 1;
  }
  constexpr bool cone(int wide_axes, int i, int depth, int& flops, int& loads) const {
    if (v_[i].family != family::map || depth > 4 || (code_[i].flags & saved_flag) != 0) return false;
    flops += info_of(code_[i].operation).flops;
    if (flops > 8) return false;
    for (int k = 0; k < 3 && code_[i].operand[k] >= 0; ++k) {
      const int c = v_[code_[i].operand[k]].base;
      if (v_[c].number || v_[c].lazy) continue;
      const bool narrow = std::popcount(v_[c].wide) < wide_axes;
      if (in_memory(c) || (narrow && v_[c].family == family::reduce)) loads += narrow ? 0 : 1;
      else if (!cone(wide_axes, c, depth + 1, flops, loads)) return false;
    }
    return true;
  }

  /// Orders the views that are needed by the group that computes what they look at: a counting sort.
  constexpr void sort_views() {
    const int size = p_.size();
    list<std::int16_t> begin(groups_.size() + 2, std::int16_t{0}), needed;
    std::int16_t* const count = begin.begin();
    for (int i = 0; i < size; ++i)
      if (flags_[i] & memory_choice::viewed) needed.push_back(static_cast<std::int16_t>(i)), ++count[v_[v_[i].root].home + 2];
    for (int g = 0; g <= groups_.size(); ++g) count[g + 1] = static_cast<std::int16_t>(count[g + 1] + count[g]);
    choice_.views.assign(needed.size(), std::int16_t{0});
    for (const std::int16_t i : needed) choice_.views[count[v_[v_[i].root].home + 1]++] = i;
  }

  const program& p_;
  const instruction* code_;
  const fused_value* v_;
  const list<kernel_group>& groups_;
  plan_options options_;
  memory_choice choice_;
  std::uint8_t* flags_ = nullptr;
};

}  // namespace detail

constexpr memory_choice choose_memory(const program& p, const fusion& f, const plan_options& options) {
  return detail::memory_chooser(p, f, options).run();
}

}  // namespace fluxion::graph
