/// The oracle: evaluates a program as naively as possible, one instruction at a time, every value a vector of doubles. It shares no code
/// with plans, kernels or the executor, so that it can judge them.
#pragma once
#include "../core/error.hpp"
#include "../core/generator.hpp"
#include "call.hpp"

#include <cmath>
#include <limits>
#include <string>
#include <vector>

namespace fluxion::graph {

/// A value of any element type as doubles (bools 0 and 1) in row-major order.
struct oracle_value {
  element_type type = element_type::float32;
  std::vector<index_t> extents;
  std::vector<double> data;
};

struct oracle_options {
  bool round = false;  // values of type float32 are rounded to it
  double noise = 0;    // each inexact result is disturbed by about so many units of rounding of its type: shows what rounding alone can do
  std::uint64_t seed = 0;
};

namespace detail {

class oracle {
 public:
  oracle(const program& p, const std::vector<oracle_value>& arguments, const std::vector<scalar_value>& scalars, const oracle_options& options)
      : p_(p), arguments_(arguments), scalars_(scalars), options_(options) {}

  std::vector<oracle_value> run() {
    bind_symbols();
    values_.resize(static_cast<std::size_t>(p_.size()));
    for (int i = 0; i < p_.size(); ++i) {
      evaluate(i);
      if (is_floating(p_[i].type) && options_.round && p_[i].type == element_type::float32)
        for (double& v : value(i).data) v = static_cast<double>(static_cast<float>(v));
    }
    std::vector<oracle_value> result;
    for (int k = 0; k < p_.outputs.size(); ++k) result.push_back(value(p_.outputs[k]));
    return result;
  }

 private:
  using size = std::size_t;
  oracle_value& value(int i) { return values_[static_cast<size>(i)]; }
  const oracle_value& operand(int i, int k) { return values_[static_cast<size>(p_[i].operand[k])]; }

  static index_t count(const std::vector<index_t>& extents) {
    index_t n = 1;
    for (const index_t e : extents) n *= e;
    return n;
  }

  // ---- extents -----------------------------------------------------------------------------------------------------
  index_t extent(extent_t e) const { return is_symbol(e) ? symbols_[static_cast<size>(symbol_number(e))] : static_cast<index_t>(e); }

  void bind_symbols() {
    for (int i = 0; i < p_.symbols.size(); ++i) {
      const symbol_origin& s = p_.symbols[i];
      index_t v = 0;
      if (s.kind == symbol_origin::argument) v = arguments_[static_cast<size>(s.index)].extents[static_cast<size>(s.axis)];
      else if (s.kind == symbol_origin::strided) {
        for (index_t at = s.offset; at < extent(s.base); at += s.step) ++v;
      } else {
        v = 1;
        const shape& from = p_.shapes[s.index];
        for (int axis = 0; axis < from.rank; ++axis) v *= extent(from.extent[axis]);
        v /= s.offset == 0 ? 1 : s.offset;
      }
      symbols_.push_back(v);
    }
  }

  std::vector<index_t> extents_of(int i) const {
    std::vector<index_t> e;
    const shape& s = p_.shape_of(i);
    for (int axis = 0; axis < s.rank; ++axis) e.push_back(extent(s.extent[axis]));
    return e;
  }

  // ---- indices -----------------------------------------------------------------------------------------------------
  using position = std::vector<index_t>;

  static position position_of(index_t n, const std::vector<index_t>& extents) {
    position at(extents.size());
    for (size axis = extents.size(); axis-- > 0;) {
      at[axis] = n % extents[axis];
      n /= extents[axis];
    }
    return at;
  }

  /// Element of x at a position of a shape that x broadcasts to.
  static double broadcast_at(const oracle_value& x, const position& at) {
    index_t n = 0;
    for (size axis = 0; axis < x.extents.size(); ++axis) {
      const index_t i = at[at.size() - x.extents.size() + axis];
      n = n * x.extents[axis] + (x.extents[axis] == 1 ? 0 : i);
    }
    return x.data[static_cast<size>(n)];
  }

  void require(bool condition, int i, const char* what) const {
    if (!condition) raise<ShapeError>("oracle: instruction " + std::to_string(i) + " (" + std::string(info_of(p_[i].operation).name) + "): " + what);
  }

  // ---- rounding ----------------------------------------------------------------------------------------------------
  double unit(int i) const { return p_[i].type == element_type::float32 ? 0x1p-24 : 0x1p-53; }

