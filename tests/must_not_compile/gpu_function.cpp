// expect: tensors are computed with on the cpu only: a tensor on another device has a type
// expect: execution_on<fluxion::hip_t>
#include <fluxion/fluxion.hpp>
namespace fx = fluxion;

#ifdef FLUXION_CONTROL
using Vector = fx::Tensor<float, fx::dims<1>>;
#else
using Vector = fx::Tensor<float, fx::dims<1>, fx::hip_t>;
#endif
Vector f(const Vector& a) { return fx::compile([](auto x) { return fx::exp(x) * 2; })(a); }
