/// Fusion: decides which instructions share a kernel. A kernel is one loop nest: outer axes, row axes, several passes over a row.
#pragma once
#include "eliminate_dead_code.hpp"
#include "value_facts.hpp"

namespace fluxion::graph {

struct plan_options {
  bool fuse = true;       // false: a kernel per operation
  bool recompute = true;  // cheap values are computed again rather than stored
  bool mixed_axes = true; // a kernel may hold values that vary along some of its axes only, and read again a row of several axes
};

/// A kernel while it grows.
struct kernel_group {
  enum kind_t : std::uint8_t { loop, contract, embed };
  kind_t kind = loop;
  bool row_known = false;
  std::int16_t product = -1;         // of a contraction, or the value of an embed or a concatenation
  std::int8_t axes = 0;
  std::int8_t reduction_kinds = 0;   // distinct sets of reduced axes
  std::int16_t members = 0;
  std::int16_t first = -1, last = -1;  // linked list of members, in order
  std::uint8_t row = 0;                // the axes that are reduced and read again in the kernel
  std::uint8_t reductions[max_rank]{};
  extent_t extent[max_rank]{};
};

/// What fusion decides about a value, and what it keeps in mind on the way.
struct fused_value : value_facts {
  std::int16_t home = -1;      // group that computes it; -1 for leaves, views and what is recomputed where it is used
  std::int16_t next = -1;      // next member of the same group
  packed_axes iteration = 0;   // axes of the loop in which it is evaluated -> axes of its group
  packed_axes result = 0;      // the same without the axes that it reduces
  bool lazy = false;           // cheap and made of constants, scalars, positions and at most one argument: evaluated where it is used
  std::int8_t level = 0;       // passes over a row that must be complete before it
  std::uint8_t reduced = 0;    // axes of its group that a reduction is over
  std::int16_t lazy_flops = 0;
  std::int16_t cone = 1;       // how many instructions a lazy value stands for
  std::int16_t uses = 0;       // how many operands it is; an output counts as used elsewhere
  std::int16_t source = -1;    // the argument (or view of one) that a lazy value reads
  std::int16_t reader = -1;    // last group that computes or reads it
};

/// Which kernel computes what.
struct fusion {
  list<kernel_group> groups;
  list<fused_value> values;  // by instruction
};

namespace detail {

class fuser {
 public:
  constexpr fuser(const program& p, const plan_options& options, fusion& f)
      : outputs_(p.outputs), code_(p.instructions.begin()), shapes_(p.shapes.begin()), options_(options), f_(f), size_(p.size()) {
    if (f.values.empty()) begin(p);
    v_ = f.values.begin();
  }

  constexpr void run(int from, int to) {
    for (int i = from; i < to; ++i) {
      switch (v_[i].family) {
        case family::leaf: break;
        case family::generate:
          v_[i].lazy = true, v_[i].lazy_flops = code_[i].operation == opcode_of<operation::uniform> ? 8 : 1;
          break;
        case family::view:
          if (is_written_view(code_[i].operation)) {
            for (const std::int16_t o : code_[i].operand)
              if (o >= 0) materialise(o);
            open(kernel_group::embed, i);
          } else if (!v_[i].free_view) materialise(i);
          break;
        case family::contract:
          materialise(code_[i].operand[0]);
          materialise(code_[i].operand[1]);
          open(kernel_group::contract, i);
          break;
        default:
          if (v_[i].family != family::map || !make_lazy(i)) place(i);
      }
    }
    if (to < size_) return;
    for (int k = 0; k < outputs_.size(); ++k) materialise(outputs_[k]);
  }

 private:
  constexpr void begin(const program& p) {
    const list<value_facts> facts = find_facts(p);
    f_.values.assign(size_, fused_value{});
    fused_value* const values = f_.values.begin();
    for (int i = 0; i < size_; ++i) static_cast<value_facts&>(values[i]) = facts.begin()[i];
    for (int i = 0; i < size_; ++i)
      for (int k = 0; k < 3 && code_[i].operand[k] >= 0; ++k) ++values[code_[i].operand[k]].uses;
    for (int k = 0; k < outputs_.size(); ++k) values[outputs_[k]].uses = 2;
  }

  /// Marks what is evaluated where it is used: what only one instruction uses, and what is cheaper to evaluate again than to store
  /// because it reads one argument at most. Either depends on nothing but arguments.
  constexpr bool make_lazy(int i) {
    const instruction& x = code_[i];
    if (x.flags & saved_flag) return false;
    int flops = info_of(x.operation).flops, source = -1, cone = 1;
    bool several = false;
    for (int k = 0; k < 3 && x.operand[k] >= 0; ++k) {
      const int b = v_[x.operand[k]].base;
      const fused_value& of = v_[b];
      if (of.number) continue;
      if (!of.lazy && code_[of.root].operation != opcode_of<operation::argument>) return false;
      const int from = of.lazy ? of.source : b;
      if (of.lazy) flops += of.lazy_flops, cone += of.cone;
      if (from < 0) continue;
      several = several || (source >= 0 && from != source), source = from;
    }
    if (!options_.fuse && source >= 0) return false;
    // Where it is used it is found by recursion, which stays shallow.
    if (cone > 32 || ((flops > 8 || several) && v_[i].uses != 1)) return false;
    if (several) flops = max_kernel_entries;  // never cheap for whoever uses it
    v_[i].lazy = true, v_[i].cone = static_cast<std::int16_t>(cone), v_[i].lazy_flops = static_cast<std::int16_t>(flops), v_[i].source = static_cast<std::int16_t>(source);
    return true;
  }

