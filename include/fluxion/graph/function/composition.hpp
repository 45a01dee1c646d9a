/// What networks are made of, as plain compositions: nothing here has a kernel or a derivative of its own.
#pragma once
#include "reduction.hpp"
#include "view.hpp"

namespace fluxion {

namespace graph {

template <class A>
struct softmax_function {
  static constexpr std::string_view name = "softmax";
  static constexpr Symbol trace(const Symbol& x) {
    unsigned mask = 0;
    if (!mask_of<A>(x, opcode_of<operation::amax>, mask)) return x;
    // The shift cancels in value and derivative.
    const Symbol e = exp(x - detach(x.reduce<operation::amax>(mask, true)));
    // One division a row: dividing every element would take longer than its exponential.
    return e * (1 / e.template reduce<operation::sum>(mask, true));
  }
};

template <class A>
struct log_softmax_function {
  static constexpr std::string_view name = "log_softmax";
  static constexpr Symbol trace(const Symbol& x) {
    unsigned mask = 0;
    if (!mask_of<A>(x, opcode_of<operation::amax>, mask)) return x;
    const Symbol shifted = x - detach(x.reduce<operation::amax>(mask, true));
    return shifted - log(exp(shifted).template reduce<operation::sum>(mask, true));
  }
};

struct cross_entropy_function {
  static constexpr std::string_view name = "cross_entropy";
  static constexpr Symbol trace(const Symbol& logits, const Symbol& target) {
    program& p = logits.program();
    if (logits.rank() < 1) return logits.at(p.fail(program_error::rank_too_low, opcode_of<operation::amax>, logits.shape(), target.shape()));
    const unsigned mask = 1u << (logits.rank() - 1);
    const Symbol shifted = logits - detach(logits.template reduce<operation::amax>(mask, true));
    const Symbol normaliser = log(exp(shifted).template reduce<operation::sum>(mask, true));
    if (is_floating(target.type())) {  // probabilities
      const Symbol loss = target * (normaliser - shifted);
      return loss.template reduce<operation::sum>(mask, true).template reduce<operation::mean>(all_axes(logits.rank()), false);
    }
    // Class indices: the entry of the target's class is picked by comparing with the position along the last axis.
    if (target.rank() != logits.rank() - 1)
      return logits.at(p.fail(program_error::shapes_do_not_broadcast, opcode_of<operation::equal>, logits.shape(), target.shape()));
    const Symbol label = unsqueeze_function<-1>::trace(target);
    // Through float64, which has packets where int64 has none and loses no label that could name a class.
    const Symbol wide = label.cast(element_type::float64);
    const Symbol position = logits.at(record_iota(p, logits.shape(), logits.rank() - 1, element_type::int32));
    const Symbol picked = where(position == wide.cast(element_type::int32), shifted, 0).template reduce<operation::sum>(mask, true);
    // A label that names no class would pick nothing and pass for a large loss. Compared before it is narrowed to the positions' type.
    const Symbol classes = wide.at(record_count(p, logits.shape(), mask, element_type::float64));
    const Symbol loss = where(logical_and(wide >= 0, wide < classes), normaliser - picked, std::numeric_limits<double>::quiet_NaN());
    return loss.template reduce<operation::mean>(all_axes(logits.rank()), false);
  }
};

struct mse_loss_function {
  static constexpr std::string_view name = "mse_loss";
  static constexpr Symbol trace(const Symbol& x, const Symbol& target) {
    const Symbol difference = x - target;
    return (difference * difference).template reduce<operation::mean>(all_axes(difference.rank()), false);
  }
};

struct layer_norm_function {
  static constexpr std::string_view name = "layer_norm";
  static constexpr Symbol trace(const Symbol& x, const Symbol& weight, const Symbol& bias, const Symbol& eps) {
    const unsigned mask = 1u << (x.rank() - 1);
    const Symbol centred = x - x.reduce<operation::mean>(mask, true);
    const Symbol variance = (centred * centred).template reduce<operation::mean>(mask, true);
    return centred * rsqrt(variance + eps) * weight + bias;
  }
};

struct gelu_function {
  static constexpr std::string_view name = "gelu";
  static constexpr Symbol trace(const Symbol& x) { return x * 0.5 * (1 + erf(x * 0.70710678118654752440)); }
};

struct dropout_function {
  static constexpr std::string_view name = "dropout";
  static constexpr Symbol trace(const Symbol& x, const Symbol& probability, const Symbol& key, const Symbol& offset) {
    const Symbol keep = x.at(record_uniform(x.program(), key.index(), offset.index(), x.shape(), x.type())) >= probability;
    return where(keep, x / (1 - probability), 0);
  }
};

}  // namespace graph

inline namespace FLUXION_ABI {

/// exp(x) / sum(exp(x)) along axes.
template <Tensorial X, int... I>
constexpr auto softmax(X&& x, axes_t<I...>) { return call<graph::softmax_function<axes_t<I...>>>(std::forward<X>(x)); }
/// log(softmax(x)), computed without cancellation.
template <Tensorial X, int... I>
constexpr auto log_softmax(X&& x, axes_t<I...>) { return call<graph::log_softmax_function<axes_t<I...>>>(std::forward<X>(x)); }
/// Mean cross-entropy of logits [..., classes] against class indices [...] or probabilities [..., classes]. NaN if an index is negative or
/// not below the number of classes.
template <Tensorial X, Tensorial Y>
constexpr auto cross_entropy(X&& logits, Y&& target) { return call<graph::cross_entropy_function>(std::forward<X>(logits), std::forward<Y>(target)); }
/// Mean of the squared differences.
template <Tensorial X, Tensorial Y>
constexpr auto mse_loss(X&& x, Y&& target) { return call<graph::mse_loss_function>(std::forward<X>(x), std::forward<Y>(target)); }
/// (x - mean) / sqrt(variance + eps) * weight + bias along the last axis. Ba, Kiros and Hinton 2016, arXiv:1607.06450.
template <Tensorial X, Operand W, Operand B, Operand E = double>
constexpr auto layer_norm(const X& x, const W& weight, const B& bias, const E& eps = 1e-5) {
  return call<graph::layer_norm_function>(x, weight, bias, eps);
}
/// x Φ(x), exactly (by erf). Hendrycks and Gimpel 2016, arXiv:1606.08415.
template <Tensorial X>
constexpr auto gelu(X&& x) { return call<graph::gelu_function>(std::forward<X>(x)); }

}  // namespace FLUXION_ABI
}  // namespace fluxion
