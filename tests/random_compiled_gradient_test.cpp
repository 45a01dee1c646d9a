// Random programs with their gradients: compiled kernels compute what the oracle says.
#include "support/compiled_program.hpp"

using namespace fluxion::test;

TEST_CASE("compiled random programs with gradients compute what the oracle says") { check_seeds<3, 5, 9, 14, 15, 20, 64, 71, 78, 79>(); }
