// expect: gradcheck wants an argument of double: a tensor, a view or a model
#include <fluxion/autodiff/gradcheck.hpp>

namespace fx = fluxion;

#ifdef FLUXION_CONTROL
using Element = double;
#else
using Element = float;
#endif

bool f(const fx::Tensor<Element, fx::extents<2>>& x) {
  return fx::gradcheck([](auto v) { return fx::sum(v * v); }, x).passed;
}
