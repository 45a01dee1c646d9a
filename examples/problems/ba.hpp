/// Bundle adjustment: cameras and points that explain where points were seen in photographs. The residuals of Agarwal et al., Bundle Adjustment in
/// the Large (2010), as ADBench states them, and their sparse Jacobian.
///
/// Tool: reverse mode of a traced function over many observations at once. The residuals of different observations have nothing in common, so
/// the gradient of their sum with respect to the columns of parameters is every block of the Jacobian: one fused loop with an observation in
/// each SIMD lane, in which the compiler has dropped the zeros and shared what rows and columns have in common.
#pragma once
#include <fluxion/autodiff/dual.hpp>
#include <fluxion/autodiff/transform.hpp>
#include <fluxion/tensor/interop.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <tuple>
#include <utility>
#include <vector>

namespace problems::ba {

namespace fx = fluxion;

/// A camera has 11 parameters: a rotation as axis times angle, its centre, focal length, principal point, two coefficients of radial distortion.
inline constexpr std::size_t camera_size = 11, point_size = 3;
/// What one residual depends on: a camera, a point, the observation's weight.
inline constexpr std::size_t block_size = camera_size + point_size + 1;

// ---- residuals: generic code ----------------------------------------------------------------------------------------------

/// condition ? a : b, for numbers and for what is traced.
template <class T>
constexpr T choose(bool condition, const T& a, const T& b) { return condition ? a : b; }
template <class T, class C>
  requires(!std::is_same_v<C, bool>)
constexpr T choose(const C& condition, const T& a, const T& b) { return fx::where(condition, a, b); }

template <class T>
constexpr std::array<T, 3> cross(const std::array<T, 3>& a, const std::array<T, 3>& b) {
  return {a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]};
}
template <class T>
constexpr T dot(const std::array<T, 3>& a, const std::array<T, 3>& b) { return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]; }

/// The point turned about an axis by the axis's length in radians (Rodrigues); by the formula's limit where that is 0.
template <class T>
constexpr std::array<T, 3> rotate(const std::array<T, 3>& axis, const std::array<T, 3>& point) {
  using std::cos, std::sin, std::sqrt;
  const T square = dot(axis, axis);
  const auto still = square == 0.0;
  const T angle = sqrt(choose<T>(still, square + 1.0, square));
  const T c = choose<T>(still, square + 1.0, cos(angle));
  const T s = choose<T>(still, square + 1.0, sin(angle) / angle);
  const T along = dot(axis, point) * ((1.0 - c) / (angle * angle));
  const std::array<T, 3> turned = cross(axis, point);
  return {point[0] * c + turned[0] * s + axis[0] * along, point[1] * c + turned[1] * s + axis[1] * along,
          point[2] * c + turned[2] * s + axis[2] * along};
}

/// Where the camera sees the point.
template <class T>
constexpr std::array<T, 2> project(const std::array<T, camera_size>& camera, const std::array<T, point_size>& point) {
  const std::array<T, 3> seen =
      rotate<T>({camera[0], camera[1], camera[2]}, {point[0] - camera[3], point[1] - camera[4], point[2] - camera[5]});
  const T x = seen[0] / seen[2], y = seen[1] / seen[2];
  const T square = x * x + y * y;
  const T distortion = 1.0 + camera[9] * square + camera[10] * square * square;
  return {x * distortion * camera[6] + camera[7], y * distortion * camera[6] + camera[8]};
}

/// The weighted distance between where the camera sees the point and where it was seen; `parameters` are a camera, a point and the weight.
template <class T, class Number>
constexpr std::array<T, 2> residual(const std::array<T, block_size>& parameters, const Number& feature_x, const Number& feature_y) {
  const auto& p = parameters;
  const std::array<T, 2> seen =
      project<T>({p[0], p[1], p[2], p[3], p[4], p[5], p[6], p[7], p[8], p[9], p[10]}, {p[11], p[12], p[13]});
  return {p[14] * (seen[0] - feature_x), p[14] * (seen[1] - feature_y)};
}

/// Keeps a weight near 1.
template <class T>
constexpr T weight_residual(const T& weight) { return 1.0 - weight * weight; }

