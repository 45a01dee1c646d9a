/// Stochastic gradient descent with momentum, as torch.optim.SGD.
#pragma once
#include "optimizer.hpp"

namespace fluxion::optim {

struct SGDOptions {
  double lr = 1e-3;
  double momentum = 0;
  double dampening = 0;
  double weight_decay = 0;
  bool nesterov = false;
};

namespace detail {

struct sgd_update {
  constexpr auto operator()(auto p, auto g, auto lr, auto weight_decay) const { return p - lr * (g + weight_decay * p); }
};
template <bool Nesterov>
struct momentum_update {
  constexpr auto operator()(auto p, auto g, auto v, auto lr, auto weight_decay, auto momentum, auto keep) const {
    const auto d = g + weight_decay * p;
    const auto next = momentum * v + keep * d;
    if constexpr (Nesterov) return std::tuple(p - lr * (d + momentum * next), next);
    else return std::tuple(p - lr * next, next);
  }
};

}  // namespace detail

/// p ← p - lr·g, with momentum v ← momentum·v + (1 - dampening)·g, p ← p - lr·v; g includes weight_decay·p. Nesterov: Sutskever et al. 2013.
/// Every parameter's update is one kernel. Options may be changed between steps.
template <Module M>
class SGD {
 public:
  SGDOptions options;

  explicit SGD(const M& model, const SGDOptions& given = {}) : options(given), velocity_(detail::zeros_of(model)) {}

  /// Raises ShapeError if the gradients are of another model's extents.
  void step(M& model, const M& gradients) {
    detail::ParameterList<M> velocity(velocity_);
    detail::for_each_gradient(model, gradients, [&](int n, auto& p, const auto& g) { update(n, p, g, velocity); });
    ++steps_;
  }
  /// With the gradients that backward() accumulated.
  void step(M& model) {
    detail::ParameterList<M> velocity(velocity_);
    detail::for_each_accumulated_gradient(model, [&](int n, auto& p, const auto& g) { update(n, p, g, velocity); });
    ++steps_;
  }
  void zero_grad(const M& model) const { optim::zero_grad(model); }

 private:
  template <class P>
  void update(int n, P& parameter, const typename P::tensor_type& g, const detail::ParameterList<M>& velocity) {
    auto& p = parameter.value();
    if (options.momentum == 0) {
      Compiled<detail::sgd_update>{}.into(p, p, g, options.lr, options.weight_decay);
      return;
    }
    auto& v = velocity.template get<P>(n).value();
    const double keep = steps_ == 0 ? 1 : 1 - options.dampening;
    if (options.nesterov)
      Compiled<detail::momentum_update<true>>{}.into(std::tie(p, v), p, g, v, options.lr, options.weight_decay, options.momentum, keep);
    else
      Compiled<detail::momentum_update<false>>{}.into(std::tie(p, v), p, g, v, options.lr, options.weight_decay, options.momentum, keep);
  }

  M velocity_;
  std::int64_t steps_ = 0;
};

}  // namespace fluxion::optim
