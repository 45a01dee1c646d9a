// expect: compile wants a function without captures; pass what it captures as an argument
#include <fluxion/nn/layer.hpp>

namespace fx = fluxion;


int main() {
  const fx::Tensor<float, fx::extents<2>> x = {1, 2};
  const float factor = 2;
#ifdef FLUXION_CONTROL
  return static_cast<int>(fx::compile([](auto v, auto a) { return v * a; })(x, factor)(0));
#else
  return static_cast<int>(fx::compile([factor](auto v) { return v * factor; })(x)(0));
#endif
}