// ---- the problem and its residuals -------------------------------------------------------------------------------------------

struct Observation {
  std::int32_t camera, point;
};

struct Problem {
  std::vector<std::array<double, camera_size>> cameras;
  std::vector<std::array<double, point_size>> points;
  std::vector<double> weights;                      // one per observation
  std::vector<std::array<double, 2>> features;      // where it was seen
  std::vector<Observation> observations;

  std::size_t residuals() const { return 3 * observations.size(); }
  std::size_t parameters() const { return camera_size * cameras.size() + point_size * points.size() + weights.size(); }
};

/// The parameters of an observation.
inline std::array<double, block_size> parameters_of(const Problem& problem, std::size_t observation) {
  const Observation seen = problem.observations[observation];
  std::array<double, block_size> parameters;
  const auto& camera = problem.cameras[static_cast<std::size_t>(seen.camera)];
  const auto& point = problem.points[static_cast<std::size_t>(seen.point)];
  std::copy(camera.begin(), camera.end(), parameters.begin());
  std::copy(point.begin(), point.end(), parameters.begin() + camera_size);
  parameters[camera_size + point_size] = problem.weights[observation];
  return parameters;
}

/// All residuals: two for each observation, then one for each weight.
inline void residuals(const Problem& problem, std::vector<double>& result) {
  const std::size_t n = problem.observations.size();
  result.resize(problem.residuals());
  for (std::size_t i = 0; i < n; ++i) {
    const std::array<double, 2> r = residual(parameters_of(problem, i), problem.features[i][0], problem.features[i][1]);
    result[2 * i] = r[0];
    result[2 * i + 1] = r[1];
    result[2 * n + i] = weight_residual(problem.weights[i]);
  }
}

// ---- the Jacobian ----------------------------------------------------------------------------------------------------------

/// Compressed sparse rows: row r has the elements begin[r] to begin[r + 1] of columns and values.
struct SparseMatrix {
  std::vector<std::int32_t> begin, columns;
  std::vector<double> values;
};

/// Writes which elements of the Jacobian are not zero: 15 in each row of an observation, one in each row of a weight.
inline void set_pattern(const Problem& problem, SparseMatrix& jacobian) {
  const std::size_t n = problem.observations.size();
  jacobian.begin.resize(problem.residuals() + 1);
  jacobian.columns.resize((2 * block_size + 1) * n);
  jacobian.values.resize(jacobian.columns.size());
  const auto first_point = static_cast<std::int32_t>(camera_size * problem.cameras.size());
  const auto first_weight = static_cast<std::int32_t>(first_point + static_cast<std::int32_t>(point_size * problem.points.size()));
  std::int32_t* column = jacobian.columns.data();
  for (std::size_t i = 0; i < n; ++i) {
    const Observation seen = problem.observations[i];
    for (int row = 0; row < 2; ++row) {
      for (std::int32_t k = 0; k < static_cast<std::int32_t>(camera_size); ++k) *column++ = seen.camera * static_cast<std::int32_t>(camera_size) + k;
      for (std::int32_t k = 0; k < static_cast<std::int32_t>(point_size); ++k)
        *column++ = first_point + seen.point * static_cast<std::int32_t>(point_size) + k;
      *column++ = first_weight + static_cast<std::int32_t>(i);
    }
  }
  for (std::size_t i = 0; i < n; ++i) *column++ = first_weight + static_cast<std::int32_t>(i);
  for (std::size_t row = 0; row <= 2 * n; ++row) jacobian.begin[row] = static_cast<std::int32_t>(block_size * row);
  for (std::size_t i = 1; i <= n; ++i) jacobian.begin[2 * n + i] = static_cast<std::int32_t>(2 * block_size * n + i);
}

/// How many observations go through the traced function at once: what they read and write stays in the second-level cache.
inline constexpr std::size_t tile = 1024;
using Column = fx::View<const double, fx::extents<tile>>;

template <std::size_t Row>
struct summed_residual {
  /// Takes columns: of each parameter, and of the features.
  constexpr auto operator()(const auto&... columns) const {
    return [](const auto& x, const auto& y, const auto&... parameters) {
      using T = std::common_type_t<std::remove_cvref_t<decltype(parameters)>...>;
      return fx::sum(residual(std::array<T, block_size>{parameters...}, x, y)[Row]);
    }(columns...);
  }
};

