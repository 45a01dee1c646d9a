/// The Jacobian of bundle adjustment written by hand: what the derivatives are compared with. The chain rule through small matrices, one
/// observation at a time, every product that is known to be 0 left out.
#pragma once
#include "../../examples/problems/ba.hpp"

#include <array>
#include <cmath>
#include <cstddef>

namespace reference::ba {

using namespace problems::ba;
using Vector = std::array<double, 3>;
using Matrix = std::array<Vector, 3>;

/// The turned point, and its derivatives by the axis and by the point.
struct Rotation {
  Vector value;
  Matrix by_axis, by_point;
};

inline Rotation rotate_with_derivatives(const Vector& r, const Vector& p) {
  const double square = dot(r, r);
  double c = 1, s = 1, v = 0.5, slope_s = 0, slope_v = 0;  // cos, sin / angle, (1 - cos) / angle², and the last two by half of angle²
  if (square != 0) {
    const double angle = std::sqrt(square);
    c = std::cos(angle);
    s = std::sin(angle) / angle;
    v = (1 - c) / square;
    slope_s = (c - s) / square;
    slope_v = (s - 2 * v) / square;
  }
  const double along = dot(r, p);
  const Vector turned = cross(r, p);
  Rotation result;
  result.by_point = {{{c + v * r[0] * r[0], v * r[0] * r[1] - s * r[2], v * r[0] * r[2] + s * r[1]},
                      {v * r[1] * r[0] + s * r[2], c + v * r[1] * r[1], v * r[1] * r[2] - s * r[0]},
                      {v * r[2] * r[0] - s * r[1], v * r[2] * r[1] + s * r[0], c + v * r[2] * r[2]}}};
  const Matrix crossed{{{0, s * p[2], -s * p[1]}, {-s * p[2], 0, s * p[0]}, {s * p[1], -s * p[0], 0}}};
  for (std::size_t i = 0; i < 3; ++i) {
    result.value[i] = c * p[i] + s * turned[i] + v * along * r[i];
    const double common = -s * p[i] + slope_s * turned[i] + slope_v * along * r[i];
    for (std::size_t k = 0; k < 3; ++k) result.by_axis[i][k] = common * r[k] + v * r[i] * p[k] + crossed[i][k];
    result.by_axis[i][i] += v * along;
  }
  return result;
}

/// The two rows of the Jacobian of one observation, 15 elements each.
inline void observation_rows(const std::array<double, camera_size>& camera, const std::array<double, point_size>& point, double weight,
                             const std::array<double, 2>& feature, double* row) {
  const Rotation seen = rotate_with_derivatives({camera[0], camera[1], camera[2]},
                                                {point[0] - camera[3], point[1] - camera[4], point[2] - camera[5]});
  const double inverse = 1 / seen.value[2], x = seen.value[0] * inverse, y = seen.value[1] * inverse;
  const double square = x * x + y * y, distortion = 1 + (camera[9] + camera[10] * square) * square;
  const double slope = 2 * camera[9] + 4 * camera[10] * square, focus = camera[6], scale = weight * focus;
  const std::array<double, 2> flat{x, y};
  for (std::size_t i = 0; i < 2; ++i, row += block_size) {
    // By the point before the camera, through the division and the distortion.
    const double by_x = scale * inverse * (slope * flat[i] * x + (i == 0 ? distortion : 0));
    const double by_y = scale * inverse * (slope * flat[i] * y + (i == 1 ? distortion : 0));
    const double by_z = -by_x * x - by_y * y;
    for (std::size_t k = 0; k < 3; ++k) {
      row[k] = by_x * seen.by_axis[0][k] + by_y * seen.by_axis[1][k] + by_z * seen.by_axis[2][k];
      row[camera_size + k] = by_x * seen.by_point[0][k] + by_y * seen.by_point[1][k] + by_z * seen.by_point[2][k];
      row[3 + k] = -row[camera_size + k];
    }
    row[6] = weight * distortion * flat[i];
    row[7 + i] = weight;
    row[8 - i] = 0;
    row[9] = scale * square * flat[i];
    row[10] = row[9] * square;
    row[14] = distortion * focus * flat[i] + camera[7 + i] - feature[i];
  }
}

inline void jacobian(const Problem& problem, SparseMatrix& result) {
  const std::size_t n = problem.observations.size();
  set_pattern(problem, result);
  for (std::size_t i = 0; i < n; ++i) {
    const Observation seen = problem.observations[i];
    observation_rows(problem.cameras[static_cast<std::size_t>(seen.camera)], problem.points[static_cast<std::size_t>(seen.point)],
                     problem.weights[i], problem.features[i], result.values.data() + 2 * block_size * i);
    result.values[2 * block_size * n + i] = -2 * problem.weights[i];
  }
}

}  // namespace reference::ba
