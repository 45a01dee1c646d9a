// expect: the ranks differ
#include <fluxion/fluxion.hpp>
namespace fx = fluxion;

void f(const fx::Tensor<float, fx::dims<2>>& a, fx::Tensor<float, fx::dims<1>>& b) {
#ifdef FLUXION_CONTROL
  b = fx::sum(a, fx::axis<0>);
#else
  b = fx::sum(a, fx::axis<0>, fx::keepdim);
#endif
}
