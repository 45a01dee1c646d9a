/// Groups of values: tuples, pairs and arrays, nested as they like, as a list of leaves and back.
#pragma once
#include <array>
#include <cstddef>
#include <tuple>
#include <type_traits>
#include <utility>

namespace fluxion::detail {

/// A group of values: the types of its leaves in order, the leaves themselves (`tie`), and the group of what they are in a trace.
template <class X>
struct value_group {
  using types = std::tuple<X>;
  static constexpr int size = 1;
  template <int K, class Leaves>
  static constexpr auto regroup(const Leaves& leaves) { return std::get<static_cast<std::size_t>(K)>(leaves); }
  template <class Y>
  static constexpr auto tie(Y& x) { return std::tie(x); }
};

template <class... X>
struct value_group<std::tuple<X...>> {
  using types = decltype(std::tuple_cat(std::declval<typename value_group<std::remove_cvref_t<X>>::types>()...));
  static constexpr int size = (value_group<std::remove_cvref_t<X>>::size + ... + 0);
  template <int K, class Leaves>
  static constexpr auto regroup(const Leaves& leaves) { return part<K>(leaves, std::index_sequence_for<X...>{}); }
  template <class Y>
  static constexpr auto tie(Y& x) {
    return [&]<std::size_t... I>(std::index_sequence<I...>) {
      return std::tuple_cat(value_group<std::remove_cvref_t<X>>::tie(std::get<I>(x))...);
    }(std::index_sequence_for<X...>{});
  }

 private:
  static constexpr auto begins = [] {
    std::array<int, sizeof...(X) + 1> b{};
    std::size_t k = 0;
    (..., (b[k + 1] = b[k] + value_group<std::remove_cvref_t<X>>::size, ++k));
    return b;
  }();
  template <int K, class Leaves, std::size_t... I>
  static constexpr auto part(const Leaves& leaves, std::index_sequence<I...>) {
    return std::make_tuple(value_group<std::remove_cvref_t<X>>::template regroup<K + begins[I]>(leaves)...);
  }
};
template <class A, class B>
struct value_group<std::pair<A, B>> : value_group<std::tuple<A, B>> {};

template <class X, std::size_t N>
struct value_group<std::array<X, N>> {
  template <std::size_t>
  using entry = typename value_group<X>::types;
  template <std::size_t... I>
  static auto all(std::index_sequence<I...>) -> decltype(std::tuple_cat(std::declval<entry<I>>()...));
  using types = decltype(all(std::make_index_sequence<N>{}));
  static constexpr int size = static_cast<int>(N) * value_group<X>::size;
  template <int K, class Leaves>
  static constexpr auto regroup(const Leaves& leaves) {
    return [&]<std::size_t... I>(std::index_sequence<I...>) {
      using one = decltype(value_group<X>::template regroup<K>(leaves));
      return std::array<one, N>{value_group<X>::template regroup<K + static_cast<int>(I) * value_group<X>::size>(leaves)...};
    }(std::make_index_sequence<N>{});
  }
  template <class Y>
  static constexpr auto tie(Y& x) {
    return std::apply([](auto&... entry) { return std::tuple_cat(value_group<X>::tie(entry)...); }, x);
  }
};

}  // namespace fluxion::detail
