// Functions composed of reductions, against plain loops in double.
#include <doctest/doctest.h>

#include "support/tensor_values.hpp"

#include <fluxion/fluxion.hpp>

namespace fx = fluxion;

namespace {
using Vector = fx::Tensor<float, fx::dims<1>>;
using Matrix = fx::Tensor<float, fx::dims<2>>;

constexpr float infinity = std::numeric_limits<float>::infinity();
constexpr float nan_value = std::numeric_limits<float>::quiet_NaN();

float value_at(fx::index_t i, fx::index_t j, fx::index_t k) { return static_cast<float>((i * 37 + j * 11 + k * 5) % 23 - 9) * 0.5f; }
}  // namespace

TEST_CASE("logsumexp neither overflows nor makes NaN of rows of infinities") {
  const Matrix x = {{-infinity, -infinity}, {infinity, 0}, {infinity, infinity}, {1000, 1000}, {-infinity, 3}, {nan_value, 0}};
  const Vector y = fx::logsumexp(x, fx::axis<1>);
  CHECK(y(0) == -infinity);
  CHECK(y(1) == infinity);
  CHECK(y(2) == infinity);
  CHECK(y(3) == doctest::Approx(1000 + std::log(2.0)));
  CHECK(y(4) == 3);
  CHECK(std::isnan(y(5)));
}

TEST_CASE("the norm is the root of the sum of squares, of nothing and of zeros zero") {
  const Matrix x = {{3, 4}, {0, 0}, {infinity, 1}, {nan_value, 0}};
  const Vector y = fx::norm(x, fx::axis<1>);
  CHECK(y(0) == 5);
  CHECK(y(1) == 0);
  CHECK(y(2) == infinity);
  CHECK(std::isnan(y(3)));
  const Matrix kept = fx::norm(x, fx::axis<1>, fx::keepdim);
  CHECK(kept.extent(1) == 1);
  const Vector nothing = fx::empty<float>({0});
  const fx::Tensor<float, fx::extents<>> zero = fx::norm(nothing);
  CHECK(zero.item() == 0);
}

TEST_CASE("softmax over either axis or both sums to one") {
  Matrix x = fx::empty<float>({7, 19});
  for (fx::index_t i = 0; i < 7; ++i)
    for (fx::index_t j = 0; j < 19; ++j) x(i, j) = value_at(i, j, 0);
  x(3, 4) = -infinity;
  const Matrix rows = fx::softmax(x, fx::axis<1>), columns = fx::softmax(x, fx::axis<0>), both = fx::softmax(x, fx::axes<0, 1>),
               logarithm = fx::log_softmax(x, fx::axis<-1>);
  double total = 0;
  for (fx::index_t i = 0; i < 7; ++i)
    for (fx::index_t j = 0; j < 19; ++j) total += std::exp(static_cast<double>(x(i, j)));
  for (fx::index_t i = 0; i < 7; ++i) {
    double row = 0;
    for (fx::index_t j = 0; j < 19; ++j) row += std::exp(static_cast<double>(x(i, j)));
    for (fx::index_t j = 0; j < 19; ++j) {
      double column = 0;
      for (fx::index_t k = 0; k < 7; ++k) column += std::exp(static_cast<double>(x(k, j)));
      const double e = std::exp(static_cast<double>(x(i, j)));
      CHECK(rows(i, j) == doctest::Approx(e / row));
      CHECK(columns(i, j) == doctest::Approx(e / column));
      CHECK(both(i, j) == doctest::Approx(e / total));
      if (e > 0) CHECK(logarithm(i, j) == doctest::Approx(std::log(e / row)).epsilon(1e-5));
    }
  }
  CHECK(rows(3, 4) == 0);
  CHECK(logarithm(3, 4) == -infinity);
}

TEST_CASE("var with and without correction is the mean square distance from the mean") {
  const Matrix x = {{1, 2, 3, 4}, {10, 10, 10, 10}};
  const Vector corrected = fx::var(x, fx::axis<1>), plain = fx::var<0>(x, fx::axis<1>);
  CHECK(corrected(0) == doctest::Approx(5. / 3));
  CHECK(plain(0) == doctest::Approx(1.25));
  CHECK(corrected(1) == 0);
  const fx::Tensor<float, fx::extents<>> one = fx::var(Vector{3});
  CHECK(std::isnan(one.item()));
  // Far from zero nothing cancels.
  const fx::Tensor<float, fx::extents<>> far = fx::var<0>(Vector{10'000'001, 10'000'003});
  CHECK(far.item() == 1);
}

TEST_CASE("a label that names no class makes the cross-entropy NaN, whatever its type and size") {
  const Matrix x = {{1, 2, 3}, {3, 2, 1}};
  using Labels = fx::Tensor<std::int64_t, fx::dims<1>>;
  const auto loss = [&](const auto& labels) {
    const auto e = fx::cross_entropy(x, labels);
    static_assert(fx::plan_of<decltype(e)>.kernels == 1);
    const fx::Tensor<float, fx::extents<>> y = e;
    return y.item();
  };
  CHECK(loss(Labels{2, 0}) == doctest::Approx(std::log(1 + std::exp(-1.0) + std::exp(-2.0))));
  CHECK(std::isnan(loss(Labels{3, 0})));
  CHECK(std::isnan(loss(Labels{0, -1})));
  CHECK(std::isnan(loss(Labels{std::int64_t{1} << 32, 0})));  // would be 0 if it were narrowed
  CHECK(std::isnan(loss(fx::Tensor<std::int32_t, fx::dims<1>>{0, 3})));
  CHECK_FALSE(std::isnan(loss(fx::Tensor<std::int32_t, fx::dims<1>>{0, 2})));
}
