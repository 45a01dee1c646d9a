// Assignments that compute: x += e and its like.
#include <doctest/doctest.h>

#include <fluxion/fluxion.hpp>

namespace fx = fluxion;

TEST_CASE("a compound assignment writes the tensor in one kernel") {
  fx::Tensor<float, fx::dims<2>> x = fx::full<float>({3, 5}, 2.f);
  const fx::Tensor<float, fx::dims<1>> y = {1, 2, 3, 4, 5};
  const float* const place = x.data();
  fx::CountingScope scope;
  x += 2 * y;
  CHECK(scope.counters().kernels == 1);
  CHECK(scope.counters().temporary_bytes == 0);
  CHECK(x.data() == place);
  CHECK(x(2, 4) == 12);
  x -= y;
  x *= 3;
  x /= x.view();
  CHECK(fx::allclose(x, fx::ones<float>({3, 5})));
}

TEST_CASE("numbers and views take part, and the result is the left side") {
  fx::Tensor<double, fx::extents<2, 2>> x = {{1, 2}, {3, 4}};
  (x += 1) *= 2.5f;
  CHECK(x(1, 1) == 12.5);
  x.t() -= x;
  CHECK(x(0, 1) == -2.5);
  CHECK(x(1, 0) == 2.5);
  CHECK(x(0, 0) == 0);
  x[1] += 1;
  CHECK(x(1, 1) == 1);
  CHECK(x(0, 1) == -2.5);
}

TEST_CASE("the left side does not broadcast") {
  fx::Tensor<float, fx::dims<1>> x = {1};
  const fx::Tensor<float, fx::dims<1>> y = {1, 2, 3};
  CHECK_THROWS_AS(x += y, fx::ShapeError);
  CHECK(x(0) == 1);
}

TEST_CASE("integers stay integers") {
  fx::Tensor<std::int64_t, fx::dims<1>> x = {1, 2};
  x += 2;
  x *= x.view();
  CHECK(x(1) == 16);
}