/// The two rows of every block: 2 · 15 columns with an element for each observation. Arguments: features, then parameters.
inline constexpr auto blocks = fx::compile([](const auto&... columns) {
  return []<int... I>(std::integer_sequence<int, I...>, const auto&... c) {
    return std::tuple_cat(fx::grad<(2 + I)...>(summed_residual<0>{})(c...), fx::grad<(2 + I)...>(summed_residual<1>{})(c...));
  }(std::make_integer_sequence<int, static_cast<int>(block_size)>{}, columns...);
});

/// The derivative of the residuals of weights by the weights.
inline constexpr auto weight_slopes =
    fx::grad([](const auto& weights) { return fx::sum(weight_residual(weights)); });

namespace detail {

/// A column of `tile` elements begins every `column_stride`: columns a power of two apart would compete for the same lines of the cache.
inline constexpr std::size_t column_stride = tile + 8;

template <std::size_t... In, std::size_t... Out>
void evaluate_blocks(const double* columns, double* results, std::index_sequence<In...>, std::index_sequence<Out...>) {
  auto to = std::tuple(fx::borrow(results + Out * column_stride, fx::extents<tile>{})...);
  blocks.into(to, fx::borrow(columns + In * column_stride, fx::extents<tile>{})...);
}

/// Element i of every column becomes row i; without a loop, which would cost as much as the copies.
template <std::size_t... Column>
void copy_row(const double* columns, double* row, std::index_sequence<Column...>) {
  ((row[Column] = columns[Column * column_stride]), ...);
}

}  // namespace detail

/// The Jacobian of all residuals, pattern and values.
inline void jacobian(const Problem& problem, SparseMatrix& result) {
  constexpr std::size_t stride = detail::column_stride, in = 2 + block_size, out = 2 * block_size;
  const std::size_t n = problem.observations.size();
  set_pattern(problem, result);
  std::array<double, in * stride> columns;
  std::array<double, out * stride> results;
  for (std::size_t begin = 0; begin < n; begin += tile) {
    const std::size_t count = std::min(tile, n - begin);
    for (std::size_t i = 0; i < tile; ++i) {
      const std::size_t observation = begin + std::min(i, count - 1);  // the last tile repeats the last observation
      const Observation seen = problem.observations[observation];
      const auto& camera = problem.cameras[static_cast<std::size_t>(seen.camera)];
      const auto& point = problem.points[static_cast<std::size_t>(seen.point)];
      double* column = columns.data() + i;
      const auto put = [&](double value) { *std::exchange(column, column + stride) = value; };
      for (const double x : problem.features[observation]) put(x);
      for (const double x : camera) put(x);
      for (const double x : point) put(x);
      put(problem.weights[observation]);
    }
    detail::evaluate_blocks(columns.data(), results.data(), std::make_index_sequence<in>{}, std::make_index_sequence<out>{});
    for (std::size_t i = 0; i < count; ++i)
      detail::copy_row(results.data() + i, result.values.data() + out * (begin + i), std::make_index_sequence<out>{});
  }
  auto slopes = fx::borrow(result.values.data() + out * n, {static_cast<fx::index_t>(n)});
  weight_slopes.into(slopes, fx::borrow(problem.weights));
}

/// The same values by dual numbers with a direction for each parameter: no tracing, any C++ in the residual, one observation at a time.
inline void jacobian_by_duals(const Problem& problem, SparseMatrix& result) {
  const std::size_t n = problem.observations.size();
  set_pattern(problem, result);
  for (std::size_t i = 0; i < n; ++i) {
    const auto r = residual(fx::seed(parameters_of(problem, i)), problem.features[i][0], problem.features[i][1]);
    for (std::size_t row = 0; row < 2; ++row)
      std::copy(r[row].gradient().begin(), r[row].gradient().end(), result.values.data() + block_size * (2 * i + row));
    result.values[2 * block_size * n + i] = fx::derivative([](const auto& w) { return weight_residual(w); }, problem.weights[i]);
  }
}

}  // namespace problems::ba