  /// A lazy value that must exist in memory gets a place after all.
  constexpr void materialise(int i) {
    const int root = v_[i].root;
    if (v_[root].lazy && v_[root].home < 0) place(root);
  }

  constexpr void open(kernel_group::kind_t kind, int i) {
    kernel_group g;
    g.kind = kind;
    g.product = static_cast<std::int16_t>(i);
    if (kind == kernel_group::contract) {
      for (int a = 0; v_[i].wide >> a != 0; ++a)
        if (v_[i].wide >> a & 1) g.extent[g.axes++] = shapes_[code_[i].shape].extent[a], v_[i].iteration |= static_cast<packed_axes>(g.axes) << 4 * a;
      v_[i].result = v_[i].iteration;
    }
    f_.groups.push_back(g);
    v_[i].home = v_[i].reader = static_cast<std::int16_t>(f_.groups.size() - 1);
  }

  /// The last group that computes or reads what an operand is made of.
  constexpr std::int16_t& reader_of(int operand) {
    const int b = v_[operand].base;
    return v_[v_[b].source >= 0 ? v_[b].source : b].reader;
  }

  constexpr void place(int i) {
    const std::int16_t* const operand = code_[i].operand;
    int earliest = 0, first = -1;
    for (int k = 0; k < 3 && operand[k] >= 0; ++k) {
      const int b = v_[operand[k]].base, root = v_[b].root;
      const int needs = v_[root].home + (b == root ? 0 : 1);
      earliest = needs > earliest ? needs : earliest;
    }
    const int groups = f_.groups.size();
    if (options_.fuse) {
      for (int k = 0; k < 3 && operand[k] >= 0; ++k)
        if (v_[v_[operand[k]].base].home == earliest) first = earliest;
      if (first >= 0 && join(i, first)) return;
      int tried[3] = {-1, -1, -1};
      for (int k = 0; k < 3 && operand[k] >= 0; ++k) {
        tried[k] = reader_of(operand[k]);
        if (tried[k] < earliest || tried[k] == first || (k > 0 && tried[k] == tried[0]) || (k > 1 && tried[k] == tried[1])) continue;
        if (join(i, tried[k])) return;
      }
      // Independent work over the very same loops shares a kernel.
      const int last = groups - 1;
      if (last >= earliest && f_.groups.begin()[last].members > 0 && same_loops(i, last) && join(i, last)) return;
    }
    f_.groups.push_back({});
    join(i, groups);
  }

  constexpr bool same_loops(int i, int g) const {
    const int like = v_[i].family == family::reduce ? code_[i].operand[0] : i;
    const extent_t* const extent = shapes_[code_[like].shape].extent;
    const kernel_group& k = f_.groups.begin()[g];
    int id = 0;
    for (int a = 0; v_[like].wide >> a != 0; ++a)
      if ((v_[like].wide >> a & 1) && (id == k.axes || k.extent[id++] != extent[a])) return false;
    // What is the same along a row belongs before or after the row.
    return id == k.axes || (k.row_known && id > 0 && ((1u << k.axes) - 1) >> id << id == k.row);
  }

  /// The axes of the group that a reduction is over, if its operand's axes run along `ids`.
  static constexpr unsigned reduced_axes(packed_axes ids, std::int32_t attribute) {
    unsigned over = 0;
    for (auto axes = static_cast<unsigned>(attribute); axes != 0; axes >>= 1, ids >>= 4)
      if ((axes & 1) && (ids & 15) != 0 && (ids & 15) != added_axis) over |= 1u << ((ids & 15) - 1);
    return over;
  }

