/// Random programs from a seed, with arguments for them: whatever a pass does to such a program must not change what it computes.
#pragma once
#include <fluxion/graph/oracle.hpp>
#include <fluxion/graph/pass/differentiate.hpp>
#include <fluxion/graph/print.hpp>

#include <string>
#include <vector>

namespace fluxion::test {

using graph::extent_t;
using graph::oracle_value;
using graph::program;
using graph::shape;

/// Numbers by chance that are the same everywhere, during constant evaluation too (Steele, Lea, Flood 2014: SplitMix).
class random_bits_source {
 public:
  explicit constexpr random_bits_source(std::uint64_t seed) : state_(seed) {}
  constexpr std::uint64_t operator()() {
    std::uint64_t z = state_ += 0x9E3779B97F4A7C15u;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return z ^ z >> 31;
  }
  constexpr int below(int n) { return static_cast<int>((*this)() % static_cast<unsigned>(n)); }
  constexpr double uniform(double low, double high) { return low + (high - low) * static_cast<double>((*this)() >> 11) * 0x1p-53; }

 private:
  std::uint64_t state_;
};

/// A program and what it is called with.
struct random_case {
  std::uint64_t seed = 0;
  program code;
  std::vector<oracle_value> arguments;
  std::vector<graph::scalar_value> scalars;
};

struct random_options {
  int steps = 12;             // at most so many recorded functions
  bool smooth = false;        // only functions with a continuous derivative, float64 arguments, nothing detached
  bool empty_extents = true;  // sometimes an extent is 0
  bool gradients = false;     // sometimes the gradients of a scalar made of the outputs are outputs too
  bool static_extents = false;
  index_t largest = 40;       // extent
  index_t elements = 3000;    // of any value
  int instructions = 1000;    // with so many recorded nothing more is added, but what outputs and gradients need
};

/// An element such as random arguments hold.
constexpr double random_element(random_bits_source& random, element_type type) {
  if (type == element_type::boolean) return random.below(2);
  if (!is_floating(type)) return random.below(9) - 4;
  const double v = random.uniform(-2, 2);
  return type == element_type::float32 ? static_cast<double>(static_cast<float>(v)) : v;
}

/// An argument of some extents with random elements.
inline oracle_value random_value(element_type type, const std::vector<index_t>& extents, std::uint64_t seed) {
  oracle_value v{type, extents, {}};
  index_t total = 1;
  for (const index_t e : extents) total *= e;
  random_bits_source random(seed);
  for (index_t n = 0; n < total; ++n) v.data.push_back(random_element(random, type));
  return v;
}

/// Makes one random case. Every choice comes from the seed, and no expression makes two: their order would be the compiler's. All but the elements of arguments works during constant evaluation.
class random_program {
 public:
  constexpr random_program(std::uint64_t seed, const random_options& options) : seed_(seed), random_(seed * 2 + 1), options_(options) {}

  /// The program alone.
  constexpr program make_code() {
    choose_dimensions();
    const int arguments = 1 + below(4);
    for (int k = 0; k < arguments; ++k) add_argument();
    if (chance(3)) add_scalar();
    const int steps = 1 + below(options_.steps);
    for (int n = 0, tries = 0; n < steps && tries < 20 * steps && p().size() < options_.instructions; ++tries) n += step();
    choose_outputs();
    return code_;
  }
  random_case make() {
    make_code();
    return result();
  }
  /// The case with all that was appended to its program.
  random_case result() const {
    random_case c;
    c.seed = seed_;
    c.code = code_;
    for (int k = 0; k < arguments_.size(); ++k) {
      const argument& a = arguments_[k];
      c.arguments.push_back(random_value(a.type, {a.extent, a.extent + a.rank}, seed_ * 16 + static_cast<std::uint64_t>(k)));
    }
    for (const double v : scalars_) c.scalars.push_back(graph::scalar_value(v));
    return c;
  }

  /// The value of an extent of the program as recorded so far.
  constexpr index_t extent(extent_t e) const {
    if (!graph::is_symbol(e)) return static_cast<index_t>(e);
    const graph::symbol_origin& s = p().symbols[graph::symbol_number(e)];
    if (s.kind == graph::symbol_origin::argument) return arguments_[s.index].extent[s.axis];
    if (s.kind == graph::symbol_origin::strided) {
      const index_t base = extent(s.base);
      return base > s.offset ? (base - s.offset + s.step - 1) / s.step : 0;
    }
    index_t product = 1;
    const shape& from = p().shapes[s.index];
    for (int axis = 0; axis < from.rank; ++axis) product *= extent(from.extent[axis]);
    return product / (s.offset == 0 ? 1 : s.offset);
  }

