/// Derivatives of functions: `grad` and `value_and_grad`, as torch.func has them. The function is traced and differentiated while the program
/// compiles; value and gradients are one plan.
#pragma once
#include "../graph/pass/batch.hpp"
#include "../graph/pass/differentiate.hpp"
#include "../tensor/function.hpp"

#include <array>
#include <tuple>
#include <utility>

namespace fluxion {

namespace detail {

template <class F>
struct traced_function { using type = F; };
template <class F>
struct traced_function<Compiled<F>> { using type = F; };

template <class X, class G>
constexpr void each_symbol(X& x, G&& g) {
  if constexpr (TracedStructure<X>) traced_traits<X>::each(x, g);
}

/// The program in which an argument is recorded.
template <class... X>
constexpr graph::program* program_of(X&... x) {
  graph::program* p = nullptr;
  (each_symbol(x, [&](Symbol& s) { p = &s.program(); }), ...);
  return p;
}

/// Whether no argument is another, or made from one of `wrt`.
template <class... X>
constexpr bool are_independent(graph::program& p, const list<int>& wrt, X&... x) {
  list<bool> depends(p.size(), false), seen(p.size(), false);
  bool all_leaves = true, good = true;
  const auto look = [&](Symbol& s) {
    good = good && !seen[s.index()];
    seen[s.index()] = true;
    all_leaves = all_leaves && p.family_of(s.index()) == graph::family::leaf;
  };
  (each_symbol(x, look), ...);
  if (!good || all_leaves) return good;
  for (int w : wrt) depends[w] = true;
  for (int i = 0; i < p.size(); ++i)
    for (int k = 0; k < graph::max_operands; ++k)
      if (p[i].operand[k] >= 0 && depends[p[i].operand[k]]) depends[i] = true;
  const auto check = [&](Symbol& s) {
    for (int k = 0; k < graph::max_operands; ++k)
      if (p[s.index()].operand[k] >= 0 && depends[p[s.index()].operand[k]]) good = false;
  };
  (each_symbol(x, check), ...);
  return good;
}

/// Inside another trace the arguments are values like any other: two may be one, or one be made from another. The derivative with respect to
/// one while the others stand still is then recorded for placeholders, whose places the values take afterwards.
class stand_ins {
 public:
  /// Puts placeholders into the arguments, unless they are independent. `wrt` are the instructions of those that are differentiated.
  template <class... X>
  constexpr void take(graph::program& p, list<int>& wrt, X&... x) {
    if (are_independent(p, wrt, x...)) return;
    const auto replace = [&](Symbol& s) {
      values_.push_back({s.index(), false});
      s = s.at(p.placeholder(s.index(), p.canonical(p[s.index()].shape)));
      placeholders_.push_back(s.index());
    };
    (each_symbol(x, replace), ...);
    wrt.clear();
  }
  constexpr bool taken() const { return !placeholders_.empty(); }
  /// What these instructions are of the values.
  constexpr list<int> give_back(graph::program& p, const list<int>& results) const {
    if (!taken() || p.error.code != graph::program_error::none) return results;
    list<int> found;
    for (const graph::replacement& r : graph::append_replaced(p, placeholders_, values_, 0, results)) found.push_back(r.index);
    return found;
  }

 private:
  list<int> placeholders_;
  list<graph::replacement> values_;
};

/// A run-time extent of 1 that broadcast got the gradient of what it was broadcast to; this adds that up to the argument's own extents.
template <class T, class E>
Tensor<T, E> sum_over_broadcast(const Tensor<T, E>& gradient, const E& own) {
  Tensor<T, E> result(uninitialized, own);
  result.fill(T(0));
  const auto from = gradient.extents().to_array(), to = own.to_array();
  const auto strides = result.strides();
  std::array<index_t, static_cast<std::size_t>(E::rank())> at{};
  T* sum = result.data();
  const T* element = gradient.data();
  for (index_t n = 0, size = gradient.size(); n < size; ++n) {
    index_t offset = 0;
    for (std::size_t axis = 0; axis < at.size(); ++axis)
      if (to[axis] != 1) offset += at[axis] * strides[axis];
    sum[offset] += element[n];
    for (std::size_t axis = at.size(); axis-- > 0;) {
      if (++at[axis] < from[axis]) break;
      at[axis] = 0;
    }
  }
  return result;
}

/// Of argument I, whatever it is.
template <int I, class X>
struct gradient_result {
  static constexpr int outputs = gradient_traits<X>::outputs;
  template <int K, class Call, class... A>
  static auto make(const Call& call, const A&... a) {
    return gradient_traits<X>::template make<K>(call, std::get<I>(std::tie(a...)));
  }
  template <class G, class... A>
  static void finish(G& gradient, const A&... a) {
    const auto& argument = std::get<I>(std::tie(a...));
    if constexpr (requires { argument.mapping(); gradient.mapping(); })
      if (!(gradient.extents() == argument.extents())) gradient = sum_over_broadcast(gradient, argument.extents());
  }
};

template <int I, class X>
struct gradient_entry_of { using type = unknown_result; };
template <int I, class X>
  requires requires { gradient_traits<X>::outputs; }
struct gradient_entry_of<I, X> { using type = gradient_result<I, X>; };
/// The same, or where there is no such thing, which has been reported, nothing.
template <int I, class X>
using gradient_entry = typename gradient_entry_of<I, X>::type;

/// A function of F's arguments: the gradients of F's result with respect to those numbered I, after the result itself if `WithValue`.
template <class F, bool WithValue, int... I>
struct gradient_function {
  static_assert(sizeof...(I) > 0);
  template <class... X>
  constexpr auto operator()(const X&... x) const {
    static_assert(((I >= 0 && I < static_cast<int>(sizeof...(X))) && ...), "grad: there is no argument of that number");
    std::tuple<X...> all(x...);
    graph::program& p = *program_of(std::get<I>(all)...);
    list<int> wrt, outputs, seeds;
    const auto collect = [&](Symbol& s) { wrt.push_back(s.index()); };
    stand_ins placeholders;
    (each_symbol(std::get<I>(all), collect), ...);
    std::apply([&](X&... a) { placeholders.take(p, wrt, a...); }, all);
    if (placeholders.taken()) (each_symbol(std::get<I>(all), collect), ...);
    Symbol loss = graph::symbol_of(std::apply(F{}, std::as_const(all)));
    std::tuple<X...> gradients(all);
    if (loss.rank() != 0) p.fail(graph::program_error::not_a_scalar, p[loss.index()].operation, loss.shape());
    if (p.error.code == graph::program_error::none) {
      outputs.push_back(loss.index());
      seeds.push_back(p.constant(loss.type(), 1));
      list<int> found = graph::append_adjoints(p, outputs, seeds, wrt);
      found.push_back(loss.index());
      found = placeholders.give_back(p, found);
      int next = 0;
      const auto replace = [&](Symbol& s) { s = s.at(found[next++]); };
      (each_symbol(std::get<I>(gradients), replace), ...);
      replace(loss);
    }
    if constexpr (WithValue) return std::tuple(loss, std::get<I>(gradients)...);
    else if constexpr (sizeof...(I) == 1) return std::get<(I, ...)>(std::move(gradients));
    else return std::tuple(std::get<I>(gradients)...);
  }

