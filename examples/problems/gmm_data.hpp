/// A mixture of Gaussians from GradBench's files, or made up.
#pragma once
#include "data.hpp"
#include "gmm.hpp"

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace problems::gmm {

/// Points, prior and a place to evaluate at.
template <std::size_t K, std::size_t D>
struct Problem {
  typename Posterior<K, D>::Points points;
  Wishart prior;
  Parameters<K, D> at;
};

namespace detail {

template <class Tensor>
void fill(Tensor& tensor, const std::vector<double>& numbers, std::string_view name) {
  if (static_cast<std::size_t>(tensor.size()) != numbers.size()) throw fx::ValueError("the file has another number of elements of " + std::string(name));
  std::copy(numbers.begin(), numbers.end(), tensor.data());
}

template <std::size_t K, std::size_t D>
void read_parameter(fx::JsonReader& reader, std::string_view name, Parameters<K, D>& to) {
  if (name == "alpha") fill(to.alpha, read_numbers(reader), name);
  else if (name == "mu") fill(to.means, read_numbers(reader, 2), name);
  else if (name == "q") fill(to.log_diagonal, read_numbers(reader, 2), name);
  else if (name == "l") to.lower = read_numbers(reader, 2);
  else reader.skip_value();
}

}  // namespace detail

template <std::size_t K, std::size_t D>
Problem<K, D> read_problem(const std::filesystem::path& file) {
  Problem<K, D> problem;
  std::vector<double> points;
  read_json_object(file, [&](fx::JsonReader& reader, std::string_view name) {
    if (name == "x") points = read_numbers(reader, 2);
    else if (name == "gamma") problem.prior.gamma = reader.read_number();
    else if (name == "m") problem.prior.m = static_cast<int>(reader.read_number());
    else detail::read_parameter(reader, name, problem.at);
  });
  problem.points = typename Posterior<K, D>::Points(fx::uninitialized, fx::extents<fx::dynamic_extent, D>(static_cast<fx::index_t>(points.size() / D), static_cast<fx::index_t>(D)));
  detail::fill(problem.points, points, "x");
  return problem;
}

template <std::size_t K, std::size_t D>
Parameters<K, D> read_gradient(const std::filesystem::path& file) {
  Parameters<K, D> gradient;
  read_json_object(file, [&](fx::JsonReader& reader, std::string_view name) { detail::read_parameter(reader, name, gradient); });
  return gradient;
}

/// n points and parameters spread over [-1, 1], always the same for the same extents.
template <std::size_t K, std::size_t D>
Problem<K, D> made_up_problem(fx::index_t n) {
  std::uint32_t state = 12345;
  const auto random = [&] {
    state = state * 1664525u + 1013904223u;
    return static_cast<double>(state >> 8) / 8388608.0 - 1;
  };
  Problem<K, D> problem;
  problem.points = typename Posterior<K, D>::Points(fx::uninitialized, fx::extents<fx::dynamic_extent, D>(n, static_cast<fx::index_t>(D)));
  problem.prior = {1.2, 2};
  for (double& x : problem.points) x = random();
  for (double& x : problem.at.alpha) x = random();
  for (double& x : problem.at.means) x = random();
  for (double& x : problem.at.log_diagonal) x = 0.5 * random();
  for (double& x : problem.at.lower) x = random();
  return problem;
}

}  // namespace problems::gmm