 private:
  struct argument {
    element_type type = element_type::float32;
    int rank = 0;
    index_t extent[max_rank]{};
  };

  // ---- chance ------------------------------------------------------------------------------------------------------
  constexpr int below(int n) { return random_.below(n); }
  constexpr bool chance(int n) { return below(n) == 0; }
  constexpr double uniform(double low, double high) { return random_.uniform(low, high); }

  constexpr const program& p() const { return code_; }
  constexpr program& p() { return code_; }
  constexpr Symbol symbol(int i) { return Symbol(p(), i); }

  constexpr void choose_dimensions() {
    constexpr index_t sizes[] = {1, 2, 3, 4, 5, 7, 8, 13, 16, 17, 31, 33, 40};
    for (index_t& d : dimensions_) {
      do d = sizes[below(13)];
      while (d > options_.largest);
      if (options_.empty_extents && chance(60)) d = 0;
    }
    static_shapes_ = below(5);  // 0, 1: all static; 2, 3: all run time; 4: mixed
  }

  constexpr bool make_static() { return options_.static_extents || static_shapes_ < 2 || (static_shapes_ == 4 && chance(2)); }

  constexpr void add_argument() {
    shape s;
    argument v;
    index_t total = 1;
    s.rank = chance(12) ? 0 : 1 + below(4);
    if (s.rank == 4 && chance(2)) s.rank = 2;
    v.rank = s.rank;
    for (int axis = 0; axis < s.rank; ++axis) {
      index_t d = chance(8) ? 1 : dimensions_[below(4)];
      if (total * d > options_.elements) d = 1;
      total *= d;
      v.extent[axis] = d;
      s.extent[axis] = d == 1 ? (chance(2) || make_static() ? 1 : -1) : make_static() ? d : -1;
    }
    constexpr element_type types[] = {element_type::float32, element_type::float64, element_type::float64, element_type::float32,
                                      element_type::int32,   element_type::int64,   element_type::boolean};
    v.type = options_.smooth ? element_type::float64 : types[below(arguments_.empty() ? 4 : chance(3) ? 7 : 4)];
    arguments_.push_back(v);
    values_.push_back(p().argument(arguments_.size() - 1, v.type, s, chance(5)));
  }

  constexpr void add_scalar() {
    scalars_.push_back(static_cast<double>(static_cast<float>(uniform(0.5, 1.5))));
    const element_type type = chance(2) ? element_type::float32 : element_type::float64;
    values_.push_back(p().scalar(scalars_.size() - 1, type, chance(2)));
  }

  // ---- values ------------------------------------------------------------------------------------------------------
  constexpr int pick() { return values_[chance(3) ? below(count()) : count() - 1 - below(count() < 4 ? count() : 4)]; }
  constexpr int count() const { return values_.size(); }
  constexpr int pick_floating() {
    for (int tries = 0; tries < 20; ++tries) {
      const int i = pick();
      if (is_floating(p()[i].type)) return i;
    }
    return graph::record_cast(p(), pick(), options_.smooth || chance(2) ? element_type::float64 : element_type::float32);
  }
  constexpr index_t axis_extent(int i, int axis) const { return extent(p().resolve(p().shape_of(i).extent[axis])); }
  constexpr index_t elements(int i) const {
    index_t n = 1;
    for (int axis = 0; axis < p().shape_of(i).rank; ++axis) n *= axis_extent(i, axis);
    return n;
  }

  /// Whether two extents may meet: equal when run, or statically one.
  constexpr bool meet(extent_t a, extent_t b) const {
    a = p().resolve(a);
    b = p().resolve(b);
    return a == b || a == 1 || b == 1 || extent(a) == extent(b);
  }
  constexpr bool broadcast(int a, int b) const {
    const shape &s = p().shape_of(a), &t = p().shape_of(b);
    index_t total = 1;
    const int rank = s.rank > t.rank ? s.rank : t.rank;
    for (int k = 1; k <= rank; ++k) {
      const extent_t x = k <= s.rank ? s.extent[s.rank - k] : 1, y = k <= t.rank ? t.extent[t.rank - k] : 1;
      if (!meet(x, y)) return false;
      total *= p().resolve(x) == 1 ? extent(p().resolve(y)) : extent(p().resolve(x));
    }
    return total <= options_.elements;
  }
  constexpr int pick_partner(int a) {
    for (int tries = 0; tries < 12; ++tries) {
      const int b = pick();
      if (broadcast(a, b)) return b;
    }
    return a;
  }

