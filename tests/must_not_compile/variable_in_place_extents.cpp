// expect: the value that a variable gets in place has other extents than the variable
#include <fluxion/autodiff/var.hpp>

namespace fx = fluxion;

int main() {
  fx::Var row = fx::variable(fx::Tensor<float, fx::extents<3>>{1, 2, 3});
  fx::Var matrix = fx::variable(fx::Tensor<float, fx::extents<2, 3>>{{1, 2, 3}, {4, 5, 6}});
  fx::Var x = row * 2.f;
#ifdef FLUXION_CONTROL
  x += row;
#else
  x += matrix;
#endif
  return x.value()(0) > 0;
}
