// expect: static extents differ
#include <fluxion/fluxion.hpp>
namespace fx = fluxion;

#ifdef FLUXION_CONTROL
using Destination = fx::Tensor<float, fx::extents<fx::dynamic_extent, 4>>;
#else
using Destination = fx::Tensor<float, fx::extents<fx::dynamic_extent, 5>>;
#endif
void f(const fx::Tensor<float, fx::extents<3, 4>>& a, Destination& b) { b = a + a; }
