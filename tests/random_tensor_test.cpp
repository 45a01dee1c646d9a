// Tensors of random numbers.
#include <doctest/doctest.h>

#include <fluxion/fluxion.hpp>

#include <vector>

namespace fx = fluxion;

TEST_CASE("random tensors hold what the generator gives, whatever their extents") {
  fx::Generator a(7), b(7);
  const auto uniform = fx::rand<float>(a, {3, 5});
  const fx::Tensor<double, fx::extents<2, 3>> normal = fx::randn<double, fx::extents<2, 3>>(a);
  std::vector<float> first(15);
  std::vector<double> second(6);
  fx::fill_uniform(std::span<float>(first), b);
  fx::fill_normal(std::span<double>(second), b);
  for (fx::index_t i = 0; i < 15; ++i) CHECK(uniform(i / 5, i % 5) == first[static_cast<std::size_t>(i)]);
  for (fx::index_t i = 0; i < 6; ++i) CHECK(normal(i / 3, i % 3) == second[static_cast<std::size_t>(i)]);
  CHECK(fx::randn<float>(a, {0, 4}).size() == 0);
  CHECK_THROWS_AS(fx::rand<float>(a, {-1}), fx::ShapeError);
}
