/// When an iteration ends.
#pragma once

namespace fluxion {

struct IterationLimits {
  double tolerance = 1e-12;  // on the largest change of a step
  int steps = 100;
};

}  // namespace fluxion
