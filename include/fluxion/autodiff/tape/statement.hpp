/// The node of a recorded statement: an expression, and the static adjoint of its program.
#pragma once
#include "../../graph/pass/differentiate.hpp"
#include "../../tensor/function.hpp"
#include "description.hpp"
#include "gradient.hpp"
#include "saved.hpp"

#include <cstddef>
#include <utility>

namespace fluxion::detail {

/// Records the adjoints of an expression's leaves; the last argument is the adjoint of its value.
template <class X>
struct adjoint_source {
  static constexpr graph::program make() {
    graph::program p;
    lowering l{p};
    const Symbol y = argument_traits<X>::lower(l);
    list<int> numbers, wrt, outputs, seeds;
    int next = 0;
    gradient_leaves<X>::numbers(numbers, next);
    for (int number : numbers)
      for (int i = 0; i < p.size(); ++i)
        if (p.is<operation::argument>(i) && p[i].attribute == number) {
          wrt.push_back(i);
          break;
        }
    graph::shape s = y.shape();
    for (int axis = 0; axis < s.rank; ++axis)
      if (graph::is_symbol(s.extent[axis])) s.extent[axis] = -1;
    seeds.push_back(p.argument(l.arguments, y.type(), s));
    outputs.push_back(y.index());
    for (int d : graph::append_adjoints(p, outputs, seeds, wrt)) p.outputs.push_back(static_cast<std::int16_t>(d));
    return p;
  }
};

/// Whether gradients of a plan may have larger extents than what they belong to: where a run-time extent of 1 may have been broadcast.
constexpr bool may_have_broadcast(const graph::plan_view& v) {
  for (int i = 0; i < v.check_count; ++i)
    if (v.checks[i].kind == graph::extent_check::broadcast) return true;
  return false;
}

/// Finds the memory that a node's gradients are computed into, and adds them to what is there already.
template <int Leaves>
class GradientWriter {
 public:
  GradientWriter(Sweep& sweep, const TapeNode& node)
      : sweep_(sweep), node_(node), is_watched_(autograd_state.anomaly || (node.extras && node.extras->after.any())) {}

  graph::descriptor outputs[Leaves];

  /// The next leaf; `extents` are those of its gradient, or null where they are the leaf's own.
  template <class L>
  void place(L& leaf, const index_t* extents) {
    place_of_leaf& p = places_[count_];
    if constexpr (std::is_base_of_v<TapeNode, L>) {
      p.type = leaf.type;
      p.rank = leaf.rank;
      for (int axis = 0; axis < p.rank; ++axis) p.to_extents[axis] = leaf.extent[axis];
    } else {
      p.type = element_type_of<typename L::value_type>;
      p.rank = L::rank();
      const auto e = leaf.extents();
      for (int axis = 0; axis < p.rank; ++axis) p.to_extents[axis] = e.extent(axis);
    }
    p.target = sweep_.target_of(leaf);
    graph::descriptor& d = outputs[count_];
    bool aside = !p.target.overwrite || is_watched_;
    index_t size = 1;
    for (int axis = p.rank; axis-- > 0;) {
      d.extent[axis] = extents ? extents[axis] : p.to_extents[axis];
      d.stride[axis] = size;
      size *= d.extent[axis];
      aside = aside || d.extent[axis] != p.to_extents[axis];
    }
    p.aside = aside;
    d.data = aside ? scratch_.template take<std::byte>(static_cast<std::size_t>(size) * size_of(p.type)) : p.target.memory;
    ++count_;
  }

  /// After the gradients were computed.
  void finish() {
    if (is_watched_) watch();
    for (int k = 0; k < Leaves; ++k) {
      const place_of_leaf& p = places_[k];
      if (p.aside) add_elements(p.type, p.target.memory, p.to_extents, outputs[k].data, outputs[k].extent, p.rank, p.target.overwrite);
    }
  }

 private:
  struct place_of_leaf {
    GradientTarget target;
    element_type type;
    int rank;
    bool aside;
    index_t to_extents[max_rank];
  };

