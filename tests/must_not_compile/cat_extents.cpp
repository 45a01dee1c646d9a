// expect: check<.*operation::concatenate, fluxion::extents<2, 3>, fluxion::extents<3, 3>
// expect: cat: the operands differ in rank, or in an extent along another axis than the one given: see both shapes above
#include <fluxion/fluxion.hpp>
namespace fx = fluxion;

#ifdef FLUXION_CONTROL
using Second = fx::Tensor<float, fx::extents<2, 3>>;
#else
using Second = fx::Tensor<float, fx::extents<3, 3>>;
#endif

fx::Tensor<float, fx::extents<2, 6>> f(const fx::Tensor<float, fx::extents<2, 3>>& a, const Second& b) { return fx::cat<1>(a, b); }
