// expect: an argument of a traced function is a tensor, a view, an expression, a number or a model; a struct of tensors is a model if it has parameters for them, and a forward
#include <fluxion/autodiff/transform.hpp>

namespace fx = fluxion;

using Vector = fx::Tensor<double, fx::extents<2>>;
struct Pair {
  Vector a, b;
};
#ifdef FLUXION_CONTROL
constexpr auto f = [](auto a) { return fx::sum(a); };
const auto& argument(const Pair& p) { return p.a; }
#else
constexpr auto f = [](auto p) { return fx::sum(p.a); };
const auto& argument(const Pair& p) { return p; }
#endif

void g(const Pair& p) {
  const auto y = fx::grad(f)(argument(p));
  static_cast<void>(y);
}
