/// The program: instructions in the order in which they were recorded, with shapes, constants and run-time checks beside them.
/// Recording merges common subexpressions by hash-consing. Everything works during constant evaluation and at run time alike.
#pragma once
#include "../core/list.hpp"
#include "operation/table.hpp"
#include "shape.hpp"

#include <bit>
#include <cstdint>

namespace fluxion::graph {

/// One instruction. Small on purpose: passes copy thousands of them during compilation.
struct instruction {
  opcode operation = 0;
  element_type type = element_type::float32;         // of the result
  element_type accumulator = element_type::float32;  // of a reduction or contraction
  std::uint8_t flags = 0;                             // see matmul; bit 7: a literal that takes its partner's type
  std::int16_t operand[3] = {-1, -1, -1};
  std::int16_t shape = 0;      // entry of program::shapes
  std::int32_t attribute = 0;  // as the operation says

  friend constexpr bool operator==(const instruction& a, const instruction& b) {
    return a.operation == b.operation && a.operand[0] == b.operand[0] && a.operand[1] == b.operand[1] && a.operand[2] == b.operand[2] &&
           a.shape == b.shape && a.attribute == b.attribute && a.type == b.type && a.accumulator == b.accumulator && a.flags == b.flags;
  }
};

inline constexpr std::uint8_t weak_flag = 0x80;
/// On an argument: its elements may lie apart (a view).
inline constexpr std::uint8_t strided_flag = 0x40;

/// Start, stop and step along one axis.
struct slice_spec {
  std::int16_t axis = 0;
  std::int64_t start = 0;
  std::int64_t step = 1;
  friend constexpr bool operator==(const slice_spec&, const slice_spec&) = default;
};

/// Why recording failed. The first error stays; recording goes on with harmless values so that it can be reported once.
enum class program_error : std::uint8_t {
  none,
  shapes_do_not_broadcast,
  inner_extents_differ,
  rank_too_low,
  axis_out_of_range,
  repeated_axis,
  element_counts_differ,
  empty_reduction,
  not_differentiable,
  slice_out_of_range,
  rank_too_high,
  not_a_scalar,
  setting_read_while_traced,
  wrong_element_type,
  arguments_depend,
  already_reported,  // elsewhere: there is nothing more to say
};

struct error_report {
  program_error code = program_error::none;
  opcode operation = 0;
  shape a{};
  shape b{};
  std::int64_t detail = 0;
};

constexpr std::uint64_t bits_of(double value) { return std::bit_cast<std::uint64_t>(value); }
constexpr double double_of(std::uint64_t bits) { return std::bit_cast<double>(bits); }

/// A constant of any element type: floating types hold a double, the others an int64.
constexpr std::uint64_t constant_bits(element_type type, double value) {
  if (type == element_type::float32) return bits_of(static_cast<double>(static_cast<float>(value)));
  if (type == element_type::float64) return bits_of(value);
  if (type == element_type::boolean) return value != 0 ? 1u : 0u;
  return static_cast<std::uint64_t>(static_cast<std::int64_t>(value));
}
constexpr double constant_value(element_type type, std::uint64_t bits) {
  return is_floating(type) ? double_of(bits) : static_cast<double>(static_cast<std::int64_t>(bits));
}

class program {
 public:
  list<instruction> instructions;
  list<shape> shapes;
  list<std::uint64_t> constants;
  list<slice_spec> slices;
  list<symbol_origin> symbols;
  list<extent_t> symbol_parents;  // an equal symbol or static extent; itself if none is known
  list<extent_check> checks;
  list<std::int16_t> outputs;
  int argument_count = 0;
  int scalar_count = 0;
  bool differentiated = false;  // holds adjoints, which have the extents that their values were broadcast to
  error_report error;

  constexpr program() { table_.assign(64, 0); }

  constexpr int size() const { return instructions.size(); }
  constexpr const instruction& operator[](int i) const { return instructions[i]; }
  constexpr const shape& shape_of(int i) const { return shapes[instructions[i].shape]; }
  constexpr family family_of(int i) const { return info_of(instructions[i].operation).family; }
  template <class O>
  constexpr bool is(int i) const { return instructions[i].operation == opcode_of<O>; }

