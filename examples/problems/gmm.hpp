/// A mixture of Gaussians with a Wishart prior on the precisions: the log posterior of its parameters and its gradient, as GradBench defines them.
///
/// Tool: `value_and_grad` of tensor code, in two stages. What all points need of the parameters is computed once; the points enter in blocks whose
/// intermediate values stay in the cache. Likelihoods of blocks add up, and so do their derivatives by the first stage, which are its adjoints.
#pragma once
#include <fluxion/autodiff/transform.hpp>
#include <fluxion/tensor/compound_assignment.hpp>
#include <fluxion/tensor/interop.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numbers>
#include <tuple>
#include <vector>

namespace problems::gmm {

namespace fx = fluxion;

// ---- the log posterior, as functions of tensors -------------------------------------------------------------------------------

/// What every point needs of the parameters, and the log density of a Wishart distribution at the precisions but for a constant. The precision of
/// component k is Qᵀ Q. Q has the exponentials of `log_diagonal` [k, d] on its diagonal and `lower` [k, d, d], which is 0 from the diagonal on, below
/// it. `identity` is [d, d]. Returns Q, Q mean [k, d, 1], log softmax(alpha) + log det Q [k, 1], log density.
inline constexpr auto prepare = [](const auto& alpha, const auto& means, const auto& log_diagonal, const auto& lower, const auto& identity, const auto& gamma,
                                   const auto& m) {
  const auto q = lower + identity * fx::unsqueeze<1>(fx::exp(log_diagonal));
  const auto q_means = fx::sum(q * fx::unsqueeze<1>(means), fx::axis<-1>, fx::keepdim);
  const auto weight = fx::log_softmax(alpha, fx::axis<0>) + fx::sum(log_diagonal, fx::axis<1>);
  const auto density = fx::sum(log_diagonal) * m - 0.5 * fx::sum(q * q) * gamma * gamma;
  return std::make_tuple(q, q_means, fx::unsqueeze<1>(weight), density);
};

/// The log likelihood of `points` [n, d] but for a constant: Σᵢ log Σₖ exp(weightₖ - ‖Qₖ xᵢ - Qₖ meanₖ‖² / 2).
template <fx::index_t K, fx::index_t D>
inline constexpr auto log_likelihood = [](const auto& q, const auto& q_means, const auto& weight, const auto& points) {
  const auto q_points = fx::reshape<K, D, -1>(fx::matmul(fx::flatten<0, 1>(q), fx::transpose<0, 1>(points)));
  const auto distance = q_points - q_means;  // [k, d, n]: what is summed lies across the packets, not along them
  return fx::sum(fx::logsumexp(weight - 0.5 * fx::sum(distance * distance, fx::axis<1>), fx::axis<0>));
};

/// What has the gradient of the log posterior by the parameters, given the likelihood's derivatives by what `prepare` returns.
inline constexpr auto pulled_back = [](const auto& alpha, const auto& means, const auto& log_diagonal, const auto& lower, const auto& identity, const auto& gamma,
                                       const auto& m, const auto& by_q, const auto& by_q_means, const auto& by_weight) {
  const auto [q, q_means, weight, density] = prepare(alpha, means, log_diagonal, lower, identity, gamma, m);
  return fx::sum(q * by_q) + fx::sum(q_means * by_q_means) + fx::sum(weight * by_weight) + density;
};

// ---- the problem ---------------------------------------------------------------------------------------------------------------

struct Wishart {
  double gamma = 1;  // the precision
  int m = 0;         // degrees of freedom beyond d + 1
};

/// What is differentiated, and what a gradient is: as GradBench has them, with the matrices' lower triangles packed column by column.
template <std::size_t K, std::size_t D>
struct Parameters {
  static constexpr std::size_t triangle = D * (D - 1) / 2;
  fx::Tensor<double, fx::extents<K>> alpha;
  fx::Tensor<double, fx::extents<K, D>> means, log_diagonal;
  std::vector<double> lower = std::vector<double>(K * triangle);
};

/// The part of the log posterior that does not depend on parameters.
inline double constant_part(std::size_t k, std::size_t d, fx::index_t n, const Wishart& prior) {
  const auto dimension = static_cast<double>(d), freedom = dimension + prior.m + 1;
  double log_gamma = dimension * (dimension - 1) / 4 * std::log(std::numbers::pi);
  for (std::size_t j = 0; j < d; ++j) log_gamma += std::lgamma((freedom - static_cast<double>(j)) / 2);
  const double wishart = freedom * dimension * (std::log(prior.gamma) - 0.5 * std::log(2.0)) - log_gamma;
  return static_cast<double>(k) * wishart - 0.5 * static_cast<double>(n) * dimension * std::log(2 * std::numbers::pi);
}

/// Evaluates the log posterior of points, and its gradient. Keeps its memory between calls.
template <std::size_t K, std::size_t D>
class Posterior {
 public:
  using Points = fx::Tensor<double, fx::extents<fx::dynamic_extent, D>>;
  /// Points that are evaluated together: 96 of them take 0.2 MB of intermediate values for k = 25 and d = 10, 0.6 MB for d = 32.
  static constexpr fx::index_t block = 96;

