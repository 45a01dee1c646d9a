/// Programs as constants of the translation unit. The passes work on lists that grow during constant evaluation; what they return is
/// copied into arrays of fixed capacity, from which the next pass borrows it.
#pragma once
#include "program.hpp"

#include <array>

namespace fluxion::graph {

/// The most instructions of a program that is planned by the compiler.
inline constexpr int largest_constant_program = 8192;

/// The capacity with which freezing is tried first, and a capacity for a known number of elements.
inline constexpr int smallest_capacity = 128;
constexpr int capacity_for(int count) {
  int capacity = smallest_capacity;
  while (capacity < count) capacity *= 2;
  return capacity;
}

/// A list in an array of fixed capacity.
template <class T, int Capacity>
struct frozen_list {
  T data[static_cast<unsigned>(Capacity)]{};
  int size = 0;

  /// Takes a list, if it fits. Returns the capacity that it needs.
  constexpr int take(const list<T>& from) {
    if (from.size() > Capacity) return from.size();
    size = from.size();
    fluxion::detail::copy_elements(from.begin(), size, data);
    return size;
  }
  /// The list again; the array must have static storage.
  constexpr list<T> thaw() const { return list<T>::borrow(data, size); }
};

/// A program in arrays of fixed capacity; it is complete if `needed` is not above the capacity.
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
  custom_call custom_calls[Capacity / 16]{};
  std::int16_t custom_values[Capacity / 2]{};
  int custom_call_count = 0, custom_value_count = 0;
  int instruction_count = 0, shape_count = 0, constant_count = 0, slice_count = 0, symbol_count = 0, check_count = 0, output_count = 0;
  int argument_count = 0, scalar_count = 0;
  bool differentiated = false;
  error_report error{};
  int needed = 0;
  bool fits = true;
};

namespace detail {

/// Copies a list into an array if it fits, and notes what capacity of a program would hold it: `share` times its size.
template <class T, int N>
constexpr int copy_list(const list<T>& from, T (&to)[N], int share, int& needed) {
  if (share * from.size() > needed) needed = share * from.size();
  if (from.size() > N) return 0;
  fluxion::detail::copy_elements(from.begin(), from.size(), to);
  return from.size();
}

}  // namespace detail

template <int Capacity>
constexpr frozen_program<Capacity> freeze(const program& p) {
  frozen_program<Capacity> f;
  f.instruction_count = detail::copy_list(p.instructions, f.instructions, 1, f.needed);
  f.shape_count = detail::copy_list(p.shapes, f.shapes, 2, f.needed);
  f.constant_count = detail::copy_list(p.constants, f.constants, 2, f.needed);
  f.slice_count = detail::copy_list(p.slices, f.slices, 2, f.needed);
  f.symbol_count = detail::copy_list(p.symbols, f.symbols, 2, f.needed);
  detail::copy_list(p.symbol_parents, f.symbol_parents, 2, f.needed);
  f.check_count = detail::copy_list(p.checks, f.checks, 2, f.needed);
  f.output_count = detail::copy_list(p.outputs, f.outputs, 2, f.needed);
  f.custom_call_count = detail::copy_list(p.custom_calls, f.custom_calls, 16, f.needed);
  f.custom_value_count = detail::copy_list(p.custom_values, f.custom_values, 2, f.needed);
  f.argument_count = p.argument_count;
  f.scalar_count = p.scalar_count;
  f.differentiated = p.differentiated;
  f.error = p.error;
  f.fits = f.needed <= Capacity;
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
  p.custom_calls = list<custom_call>::borrow(f.custom_calls, f.custom_call_count);
  p.custom_values = list<std::int16_t>::borrow(f.custom_values, f.custom_value_count);
  p.argument_count = f.argument_count;
  p.scalar_count = f.scalar_count;
  p.differentiated = f.differentiated;
  p.error = f.error;
  return p;
}

namespace detail {

/// A source may say how long its program will be, about: what does not fit at first is recorded again.
template <class Source>
constexpr int first_capacity() {
  if constexpr (requires { Source::expected_size; })
    return capacity_for(Source::expected_size < largest_constant_program ? Source::expected_size : largest_constant_program);
  else return smallest_capacity;
}

}  // namespace detail

/// The program that `Source::make()` records, as a constant: one constant per pass keeps each within the compilers' limits.
template <class Source, int Capacity = detail::first_capacity<Source>()>
struct constant_program {
  static constexpr auto attempt = freeze<Capacity>(Source::make());
  static constexpr const auto& choose() {
    // The largest is taken as it is: where recording itself failed, trying on would only bury the compiler's first error.
    if constexpr (Capacity >= largest_constant_program) return attempt;
    else if constexpr (attempt.fits) return attempt;
    else return constant_program<Source, (attempt.needed < largest_constant_program ? capacity_for(attempt.needed) : largest_constant_program)>::value;
  }
  static constexpr const auto& value = choose();
  static_assert(value.fits, "the program has more instructions than fluxion::graph::largest_constant_program");
};

}  // namespace fluxion::graph
