// Products of few columns against plain sums: columns around the packets, rows around what registers hold, every order, blocks of the inner axis.
// matrix
#include "support/numbers.hpp"

#include <doctest/doctest.h>

#include <fluxion/device/cpu/narrow_product.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <vector>

namespace fx = fluxion;
using fx::index_t;

namespace {

struct sizes {
  index_t rows, columns, inner;
};

/// C = A·B in rows of C that are longer than its columns: the largest error, or infinity if an element beside C was written.
template <class T>
double error_of(const sizes& s, bool a_by_rows, bool b_by_rows) {
  const std::vector<T> a = support::waves<T>(s.rows * s.inner, 0.1), b = support::waves<T>(s.inner * s.columns, 2);
  const index_t c_row = s.columns + 3;
  std::vector<T> c(static_cast<std::size_t>(s.rows * c_row), T(7));
  const fx::host::detail::narrow_product<T> m{s.rows, s.columns, s.inner, a.data(), a_by_rows ? s.inner : 1, a_by_rows ? 1 : s.rows,
                                              b.data(), b_by_rows ? s.columns : 1, b_by_rows ? 1 : s.inner, c.data(), c_row};
  REQUIRE(fx::host::detail::multiply_if_narrow(m));
  double worst = 0;
  for (index_t i = 0; i < s.rows; ++i)
    for (index_t j = 0; j < c_row; ++j) {
      const T found = c[static_cast<std::size_t>(i * c_row + j)];
      if (j >= s.columns) {
        if (found != T(7)) return std::numeric_limits<double>::infinity();
        continue;
      }
      double sum = 0;
      for (index_t k = 0; k < s.inner; ++k)
        sum += static_cast<double>(a[static_cast<std::size_t>(i * m.a_row + k * m.a_column)]) * static_cast<double>(b[static_cast<std::size_t>(k * m.b_row + j * m.b_column)]);
      worst = std::max(worst, std::abs(sum - static_cast<double>(found)));
    }
  return worst;
}

}  // namespace

TEST_CASE_TEMPLATE("a product of few columns is that of plain loops in every order, and nothing beside it is written", T, float, double) {
  constexpr index_t lanes = fx::host::native_lanes<T>;
  for (const bool a_by_rows : {true, false})
    for (const bool b_by_rows : {true, false})
      for (index_t columns = 1; columns <= fx::host::detail::most_narrow_columns<T>; columns += columns % lanes == 1 || columns % lanes == lanes - 1 || lanes < 4 ? 1 : lanes / 2 - 1)
        for (const index_t rows : {12, 13, 23, 36})
          for (const index_t inner : {1, 2, 19}) {
            INFO(rows, " by ", columns, " by ", inner);
            CHECK(error_of<T>({rows, columns, inner}, a_by_rows, b_by_rows) <= (sizeof(T) == 4 ? 1e-5 : 1e-14));
          }
}

TEST_CASE("an inner axis that exceeds the first-level cache is summed over all of its blocks") {
  constexpr index_t lanes = fx::host::native_lanes<double>;
  for (const index_t columns : {index_t{1}, lanes, 2 * lanes, fx::host::detail::most_narrow_columns<double>}) CHECK(error_of<double>({17, columns, 5000}, true, columns == 2 * lanes) <= 1e-10);
}

TEST_CASE("what is not finite stays where it belongs") {
  const std::vector<double> a(12, 1.0), b = {std::numeric_limits<double>::infinity(), 2};
  std::vector<double> c(24, 0.0);
  REQUIRE(fx::host::detail::multiply_if_narrow(fx::host::detail::narrow_product<double>{12, 2, 1, a.data(), 1, 1, b.data(), 2, 1, c.data(), 2}));
  CHECK(c[22] == std::numeric_limits<double>::infinity());
  CHECK(c[23] == 2);
}

TEST_CASE("other products are left to the library") {
  const auto takes = [&](index_t rows, index_t columns, index_t inner, bool by_rows) {
    std::vector<double> a(static_cast<std::size_t>(rows * inner + 1)), b(static_cast<std::size_t>(inner * columns + 1)), c(static_cast<std::size_t>(rows * columns + 1));
    return fx::host::detail::multiply_if_narrow(fx::host::detail::narrow_product<double>{rows, columns, inner, a.data(), by_rows ? inner : 1, by_rows ? 1 : rows, b.data(), columns, 1, c.data(), columns});
  };
  CHECK(takes(12, 2, 5, true));
  CHECK_FALSE(takes(11, 2, 5, true));
  CHECK_FALSE(takes(12, fx::host::detail::most_narrow_columns<double> + 1, 5, true));
  CHECK_FALSE(takes(12, 2, 0, true));
  CHECK(takes(300, 2, 300, true));
  CHECK_FALSE(takes(300, 2, 300, false));
}
