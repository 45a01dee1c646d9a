/// Arguments of compiled programs: how the type of a tensor, a view or a number is recorded, and how its value is bound.
#pragma once
#include "../graph/call.hpp"
#include "../graph/check.hpp"
#include "../core/unknown.hpp"
#include "../graph/symbol.hpp"
#include "tensor.hpp"
#include "view.hpp"

#include <type_traits>
#include <utility>

namespace fluxion {

namespace detail {

/// The program that is being recorded from types, and how many arguments and scalars it has so far.
struct lowering {
  graph::program& program;
  int arguments = 0;
  int scalars = 0;
};

/// The run-time values, collected in the order in which their types were recorded.
struct binder {
  graph::descriptor* arguments;
  graph::scalar_value* scalars;

  void add(graph::scalar_value value) { *scalars++ = value; }
  template <class T, class Mapping>
  void add(const T* data, const Mapping& mapping) {
    graph::descriptor& d = *arguments++;
    d.data = reinterpret_cast<std::byte*>(const_cast<std::remove_const_t<T>*>(data));
    const auto e = mapping.extents();
    using E = std::remove_cvref_t<decltype(e)>;
    const auto strides = mapping.strides();
    for (int axis = 0; axis < E::rank(); ++axis) {
      d.extent[axis] = e.extent(axis);
      d.stride[axis] = strides[static_cast<std::size_t>(axis)];
    }
  }
};

/// Collects no more than a map over adjacent elements needs: pointers, and whether all extents are the ones expected.
template <int Rank, int Arguments, int Scalars>
struct plain_binder {
  const index_t* expected;  // null: the first argument's
  const std::byte* data[Arguments > 0 ? Arguments : 1];
  index_t first[Rank > 0 ? Rank : 1];
  graph::scalar_value scalars[Scalars > 0 ? Scalars : 1];
  int arguments = 0, scalar_count = 0;
  bool plain = true;

  explicit plain_binder(const index_t* extents) : expected(extents) {}

  void add(graph::scalar_value value) { scalars[scalar_count++] = value; }
  /// Numbers with a fraction are never read as integers: programs give them floating types.
  void add(double value) { scalars[scalar_count++].floating = value; }
  template <class T, class Mapping>
  void add(const T* p, const Mapping& mapping) {
    data[arguments++] = reinterpret_cast<const std::byte*>(p);
    const auto e = mapping.extents();
    using E = std::remove_cvref_t<decltype(e)>;
    if constexpr (E::rank() != Rank) plain = false;
    else {
      if (!mapping.is_contiguous()) plain = false;
      if (expected == nullptr) {
        for (int axis = 0; axis < Rank; ++axis) first[axis] = e.extent(axis);
        expected = first;
        return;
      }
      for (int axis = 0; axis < Rank; ++axis)
        if (e.extent(axis) != expected[axis]) plain = false;
    }
  }
};

/// Raises ValueError for a tensor of static extents that was moved from: others are empty then.
template <class T, class E>
constexpr void check_has_elements(const Tensor<T, E, cpu_t>& x) {
  if constexpr (E::is_static()) static_cast<void>(x.view());
}
constexpr void check_has_elements(const auto&) {}

/// The shape of an extents type; run-time extents become symbols of the argument.
template <Extents E>
constexpr int lower_argument(lowering& l, element_type type, bool strided) {
  return l.program.argument(l.arguments++, type, graph::static_shape<E>(), strided);
}

}  // namespace detail

namespace detail {
/// Says that something is no argument.
template <class X>
struct traced_argument {
  static_assert(graph::never<X>,
                "an argument of a traced function is a tensor, a view, an expression, a number or a model; a struct of tensors is a model if it has "
                "parameters for them, and a forward");
};
}  // namespace detail

/// How something is passed to a compiled program. Specialised for tensors, views, numbers, expressions and models: `lower` records it,
/// `bind` adds its run-time values, `changed` tells whether something that it refers to was written since.
template <class X>
struct argument_traits {
  static constexpr int arguments = 0, scalars = 0;
  static constexpr bool is_allowed() {
    detail::instantiate<detail::traced_argument<X>>();
    return false;
  }
  static constexpr Unknown lower(detail::lowering&) { return {}; }
  static void bind(const X&, auto&) {}
  static bool changed(const X&) { return false; }
};

template <class T, class E>
struct argument_traits<Tensor<T, E, cpu_t>> {
  using leaf = Tensor<T, E, cpu_t>;
  static constexpr int arguments = 1, scalars = 0;
  using gradient_type = Tensor<T, E, cpu_t>;
  static constexpr Symbol lower(detail::lowering& l) {
    return {l.program, detail::lower_argument<E>(l, element_type_of<T>, false)};
  }
  static void bind(const leaf& x, auto& b) {
    detail::check_has_elements(x);
    b.add(x.data(), x.mapping());
  }
  static bool changed(const leaf&) { return false; }
};

namespace detail {
/// Says that nothing is computed on a device.
template <class Device>
struct execution_on {
  static_assert(std::is_same_v<Device, cpu_t>,
                "tensors are computed with on the cpu only: a tensor on another device has a type, but expressions and functions of tensors do "
                "not run there yet");
};
}  // namespace detail

/// A tensor on another device: refused, in words.
template <class T, class E, class D>
  requires(!std::is_same_v<D, cpu_t>)
struct argument_traits<Tensor<T, E, D>> {
  using leaf = Tensor<T, E, D>;
  static constexpr int arguments = 0, scalars = 0;
  static constexpr bool is_allowed() {
    detail::instantiate<detail::execution_on<D>>();
    return false;
  }
  static constexpr Symbol lower(detail::lowering& l) { return {l.program, l.program.constant(element_type_of<T>, 0)}; }
  static void bind(const leaf&, auto&) {}
  static bool changed(const leaf&) { return false; }
};

template <class T, class E, class L>
struct argument_traits<View<T, E, L>> {
  using leaf = View<T, E, L>;
  static constexpr int arguments = 1, scalars = 0;
  using gradient_type = Tensor<std::remove_const_t<T>, E, cpu_t>;
  static constexpr Symbol lower(detail::lowering& l) {
    return {l.program, detail::lower_argument<E>(l, element_type_of<T>, std::is_same_v<L, layout_stride>)};
  }
  static void bind(const leaf& x, auto& b) { b.add(x.const_data(), x.mapping()); }
  static bool changed(const leaf&) { return false; }
};

namespace detail {
/// What an argument of type X is while a function is recorded.
template <class X>
using lowered_t = decltype(argument_traits<X>::lower(std::declval<lowering&>()));
}  // namespace detail

/// A number is a run-time scalar: a literal that takes the element type of the tensor it meets.
template <class X>
  requires std::is_arithmetic_v<X>
struct argument_traits<X> {
  static constexpr int arguments = 0, scalars = 1;
  static constexpr Symbol lower(detail::lowering& l) {
    constexpr element_type type = std::is_same_v<X, bool>      ? element_type::boolean
                                  : std::is_integral_v<X> ? element_type::int64
                                  : std::is_same_v<X, float> ? element_type::float32
                                                          : element_type::float64;
    return {l.program, l.program.scalar(l.scalars++, type, true)};
  }
  static void bind(X x, auto& b) {
    if constexpr (std::is_same_v<X, bool>) b.add(graph::scalar_value(x));
    else if constexpr (std::is_integral_v<X>) b.add(graph::scalar_value(static_cast<std::int64_t>(x)));
    else b.add(static_cast<double>(x));
  }
  static constexpr bool changed(X) { return false; }
};

}  // namespace fluxion
