// A damped oscillation found in noisy measurements by Gauss and Newton's method; the Jacobian is that of dual numbers.
#include "problems/fit.hpp"
#include "support/terminal.hpp"

#include <iostream>
#include <vector>

int main() {
  namespace fit = problems::fit;
  const fit::Parameters truth{2, 0.3, 4, 0.5, 2.5};
  const fit::Data data = fit::measure(truth, 200);
  fit::Parameters p{1.5, 0.5, 3.8, 0.8, 2};
  const auto picture = [](const std::vector<double>& values) { return example::curve(values, 64); };
  const auto fitted = [&] {
    std::vector<double> values;
    for (const double t : data.time) values.push_back(fit::model(p, t));
    return picture(values);
  };
  std::cout << "measured  " << picture(data.value) << "\nguess     " << fitted() << "\n\n";
  double error = 0;
  for (int step = 1; step <= 8; ++step) {
    error = fit::improve(data, p);
    std::cout << "step " << step << "    " << fitted() << "  half the squared error before it: " << error << "\n";
  }
  std::cout << "\namplitude " << p[0] << ", damping " << p[1] << ", frequency " << p[2] << ", phase " << p[3] << ", offset " << p[4] << "\n";
  return error < 0.01 ? 0 : 1;
}
