/// A user's program: the library's headers and Eigen's are found, and nothing else is needed.
#include <fluxion/core/config.hpp>
#include <fluxion/core/extents.hpp>

#include <Eigen/Core>

int main() {
  const fluxion::extents<2, fluxion::dynamic_extent> shape(2, 3);
  const Eigen::VectorXf ones = Eigen::VectorXf::Ones(shape.size());
  return ones.sum() == 6.f && FLUXION_VERSION_MAJOR == 0 ? 0 : 1;
}
