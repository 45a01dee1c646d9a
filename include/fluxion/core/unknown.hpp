/// What follows an error that the compiler has reported: nothing. One mistake of the user is one error, however much depends on it.
#pragma once
#include <cstdlib>
#include <type_traits>

namespace fluxion {

/// Stands for a value whose error has been reported. It fits wherever a value is wanted, so that no other error follows from it.
struct Unknown {
  template <class... X>
  constexpr Unknown operator()(const X&...) const { return {}; }
  template <class T>
    requires(!std::is_reference_v<T>)
  [[noreturn]] operator T() const { std::abort(); }  // the program does not compile: nobody gets here
};

namespace detail {

struct no_class;
constexpr bool look_for_base(const no_class*) { return true; }
constexpr bool look_for_base(const void*) { return true; }

/// Instantiates a class for its static assertions without using it: to clang, each use of a class whose assertion failed is another error.
template <class C>
constexpr bool instantiate() {
  return look_for_base(static_cast<const C*>(nullptr));
}

}  // namespace detail
}  // namespace fluxion
