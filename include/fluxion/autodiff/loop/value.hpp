/// The value of a loop: the state after its last step, or a loss of that state. Two blocks of memory hold the state before and after a step.
#pragma once
#include "../iteration_limits.hpp"
#include "steps.hpp"

namespace fluxion::detail {

/// How many arguments of a program an argument of a loop is, in a step and in a loss.
template <class Types>
inline constexpr int tensors_of = 0;
template <class... L>
inline constexpr int tensors_of<std::tuple<L...>> = (argument_traits<L>::arguments + ... + 0);

template <class Sequence>
struct argument_numbers;
template <std::size_t... I>
struct argument_numbers<std::index_sequence<I...>> {
  static constexpr std::array<int, sizeof...(I)> value{static_cast<int>(I)...};
};

/// A new value of X's structure and extents: tensors for tensors and views, numbers for numbers.
template <class X>
auto make_like(const X& x) {
  if constexpr (std::is_arithmetic_v<X>) return X{};
  else if constexpr (requires { x.mapping(); typename X::value_type; }) return Tensor<std::remove_const_t<typename X::value_type>, typename X::extents_type>(uninitialized, x.extents());
  else if constexpr (is_tuple_like<X>) {
    return std::apply([](const auto&... part) {
      if constexpr (requires { typename X::value_type; }) return std::array<decltype(make_like(std::declval<typename X::value_type>())), sizeof...(part)>{make_like(part)...};
      else return std::make_tuple(make_like(part)...);
    }, x);
  } else return gradient_traits<X>::template make<0>(0, x);
}

/// The same for a gradient: a number's is a tensor of rank 0, as those of `grad` are.
template <class X>
auto make_gradient_like(const X& x) {
  if constexpr (std::is_arithmetic_v<X>) return Tensor<X, extents<>>();
  else if constexpr (is_tuple_like<X>) {
    return std::apply([](const auto&... part) {
      if constexpr (requires { typename X::value_type; })
        return std::array<decltype(make_gradient_like(std::declval<typename X::value_type>())), sizeof...(part)>{make_gradient_like(part)...};
      else return std::make_tuple(make_gradient_like(part)...);
    }, x);
  } else return make_like(x);
}

/// How many outputs a leaf takes.
template <class X>
constexpr int outputs_of_leaf() {
  if constexpr (requires { gradient_traits<X>::outputs; }) return gradient_traits<X>::outputs;
  else return 1;
}

/// Copies outputs K and following of a call, which lie in `blocks` (by output), to a leaf of a result. Raises ShapeError if it does not fit.
template <int K, class Moving, class X>
void take_outputs(X& leaf, const Moving& from, std::byte* const* blocks) {
  if constexpr (std::is_arithmetic_v<X>) {
    dispatch(from.type_of_output(K), [&](auto zero) {
      decltype(zero) value;
      std::memcpy(&value, blocks[K], sizeof(value));
      leaf = static_cast<X>(value);
    });
  } else {
    constexpr int count = outputs_of_leaf<X>();
    graph::descriptor to[K + count + 1];
    if constexpr (requires { leaf.mapping(); }) {
      describe(to[K], leaf.data(), leaf.mapping());
      const int rank = from.rank_of_output(K);
      for (int axis = 0; axis < rank; ++axis)
        if (to[K].extent[axis] != from.outputs[K].extent[axis])
          raise<ShapeError>("loop: a destination has extents ", extents_text{to[K].extent, rank}, " and the result ",
                            extents_text{from.outputs[K].extent, rank});
    } else destination_traits<X>::template describe<K>(leaf, from.call, to);
    for (int k = 0; k < count; ++k) {
      const graph::descriptor& d = from.outputs[K + k];
      const int rank = from.rank_of_output(K + k);
      if (graph::detail::element_count(d, rank) > 0)
        graph::detail::copy_strided(to[K + k].data, to[K + k].stride, blocks[K + k], d.stride, d.extent, rank, size_of(from.type_of_output(K + k)));
    }
  }
}

template <class X>
inline constexpr bool is_differentiable_leaf = true;
template <class X>
  requires requires { typename X::value_type; }
inline constexpr bool is_differentiable_leaf<X> = std::is_floating_point_v<typename X::value_type>;
template <class X>
  requires std::is_arithmetic_v<X>
inline constexpr bool is_differentiable_leaf<X> = std::is_floating_point_v<X>;

/// The same for a group of leaves. The gradient of what is not of floating point is zero.
template <int K, bool Gradient, class Moving, class... X, std::size_t... I>
void take_leaves(const Moving& from, std::byte* const* blocks, const std::tuple<X&...>& leaves, std::index_sequence<I...>) {
  constexpr auto begins = [] {
    std::array<int, sizeof...(X) + 1> b{K};
    std::size_t k = 0;
    (..., (b[k + 1] = b[k] + (!Gradient || is_differentiable_leaf<X> ? outputs_of_leaf<X>() : 0), ++k));
    return b;
  }();
  const auto take = [&]<int First, class Leaf>(std::integral_constant<int, First>, Leaf& leaf) {
    if constexpr (!Gradient || is_differentiable_leaf<Leaf>) take_outputs<First>(leaf, from, blocks);
    else if constexpr (std::is_arithmetic_v<Leaf>) leaf = Leaf{};
    else leaf.fill(typename Leaf::value_type{});
  };
  (take(std::integral_constant<int, begins[I]>{}, std::get<I>(leaves)), ...);
}
template <int K, bool Gradient, class Moving, class X>
void take_group(const Moving& from, std::byte* const* blocks, X& group) {
  const auto leaves = value_group<X>::tie(group);
  take_leaves<K, Gradient>(from, blocks, leaves, std::make_index_sequence<std::tuple_size_v<std::remove_cvref_t<decltype(leaves)>>>{});
}

/// A loop of the step F over arguments of the types A, the first of which is the state.
template <class F, class... A>
struct loop_program {
  using step = ungrouped<F, false, A...>;
  using source = typename source_over<step, typename step::types>::type;
  using state_types = typename loop_argument<std::tuple_element_t<0, std::tuple<A...>>>::types;
  using state_numbers = argument_numbers<std::make_index_sequence<static_cast<std::size_t>(tensors_of<state_types>)>>;
  using steps = loop_steps<source, state_numbers>;
  using outputs = outputs_of_step<typename source::returned>;
  /// Views of memory in which outputs are stacked.
  static auto view_outputs(const steps& s, index_t n) {
    return make_stacked<steps::count, typename outputs::structure>(s, n, [&]<class E, class T>(int k, const E& e, T) {
      return View<T, E, layout_right>(reinterpret_cast<T*>(s.rows[k - steps::count]), e);
    });
  }

