// expect: check<.*operation::reshape, fluxion::extents<3, 4>, fluxion::extents<2, 5>
// expect: reshape: the numbers of elements differ
#include <fluxion/fluxion.hpp>
namespace fx = fluxion;

#ifdef FLUXION_CONTROL
fx::Tensor<float, fx::extents<2, 6>> f(const fx::Tensor<float, fx::extents<3, 4>>& a) { return fx::reshape<2, 6>(a); }
#else
fx::Tensor<float, fx::extents<2, 5>> f(const fx::Tensor<float, fx::extents<3, 4>>& a) { return fx::reshape<2, 5>(a); }
#endif
