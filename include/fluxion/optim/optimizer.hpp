/// What optimisers share: state beside a model's parameters, by their order, and a step over all of them.
#pragma once
#include "../graph/function/composition.hpp"
#include "../nn/module.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

namespace fluxion::optim {

namespace detail {

/// The parameters of a model by their order, so that several models of one type can be walked together.
template <Module M>
class ParameterList {
 public:
  explicit ParameterList(M& model) {
    int n = 0;
    fluxion::detail::walk(model, fluxion::detail::no_path{}, [&](const auto&, auto& x) {
      if constexpr (fluxion::detail::is_parameter<std::remove_cvref_t<decltype(x)>>) address_[static_cast<std::size_t>(n++)] = &x;
    });
  }
  /// Number n, which is a P.
  template <class P>
  P& get(int n) const { return *static_cast<P*>(address_[static_cast<std::size_t>(n)]); }

 private:
  std::array<void*, static_cast<std::size_t>(fluxion::detail::module_counts<M>::count.parameters + 1)> address_{};
};

/// A model's shape filled with zeros.
template <Module M>
M zeros_of(const M& model) {
  const fluxion::detail::ShapeOnlyCopies scope;
  M result = model;
  for_each_parameter(result, [](std::string_view, auto& p) { p.value() = zeros_filler{}; });
  return result;
}

/// Calls update(n, parameter, gradient tensor) for every parameter.
template <Module M, class F>
void for_each_gradient(M& model, const M& gradients, F&& update) {
  const ParameterList<M> list(const_cast<M&>(gradients));
  int n = 0;
  fluxion::detail::walk(model, fluxion::detail::no_path{}, [&](const auto&, auto& x) {
    using P = std::remove_cvref_t<decltype(x)>;
    if constexpr (fluxion::detail::is_parameter<P>) {
      update(n, x, std::as_const(list.template get<P>(n)).value());
      ++n;
    }
  });
}
/// The same with the gradients that backward() accumulated; parameters without one are left alone.
template <Module M, class F>
void for_each_accumulated_gradient(M& model, F&& update) {
  int n = 0;
  fluxion::detail::walk(model, fluxion::detail::no_path{}, [&](const auto&, auto& x) {
    if constexpr (fluxion::detail::is_parameter<std::remove_cvref_t<decltype(x)>>) {
      if (x.has_grad() && x.requires_grad()) update(n, x, std::as_const(x.grad()));
      ++n;
    }
  });
}

}  // namespace detail

/// Forgets the gradients that backward() accumulated in a model.
template <Module M>
void zero_grad(const M& model) {
  fluxion::detail::walk(model, fluxion::detail::no_path{}, [](const auto&, const auto& x) {
    if constexpr (fluxion::detail::is_parameter<std::remove_cvref_t<decltype(x)>>) x.zero_grad();
  });
}

}  // namespace fluxion::optim