  /// Whether there is a program at all; if not, the error is reported.
  static constexpr bool check() {
    if constexpr (!Recorded<source>) {
      instantiate<plan_call<source>>();
      return false;
    } else {
      instantiate<step_of_a_loop<source, state_numbers>>();
      return step_of_a_loop<source, state_numbers>::fits;
    }
  }
};

/// The loss of a final state.
template <class F, class... A>
struct loop_loss {
  using function = ungrouped<F, true, A...>;
  using source = typename source_over<function, typename function::types>::type;
  /// Binds a call of the source, or of the gradient's, to arguments of the loop.
  template <class Call, class Program, class X>
  static void bind(Call& call, const X& x, const typename Program::steps&, index_t) {
    call.template bind<true, A...>(x);
  }
};
/// The loss of a final state and of what the steps of `Program` gave along the way.
template <class F, class Program, class State, class... A>
struct loop_loss_of_outputs {
  using views = decltype(Program::view_outputs(std::declval<typename Program::steps>(), 0));
  using function = ungrouped<F, true, State, LoopOutputs<views>, A...>;
  using source = typename source_over<function, typename function::types>::type;
  template <class Call, class, class S, class... X>
  static void bind(Call& call, const std::tuple<const S&, const X&...>& x, const typename Program::steps& steps, index_t n) {
    const views stacked = Program::view_outputs(steps, n);
    std::apply([&](const S& state, const X&... rest) {
      call.template bind<true, State, LoopOutputs<views>, A...>(std::tuple<const S&, const views&, const X&...>(state, stacked, rest...));
    }, x);
  }
};
template <bool HasOutputs, class G, class F, class... A>
struct loss_of_loop_if { using type = loop_loss<G, A...>; };
template <class G, class F, class... A>
struct loss_of_loop_if<true, G, F, A...> { using type = loop_loss_of_outputs<G, loop_program<F, A...>, A...>; };
template <class G, class F, class... A>
using loss_of_loop = typename loss_of_loop_if<loop_program<F, A...>::outputs::exist, G, F, A...>::type;

/// Points the state's arguments of another call, which come first there too, at a block.
template <class Moving, int Count>
void look_at(Moving& moving, const block_layout<Count>& layout, std::byte* block) {
  for (int k = 0; k < Count; ++k) {
    moving.call.arguments[k].data = block + layout.offset[k];
    graph::detail::contiguous_strides(moving.call.arguments[k], Moving::kinds[static_cast<std::size_t>(k)].rank);
  }
}

/// Runs loops of F over arguments A for their value.
template <class F, class... A>
class loop_value {
  using program = loop_program<F, A...>;
  using steps_type = typename program::steps;
  static auto make_outputs(const steps_type& steps, index_t n) {
    return make_stacked<steps_type::count, typename program::outputs::structure>(steps, n, make_stacked_tensor);
  }
  using outputs_type = decltype(make_outputs(std::declval<const steps_type&>(), 0));

