/// Fusion: decides which instructions share a kernel. A kernel is one loop nest: outer axes, row axes, several passes over a row.
#pragma once
#include "eliminate_dead_code.hpp"
#include "view_base.hpp"

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
  std::int16_t product = -1;         // of a contraction, or the value of an embed
  std::int8_t axes = 0;
  std::int8_t reduction_kinds = 0;   // distinct sets of reduced axes
  std::int16_t members = 0;
  std::int16_t first = -1, last = -1;  // linked list of members, in order
  unsigned row = 0;                  // the axes that are reduced and read again in the kernel
  unsigned reductions[max_rank]{};
  extent_t extent[max_rank]{};
};

/// Which kernel computes what. Indexed by instruction.
struct fusion {
  list<kernel_group> groups;
  list<std::int16_t> home;         // group that computes it; -1 for leaves, views and what is recomputed where it is used
  list<std::int16_t> next;         // next member of the same group
  list<axis_map> iteration;        // axes of the loop in which it is evaluated -> axes of its group
  list<bool> lazy;                 // cheap and made of constants, scalars, positions and at most one argument: evaluated where it is used
};

namespace detail {

class fuser {
 public:
  constexpr fuser(const program& p, const plan_options& options) : p_(p), options_(options) {
    f_.home.assign(p.size(), -1);
    f_.next.assign(p.size(), -1);
    f_.iteration.assign(p.size(), axis_map{});
    f_.lazy.assign(p.size(), false);
    lazy_flops_.assign(p.size(), std::int16_t{0});
    source_.assign(p.size(), std::int16_t{-1});
    cone_.assign(p.size(), std::int16_t{1});
    uses_.assign(p.size(), std::int16_t{0});
    for (int i = 0; i < p.size(); ++i)
      for (int k = 0; k < 3; ++k)
        if (p[i].operand[k] >= 0) ++uses_[p[i].operand[k]];
    for (int k = 0; k < p.outputs.size(); ++k) uses_[p.outputs[k]] = 2;
    level_.assign(p.size(), 0);
    reduced_.assign(p.size(), 0u);
    reader_.assign(p.size(), std::int16_t{-1});
  }

  constexpr fusion run() {
    for (int i = 0; i < p_.size(); ++i) {
      switch (p_.family_of(i)) {
        case family::leaf: break;
        case family::generate:
          f_.lazy[i] = true;
          lazy_flops_[i] = p_.is<operation::uniform>(i) ? 8 : 1;
          break;
        case family::view:
          if (p_.is<operation::embed>(i)) {
            materialise(p_[i].operand[0]);
            open(kernel_group::embed, i);
          } else if (!is_free_view(p_, i)) materialise(i);
          break;
        case family::contract:
          materialise(p_[i].operand[0]);
          materialise(p_[i].operand[1]);
          open(kernel_group::contract, i);
          break;
        default:
          if (!make_lazy(i)) place(i);
      }
    }
    for (int k = 0; k < p_.outputs.size(); ++k) materialise(p_.outputs[k]);
    return static_cast<fusion&&>(f_);
  }

 private:
  constexpr bool is_leaf(int i) const {
    return p_.is<operation::constant>(i) || p_.is<operation::scalar>(i) || p_.is<operation::count>(i);
  }

  /// Marks what is evaluated where it is used: what only one instruction uses, and what is cheaper to evaluate again than to store
  /// because it reads one argument at most. Either depends on nothing but arguments.
  constexpr bool make_lazy(int i) {
    if (p_.family_of(i) != family::map) return false;
    int flops = info_of(p_[i].operation).flops, source = -1;
    int cone = 1;
    bool several = false;
    for (int k = 0; k < 3; ++k) {
      if (p_[i].operand[k] < 0) continue;
      const int b = look_through(p_, p_[i].operand[k]).base;
      if (is_leaf(b)) continue;
      int from = -1;
      if (f_.lazy[b]) {
        flops += lazy_flops_[b];
        cone += cone_[b];
        from = source_[b];
      } else if (p_.is<operation::argument>(root_of(p_, b))) from = b;
      else return false;
      if (from >= 0 && source >= 0 && from != source) several = true;
      source = from >= 0 ? from : source;
    }
    if (!options_.fuse && source >= 0) return false;
    // Where it is used it is found by recursion, which stays shallow.
    if (cone > 32 || ((flops > 8 || several) && uses_[i] != 1)) return false;
    cone_[i] = static_cast<std::int16_t>(cone);
    if (several) flops = max_kernel_entries;  // never cheap for whoever uses it
    f_.lazy[i] = true;
    lazy_flops_[i] = static_cast<std::int16_t>(flops);
    source_[i] = static_cast<std::int16_t>(source);
    return true;
  }

