/// Programs and plans as constants of the translation unit. The passes work on lists that grow during constant evaluation; what they
/// return is copied into arrays of fixed capacity, and then into arrays of exactly the size that the run needs.
#pragma once
#include "pass/make_plan.hpp"
#include "plan_view.hpp"

#include <array>

namespace fluxion::graph {

/// How programs are planned that are compiled.
#if defined(FLUXION_EAGER)
inline namespace FLUXION_ABI { inline constexpr plan_options compiled_options{.fuse = false}; }
#else
inline namespace FLUXION_ABI { inline constexpr plan_options compiled_options{}; }
#endif

/// Capacities that are tried in turn, in instructions.
inline constexpr int freeze_capacities[] = {128, 1024, 8192};
inline constexpr int freeze_tiers = 3;

/// A program in arrays of fixed capacity; `fits` is false where they were too small.
template <int Capacity>
struct frozen_program {
  instruction instructions[Capacity]{};
  shape shapes[Capacity / 2]{};
  std::uint64_t constants[Capacity / 2]{};
  slice_spec slices[Capacity / 2]{};
  symbol_origin symbols[Capacity / 2]{};
  extent_t symbol_parents[Capacity / 2]{};
  extent_check checks[Capacity / 2]{};
  std::int16_t outputs[Capacity / 2]{};
  int instruction_count = 0, shape_count = 0, constant_count = 0, slice_count = 0, symbol_count = 0, check_count = 0, output_count = 0;
  int argument_count = 0, scalar_count = 0;
  bool differentiated = false;
  error_report error{};
  bool fits = true;
};

namespace detail {

template <class T, int N>
constexpr int copy_list(const list<T>& from, T (&to)[N], bool& fits) {
  if (from.size() > N) {
    fits = false;
    return 0;
  }
  fluxion::detail::copy_elements(from.begin(), from.size(), to);
  return from.size();
}

}  // namespace detail

template <int Capacity>
constexpr frozen_program<Capacity> freeze(const program& p) {
  frozen_program<Capacity> f;
  f.instruction_count = detail::copy_list(p.instructions, f.instructions, f.fits);
  f.shape_count = detail::copy_list(p.shapes, f.shapes, f.fits);
  f.constant_count = detail::copy_list(p.constants, f.constants, f.fits);
  f.slice_count = detail::copy_list(p.slices, f.slices, f.fits);
  f.symbol_count = detail::copy_list(p.symbols, f.symbols, f.fits);
  detail::copy_list(p.symbol_parents, f.symbol_parents, f.fits);
  f.check_count = detail::copy_list(p.checks, f.checks, f.fits);
  f.output_count = detail::copy_list(p.outputs, f.outputs, f.fits);
  f.argument_count = p.argument_count;
  f.scalar_count = p.scalar_count;
  f.differentiated = p.differentiated;
  f.error = p.error;
  return f;
}

/// The program again, ready for the next pass. It borrows from the constant, which must have static storage.
template <int Capacity>
constexpr program thaw(const frozen_program<Capacity>& f) {
  program p;
  p.instructions = list<instruction>::borrow(f.instructions, f.instruction_count);
  p.shapes = list<shape>::borrow(f.shapes, f.shape_count);
  p.constants = list<std::uint64_t>::borrow(f.constants, f.constant_count);
  p.slices = list<slice_spec>::borrow(f.slices, f.slice_count);
  p.symbols = list<symbol_origin>::borrow(f.symbols, f.symbol_count);
  p.symbol_parents.append(f.symbol_parents, f.symbol_count);  // unification writes them
  p.checks = list<extent_check>::borrow(f.checks, f.check_count);
  p.outputs.append(f.outputs, f.output_count);
  p.argument_count = f.argument_count;
  p.scalar_count = f.scalar_count;
  p.differentiated = f.differentiated;
  p.error = f.error;
  return p;
}

/// The program that `Source::make()` records, as a constant: one constant per pass keeps each within the compilers' limits.
template <class Source, int Tier = 0>
struct constant_program {
  static constexpr auto attempt = freeze<freeze_capacities[Tier]>(Source::make());
  static constexpr const auto& choose() {
    // The last tier is taken as it is: where recording itself failed, trying on would only bury the compiler's first error.
    if constexpr (Tier + 1 == freeze_tiers) return attempt;
    else if constexpr (attempt.fits) return attempt;
    else return constant_program<Source, Tier + 1>::value;
  }
  static constexpr const auto& value = choose();
  static_assert(value.fits, "the program has more instructions than fluxion::graph::freeze_capacities allows");
};

/// The program as planning starts from it.
template <class Source>
struct prepared_source {
  static constexpr program make() { return prepare_program(thaw(constant_program<Source>::value)); }
};

/// A fusion in arrays of fixed capacity.
template <int Capacity>
struct frozen_fusion {
  kernel_group groups[Capacity]{};
  std::int16_t home[Capacity]{};
  std::int16_t next[Capacity]{};
  axis_map iteration[Capacity]{};
  bool lazy[Capacity]{};
  int group_count = 0, instruction_count = 0;
  bool fits = true;
};

template <int Capacity>
constexpr frozen_fusion<Capacity> freeze_fusion(const fusion& f) {
  frozen_fusion<Capacity> r;
  r.group_count = detail::copy_list(f.groups, r.groups, r.fits);
  r.instruction_count = detail::copy_list(f.home, r.home, r.fits);
  detail::copy_list(f.next, r.next, r.fits);
  detail::copy_list(f.iteration, r.iteration, r.fits);
  detail::copy_list(f.lazy, r.lazy, r.fits);
  return r;
}

template <int Capacity>
constexpr fusion thaw_fusion(const frozen_fusion<Capacity>& r) {
  fusion f;
  f.groups = list<kernel_group>::borrow(r.groups, r.group_count);
  f.home = list<std::int16_t>::borrow(r.home, r.instruction_count);
  f.next = list<std::int16_t>::borrow(r.next, r.instruction_count);
  f.iteration = list<axis_map>::borrow(r.iteration, r.instruction_count);
  f.lazy = list<bool>::borrow(r.lazy, r.instruction_count);
  return f;
}

/// What a plan adds to its program, in arrays of fixed capacity.
template <int Capacity>
struct frozen_plan {
  frozen_program<Capacity> code{};
  plan_step steps[Capacity]{};
  plan_slot slots[2 * Capacity]{};
  std::int16_t scalars[Capacity]{};
  extent_t axes[2 * Capacity]{};
  std::uint64_t words[4 * Capacity]{};
  std::int32_t kernel_begin[Capacity]{};
  plan_value values[Capacity]{};
  int step_count = 0, slot_count = 0, scalar_count = 0, axis_count = 0, word_count = 0, kernel_count = 0, temporaries = 0;
  bool fits = true;
  bool emitted = true;
};

template <int Capacity>
constexpr frozen_plan<Capacity> freeze_plan(const plan& q) {
  frozen_plan<Capacity> f;
  f.code = freeze<Capacity>(q.code);
  f.fits = f.code.fits;
  f.step_count = detail::copy_list(q.steps, f.steps, f.fits);
  f.slot_count = detail::copy_list(q.slots, f.slots, f.fits);
  f.scalar_count = detail::copy_list(q.scalars, f.scalars, f.fits);
  f.axis_count = detail::copy_list(q.axes, f.axes, f.fits);
  f.word_count = detail::copy_list(q.words, f.words, f.fits);
  const int begins = detail::copy_list(q.kernel_begin, f.kernel_begin, f.fits);
  f.kernel_count = begins > 0 ? begins - 1 : 0;
  detail::copy_list(q.values, f.values, f.fits);
  f.temporaries = q.temporaries;
  return f;
}

namespace detail {

template <class T, int N>
constexpr auto trimmed(const T* from) {
  std::array<T, static_cast<std::size_t>(N > 0 ? N : 1)> a{};
  for (int i = 0; i < N; ++i) a[static_cast<std::size_t>(i)] = from[i];
  return a;
}

}  // namespace detail

inline namespace FLUXION_ABI {

/// The plan of the program that `Source::make()` records, as constants; `view` is what an executor reads.
template <class Source, int Attempt, int Tier>
struct constant_fusion {
  static constexpr auto value =
      freeze_fusion<freeze_capacities[Tier]>(fuse(thaw(constant_program<prepared_source<Source>>::value), relaxed(compiled_options, Attempt)));
};

template <class Source, int Attempt = 0, int Tier = 0>
struct constant_plan_attempt {
  static constexpr auto make() {
    plan q;
    const bool emitted = emit_plan(thaw(constant_program<prepared_source<Source>>::value), thaw_fusion(constant_fusion<Source, Attempt, Tier>::value),
                                   relaxed(compiled_options, Attempt), q);
    auto frozen = freeze_plan<freeze_capacities[Tier]>(q);
    frozen.emitted = emitted;
    return frozen;
  }
  static constexpr auto value = make();
};

/// The first attempt that can be emitted, in the smallest arrays that hold it.
template <class Source, int Attempt = 0, int Tier = 0>
constexpr const auto& choose_plan() {
  constexpr bool possible = Attempt < plan_attempts && Tier < freeze_tiers;
  static_assert(possible, "the program has more instructions than fluxion::graph::freeze_capacities allows");
  if constexpr (!possible) return constant_plan_attempt<Source>::value;
  else if constexpr (!constant_fusion<Source, Attempt, Tier>::value.fits) return choose_plan<Source, Attempt, Tier + 1>();
  else if constexpr (!constant_plan_attempt<Source, Attempt, Tier>::value.emitted) return choose_plan<Source, Attempt + 1, Tier>();
  else if constexpr (!constant_plan_attempt<Source, Attempt, Tier>::value.fits) return choose_plan<Source, Attempt, Tier + 1>();
  else return constant_plan_attempt<Source, Attempt, Tier>::value;
}

template <class Source>
struct constant_plan {
  static constexpr const auto& full = choose_plan<Source>();
  static constexpr error_report error = full.code.error;

  static constexpr auto instructions = detail::trimmed<instruction, full.code.instruction_count>(full.code.instructions);
  static constexpr auto shapes = detail::trimmed<shape, full.code.shape_count>(full.code.shapes);
  static constexpr auto constants = detail::trimmed<std::uint64_t, full.code.constant_count>(full.code.constants);
  static constexpr auto slices = detail::trimmed<slice_spec, full.code.slice_count>(full.code.slices);
  static constexpr auto symbols = detail::trimmed<symbol_origin, full.code.symbol_count>(full.code.symbols);
  static constexpr auto symbol_parents = detail::trimmed<extent_t, full.code.symbol_count>(full.code.symbol_parents);
  static constexpr auto checks = detail::trimmed<extent_check, full.code.check_count>(full.code.checks);
  static constexpr auto outputs = detail::trimmed<std::int16_t, full.code.output_count>(full.code.outputs);
  static constexpr auto steps = detail::trimmed<plan_step, full.step_count>(full.steps);
  static constexpr auto slots = detail::trimmed<plan_slot, full.slot_count>(full.slots);
  static constexpr auto scalars = detail::trimmed<std::int16_t, full.scalar_count>(full.scalars);
  static constexpr auto axes = detail::trimmed<extent_t, full.axis_count>(full.axes);
  static constexpr auto words = detail::trimmed<std::uint64_t, full.word_count>(full.words);
  static constexpr auto kernel_begin = detail::trimmed<std::int32_t, full.kernel_count + 1>(full.kernel_begin);
  static constexpr auto values = detail::trimmed<plan_value, full.code.instruction_count>(full.values);

  static constexpr plan_view make_view() {
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
    v.values = values.data();
    v.instruction_count = full.code.instruction_count;
    v.symbol_count = full.code.symbol_count;
    v.check_count = full.code.check_count;
    v.output_count = full.code.output_count;
    v.argument_count = full.code.argument_count;
    v.scalar_count = full.code.scalar_count;
    v.step_count = full.step_count;
    v.kernel_count = full.kernel_count;
    v.temporaries = full.temporaries;
    v.differentiated = full.code.differentiated;
    return v;
  }
  static constexpr plan_view view = make_view();
};

}  // namespace FLUXION_ABI

}  // namespace fluxion::graph
