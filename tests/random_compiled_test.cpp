// Random programs: compiled kernels compute what the oracle says.
// matrix
#include "support/compiled_program.hpp"

using namespace fluxion::test;

TEST_CASE("compiled random programs compute what the oracle says") { check_seeds<18, 27, 31, 33, 34, 36, 38, 40, 47, 52>(); }