  Posterior(const Points& points, const Wishart& prior) : points_(points), prior_(prior) {
    for (std::size_t i = 0; i < D; ++i)
      for (std::size_t j = 0; j < D; ++j) identity_(i, j) = i == j ? 1 : 0;
    lower_.fill(0);
  }

  /// The log posterior of the parameters.
  double value(const Parameters<K, D>& x) {
    double sum = prepare_for(x);
    for (fx::index_t begin = 0; begin < points_.extent(0); begin += block) {
      likelihood_.into(one_value_, q_, q_means_, weight_, points_from(begin));
      sum += one_value_.item();
    }
    return sum;
  }

  /// The log posterior, and its gradient into `gradient`.
  double value_and_gradient(const Parameters<K, D>& x, Parameters<K, D>& gradient) {
    double sum = prepare_for(x);
    by_q_.fill(0), by_q_means_.fill(0), by_weight_.fill(0);
    for (fx::index_t begin = 0; begin < points_.extent(0); begin += block) {
      auto results = std::tie(one_value_, q_part_, q_means_part_, weight_part_);
      likelihood_gradient_.into(results, q_, q_means_, weight_, points_from(begin));
      sum += one_value_.item();
      by_q_ += q_part_;
      by_q_means_ += q_means_part_;
      by_weight_ += weight_part_;
    }
    auto results = std::tie(gradient.alpha, gradient.means, gradient.log_diagonal, lower_gradient_);
    gradient_.into(results, x.alpha, x.means, x.log_diagonal, lower_, identity_, prior_.gamma, static_cast<double>(prior_.m), by_q_, by_q_means_, by_weight_);
    pack(gradient.lower);
    return sum;
  }

 private:
  static constexpr auto prepare_ = fx::compile(prepare);
  static constexpr auto likelihood_ = fx::compile(log_likelihood<K, D>);
  static constexpr auto likelihood_gradient_ = fx::value_and_grad<0, 1, 2>(log_likelihood<K, D>);
  static constexpr auto gradient_ = fx::grad<0, 1, 2, 3>(pulled_back);

  /// Computes what the points need; what does not depend on them is returned.
  double prepare_for(const Parameters<K, D>& x) {
    unpack(x.lower);
    auto results = std::tie(q_, q_means_, weight_, one_value_);
    prepare_.into(results, x.alpha, x.means, x.log_diagonal, lower_, identity_, prior_.gamma, static_cast<double>(prior_.m));
    return one_value_.item() + constant_part(K, D, points_.extent(0), prior_);
  }
  auto points_from(fx::index_t begin) const {
    const fx::index_t count = std::min(block, points_.extent(0) - begin);
    return fx::borrow(points_.data() + begin * static_cast<fx::index_t>(D), fx::extents<fx::dynamic_extent, D>(count, static_cast<fx::index_t>(D)));
  }
  /// Calls f(packed, row-major element) for every element of the lower triangles, in the order in which they are packed.
  template <class F>
  static void each_lower(const F& f) {
    std::size_t packed = 0;
    for (std::size_t k = 0; k < K; ++k)
      for (std::size_t column = 0; column < D; ++column)
        for (std::size_t row = column + 1; row < D; ++row) f(packed++, (k * D + row) * D + column);
  }
  void unpack(const std::vector<double>& lower) {
    each_lower([&](std::size_t packed, std::size_t element) { lower_.data()[element] = lower[packed]; });
  }
  void pack(std::vector<double>& lower) const {
    each_lower([&](std::size_t packed, std::size_t element) { lower[packed] = lower_gradient_.data()[element]; });
  }

  const Points& points_;
  Wishart prior_;
  fx::Tensor<double, fx::extents<D, D>> identity_;
  fx::Tensor<double, fx::extents<K, D, D>> lower_, lower_gradient_, q_, q_part_, by_q_;
  fx::Tensor<double, fx::extents<K, D, 1>> q_means_, q_means_part_, by_q_means_;
  fx::Tensor<double, fx::extents<K, 1>> weight_, weight_part_, by_weight_;
  fx::Tensor<double, fx::extents<>> one_value_;
};

}  // namespace problems::gmm
