// The number of steps is known only when the loop runs, a traced function while it is compiled.
// expect: a loop whose number of steps only the run knows cannot stand in a traced function: put both into fx::chain\(before, loop, after\)
#include <fluxion/autodiff/loop.hpp>
#include <fluxion/fluxion.hpp>

namespace fx = fluxion;

constexpr auto step = [](auto v) { return fx::sin(v); };

int main() {
  const fx::Tensor<float, fx::extents<3>> x = {1, 2, 3};
#ifdef FLUXION_CONTROL
  constexpr auto loss = fx::chain([](auto v) { return v * 2; }, fx::iterate(step), [](auto v, auto) { return fx::sum(v); });
  const auto [y, dx] = fx::value_and_grad<1>(loss)(100, x);
#else
  const auto [y, dx] = fx::value_and_grad([](auto v) { return fx::sum(fx::iterate(step)(v * 2, 100)); })(x);
#endif
  static_cast<void>(y), static_cast<void>(dx);
}