  /// A lazy value that must exist in memory gets a place after all.
  constexpr void materialise(int i) {
    const int root = root_of(p_, i);
    if (f_.lazy[root] && f_.home[root] < 0) place(root);
  }

  constexpr void open(kernel_group::kind_t kind, int i) {
    kernel_group g;
    g.kind = kind;
    g.product = static_cast<std::int16_t>(i);
    const shape& s = p_.shape_of(i);
    if (kind == kernel_group::contract)
      for (int a = 0; a < s.rank; ++a) {
        if (s.extent[a] == 1) continue;
        f_.iteration[i].axis[a] = g.axes;
        g.extent[g.axes++] = s.extent[a];
      }
    f_.groups.push_back(g);
    f_.home[i] = static_cast<std::int16_t>(f_.groups.size() - 1);
    reader_[i] = f_.home[i];
  }

  constexpr void place(int i) {
    int earliest = 0;
    for (int k = 0; k < 3; ++k) {
      if (p_[i].operand[k] < 0) continue;
      const int b = look_through(p_, p_[i].operand[k]).base, root = root_of(p_, b);
      const int needs = b == root ? f_.home[root] : f_.home[root] + 1;
      earliest = needs > earliest ? needs : earliest;
    }
    if (options_.fuse) {
      int tried[4] = {-1, -1, -1, -1}, count = 0;
      for (int k = -1; k < 3; ++k) {
        int candidate = -1;
        if (k < 0) {
          for (int o = 0; o < 3; ++o)
            if (p_[i].operand[o] >= 0 && f_.home[look_through(p_, p_[i].operand[o]).base] == earliest) candidate = earliest;
        } else if (p_[i].operand[k] >= 0) {
          const int b = look_through(p_, p_[i].operand[k]).base;
          candidate = reader_[source_[b] >= 0 ? source_[b] : b];
        }
        if (candidate < earliest) continue;
        bool again = false;
        for (int t = 0; t < count; ++t) again = again || tried[t] == candidate;
        if (again) continue;
        tried[count++] = candidate;
        if (join(i, candidate)) return;
      }
      // Independent work over the very same loops shares a kernel.
      const int last = f_.groups.size() - 1;
      if (last >= earliest && f_.groups[last].members > 0 && same_loops(i, last) && join(i, last)) return;
    }
    f_.groups.push_back({});
    if (!join(i, f_.groups.size() - 1)) failed_ = true;
  }

  constexpr bool same_loops(int i, int g) const {
    const shape& s = p_.family_of(i) == family::reduce ? p_.shape_of(p_[i].operand[0]) : p_.shape_of(i);
    const kernel_group& k = f_.groups[g];
    int id = 0;
    for (int a = 0; a < s.rank; ++a) {
      if (s.extent[a] == 1) continue;
      if (id == k.axes || k.extent[id] != s.extent[a]) return false;
      ++id;
    }
    // What is the same along a row belongs before or after the row.
    return id == k.axes || (k.row_known && id > 0 && ((1u << k.axes) - 1) >> id << id == k.row);
  }

  constexpr bool is_reduce(int i) const { return p_.family_of(i) == family::reduce; }

