/// The tape: what `Var` records, in the order in which it happened. A node is an evaluated statement; its backward is the static adjoint of that
/// statement's program, computed from the statement's inputs.
#pragma once
#include "../core/arena.hpp"
#include "../graph/pass/differentiate.hpp"
#include "../tensor/function.hpp"

#include <cstddef>
#include <new>
#include <utility>

namespace fluxion {

namespace detail {

/// A recorded statement. Its memory is the tape's.
struct TapeNode {
  TapeNode* previous = nullptr;
  void (*backward)(TapeNode&) = nullptr;
  void (*destroy)(TapeNode&) = nullptr;
  bool has_adjoint = false;
};

}  // namespace detail

/// One thread's recorded statements, with their values and adjoints in memory that is kept from one recording to the next.
class Tape {
 public:
  Tape() = default;
  Tape(const Tape&) = delete;
  Tape& operator=(const Tape&) = delete;
  ~Tape() { release(); }

  static Tape& of_this_thread() {
    thread_local Tape tape;
    return tape;
  }

  /// Forgets everything; variables recorded so far can no longer be used.
  void clear() {
    release();
    arena_.roll_back({0, 0});
    released_ = false;
    ++epoch_;
  }

  /// How many statements are recorded.
  std::size_t size() const { return size_; }
  /// Changes whenever the memory of values is used anew.
  std::size_t epoch() const { return epoch_; }
  bool is_released() const { return released_; }

  /// Called before something is recorded: after a backward pass the recording begins anew.
  void prepare() {
    if (released_) clear();
  }
  std::byte* take(std::size_t bytes) { return arena_.take(bytes); }
  void append(detail::TapeNode& node) {
    node.previous = std::exchange(last_, &node);
    ++size_;
  }

  /// Runs the adjoints of everything recorded up to a node, which has one, in reverse.
  void sweep(detail::TapeNode& from, bool retain_graph) {
    detail::TapeNode* node = last_;
    while (node != &from) node = node->previous;
    for (; node; node = node->previous)
      if (std::exchange(node->has_adjoint, false)) node->backward(*node);
    if (!retain_graph) release();
  }

 private:
  // Values stay readable until something is recorded.
  void release() {
    for (detail::TapeNode* node = std::exchange(last_, nullptr); node;) {
      detail::TapeNode* const previous = node->previous;
      node->destroy(*node);
      node = previous;
    }
    size_ = 0;
    released_ = true;
  }

  Arena arena_;
  detail::TapeNode* last_ = nullptr;
  std::size_t size_ = 0, epoch_ = 0;
  bool released_ = false;
};

namespace detail {

template <class T, class E>
struct ValueNode : TapeNode {
  E extents{};
  T* value = nullptr;
  T* adjoint = nullptr;
  layout_right::mapping<E> mapping() const { return layout_right::mapping<E>(extents); }
  T* adjoint_memory() {
    if (!adjoint) adjoint = reinterpret_cast<T*>(Tape::of_this_thread().take(static_cast<std::size_t>(extents.size()) * sizeof(T)));
    return adjoint;
  }
};

/// What a variable is in an expression.
template <class T, class E>
struct VariableReference {
  ValueNode<T, E>* node;
  std::size_t epoch;
};

}  // namespace detail

template <class T, class E>
struct argument_traits<detail::VariableReference<T, E>> {
  using leaf = detail::VariableReference<T, E>;
  static constexpr int arguments = 1, scalars = 0;
  static constexpr Symbol lower(detail::lowering& l) {
    return {l.program, detail::lower_argument<E>(l, element_type_of<T>, false)};
  }
  static void bind(const leaf& x, auto& b) { b.add(static_cast<const T*>(x.node->value), x.node->mapping()); }
  static bool changed(const leaf& x) { return x.epoch != Tape::of_this_thread().epoch(); }
};

namespace detail {

/// The leaves of an expression that have a gradient: `numbers` appends their argument numbers, `each` calls f(leaf) in the same order, where a
/// leaf is a parameter or a node of the tape. References to parameters and models say theirs by members of such names.
template <class X>
struct gradient_leaves {
  static constexpr void numbers(list<int>& wrt, int& next) {
    if constexpr (requires { X::gradient_numbers(wrt, next); }) X::gradient_numbers(wrt, next);
    else next += argument_traits<X>::arguments;
  }
  template <class F>
  static void each([[maybe_unused]] const X& x, F&& f) {
    if constexpr (requires { x.each_gradient(f); }) x.each_gradient(f);
  }
};
template <class T, class E>
struct gradient_leaves<VariableReference<T, E>> {
  static constexpr void numbers(list<int>& wrt, int& next) { wrt.push_back(next++); }
  template <class F>
  static void each(const VariableReference<T, E>& x, F&& f) { f(*x.node); }
};
template <class G, class... X>
struct gradient_leaves<Node<G, X...>> {
  static constexpr void numbers(list<int>& wrt, int& next) { (gradient_leaves<X>::numbers(wrt, next), ...); }
  template <class F>
  static void each(const Node<G, X...>& x, F&& f) {
    x.apply([&](const auto&... child) { (gradient_leaves<std::remove_cvref_t<decltype(child)>>::each(child, f), ...); });
  }
};

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

template <class X>
struct StatementNode : ValueNode<typename expression_result<X>::value_type, typename expression_result<X>::extents_type> {
  using T = typename expression_result<X>::value_type;
  X expression;
  explicit StatementNode(const X& x) : expression(x) {
    this->backward = [](TapeNode& node) { static_cast<StatementNode&>(node).run_backward(); };
    this->destroy = [](TapeNode& node) { static_cast<StatementNode&>(node).~StatementNode(); };
  }

