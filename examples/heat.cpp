// How a rod was heated long ago, found from how warm it is now: gradients through a thousand time steps, with twenty states in memory.
#include "problems/heat.hpp"
#include "support/terminal.hpp"

#include <algorithm>
#include <iostream>
#include <span>
#include <string>

int main() {
  namespace heat = problems::heat;
  namespace fx = fluxion;
  constexpr fx::index_t steps = 1000;
  constexpr int rounds = 400;
  constexpr double k = 0.03;
  const example::Terminal terminal(std::cout);
  const heat::Rod truth = heat::warm_places(), measured = heat::after(truth, steps, k);
  const auto picture = [](const heat::Rod& rod) {
    std::array<double, heat::points> warm;
    for (std::size_t i = 0; i < warm.size(); ++i) warm[i] = std::max(0.0, rod.data()[i]);
    return example::curve(warm, 64);
  };
  std::cout << "a rod of " << heat::points << " points, " << steps << " steps of the heat equation\n\n";
  std::cout << "then      " << picture(truth) << "\nnow       " << picture(measured) << "\n\n";

  heat::Rod guess;
  fx::LoopCounts counts;
  double first = 0, last = 0;
  {
    example::ProgressLine progress(terminal);
    for (int round = 0; round < rounds; ++round) {
      last = heat::descend(guess, steps, k, measured, {fx::checkpoints(20), &counts});
      if (round == 0) first = last;
      if (progress.is_due())
        progress.show(example::bar(static_cast<double>(round) / rounds) + "  " + picture(guess) + "  misfit " + std::to_string(last));
    }
  }
  std::cout << "recovered " << picture(guess) << "\n\n";
  std::cout << "misfit " << first << " -> " << last << " in " << rounds << " gradients; each keeps " << counts.states << " states ("
            << counts.bytes / 1024 << " kB) and computes " << counts.steps << " steps for " << steps << "\n";
  return last < 1e-4 * first ? 0 : 1;
}
