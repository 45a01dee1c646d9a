// Fits a curve and trains a classifier, on a microcontroller or on the host: the numbers are the same, and nothing allocates memory.
#include "classifier_step.hpp"
#include "least_squares.hpp"
#include "output.hpp"

int main() {
  fluxion::set_error_handler([](const char* message) {
    embedded::write_text(message);
    embedded::write_text("\n");
    embedded::finish();
  });

  const auto parameter = embedded::fit_cooling_curve();
  embedded::write("fit a", parameter[0]);
  embedded::write("fit b", parameter[1]);
  embedded::write("fit c", parameter[2]);

  embedded::prepare();
  for (int step = 0; step < 5; ++step) embedded::write("loss", embedded::train_step(0.5f));
  embedded::write("weight", embedded::model.w1(63, 31));
  embedded::finish();
}
