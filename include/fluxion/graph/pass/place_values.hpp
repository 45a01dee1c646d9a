/// Decides where the values of a plan live; temporaries share memory when their lives do not meet.
#pragma once
#include "../plan_view.hpp"
#include "value_facts.hpp"

#include <bit>

namespace fluxion::graph {

/// Where the values are, and how many temporary buffers that takes.
struct placement {
  list<plan_value> values;
  int temporaries = 0;
};

namespace detail {

class value_placer {
 public:
  /// Of the plan only steps, slots and kernels are read.
  constexpr value_placer(const program& p, const plan_view& q)
      : p_(p), code_(p.instructions.begin()), q_(q), size_(p.size()), born_(size_, std::int16_t{-1}), died_(size_, std::int16_t{-1}), roots_(size_, std::int16_t{0}) {
    std::int16_t* const roots = roots_.begin();
    for (int i = 0; i < size_; ++i) roots[i] = static_cast<std::int16_t>(is_alias(i) ? roots[code_[i].operand[0]] : i);
  }

  /// `stored(i)` tells whether value i is in memory.
  template <class Stored>
  constexpr placement run(const Stored& stored) {
    r_.values.assign(size_, plan_value{});
    values_ = r_.values.begin();
    for (int i = 0; i < size_; ++i) {
      if (code_[i].operation == opcode_of<operation::argument>) values_[i] = {plan_value::argument, static_cast<std::int16_t>(code_[i].attribute)};
      else if (roots_.begin()[i] != i) values_[i] = {plan_value::alias, code_[i].operand[0]};
    }
    for (int k = 0; k < p_.outputs.size(); ++k) values_[roots_[p_.outputs[k]]] = {plan_value::output, static_cast<std::int16_t>(k)};
    find_lives();
    for (int s = 0; s + 1 < q_.step_count; ++s)
      if (q_.steps[s].kind == plan_step::contract && q_.steps[s + 1].with_previous) join_product(s);
    share_temporaries(stored);
    return static_cast<placement&&>(r_);
  }

 private:
  constexpr bool is_alias(int i) const {
    return info_of(code_[i].operation).family == family::view && !is_written_view(code_[i].operation);
  }

  constexpr void touch(int value, int step) {
    const int root = roots_.begin()[value];
    if (born_.begin()[root] < 0) born_.begin()[root] = static_cast<std::int16_t>(step);
    died_.begin()[root] = static_cast<std::int16_t>(step);
  }

  /// When values are first and last used, in steps.
  constexpr void find_lives() {
    for (int s = 0; s < q_.step_count; ++s) {
      const plan_step& step = q_.steps[s];
      if (step.kind == plan_step::loop) {
        for (int k = step.slot_begin; k < step.slot_begin + step.slot_count; ++k)
          if (q_.slots[k].kind != plan_slot::generator) touch(q_.slots[k].value, s);
        continue;
      }
      touch(step.value, s);
      for (int k = 0; k < 3; ++k)
        if (code_[step.value].operand[k] >= 0) touch(code_[step.value].operand[k], s);
    }
  }

  /// The product of a contraction whose epilogue replaces it lies where the epilogue's result will.
  constexpr void join_product(int s) {
    const int product = q_.steps[s].value;
    if (died_[product] != s + 1 || values_[product].place == plan_value::output) return;
    const plan_step& step = q_.steps[s + 1];
    int source = -1, sources = 0;
    for (int k = 0; k < step.slot_count; ++k) {
      const plan_slot& slot = q_.slots[step.slot_begin + k];
      if (slot.kind != plan_slot::generator && roots_.begin()[slot.value] == product) source = k, ++sources;
    }
    if (sources != 1) return;
    const std::uint64_t* const words = q_.words + q_.kernel_begin[step.kernel];
    const int end = q_.kernel_begin[step.kernel + 1] - q_.kernel_begin[step.kernel];
    // The entries that read the product or write, in order.
    list<kernel_entry> entries;
    int read = 0;
    for (int w = 1; w < end; ++w) {
      const std::uint64_t code = words[w] & 0xff;
      if (code == entry_code::constant) ++w;  // its payload
      const bool loads = code == entry_code::load || code == entry_code::load_strided;
      if (!loads && code != entry_code::store && code != entry_code::store_strided && (words[w] >> 22 & 0x3f) != kept_in_output) continue;
      const kernel_entry e = unpack_entry(words[w]);
      if (loads && e.slot != source) continue;
      if (loads) read = entries.size();
      entries.push_back(e);
    }
    for (const kernel_entry& e : entries) {
      if (e.code != entry_code::store) continue;
      const plan_slot& slot = q_.slots[step.slot_begin + e.slot];
      if (code_[slot.value].type != code_[product].type || code_[slot.value].shape != code_[product].shape || born_[slot.value] != s + 1 ||
          e.rate != rate::full || !(slot.axes == q_.slots[step.slot_begin + source].axes) ||
          !reads_before(first_write_to(e.slot, entries.begin(), entries.size()), entries[read], read)) continue;
      born_[slot.value] = static_cast<std::int16_t>(s);
      values_[product] = {plan_value::alias, slot.value};
      return;
    }
  }

  /// A temporary takes the first buffer that is free when it is born.
  template <class Stored>
  constexpr void share_temporaries(const Stored& stored) {
    // Lists of what is born in each step: values, by number; and of what becomes free after it: buffers.
    list<std::int16_t> first(q_.step_count, std::int16_t{-1}), next(size_, std::int16_t{-1}), freed(q_.step_count, std::int16_t{-1}), next_freed;
    for (int i = size_ - 1; i >= 0; --i) {
      const int step = born_.begin()[i];
      if (step < 0 || values_[i].place != plan_value::nowhere || !stored(i)) continue;
      next.begin()[i] = first.begin()[step], first.begin()[step] = static_cast<std::int16_t>(i);
    }
    list<std::uint64_t> free;  // a bit for each buffer
    for (int s = 0; s < q_.step_count; ++s) {
      if (s > 0)
        for (int t = freed[s - 1]; t >= 0; t = next_freed[t]) free[t / 64] |= std::uint64_t{1} << t % 64;
      for (int i = first.begin()[s]; i >= 0; i = next.begin()[i]) {
        int word = 0;
        while (word < free.size() && free.begin()[word] == 0) ++word;
        int t = r_.temporaries;
        if (word < free.size()) {
          t = 64 * word + std::countr_zero(free[word]);
          free[word] &= free[word] - 1;
        } else {
          if (t % 64 == 0) free.push_back(0);
          next_freed.push_back(std::int16_t{-1});
          ++r_.temporaries;
        }
        next_freed[t] = freed[died_[i]], freed[died_[i]] = static_cast<std::int16_t>(t);
        values_[i] = {plan_value::temporary, static_cast<std::int16_t>(t)};
      }
    }
  }

  const program& p_;
  const instruction* code_;
  const plan_view& q_;
  int size_;
  list<std::int16_t> born_, died_, roots_;
  placement r_;
  plan_value* values_ = nullptr;
};

}  // namespace detail
}  // namespace fluxion::graph
