// expect: a derivative is asked for with respect to something that is not floating point
#include <fluxion/autodiff/jacobian.hpp>

#include <cstdint>

namespace fx = fluxion;

#ifdef FLUXION_CONTROL
using Element = double;
#else
using Element = std::int32_t;
#endif

void f(const fx::Tensor<Element, fx::extents<3>>& x) {
  const auto j = fx::jacfwd([](auto v) { return v * 2; })(x);
  static_cast<void>(j);
}
