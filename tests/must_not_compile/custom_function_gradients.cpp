// expect: Function: backward returns a gradient, or autograd::none, for each input of forward
#include <fluxion/autodiff/custom_function.hpp>
#include <fluxion/tensor/factory.hpp>

namespace fx = fluxion;

struct Product : fx::autograd::Function<Product> {
  using Context = fx::autograd::Context<>;
  static auto forward(Context&, const auto& x, const auto& y) { return x * y; }
  static auto backward(Context&, const auto& gradient) {
#ifdef FLUXION_CONTROL
    return std::make_tuple(gradient * 2.f, fx::autograd::none);
#else
    return gradient * 2.f;
#endif
  }
};

int main() {
  fx::Var x = fx::variable(fx::Tensor<float, fx::extents<2>>(fx::ones));
  fx::Var y = Product::apply(x, x);
  return y.value()(0) > 0;
}
