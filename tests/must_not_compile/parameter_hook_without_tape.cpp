// expect: hooks of parameters are hooks of the tape: include <fluxion/autodiff/var.hpp>
#include <fluxion/nn/parameter.hpp>
#ifdef FLUXION_CONTROL
#include <fluxion/autodiff/var.hpp>
#endif

int main() {
  fluxion::Parameter<float, fluxion::extents<2>> w = fluxion::ones;
  w.register_hook([](const auto&) {});
  return 0;
}
