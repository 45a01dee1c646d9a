// expect: vmap: an argument has no axis of the number that in_dims says: see their types above
#include <fluxion/autodiff/vmap.hpp>

namespace fx = fluxion;

#ifdef FLUXION_CONTROL
constexpr auto axes = fx::in_dims<1>;
#else
constexpr auto axes = fx::in_dims<2>;
#endif

void f(const fx::Tensor<float, fx::dims<2>>& x) {
  const fx::Tensor<float, fx::dims<1>> y = fx::vmap([](auto v) { return fx::sum(v); }, axes)(x);
  static_cast<void>(y);
}
