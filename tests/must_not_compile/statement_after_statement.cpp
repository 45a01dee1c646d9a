// expect: check<.*operation::matmul, fluxion::extents<3, 4>, fluxion::extents<5, 6>
// expect: matmul: inner extents differ
#include <fluxion/fluxion.hpp>

namespace fx = fluxion;

#ifdef FLUXION_CONTROL
using Right = fx::Tensor<float, fx::extents<4, 6>>;
#else
using Right = fx::Tensor<float, fx::extents<5, 6>>;
#endif
void f(const fx::Tensor<float, fx::extents<3, 4>>& a, const Right& b, fx::Tensor<float, fx::extents<3, 6>>& out) {
  out = fx::relu(fx::matmul(a, b)) + 1;
  fx::compile([](auto x, auto y) { return fx::matmul(x, y); }).into(out, a, b);
}
