// expect: the element types of the expression and its destination differ: convert with cast<T>
#include <fluxion/fluxion.hpp>
namespace fx = fluxion;

void f(const fx::Tensor<float, fx::dims<1>>& a, fx::Tensor<double, fx::dims<1>>& b) {
#ifdef FLUXION_CONTROL
  b = fx::cast<double>(a + a);
#else
  b = a + a;
#endif
}