  /// Appends an instruction, or finds the equal one recorded before. O(1) expected.
  constexpr int put(const instruction& x) {
    const auto mask = static_cast<std::uint32_t>(table_.size() - 1);
    std::uint32_t slot = hash(x) & mask;
    while (table_[static_cast<int>(slot)] != 0) {
      const int found = table_[static_cast<int>(slot)] - 1;
      if (instructions[found] == x) return found;
      slot = (slot + 1) & mask;
    }
    instructions.push_back(x);
    const int added = instructions.size() - 1;
    table_[static_cast<int>(slot)] = added + 1;
    if (2 * instructions.size() > table_.size()) rehash();
    return added;
  }

  /// Takes over instructions that were recorded before, in order and without duplicates.
  constexpr void restore(const instruction* recorded, int count) {
    instructions.clear();
    instructions.reserve(count);
    for (int i = 0; i < count; ++i) instructions.push_back(recorded[i]);
    int capacity = 64;
    while (capacity < 2 * count + 2) capacity *= 2;
    table_.assign(capacity / 2, 0);
    rehash();
  }

  /// Interns a shape, with every symbol replaced by the one it is known to equal.
  constexpr std::int16_t intern(shape s) {
    for (int axis = 0; axis < s.rank; ++axis) s.extent[axis] = resolve(s.extent[axis]);
    // Shapes that were put into the list by others are found too: the table is made anew when it lags behind.
    if (shapes_in_table_ != shapes.size() || 2 * shapes.size() >= shape_table_.size()) rehash_shapes();
    const auto mask = static_cast<std::uint32_t>(shape_table_.size() - 1);
    std::uint32_t slot = hash(s) & mask;
    while (shape_table_[static_cast<int>(slot)] != 0) {
      const int found = shape_table_[static_cast<int>(slot)] - 1;
      if (shapes[found] == s) return static_cast<std::int16_t>(found);
      slot = (slot + 1) & mask;
    }
    shapes.push_back(s);
    shapes_in_table_ = shapes.size();
    shape_table_[static_cast<int>(slot)] = shapes.size();
    return static_cast<std::int16_t>(shapes.size() - 1);
  }

  constexpr extent_t new_symbol(const symbol_origin& origin) {
    for (int i = 0; i < symbols.size(); ++i) {
      const symbol_origin& s = symbols[i];
      if (s.kind == origin.kind && s.index == origin.index && s.axis == origin.axis && s.base == origin.base && s.offset == origin.offset &&
          s.step == origin.step)
        return symbol_extent(i);
    }
    symbols.push_back(origin);
    symbol_parents.push_back(symbol_extent(symbols.size() - 1));
    return symbol_extent(symbols.size() - 1);
  }

  /// The extent that an extent is known to equal: static if any of its class is.
  constexpr extent_t resolve(extent_t e) const {
    while (is_symbol(e) && symbol_parents[symbol_number(e)] != e) e = symbol_parents[symbol_number(e)];
    return e;
  }

  /// Records that two extents are equal, and the check that the run must make. Both static and different: an error of the caller.
  constexpr void unify(extent_t a, extent_t b, extent_check check) {
    const extent_t x = resolve(a), y = resolve(b);
    if (x == y) return;
    add_check(check);
    if (is_symbol(x) && (!is_symbol(y) || symbol_number(y) < symbol_number(x))) symbol_parents[symbol_number(x)] = y;
    else symbol_parents[symbol_number(y)] = x;
  }

  constexpr void add_check(const extent_check& check) {
    for (int i = 0; i < checks.size(); ++i)
      if (checks[i].kind == check.kind && checks[i].a == check.a && checks[i].b == check.b) return;
    checks.push_back(check);
  }

  constexpr int fail(program_error code, opcode operation, const shape& a = {}, const shape& b = {}, std::int64_t detail = 0) {
    if (error.code == program_error::none) error = {code, operation, a, b, detail};
    return instructions.empty() ? constant(element_type::float32, 0) : 0;
  }

