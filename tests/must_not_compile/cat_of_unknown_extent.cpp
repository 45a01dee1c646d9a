// expect: cat: the extents along the axis must be known when the program compiles
#include <fluxion/fluxion.hpp>
namespace fx = fluxion;

#ifdef FLUXION_CONTROL
using Rows = fx::Tensor<float, fx::extents<fx::dynamic_extent, 3>>;
#else
using Rows = fx::Tensor<float, fx::extents<fx::dynamic_extent, fx::dynamic_extent>>;
#endif

fx::Tensor<float, fx::dims<2>> f(const Rows& a, const Rows& b) { return fx::cat<1>(a, b); }
