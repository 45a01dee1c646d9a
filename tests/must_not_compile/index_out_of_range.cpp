// expect: an index is out of range for the first of the extents above
// expect: extents<4
#include <fluxion/fluxion.hpp>

namespace fx = fluxion;

#ifdef FLUXION_CONTROL
constexpr int last = 3;
#else
constexpr int last = 4;
#endif

void f(const fx::Tensor<double, fx::extents<4>>& x) {
  const auto y = fx::compile([](auto v) { return v[0] * v[last]; })(x);
  static_cast<void>(y);
}
