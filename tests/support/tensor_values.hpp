/// Values to test functions of floating point with, and how far a result may be from the exact one.
#pragma once
#include <fluxion/tensor/factory.hpp>
#include <fluxion/tensor/tensor.hpp>
#include <fluxion/tensor/view.hpp>

#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

namespace fluxion::test {

/// Sizes around the widths of packets.
inline constexpr index_t sizes[] = {0, 1, 7, 15, 16, 17, 33, 100};

/// NaN, infinities, zeros, subnormal numbers, limits, and ordinary numbers of both signs.
template <class T>
std::vector<T> special_values() {
  using limits = std::numeric_limits<T>;
  std::vector<T> v = {T(0),           -T(0),      limits::quiet_NaN(), limits::infinity(), -limits::infinity(), limits::denorm_min(),
                      limits::min() / 4, -limits::min() / 4, limits::min(), limits::max(),      limits::lowest(),    T(1), T(-1)};
  for (int k = 0; k < 87; ++k) v.push_back(static_cast<T>((k - 43) * 0.37));
  return v;
}

/// `size` of them, beginning somewhere else for each size, so that each is met in packets and in tails.
template <class T>
Tensor<T, dims<1>> special_tensor(index_t size, index_t first) {
  const std::vector<T> values = special_values<T>();
  Tensor<T, dims<1>> x = empty<T>({size});
  for (index_t i = 0; i < size; ++i) x(i) = values[static_cast<std::size_t>((first + i) % static_cast<index_t>(values.size()))];
  return x;
}

/// Distance in units of the last place of the exact value; 0 for two NaN or equal infinities.
template <class T>
double distance_in_ulp(T value, double exact) {
  const double v = static_cast<double>(value);
  if (std::isnan(v) || std::isnan(exact)) return std::isnan(v) && std::isnan(exact) ? 0 : 1e300;
  const T rounded = static_cast<T>(exact);
  if (value == rounded) return 0;
  if (std::isinf(v) || std::isinf(rounded)) return 1e300;
  const T size = std::abs(rounded);
  const double ulp = static_cast<double>(std::nextafter(size, std::numeric_limits<T>::infinity())) - static_cast<double>(size);
  return std::abs(v - exact) / (ulp < 1e308 ? ulp : static_cast<double>(std::numeric_limits<T>::max()));
}

}  // namespace fluxion::test
