// expect-gcc: ViewOfATemporaryTensorWouldDangle
// expect-clang: call to deleted member function
#include <fluxion/fluxion.hpp>
namespace fx = fluxion;

fx::Tensor<float, fx::dims<2>> make();

void f() {
#ifdef FLUXION_CONTROL
  const auto kept = make();
  const auto v = kept.t();
#else
  const auto v = make().t();
#endif
  static_cast<void>(v);
}
