// expect: cannot combine tensors on different devices: move one with .to
#include <fluxion/fluxion.hpp>
namespace fx = fluxion;

#ifdef FLUXION_CONTROL
using Left = fx::Tensor<float, fx::dims<1>>;
using Right = fx::Tensor<float, fx::dims<1>>;
#else
using Left = fx::Tensor<float, fx::dims<1>, fx::cuda_t>;
using Right = fx::Tensor<float, fx::dims<1>, fx::mps_t>;
#endif
auto f(const Left& a, const Right& b) { return a + b; }
