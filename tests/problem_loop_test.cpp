// The problems with loops in them: gradients against derivatives written by hand and duals, and that they find what they look for.
#include <doctest/doctest.h>

#include "../examples/problems/fit.hpp"
#include "../examples/problems/heat.hpp"
#include "../examples/problems/ode.hpp"

#include <cmath>

namespace fx = fluxion;

TEST_CASE("heat: the gradient through 1000 steps is the one written by hand, whatever is kept") {
  using namespace problems::heat;
  const Rod truth = warm_places(), measured = after(truth, 1000, 0.4);
  Rod guess, expected, found;
  for (fx::index_t i = 0; i < points; ++i) guess.data()[i] = std::sin(0.1 * static_cast<double>(i));
  const double loss = gradient_by_hand(guess, 1000, 0.4, measured, expected);
  for (const fx::Checkpoints& memory : {fx::keep_all, fx::checkpoints(20)}) {
    fx::LoopCounts counts;
    CHECK(gradient(guess, 1000, 0.4, measured, found, {memory, &counts}) == doctest::Approx(loss).epsilon(1e-12));
    double worst = 0;
    for (fx::index_t i = 0; i < points; ++i) worst = std::max(worst, std::abs(found(i) - expected(i)));
    CHECK(worst < 1e-12);
    CHECK(counts.states == memory.states(1000));
  }
}

TEST_CASE("heat: gradients through 1000 steps with 20 states in memory recover what the measurement can tell of the start") {
  using namespace problems::heat;
  const Rod truth = warm_places(), measured = after(truth, 1000, 0.4);
  Rod guess, du;
  const double first = gradient(guess, 1000, 0.4, measured, du, {fx::checkpoints(20)});
  double last = first;
  for (int i = 0; i < 100; ++i) last = descend(guess, 1000, 0.4, measured, {fx::checkpoints(20)});
  CHECK(last < 1e-4 * first);
}

TEST_CASE("ode: the gradient of 10000 Runge-Kutta steps is that of duals and that written by hand") {
  using namespace problems::ode;
  const Gradient expected = gradient_by_duals(10000), by_hand = gradient_by_hand(10000);
  for (const fx::Checkpoints& memory : {fx::keep_all, fx::logarithmic_checkpoints}) {
    const Gradient found = gradient(10000, {memory});
    CHECK(found.loss == doctest::Approx(expected.loss).epsilon(1e-10));
    for (std::size_t k = 0; k < 2; ++k) {
      CHECK(found.by_start[k] == doctest::Approx(expected.by_start[k]).epsilon(1e-9));
      CHECK(by_hand.by_start[k] == doctest::Approx(expected.by_start[k]).epsilon(1e-9));
    }
    for (std::size_t k = 0; k < 4; ++k) {
      CHECK(found.by_parameters[k] == doctest::Approx(expected.by_parameters[k]).epsilon(1e-9));
      CHECK(by_hand.by_parameters[k] == doctest::Approx(expected.by_parameters[k]).epsilon(1e-9));
    }
  }
}

TEST_CASE("fit: Gauss and Newton with a Jacobian from duals find the parameters in six steps, and the Jacobian is the one written by hand") {
  using namespace problems::fit;
  const Parameters truth{2, 0.3, 4, 0.5, 0.1};
  const Data data = measure(truth, 200);
  Parameters p{1.5, 0.5, 3.8, 0.8, 0};
  Eigen::Matrix<double, 5, 5> a, a_by_hand;
  Eigen::Matrix<double, 5, 1> b, b_by_hand;
  CHECK(normal_equations(data, p, a, b) == doctest::Approx(normal_equations_by_hand(data, p, a_by_hand, b_by_hand)).epsilon(1e-13));
  CHECK((a - a_by_hand).norm() < 1e-10 * a.norm());
  CHECK((b - b_by_hand).norm() < 1e-10 * b.norm());
  for (int i = 0; i < 6; ++i) improve(data, p);
  for (std::size_t k = 0; k < 5; ++k) CHECK(std::abs(p[k] - truth[k]) < 0.01);
}
