// expect: extents: rank is above fluxion::max_rank
#include <fluxion/core/extents.hpp>

#ifdef FLUXION_CONTROL
fluxion::extents<1, 2, 3, 4, 5, 6, 7, 8> shape;
#else
fluxion::extents<1, 2, 3, 4, 5, 6, 7, 8, 9> shape;
#endif
