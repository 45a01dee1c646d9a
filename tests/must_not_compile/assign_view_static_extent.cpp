// expect: static extents differ
#include <fluxion/fluxion.hpp>
namespace fx = fluxion;

#ifdef FLUXION_CONTROL
using Destination = fx::View<float, fx::extents<3, 4>, fx::layout_stride>;
#else
using Destination = fx::View<float, fx::extents<4, 3>, fx::layout_stride>;
#endif
void f(const fx::Tensor<float, fx::extents<3, 4>>& a, Destination b) { b = a + a; }
