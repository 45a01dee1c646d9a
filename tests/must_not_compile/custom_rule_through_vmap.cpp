// The rule is written for one example.
// expect: a custom rule cannot be followed through vmap: differentiate first and vmap the gradient
#include <fluxion/autodiff/custom.hpp>
#include <fluxion/autodiff/vmap.hpp>
#include <fluxion/fluxion.hpp>

namespace fx = fluxion;

constexpr auto twice = fx::custom_vjp([](auto x) { return std::pair(x * 2, x); }, [](auto, auto dy) { return dy * 2; });

int main() {
  const fx::Tensor<float, fx::extents<2, 3>> x = {{1, 2, 3}, {4, 5, 6}};
#ifdef FLUXION_CONTROL
  const auto dx = fx::vmap(fx::grad([](auto v) { return fx::sum(twice(v)); }))(x);
#else
  const auto dx = fx::grad([](auto v) { return fx::sum(fx::vmap([](auto row) { return twice(row); })(v)); })(x);
#endif
  static_cast<void>(dx);
}
