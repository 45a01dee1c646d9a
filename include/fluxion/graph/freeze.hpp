/// Plans as constants of the translation unit. Each stage of planning is a constant of its own, or several, each of which goes on where
/// the one before it stopped, so that long programs stay within the compilers' limits.
#pragma once
#include "frozen_program.hpp"
#include "pass/make_plan.hpp"
#include "plan_view.hpp"

namespace fluxion::graph {

/// How programs are planned that are compiled.
#if defined(FLUXION_EAGER)
inline namespace FLUXION_ABI { inline constexpr plan_options compiled_options{.fuse = false}; }
#else
inline namespace FLUXION_ABI { inline constexpr plan_options compiled_options{}; }
#endif

// What one constant does at most. Half of clang's 1,048,576 steps is the measure, for programs whose instructions are costly to plan.
inline constexpr int fusion_chunk = 1024;    // instructions
inline constexpr int emission_chunk = 1024;  // entries of kernels

/// The program as planning starts from it.
template <class Source>
struct prepared_source {
  static constexpr int expected_size = constant_program<Source>::value.instruction_count;
  static constexpr program make() { return prepare_program(thaw(constant_program<Source>::value)); }
};

template <class Source>
inline constexpr const auto& prepared_program = constant_program<prepared_source<Source>>::value;

/// A fusion in arrays of fixed capacity.
template <int Capacity>
struct frozen_fusion {
  frozen_list<kernel_group, Capacity> groups;
  frozen_list<fused_value, Capacity> values;

  constexpr void take(const fusion& f) {
    groups.take(f.groups);
    values.take(f.values);
  }
  constexpr fusion thaw() const { return {groups.thaw(), values.thaw()}; }
  /// To be continued.
  constexpr fusion copy() const {
    fusion f;
    f.groups.append(groups.data, groups.size);
    f.values.append(values.data, values.size);
    return f;
  }
};

template <int Capacity>
struct frozen_memory {
  frozen_list<std::uint8_t, Capacity> flags;
  frozen_list<std::int16_t, Capacity> views;
  constexpr memory_choice thaw() const { return {flags.thaw(), views.thaw()}; }
};

/// The steps and kernels of some groups. Numbers count from the chunk's own first slot, scalar, axis and kernel.
template <int Budget>
struct frozen_emission {
  static constexpr int entries = Budget + max_kernel_entries;
  static constexpr int loops = Budget / 4 + 4;
  frozen_list<plan_step, loops> steps;
  frozen_list<plan_slot, entries> slots;
  frozen_list<std::int16_t, entries> scalars;
  frozen_list<extent_t, 2 * Budget + 4 * max_rank> axes;
  frozen_list<std::uint64_t, 2 * entries + loops> words;
  frozen_list<std::int32_t, loops + 1> kernel_begin;
  emission_position end;

  constexpr void take(const plan& q) {
    steps.take(q.steps);
    slots.take(q.slots);
    scalars.take(q.scalars);
    axes.take(q.axes);
    words.take(q.words);
    kernel_begin.take(q.kernel_begin);
  }
};

/// The same as pointers, whatever the budget.
struct emission_part {
  const plan_step* steps;
  const plan_slot* slots;
  const std::int16_t* scalars;
  const extent_t* axes;
  const std::uint64_t* words;
  const std::int32_t* kernel_begin;
  int step_count, slot_count, scalar_count, axis_count, word_count, kernel_count;

