/// Small programs and their naive values in double: what both tests of the GPU path run.
#pragma once
#include <fluxion/core/axes.hpp>
#include <fluxion/graph/function/composition.hpp>

#include <cmath>
#include <vector>

namespace gpu_test {

namespace fx = fluxion;

constexpr fx::Symbol argument(fx::graph::program& p, int number, int rank,
                              fx::element_type type = fx::element_type::float32) {
  fx::graph::shape s;
  s.rank = rank;
  for (int axis = 0; axis < rank; ++axis) s.extent[axis] = -1;
  return {p, p.argument(number, type, s)};
}
constexpr void output(fx::graph::program& p, const fx::Symbol& y) {
  p.outputs.push_back(static_cast<std::int16_t>(y.index()));
}

/// Ten operations on three tensors, of which one is a row and one a column: [m, n], [n], [m, 1].
struct Map {
  template <class T>
  static constexpr auto f(const T& x, const T& row, const T& column) {
    using std::exp, std::tanh;
    return tanh(x * row + column) * 2.f - exp(-(x * x)) / (column * column + 1.f);
  }
  static constexpr fx::graph::program make() {
    fx::graph::program p;
    fx::Symbol column = argument(p, 2, 1);
    column = column.at(fx::graph::unsqueeze_function<-1>::trace(column).index());
    output(p, f(argument(p, 0, 2), argument(p, 1, 1), column));
    return p;
  }
  static std::vector<double> naive(const std::vector<float>& x, const std::vector<float>& row,
                                   const std::vector<float>& column, std::size_t m, std::size_t n) {
    std::vector<double> y(m * n);
    for (std::size_t i = 0; i < m; ++i)
      for (std::size_t j = 0; j < n; ++j) y[i * n + j] = f<double>(x[i * n + j], row[j], column[i]);
    return y;
  }
};

/// softmax(2 x + 1) along the last axis of [m, n].
struct Softmax {
  static constexpr fx::graph::program make() {
    fx::graph::program p;
    output(p, fx::softmax(argument(p, 0, 2) * 2.f + 1.f, fx::axis<-1>));
    return p;
  }
  static std::vector<double> naive(const std::vector<float>& x, std::size_t m, std::size_t n) {
    std::vector<double> y(m * n);
    for (std::size_t i = 0; i < m; ++i) {
      double largest = -HUGE_VAL, sum = 0;
      for (std::size_t j = 0; j < n; ++j) largest = std::fmax(largest, 2. * x[i * n + j] + 1);
      for (std::size_t j = 0; j < n; ++j) sum += y[i * n + j] = std::exp(2. * x[i * n + j] + 1 - largest);
      for (std::size_t j = 0; j < n; ++j) y[i * n + j] /= sum;
    }
    return y;
  }
};

/// Layer norm along the last axis of [m, n] with weight and bias of [n], and beside it the mean of each row.
struct LayerNorm {
  static constexpr fx::graph::program make() {
    fx::graph::program p;
    const fx::Symbol x = argument(p, 0, 2);
    output(p, fx::layer_norm(x, argument(p, 1, 1), argument(p, 2, 1), 1e-5));
    output(p, x.reduce<fx::operation::mean>(2u, true));
    return p;
  }
  static std::vector<double> naive(const std::vector<float>& x, const std::vector<float>& weight,
                                   const std::vector<float>& bias, std::size_t m, std::size_t n,
                                   std::vector<double>& means) {
    std::vector<double> y(m * n);
    for (std::size_t i = 0; i < m; ++i) {
      double mean = 0, variance = 0;
      for (std::size_t j = 0; j < n; ++j) mean += x[i * n + j] / static_cast<double>(n);
      for (std::size_t j = 0; j < n; ++j)
        variance += (x[i * n + j] - mean) * (x[i * n + j] - mean) / static_cast<double>(n);
      for (std::size_t j = 0; j < n; ++j)
        y[i * n + j] = (x[i * n + j] - mean) / std::sqrt(variance + 1e-5) * weight[j] + bias[j];
      means.push_back(mean);
    }
    return y;
  }
};

/// Numbers in [-2, 2), the same on every machine.
inline std::vector<float> numbers(std::size_t count, unsigned seed) {
  std::vector<float> x(count);
  unsigned state = seed * 2654435761u + 12345u;
  for (float& v : x) {
    state = state * 1664525u + 1013904223u;
    v = static_cast<float>(state >> 8) * 0x1p-22f - 2.f;
  }
  return x;
}

/// Row-major memory as an executor sees it.
inline fx::graph::descriptor dense(const void* data, std::initializer_list<std::size_t> extents) {
  fx::graph::descriptor d;
  d.data = static_cast<std::byte*>(const_cast<void*>(data));
  int rank = 0;
  for (const std::size_t e : extents) d.extent[rank++] = static_cast<fx::index_t>(e);
  fx::index_t stride = 1;
  while (rank-- > 0) {
    d.stride[rank] = stride;
    stride *= d.extent[rank];
  }
  return d;
}

/// The largest difference, relative where values are large; infinite if any is not a number.
inline double largest_error(const std::vector<float>& found, const std::vector<double>& expected) {
  double worst = found.size() == expected.size() ? 0 : HUGE_VAL;
  for (std::size_t i = 0; i < found.size() && i < expected.size(); ++i) {
    const double error = std::fabs(static_cast<double>(found[i]) - expected[i]) / std::fmax(1., std::fabs(expected[i]));
    worst = error <= worst ? worst : error >= 0 ? error : HUGE_VAL;
  }
  return worst;
}

}  // namespace gpu_test
