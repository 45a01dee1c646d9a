// Compiled element-by-element functions against the standard library's in double, at sizes around the packets' widths.
// matrix
#include <doctest/doctest.h>

#include "support/tensor_values.hpp"

#include <fluxion/fluxion.hpp>

namespace fx = fluxion;

namespace {

/// Compares f of tensors of all sizes with the exact function of each element.
template <class T, class F, class G>
void check_unary(const char* name, F f, G exact, double most_ulp) {
  fx::index_t first = 0;
  for (const fx::index_t size : fx::test::sizes) {
    const auto x = fx::test::special_tensor<T>(size, first);
    fx::Tensor<T, fx::dims<1>> y = f(x);
    REQUIRE(y.size() == size);
    for (fx::index_t i = 0; i < size; ++i) {
      const double expected = exact(static_cast<double>(x(i)));
      INFO(name << "(" << static_cast<double>(x(i)) << ") = " << static_cast<double>(y(i)) << ", not " << expected);
      CHECK(fx::test::distance_in_ulp(y(i), expected) <= most_ulp);
    }
    first += 11;
  }
}

/// The same for functions of two tensors.
template <class T, class F, class G>
void check_binary(const char* name, F f, G exact, double most_ulp) {
  fx::index_t first = 0;
  for (const fx::index_t size : fx::test::sizes) {
    const auto x = fx::test::special_tensor<T>(size, first);
    const auto z = fx::test::special_tensor<T>(size, 3 * first + 5);
    fx::Tensor<T, fx::dims<1>> y = f(x, z);
    REQUIRE(y.size() == size);
    for (fx::index_t i = 0; i < size; ++i) {
      const double expected = exact(static_cast<double>(x(i)), static_cast<double>(z(i)));
      INFO(name << "(" << static_cast<double>(x(i)) << ", " << static_cast<double>(z(i)) << ") = " << static_cast<double>(y(i)) << ", not "
                << expected);
      CHECK(fx::test::distance_in_ulp(y(i), expected) <= most_ulp);
    }
    first += 13;
  }
}

}  // namespace

TEST_CASE_TEMPLATE("functions of one tensor are within a few ulp of the exact value, special values included", T, float, double) {
  check_unary<T>("exp", [](const auto& x) { return fx::exp(x); }, [](double x) { return std::exp(x); }, 2);
  check_unary<T>("log", [](const auto& x) { return fx::log(x); }, [](double x) { return std::log(x); }, 2);
  check_unary<T>("sqrt", [](const auto& x) { return fx::sqrt(x); }, [](double x) { return std::sqrt(x); }, 1);
  check_unary<T>("rsqrt", [](const auto& x) { return fx::rsqrt(x); }, [](double x) { return 1 / std::sqrt(x); }, 2);
  check_unary<T>("tanh", [](const auto& x) { return fx::tanh(x); }, [](double x) { return std::tanh(x); }, 4);
  check_unary<T>("sigmoid", [](const auto& x) { return fx::sigmoid(x); }, [](double x) { return 1 / (1 + std::exp(-x)); }, 4);
  check_unary<T>("erf", [](const auto& x) { return fx::erf(x); }, [](double x) { return std::erf(x); }, 4);
  check_unary<T>("neg", [](const auto& x) { return -x; }, [](double x) { return -x; }, 0);
  check_unary<T>("abs", [](const auto& x) { return fx::abs(x); }, [](double x) { return std::abs(x); }, 0);
  check_unary<T>("relu", [](const auto& x) { return fx::relu(x); }, [](double x) { return std::isnan(x) || x > 0 ? x : 0; }, 0);
}

