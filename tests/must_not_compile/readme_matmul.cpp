// expect: matmul: inner extents differ: see both extents above
// expect: check<.*fluxion::operation::matmul, fluxion::extents<3, 4>, fluxion::extents<5, 6> ?>
#include <fluxion/fluxion.hpp>

namespace fx = fluxion;

void multiply() {
#ifdef FLUXION_CONTROL
  fx::Tensor<float, fx::extents<3, 5>> a = fx::ones;
  fx::Tensor<float, fx::extents<5, 6>> b = fx::ones;
  fx::Tensor c = fx::matmul(a, b);
#else
  fx::Tensor<float, fx::extents<3, 4>> a = fx::ones;
  fx::Tensor<float, fx::extents<5, 6>> b = fx::ones;
  fx::Tensor c = fx::matmul(a, b);
#endif
}