  /// Adds instruction i to group g if their loops agree.
  constexpr bool join(int i, int g) {
    kernel_group k = f_.groups[g];
    if (k.kind == kernel_group::embed || k.members >= max_kernel_entries / 3) return false;
    const bool reduces = is_reduce(i);
    const shape& s = reduces ? p_.shape_of(p_[i].operand[0]) : p_.shape_of(i);
    axis_map ids;
    unsigned used = 0;
    int level = 0;
    for (int o = 0; o < 3; ++o) {
      const int operand = p_[i].operand[o];
      if (operand < 0) continue;
      const base_use u = look_through(p_, operand);
      if (f_.home[u.base] != g) {
        if (f_.home[root_of(p_, u.base)] >= g) return false;  // a view of what this very kernel computes
        continue;
      }
      if (is_reduce(u.base) && !consume(k, u.base)) return false;
      level = level_[u.base] > level ? level_[u.base] : level;
      const shape& t = p_.shape_of(operand);
      for (int a = 0; a < t.rank; ++a) {
        if (t.extent[a] == 1) continue;
        const std::int8_t id = value_axis(u.base, u.axis[a]);
        if (id < 0 || (ids.axis[a] >= 0 && ids.axis[a] != id)) return false;
        if (ids.axis[a] < 0 && (used >> id & 1)) return false;
        ids.axis[a] = id;
        used |= 1u << id;
      }
    }
    // Axes that only operands in memory have: any unused axis of the kernel with that extent, the same position first.
    int added = 0;
    for (int a = s.rank - 1; a >= 0; --a) {
      if (s.extent[a] == 1 || ids.axis[a] >= 0) continue;
      int found = -1;
      if (k.axes == s.rank && k.extent[a] == s.extent[a] && !(used >> a & 1)) found = a;
      for (int id = k.axes - 1; id >= 0 && found < 0; --id)
        if (k.extent[id] == s.extent[a] && !(used >> id & 1)) found = id;
      if (found < 0) {
        if (k.reduction_kinds > 0 || k.kind == kernel_group::contract || k.axes + added == max_rank) return false;
        ++added;
        found = -2;
      }
      ids.axis[a] = static_cast<std::int8_t>(found);
      if (found >= 0) used |= 1u << found;
    }
    // Axes of the kernel that this does not have: it would be reduced, or stored, once for every position along them. A row is no
    // such axis once it is known to be one.
    const unsigned missing = ((1u << k.axes) - 1) & ~used & ~(k.row_known ? k.row : 0u);
    if (reduces && missing != 0) {
      unsigned over = 0;
      for (int a = 0; a < s.rank; ++a)
        if (ids.axis[a] >= 0 && (p_[i].attribute >> a & 1)) over |= 1u << ids.axis[a];
      if (!k.row_known || over != k.row) return false;
    }
    if (!options_.mixed_axes && k.axes > 0) {
      if (missing != 0) return false;
      for (int a = 0; a < s.rank; ++a)
        if (ids.axis[a] == -2) return false;
    }
    for (int a = 0; a < s.rank; ++a)  // new axes, outermost first
      if (ids.axis[a] == -2) {
        ids.axis[a] = k.axes;
        k.extent[k.axes++] = s.extent[a];
      }
    if (reduces) {
      unsigned over = 0;
      for (int a = 0; a < s.rank; ++a)
        if (ids.axis[a] >= 0 && (p_[i].attribute >> a & 1)) over |= 1u << ids.axis[a];
      if (k.row_known && (over & k.row) != 0 && (over & k.row) != k.row) return false;
      bool known = false;
      for (int r = 0; r < k.reduction_kinds; ++r) known = known || k.reductions[r] == over;
      if (!known) {
        if (k.reduction_kinds == max_rank) return false;
        k.reductions[k.reduction_kinds++] = over;
      }
      reduced_[i] = over;
      ++level;
    }
    if (level >= max_passes) return false;
    level_[i] = level;
    f_.iteration[i] = ids;
    f_.home[i] = static_cast<std::int16_t>(g);
    if (k.last >= 0) f_.next[k.last] = static_cast<std::int16_t>(i);
    else k.first = static_cast<std::int16_t>(i);
    k.last = static_cast<std::int16_t>(i);
    ++k.members;
    f_.groups[g] = k;
    reader_[i] = static_cast<std::int16_t>(g);
    for (int o = 0; o < 3; ++o)
      if (p_[i].operand[o] >= 0) {
        const int b = look_through(p_, p_[i].operand[o]).base;
        std::int16_t& reader = reader_[source_[b] >= 0 ? source_[b] : b];
        reader = reader > g ? reader : static_cast<std::int16_t>(g);
      }
    return true;
  }

  /// The group's axis along which axis a of a member runs.
  constexpr std::int8_t value_axis(int i, int a) const {
    if (is_reduce(i) && (p_[i].attribute >> a & 1)) return -1;
    return f_.iteration[i].axis[a];
  }

  /// Whether the result of reduction r can be read again in its own kernel: only if it is over exactly the row axes.
  constexpr bool consume(kernel_group& k, int r) const {
    const unsigned over = reduced_[r];
    if (!options_.mixed_axes && (over & (over - 1)) != 0) return false;
    if (k.row_known) return over == k.row;
    for (int j = 0; j < k.reduction_kinds; ++j)
      if ((k.reductions[j] & over) != 0 && (k.reductions[j] & over) != over) return false;
    k.row_known = true;
    k.row = over;
    return true;
  }

  const program& p_;
  plan_options options_;
  fusion f_;
  list<std::int16_t> lazy_flops_;
  list<std::int16_t> cone_;    // how many instructions a lazy value stands for
  list<std::int16_t> uses_;    // how many operands it is; an output counts as used elsewhere
  list<std::int16_t> source_;  // the argument (or view of one) that a lazy value reads
  list<int> level_;           // passes over a row that must be complete before it
  list<unsigned> reduced_;    // axes of its group that a reduction is over
  list<std::int16_t> reader_; // last group that computes or reads it
  bool failed_ = false;
};

}  // namespace detail

/// Assigns instructions to kernels greedily, in order: each joins the kernel of its operands if the loops agree. O(n).
constexpr fusion fuse(const program& p, const plan_options& options) { return detail::fuser(p, options).run(); }

}  // namespace fluxion::graph
