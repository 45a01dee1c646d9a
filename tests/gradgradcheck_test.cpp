// gradgradcheck: derivatives of derivatives against differences.
#include <doctest/doctest.h>

#include <fluxion/autodiff/gradcheck.hpp>

#include "support/checked_functions.hpp"

namespace fx = fluxion;
using namespace fx::test;

namespace {

/// v³, whose first derivative is right and whose second is not.
constexpr auto wrong_by_two = [](auto v) { return fx::detach(3 * v * v) * v - fx::detach(2 * v * v * v); };

}  // namespace

TEST_CASE("gradgradcheck finds what gradcheck cannot") {
  CHECK(fx::gradcheck(wrong_by_two, x));
  const auto r = fx::gradgradcheck(wrong_by_two, x);
  CHECK(!r);
  CHECK(r.message.find("forward mode: the derivative of result 0 [0] by input 0 [0] is 0, the difference ") == 0);
  CHECK(fx::gradgradcheck([](auto v) { return v * v * v; }, x));
}

TEST_CASE("second derivatives of a function of several values and arguments pass") {
  CHECK(fx::gradgradcheck(network, w, x));
}

TEST_CASE("second derivatives by the parameters of a model pass") {
  fx::nn::manual_seed(3);
  const Layer model;
  CHECK(fx::gradgradcheck(on_model, model, x));
}