  /// Moves a result by a random part of `magnitude` roundings.
  double disturb(int i, double v, double magnitude) {
    if (options_.noise == 0 || !is_floating(p_[i].type)) return v;
    const double random = 2 * random_uniform<double>({static_cast<std::uint32_t>(options_.seed), 7}, 0, draws_++) - 1;
    return v + random * options_.noise * unit(i) * magnitude;
  }

  // ---- operations --------------------------------------------------------------------------------------------------
  void evaluate(int i) {
    const instruction& x = p_[i];
    oracle_value& y = value(i);
    y.type = x.type;
    y.extents = extents_of(i);
    y.data.assign(static_cast<size>(count(y.extents)), 0.0);
    switch (info_of(x.operation).family) {
      case family::leaf: leaf(i, y); break;
      case family::generate: generate(i, y); break;
      case family::view: view(i, y); break;
      case family::reduce: reduce(i, y); break;
      case family::contract: contract(i, y); break;
      default: map(i, y);
    }
  }

  void leaf(int i, oracle_value& y) {
    const instruction& x = p_[i];
    if (p_.is<operation::argument>(i)) {
      const oracle_value& given = arguments_[static_cast<size>(x.attribute)];
      require(given.extents == y.extents, i, "the argument has other extents");
      y.data = given.data;
    } else if (p_.is<operation::scalar>(i)) {
      const scalar_value& s = scalars_[static_cast<size>(x.attribute)];
      y.data[0] = is_floating(x.type) ? s.floating : static_cast<double>(s.integer);
      if (x.type == element_type::float32) y.data[0] = static_cast<double>(static_cast<float>(y.data[0]));
    } else if (p_.is<operation::constant>(i)) y.data[0] = p_.constant_of(i);
    else {
      y.data[0] = 1;
      const shape& s = p_.shapes[x.attribute];
      for (int axis = 0; axis < s.rank; ++axis) y.data[0] *= static_cast<double>(extent(s.extent[axis]));
    }
  }

  std::uint64_t bits(int i) const {
    if (p_.is<operation::scalar>(i)) return static_cast<std::uint64_t>(scalars_[static_cast<size>(p_[i].attribute)].integer);
    if (p_.is<operation::constant>(i)) return p_.constants[p_[i].attribute];
    return static_cast<std::uint64_t>(values_[static_cast<size>(i)].data[0]);
  }

  void generate(int i, oracle_value& y) {
    const instruction& x = p_[i];
    for (size n = 0; n < y.data.size(); ++n) {
      if (p_.is<operation::iota>(i)) {
        y.data[n] = static_cast<double>(position_of(static_cast<index_t>(n), y.extents)[static_cast<size>(x.attribute)]);
        continue;
      }
      const std::uint64_t key = bits(x.operand[0]), offset = bits(x.operand[1]);
      const PhiloxKey k{static_cast<std::uint32_t>(key), static_cast<std::uint32_t>(key >> 32)};
      if (x.type == element_type::float32) y.data[n] = static_cast<double>(uniform_float(random_bits(k, offset, n)));
      else y.data[n] = uniform_double(random_bits(k, offset, 2 * n), random_bits(k, offset, 2 * n + 1));
    }
  }

  void view(int i, oracle_value& y) {
    const instruction& x = p_[i];
    const oracle_value& a = operand(i, 0);
    const auto index = [](const position& at, const std::vector<index_t>& extents) {
      index_t n = 0;
      for (size axis = 0; axis < extents.size(); ++axis) n = n * extents[axis] + at[axis];
      return static_cast<size>(n);
    };
    if (p_.is<operation::reshape>(i)) {
      require(a.data.size() == y.data.size(), i, "element counts differ");
      y.data = a.data;
    } else if (p_.is<operation::permute>(i)) {
      for (size n = 0; n < y.data.size(); ++n) {
        const position at = position_of(static_cast<index_t>(n), y.extents);
        position from(at.size());
        for (size axis = 0; axis < at.size(); ++axis) from[static_cast<size>(x.attribute >> 4 * axis & 15)] = at[axis];
        for (size axis = 0; axis < at.size(); ++axis) require(from[axis] < a.extents[axis], i, "position outside the operand");
        y.data[n] = a.data[index(from, a.extents)];
      }
    } else if (p_.is<operation::concatenate>(i)) {
      index_t start = 0;
      for (int k = 0; k < 3 && x.operand[k] >= 0; ++k) {
        const oracle_value& part = operand(i, k);
        for (size n = 0; n < part.data.size(); ++n) {
          position at = position_of(static_cast<index_t>(n), part.extents);
          at[static_cast<size>(x.attribute)] += start;
          for (size axis = 0; axis < at.size(); ++axis) require(at[axis] < y.extents[axis], i, "position outside the result");
          y.data[index(at, y.extents)] = part.data[n];
        }
        start += part.extents[static_cast<size>(x.attribute)];
      }
      require(start == y.extents[static_cast<size>(x.attribute)], i, "extents do not add up");
    } else {  // slice, and embed, which is its converse
      const slice_spec& s = p_.slices[x.attribute];
      const bool embeds = p_.is<operation::embed>(i);
      const oracle_value& small = embeds ? a : y;
      const std::vector<index_t>& large = embeds ? y.extents : a.extents;
      const size small_size = small.data.size();
      for (size n = 0; n < small_size; ++n) {
        position at = position_of(static_cast<index_t>(n), small.extents);
        at[static_cast<size>(s.axis)] = s.start + at[static_cast<size>(s.axis)] * s.step;
        for (size axis = 0; axis < at.size(); ++axis) require(at[axis] < large[axis], i, "position outside the sliced value");
        if (embeds) y.data[index(at, large)] = a.data[n];
        else y.data[n] = a.data[index(at, large)];
      }
    }
  }

