/// Gradients that Enzyme makes of the plain loops beside this file; enzyme.cpp is compiled by clang with Enzyme's plugin. It is a shared library, so
/// that no other benchmark takes functions from it that clang has compiled.
#pragma once
#include "ba.hpp"
#include "gmm.hpp"
#include "scalar.hpp"

#include <array>

#pragma GCC visibility push(default)
namespace reference::enzyme {

/// Gradients are written, values returned.
double determinant(const double* m, double* gradient);
double valley(const double* x, double* gradient);

/// The gradient is four arrays, as the parameters are. `shadow` is a workspace prepared as `workspace` is, of zeros.
double gmm_objective(std::size_t k, std::size_t d, std::size_t n, const gmm::Arrays<double>& x, const double* points, const gmm::Wishart& prior,
                     gmm::Workspace<double>& workspace, gmm::Workspace<double>& shadow, double* const (&gradient)[4]);

/// The two rows of the Jacobian of one observation, 15 elements each.
void ba_rows(const std::array<double, ba::block_size>& parameters, const std::array<double, 2>& feature, double* row);

}  // namespace reference::enzyme
#pragma GCC visibility pop
