// expect: a variable of scalar code is a floating-point number or a Dual
#include <fluxion/autodiff/scalar_var.hpp>

namespace fx = fluxion;

#ifdef FLUXION_CONTROL
using Number = double;
#else
using Number = int;
#endif

void f() {
  fx::Var<Number> x = 2;
  x.set_requires_grad();
}
