/// Two functions of numbers: a determinant by cofactors, which is branchy and recursive, and a small function with a few exponentials and sines.
#pragma once
#include <cmath>
#include <cstddef>

namespace reference::scalar {

inline constexpr int order = 9;
inline constexpr unsigned all_columns = (1u << order) - 1;

/// Of the columns in a set of bits and the last `rows` rows.
template <class T>
T determinant(const T* m, int rows, unsigned columns) {
  const T* const row = m + (order - rows) * order;
  if (rows == 1)
    for (int j = 0; j < order; ++j)
      if (columns >> j & 1) return row[j];
  T sum = 0.0;
  double sign = 1;
  for (int j = 0; j < order; ++j)
    if (columns >> j & 1) {
      sum = sum + row[j] * determinant(m, rows - 1, columns & ~(1u << j)) * sign;
      sign = -sign;
    }
  return sum;
}

inline constexpr std::size_t variables = 12;

/// Rosenbrock's valley with a bump and a wave between neighbours.
template <class T>
T valley(const T* x) {
  using std::exp;
  using std::sin;
  T sum = (1 - x[0]) * (1 - x[0]);
  for (std::size_t i = 0; i + 1 < variables; ++i) {
    const T fall = x[i + 1] - x[i] * x[i], rest = 1 - x[i + 1];
    sum = sum + 100 * fall * fall + rest * rest + exp(-x[i] * x[i + 1]) * sin(x[i] + 2 * x[i + 1]);
  }
  return sum;
}

}  // namespace reference::scalar
