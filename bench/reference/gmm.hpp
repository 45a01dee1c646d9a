/// The log posterior of a mixture of Gaussians and its gradient by plain loops over numbers, the gradient written by hand: what Fluxion's are
/// compared with. The objective is generic, so that tapes can run it.
#pragma once
#include "../../examples/problems/gmm.hpp"

#include <cmath>
#include <cstddef>
#include <vector>

namespace reference::gmm {

using problems::gmm::constant_part, problems::gmm::Parameters, problems::gmm::Wishart;

/// log Σ exp(x), and the largest x.
template <class T>
T log_sum_exp(const T* x, std::size_t n) {
  using std::exp, std::log;
  T largest = x[0];
  for (std::size_t i = 1; i < n; ++i)
    if (x[i] > largest) largest = x[i];
  T sum = 0;
  for (std::size_t i = 0; i < n; ++i) sum += exp(x[i] - largest);
  return log(sum) + largest;
}

/// Parameters as arrays; `lower` is packed column by column.
template <class T>
struct Arrays {
  const T *alpha, *means, *log_diagonal, *lower;
};
template <std::size_t K, std::size_t D>
Arrays<double> arrays_of(const Parameters<K, D>& x) {
  return {x.alpha.data(), x.means.data(), x.log_diagonal.data(), x.lower.data()};
}

/// Memory of an evaluation, kept between calls.
template <class T>
struct Workspace {
  std::vector<T> diagonal, log_determinant, centred, turned, main;
  void prepare(std::size_t k, std::size_t d) {
    diagonal.resize(k * d);
    log_determinant.resize(k);
    centred.resize(d);
    turned.resize(k * d);
    main.resize(k);
  }
};

/// The exponents of one point's sum over components; `turned` keeps Q (x - mean) of each.
template <class T, class Memory>
void component_exponents(std::size_t k, std::size_t d, const Arrays<T>& p, const double* point, Memory& w) {
  for (std::size_t c = 0; c < k; ++c) {
    const T* lower = p.lower + c * d * (d - 1) / 2;
    T* turned = &w.turned[c * d];
    for (std::size_t i = 0; i < d; ++i) {
      w.centred[i] = point[i] - p.means[c * d + i];
      turned[i] = w.diagonal[c * d + i] * w.centred[i];
    }
    for (std::size_t i = 0; i < d; ++i)
      for (std::size_t j = i + 1; j < d; ++j) turned[j] += *lower++ * w.centred[i];
    T square = 0;
    for (std::size_t i = 0; i < d; ++i) square += turned[i] * turned[i];
    w.main[c] = p.alpha[c] + w.log_determinant[c] - 0.5 * square;
  }
}

/// In memory that is prepared: a Workspace, or a struct of pointers with the same names.
template <class T, class Memory>
T objective_in(Memory& w, std::size_t k, std::size_t d, std::size_t n, const Arrays<T>& p, const double* points, const Wishart& prior) {
  using std::exp;
  const std::size_t triangle = d * (d - 1) / 2;
  T squares = 0, determinants = 0;
  for (std::size_t c = 0; c < k; ++c) {
    w.log_determinant[c] = 0;
    for (std::size_t i = c * d; i < (c + 1) * d; ++i) {
      w.diagonal[i] = exp(p.log_diagonal[i]);
      w.log_determinant[c] += p.log_diagonal[i];
      squares += w.diagonal[i] * w.diagonal[i];
    }
    for (std::size_t i = c * triangle; i < (c + 1) * triangle; ++i) squares += p.lower[i] * p.lower[i];
    determinants += w.log_determinant[c];
  }
  T sum = 0;
  for (std::size_t i = 0; i < n; ++i) {
    component_exponents(k, d, p, points + i * d, w);
    sum += log_sum_exp<T>(&w.main[0], k);
  }
  return sum - static_cast<double>(n) * log_sum_exp(p.alpha, k) + prior.m * determinants - 0.5 * prior.gamma * prior.gamma * squares +
         constant_part(k, d, static_cast<fluxion::index_t>(n), prior);
}

template <class T>
T objective(std::size_t k, std::size_t d, std::size_t n, const Arrays<T>& p, const double* points, const Wishart& prior, Workspace<T>& w) {
  w.prepare(k, d);
  return objective_in<T>(w, k, d, n, p, points, prior);
}

/// The value; the gradient into `g`.
template <std::size_t K, std::size_t D>
double value_and_gradient(const Parameters<K, D>& x, const double* points, std::size_t n, const Wishart& prior, Workspace<double>& w,
                          Parameters<K, D>& g) {
  const Arrays<double> p = arrays_of(x);
  constexpr std::size_t triangle = D * (D - 1) / 2;
  w.prepare(K, D);
  double squares = 0, determinants = 0;
  for (std::size_t c = 0; c < K; ++c) {
    w.log_determinant[c] = 0;
    for (std::size_t i = c * D; i < (c + 1) * D; ++i) {
      w.diagonal[i] = std::exp(p.log_diagonal[i]);
      w.log_determinant[c] += p.log_diagonal[i];
      const double square = w.diagonal[i] * w.diagonal[i];
      squares += square;
      g.log_diagonal.data()[i] = prior.m - prior.gamma * prior.gamma * square;
      g.means.data()[i] = 0;
    }
    for (std::size_t i = c * triangle; i < (c + 1) * triangle; ++i) {
      squares += p.lower[i] * p.lower[i];
      g.lower[i] = -prior.gamma * prior.gamma * p.lower[i];
    }
    determinants += w.log_determinant[c];
    g.alpha.data()[c] = 0;
  }
  double sum = 0;
  for (std::size_t n_th = 0; n_th < n; ++n_th) {
    const double* point = points + n_th * D;
    component_exponents(K, D, p, point, w);
    const double log_sum = log_sum_exp(w.main.data(), K);
    sum += log_sum;
    for (std::size_t c = 0; c < K; ++c) {
      const double share = std::exp(w.main[c] - log_sum);
      const double* turned = w.turned.data() + c * D;
      const double* lower = p.lower + c * triangle;
      double* by_lower = g.lower.data() + c * triangle;
      double* by_mean = g.means.data() + c * D;
      double* by_diagonal = g.log_diagonal.data() + c * D;
      g.alpha.data()[c] += share;
      for (std::size_t i = 0; i < D; ++i) {
        const double centred = point[i] - p.means[c * D + i];
        double by_centred = w.diagonal[c * D + i] * turned[i];
        by_diagonal[i] += share * (1 - by_centred * centred);
        const double scaled = share * centred;
        for (std::size_t j = i + 1; j < D; ++j) {
          by_centred += *lower++ * turned[j];
          *by_lower++ -= scaled * turned[j];
        }
        by_mean[i] += share * by_centred;
      }
    }
  }
  const double log_sum = log_sum_exp(p.alpha, K);
  for (std::size_t c = 0; c < K; ++c) g.alpha.data()[c] -= static_cast<double>(n) * std::exp(p.alpha[c] - log_sum);
  return sum - static_cast<double>(n) * log_sum + prior.m * determinants - 0.5 * prior.gamma * prior.gamma * squares +
         constant_part(K, D, static_cast<fluxion::index_t>(n), prior);
}

}  // namespace reference::gmm
