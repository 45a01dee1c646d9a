/// Element types: their run-time names, their sizes and the type that two of them meet in.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <type_traits>

namespace fluxion {

/// The element type of a tensor as a value. Ordered so that promotion is a maximum (PyTorch's rules for these types).
enum class element_type : std::uint8_t { boolean, int32, int64, float32, float64 };

inline constexpr int element_type_count = 5;

namespace detail {
template <class T>
inline constexpr int element_type_index = -1;
template <>
inline constexpr int element_type_index<bool> = 0;
template <>
inline constexpr int element_type_index<std::int32_t> = 1;
template <>
inline constexpr int element_type_index<std::int64_t> = 2;
template <>
inline constexpr int element_type_index<float> = 3;
template <>
inline constexpr int element_type_index<double> = 4;

template <element_type>
struct element;
template <>
struct element<element_type::boolean> { using type = bool; };
template <>
struct element<element_type::int32> { using type = std::int32_t; };
template <>
struct element<element_type::int64> { using type = std::int64_t; };
template <>
struct element<element_type::float32> { using type = float; };
template <>
struct element<element_type::float64> { using type = double; };
}  // namespace detail

/// A C++ type that a tensor can hold.
template <class T>
concept Element = detail::element_type_index<std::remove_cv_t<T>> >= 0;

/// The `element_type` of a C++ type.
template <Element T>
inline constexpr element_type element_type_of = static_cast<element_type>(detail::element_type_index<std::remove_cv_t<T>>);

/// The C++ type of an `element_type`.
template <element_type E>
using element_t = typename detail::element<E>::type;

/// Bytes of one element.
constexpr std::size_t size_of(element_type type) {
  switch (type) {
    case element_type::boolean: return 1;
    case element_type::int32:
    case element_type::float32: return 4;
    default: return 8;
  }
}

/// The name that printing and error messages use.
constexpr std::string_view name_of(element_type type) {
  constexpr std::string_view names[element_type_count] = {"bool", "int32", "int64", "float32", "float64"};
  return names[static_cast<int>(type)];
}

constexpr bool is_floating(element_type type) { return type >= element_type::float32; }

/// The type in which two tensors meet: bool < int32 < int64 < float32 < float64.
constexpr element_type promote(element_type a, element_type b) { return a < b ? b : a; }

/// Calls `f` with a value-initialised element of the C++ type that `type` names.
template <class F>
constexpr decltype(auto) dispatch(element_type type, F&& f) {
  switch (type) {
    case element_type::boolean: return f(bool{});
    case element_type::int32: return f(std::int32_t{});
    case element_type::int64: return f(std::int64_t{});
    case element_type::float32: return f(float{});
    default: return f(double{});
  }
}

}  // namespace fluxion
