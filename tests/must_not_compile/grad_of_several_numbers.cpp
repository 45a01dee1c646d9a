// expect: grad: the function must return one number: reduce it with sum or mean
#include <fluxion/autodiff/transform.hpp>

namespace fx = fluxion;


int main() {
  const fx::Tensor<float, fx::extents<2>> x = {1, 2};
#ifdef FLUXION_CONTROL
  return static_cast<int>(fx::grad([](auto v) { return fx::sum(v * v); })(x)(0));
#else
  return static_cast<int>(fx::grad([](auto v) { return v * v; })(x)(0));
#endif
}
