/// Variables in expressions, and which leaves of an expression have a gradient.
#pragma once
#include "../../tensor/evaluate.hpp"
#include "../tape.hpp"

#include <cstddef>
#include <type_traits>

namespace fluxion {

namespace detail {

/// What a variable is in an expression.
template <class T, class E>
struct VariableReference {
  NodeHandle handle;
  std::size_t version;  // of the node when the expression was made

  explicit VariableReference(const NodeHandle& h) : handle(h), version(h.get()->version) {}
  TapeNode& node() const { return *handle.get(); }
  bool changed() const { return !handle.is_live() || node().version != version; }
};

}  // namespace detail

template <class T, class E>
struct argument_traits<detail::VariableReference<T, E>> {
  using leaf = detail::VariableReference<T, E>;
  static constexpr int arguments = 1, scalars = 0;
  static constexpr Symbol lower(detail::lowering& l) {
    return {l.program, detail::lower_argument<E>(l, element_type_of<T>, false)};
  }
  static void bind(const leaf& x, auto& b) { b.add(reinterpret_cast<const T*>(x.node().value), x.node().template mapping<E>()); }
  static bool changed(const leaf& x) { return x.changed(); }
};

namespace detail {

/// The leaves of an expression that have a gradient: `numbers` appends their argument numbers, `each` calls f(leaf) in the same order, where a
/// leaf is a parameter or a node. References to parameters and models say theirs by members of such names.
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
  static void each(const VariableReference<T, E>& x, F&& f) {
    f(x.node());
  }
};
template <class G, class... X>
struct gradient_leaves<Node<G, X...>> {
  static constexpr void numbers(list<int>& wrt, int& next) { (gradient_leaves<X>::numbers(wrt, next), ...); }
  template <class F>
  static void each(const Node<G, X...>& x, F&& f) {
    x.apply([&](const auto&... child) { (gradient_leaves<std::remove_cvref_t<decltype(child)>>::each(child, f), ...); });
  }
};

/// How many leaves of an expression have a gradient.
template <class X>
constexpr int count_gradient_leaves() {
  list<int> numbers;
  int next = 0;
  gradient_leaves<X>::numbers(numbers, next);
  return numbers.size();
}

/// Calls f(leaf) for every leaf of an expression.
template <class X, class F>
void each_leaf(const X& x, F&& f) {
  f(x);
}
template <class G, class... X, class F>
void each_leaf(const Node<G, X...>& x, F&& f) {
  x.apply([&](const auto&... child) { (each_leaf(child, f), ...); });
}

template <class X>
inline constexpr bool is_variable_reference = false;
template <class T, class E>
inline constexpr bool is_variable_reference<VariableReference<T, E>> = true;

/// Whether a leaf that has a gradient wants one.
inline bool wants_gradient(const TapeNode& x) { return x.requires_grad; }
template <class P>
  requires(!std::is_base_of_v<TapeNode, P>)
bool wants_gradient(const P& x) {
  return x.requires_grad();
}

/// Whether something computed from an expression is to be recorded. Raises ValueError if a variable in it is of a recording that has ended.
template <class X>
bool requires_gradient([[maybe_unused]] const X& expression) {
  bool any = false;
  if constexpr (count_gradient_leaves<X>() > 0) {
    each_leaf(expression, [](const auto& x) {
      if constexpr (is_variable_reference<std::remove_cvref_t<decltype(x)>>)
        if (!x.handle.is_live()) raise<ValueError>("a variable was used after its tape had begun anew");
    });
    gradient_leaves<X>::each(expression, [&](const auto& x) { any = any || wants_gradient(x); });
  }
  return any && is_grad_enabled();
}

/// Whether it can be: raises ValueError otherwise. Returns how many uses of the tape the expression is.
template <class X>
std::size_t check_recordable([[maybe_unused]] const X& expression, [[maybe_unused]] const Tape& tape) {
  std::size_t uses = 0;
  each_leaf(expression, [&](const auto& x) {
    if constexpr (is_variable_reference<std::remove_cvref_t<decltype(x)>>) {
      if (x.node().is_inference) raise<ValueError>("a variable made in inference mode cannot be part of a recorded statement; copy it with detach()");
      uses += !x.handle.is_leaf();
      if (x.handle.is_recording(tape)) return;
      if (x.handle.epoch() == tape.epoch())
        raise<ValueError>("the recording of a variable was released by backward; its value can be copied with detach()");
      raise<ValueError>("a variable was recorded on another tape; detach() it, or pass it as an input");
    }
  });
  return uses;
}

}  // namespace detail
}  // namespace fluxion