  void reduce(int i, oracle_value& y) {
    const instruction& x = p_[i];
    const oracle_value& a = operand(i, 0);
    const bool largest = p_.is<operation::amax>(i), smallest = p_.is<operation::amin>(i), multiplies = p_.is<operation::prod>(i);
    std::vector<double> magnitude(y.data.size(), 0.0), met(y.data.size(), 0.0);
    constexpr double infinity = std::numeric_limits<double>::infinity();
    if (largest || smallest) y.data.assign(y.data.size(), largest ? -infinity : infinity);
    if (multiplies) y.data.assign(y.data.size(), 1.0);
    for (size n = 0; n < a.data.size(); ++n) {
      const position at = position_of(static_cast<index_t>(n), a.extents);
      index_t to = 0;
      for (size axis = 0; axis < at.size(); ++axis) {
        const bool reduced = x.attribute >> axis & 1;
        require(y.extents[axis] == (reduced ? 1 : a.extents[axis]), i, "extents differ from the operand's");
        to = to * y.extents[axis] + (reduced ? 0 : at[axis]);
      }
      double& r = y.data[static_cast<size>(to)];
      const double v = a.data[n];
      met[static_cast<size>(to)] += 1;
      magnitude[static_cast<size>(to)] += std::abs(v);
      if (largest) r = v != v || r != r ? std::numeric_limits<double>::quiet_NaN() : v > r ? v : r;
      else if (smallest) r = v != v || r != r ? std::numeric_limits<double>::quiet_NaN() : v < r ? v : r;
      else if (multiplies) r *= v;
      else r += v;
    }
    if (largest || smallest) return;
    double reduced = 1;
    for (size axis = 0; axis < a.extents.size(); ++axis)
      if (x.attribute >> axis & 1) reduced *= static_cast<double>(a.extents[axis]);
    for (size n = 0; n < y.data.size(); ++n) {
      if (multiplies) magnitude[n] = std::abs(y.data[n]) * std::sqrt(reduced);
      if (reduced > 1) y.data[n] = disturb(i, y.data[n], magnitude[n] * (1 + std::sqrt(reduced)));
      if (p_.is<operation::mean>(i)) y.data[n] /= reduced;
    }
  }

  void contract(int i, oracle_value& y) {
    const instruction& x = p_[i];
    const oracle_value &a = operand(i, 0), &b = operand(i, 1);
    const bool left = x.flags & 1, right = x.flags & 2;
    const size r = y.extents.size();
    require(a.extents.size() == r && b.extents.size() == r, i, "ranks differ");
    const index_t inner = a.extents[left ? r - 2 : r - 1];
    require(inner == b.extents[right ? r - 1 : r - 2], i, "inner extents differ");
    for (size n = 0; n < y.data.size(); ++n) {
      const position at = position_of(static_cast<index_t>(n), y.extents);
      position p = at, q = at;
      double sum = 0, magnitude = 0;
      for (index_t k = 0; k < inner; ++k) {
        p[left ? r - 1 : r - 2] = at[r - 2];
        p[left ? r - 2 : r - 1] = k;
        q[right ? r - 1 : r - 2] = k;
        q[right ? r - 2 : r - 1] = at[r - 1];
        const double product = broadcast_at(a, p) * broadcast_at(b, q);
        sum += product;
        magnitude += std::abs(product);
      }
      y.data[n] = disturb(i, sum, magnitude * (1 + std::sqrt(static_cast<double>(inner))));
    }
  }

