// One fused expression.
#include <fluxion/fluxion.hpp>
#include <cstdio>
namespace fx = fluxion;

int main() {
  fx::Tensor<float, fx::dims<2>> x = fx::ones<float>({3, 4});
  fx::Tensor<float, fx::dims<2>> y = fx::softmax(x * 2.f + 1.f, fx::axis<-1>);
  std::printf("%g\n", static_cast<double>(y(1, 2)));
}
