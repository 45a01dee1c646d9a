/// The program: instructions in the order in which they were recorded, with shapes, constants and run-time checks beside them.
/// Recording merges common subexpressions by hash-consing. Everything works during constant evaluation and at run time alike.
#pragma once
#include "../core/hash_table.hpp"
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

/// On a product of matrices: the last two axes of an operand are exchanged.
inline constexpr std::uint8_t transpose_left = 1, transpose_right = 2;
inline constexpr std::uint8_t weak_flag = 0x80;
/// On an argument: its elements may lie apart (a view).
inline constexpr std::uint8_t strided_flag = 0x40;
/// On a cast: the result is a batch of unit directions, whose zeros stand for what a direction does not have.
inline constexpr std::uint8_t unit_flag = 0x20;
/// On a map: its value is stored where another kernel reads it, or computed again there, whatever that costs.
inline constexpr std::uint8_t saved_flag = 0x10, recomputed_flag = 0x08;

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
  index_out_of_range,
  rank_too_high,
  not_a_scalar,
  setting_read_while_traced,
  wrong_element_type,
  direction_differs,
  batches_differ,
  not_batched,
  pad_of_unknown_extent,
  cat_of_unknown_extent,
  cat_shapes_differ,
  rule_is_missing,
  rule_counts_differ,
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

class program;

