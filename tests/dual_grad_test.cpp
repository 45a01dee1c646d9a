// Forward mode against reverse mode: one generic function, through Duals and through the traced gradient.
#include <doctest/doctest.h>

#include <fluxion/autodiff/dual.hpp>
#include <fluxion/autodiff/transform.hpp>
#include <fluxion/tensor/tensor.hpp>

#include <array>
#include <cmath>
#include <cstddef>
#include <tuple>
#include <utility>

namespace fx = fluxion;

namespace {

constexpr std::size_t variables = 12;

constexpr auto valley = [](const auto&... arguments) {
  const std::array x{arguments...};
  auto sum = (1 - x[0]) * (1 - x[0]);
  for (std::size_t i = 0; i + 1 < variables; ++i) {
    const auto fall = x[i + 1] - x[i] * x[i];
    sum = sum + 100 * fall * fall + exp(-x[i] * x[i + 1]) * sin(x[i] + 2 * x[i + 1]) + tanh(x[i]) / sqrt(1 + x[i + 1] * x[i + 1]);
  }
  return sum;
};

}  // namespace

TEST_CASE("the gradient of twelve variables by Duals is that of the traced function in reverse mode") {
  std::array<double, variables> x;
  for (std::size_t i = 0; i < variables; ++i) x[i] = 0.8 + 0.05 * static_cast<double>(i);
  const auto forward = fx::forward::gradient([](const auto& v) { return std::apply(valley, v); }, x);
  [&]<int... I>(std::integer_sequence<int, I...>) {
    using Number = fx::Tensor<double, fx::extents<>>;
    const auto reverse = fx::value_and_grad<I...>(valley)(Number(x[I])...);
    CHECK(std::get<0>(reverse).item() == doctest::Approx(forward.value).epsilon(1e-13));
    const std::array gradient{std::get<I + 1>(reverse).item()...};
    for (std::size_t i = 0; i < variables; ++i) CHECK(gradient[i] == doctest::Approx(forward.gradient[i]).epsilon(1e-12));
  }(std::make_integer_sequence<int, static_cast<int>(variables)>());
}
