// expect: a derivative is asked for with respect to something that is not floating point
#include <fluxion/autodiff/vjp.hpp>

#include <cstdint>

namespace fx = fluxion;

#ifdef FLUXION_CONTROL
using Element = float;
#else
using Element = std::int64_t;
#endif

void f(const fx::Tensor<Element, fx::extents<2>>& x) {
  const auto [y, dx] = fx::vjp([](auto v) { return v * 2; })(x, x);
  static_cast<void>(y);
  static_cast<void>(dx);
}
