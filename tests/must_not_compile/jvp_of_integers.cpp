// expect: a derivative is asked for with respect to something that is not floating point
#include <fluxion/autodiff/jvp.hpp>

#include <cstdint>

namespace fx = fluxion;

#ifdef FLUXION_CONTROL
using Element = float;
#else
using Element = std::int64_t;
#endif

void f(const fx::Tensor<Element, fx::extents<2>>& x) {
  const auto [y, dy] = fx::jvp([](auto v) { return v * v; })(x, x);
  static_cast<void>(y);
  static_cast<void>(dy);
}
