// expect: variables of two types of number cannot be combined: each type has a recording of its own
#include <fluxion/autodiff/scalar_var.hpp>

namespace fx = fluxion;

#ifdef FLUXION_CONTROL
using Other = double;
#else
using Other = float;
#endif

fx::Var<double> f(const fx::Var<double>& x, const fx::Var<Other>& y) { return x * 2 + y; }
