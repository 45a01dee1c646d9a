/// Numbers without a pattern, the same on every machine.
#pragma once
#include <fluxion/core/extents.hpp>

#include <cmath>
#include <cstddef>
#include <vector>

namespace support {

/// sin(from + 0.37 i) for i = 0 … n - 1.
template <class T>
std::vector<T> waves(fluxion::index_t n, double from) {
  std::vector<T> x(static_cast<std::size_t>(n));
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = static_cast<T>(std::sin(from + 0.37 * static_cast<double>(i)));
  return x;
}

}  // namespace support