  template <int Budget>
  explicit constexpr emission_part(const frozen_emission<Budget>& e)
      : steps(e.steps.data), slots(e.slots.data), scalars(e.scalars.data), axes(e.axes.data), words(e.words.data), kernel_begin(e.kernel_begin.data),
        step_count(e.steps.size), slot_count(e.slots.size), scalar_count(e.scalars.size), axis_count(e.axes.size), word_count(e.words.size),
        kernel_count(e.kernel_begin.size > 0 ? e.kernel_begin.size - 1 : 0) {}
};

namespace detail {

template <class T, int N>
constexpr auto trimmed(const T* from) {
  std::array<T, static_cast<std::size_t>(N > 0 ? N : 1)> a{};
  fluxion::detail::copy_elements(from, N, a.data());
  return a;
}

/// The kernels of all parts, each once.
template <int Words, int Kernels>
struct joined_kernels {
  std::uint64_t words[Words > 0 ? Words : 1]{};
  std::int32_t begin[Kernels + 1]{};
  std::int16_t number[Kernels > 0 ? Kernels : 1]{};  // by number in the order of the parts
  int count = 0;
};

template <int Words, int Kernels>
constexpr joined_kernels<Words, Kernels> join_kernels(const emission_part* parts, int part_count) {
  joined_kernels<Words, Kernels> r;
  list<std::uint32_t> hashes;
  hash_table known;
  known.make(0, [](int) { return 0u; });
  int next = 0;
  for (int part = 0; part < part_count; ++part)
    for (int k = 0; k < parts[part].kernel_count; ++k) {
      const std::uint64_t* const words = parts[part].words + parts[part].kernel_begin[k];
      const int size = parts[part].kernel_begin[k + 1] - parts[part].kernel_begin[k];
      std::uint64_t hash = 0;
      for (int w = 0; w < size; ++w) hash = (hash ^ words[w]) * 0x9E3779B97F4A7C15u, hash ^= hash >> 32;
      if (known.lags(r.count)) known.make(r.count, [&](int i) { return hashes[i]; });
      std::int32_t& found = known.find(static_cast<std::uint32_t>(hash), [&](int i) {
        if (r.begin[i + 1] - r.begin[i] != size) return false;
        int w = 0;
        while (w < size && r.words[r.begin[i] + w] == words[w]) ++w;
        return w == size;
      });
      if (found == 0) {
        fluxion::detail::copy_elements(words, size, r.words + r.begin[r.count]);
        r.begin[r.count + 1] = r.begin[r.count] + size;
        ++r.count;
        hashes.push_back(static_cast<std::uint32_t>(hash));
        found = known.add();
      }
      r.number[next++] = static_cast<std::int16_t>(found - 1);
    }
  return r;
}

/// One array of the arrays of all parts.
template <class T, int N>
constexpr auto joined(const emission_part* parts, int part_count, const T* emission_part::*data, int emission_part::*count) {
  std::array<T, static_cast<std::size_t>(N > 0 ? N : 1)> a{};
  int n = 0;
  for (int part = 0; part < part_count; n += parts[part++].*count) fluxion::detail::copy_elements(parts[part].*data, parts[part].*count, a.data() + n);
  return a;
}

/// The steps of all parts, with the numbers that the joined arrays give.
template <int N>
constexpr auto joined_steps(const emission_part* parts, int part_count, const std::int16_t* kernel_number) {
  std::array<plan_step, static_cast<std::size_t>(N > 0 ? N : 1)> a{};
  plan_step* to = a.data();
  int slots = 0, scalars = 0, axes = 0;
  for (int part = 0; part < part_count; ++part) {
    const emission_part& e = parts[part];
    for (int s = 0; s < e.step_count; ++s, ++to) {
      *to = e.steps[s];
      if (to->kind != plan_step::loop) continue;
      to->slot_begin = static_cast<std::int16_t>(to->slot_begin + slots), to->scalar_begin = static_cast<std::int16_t>(to->scalar_begin + scalars),
      to->axis_begin = static_cast<std::int16_t>(to->axis_begin + axes), to->kernel = kernel_number[to->kernel];
    }
    slots += e.slot_count, scalars += e.scalar_count, axes += e.axis_count, kernel_number += e.kernel_count;
  }
  return a;
}

}  // namespace detail

inline namespace FLUXION_ABI {

/// The fusion of a source's program as far as chunk `Chunk` goes.
template <class Source, int Attempt, int Chunk>
struct constant_fusion {
  static constexpr const auto& code = prepared_program<Source>;
  static constexpr int capacity = capacity_for(code.instruction_count);
  static constexpr frozen_fusion<capacity> make() {
    const int from = Chunk * fusion_chunk, to = from + fusion_chunk;
    fusion f;
    if constexpr (Chunk > 0) f = constant_fusion<Source, Attempt, Chunk - 1>::value.copy();
    fuse(thaw(code), relaxed(compiled_options, Attempt), from, to < code.instruction_count ? to : code.instruction_count, f);
    frozen_fusion<capacity> r;
    r.take(f);
    return r;
  }
  static constexpr frozen_fusion<capacity> value = make();
};

/// How one attempt plans a source's program before kernels are emitted.
template <class Source, int Attempt>
struct constant_attempt {
  static constexpr const auto& code = prepared_program<Source>;
  static constexpr int size = code.instruction_count, capacity = capacity_for(size);
  static constexpr const auto& fused = constant_fusion<Source, Attempt, (size > 0 ? (size - 1) / fusion_chunk : 0)>::value;
  static constexpr frozen_memory<capacity> make_memory() {
    const memory_choice m = choose_memory(thaw(code), fused.thaw(), relaxed(compiled_options, Attempt));
    frozen_memory<capacity> r;
    r.flags.take(m.flags);
    r.views.take(m.views);
    return r;
  }
  static constexpr frozen_memory<capacity> memory = make_memory();
};

/// The kernels of one chunk of groups.
template <class Source, int Attempt, int Chunk>
struct constant_emission {
  using attempt = constant_attempt<Source, Attempt>;
  static constexpr int budget = attempt::capacity > smallest_capacity ? emission_chunk : emission_chunk / 4;
  static constexpr frozen_emission<budget> make() {
    frozen_emission<budget> r;
    emission_position begin;
    if constexpr (Chunk > 0) begin = constant_emission<Source, Attempt, Chunk - 1>::value.end;
    plan q;
    r.end = emit_kernels(thaw(attempt::code), attempt::fused.thaw(), attempt::memory.thaw(), begin, budget, q);
    r.take(q);
    return r;
  }
  static constexpr frozen_emission<budget> value = make();
  static constexpr bool failed = value.end.failed, complete = value.end.group > attempt::fused.groups.size;
};

/// The first attempt that can be emitted, and how many chunks that takes.
template <class Source, int Attempt = 0, int Chunk = 0>
struct chosen_attempt {
  static constexpr bool possible = Attempt < plan_attempts;
  static_assert(possible, "no attempt at a plan can be emitted");
  using emission = constant_emission<Source, possible ? Attempt : 0, possible ? Chunk : 0>;
  static constexpr auto choose() {
    if constexpr (!possible) return std::pair<std::integral_constant<int, 0>, std::integer_sequence<int, 0>>{};  // reported once is enough
    else if constexpr (emission::failed) return chosen_attempt<Source, Attempt + 1, 0>::choose();
    else if constexpr (!emission::complete) return chosen_attempt<Source, Attempt, Chunk + 1>::choose();
    else return std::pair<std::integral_constant<int, Attempt>, std::make_integer_sequence<int, Chunk + 1>>{};
  }
};

template <class Source, class Choice = decltype(chosen_attempt<Source>::choose())>
struct constant_emissions;
template <class Source, int Attempt, int... Chunk>
struct constant_emissions<Source, std::pair<std::integral_constant<int, Attempt>, std::integer_sequence<int, Chunk...>>> {
  using attempt = constant_attempt<Source, Attempt>;
  static constexpr int count = static_cast<int>(sizeof...(Chunk));
  static constexpr emission_part parts[count] = {emission_part(constant_emission<Source, Attempt, Chunk>::value)...};
  static constexpr int total(int emission_part::*of) {
    int n = 0;
    for (const emission_part& part : parts) n += part.*of;
    return n;
  }
};

/// The plan of the program that `Source::make()` records, as constants; `view` is what an executor reads.
template <class Source>
struct constant_plan {
 private:
  using emissions = constant_emissions<Source>;
  using attempt = typename emissions::attempt;
  static constexpr const auto& code = attempt::code;
  static constexpr int parts = emissions::count, step_count = emissions::total(&emission_part::step_count);
  static constexpr int slot_count = emissions::total(&emission_part::slot_count), axis_count = emissions::total(&emission_part::axis_count);
  static_assert(slot_count <= 32767 && axis_count <= 32767, "the kernels of the program have more slots than a plan can number");
  static constexpr auto kernels =
      detail::join_kernels<emissions::total(&emission_part::word_count), emissions::total(&emission_part::kernel_count)>(emissions::parts, parts);

  template <class T, int N>
  static constexpr auto join(const T* emission_part::*data, int emission_part::*count) {
    return detail::joined<T, N>(emissions::parts, parts, data, count);
  }

 public:
  static constexpr error_report error = code.error;

  static constexpr auto instructions = detail::trimmed<instruction, code.instruction_count>(code.instructions);
  static constexpr auto shapes = detail::trimmed<shape, code.shape_count>(code.shapes);
  static constexpr auto constants = detail::trimmed<std::uint64_t, code.constant_count>(code.constants);
  static constexpr auto slices = detail::trimmed<slice_spec, code.slice_count>(code.slices);
  static constexpr auto symbols = detail::trimmed<symbol_origin, code.symbol_count>(code.symbols);
  static constexpr auto symbol_parents = detail::trimmed<extent_t, code.symbol_count>(code.symbol_parents);
  static constexpr auto checks = detail::trimmed<extent_check, code.check_count>(code.checks);
  static constexpr auto outputs = detail::trimmed<std::int16_t, code.output_count>(code.outputs);
  static constexpr auto steps = detail::joined_steps<step_count>(emissions::parts, parts, kernels.number);
  static constexpr auto slots = join<plan_slot, slot_count>(&emission_part::slots, &emission_part::slot_count);
  static constexpr auto scalars = join<std::int16_t, emissions::total(&emission_part::scalar_count)>(&emission_part::scalars, &emission_part::scalar_count);
  static constexpr auto axes = join<extent_t, axis_count>(&emission_part::axes, &emission_part::axis_count);
  static constexpr auto words = detail::trimmed<std::uint64_t, kernels.begin[kernels.count]>(kernels.words);
  static constexpr auto kernel_begin = detail::trimmed<std::int32_t, kernels.count + 1>(kernels.begin);

 private:
  struct placed_values {
    std::array<plan_value, instructions.size()> values{};
    int temporaries = 0;
  };
  static constexpr placed_values place() {
    const placement places = place_values(thaw(code), attempt::memory.thaw(), make_view(nullptr, 0));
    placed_values r;
    fluxion::detail::copy_elements(places.values.begin(), places.values.size(), r.values.data());
    r.temporaries = places.temporaries;
    return r;
  }
  static constexpr plan_view make_view(const plan_value* values, int temporaries) {
    plan_view v;
    v.instructions = instructions.data();
    v.shapes = shapes.data();
    v.constants = constants.data();
    v.slices = slices.data();
    v.symbols = symbols.data();
    v.symbol_parents = symbol_parents.data();
    v.checks = checks.data();
    v.outputs = outputs.data();
    v.steps = steps.data();
    v.slots = slots.data();
    v.scalars = scalars.data();
    v.axes = axes.data();
    v.words = words.data();
    v.kernel_begin = kernel_begin.data();
    v.values = values;
    v.instruction_count = code.instruction_count;
    v.symbol_count = code.symbol_count;
    v.check_count = code.check_count;
    v.output_count = code.output_count;
    v.argument_count = code.argument_count;
    v.scalar_count = code.scalar_count;
    v.step_count = step_count;
    v.kernel_count = kernels.count;
    v.temporaries = temporaries;
    v.differentiated = code.differentiated;
    return v;
  }
  static constexpr placed_values placed = place();

 public:
  static constexpr const auto& values = placed.values;
  static constexpr plan_view view = make_view(values.data(), placed.temporaries);
};

}  // namespace FLUXION_ABI

}  // namespace fluxion::graph
