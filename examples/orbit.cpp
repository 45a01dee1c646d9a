// Predators and prey over ten thousand Runge-Kutta steps: the gradient of where they end, and the start and rates that end where one wants.
#include "problems/ode.hpp"
#include "support/terminal.hpp"

#include <array>
#include <iostream>
#include <string>
#include <vector>

int main() {
  namespace ode = problems::ode;
  namespace fx = fluxion;
  constexpr fx::index_t steps = 10000;
  const example::Terminal terminal(std::cout);
  fx::LoopCounts counts;
  const ode::Gradient g = ode::gradient(steps, {fx::logarithmic_checkpoints, &counts});
  std::cout << "distance from (1, 2) after " << steps << " steps: " << g.loss << "\n  by the start       " << g.by_start[0] << "  " << g.by_start[1]
            << "\n  by the four rates  " << g.by_parameters[0] << "  " << g.by_parameters[1] << "  " << g.by_parameters[2] << "  "
            << g.by_parameters[3] << "\n  " << counts.states << " states kept, " << counts.steps << " steps computed\n\n";

  // The rates that lead to (1, 2), by gradient descent.
  ode::Parameters p = ode::parameters;
  std::vector<double> losses;
  {
    example::ProgressLine progress(terminal);
    for (int round = 0; round < 300; ++round) {
      double loss = 0;
      ode::Parameters dp{};
      fx::value_and_grad<2>(fx::iterate(ode::runge_kutta, ode::distance)).into(std::tie(loss, dp), ode::start, steps, p);
      for (std::size_t k = 0; k < 4; ++k) p[k] -= 2e-4 * dp[k];
      losses.push_back(loss);
      if (progress.is_due()) progress.show(example::bar(round / 300.0) + "  distance " + std::to_string(loss));
    }
  }
  std::cout << "fitted rates " << p[0] << "  " << p[1] << "  " << p[2] << "  " << p[3] << "\n" << example::curve(losses, 48) << "  " << losses.front() << " -> " << losses.back() << "\n\n";
  std::array<std::vector<double>, 2> path;
  auto y = ode::start;
  for (int k = 0; k < 64; ++k) {
    path[0].push_back(y[0]), path[1].push_back(y[1]);
    y = fx::iterate(ode::runge_kutta)(y, steps / 64, p);
  }
  std::cout << "prey      " << example::curve(path[0], 64) << "\npredators " << example::curve(path[1], 64) << "\n";
  return losses.back() < losses.front() ? 0 : 1;
}
