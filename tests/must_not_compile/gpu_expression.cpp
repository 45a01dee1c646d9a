// expect: tensors are computed with on the cpu only: a tensor on another device has a type
// expect: execution_on<fluxion::cuda_t>
#include <fluxion/fluxion.hpp>
namespace fx = fluxion;

#ifdef FLUXION_CONTROL
using Matrix = fx::Tensor<float, fx::dims<2>>;
#else
using Matrix = fx::Tensor<float, fx::dims<2>, fx::cuda_t>;
#endif
Matrix f(const Matrix& a, const Matrix& b) { return fx::softmax(fx::matmul(a, b) * 2 + a, fx::axis<-1>); }