TEST_CASE_TEMPLATE("sine and cosine of moderate numbers are within a few ulp", T, float, double) {
  fx::Tensor<T, fx::dims<1>> x = fx::linspace<T>(T(-30), T(30), 101);
  fx::Tensor<T, fx::dims<1>> s = fx::sin(x), c = fx::cos(x);
  for (fx::index_t i = 0; i < x.size(); ++i) {
    // Near a zero of the function an absolute error of a rounding remains.
    CHECK(std::abs(static_cast<double>(s(i)) - std::sin(static_cast<double>(x(i)))) <= 4 * std::numeric_limits<T>::epsilon());
    CHECK(std::abs(static_cast<double>(c(i)) - std::cos(static_cast<double>(x(i)))) <= 4 * std::numeric_limits<T>::epsilon());
  }
  x = fx::test::special_tensor<T>(5, 2);
  s = fx::sin(x);
  c = fx::cos(x);
  for (int i = 0; i < 3; ++i) {
    CHECK(std::isnan(s(i)));
    CHECK(std::isnan(c(i)));
  }
}

TEST_CASE_TEMPLATE("functions of two tensors are those of the standard library, special values included", T, float, double) {
  check_binary<T>("add", [](const auto& a, const auto& b) { return a + b; }, [](double a, double b) { return a + b; }, 0.5);
  check_binary<T>("sub", [](const auto& a, const auto& b) { return a - b; }, [](double a, double b) { return a - b; }, 0.5);
  check_binary<T>("mul", [](const auto& a, const auto& b) { return a * b; }, [](double a, double b) { return a * b; }, 0.5);
  check_binary<T>("div", [](const auto& a, const auto& b) { return a / b; }, [](double a, double b) { return a / b; }, 0.5);
  check_binary<T>("pow", [](const auto& a, const auto& b) { return fx::pow(a, b); }, [](double a, double b) { return std::pow(a, b); }, 2);
  const auto larger = [](double a, double b) { return std::isnan(a) || std::isnan(b) ? a + b : a < b ? b : a; };
  const auto smaller = [](double a, double b) { return std::isnan(a) || std::isnan(b) ? a + b : b < a ? b : a; };
  check_binary<T>("maximum", [](const auto& a, const auto& b) { return fx::maximum(a, b); }, larger, 0);
  check_binary<T>("minimum", [](const auto& a, const auto& b) { return fx::minimum(a, b); }, smaller, 0);
}

TEST_CASE_TEMPLATE("comparisons with NaN are false, except not equal", T, float, double) {
  for (const fx::index_t size : fx::test::sizes) {
    const auto a = fx::test::special_tensor<T>(size, 1), b = fx::test::special_tensor<T>(size, size % 3 == 0 ? 1 : 2);
    const fx::Tensor<bool, fx::dims<1>> less = a < b, less_equal = a <= b, greater = a > b, greater_equal = a >= b, equal = a == b,
                                        not_equal = a != b;
    for (fx::index_t i = 0; i < size; ++i) {
      CHECK(less(i) == (a(i) < b(i)));
      CHECK(less_equal(i) == (a(i) <= b(i)));
      CHECK(greater(i) == (a(i) > b(i)));
      CHECK(greater_equal(i) == (a(i) >= b(i)));
      CHECK(equal(i) == (a(i) == b(i)));
      CHECK(not_equal(i) == (a(i) != b(i)));
    }
  }
}

TEST_CASE_TEMPLATE("the signs of zeros are those of IEEE 754", T, float, double) {
  const fx::Tensor<T, fx::dims<1>> zero = {T(0), -T(0)};
  const fx::Tensor<T, fx::dims<1>> negated = -zero, magnitude = fx::abs(zero), root = fx::sqrt(zero), hyperbolic = fx::tanh(zero),
                                   inverse = 1 / zero, plus = zero + 0, minus = zero - 0;
  CHECK(std::signbit(negated(0)));
  CHECK_FALSE(std::signbit(negated(1)));
  CHECK_FALSE(std::signbit(magnitude(1)));
  CHECK(std::signbit(root(1)));
  CHECK(std::signbit(hyperbolic(1)));
  CHECK(inverse(0) == std::numeric_limits<T>::infinity());
  CHECK(inverse(1) == -std::numeric_limits<T>::infinity());
  CHECK_FALSE(std::signbit(plus(1)));
  CHECK(std::signbit(minus(1)));
}
