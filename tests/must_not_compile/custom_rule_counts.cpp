// Two arguments, one adjoint.
// expect: a custom rule returns as many values as the function has arguments \(custom_vjp\) or results \(custom_jvp\)
#include <fluxion/autodiff/custom.hpp>
#include <fluxion/autodiff/transform.hpp>
#include <fluxion/fluxion.hpp>

namespace fx = fluxion;

constexpr auto product = fx::custom_vjp([](auto a, auto b) { return std::pair(a * b, std::tuple(a, b)); },
                                        [](auto known, auto dy) {
#ifdef FLUXION_CONTROL
                                          return std::tuple(dy * std::get<1>(known), dy * std::get<0>(known));
#else
                                          return dy * std::get<1>(known);
#endif
                                        });

int main() {
  const fx::Tensor<float, fx::extents<3>> x = {1, 2, 3};
  const auto dx = fx::grad([](auto a, auto b) { return fx::sum(product(a, b)); })(x, x);
  static_cast<void>(dx);
}
