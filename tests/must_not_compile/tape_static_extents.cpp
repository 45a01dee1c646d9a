// expect: check<.*operation::mul, fluxion::extents<3>, fluxion::extents<2>
// expect: the shapes of the operands do not broadcast
#include <fluxion/autodiff/var.hpp>
#include <fluxion/nn/layer.hpp>

namespace fx = fluxion;

int main() {
#ifdef FLUXION_CONTROL
  const fx::Parameter<float, fx::extents<3>> weight = fx::ones;
#else
  const fx::Parameter<float, fx::extents<2>> weight = fx::ones;
#endif
  const fx::Tensor<float, fx::extents<3>> x = fx::ones;
  const fx::Var y = x * weight;
  const fx::Var loss = fx::sum(y * y);
  loss.backward();
  return loss.item() > 0;
}
