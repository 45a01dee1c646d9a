/// Batches of calls: `vmap`, as torch.func has it. The function is recorded for one example and rewritten for all of them: no loop.
#pragma once
#include "../graph/pass/batch.hpp"
#include "differential_result.hpp"

namespace fluxion {

/// In place of an axis: an argument that is the same for all examples.
inline constexpr int none = detail::no_axis;

template <int... D>
struct in_dims_t {};
template <int... D>
struct out_dims_t {};
/// The batch axis of each argument of `vmap`, negative ones from the end, or `none`: `in_dims<0, none>`. One for all if there is one only.
template <int... D>
inline constexpr in_dims_t<D...> in_dims{};
/// The batch axis of each result: `out_dims<1>`. One for all if there is one only.
template <int... D>
inline constexpr out_dims_t<D...> out_dims{};

namespace detail {

template <class X>
inline constexpr bool is_batch = graph::HoldsSymbol<X> && !std::is_arithmetic_v<X>;
template <class T, class E, class D>
inline constexpr bool is_batch<Tensor<T, E, D>> = true;
template <class T, class E, class L>
inline constexpr bool is_batch<View<T, E, L>> = true;

enum class vmap_problem { none, dims_count, no_batch, not_a_tensor, no_such_axis };

/// Says what is wrong with the arguments of vmap.
template <vmap_problem P, class... X>
struct vmap_arguments {
  static_assert(P != vmap_problem::dims_count, "vmap: in_dims has another number of axes than the function has arguments");
  static_assert(P != vmap_problem::no_batch, "vmap: no argument has a batch axis: see their types above");
  static_assert(P != vmap_problem::not_a_tensor, "vmap: only tensors and views have a batch axis; other arguments are given as none");
  static_assert(P != vmap_problem::no_such_axis, "vmap: an argument has no axis of the number that in_dims says: see their types above");
};

/// The type of one example.
template <class X, int D>
struct example { using type = X; };
template <class E, int D, class Sequence>
struct without_axis;
template <class E, int D, int... I>
struct without_axis<E, D, std::integer_sequence<int, I...>> { using type = extents<E::static_extent(I < D ? I : I + 1)...>; };
template <class T, class E, int D>
struct example_tensor {
  using type = Tensor<T, typename without_axis<E, D < 0 ? D + E::rank() : D, std::make_integer_sequence<int, E::rank() - 1>>::type>;
};
template <class T, class E, int D>
  requires(D != none)
struct example<Tensor<T, E, cpu_t>, D> : example_tensor<T, E, D> {};
template <class T, class E, class L, int D>
  requires(D != none)
struct example<View<T, E, L>, D> : example_tensor<std::remove_const_t<T>, E, D> {};

/// The batch axes of arguments X for in_dims D; without any, 0 of each tensor.
template <class In, class... X>
struct batch_dims;
template <int... D, class... X>
struct batch_dims<in_dims_t<D...>, X...> {
  static constexpr int count = static_cast<int>(sizeof...(X)), given = static_cast<int>(sizeof...(D));
  static constexpr std::array<int, sizeof...(X) + 1> make() {
    std::array<int, sizeof...(X) + 1> v{(is_batch<X> ? 0 : none)...};
    const int from[given + 1] = {D..., 0};
    if (given == 1 || given == count)
      for (int k = 0; k < count; ++k) v[static_cast<std::size_t>(k)] = from[given == 1 ? 0 : k];
    return v;
  }
  static constexpr std::array<int, sizeof...(X) + 1> values = make();

  template <class A>
  static constexpr bool has_axis(int axis) {
    if constexpr (requires { A::extents_type::rank(); }) return axis == none || (axis >= -A::extents_type::rank() && axis < A::extents_type::rank());
    else return true;
  }
  static constexpr vmap_problem find_problem() {
    if (given > 1 && given != count) return vmap_problem::dims_count;
    constexpr bool may[] = {is_batch<X>..., true};
    bool any = false;
    for (std::size_t k = 0; k < sizeof...(X); ++k) {
      any = any || values[k] != none;
      if (values[k] != none && !may[k]) return vmap_problem::not_a_tensor;
    }
    std::size_t k = 0;
    if (!(has_axis<X>(values[k++]) && ...)) return vmap_problem::no_such_axis;
    return any ? vmap_problem::none : vmap_problem::no_batch;
  }
  static constexpr vmap_problem problem = find_problem();
};

template <class F, class In, class Out>
struct vmap_function;

/// A function of batches: of each of F's arguments that has one.
template <class F, class In, int... Out>
struct vmap_function<F, In, out_dims_t<Out...>> {
  static constexpr int out_count = static_cast<int>(sizeof...(Out));
  static constexpr int out[out_count + 1] = {Out..., 0};

