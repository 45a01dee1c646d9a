// expect: cannot combine tensors on different devices: move one with .to
#include <fluxion/fluxion.hpp>
namespace fx = fluxion;

#ifdef FLUXION_CONTROL
using Other = fx::Tensor<float, fx::dims<2>>;
#else
using Other = fx::Tensor<float, fx::dims<2>, fx::cuda_t>;
#endif
auto f(const Other& a, const fx::Tensor<float, fx::dims<2>>& b) { return fx::matmul(a, fx::exp(b) * 2); }