 public:
  static constexpr bool good = program::check(), has_outputs = program::outputs::exist;

  /// For n steps, or as many as there are entries of the sequences if n is negative; the number matters only where steps give outputs.
  template <class... X>
  explicit loop_value(const std::tuple<const X&...>& x, index_t n = -1) {
    steps_.template bind<false, A...>(x);
    steps_.lay_out();
    for (std::byte*& block : block_) block = scope_.take<std::byte>(steps_.layout.bytes);
    if constexpr (has_outputs) {
      outputs_.emplace(make_outputs(steps_, n < 0 ? length() : n));
      point_rows();
    }
    steps_.begin_at(block_[0]);
    steps_.write_to(block_[1]);
    steps_.prepare();
  }
  /// As many steps as there are entries of the sequences.
  index_t length() const { return steps_.length(); }
  /// What the steps gave along the way.
  auto take_outputs() { return std::move(*outputs_); }
  void run(index_t n) {
    for (; done_ < n; ++done_) step();
  }
  /// Steps until one changes no element by more than the tolerance. Raises ValueError if that takes too many.
  void run_until(const IterationLimits& limits) {
    while (done_ < limits.steps) {
      step();
      ++done_;
      if (steps_.change(block_[0], block_[1]) <= limits.tolerance) return;
    }
    raise<ValueError>("fixed_point: the iteration did not converge in ", limits.steps, " steps");
  }
  /// Steps while the condition C of the state, with the arguments that are the same in every step, holds. Returns how many.
  template <class C, class... X>
  index_t run_while(const std::tuple<const X&...>& x) {
    using source = typename loop_loss<C, A...>::source;
    if constexpr (!Recorded<source>) {
      instantiate<plan_call<source>>();
    } else {
      constexpr bool is_condition = moving_call<source>::output_count == 1 && source_output<source, 0>::extents_type::rank() == 0 &&
                                    source_output<source, 0>::type == element_type::boolean;
      static_assert(is_condition, "while_loop: the condition returns one bool, such as sum(x * x) > 1e-8");
      if constexpr (is_condition) {
        moving_call<source> condition;
        condition.template bind<true, A...>(x);
        condition.check();
        look_at(condition, steps_.layout, block_[0]);
        bool holds = false;
        condition.outputs[0].data = reinterpret_cast<std::byte*>(&holds);
        condition.prepare();
        for (;; ++done_) {
          look_at(condition, steps_.layout, last());
          condition.run();
          if (!holds) break;
          step();
        }
      }
    }
    return done_;
  }

  /// The state after the last step, of the structure of `state`.
  template <class S>
  auto state(const S& state) const {
    auto result = make_like(state);
    std::byte* outputs[steps_type::count + 1];
    for (int k = 0; k < steps_type::count; ++k) outputs[k] = last() + steps_.layout.offset[k];
    take_group<0, false>(steps_, outputs, result);
    return result;
  }
  /// The loss G of it.
  template <class G, class... X>
  auto loss(const std::tuple<const X&...>& x) const {
    using loss_type = loss_of_loop<G, F, A...>;
    using source = typename loss_type::source;
    if constexpr (!Recorded<source>) {
      instantiate<plan_call<source>>();
      return Unknown{};
    } else {
      moving_call<source> loss;
      loss_type::template bind<moving_call<source>, program>(loss, x, steps_, done_);
      loss.check();
      look_at(loss, steps_.layout, last());
      return [&]<int... K>(std::integer_sequence<int, K...>) {
        auto results = std::tuple(deduced_result::make<K>(loss.call)...);
        ((loss.outputs[K].data = reinterpret_cast<std::byte*>(std::get<static_cast<std::size_t>(K)>(results).data())), ...);
        loss.call.run_fresh(loss.outputs);
        if constexpr (source::returns_tuple) return results;
        else return std::get<0>(std::move(results));
      }(std::make_integer_sequence<int, moving_call<source>::output_count>{});
    }
  }

 private:
  void point_rows() {
    int j = 0;
    std::apply([&](auto&... leaf) { ((steps_.rows[j++] = reinterpret_cast<std::byte*>(leaf.data())), ...); }, value_group<outputs_type>::tie(*outputs_));
    for (std::byte*& row : steps_.rows)
      if (!row) row = block_[1];  // of no steps nothing is written
    steps_.point_outputs(0);
  }
  std::byte* last() const { return block_[done_ % 2]; }
  void step() { steps_.advance(block_[done_ % 2], block_[(done_ + 1) % 2], done_); }

  ArenaScope scope_;
  steps_type steps_;
  std::byte* block_[2]{};
  std::optional<outputs_type> outputs_;
  index_t done_ = 0;
};

}  // namespace fluxion::detail