  template <class... X>
  constexpr auto operator()(const X&... x) const {
    using dims = batch_dims<In, X...>;
    if constexpr (dims::problem != vmap_problem::none) {
      instantiate<vmap_arguments<dims::problem, X...>>();
      return Unknown{};
    } else {
      return trace<dims>(std::make_index_sequence<sizeof...(X)>{}, x...);
    }
  }

 private:
  template <int D, class X>
  static constexpr auto enter(graph::batch_inputs& in, const X& x) {
    if constexpr (D == none) return x;
    else {
      const Symbol whole = graph::symbol_of(x);
      const graph::shape s = whole.shape();
      const int axis = D < 0 ? D + s.rank : D;
      if (axis < 0 || axis >= s.rank) return whole.at(in.p.fail(graph::program_error::axis_out_of_range, graph::opcode_of<operation::argument>, s, {}, D));
      graph::shape one = s;
      --one.rank;
      for (int k = axis; k < one.rank; ++k) one.extent[k] = s.extent[k + 1];
      const Symbol example = whole.at(in.p.placeholder(whole.index(), in.p.intern(one)));
      in.add(example.index(), whole.index(), axis);
      return example;
    }
  }
  template <class X>
  static constexpr graph::program* look_for_program(const X& x) {
    if constexpr (is_batch<X>) return &graph::symbol_of(x).program();
    else return nullptr;
  }
  template <class Dims, std::size_t... K, class... X>
  static constexpr auto trace(std::index_sequence<K...>, const X&... x) {
    graph::program* p = nullptr;
    (..., (p = p == nullptr ? look_for_program(x) : p));
    graph::batch_inputs in{*p};
    const std::tuple<decltype(enter<Dims::values[K]>(in, x))...> examples{enter<Dims::values[K]>(in, x)...};
    auto result = result_of_symbols(*p, std::apply(F{}, examples));
    list<int> outputs;
    each_result_symbol(result, [&](Symbol& s) { outputs.push_back(s.index()); });
    const list<int> found = in.replace(outputs, out, out_count);
    int next = 0;
    return rebuild(*p, result, found, next);
  }
  /// The result with other symbols; what held several without being a tuple is a tuple of them.
  template <class R>
  static constexpr auto rebuild(graph::program& p, R& result, const list<int>& found, int& next) {
    if constexpr (is_tuple_like<R>)
      return std::apply([&](auto&... part) { return std::tuple<decltype(rebuild(p, part, found, next))...>{rebuild(p, part, found, next)...}; }, result);
    else {
      static_assert(std::is_same_v<R, Symbol>, "vmap: inside a traced function the mapped function returns values, not a model");
      return Symbol(p, found[next++]);
    }
  }

 public:
  template <class... X>
  using results = recorded_entries<function_source<vmap_function, X...>, typename function_source<vmap_function, X...>::entries>;
};

/// The program of one example and that of the batch, in two constants.
template <class F, class In, int... Out, class... X>
struct function_source<vmap_function<F, In, out_dims_t<Out...>>, X...> {
  using dims = batch_dims<In, X...>;
  static constexpr bool good = dims::problem == vmap_problem::none;

  template <class Sequence>
  struct of_examples;
  template <std::size_t... K>
  struct of_examples<std::index_sequence<K...>> {
    using inner = function_source<F, typename example<X, dims::values[K]>::type...>;
    using entries = typename results_of<F, inner, typename example<X, dims::values[K]>::type...>::type;
  };
  struct of_nothing {
    struct inner { static constexpr bool returns_tuple = false; };
    using entries = std::tuple<unknown_result>;
  };
  using examples = typename std::conditional_t<good, std::type_identity<of_examples<std::index_sequence_for<X...>>>, std::type_identity<of_nothing>>::type;
  using inner = typename examples::inner;

  template <int First, class Entries>
  struct batched_entries;
  template <int First>
  struct batched_entries<First, std::tuple<>> { using type = std::tuple<>; };
  template <int First, class R, class... Rest>
  struct batched_entries<First, std::tuple<R, Rest...>> {
    static constexpr int count = static_cast<int>(sizeof...(Out));
    static constexpr int values[count + 1] = {Out..., 0};
    static constexpr int out = count == 0 ? 0 : values[count == 1 ? 0 : First < count ? First : 0];
    using type = decltype(std::tuple_cat(std::tuple<typename batched_result<R, dims, out>::type>{},
                                         typename batched_entries<First + R::outputs, std::tuple<Rest...>>::type{}));
  };
  using entries = typename batched_entries<0, typename examples::entries>::type;

