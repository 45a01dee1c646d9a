// The loops of products of a matrix and a vector against plain sums: rows and columns around the packets, strides, matrices beyond the second-level cache.
// matrix
#include "support/numbers.hpp"

#include <doctest/doctest.h>

#include <fluxion/device/cpu/vector_product.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

namespace fx = fluxion;
using fx::index_t;

namespace {

/// y = A·x where A lies by rows or by columns, each `gap` elements longer than needed; the largest error, and what was written beside y.
template <class T>
double error_of(index_t rows, index_t inner, bool by_rows, index_t gap, index_t step) {
  const index_t row = by_rows ? inner + gap : 1, column = by_rows ? 1 : rows + gap;
  const index_t x_stride = by_rows ? 1 : step, y_stride = by_rows ? step : 1;
  const std::vector<T> a = support::waves<T>((rows + gap) * (inner + gap), 0.1), x = support::waves<T>(inner * x_stride, 2);
  std::vector<T> y(static_cast<std::size_t>(rows * y_stride + 1), T(7));
  REQUIRE(fx::host::detail::multiply_vector(fx::host::detail::vector_product<T>{rows, inner, a.data(), row, column, x.data(), x_stride, y.data(), y_stride}));
  double worst = std::abs(static_cast<double>(y.back()) - 7);
  for (index_t i = 0; i < rows; ++i) {
    double sum = 0;
    for (index_t k = 0; k < inner; ++k) sum += static_cast<double>(a[static_cast<std::size_t>(i * row + k * column)]) * static_cast<double>(x[static_cast<std::size_t>(k * x_stride)]);
    worst = std::max(worst, std::abs(sum - static_cast<double>(y[static_cast<std::size_t>(i * y_stride)])));
  }
  return worst;
}

}  // namespace

TEST_CASE_TEMPLATE("every shape gives the sums of a plain loop and writes nothing else", T, float, double) {
  const double tolerance = sizeof(T) == 4 ? 2e-5 : 1e-13;
  for (const bool by_rows : {false, true})
    for (const index_t rows : {0, 1, 3, 7, 8, 9, 16, 17, 31, 33, 64, 65, 127, 129, 150})
      for (const index_t inner : {0, 1, 3, 4, 5, 7, 16, 17, 33}) {
        INFO((by_rows ? "by rows, " : "by columns, "), rows, " by ", inner);
        CHECK(error_of<T>(rows, inner, by_rows, 0, 1) <= tolerance);
        CHECK(error_of<T>(rows, inner, by_rows, 3, 2) <= tolerance);
      }
}

TEST_CASE("a matrix beyond the second-level cache is summed over all of its columns") {
  CHECK(error_of<double>(301, 1027, false, 1, 1) <= 1e-11);
  CHECK(error_of<double>(301, 1027, true, 1, 1) <= 1e-11);
  CHECK(error_of<float>(2000, 517, false, 0, 1) <= 1e-3);
}
