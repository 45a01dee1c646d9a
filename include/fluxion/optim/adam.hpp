/// Adam and AdamW, as torch.optim has them. Kingma and Ba 2015, arXiv:1412.6980; Loshchilov and Hutter 2019, arXiv:1711.05101.
#pragma once
#include "optimizer.hpp"

#include <cmath>
#include <cstdint>

namespace fluxion::optim {

struct AdamOptions {
  double lr = 1e-3;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double eps = 1e-8;
  double weight_decay = 0;
};
struct AdamWOptions {
  double lr = 1e-3;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double eps = 1e-8;
  double weight_decay = 1e-2;
};

namespace detail {

/// `shrink` is what is left of p before the step (AdamW), `decay` what of p is added to the gradient (Adam).
struct adam_update {
  constexpr auto operator()(auto p, auto g, auto m, auto v, auto beta1, auto rest1, auto beta2, auto rest2, auto step, auto correction, auto eps,
                            auto shrink, auto decay) const {
    const auto d = g + decay * p;
    const auto next_m = beta1 * m + rest1 * d;
    const auto next_v = beta2 * v + rest2 * (d * d);
    return std::tuple(p * shrink - step * (next_m / (sqrt(next_v) * correction + eps)), next_m, next_v);
  }
};

template <Module M, class Options, bool Decoupled>
class AdamBase {
 public:
  Options options;

  explicit AdamBase(const M& model, const Options& given) : options(given), first_(zeros_of(model)), second_(zeros_of(model)) {}

  /// Raises ShapeError if the gradients are of another model's extents.
  void step(M& model, const M& gradients) {
    ++steps_;
    const ParameterList<M> first(first_), second(second_);
    for_each_gradient(model, gradients, [&](int n, auto& p, const auto& g) { update(n, p, g, first, second); });
  }
  /// With the gradients that backward() accumulated.
  void step(M& model) {
    ++steps_;
    const ParameterList<M> first(first_), second(second_);
    for_each_accumulated_gradient(model, [&](int n, auto& p, const auto& g) { update(n, p, g, first, second); });
  }
  void zero_grad(const M& model) const { optim::zero_grad(model); }

 private:
  template <class P>
  void update(int n, P& parameter, const typename P::tensor_type& g, const ParameterList<M>& first, const ParameterList<M>& second) {
    auto& p = parameter.value();
    auto& m = first.template get<P>(n).value();
    auto& v = second.template get<P>(n).value();
    const auto t = static_cast<double>(steps_);
    const double step = options.lr / (1 - std::pow(options.beta1, t)), correction = 1 / std::sqrt(1 - std::pow(options.beta2, t));
    const double shrink = Decoupled ? 1 - options.lr * options.weight_decay : 1, decay = Decoupled ? 0 : options.weight_decay;
    Compiled<adam_update>{}.into(std::tie(p, m, v), p, g, m, v, options.beta1, 1 - options.beta1, options.beta2, 1 - options.beta2, step, correction,
                                 options.eps, shrink, decay);
  }

  M first_, second_;
  std::int64_t steps_ = 0;
};

}  // namespace detail

/// m ← β₁m + (1 - β₁)g, v ← β₂v + (1 - β₂)g², p ← p - lr·m̂ / (√v̂ + eps); g includes weight_decay·p. Every parameter's update is one kernel.
/// Options may be changed between steps.
template <Module M>
class Adam : public detail::AdamBase<M, AdamOptions, false> {
 public:
  explicit Adam(const M& model, const AdamOptions& given = {}) : detail::AdamBase<M, AdamOptions, false>(model, given) {}
};

/// Adam with the decay p ← (1 - lr·weight_decay)·p taken before the step instead of through the gradient.
template <Module M>
class AdamW : public detail::AdamBase<M, AdamWOptions, true> {
 public:
  explicit AdamW(const M& model, const AdamWOptions& given = {}) : detail::AdamBase<M, AdamWOptions, true>(model, given) {}
};

}  // namespace fluxion::optim