  constexpr bool keep(const Symbol& x) { return keep(x.index()); }
  constexpr bool keep(int i) {
    if (elements(i) > options_.elements) return false;
    values_.push_back(i);
    return true;
  }

  // ---- one recorded function ---------------------------------------------------------------------------------------
  constexpr bool step() {
    switch (below(options_.smooth ? 11 : 16)) {
      case 0:
      case 1:
      case 2: return keep(unary(symbol(pick_floating())));
      case 3:
      case 4: return binary();
      case 5:
      case 6: return reduction();
      case 7:
      case 8: return view();
      case 9: return product();
      case 10: return composition();
      case 11: return selection();
      case 12: return piecewise();
      case 13: return generated();
      case 14: return conversion();
      default: return binary();
    }
  }

  constexpr Symbol unary(const Symbol& x) {
    switch (below(options_.smooth ? 12 : 15)) {
      case 0: return exp(tanh(x));
      case 1: return log(x * x + 0.5);
      case 2: return sqrt(x * x + 0.25);
      case 3: return rsqrt(x * x + 0.25);
      case 4: return tanh(x);
      case 5: return sigmoid(x);
      case 6: return erf(x);
      case 7: return sin(x);
      case 8: return cos(x);
      case 9: return -x;
      case 10: {
        const double factor = uniform(-1.5, 1.5);
        return x * factor + (chance(2) ? 1.0 : uniform(-1, 1));
      }
      case 11: return pow(x * x + 0.5, chance(2) ? 2.0 : uniform(-1, 2));
      case 12: return relu(x);
      case 13: return abs(x);
      default: return detach(x);
    }
  }

  constexpr bool binary() {
    const int i = pick(), j = pick_partner(i);
    if (!broadcast(i, j)) return false;
    const Symbol a = symbol(i), b = symbol(j);
    switch (below(6)) {
      case 0: return keep(a + b);
      case 1: return keep(a - b);
      case 2: return keep(is_floating(a.type()) || is_floating(b.type()) ? tanh(a) * b : a + b);
      case 3: return keep(a / (b * b + 0.5));
      case 4: return keep(pow(a * a * 0.1 + 0.5, tanh(b)));
      default: return keep(is_floating(a.type()) ? a * b * 0.5 : b - a);
    }
  }

  constexpr unsigned random_axes(int rank) {
    if (rank == 0) return 0;
    if (chance(3)) return 1u << (rank - 1);
    if (chance(4)) return graph::all_axes(rank);
    return 1u + static_cast<unsigned>(below((1 << rank) - 1));
  }
  constexpr bool empty_along(int i, unsigned mask) const {
    for (int axis = 0; axis < p().shape_of(i).rank; ++axis)
      if ((mask >> axis & 1) && axis_extent(i, axis) == 0) return true;
    return false;
  }
  /// Products of more than a few are soon 0 or infinite.
  constexpr bool few_along(int i, unsigned mask) const {
    index_t n = 1;
    for (int axis = 0; axis < p().shape_of(i).rank; ++axis)
      if (mask >> axis & 1) n *= axis_extent(i, axis);
    return n <= 8;
  }

  constexpr bool reduction() {
    const int i = options_.smooth ? pick_floating() : pick();
    const unsigned mask = random_axes(p().shape_of(i).rank);
    const bool keepdim = chance(2), empty = empty_along(i, mask);
    const int choice = below(options_.smooth || empty ? 4 : 6);
    switch (choice == 3 && !few_along(i, mask) ? 0 : choice) {
      case 0: return keep(graph::record_reduce(p(), graph::opcode_of<operation::sum>, i, mask, keepdim));
      case 1:
      case 2: return keep(graph::record_reduce(p(), empty ? graph::opcode_of<operation::sum> : graph::opcode_of<operation::mean>, i, mask, keepdim));
      case 3: {
        // Differences see nothing of a function that turns within their steps, as of the sine of a large product.
        const int factors = options_.smooth ? sin(symbol(i)).index() : i;
        return keep(graph::record_reduce(p(), graph::opcode_of<operation::prod>, factors, mask, keepdim));
      }
      case 4: return keep(graph::record_reduce(p(), graph::opcode_of<operation::amax>, i, mask, keepdim));
      default: return keep(graph::record_reduce(p(), graph::opcode_of<operation::amin>, i, mask, keepdim));
    }
  }