  constexpr int constant(element_type type, double value, std::uint8_t flags = 0) { return constant_from_bits(type, constant_bits(type, value), flags); }
  constexpr int constant_from_bits(element_type type, std::uint64_t bits, std::uint8_t flags = 0) {
    int k = constants.size() - 1;
    while (k >= 0 && constants[k] != bits) --k;
    if (k < 0) {
      constants.push_back(bits);
      k = constants.size() - 1;
    }
    return put({.operation = opcode_of<operation::constant>, .type = type, .accumulator = type, .flags = flags, .shape = intern({}), .attribute = k});
  }
  constexpr bool is_constant(int i) const { return is<operation::constant>(i); }
  constexpr double constant_of(int i) const { return constant_value(instructions[i].type, constants[instructions[i].attribute]); }
  constexpr bool is_constant(int i, double value) const { return is_constant(i) && constant_of(i) == value; }

  /// Tensor argument number k: static extents as given, negative ones become symbols of that argument.
  constexpr int argument(int k, element_type type, shape s, bool strided = false) {
    for (int axis = 0; axis < s.rank; ++axis)
      if (is_symbol(s.extent[axis]))
        s.extent[axis] = new_symbol({symbol_origin::argument, static_cast<std::int16_t>(k), static_cast<std::int16_t>(axis), 0, 0, 1});
    if (k >= argument_count) argument_count = k + 1;
    return put({.operation = opcode_of<operation::argument>, .type = type, .accumulator = type, .flags = strided ? strided_flag : std::uint8_t{0}, .shape = intern(s), .attribute = k});
  }

  /// Run-time scalar number k. A literal in an expression is `weak`: it takes the type of the tensor it meets.
  constexpr int scalar(int k, element_type type, bool weak) {
    if (k >= scalar_count) scalar_count = k + 1;
    return put({.operation = opcode_of<operation::scalar>, .type = type, .accumulator = type, .flags = weak ? weak_flag : std::uint8_t{0}, .shape = intern({}), .attribute = k});
  }

 private:
  static constexpr std::uint32_t hash(const instruction& x) {
    std::uint32_t h = static_cast<std::uint32_t>(x.operation) | static_cast<std::uint32_t>(x.type) << 8 | static_cast<std::uint32_t>(x.flags) << 16;
    h = h * 0x9E3779B1u ^ static_cast<std::uint16_t>(x.operand[0]) ^ static_cast<std::uint32_t>(static_cast<std::uint16_t>(x.operand[1])) << 16;
    h = h * 0x85EBCA6Bu ^ static_cast<std::uint16_t>(x.operand[2]) ^ static_cast<std::uint32_t>(static_cast<std::uint16_t>(x.shape)) << 16;
    h = (h ^ h >> 13) * 0x9E3779B1u ^ static_cast<std::uint32_t>(x.attribute);
    h *= 0x85EBCA6Bu;
    return h ^ h >> 15;
  }

  static constexpr std::uint32_t hash(const shape& s) {
    std::uint32_t h = static_cast<std::uint32_t>(s.rank);
    for (int axis = 0; axis < s.rank; ++axis) h = (h ^ static_cast<std::uint32_t>(s.extent[axis])) * 0x9E3779B1u;
    return h ^ h >> 15;
  }

  constexpr void rehash_shapes() {
    int capacity = 64;
    while (capacity < 4 * shapes.size() + 2) capacity *= 2;
    shape_table_.assign(capacity, 0);
    const auto mask = static_cast<std::uint32_t>(capacity - 1);
    for (int i = 0; i < shapes.size(); ++i) {
      std::uint32_t slot = hash(shapes[i]) & mask;
      while (shape_table_[static_cast<int>(slot)] != 0) slot = (slot + 1) & mask;
      shape_table_[static_cast<int>(slot)] = i + 1;
    }
    shapes_in_table_ = shapes.size();
  }

  constexpr void rehash() {
    const int capacity = 2 * table_.size();
    table_.assign(capacity, 0);
    const auto mask = static_cast<std::uint32_t>(capacity - 1);
    for (int i = 0; i < instructions.size(); ++i) {
      std::uint32_t slot = hash(instructions[i]) & mask;
      while (table_[static_cast<int>(slot)] != 0) slot = (slot + 1) & mask;
      table_[static_cast<int>(slot)] = i + 1;
    }
  }

  list<std::int32_t> shape_table_;
  int shapes_in_table_ = -1;
  list<std::int32_t> table_;  // open addressing; index + 1, 0 is free
};

}  // namespace fluxion::graph