  /// Adds instruction i to group g if their loops agree.
  constexpr bool join(int i, int g) {
    kernel_group& k = f_.groups.begin()[g];
    if (k.kind == kernel_group::embed || k.members >= max_kernel_entries / 3) return false;
    const instruction& x = code_[i];
    const bool reduces = v_[i].family == family::reduce;
    const int like = reduces ? x.operand[0] : i;
    unsigned used = 0, unplaced = v_[like].wide;  // axes of the kernel that it has, axes of it that run along none yet
    packed_axes ids = 0;
    int level = 0;
    bool row_known = k.row_known;
    unsigned row = k.row;
    for (int o = 0; o < 3 && x.operand[o] >= 0; ++o) {
      const fused_value& operand = v_[x.operand[o]];
      const fused_value& base = v_[operand.base];
      if (base.home != g) {
        if (v_[base.root].home >= g) return false;  // a view of what this very kernel computes
        continue;
      }
      if (base.family == family::reduce && !consume(k, base.reduced, row_known, row)) return false;
      level = base.level > level ? base.level : level;
      const packed_axes along = axes_through(operand.axes, base.result);
      if (along == ids && (operand.wide & unplaced) == 0) continue;
      for (int a = 0; operand.wide >> a != 0; ++a) {
        if (!(operand.wide >> a & 1)) continue;
        const unsigned id = along >> 4 * a & 15, before = ids >> 4 * a & 15;
        if (id == 0 || (before != 0 ? before != id : (used << 1 >> id & 1) != 0)) return false;
        ids |= id << 4 * a, used |= 1u << id >> 1, unplaced &= ~(1u << a);
      }
    }
    // Axes that only operands in memory have: any unused axis of the kernel with that extent, the same position first.
    const shape& s = shapes_[code_[like].shape];
    int added = 0;
    for (int a = s.rank - 1; unplaced != 0 && a >= 0; --a) {
      if (!(unplaced >> a & 1)) continue;
      unplaced &= ~(1u << a);
      int found = -1;
      if (k.axes == s.rank && k.extent[a] == s.extent[a] && !(used >> a & 1)) found = a;
      for (int id = k.axes - 1; id >= 0 && found < 0; --id)
        if (k.extent[id] == s.extent[a] && !(used >> id & 1)) found = id;
      if (found < 0) {
        if (k.reduction_kinds > 0 || k.kind == kernel_group::contract || k.axes + added == max_rank) return false;
        ++added;
        ids |= added_axis << 4 * a;
      } else ids |= static_cast<packed_axes>(found + 1) << 4 * a, used |= 1u << found;
    }
    // Axes of the kernel that this does not have: it would be reduced, or stored, once for every position along them. A row is no
    // such axis once it is known to be one.
    const unsigned missing = ((1u << k.axes) - 1) & ~used & ~(row_known ? row : 0u);
    if (reduces && missing != 0 && (!row_known || reduced_axes(ids, x.attribute) != row)) return false;
    if (!options_.mixed_axes && k.axes > 0 && (missing != 0 || added != 0)) return false;
    int axes = k.axes;
    for (int a = 0; added != 0; ++a)  // new axes, outermost first
      if ((ids >> 4 * a & 15) == added_axis) {
        k.extent[axes++] = s.extent[a];
        ids = (ids & ~(added_axis << 4 * a)) | static_cast<packed_axes>(axes) << 4 * a;
        --added;
      }
    packed_axes result = ids;
    if (reduces) {
      const unsigned over = reduced_axes(ids, x.attribute);
      if (row_known && (over & row) != 0 && (over & row) != row) return false;
      bool known = false;
      for (int r = 0; r < k.reduction_kinds; ++r) known = known || k.reductions[r] == over;
      if (!known && k.reduction_kinds == max_rank) return false;
      if (++level >= max_passes) return false;
      if (!known) k.reductions[k.reduction_kinds++] = static_cast<std::uint8_t>(over);
      v_[i].reduced = static_cast<std::uint8_t>(over);
      for (int a = 0; a < s.rank; ++a)
        if (x.attribute >> a & 1) result &= ~(15u << 4 * a);
    }
    if (level >= max_passes) return false;
    const auto member = static_cast<std::int16_t>(i), group = static_cast<std::int16_t>(g);
    v_[i].level = static_cast<std::int8_t>(level), v_[i].iteration = ids, v_[i].result = result, v_[i].home = v_[i].reader = group;
    k.axes = static_cast<std::int8_t>(axes), k.row_known = row_known, k.row = static_cast<std::uint8_t>(row);
    (k.last >= 0 ? v_[k.last].next : k.first) = member, k.last = member, ++k.members;
    for (int o = 0; o < 3 && x.operand[o] >= 0; ++o) {
      std::int16_t& reader = reader_of(x.operand[o]);
      reader = reader > group ? reader : group;
    }
    return true;
  }

  /// Whether the result of a reduction over some axes can be read again in its own kernel: only if it is over exactly the row axes.
  constexpr bool consume(const kernel_group& k, unsigned over, bool& row_known, unsigned& row) const {
    if (!options_.mixed_axes && (over & (over - 1)) != 0) return false;
    if (row_known) return over == row;
    for (int j = 0; j < k.reduction_kinds; ++j)
      if ((k.reductions[j] & over) != 0 && (k.reductions[j] & over) != over) return false;
    row_known = true, row = over;
    return true;
  }

  static constexpr packed_axes added_axis = 15;  // an axis that the kernel is yet to get

  const list<std::int16_t>& outputs_;
  const instruction* code_;
  const shape* shapes_;
  plan_options options_;
  fusion& f_;
  int size_;
  fused_value* v_ = nullptr;
};

}  // namespace detail

/// Assigns instructions from … to - 1 to kernels greedily, in order: each joins the kernel of its operands if the loops agree. `f` holds
/// what was decided about those before. O(n).
constexpr void fuse(const program& p, const plan_options& options, int from, int to, fusion& f) { detail::fuser(p, options, f).run(from, to); }

/// Assigns all of them.
constexpr fusion fuse(const program& p, const plan_options& options) {
  fusion f;
  fuse(p, options, 0, p.size(), f);
  return f;
}

}  // namespace fluxion::graph
