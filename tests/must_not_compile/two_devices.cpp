// expect: cannot combine tensors on different devices: move one with .to
#include <fluxion/fluxion.hpp>
namespace fx = fluxion;

#ifdef FLUXION_CONTROL
using Other = fx::Tensor<float, fx::dims<1>>;
#else
using Other = fx::Tensor<float, fx::dims<1>, fx::cuda_t>;
#endif
auto f(const fx::Tensor<float, fx::dims<1>>& a, const Other& b) { return a + b; }
