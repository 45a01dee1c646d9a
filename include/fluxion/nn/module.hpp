/// Models: plain structs whose parameters are found by reflection. A model is an argument of a traced function; the tracer builds a skeleton
/// of it in constant evaluation, puts symbols where the parameters are, and calls `forward`.
#pragma once
#include "../core/reflection.hpp"
#include "parameter.hpp"

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace fluxion {

namespace detail {

// A member called forward, overloaded or a template or neither, makes the name ambiguous below.
struct has_forward {
  int forward;
};
template <class M>
struct forward_probe : M, has_forward {};
template <class M>
inline constexpr bool declares_forward = !requires { &forward_probe<M>::forward; };

}  // namespace detail

/// A layer or a model: a class with a `forward`.
template <class M>
concept Module = std::is_class_v<M> && !std::is_final_v<M> && !Operand<M> && detail::declares_forward<M>;

namespace detail {

template <class X>
inline constexpr bool is_container = false;
template <class X, std::size_t N>
inline constexpr bool is_container<std::array<X, N>> = true;
template <class X, std::size_t N>
inline constexpr bool is_container<X[N]> = true;

template <class X>
inline constexpr bool is_allowed_member = is_parameter<X> || is_buffer<X> || is_scalar<X> || is_setting<X> || Module<X>;
template <class X, std::size_t N>
inline constexpr bool is_allowed_member<std::array<X, N>> = is_allowed_member<X>;
template <class X, std::size_t N>
inline constexpr bool is_allowed_member<X[N]> = is_allowed_member<X>;

/// Says which member of which module cannot be traced.
template <class Owner, class Member>
struct module_member {
  static_assert(is_allowed_member<Member>,
                "module member is neither a parameter, a buffer, a scalar, a setting nor a layer: see the module and the member's type above");
};
template <class Owner, reflection::status Status>
struct module_members {
  static_assert(Status != reflection::status::base_with_members,
                "module member is neither a parameter, a buffer, a scalar, a setting nor a layer: the module has a base class with members");
  static_assert(Status != reflection::status::reference_or_uncountable,
                "module member is neither a parameter, a buffer, a scalar, a setting nor a layer: the module has a reference among its members");
  static_assert(Status != reflection::status::not_aggregate,
                "a module with constructors or private members must say `static constexpr std::size_t member_count`");
  static_assert(Status != reflection::status::too_many, "a module has at most 32 members: group them into layers");
};

/// Both are asked before a model is used: what is refused is said once, and what depends on it is left out.
template <class Owner, class Member>
constexpr bool member_is_allowed() {
  if constexpr (!is_allowed_member<Member>) instantiate<module_member<Owner, Member>>();
  return is_allowed_member<Member>;
}
template <class M>
constexpr bool members_can_be_visited() {
  constexpr reflection::status status = reflection::reflection_status<M>;
  if constexpr (status != reflection::status::ok) instantiate<module_members<M, status>>();
  return status == reflection::status::ok;
}

/// Where a member is; empty where nobody asks.
struct no_path {
  constexpr no_path child(std::string_view) const { return {}; }
  constexpr no_path child(std::size_t) const { return {}; }
};
struct dotted_path {
  std::string text;
  dotted_path child(std::string_view name) const { return {text.empty() ? std::string(name) : text + "." + std::string(name)}; }
  dotted_path child(std::size_t i) const { return child(std::to_string(i)); }
};

/// Calls f(path, member) for every parameter, buffer, scalar and setting below a module, in the order of declaration.
template <class M, class Path, class F>
constexpr void walk(M& m, const Path& path, F&& f);

template <class Owner, class X, class Path, class F>
constexpr void walk_member(X& x, const Path& path, F&& f) {
  using value = std::remove_cv_t<X>;
  if constexpr (is_parameter<value> || is_buffer<value> || is_scalar<value> || is_setting<value>) {
    f(path, x);
  } else if constexpr (is_container<value>) {
    std::size_t i = 0;
    for (auto& entry : x) walk_member<Owner>(entry, path.child(i++), f);
  } else if constexpr (member_is_allowed<Owner, value>()) {
    walk(x, path, f);
  }
}

template <class M, class Path, class F>
constexpr void walk(M& m, const Path& path, F&& f) {
  using value = std::remove_cv_t<M>;
  if constexpr (requires { m.for_each_layer([](std::size_t, auto&) {}); }) {
    m.for_each_layer([&](std::size_t i, auto& layer) { walk_member<value>(layer, path.child(i), f); });
  } else if constexpr (members_can_be_visited<value>()) {
    reflection::for_each_member(m, [&](std::string_view name, auto& member) { walk_member<value>(member, path.child(name), f); });
  }
}

template <class X>
struct entry_of { using type = X; };
template <class X, std::size_t N>
struct entry_of<std::array<X, N>> : entry_of<X> {};
template <class X, std::size_t N>
struct entry_of<X[N]> : entry_of<X> {};

/// Whether everything below a model can be traced. Layers that a model hands out itself are looked at when it does.
template <class M>
constexpr bool members_are_allowed();

template <class Owner, class Member>
constexpr bool everything_below_is_allowed() {
  if constexpr (!member_is_allowed<Owner, Member>()) return false;
  else return members_are_allowed<Member>();
}
template <class M, std::size_t... I>
constexpr bool members_are_allowed(std::index_sequence<I...>) {
  return (everything_below_is_allowed<M, typename entry_of<reflection::member_type<M, I>>::type>() && ... && true);
}
template <class M>
constexpr bool members_are_allowed() {
  if constexpr (!Module<M> || requires(M& m) { m.for_each_layer([](std::size_t, auto&) {}); }) return true;
  else if constexpr (!members_can_be_visited<M>()) return false;
  else return members_are_allowed<M>(std::make_index_sequence<reflection::member_count<M>>());
}

/// How many members of three kinds a module has.
struct member_counts {
  int parameters = 0;
  int tensors = 0;  // parameters and buffers
  int scalars = 0;
};
struct member_counter {
  member_counts& n;
  template <class Path, class X>
  constexpr void operator()(const Path&, X&) const {
    n.parameters += is_parameter<X>;
    n.tensors += is_parameter<X> || is_buffer<X>;
    n.scalars += is_scalar<X>;
  }
};
template <class M>
constexpr member_counts count_members() {
  member_counts n;
  M m{};  // not const: g++ 12 then refuses the constructors of an array's elements
  walk(m, no_path{}, member_counter{n});
  return n;
}
template <class M>
struct module_counts {
  static constexpr member_counts count = [] {
    if constexpr (members_are_allowed<M>()) return count_members<M>();
    else return member_counts{};
  }();
};

}  // namespace detail

// ---- models as arguments, results and destinations ------------------------------------------------------------------------

template <Module M>
struct argument_traits<M> {
  static constexpr int arguments = detail::module_counts<M>::count.tensors, scalars = detail::module_counts<M>::count.scalars;
  static constexpr bool is_allowed() { return detail::members_are_allowed<M>(); }
  /// The skeleton: parameters are symbols, settings are hidden.
  static constexpr M lower(detail::lowering& l) {
    M m{};
    if (!is_allowed()) l.program.fail(graph::program_error::already_reported, graph::opcode_of<operation::argument>);
    detail::walk(m, detail::no_path{}, [&](const auto&, auto& x) {
      using X = std::remove_cvref_t<decltype(x)>;
      if constexpr (detail::is_setting<X>) x.hide(l.program);
      else x.symbol_reference() = argument_traits<X>::lower(l);
    });
    return m;
  }
  static void bind(const M& m, auto& b) {
    detail::walk(m, detail::no_path{}, [&](const auto&, const auto& x) {
      using X = std::remove_cvref_t<decltype(x)>;
      if constexpr (!detail::is_setting<X>) argument_traits<X>::bind(x, b);
    });
  }
  static bool changed(const M&) { return false; }
};

template <Module M>
struct traced_traits<M> {
  template <class F>
  static constexpr void each(M& m, F&& f) {
    detail::walk(m, detail::no_path{}, [&](const auto&, auto& x) {
      if constexpr (detail::is_parameter<std::remove_cvref_t<decltype(x)>>) f(x.symbol_reference());
    });
  }
};

template <Module M>
struct gradient_traits<M> {
  using type = M;
  static constexpr int outputs = detail::module_counts<M>::count.parameters;
  template <int, class Call>
  static M make(const Call&, const M& m) {
    const detail::ShapeOnlyCopies scope;
    return m;
  }
};

template <Module M>
struct gradient_arguments<M> {
  static constexpr void numbers(list<int>& wrt, int& next_argument, int& next_scalar) {
    M m{};
    detail::walk(m, detail::no_path{}, [&](const auto&, auto& x) {
      using X = std::remove_cvref_t<decltype(x)>;
      if constexpr (detail::is_parameter<X>) wrt.push_back(next_argument);
      if constexpr (detail::is_parameter<X> || detail::is_buffer<X>) ++next_argument;
      if constexpr (detail::is_scalar<X>) ++next_scalar;
    });
  }
};

/// A model takes outputs into its parameters.
template <Module M>
struct destination_traits<M> {
  static constexpr int outputs = detail::module_counts<M>::count.parameters;
  template <int K, class Call>
  static void describe(M& m, const Call& call, graph::descriptor* to) {
    int k = K;
    detail::walk(m, detail::no_path{}, [&](const auto&, auto& x) {
      if constexpr (detail::is_parameter<std::remove_cvref_t<decltype(x)>>) {
        index_t expected[max_rank];
        graph::output_extents(Call::view, k, call.symbols, expected);
        const auto found = x.extents().to_array();
        for (int axis = 0; axis < x.rank(); ++axis)
          if (found[static_cast<std::size_t>(axis)] != expected[axis])
            raise<ShapeError>("a model's parameter has extents ", x.extents(), ", the result ", detail::extents_text{expected, x.rank()});
        detail::describe(to[k++], x.data(), x.mapping());
      }
    });
  }
};

/// Calls f(name, parameter) for every parameter of a model: "0.weight", "fc1.bias".
template <class M, class F>
  requires Module<std::remove_const_t<M>>
void for_each_parameter(M& model, F&& f) {
  detail::walk(model, detail::dotted_path{}, [&](const detail::dotted_path& path, auto& x) {
    if constexpr (detail::is_parameter<std::remove_cvref_t<decltype(x)>>) f(std::string_view(path.text), x);
  });
}

/// The number of elements of all parameters.
template <Module M>
index_t parameter_count(const M& model) {
  index_t n = 0;
  detail::walk(model, detail::no_path{}, [&](const auto&, const auto& x) {
    if constexpr (detail::is_parameter<std::remove_cvref_t<decltype(x)>>) n += x.size();
  });
  return n;
}

// ---- layers in expressions ------------------------------------------------------------------------------------------------

namespace detail {

/// A model in an expression; it must outlive it. Its tensors and scalars must not be written before the expression is evaluated, nor before a
/// statement that was recorded with it is differentiated.
template <class M>
struct module_reference {
  const M* model;
  std::size_t version = 0;

  constexpr explicit module_reference(const M& m) : model(&m) {
    if (!std::is_constant_evaluated()) version = version_of(m);
  }
  bool changed() const { return version_of(*model) != version; }
  /// Changes with the version of any tensor and the value of any scalar.
  static std::size_t version_of(const M& m) {
    std::size_t sum = 0;
    walk(m, no_path{}, [&](const auto&, const auto& x) {
      using X = std::remove_cvref_t<decltype(x)>;
      if constexpr (is_parameter<X> || is_buffer<X>) sum += x.version();
      else if constexpr (is_scalar<X>) sum = sum * 31 + std::hash<typename X::value_type>{}(x.value());
    });
    return sum;
  }

  // For the tape.
  static constexpr void gradient_numbers(list<int>& wrt, int& next) {
    int next_scalar = 0;
    gradient_arguments<M>::numbers(wrt, next, next_scalar);
  }
  template <class F>
  void each_gradient(F&& f) const {
    walk(*model, no_path{}, [&](const auto&, const auto& x) {
      if constexpr (is_parameter<std::remove_cvref_t<decltype(x)>>) f(x);
    });
  }
};

template <class L>
struct apply_function {
  static constexpr std::string_view name = "apply";
  template <class... X>
  static constexpr Symbol trace(const L& layer, const X&... x) {
    return graph::symbol_of(layer.forward(x...));
  }
};

template <class X>
constexpr auto apply_leaf(const X& x) {
  return as_expression(x);
}

}  // namespace detail

template <class M>
struct argument_traits<detail::module_reference<M>> {
  static constexpr int arguments = argument_traits<M>::arguments, scalars = argument_traits<M>::scalars;
  static constexpr M lower(detail::lowering& l) { return argument_traits<M>::lower(l); }
  static void bind(const detail::module_reference<M>& m, auto& b) { argument_traits<M>::bind(*m.model, b); }
  static bool changed(const detail::module_reference<M>& m) { return m.changed(); }
};

/// A layer's forward. While tracing, its value; on tensors and expressions one node that evaluates x once however often the layer uses it.
template <Module L, class... X>
constexpr auto apply(const L& layer, const X&... x) {
  if constexpr ((std::is_same_v<X, Symbol> || ...)) return layer.forward(x...);
  else
    return Node<detail::apply_function<L>, detail::module_reference<L>, decltype(detail::apply_leaf(x))...>(
        detail::module_reference<L>(layer), detail::apply_leaf(x)...);
}

}  // namespace fluxion