  static constexpr int leaves = [] {
    list<int> numbers;
    int next = 0;
    gradient_leaves<X>::numbers(numbers, next);
    return numbers.size();
  }();

  /// An adjoint that has been computed beside the one that was there already.
  struct addend {
    const std::byte* from;
    std::byte* to;
    index_t size;
    element_type type;
  };

  void run_backward() {
    if constexpr (leaves > 0) {
      check_unchanged(expression);
      plan_call<adjoint_source<X>> call;
      binder b = call.make_binder();
      argument_traits<X>::bind(expression, b);
      b.add(static_cast<const T*>(this->adjoint), this->mapping());
      call.check();
      ArenaScope scratch;
      graph::descriptor outputs[leaves];
      addend addends[leaves];
      int leaf = 0, added = 0;
      const auto place = [&]<class U, class Mapping>(U* memory, const Mapping& mapping, bool overwrite, bool discard) {
        const index_t size = mapping.extents().size();
        U* target = memory;
        if (!overwrite) target = scratch.template take<U>(static_cast<std::size_t>(size));
        if (!overwrite && !discard)
          addends[added++] = {reinterpret_cast<const std::byte*>(target), reinterpret_cast<std::byte*>(memory), size, element_type_of<U>};
        outputs[leaf++] = describe(target, mapping);
      };
      gradient_leaves<X>::each(expression, [&]<class L>(L& x) {
        if constexpr (std::is_base_of_v<TapeNode, L>) {
          const bool first = !std::exchange(x.has_adjoint, true);
          place(x.adjoint_memory(), x.mapping(), first, false);
        } else {
          using U = typename L::value_type;
          if (!x.requires_grad()) place(static_cast<U*>(nullptr), x.mapping(), false, true);
          else if (!x.has_grad()) place(x.overwrite_grad().data(), x.mapping(), true, false);
          else place(x.grad().data(), x.mapping(), false, false);
        }
      });
      call.run(outputs);
      for (int k = 0; k < added; ++k) {
        const addend& a = addends[k];
        dispatch(a.type, [&](auto zero) {
          using U = decltype(zero);
          if constexpr (std::is_floating_point_v<U>) {
            auto* to = reinterpret_cast<U*>(a.to);
            const auto* from = reinterpret_cast<const U*>(a.from);
            for (index_t i = 0; i < a.size; ++i) to[i] += from[i];
          }
        });
      }
    }
  }
};

}  // namespace detail
}  // namespace fluxion
