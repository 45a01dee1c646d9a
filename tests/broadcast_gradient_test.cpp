#include <doctest/doctest.h>
#include <fluxion/autodiff/transform.hpp>
#include <fluxion/fluxion.hpp>

namespace fx = fluxion;
using Matrix = fx::Tensor<double, fx::dims<2>>;

TEST_CASE("the gradient of an argument whose run-time extent of 1 was broadcast has the argument's own extents") {
  Matrix x = {{1, 2, 3}, {4, 5, 6}}, column = {{10}, {20}}, row = {{1, 2, 3}};
  const auto f = fx::value_and_grad<0, 1, 2>([](auto a, auto b, auto c) { return fx::sum(a * b * b + fx::exp(c * b * 0.1)); });
  const auto [loss, of_x, of_column, of_row] = f(x, column, row);
  CHECK(of_x.extents() == x.extents());
  CHECK(of_column.extents() == column.extents());
  CHECK(of_row.extents() == row.extents());
  const auto difference = [&](double& element) {
    const double kept = element, step = 1e-5;
    element = kept + step;
    const double above = std::get<0>(f(x, column, row)).item();
    element = kept - step;
    const double below = std::get<0>(f(x, column, row)).item();
    element = kept;
    return (above - below) / (2 * step);
  };
  for (int i = 0; i < 2; ++i) CHECK(of_column(i, 0) == doctest::Approx(difference(column(i, 0))).epsilon(1e-6));
  for (int j = 0; j < 3; ++j) CHECK(of_row(0, j) == doctest::Approx(difference(row(0, j))).epsilon(1e-6));
  for (int j = 0; j < 3; ++j) CHECK(of_x(1, j) == doctest::Approx(difference(x(1, j))).epsilon(1e-6));
}

TEST_CASE("a result that would silently be larger than NumPy's is refused") {
  const auto pair = fx::compile([](auto a, auto b) { return std::tuple(a * 2, a + b); });
  const Matrix small = {{1}, {2}}, large = {{1, 2, 3}, {4, 5, 6}};
  CHECK_THROWS_AS(pair(small, large), fx::ShapeError);
}
