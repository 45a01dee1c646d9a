// A rule for adjoints says nothing about tangents.
// expect: a function with a custom_vjp has no tangents: give it a custom_jvp, which serves both modes
#include <fluxion/autodiff/custom.hpp>
#include <fluxion/autodiff/jvp.hpp>
#include <fluxion/fluxion.hpp>

namespace fx = fluxion;

#ifdef FLUXION_CONTROL
constexpr auto twice = fx::custom_jvp([](auto x) { return x * 2; }, [](auto, auto dx) { return dx * 2; });
#else
constexpr auto twice = fx::custom_vjp([](auto x) { return std::pair(x * 2, x); }, [](auto, auto dy) { return dy * 2; });
#endif

int main() {
  const fx::Tensor<float, fx::extents<3>> x = {1, 2, 3};
  const auto both = fx::jvp([](auto v) { return fx::sum(twice(v)); })(x, x);
  static_cast<void>(both);
}
