// expect: check<.*operation::select, fluxion::extents<2>, fluxion::extents<3>
// expect: the shapes of the operands do not broadcast
#include <fluxion/fluxion.hpp>
namespace fx = fluxion;

#ifdef FLUXION_CONTROL
using Choice = fx::Tensor<bool, fx::extents<3>>;
#else
using Choice = fx::Tensor<bool, fx::extents<2>>;
#endif
fx::Tensor<float, fx::extents<3>> f(const Choice& c, const fx::Tensor<float, fx::extents<3>>& a) { return fx::where(c, a, 0); }