/// A function with a derivative rule of its own. Its outputs are copies (`detach`) that no derivative looks through; the rule says how they
/// depend on the inputs. A program with calls is a constant like any other: rules are pointers to constexpr functions.
struct custom_call {
  /// Appends adjoints of the inputs for `given` adjoints of the outputs, or tangents of the outputs for `given` tangents of the inputs; -1
  /// stands for zero.
  using rule = void (*)(program& p, const custom_call& call, const int* given, int* found);
  rule adjoint = nullptr;
  rule tangent = nullptr;  // linear in what is given: transposed where there is no `adjoint`
  std::int16_t first = 0;  // entry of program::custom_values: inputs, residuals, outputs
  std::int16_t inputs = 0, residuals = 0, outputs = 0;
  std::int16_t example = -1;  // of a batch of calls: the call for one example
};

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
  list<custom_call> custom_calls;
  list<std::int16_t> custom_values;
  int argument_count = 0;
  int scalar_count = 0;
  bool differentiated = false;  // holds adjoints, which have the extents that their values were broadcast to
  error_report error;

  constexpr int size() const { return instructions.count; }
  constexpr const instruction& operator[](int i) const { return instructions.elements[i]; }
  constexpr const shape& shape_of(int i) const { return shapes.elements[instructions.elements[i].shape]; }
  constexpr family family_of(int i) const { return info_of(instructions.elements[i].operation).family; }
  template <class O>
  constexpr bool is(int i) const { return instructions.elements[i].operation == opcode_of<O>; }

  /// Appends an instruction, or finds the equal one recorded before. O(1) expected.
  constexpr int put(const instruction& x) {
    if (instruction_table_.lags(instructions.count))
      instruction_table_.make(instructions.size(), [&](int i) { return hash(instructions[i]); });
    std::int32_t& found = instruction_table_.find(hash(x), [&](int i) { return instructions.elements[i] == x; });
    if (found == 0) {
      instructions.push_back(x);
      found = instruction_table_.add();
    }
    return found - 1;
  }

  /// Interns a shape, with every symbol replaced by the one it is known to equal.
  constexpr std::int16_t intern(shape s) {
    for (int axis = 0; axis < s.rank; ++axis)
      if (s.extent[axis] < 0) s.extent[axis] = resolve(s.extent[axis]);
    if (shape_table_.lags(shapes.count)) shape_table_.make(shapes.size(), [&](int i) { return hash(shapes[i]); });
    std::int32_t& found = shape_table_.find(hash(s), [&](int i) { return shapes.elements[i] == s; });
    if (found == 0) {
      shapes.push_back(s);
      found = shape_table_.add();
    }
    return static_cast<std::int16_t>(found - 1);
  }

  /// The number of a shape with every symbol replaced by the one it is known to equal. O(1) as long as no more symbols are found equal.
  constexpr std::int16_t canonical(std::int16_t id) {
    while (canonical_.count <= id) canonical_.push_back(-1);
    if (canonical_.elements[id] < 0) {
      const std::int16_t found = intern(shapes.elements[id]);
      canonical_.elements[id] = found;
    }
    return canonical_.elements[id];
  }

  /// The shape of one number.
  constexpr std::int16_t number_shape() {
    if (number_shape_ < 0) number_shape_ = intern({});
    return number_shape_;
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
    while (e < 0 && symbol_parents.elements[-1 - e] != e) e = symbol_parents.elements[-1 - e];
    return e;
  }

  /// Records that two extents are equal, and the check that the run must make. Both static and different: an error of the caller.
  constexpr void unify(extent_t a, extent_t b, extent_check check) {
    const extent_t x = resolve(a), y = resolve(b);
    if (x == y) return;
    add_check(check);
    if (is_symbol(x) && (!is_symbol(y) || symbol_number(y) < symbol_number(x))) symbol_parents[symbol_number(x)] = y;
    else symbol_parents[symbol_number(y)] = x;
    canonical_.clear();
  }

  constexpr void add_check(const extent_check& check) {
    for (int i = 0; i < checks.size(); ++i)
      if (checks[i].kind == check.kind && checks[i].a == check.a && checks[i].b == check.b && (check.kind != extent_check::divides || checks[i].shape_a == check.shape_a)) return;
    checks.push_back(check);
  }

  constexpr int fail(program_error code, opcode operation, const shape& a = {}, const shape& b = {}, std::int64_t detail = 0) {
    if (error.code == program_error::none) error = {code, operation, a, b, detail};
    return instructions.empty() ? constant(element_type::float32, 0) : 0;
  }

  constexpr int constant(element_type type, double value, std::uint8_t flags = 0) { return constant_from_bits(type, constant_bits(type, value), flags); }
  constexpr int constant_from_bits(element_type type, std::uint64_t bits, std::uint8_t flags = 0) {
    if (constant_table_.lags(constants.count)) constant_table_.make(constants.size(), [&](int i) { return hash(constants[i]); });
    std::int32_t& found = constant_table_.find(hash(bits), [&](int i) { return constants.elements[i] == bits; });
    if (found == 0) {
      constants.push_back(bits);
      found = constant_table_.add();
    }
    return put({.operation = opcode_of<operation::constant>, .type = type, .accumulator = type, .flags = flags, .shape = number_shape(), .attribute = found - 1});
  }
  /// The custom call of which instruction i is an output, or -1.
  constexpr int custom_call_of(int i) const {
    const instruction& x = instructions.elements[i];
    return x.operation == opcode_of<operation::detach> && x.attribute > 0 ? (x.attribute >> 8) - 1 : -1;
  }
  /// Input, residual or output k of a custom call.
  constexpr int custom_value(const custom_call& call, int k) const { return custom_values[call.first + k]; }
  /// A copy of instruction x that is output k of the custom call numbered `call`.
  constexpr int custom_output(int x, int call, int k) {
    const instruction& from = instructions.elements[x];
    return put({.operation = opcode_of<operation::detach>, .type = from.type, .accumulator = from.type, .operand = {static_cast<std::int16_t>(x), -1, -1}, .shape = from.shape, .attribute = (call + 1) << 8 | k});
  }

  constexpr bool is_constant(int i) const { return instructions.elements[i].operation == opcode_of<operation::constant>; }
  constexpr double constant_of(int i) const { return constant_value(instructions.elements[i].type, constants.elements[instructions.elements[i].attribute]); }
  constexpr bool is_constant(int i, double value) const { return instructions.elements[i].operation == opcode_of<operation::constant> && constant_of(i) == value; }

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
    return put({.operation = opcode_of<operation::scalar>, .type = type, .accumulator = type, .flags = weak ? weak_flag : std::uint8_t{0}, .shape = number_shape(), .attribute = k});
  }

  /// A value of instruction i's type and of a shape, equal to no other, which a pass will replace.
  constexpr int placeholder(int i, std::int16_t shape) {
    const instruction& x = instructions[i];
    return put({.operation = opcode_of<operation::placeholder>, .type = x.type, .accumulator = x.type, .flags = static_cast<std::uint8_t>(x.flags & weak_flag), .shape = shape, .attribute = size()});
  }

 private:
  static constexpr std::uint32_t hash(std::uint64_t x) { return static_cast<std::uint32_t>((x ^ x >> 29) * 0x9E3779B97F4A7C15u >> 33); }
  static constexpr std::uint32_t hash(const instruction& x) {
    // One expression: a compiler's limit counts statements.
    return static_cast<std::uint32_t>(
        ((static_cast<std::uint64_t>(x.operation) | static_cast<std::uint64_t>(x.type) << 8 | static_cast<std::uint64_t>(x.flags) << 16 |
          static_cast<std::uint64_t>(static_cast<std::uint16_t>(x.shape)) << 24 | static_cast<std::uint64_t>(static_cast<std::uint32_t>(x.attribute)) << 32) * 0xD6E8FEB86659FD93u ^
         (static_cast<std::uint64_t>(static_cast<std::uint16_t>(x.operand[0])) | static_cast<std::uint64_t>(static_cast<std::uint16_t>(x.operand[1])) << 16 |
          static_cast<std::uint64_t>(static_cast<std::uint16_t>(x.operand[2])) << 32) * 0xC2B2AE3D27D4EB4Fu) * 0x9E3779B97F4A7C15u >> 33);
  }
  static constexpr std::uint32_t hash(const shape& s) {
    std::uint64_t h = static_cast<std::uint64_t>(s.rank);
    for (int axis = 0; axis < s.rank; ++axis) h = h * 0xD6E8FEB86659FD93u ^ static_cast<std::uint64_t>(s.extent[axis]);
    return hash(h);
  }

  std::int16_t number_shape_ = -1;
  list<std::int16_t> canonical_;  // per shape, as far as known
  hash_table instruction_table_, shape_table_, constant_table_;
};

}  // namespace fluxion::graph
