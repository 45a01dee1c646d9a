/// Hand tracking from GradBench's files.
#pragma once
#include "data.hpp"
#include "ht.hpp"

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <string_view>
#include <vector>

namespace problems::ht {

namespace detail {

inline void check(bool good, const std::filesystem::path& file, const char* what) {
  if (!good) throw fx::FileError(file.filename().string() + ": " + what);
}

/// Matrices of four rows by four columns, row by row, whose last row is 0 0 0 1.
inline std::array<Transform<double>, bones> transforms_of(const std::vector<double>& numbers, const std::filesystem::path& file) {
  check(numbers.size() == 16 * bones, file, "another number of bones than a hand has");
  std::array<Transform<double>, bones> transforms;
  for (std::size_t b = 0; b < bones; ++b)
    for (std::size_t i = 0; i < 3; ++i)
      for (std::size_t j = 0; j < 4; ++j) transforms[b][i][j] = numbers[16 * b + 4 * i + j];
  return transforms;
}

inline std::vector<Point<double>> points_of(const std::vector<double>& numbers, std::size_t each) {
  std::vector<Point<double>> points;
  for (std::size_t i = 0; i + each <= numbers.size(); i += each) points.push_back({numbers[i], numbers[i + 1], numbers[i + 2]});
  return points;
}

}  // namespace detail

inline Problem read_problem(const std::filesystem::path& file) {
  Problem problem;
  Model& model = problem.model;
  std::vector<double> relatives, inverses, vertices, weights, points, theta, us;
  std::vector<int> parents, triangles, correspondences;
  const auto read_model = [&](fx::JsonReader& reader) {
    reader.read_object([&](std::string_view name) {
      if (name == "parents") parents = read_indices(reader);
      else if (name == "base_relatives") relatives = read_numbers(reader, 3);
      else if (name == "inverse_base_absolutes") inverses = read_numbers(reader, 3);
      else if (name == "base_positions") vertices = read_numbers(reader, 2);
      else if (name == "weights") weights = read_numbers(reader, 2);
      else if (name == "triangles") triangles = read_indices(reader, 2);
      else reader.skip_value();
    });
  };
  read_json_object(file, [&](fx::JsonReader& reader, std::string_view name) {
    if (name == "theta") theta = read_numbers(reader);
    else if (name == "us") us = read_numbers(reader, 2);
    else if (name == "data")
      reader.read_object([&](std::string_view part) {
        if (part == "model") read_model(reader);
        else if (part == "correspondences") correspondences = read_indices(reader);
        else if (part == "points") points = read_numbers(reader, 2);
        else reader.skip_value();
      });
    else reader.skip_value();
  });
  detail::check(theta.size() == parameters, file, "another number of parameters than a hand has");
  detail::check(parents.size() == bones, file, "another number of bones than a hand has");
  for (std::size_t b = 1; b < bones; ++b)
    detail::check(parents[b] == (b % finger_bones == 1 ? 0 : static_cast<int>(b) - 1), file, "the bones are not linked like those of a hand");
  std::copy(theta.begin(), theta.end(), problem.theta.begin());
  model.relative = detail::transforms_of(relatives, file);
  model.to_bone = detail::transforms_of(inverses, file);
  model.vertices = detail::points_of(vertices, 4);
  detail::check(weights.size() == bones * model.vertices.size(), file, "not a weight for each bone and vertex");
  model.influences.resize(model.vertices.size());
  for (std::size_t v = 0; v < model.vertices.size(); ++v)
    for (std::size_t b = 0; b < bones; ++b)
      if (weights[v * bones + b] != 0) model.influences[v].push_back({b, weights[v * bones + b]});
  for (std::size_t i = 0; i + 3 <= triangles.size(); i += 3)
    model.triangles.push_back({static_cast<std::size_t>(triangles[i]), static_cast<std::size_t>(triangles[i + 1]), static_cast<std::size_t>(triangles[i + 2])});
  for (const int c : correspondences) problem.correspondences.push_back(static_cast<std::size_t>(c));
  problem.measured = detail::points_of(points, 3);
  for (std::size_t i = 0; i + 2 <= us.size(); i += 2) problem.us.push_back({us[i], us[i + 1]});
  return problem;
}

}  // namespace problems::ht