  constexpr bool view() {
    const int i = pick();
    const shape s = p().shape_of(i);
    switch (below(8)) {
      case 0:
      case 1: {
        if (s.rank < 2) return false;
        int order[max_rank];
        for (int a = 0; a < s.rank; ++a) order[a] = a;
        for (int a = s.rank - 1; a > 0; --a) std::swap(order[a], order[below(a + 1)]);
        return keep(graph::record_permute(p(), i, order));
      }
      case 2: {  // two neighbouring axes as one
        if (s.rank < 2) return false;
        const int at = below(s.rank - 1);
        const extent_t x = p().resolve(s.extent[at]), y = p().resolve(s.extent[at + 1]);
        shape t, merged;
        merged.rank = 2;
        merged.extent[0] = x;
        merged.extent[1] = y;
        for (int a = 0; a < s.rank; ++a) {
          if (a == at) continue;
          if (a != at + 1) t.extent[t.rank++] = s.extent[a];
          else if (!graph::is_symbol(x) && !graph::is_symbol(y)) t.extent[t.rank++] = x * y;
          else if (x == 1 || y == 1) t.extent[t.rank++] = x == 1 ? y : x;
          else t.extent[t.rank++] = p().new_symbol({graph::symbol_origin::quotient, p().intern(merged), 0, 0, 1, 1});
        }
        return keep(graph::record_reshape(p(), i, t));
      }
      case 3: {  // one axis as two
        if (s.rank == 0 || s.rank > 4) return false;
        const int at = below(s.rank);
        const extent_t e = p().resolve(s.extent[at]);
        if (graph::is_symbol(e) || e < 2) return false;
        extent_t factor = 2;
        while (e % factor != 0) ++factor;
        shape t;
        for (int a = 0; a < s.rank; ++a) {
          if (a == at) t.extent[t.rank++] = factor;
          t.extent[t.rank++] = a == at ? e / factor : s.extent[a];
        }
        return keep(graph::record_reshape(p(), i, t));
      }
      case 4: {
        if (s.rank > 4) return false;
        const int at = below(s.rank + 1);
        shape t;
        for (int a = 0; a <= s.rank; ++a) {
          if (a == at) t.extent[t.rank++] = 1;
          if (a < s.rank) t.extent[t.rank++] = s.extent[a];
        }
        return keep(graph::record_reshape(p(), i, t));
      }
      case 5: {
        if (s.rank == 0) return false;
        const int axis = below(s.rank);
        const auto n = static_cast<int>(axis_extent(i, axis));
        if (n < 2) return false;
        const int start = below(n), stop = start + 1 + below(n - start), step = 1 + below(3);
        return keep(graph::record_slice(p(), i, axis, start, chance(2) ? graph::open_end : stop, step));
      }
      case 6: {  // values one behind the other
        if (s.rank == 0) return false;
        const int axis = below(s.rank), wanted = 2 + below(4);
        list<int> parts;
        parts.push_back(i);
        for (int tries = 0; tries < 12 && parts.size() < wanted; ++tries) {
          const int j = chance(4) ? i : pick();
          const shape t = p().shape_of(j);
          bool fits = t.rank == s.rank && !graph::is_symbol(p().resolve(s.extent[axis]));
          for (int a = 0; fits && a < s.rank; ++a)
            fits = a == axis ? !graph::is_symbol(p().resolve(t.extent[a])) : p().resolve(t.extent[a]) == p().resolve(s.extent[a]);
          if (fits) parts.push_back(j);
        }
        return parts.size() > 1 && keep(graph::record_concatenate(p(), static_cast<list<int>&&>(parts), axis));
      }
      default: {
        const int like = pick();
        if (!broadcast(i, like) || p().shape_of(like).rank < s.rank) return false;
        const shape goal = p().shape_of(like);
        for (int k = 1; k <= s.rank; ++k)
          if (p().resolve(goal.extent[goal.rank - k]) == 1 && p().resolve(s.extent[s.rank - k]) != 1) return false;
        return keep(graph::record_expand(p(), i, goal));
      }
    }
  }