  template <class... X>
  using results = decltype(std::tuple_cat(std::conditional_t<WithValue, std::tuple<deduced_result>, std::tuple<>>{},
                                          std::tuple<gradient_entry<I, std::tuple_element_t<static_cast<std::size_t>(I), std::tuple<X...>>>...>{}));
};

/// The instructions of a function recorded for arguments of types X with respect to which those numbered I are differentiated.
template <class... X, int... I>
constexpr list<int> instructions_of_arguments(const graph::program& p, std::integer_sequence<int, I...>) {
  list<int> numbers[sizeof...(X)], arguments(p.argument_count, -1), scalars(p.scalar_count, -1);
  int next_argument = 0, next_scalar = 0, k = 0;
  (gradient_arguments<X>::numbers(numbers[k++], next_argument, next_scalar), ...);
  for (int i = 0; i < p.size(); ++i) {
    if (p.is<operation::argument>(i)) arguments[p[i].attribute] = i;
    else if (p.is<operation::scalar>(i)) scalars[p[i].attribute] = i;
  }
  list<int> result;
  const auto collect = [&](const list<int>& from) {
    for (const int number : from) result.push_back(number >= 0 ? arguments[number] : scalars[-1 - number]);
  };
  (collect(numbers[I]), ...);
  return result;
}

/// The gradient as a program of its own: recorded and differentiated in two constants, so that each stays within the compilers' limits.
template <class F, bool WithValue, int... I, class... X>
struct function_source<gradient_function<F, WithValue, I...>, X...> {
  using inner = function_source<F, X...>;
  static_assert(!inner::returns_tuple, "grad: the function must return one number, not several");
  static_assert(((I >= 0 && I < static_cast<int>(sizeof...(X))) && ...), "grad: there is no argument of that number");
  static constexpr bool returns_tuple = WithValue || sizeof...(I) > 1;
  static constexpr int expected_size = 3 * graph::constant_program<inner>::value.instruction_count;

  static constexpr graph::program make() {
    using namespace graph;
    program p = thaw(constant_program<inner>::value);
    const int loss = p.outputs[0];
    if (p.shape_of(loss).rank != 0) p.fail(program_error::not_a_scalar, p[loss].operation, p.shape_of(loss));
    if (p.error.code != program_error::none) return p;
    const list<int> wrt = instructions_of_arguments<X...>(p, std::integer_sequence<int, I...>{});
    list<int> outputs, seeds;
    outputs.push_back(loss);
    seeds.push_back(p.constant(p[loss].type, 1));
    const list<int> adjoints = append_adjoints(p, outputs, seeds, wrt);
    p.outputs.clear();
    if (WithValue) p.outputs.push_back(static_cast<std::int16_t>(loss));
    for (int d : adjoints) p.outputs.push_back(static_cast<std::int16_t>(d));
    return p;
  }
};

template <bool WithValue, class F, int... I>
constexpr auto make_gradient(const F&, std::integer_sequence<int, I...>) {
  constexpr bool without_captures = std::is_empty_v<F> && std::is_default_constructible_v<F>;
  static_assert(without_captures, "grad wants a function without captures; pass what it captures as an argument");
  using function = typename traced_function<F>::type;
  if constexpr (!without_captures) return;
  else if constexpr (sizeof...(I) == 0) return Compiled<gradient_function<function, WithValue, 0>>{};
  else return Compiled<gradient_function<function, WithValue, I...>>{};
}

}  // namespace detail

/// The function whose value is the gradient of f with respect to its arguments numbered I, the first by default; a tuple if there are
/// several. f returns one number; what only the compiler can see is reported by it. Gradients have the types of the arguments.
template <int... I, class F>
constexpr auto grad(const F& f) {
  return detail::make_gradient<false>(f, std::integer_sequence<int, I...>{});
}

/// As `grad`, with f's value before the gradients: `auto [loss, dw, db] = value_and_grad<0, 1>(f)(w, b, x, y);`.
template <int... I, class F>
constexpr auto value_and_grad(const F& f) {
  return detail::make_gradient<true>(f, std::integer_sequence<int, I...>{});
}

}  // namespace fluxion
