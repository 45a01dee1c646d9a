// Compiled by clang with Enzyme's plugin, whatever compiles the rest.
#include "enzyme.hpp"

#include <algorithm>

// What the plugin looks for: a function with this in its name is replaced by the derivative of its first argument, and these tell of each other argument
// whether it is constant, or followed by where its derivative is.
int enzyme_const, enzyme_dup;
template <class... X>
void __enzyme_autodiff(void*, X...);

namespace reference::enzyme {
namespace {

void determinant_into(const double* m, double* y) { *y = scalar::determinant(m, scalar::order, scalar::all_columns); }
void valley_into(const double* x, double* y) { *y = scalar::valley(x); }

/// Pointers that the compiler knows to be of different memory, so that less has to be kept.
struct Memory {
  double *__restrict diagonal, *__restrict log_determinant, *__restrict centred, *__restrict turned, *__restrict main;
};
void gmm_into(const double* __restrict alpha, const double* __restrict means, const double* __restrict log_diagonal, const double* __restrict lower,
              double* __restrict diagonal, double* __restrict log_determinant, double* __restrict centred, double* __restrict turned,
              double* __restrict main, std::size_t k, std::size_t d, std::size_t n, const double* __restrict points, const gmm::Wishart* prior,
              double* __restrict y) {
  Memory memory{diagonal, log_determinant, centred, turned, main};
  *y = gmm::objective_in<double>(memory, k, d, n, {alpha, means, log_diagonal, lower}, points, *prior);
}

void residual_into(const std::array<double, ba::block_size>* parameters, const double* feature, double* r) {
  const std::array<double, 2> both = ba::residual(*parameters, feature[0], feature[1]);
  r[0] = both[0];
  r[1] = both[1];
}

template <class F>
void* address(F* function) { return reinterpret_cast<void*>(function); }

}  // namespace

double determinant(const double* m, double* gradient) {
  double y, seed = 1;
  std::fill_n(gradient, scalar::order * scalar::order, 0.0);
  __enzyme_autodiff(address(determinant_into), enzyme_dup, m, gradient, enzyme_dup, &y, &seed);
  return y;
}

double valley(const double* x, double* gradient) {
  double y, seed = 1;
  std::fill_n(gradient, scalar::variables, 0.0);
  __enzyme_autodiff(address(valley_into), enzyme_dup, x, gradient, enzyme_dup, &y, &seed);
  return y;
}

double gmm_objective(std::size_t k, std::size_t d, std::size_t n, const gmm::Arrays<double>& x, const double* points, const gmm::Wishart& prior,
                     gmm::Workspace<double>& w, gmm::Workspace<double>& dw, double* const (&gradient)[4]) {
  double y, seed = 1;
  const std::size_t sizes[] = {k, k * d, k * d, k * d * (d - 1) / 2};
  for (int i = 0; i < 4; ++i) std::fill_n(gradient[i], sizes[i], 0.0);
  __enzyme_autodiff(address(gmm_into), enzyme_dup, x.alpha, gradient[0], enzyme_dup, x.means, gradient[1], enzyme_dup, x.log_diagonal, gradient[2],
                    enzyme_dup, x.lower, gradient[3], enzyme_dup, w.diagonal.data(), dw.diagonal.data(), enzyme_dup, w.log_determinant.data(),
                    dw.log_determinant.data(), enzyme_dup, w.centred.data(), dw.centred.data(), enzyme_dup, w.turned.data(), dw.turned.data(), enzyme_dup,
                    w.main.data(), dw.main.data(), enzyme_const, k, enzyme_const, d, enzyme_const, n, enzyme_const,
                    points, enzyme_const, &prior, enzyme_dup, &y, &seed);
  return y;
}

void ba_rows(const std::array<double, ba::block_size>& parameters, const std::array<double, 2>& feature, double* row) {
  for (int i = 0; i < 2; ++i) {
    double r[2], seed[2] = {i == 0 ? 1.0 : 0.0, i == 1 ? 1.0 : 0.0};
    double* const by = row + i * static_cast<int>(ba::block_size);
    std::fill_n(by, ba::block_size, 0.0);
    __enzyme_autodiff(address(residual_into), enzyme_dup, &parameters, by, enzyme_const, feature.data(), enzyme_dup, r, seed);
  }
}

}  // namespace reference::enzyme