  constexpr bool product() {
    const int i = pick_floating();
    for (int tries = 0; tries < 16; ++tries) {
      const int j = pick_floating();
      const shape s = p().shape_of(i), t = p().shape_of(j);
      if (s.rank < 2 || t.rank < 2 || s.rank + t.rank > 8) continue;
      const int flags = below(4);
      const extent_t inner_a = s.extent[flags & 1 ? s.rank - 2 : s.rank - 1], inner_b = t.extent[flags & 2 ? t.rank - 1 : t.rank - 2];
      if (extent(p().resolve(inner_a)) != extent(p().resolve(inner_b))) continue;
      index_t total = axis_extent(i, flags & 1 ? s.rank - 1 : s.rank - 2) * axis_extent(j, flags & 2 ? t.rank - 2 : t.rank - 1);
      bool fits = true;
      for (int k = 3; k <= s.rank || k <= t.rank; ++k) {
        const extent_t x = k <= s.rank ? s.extent[s.rank - k] : 1, y = k <= t.rank ? t.extent[t.rank - k] : 1;
        fits = fits && meet(x, y);
        total *= p().resolve(x) == 1 ? extent(p().resolve(y)) : extent(p().resolve(x));
      }
      if (!fits || total > options_.elements) continue;
      const Symbol y = symbol(graph::record_matmul(p(), i, j, static_cast<std::uint8_t>(flags)));
      return keep(y * 0.25);
    }
    const shape s = p().shape_of(i);
    if (s.rank < 2) return false;
    const Symbol x = symbol(i);
    if (elements(i) * axis_extent(i, s.rank - 2) > 4 * options_.elements) return false;
    return keep(matmul(x, transpose<>(x)) * 0.25);
  }

  constexpr bool composition() {
    const int i = pick_floating();
    const Symbol x = symbol(i);
    const int rank = x.rank();
    if (rank == 0 || elements(i) == 0) return false;
    switch (below(9)) {
      case 0: return keep(softmax(x, axis<-1>));
      case 1: return keep(rank > 1 ? softmax(x, axes<0, 1>) : softmax(x, axis<0>));
      case 2: return keep(log_softmax(x, axis<0>));
      case 3: return keep(logsumexp(x, axis<-1>));
      case 4: return keep(layer_norm(x, uniform(0.5, 1.5), x * 0.5, 0.1));
      case 5: return keep(var<0>(x, axis<-1>));
      case 6: return keep(rank > 1 ? var<0>(x, axes<0, 1>, keepdim) : var<0>(x, axis<0>, keepdim));
      case 7: return keep(gelu(x));
      default: {
        const int j = pick_partner(i);
        return broadcast(i, j) ? keep(mse_loss(x, symbol(j))) : false;
      }
    }
  }

  /// Comparisons are moved off what could be equal but for rounding.
  constexpr bool selection() {
    const int i = pick(), j = pick_partner(i);
    if (!broadcast(i, j)) return false;
    const Symbol a = symbol(i), b = symbol(j);
    if (!is_floating(a.type()) && !is_floating(b.type())) return keep(chance(2) ? a == b : logical_or(a <= b, a != 0));
    const Symbol condition = chance(2) ? a < b + uniform(0.011, 0.12345) : a >= b - uniform(0.011, 0.12345);
    switch (below(4)) {
      case 0: return keep(condition);
      case 1: return keep(where(condition, a, 0));
      case 2: return keep(where(logical_not(condition), a * 2, b));
      default: return keep(where(condition, b, a));
    }
  }

  constexpr bool piecewise() {
    const int i = pick(), j = pick_partner(i);
    if (!broadcast(i, j)) return false;
    const Symbol a = symbol(i), b = symbol(j);
    return keep(chance(2) ? maximum(a, b) : minimum(a, b));
  }

  constexpr bool generated() {
    const int i = pick_floating();
    const Symbol x = symbol(i);
    if (x.rank() == 0 || elements(i) == 0) return false;
    switch (below(4)) {
      case 0: {
        const int axis = below(x.rank());
        return keep(graph::record_iota(p(), x.shape(), axis, chance(2) ? element_type::int32 : element_type::int64));
      }
      case 1: return keep(argmax(x, axis<-1>));
      case 2: {
        const Symbol position = symbol(graph::record_iota(p(), x.shape(), below(x.rank()), element_type::int32));
        return keep(where(position < below(5), x, 0));
      }
      default: {
        const int key = p().constant(element_type::int64, 42), offset = p().constant(element_type::int64, below(5));
        const Symbol noise = symbol(graph::record_uniform(p(), key, offset, x.shape(), x.type()));
        return keep(chance(2) ? noise : x * noise);
      }
    }
  }

