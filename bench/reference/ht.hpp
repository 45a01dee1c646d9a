/// The Jacobian of hand tracking written by hand: what the one by dual numbers is compared with. Every derivative of a bone is a transform of its
/// own, and only those that are not 0 exist.
#pragma once
#include "../../examples/problems/ht.hpp"

#include <array>
#include <cmath>
#include <cstddef>
#include <vector>

namespace reference::ht {

using namespace problems::ht;
using Matrix = Transform<double>;

/// A bone, and its derivatives by the angles of its finger up to its own.
struct Bone {
  Matrix value;
  std::array<Matrix, finger_angles> slope;
  std::size_t angles = 0;
};

/// The derivative of a turned transform by the angle: the translation and the third column do not move.
inline Matrix turn_slope(const Matrix& a, std::size_t first, std::size_t second, double angle) {
  const double c = std::cos(angle), s = std::sin(angle);
  Matrix result{};
  for (std::size_t i = 0; i < 3; ++i) {
    result[i][first] = a[i][second] * c - a[i][first] * s;
    result[i][second] = -a[i][second] * s - a[i][first] * c;
  }
  return result;
}

/// As `compose` where the left one is a derivative: it has no translation of its own to add, but the right one has.
inline std::array<Bone, finger_bones> finger_with_slopes(const Model& model, std::size_t finger, const double* angle) {
  const std::size_t first = 1 + finger_bones * finger;
  std::array<Bone, finger_bones> chain;
  chain[0].value = compose(model.relative[0], model.relative[first]);
  const Matrix about_z = turned_about_z(model.relative[first + 1], angle[1]);
  chain[1].value = compose(chain[0].value, turned_about_x(about_z, angle[0]));
  const auto slope_of = [](const Matrix& parent, Matrix relative) {
    // A derivative of the child: the parent's translation is a constant.
    Matrix linear = parent;
    for (auto& row : linear) row[3] = 0;
    return compose(linear, relative);
  };
  chain[1].slope[0] = slope_of(chain[0].value, turn_slope(about_z, 1, 2, angle[0]));
  chain[1].slope[1] = slope_of(chain[0].value, turned_about_x(turn_slope(model.relative[first + 1], 0, 1, angle[1]), angle[0]));
  chain[1].angles = 2;
  for (std::size_t b = 2; b < finger_bones; ++b) {
    const Matrix& rest = model.relative[first + b];
    const Matrix relative = turned_about_x(rest, angle[b]);
    chain[b].value = compose(chain[b - 1].value, relative);
    for (std::size_t a = 0; a < b; ++a) chain[b].slope[a] = compose(chain[b - 1].slope[a], relative);
    chain[b].slope[b] = slope_of(chain[b - 1].value, turn_slope(rest, 1, 2, angle[b]));
    chain[b].angles = b + 1;
  }
  for (std::size_t b = 0; b < finger_bones; ++b) {
    chain[b].value = compose(chain[b].value, model.to_bone[first + b]);
    for (std::size_t a = 0; a < chain[b].angles; ++a) chain[b].slope[a] = compose(chain[b].slope[a], model.to_bone[first + b]);
  }
  return chain;
}

/// The derivatives of `rotation` by the axis.
inline std::array<std::array<Point<double>, 3>, 3> rotation_slopes(const Point<double>& axis) {
  std::array<std::array<Point<double>, 3>, 3> result{};
  const double angle = std::sqrt(axis[0] * axis[0] + axis[1] * axis[1] + axis[2] * axis[2]);
  if (angle < 0.0001) return result;
  const double s = std::sin(angle), c = std::cos(angle), rest = 1 - c;
  const Point<double> n{axis[0] / angle, axis[1] / angle, axis[2] / angle};
  for (std::size_t k = 0; k < 3; ++k) {
    Point<double> dn;
    for (std::size_t i = 0; i < 3; ++i) dn[i] = ((i == k ? 1 : 0) - n[i] * n[k]) / angle;
    const double ds = c * n[k], dc = -s * n[k];
    const Point<double> dw{dn[0] * s + n[0] * ds, dn[1] * s + n[1] * ds, dn[2] * s + n[2] * ds};
    for (std::size_t i = 0; i < 3; ++i)
      for (std::size_t j = 0; j < 3; ++j) result[k][i][j] = (dn[i] * n[j] + n[i] * dn[j]) * rest - n[i] * n[j] * dc + (i == j ? dc : 0);
    result[k][0][1] -= dw[2];
    result[k][0][2] += dw[1];
    result[k][1][0] += dw[2];
    result[k][1][2] -= dw[0];
    result[k][2][0] -= dw[1];
    result[k][2][1] += dw[0];
  }
  return result;
}

inline Point<double> times(const std::array<Point<double>, 3>& m, const Point<double>& p) {
  return {m[0][0] * p[0] + m[0][1] * p[1] + m[0][2] * p[2], m[1][0] * p[0] + m[1][1] * p[1] + m[1][2] * p[2],
          m[2][0] * p[0] + m[2][1] * p[1] + m[2][2] * p[2]};
}

inline void jacobian(const Problem& problem, std::vector<double>& result) {
  const Model& model = problem.model;
  const auto& theta = problem.theta;
  std::array<std::array<Bone, finger_bones>, fingers> hand;
  for (std::size_t f = 0; f < fingers; ++f) hand[f] = finger_with_slopes(model, f, theta.data() + pose_size + finger_angles * f);
  Bone palm[2];
  palm[0].value = compose(model.relative[0], model.to_bone[0]);
  palm[1].value = compose(compose(model.relative[0], model.relative[bones - 1]), model.to_bone[bones - 1]);
  const Point<double> axis{theta[0], theta[1], theta[2]};
  const auto turn = rotation<double>(axis);
  const auto slopes = rotation_slopes(axis);
  const std::size_t columns = problem.columns(), us = columns - parameters;
  result.assign(3 * problem.measured.size() * columns, 0);
  for (std::size_t i = 0; i < problem.measured.size(); ++i) {
    double* const rows = result.data() + 3 * i * columns;
    const auto subtract = [&](std::size_t column, const Point<double>& by) {
      for (std::size_t r = 0; r < 3; ++r) rows[r * columns + column] -= by[r];
    };
    std::array<Corner, 3> corners;
    const std::size_t count = corners_of(problem, i, corners);
    Point<double> point{};
    for (std::size_t k = 0; k < count; ++k) {
      Point<double> corner{};
      const Point<double>& vertex = model.vertices[corners[k].vertex];
      for (const Influence& influence : model.influences[corners[k].vertex]) {
        const bool is_finger = influence.bone != 0 && influence.bone != bones - 1;
        const std::size_t finger = (influence.bone - 1) / finger_bones;
        const Bone& bone = is_finger ? hand[finger][(influence.bone - 1) % finger_bones] : palm[influence.bone != 0];
        const auto weighted = [&](const Matrix& by, double weight) {
          Point<double> p = moved(by, vertex);
          for (double& x : p) x *= weight;
          if (model.mirrored) p[0] = -p[0];
          return p;
        };
        const Point<double> p = weighted(bone.value, influence.weight);
        for (std::size_t r = 0; r < 3; ++r) corner[r] += p[r];
        for (std::size_t a = 0; a < bone.angles; ++a)
          subtract(us + pose_size + finger_angles * finger + a, times(turn, weighted(bone.slope[a], influence.weight * corners[k].weight)));
      }
      for (std::size_t r = 0; r < 3; ++r) point[r] += corners[k].weight * corner[r];
      if (us != 0) {
        const Point<double> t = times(turn, corner);
        if (k < 2) subtract(k, t);
        else for (std::size_t u = 0; u < 2; ++u) subtract(u, {-t[0], -t[1], -t[2]});
      }
    }
    for (std::size_t k = 0; k < 3; ++k) {
      subtract(us + k, times(slopes[k], point));
      rows[k * columns + us + 3 + k] = -1;
    }
  }
}

}  // namespace reference::ht
