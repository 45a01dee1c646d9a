/// The names of members, read from how the compiler spells an address. Private to core/reflection.hpp.
///
/// The address of a member of an object that is declared and never defined is a constant, and a function that takes it as
/// template argument spells it in its own name: `… (& unseen<Swish>.holder<Swish>::value.Swish::beta)`.
#pragma once
#include "binding.hpp"

#include <array>
#include <cstddef>
#include <string_view>
#include <utility>

namespace fluxion::reflection::detail {

template <class T>
struct holder {
  T value;
};

#if defined(__clang__)
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wundefined-var-template"
#pragma clang diagnostic ignored "-Wundefined-internal"
#endif

/// Never defined; only the addresses of its parts are used.
template <class T>
extern holder<T> unseen;

/// As part of a class a pointer is spelled with the path to the member by every compiler; clang omits the path of a bare one.
template <class Pointer>
struct path {
  Pointer pointer;
};
template <class Pointer>
path(Pointer) -> path<Pointer>;

/// A sentence that ends with the spelling of the address.
template <auto Path>
constexpr const char* spelling() {
#if defined(_MSC_VER) && !defined(__clang__)
  return __FUNCSIG__;
#else
  return __PRETTY_FUNCTION__;
#endif
}

constexpr bool is_identifier_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '$' ||
         static_cast<unsigned char>(c) >= 128;
}

/// `beta` of `… [with auto Path = path<float*>{(& unseen<Swish>.holder<Swish>::value.Swish::beta)}]`.
constexpr std::string_view last_identifier(std::string_view text) {
#if defined(_MSC_VER) && !defined(__clang__)
  text = text.substr(0, text.rfind('}'));  // the parameter list follows
#endif
  std::size_t end = text.size();
  while (end > 0 && !is_identifier_character(text[end - 1])) --end;
  std::size_t begin = end;
  while (begin > 0 && is_identifier_character(text[begin - 1])) --begin;
  return text.substr(begin, end - begin);
}

/// The names of the N members of T, copied out of the spellings so that these do not end up in the executable.
template <class T, std::size_t N>
struct names {
  static constexpr std::array<std::string_view, N> spelled = []<std::size_t... I>(std::index_sequence<I...>) {
    constexpr auto members = binding<N>::addresses(unseen<T>.value);
    return std::array<std::string_view, N>{last_identifier(spelling<path{get<I>(members)}>())...};
  }(std::make_index_sequence<N>());

  static constexpr std::size_t length = [] {
    std::size_t sum = 0;
    for (std::string_view name : spelled) sum += name.size();
    return sum;
  }();
  static_assert(length >= N, "the compiler does not spell the names of members");

  static constexpr std::array<char, length> text = [] {
    std::array<char, length> result{};
    std::size_t position = 0;
    for (std::string_view name : spelled) {
      for (char c : name) result[position++] = c;
    }
    return result;
  }();

  static constexpr std::array<std::string_view, N> views = [] {
    std::array<std::string_view, N> result{};
    std::size_t position = 0;
    for (std::size_t i = 0; i < N; ++i) {
      result[i] = std::string_view(text.data() + position, spelled[i].size());
      position += spelled[i].size();
    }
    return result;
  }();
};

#if defined(__clang__)
#pragma clang diagnostic pop
#endif

}  // namespace fluxion::reflection::detail