  constexpr bool conversion() {
    const int i = pick();
    if (is_floating(p()[i].type)) return keep(graph::record_cast(p(), i, p()[i].type == element_type::float32 ? element_type::float64 : element_type::float32));
    return keep(graph::record_cast(p(), i, chance(2) ? element_type::float32 : element_type::int64));
  }

  // ---- outputs -----------------------------------------------------------------------------------------------------
  constexpr void choose_outputs() {
    const int outputs = 1 + below(3);
    for (int k = 0; k < outputs; ++k) {
      const int i = k == 0 ? values_.back() : pick();
      p().outputs.push_back(static_cast<std::int16_t>(i));
    }
    if (options_.gradients && chance(2)) append_gradients();
  }

 public:
  /// Adds the gradients of a weighted sum of the floating outputs as further outputs; false if there is nothing to differentiate.
  constexpr bool append_gradients() {
    list<int> outputs, seeds, wrt;
    Symbol loss;
    for (int k = 0; k < p().outputs.size(); ++k) {
      const Symbol y = symbol(p().outputs[k]);
      if (!is_floating(y.type())) continue;
      const Symbol part = sum(sin(y + 0.3).cast(element_type::float64));
      loss = loss.index() < 0 ? part : loss + part;
    }
    if (loss.index() < 0) return false;
    for (int i = 0; i < p().size(); ++i)
      if (p().is<operation::argument>(i) && is_floating(p()[i].type)) wrt.push_back(i);
    if (wrt.empty()) return false;
    outputs.push_back(loss.index());
    seeds.push_back(p().constant(element_type::float64, 1));
    p().outputs.clear();
    p().outputs.push_back(static_cast<std::int16_t>(loss.index()));
    for (const int g : graph::append_adjoints(p(), outputs, seeds, wrt)) p().outputs.push_back(static_cast<std::int16_t>(g));
    return true;
  }

 private:
  std::uint64_t seed_;
  random_bits_source random_;
  random_options options_;
  program code_;
  list<argument> arguments_;
  list<double> scalars_;
  list<int> values_;
  index_t dimensions_[4]{};
  int static_shapes_ = 0;
};

/// Where two lists of values differ by more than rounding can explain, or "". `disturbed` are evaluations of the same with noise: where
/// they differ from `expected`, the computation magnifies rounding. `single`: there is float32 in the program.
inline std::string compare(const std::vector<oracle_value>& found, const std::vector<oracle_value>& expected,
                           const std::vector<std::vector<oracle_value>>& disturbed, bool single) {
  if (found.size() != expected.size()) return "another number of outputs";
  for (std::size_t k = 0; k < expected.size(); ++k) {
    const oracle_value &f = found[k], &e = expected[k];
    const std::string name = "output " + std::to_string(k);
    if (f.extents != e.extents) return name + " has other extents";
    if (f.type != e.type) return name + " has another type";
    const double unit = !is_floating(f.type) ? 0 : single ? 0x1p-23 : 0x1p-52;
    for (std::size_t n = 0; n < e.data.size(); ++n) {
      double spread = 0;
      bool comparable = std::isfinite(e.data[n]);
      for (const auto& d : disturbed) {
        comparable = comparable && std::isfinite(d[k].data[n]);
        spread = std::max(spread, std::abs(d[k].data[n] - e.data[n]));
      }
      if (!comparable) continue;
      const double difference = std::abs(f.data[n] - e.data[n]);
      if (difference <= 8 * unit * std::abs(e.data[n]) + 8 * spread) continue;
      return name + ", element " + std::to_string(n) + ": found " + graph::detail::number_text(f.data[n]) + ", expected " +
             graph::detail::number_text(e.data[n]) + " (rounding explains " + graph::detail::number_text(spread) + ")";
    }
  }
  return "";
}

inline bool has_single(const program& p) {
  for (int i = 0; i < p.size(); ++i)
    if (p[i].type == element_type::float32) return true;
  return false;
}

/// Evaluations of a case with noise of a few units.
inline std::vector<std::vector<oracle_value>> evaluate_disturbed(const random_case& c, int times = 3) {
  std::vector<std::vector<oracle_value>> result;
  for (int n = 0; n < times; ++n)
    result.push_back(graph::evaluate_oracle(c.code, c.arguments, c.scalars, {.noise = 4, .seed = static_cast<std::uint64_t>(n + 1)}));
  return result;
}

}  // namespace fluxion::test
