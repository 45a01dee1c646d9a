/// Structural reflection: the members of an aggregate, counted, visited and named without a macro or a registration. It is
/// how the parameters of a layer are found.
///
/// A class can be visited when it is an aggregate of at most 32 members whose bases are empty, or when it says
/// `static constexpr std::size_t member_count = N;` and its N members are public. A `std::array` is one member; a C array too.
/// What the language cannot bind or name is an error of the compiler, never a wrong answer: bit-fields, anonymous unions,
/// volatile members (g++), a wrong `member_count`, an empty base whose type is also that of the first member.
#pragma once
#include "reflection/count.hpp"
#include "reflection/name.hpp"

#include <cstddef>
#include <string_view>
#include <type_traits>
#include <utility>

namespace fluxion::reflection {

/// Whether the members of T can be visited, and if not, why; to be asked first, so that the error is in the caller's words.
template <class T>
inline constexpr status reflection_status = detail::examined<std::remove_cv_t<T>>.state;

/// Types whose members can be visited.
template <class T>
concept Reflectable = reflection_status<T> == status::ok;

/// True if T derives from a class that has members.
template <class T>
inline constexpr bool has_base_with_members = reflection_status<T> == status::base_with_members;

/// How many members T has.
template <Reflectable T>
inline constexpr std::size_t member_count = detail::examined<std::remove_cv_t<T>>.count;

/// The name of member I of T as written in its class.
template <Reflectable T, std::size_t I>
  requires(I < member_count<T>)
constexpr std::string_view member_name() {
  return detail::names<std::remove_cv_t<T>, member_count<T>>::views[I];
}

/// The type of member I of T, const if T is.
template <class T, std::size_t I>
  requires(Reflectable<T> && I < member_count<T>)
using member_type = std::remove_reference_t<decltype(*detail::get<I>(detail::binding<member_count<T>>::addresses(std::declval<T&>())))>;

/// Calls `f(std::string_view name, auto& member)` for each member of `object` in the order of declaration.
template <class Object, class F>
  requires Reflectable<Object>
constexpr void for_each_member(Object& object, F&& f) {
  using T = std::remove_cv_t<Object>;
  constexpr std::size_t count = member_count<T>;
  if constexpr (count > 0) {
    const auto members = detail::binding<count>::addresses(object);
    [&]<std::size_t... I>(std::index_sequence<I...>) {
      (static_cast<void>(f(detail::names<T, count>::views[I], *detail::get<I>(members))), ...);
    }(std::make_index_sequence<count>());
  }
}

}  // namespace fluxion::reflection
