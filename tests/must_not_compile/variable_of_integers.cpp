// expect: a variable is of floating point
#include <fluxion/autodiff/var.hpp>
#include <fluxion/tensor/factory.hpp>

namespace fx = fluxion;

int main() {
#ifdef FLUXION_CONTROL
  const fx::Tensor<float, fx::extents<2>> x = fx::ones;
#else
  const fx::Tensor<std::int64_t, fx::extents<2>> x = fx::ones;
#endif
  const fx::Var y = x * x;
  return y.value()(0) > 0;
}