  template <class A>
  static constexpr int axis_of(int axis) {
    if constexpr (requires { A::extents_type::rank(); }) return axis < 0 ? axis + A::extents_type::rank() : axis;
    else return none;
  }

  /// What graph::BatchOfExamples asks for.
  using example_source = inner;
  static constexpr auto find_argument_axes() {
    std::array<int, static_cast<std::size_t>((argument_traits<X>::arguments + ... + 1))> axes{};
    for (int& axis : axes) axis = -1;
    if constexpr (good) {
      int number = 0, k = 0;
      (..., (axes[static_cast<std::size_t>(number)] = dims::values[static_cast<std::size_t>(k)] == none ? -1 : axis_of<X>(dims::values[static_cast<std::size_t>(k)]),
             ++k, number += argument_traits<X>::arguments));
    }
    return axes;
  }
  static constexpr auto find_output_axes() {
    if constexpr (!good) return std::array<int, 1>{};
    else {
      constexpr const auto& one = graph::constant_program<inner>::value;
      using function = vmap_function<F, In, out_dims_t<Out...>>;
      std::array<int, static_cast<std::size_t>(one.output_count + 1)> axes{};
      for (int k = 0; k < one.output_count; ++k) {
        const int axis = function::out[function::out_count == 1 || k >= function::out_count ? 0 : k], rank = one.shapes[one.instructions[one.outputs[k]].shape].rank;
        axes[static_cast<std::size_t>(k)] = function::out_count == 0 ? 0 : axis < 0 ? axis + rank + 1 : axis;
      }
      return axes;
    }
  }
  static constexpr auto argument_axes = find_argument_axes();
  static constexpr auto output_axes = find_output_axes();

  static constexpr bool returns_tuple = inner::returns_tuple;
  static constexpr int expected() {
    if constexpr (good) return 3 * graph::constant_program<inner>::value.instruction_count;
    else return 1;
  }
  static constexpr int expected_size = expected();

  static constexpr graph::program make() {
    using namespace graph;
    if constexpr (!good) {
      instantiate<vmap_arguments<dims::problem, X...>>();
      program p;
      append_outputs(p, Unknown{});
      return p;
    } else {
      program p = thaw(constant_program<inner>::value);
      if (p.error.code != program_error::none) return p;
      list<int> examples;
      int number = 0, k = 0;
      (..., (examples.push_back(release(p, number, axis_of<X>(dims::values[static_cast<std::size_t>(k++)]))), number += argument_traits<X>::arguments));
      graph::batch_inputs in{p};
      number = k = 0;
      (..., (enter<X>(in, examples[k], number, axis_of<X>(dims::values[static_cast<std::size_t>(k)])), ++k, number += argument_traits<X>::arguments));
      list<int> outputs;
      for (const int o : p.outputs) outputs.push_back(o);
      p.outputs.clear();
      using function = vmap_function<F, In, out_dims_t<Out...>>;
      for (const int o : in.replace(outputs, function::out, function::out_count)) p.outputs.push_back(static_cast<std::int16_t>(o));
      return p;
    }
  }

 private:
  static constexpr int release(graph::program& p, int number, int axis) {
    return axis == none ? -1 : graph::release_argument(p, number, axis);
  }
  template <class A>
  static constexpr void enter(graph::batch_inputs& in, int example, int number, int axis) {
    if constexpr (is_batch<A>) {
      if (axis == none) return;
      lowering l{in.p, number, 0};
      in.add(example, argument_traits<A>::lower(l).index(), axis);
    }
  }
};

}  // namespace detail

/// The function that calls f for every entry along an axis of its arguments and stacks the results, computed for all at once:
/// `vmap(f)(xs)`, `vmap(f, in_dims<0, none>, out_dims<1>)(xs, w)`. Without `in_dims` the batch axis of tensors is their first, and numbers
/// and models are the same for all. What does not depend on the batch is repeated. Per-sample gradients are
/// `vmap(grad(loss), in_dims<none, 0, 0>)(w, xs, ys)`; those of a model come as a tuple, a tensor for each parameter. Random numbers are the
/// same for every example. Run-time extents of batch axes that differ raise ShapeError.
template <class F, int... In, int... Out>
constexpr auto vmap(const F&, in_dims_t<In...> = {}, out_dims_t<Out...> = {}) {
  constexpr bool without_captures = std::is_empty_v<F> && std::is_default_constructible_v<F>;
  static_assert(without_captures, "vmap wants a function without captures; pass what it captures as an argument");
  if constexpr (!without_captures) return Unknown{};
  else return Compiled<detail::vmap_function<typename detail::traced_function<F>::type, in_dims_t<In...>, out_dims_t<Out...>>>{};
}

}  // namespace fluxion
