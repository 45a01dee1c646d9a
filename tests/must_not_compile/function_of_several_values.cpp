// expect: check<.*operation::add, fluxion::extents<3>, fluxion::extents<2>
// expect: the shapes of the operands do not broadcast
#include <fluxion/fluxion.hpp>

#include <tuple>

namespace fx = fluxion;

#ifdef FLUXION_CONTROL
using Other = fx::Tensor<float, fx::extents<3>>;
#else
using Other = fx::Tensor<float, fx::extents<2>>;
#endif
float f(const fx::Tensor<float, fx::extents<3>>& a, const Other& b) {
  const auto [sum, product] = fx::compile([](auto x, auto y) { return std::tuple(x + y, x * x); })(a, b);
  const fx::Tensor<float, fx::extents<>> both = fx::sum(sum * product + 1);
  return both.item();
}
