/// Hand tracking: a skinned model of a hand, moved by 26 parameters, is fitted to points that were measured; residuals and their Jacobian as
/// ADBench defines them (Taylor et al., User-specific hand modeling from monocular depth sequences, CVPR 2014).
///
/// Tool: dual numbers through ordinary code, with as many directions as a part depends on: four for the bones of a finger, all columns of the
/// Jacobian for a point.
#pragma once
#include <fluxion/autodiff/dual.hpp>

#include <array>
#include <cmath>
#include <cstddef>
#include <type_traits>
#include <utility>
#include <vector>

namespace problems::ht {

namespace fx = fluxion;

/// Parameters: rotation as axis times angle, translation, and for each finger two angles of its second bone and one each of the two after it.
inline constexpr std::size_t fingers = 5, finger_angles = 4, pose_size = 6, parameters = pose_size + fingers * finger_angles;
/// Bones: the wrist, four for each finger of which the first is part of the palm, the forearm.
inline constexpr std::size_t finger_bones = 4, bones = 2 + fingers * finger_bones;

template <class T>
using Point = std::array<T, 3>;
/// A rotation (or any linear map) and, in the last column, a translation.
template <class T>
using Transform = std::array<std::array<T, 4>, 3>;

// ---- the model: generic code ----------------------------------------------------------------------------------------------------

/// First b, then a.
template <class A, class B>
auto compose(const Transform<A>& a, const Transform<B>& b) {
  Transform<decltype(a[0][0] * b[0][0])> result;
  for (std::size_t i = 0; i < 3; ++i) {
    for (std::size_t j = 0; j < 4; ++j) result[i][j] = a[i][0] * b[0][j] + a[i][1] * b[1][j] + a[i][2] * b[2][j];
    result[i][3] += a[i][3];
  }
  return result;
}

/// The transform after a turn by `angle`: its columns `first` and `second` mix.
template <class A, class T>
auto turned(const Transform<A>& a, std::size_t first, std::size_t second, const T& angle) {
  using std::cos, std::sin;
  const T c = cos(angle), s = sin(angle);
  Transform<T> result;
  for (std::size_t i = 0; i < 3; ++i) {
    for (std::size_t j = 0; j < 4; ++j) result[i][j] = a[i][j];
    result[i][first] = a[i][first] * c + a[i][second] * s;
    result[i][second] = a[i][second] * c - a[i][first] * s;
  }
  return result;
}
template <class A, class T>
auto turned_about_x(const Transform<A>& a, const T& angle) { return turned(a, 1, 2, angle); }
template <class A, class T>
auto turned_about_z(const Transform<A>& a, const T& angle) { return turned(a, 0, 1, angle); }

/// The rotation about an axis by its length in radians; none below 0.0001, as ADBench has it.
template <class T>
std::array<Point<T>, 3> rotation(const Point<T>& axis) {
  using std::cos, std::sin, std::sqrt;
  const T angle = sqrt(axis[0] * axis[0] + axis[1] * axis[1] + axis[2] * axis[2]);
  if (angle < 0.0001) return {{{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}};
  const T x = axis[0] / angle, y = axis[1] / angle, z = axis[2] / angle, s = sin(angle), c = cos(angle), rest = 1 - c;
  return {{{x * x * rest + c, x * y * rest - z * s, x * z * rest + y * s},
           {x * y * rest + z * s, y * y * rest + c, y * z * rest - x * s},
           {x * z * rest - y * s, y * z * rest + x * s, z * z * rest + c}}};
}

/// How much a bone moves a vertex.
struct Influence {
  std::size_t bone;
  double weight;
};

struct Model {
  std::array<Transform<double>, bones> relative;  // of a bone at rest to its parent
  std::array<Transform<double>, bones> to_bone;   // from the model at rest into the bone
  std::vector<Point<double>> vertices;            // at rest
  std::vector<std::vector<Influence>> influences;  // of each vertex, without weights of 0
  std::vector<std::array<std::size_t, 3>> triangles;
  bool mirrored = false;
};

struct Problem {
  Model model;
  std::array<double, parameters> theta;
  std::vector<std::size_t> correspondences;       // for each measured point a triangle; without `us`, a vertex
  std::vector<Point<double>> measured;
  std::vector<std::array<double, 2>> us;          // where in the triangle; empty where points correspond to vertices

  std::size_t columns() const { return parameters + (us.empty() ? 0 : 2); }
};

/// What moves the vertices of the four bones of a finger, for its four angles.
template <class T>
std::array<Transform<T>, finger_bones> finger_transforms(const Model& model, std::size_t finger, const std::array<T, finger_angles>& angle) {
  const std::size_t first = 1 + finger_bones * finger;
  const Transform<double> palm = compose(model.relative[0], model.relative[first]);
  const auto second = compose(palm, turned_about_x(turned_about_z(model.relative[first + 1], angle[1]), angle[0]));
  const auto third = compose(second, turned_about_x(model.relative[first + 2], angle[2]));
  const auto fourth = compose(third, turned_about_x(model.relative[first + 3], angle[3]));
  Transform<T> still;
  const Transform<double> rest = compose(palm, model.to_bone[first]);
  for (std::size_t i = 0; i < 3; ++i)
    for (std::size_t j = 0; j < 4; ++j) still[i][j] = rest[i][j];
  return {still, compose(second, model.to_bone[first + 1]), compose(third, model.to_bone[first + 2]), compose(fourth, model.to_bone[first + 3])};
}

/// The transforms of all bones; those of fingers depend on four angles each. T is double, or a Dual with four directions.
template <class T>
struct Hand {
  std::array<std::array<Transform<T>, finger_bones>, fingers> finger;
  Transform<double> wrist, forearm;
};

template <class T, class MakeAngles>
Hand<T> pose(const Model& model, const MakeAngles& angles_of) {
  Hand<T> hand;
  for (std::size_t f = 0; f < fingers; ++f) hand.finger[f] = finger_transforms<T>(model, f, angles_of(f));
  hand.wrist = compose(model.relative[0], model.to_bone[0]);
  hand.forearm = compose(compose(model.relative[0], model.relative[bones - 1]), model.to_bone[bones - 1]);
  return hand;
}

template <class T>
Point<T> moved(const Transform<T>& by, const Point<double>& p) {
  return {by[0][0] * p[0] + by[0][1] * p[1] + by[0][2] * p[2] + by[0][3], by[1][0] * p[0] + by[1][1] * p[1] + by[1][2] * p[2] + by[1][3],
          by[2][0] * p[0] + by[2][1] * p[1] + by[2][2] * p[2] + by[2][3]};
}

/// Calls add(finger, point) for every bone that moves the vertex, the point times the bone's weight; no finger is `fingers`.
template <class T, class Add>
void each_part(const Model& model, const Hand<T>& hand, std::size_t vertex, double weight, const Add& add) {
  for (const Influence& influence : model.influences[vertex]) {
    Point<double> p = model.vertices[vertex];
    const double w = weight * influence.weight;
    const auto scaled = [&](auto point) {
      for (auto& x : point) x *= w;
      if (model.mirrored) point[0] = -point[0];
      return point;
    };
    if (influence.bone == 0) add(fingers, scaled(moved(hand.wrist, p)));
    else if (influence.bone == bones - 1) add(fingers, scaled(moved(hand.forearm, p)));
    else {
      const std::size_t finger = (influence.bone - 1) / finger_bones;
      add(finger, scaled(moved(hand.finger[finger][(influence.bone - 1) % finger_bones], p)));
    }
  }
}

/// The measured point minus where the hand's point is after the global rotation and translation.
template <class T>
Point<T> residual(const Point<double>& measured, const Point<T>& point, const std::array<Point<T>, 3>& turn, const Point<T>& translation) {
  Point<T> r;
  for (std::size_t i = 0; i < 3; ++i) r[i] = measured[i] - (turn[i][0] * point[0] + turn[i][1] * point[1] + turn[i][2] * point[2] + translation[i]);
  return r;
}

// ---- residuals -------------------------------------------------------------------------------------------------------------------

/// The vertices of a correspondence with their weights.
struct Corner {
  std::size_t vertex;
  double weight;
};
inline std::size_t corners_of(const Problem& problem, std::size_t i, std::array<Corner, 3>& corners) {
  if (problem.us.empty()) {
    corners[0] = {problem.correspondences[i], 1};
    return 1;
  }
  const auto& triangle = problem.model.triangles[problem.correspondences[i]];
  const auto& u = problem.us[i];
  corners = {{{triangle[0], u[0]}, {triangle[1], u[1]}, {triangle[2], 1 - u[0] - u[1]}}};
  return 3;
}

/// Three residuals for each measured point.
inline void residuals(const Problem& problem, std::vector<double>& result) {
  const auto& theta = problem.theta;
  const Hand<double> hand = pose<double>(problem.model, [&](std::size_t f) {
    const double* a = theta.data() + pose_size + finger_angles * f;
    return std::array<double, finger_angles>{a[0], a[1], a[2], a[3]};
  });
  const auto turn = rotation<double>({theta[0], theta[1], theta[2]});
  result.resize(3 * problem.measured.size());
  for (std::size_t i = 0; i < problem.measured.size(); ++i) {
    std::array<Corner, 3> corners;
    const std::size_t count = corners_of(problem, i, corners);
    Point<double> point{};
    for (std::size_t k = 0; k < count; ++k)
      each_part(problem.model, hand, corners[k].vertex, corners[k].weight, [&](std::size_t, const auto& part) {
        for (std::size_t axis = 0; axis < 3; ++axis) point[axis] += part[axis];
      });
    const Point<double> r = residual<double>(problem.measured[i], point, turn, {theta[3], theta[4], theta[5]});
    for (std::size_t axis = 0; axis < 3; ++axis) result[3 * i + axis] = r[axis];
  }
}

// ---- the Jacobian ----------------------------------------------------------------------------------------------------------------

namespace detail {

/// `Us` columns for the place in a triangle, those of theta behind them.
template <std::size_t Us>
void jacobian(const Problem& problem, std::vector<double>& result) {
  constexpr std::size_t columns = Us + parameters;
  using D = fx::Dual<double, columns>;
  using F = fx::Dual<double, finger_angles>;
  const auto& theta = problem.theta;
  const Hand<F> hand = pose<F>(problem.model, [&](std::size_t f) {
    const double* a = theta.data() + pose_size + finger_angles * f;
    return fx::seed(std::array<double, finger_angles>{a[0], a[1], a[2], a[3]});
  });
  const auto variable = [&](std::size_t i) { return fx::make_dual<columns>(theta[i], Us + i); };
  const auto turn = rotation<D>({variable(0), variable(1), variable(2)});
  const Point<D> translation{variable(3), variable(4), variable(5)};
  result.resize(3 * problem.measured.size() * columns);
  double* row = result.data();
  for (std::size_t i = 0; i < problem.measured.size(); ++i) {
    std::array<Corner, 3> corners;
    const std::size_t count = corners_of(problem, i, corners);
    Point<double> value{};
    Point<typename D::gradient_type> slopes{};
    for (std::size_t k = 0; k < count; ++k) {
      Point<double> corner{};
      const double weight = corners[k].weight;
      each_part(problem.model, hand, corners[k].vertex, 1, [&](std::size_t finger, const auto& part) {
        for (std::size_t axis = 0; axis < 3; ++axis) {
          corner[axis] += fx::value(part[axis]);
          if constexpr (std::is_same_v<std::remove_cvref_t<decltype(part[axis])>, F>)
            for (std::size_t a = 0; a < finger_angles; ++a)
              slopes[axis][Us + pose_size + finger_angles * finger + a] += weight * part[axis].gradient()[a];
        }
      });
      for (std::size_t axis = 0; axis < 3; ++axis) {
        value[axis] += weight * corner[axis];
        // The third corner's weight falls as the others rise.
        if constexpr (Us == 2) {
          if (k < 2) slopes[axis][k] += corner[axis];
          else for (std::size_t u = 0; u < 2; ++u) slopes[axis][u] -= corner[axis];
        }
      }
    }
    const Point<D> point{D(value[0], slopes[0]), D(value[1], slopes[1]), D(value[2], slopes[2])};
    for (const D& r : residual<D>(problem.measured[i], point, turn, translation)) {
      for (std::size_t c = 0; c < columns; ++c) row[c] = r.gradient()[c];
      row += columns;
    }
  }
}

}  // namespace detail

/// The Jacobian, dense: a row for each residual; columns for the two coordinates of its point in the triangle, if there are triangles, then theta.
inline void jacobian(const Problem& problem, std::vector<double>& result) {
  if (problem.us.empty()) detail::jacobian<0>(problem, result);
  else detail::jacobian<2>(problem, result);
}

}  // namespace problems::ht
