/// Bundle adjustment from GradBench's files: one camera, one point, one observation, to be repeated.
#pragma once
#include "ba.hpp"
#include "data.hpp"

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <string_view>
#include <vector>

namespace problems::ba {

inline Problem read_problem(const std::filesystem::path& file) {
  std::size_t cameras = 0, points = 0, observations = 0;
  std::vector<double> camera, point, weight, feature;
  read_json_object(file, [&](fx::JsonReader& reader, std::string_view name) {
    if (name == "n") cameras = reader.read_unsigned();
    else if (name == "m") points = reader.read_unsigned();
    else if (name == "p") observations = reader.read_unsigned();
    else if (name == "cam") camera = read_numbers(reader);
    else if (name == "x") point = read_numbers(reader);
    else if (name == "w") weight = read_numbers(reader, 0);
    else if (name == "feat") feature = read_numbers(reader);
    else reader.skip_value();
  });
  if (camera.size() != camera_size || point.size() != point_size || feature.size() != 2 || weight.empty() || cameras == 0 || points == 0)
    throw fx::FileError(file.filename().string() + ": not a bundle adjustment problem");
  Problem problem;
  problem.cameras.resize(cameras);
  problem.points.resize(points);
  for (auto& c : problem.cameras) std::copy(camera.begin(), camera.end(), c.begin());
  for (auto& p : problem.points) std::copy(point.begin(), point.end(), p.begin());
  problem.weights.assign(observations, weight[0]);
  problem.features.assign(observations, {feature[0], feature[1]});
  for (std::size_t i = 0; i < observations; ++i)
    problem.observations.push_back({static_cast<std::int32_t>(i % cameras), static_cast<std::int32_t>(i % points)});
  return problem;
}

/// The residuals x, y and that of the weight, which repeat, and the first thirty and the last entry of the Jacobian's lists.
struct Expected {
  std::vector<double> residuals;
  std::vector<int> rows, columns;
  std::vector<double> values;
};

inline Expected read_expected(const std::filesystem::path& objective, const std::filesystem::path& jacobian) {
  Expected expected;
  read_json_object(objective, [&](fx::JsonReader& reader, std::string_view) {
    reader.read_object([&](std::string_view name) {
      if (name == "elements") append_numbers(reader, 1, expected.residuals);
      else if (name == "element") append_numbers(reader, 0, expected.residuals);
      else reader.skip_value();
    });
  });
  read_json_object(jacobian, [&](fx::JsonReader& reader, std::string_view name) {
    if (name == "rows") expected.rows = read_indices(reader);
    else if (name == "cols") expected.columns = read_indices(reader);
    else if (name == "vals") expected.values = read_numbers(reader);
    else reader.skip_value();
  });
  return expected;
}

}  // namespace problems::ba
