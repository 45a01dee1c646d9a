/// Steps of straight-line code, each on one element, recorded once and simplified as they are.
#pragma once
#include "../record.hpp"


namespace fluxion::graph {

/// What a constant 0 is. Of an adjoint, where a slice has put nothing, it is `neutral`: it may be left out of sums. Where a unit direction has
/// nothing it is `absent`, and out of products too.
enum class zero_kind : std::uint8_t { number, neutral, absent };

/// One element. An argument's step names the instruction and the position of the element in row-major order; scalars and constants the
/// instruction; everything else is a map of earlier steps.
struct scalar_step {
  opcode operation = 0;
  element_type type = element_type::float32;
  zero_kind zero = zero_kind::number;
  std::int16_t operand[max_operands] = {-1, -1, -1};
  std::int16_t instruction = -1;
  std::int32_t element = 0;
  std::uint64_t bits = 0;  // of a constant

  friend constexpr bool operator==(const scalar_step& a, const scalar_step& b) {
    return a.operation == b.operation && a.type == b.type && a.zero == b.zero && a.operand[0] == b.operand[0] && a.operand[1] == b.operand[1] &&
           a.operand[2] == b.operand[2] && a.instruction == b.instruction && a.element == b.element && a.bits == b.bits;
  }
};

namespace detail {

/// Records steps. What is simplified is exact for every value, as where programs are recorded, with two exceptions that concern derivatives only: what a
/// unit direction does not have stays 0 whatever it is multiplied with, and the sign of a 0 may differ.
class step_recorder {
 public:
  list<scalar_step> steps;
  /// Whether what is recorded is linear in unit directions.
  bool along_directions = false;

  /// Appends a step, or finds the equal one. O(1) expected.
  constexpr int put(const scalar_step& step) {
    if (table_.lags(steps.count)) table_.make(steps.size(), [&](int i) { return hash(steps.elements[i]); });
    std::int32_t& found = table_.find(hash(step), [&](int i) { return steps.elements[i] == step; });
    if (found == 0) {
      steps.push_back(step);
      found = table_.add();
    }
    return found - 1;
  }
  constexpr int constant(element_type type, double value) {
    return put({.operation = opcode_of<operation::constant>, .type = type, .bits = constant_bits(type, value)});
  }
  constexpr int zero(element_type type, zero_kind kind) {
    return put({.operation = opcode_of<operation::constant>, .type = type, .zero = kind, .bits = constant_bits(type, 0)});
  }
  constexpr bool is_zero(int i) const { return is_constant(i) && value_of(i) == 0; }
  constexpr int cast(int step, element_type type) {
    return steps[step].type == type ? step : map(opcode_of<operation::cast>, type, step);
  }

