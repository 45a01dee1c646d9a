// expect: a tangent has the shape of its argument, a cotangent that of its result: see both extents above
#include <fluxion/autodiff/linearize.hpp>

namespace fx = fluxion;

#ifdef FLUXION_CONTROL
using Direction = fx::Tensor<float, fx::extents<2>>;
#else
using Direction = fx::Tensor<float, fx::extents<3>>;
#endif

void f(const fx::Tensor<float, fx::extents<2>>& x, const Direction& d) {
  const auto [y, df] = fx::linearize([](auto v) { return fx::sum(v * v); }, x);
  static_cast<void>(df(d));
}
