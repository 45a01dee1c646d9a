/// For tests of functions of one number: limits, and a call of `check` (the test's own) with a function by its name, once for every type of number.
#pragma once
#include <limits>

namespace fluxion::test {

inline constexpr double infinity = std::numeric_limits<double>::infinity();
inline constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();

}  // namespace fluxion::test

#define FLUXION_CHECK(function, ...) check(#function, [](const auto& x) { using std::function; return function(x); }, __VA_ARGS__)