  constexpr int map(opcode code, element_type type, int a, int b = -1, int c = -1) {
    if (code == opcode_of<operation::expand> || code == opcode_of<operation::detach>) return a;
    if (code == opcode_of<operation::cast>) {
      if (is_absent(a) && is_floating(type)) return zero(type, zero_kind::absent);
      if (is_small_integer(a)) return constant(type, value_of(a));
    } else if (code == opcode_of<operation::select>) {
      if (b == c) return b;
      if ((is_absent(b) && is_zero(c)) || (is_absent(c) && is_zero(b))) return zero(type, zero_kind::absent);
    } else if (code == opcode_of<operation::equal>) {
      if (is_small_integer(a) && is_small_integer(b)) return constant(type, value_of(a) == value_of(b));
    } else if (code == opcode_of<operation::add>) {
      if (is_neutral(a)) return b;
      if (is_neutral(b)) return a;
      if (is_small_integer(a) && is_small_integer(b) && type != element_type::boolean) return constant(type, value_of(a) + value_of(b));
      if (along_directions && is_negative(a) && is_negative(b)) return negative(map(code, type, steps[a].operand[0], steps[b].operand[0]));
      if (is_negative(b)) return map(opcode_of<operation::sub>, type, a, steps[b].operand[0]);
      if (is_negative(a)) return map(opcode_of<operation::sub>, type, b, steps[a].operand[0]);
    } else if (code == opcode_of<operation::sub>) {
      if (is_neutral(b)) return a;
      if (is_neutral(a)) return negative(b);
      if (along_directions && is_negative(a) && is_negative(b)) return map(code, type, steps[b].operand[0], steps[a].operand[0]);
      if (along_directions && is_negative(a)) return negative(map(opcode_of<operation::add>, type, steps[a].operand[0], b));
      if (is_negative(b)) return map(opcode_of<operation::add>, type, a, steps[b].operand[0]);
    } else if (code == opcode_of<operation::mul>) {
      if (is_absent(a) || is_absent(b)) return zero(type, zero_kind::absent);
      if (is_number(a, 1)) return b;
      if (is_number(b, 1)) return a;
      if (is_floating(type) && is_number(a, -1)) return negative(b);
      if (is_floating(type) && is_number(b, -1)) return negative(a);
      if (is_small_integer(a) && is_small_integer(b) && type != element_type::boolean) return constant(type, value_of(a) * value_of(b));
      if (is_negative(a) && is_negative(b)) return map(code, type, steps[a].operand[0], steps[b].operand[0]);
      if (is_negative(a)) return negative(map(code, type, steps[a].operand[0], b));
      if (is_negative(b)) return negative(map(code, type, a, steps[b].operand[0]));
      if (a > b) return map(code, type, b, a);
    } else if (code == opcode_of<operation::div>) {
      if (is_absent(a)) return a;
      if (is_number(b, 1)) return a;
      if (is_negative(a)) return negative(map(code, type, steps[a].operand[0], b));
    } else if (code == opcode_of<operation::neg>) {
      if (is_neutral(a)) return a;
      if (is_floating(type) && steps[a].operation == opcode_of<operation::constant>) return constant(type, -value_of(a));
      if (is_negative(a)) return steps[a].operand[0];
    }
    scalar_step s{.operation = code, .type = type};
    s.operand[0] = static_cast<std::int16_t>(a);
    s.operand[1] = static_cast<std::int16_t>(b);
    s.operand[2] = static_cast<std::int16_t>(c);
    return put(s);
  }

 private:
  constexpr bool is_constant(int i) const { return steps[i].operation == opcode_of<operation::constant>; }
  constexpr double value_of(int i) const { return constant_value(steps[i].type, steps[i].bits); }
  constexpr bool is_absent(int i) const { return steps[i].zero == zero_kind::absent; }
  constexpr bool is_neutral(int i) const { return steps[i].zero != zero_kind::number; }
  constexpr bool is_number(int i, double value) const { return is_constant(i) && value_of(i) == value && steps[i].type != element_type::boolean; }
  /// Positions, and whether they are equal.
  constexpr bool is_small_integer(int i) const {
    return is_constant(i) && !is_floating(steps[i].type) && value_of(i) >= -1024 && value_of(i) <= 1024;
  }
  constexpr bool is_negative(int i) const { return steps[i].operation == opcode_of<operation::neg> && is_floating(steps[i].type); }
  constexpr int negative(int i) { return map(opcode_of<operation::neg>, steps[i].type, i); }

  static constexpr std::uint32_t hash(const scalar_step& x) {
    return static_cast<std::uint32_t>(
        ((static_cast<std::uint64_t>(x.operation) | static_cast<std::uint64_t>(x.type) << 8 | static_cast<std::uint64_t>(x.zero) << 16 |
          static_cast<std::uint64_t>(static_cast<std::uint16_t>(x.instruction)) << 24 | static_cast<std::uint64_t>(static_cast<std::uint32_t>(x.element)) << 40) * 0xD6E8FEB86659FD93u ^
         (static_cast<std::uint64_t>(static_cast<std::uint16_t>(x.operand[0])) | static_cast<std::uint64_t>(static_cast<std::uint16_t>(x.operand[1])) << 16 |
          static_cast<std::uint64_t>(static_cast<std::uint16_t>(x.operand[2])) << 32) * 0xC2B2AE3D27D4EB4Fu ^ x.bits) * 0x9E3779B97F4A7C15u >> 33);
  }

  hash_table table_;
};

}  // namespace detail

}  // namespace fluxion::graph
