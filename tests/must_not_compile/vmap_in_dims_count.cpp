// expect: vmap: in_dims has another number of axes than the function has arguments
#include <fluxion/autodiff/vmap.hpp>

namespace fx = fluxion;

#ifdef FLUXION_CONTROL
constexpr auto axes = fx::in_dims<0, fx::none>;
#else
constexpr auto axes = fx::in_dims<0, fx::none, fx::none>;
#endif

void f(const fx::Tensor<float, fx::dims<2>>& x) {
  const auto y = fx::vmap(fx::vmap([](auto v, auto s) { return fx::sum(v) * s; }, axes), fx::in_dims<0, fx::none>)(fx::Tensor<float, fx::dims<3>>(), x);
  static_cast<void>(y);
}
