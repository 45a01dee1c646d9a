// expect: an expression cannot be assigned to: auto keeps expressions, name the variable's type instead
#include <fluxion/autodiff/scalar_var.hpp>

namespace fx = fluxion;

fx::Var<double> f(const fx::Var<double>& x) {
#ifdef FLUXION_CONTROL
  fx::Var<double> y = x * x;
#else
  auto y = x * x;
#endif
  y += 1;
  return y;
}