  static double convert(double v, element_type type) {
    switch (type) {
      case element_type::boolean: return v != 0 ? 1 : 0;
      case element_type::int32:
      case element_type::int64: return std::trunc(v);
      default: return v;
    }
  }

  void map(int i, oracle_value& y) {
    const instruction& x = p_[i];
    const int arity = info_of(x.operation).arity;
    for (int k = 0; k < arity; ++k) {
      const oracle_value& o = operand(i, k);
      require(o.extents.empty() || o.extents.size() == y.extents.size(), i, "ranks differ");
      for (size axis = 0; axis < o.extents.size(); ++axis)
        require(o.extents[axis] == y.extents[axis] || o.extents[axis] == 1, i, "extents do not broadcast");
    }
    for (size n = 0; n < y.data.size(); ++n) {
      const position at = position_of(static_cast<index_t>(n), y.extents);
      double o[3]{};
      for (int k = 0; k < arity; ++k) o[k] = broadcast_at(operand(i, k), at);
      bool exact = false;
      const double v = map_value(i, o, exact);
      y.data[n] = x.type == element_type::boolean ? static_cast<double>(v != 0) : exact ? v : disturb(i, v, std::abs(v));
    }
  }

  double map_value(int i, const double* o, bool& exact) const {
    const double a = o[0], b = o[1];
    const auto is = [&](opcode code) { return p_[i].operation == code; };
    constexpr double nan = std::numeric_limits<double>::quiet_NaN();
    if (is(opcode_of<operation::add>)) return a + b;
    if (is(opcode_of<operation::sub>)) return a - b;
    if (is(opcode_of<operation::mul>)) return a * b;
    if (is(opcode_of<operation::div>)) return a / b;
    if (is(opcode_of<operation::pow>)) return std::pow(a, b);
    if (is(opcode_of<operation::exp>)) return std::exp(a);
    if (is(opcode_of<operation::log>)) return std::log(a);
    if (is(opcode_of<operation::sqrt>)) return std::sqrt(a);
    if (is(opcode_of<operation::rsqrt>)) return 1 / std::sqrt(a);
    if (is(opcode_of<operation::tanh>)) return std::tanh(a);
    if (is(opcode_of<operation::sigmoid>)) return 1 / (1 + std::exp(-a));
    if (is(opcode_of<operation::erf>)) return std::erf(a);
    if (is(opcode_of<operation::sin>)) return std::sin(a);
    if (is(opcode_of<operation::cos>)) return std::cos(a);
    exact = true;
    if (is(opcode_of<operation::neg>)) return -a;
    if (is(opcode_of<operation::abs>)) return std::abs(a);
    if (is(opcode_of<operation::relu>)) return a <= 0 ? 0 : a;
    if (is(opcode_of<operation::maximum>)) return a != a || b != b ? nan : a > b ? a : b;
    if (is(opcode_of<operation::minimum>)) return a != a || b != b ? nan : a < b ? a : b;
    if (is(opcode_of<operation::less>)) return a < b;
    if (is(opcode_of<operation::less_equal>)) return a <= b;
    if (is(opcode_of<operation::equal>)) return a == b;
    if (is(opcode_of<operation::not_equal>)) return a != b;
    if (is(opcode_of<operation::logical_and>)) return a != 0 && b != 0;
    if (is(opcode_of<operation::logical_or>)) return a != 0 || b != 0;
    if (is(opcode_of<operation::logical_not>)) return a == 0;
    if (is(opcode_of<operation::select>)) return a != 0 ? b : o[2];
    if (is(opcode_of<operation::expand>) || is(opcode_of<operation::detach>)) return a;
    if (is(opcode_of<operation::cast>)) {
      exact = p_[i].type != element_type::float32;
      return convert(a, p_[i].type);
    }
    raise<Error>("oracle: no rule for ", info_of(p_[i].operation).name);
  }

  const program& p_;
  const std::vector<oracle_value>& arguments_;
  const std::vector<scalar_value>& scalars_;
  oracle_options options_;
  std::vector<index_t> symbols_;
  std::vector<oracle_value> values_;
  std::uint64_t draws_ = 0;
};

}  // namespace detail

/// The outputs of a program. Throws ShapeError where run-time extents do not fit together.
inline std::vector<oracle_value> evaluate_oracle(const program& p, const std::vector<oracle_value>& arguments,
                                                 const std::vector<scalar_value>& scalars = {}, const oracle_options& options = {}) {
  return detail::oracle(p, arguments, scalars, options).run();
}

}  // namespace fluxion::graph
