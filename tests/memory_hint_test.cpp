// Whether a value is stored for backward or computed again there: by cost, or as told.
#include <doctest/doctest.h>

#include <fluxion/autodiff/transform.hpp>
#include <fluxion/fluxion.hpp>

#include <cmath>

namespace fx = fluxion;

namespace {
using Matrix = fx::Tensor<double, fx::dims<2>>;

// The costly part is read by the kernel in front of the product and by the one behind its adjoint.
constexpr auto by_cost = [](auto x, auto w) { return fx::sum(fx::matmul(fx::exp(x) * x, w)); };
constexpr auto stored = [](auto x, auto w) { return fx::sum(fx::matmul(fx::saved(fx::exp(x)) * x, w)); };
constexpr auto again = [](auto x, auto w) { return fx::sum(fx::matmul(fx::recomputed(fx::exp(x)) * x, w)); };
constexpr auto cheap = [](auto x, auto w) { const auto y = x * 2 + 1; return fx::sum(fx::matmul(y * y, w)); };
constexpr auto cheap_stored = [](auto x, auto w) { const auto y = fx::saved(x * 2 + 1); return fx::sum(fx::matmul(y * y, w)); };

const Matrix x = fx::full<double>({40, 30}, 0.5), w = fx::full<double>({30, 20}, 0.25);

template <class F>
std::int64_t temporary_bytes(const F& f, Matrix& gradient) {
  fx::CountingScope scope;
  gradient = std::get<1>(fx::value_and_grad(f)(x, w));
  return scope.counters().temporary_bytes;
}
}  // namespace

TEST_CASE("a costly value is stored for backward unless told otherwise, a cheap one computed again unless told otherwise; the numbers are the same") {
  Matrix expected, g;
  const std::int64_t costly = temporary_bytes(by_cost, expected);
  CHECK(expected(3, 4) == doctest::Approx(1.5 * std::exp(0.5) * 20 * 0.25));
  CHECK(temporary_bytes(stored, g) == costly);
  CHECK(fx::allclose(g, expected));
  CHECK(temporary_bytes(again, g) < costly);
  CHECK(fx::allclose(g, expected));
  const std::int64_t low = temporary_bytes(cheap, expected);
  CHECK(temporary_bytes(cheap_stored, g) > low);
  CHECK(fx::allclose(g, expected));
}

TEST_CASE("explain shows what is stored, and what is computed twice") {
  CHECK(fx::explain(fx::value_and_grad(stored), x, w).find("reads %2 exp") != std::string::npos);
  const std::string text = fx::explain(fx::value_and_grad(again), x, w);
  CHECK(text.find("%2 exp") == std::string::npos);
  CHECK(text.find("1 pass, 19.2 kB: exp, mul\n") != std::string::npos);
  CHECK(text.find("mul ×3, exp, add\n") != std::string::npos);
}