  FLUXION_COLD void watch() {
    AnyGradient gradients[Leaves];
    for (int k = 0; k < Leaves; ++k)
      gradients[k] = {places_[k].target.memory ? outputs[k].data : nullptr, places_[k].type, places_[k].rank, outputs[k].extent};
    if (autograd_state.anomaly) autograd_state.anomaly->backward(node_, gradients, Leaves);
    if (node_.extras) {
      const AnyGradient output{node_.adjoint, node_.type, node_.rank, node_.extent};
      node_.extras->after.each([&](NodeHook& hook) { hook.call(output, gradients, Leaves); });
    }
  }

  Sweep& sweep_;
  const TapeNode& node_;
  ArenaScope scratch_;
  place_of_leaf places_[Leaves];
  int count_ = 0;
  bool is_watched_;
};

/// Shares in the tensors that an expression has views of: views themselves cannot tell whether they were written since. Those of borrowed memory
/// and of small static tensors cannot be watched.
template <int Views>
class WatchedViews {
 public:
  template <class X>
  explicit WatchedViews(const X& expression) {
    int k = 0;
    each_leaf(expression, [&](const auto& x) {
      if constexpr (is_view<std::remove_cvref_t<decltype(x)>>) shares_[k++] = x.origin().share();
    });
  }
  bool changed() const {
    for (const SharedBlock& share : shares_)
      if (share.changed()) return true;
    return false;
  }

 private:
  SharedBlock shares_[Views];
};
template <>
class WatchedViews<0> {
 public:
  explicit WatchedViews(const auto&) {}
  static constexpr bool changed() { return false; }
};

template <class X>
inline constexpr int view_leaves = is_view<X>;
template <class G, class... X>
inline constexpr int view_leaves<Node<G, X...>> = (view_leaves<X> + ... + 0);

template <class X>
struct StatementNode final : TapeNode {
  struct parts {
    X expression;
    [[no_unique_address]] WatchedViews<view_leaves<X>> views;
    template <class Given>
    explicit parts(Given&& x) : expression(std::forward<Given>(x)), views(expression) {}
  };
  union {
    parts held;
  };
  template <class Given>
  explicit StatementNode(Given&& x) : held(std::forward<Given>(x)) {}
  ~StatementNode() override { StatementNode::release(); }

  void release() override {
    if (!std::exchange(is_held, false)) return;
    if (extras) extras->saved.reset();
    held.~parts();
  }
  /// Keeps packed values in place of those that the expression has.
  void save(std::unique_ptr<SavedValues, DeleteSavedValues> values) {
    NodeExtras& own = extras_of(*this);
    let_go(*values, held.expression);
    own.saved = std::move(values);
  }

  static constexpr int leaves = count_gradient_leaves<X>();

  void backward(Sweep& sweep) override {
    if constexpr (leaves > 0) {
      if (StatementNode::changed()) raise_changed(*this);
      using call_type = plan_call<adjoint_source<X>>;
      call_type call;
      binder b = call.make_binder();
      argument_traits<X>::bind(held.expression, b);
      using value_extents = typename expression_result<X>::extents_type;
      using T = typename expression_result<X>::value_type;
      b.add(reinterpret_cast<const T*>(adjoint), mapping<value_extents>());
      const ArenaScope unpacked;
      if (extras && extras->saved) [[unlikely]] extras->saved->unpack(call.arguments, Arena::of_this_thread());
      call.check();
      GradientWriter<leaves> writer(sweep, *this);
      [[maybe_unused]] int k = 0;
      gradient_leaves<X>::each(held.expression, [&](auto& leaf) {
        if constexpr (may_have_broadcast(call_type::view)) {
          index_t extents[max_rank];
          graph::output_extents(call_type::view, k++, call.symbols, extents);
          writer.place(leaf, extents);
        } else {
          writer.place(leaf, nullptr);
        }
      });
      call.run(writer.outputs);
      writer.finish();
    }
  }
  bool changed() const override { return argument_traits<X>::changed(held.expression) || held.views.changed(); }
  void describe(NodeDescription& d) const override { describe_expression(held.expression, d); }

 private:
  bool is_held = true;
};

}  // namespace fluxion::detail
