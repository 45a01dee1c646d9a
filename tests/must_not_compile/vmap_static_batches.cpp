// expect: vmap: the batch axes of two arguments have different extents: see the shapes of both above
#include <fluxion/autodiff/vmap.hpp>

namespace fx = fluxion;

#ifdef FLUXION_CONTROL
using Second = fx::Tensor<float, fx::extents<3, 2>>;
#else
using Second = fx::Tensor<float, fx::extents<4, 2>>;
#endif

void f(const fx::Tensor<float, fx::extents<3, 2>>& x, const Second& y) {
  const auto z = fx::vmap([](auto a, auto b) { return a * b; })(x, y);
  static_cast<void>(z);
}
