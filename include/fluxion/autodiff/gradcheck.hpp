/// Derivatives checked by differences: `gradcheck` and `gradgradcheck`, as torch.autograd has them, with a report that says where they differ.
#pragma once
#include "dual.hpp"
#include "gradient_checker.hpp"

namespace fluxion {

/// Compares the derivatives of f at a point, by forward and by reverse mode, with central differences for every element of the arguments of
/// double: tensors, views, the parameters of models. Other arguments stand still. `if (auto r = gradcheck(f, x); !r) std::puts(r.message.c_str());`.
/// O(inputs + results) calls of f.
template <class F, class... X>
GradcheckResult gradcheck(const GradcheckOptions& options, const F&, const X&... x) {
  constexpr bool without_captures = std::is_empty_v<F> && std::is_default_constructible_v<F>;
  static_assert(without_captures, "gradcheck wants a function without captures; pass what it captures as an argument");
  if constexpr (!without_captures) return {};
  else return detail::check_gradients<typename detail::traced_function<F>::type>(options, detail::own_copy(x)...);
}
template <class F, class... X>
  requires(!std::is_same_v<F, GradcheckOptions>)
GradcheckResult gradcheck(const F& f, const X&... x) {
  return gradcheck(GradcheckOptions{}, f, x...);
}

/// The same for second derivatives: checks the products of f's Jacobians with cotangents, as functions of the arguments and the cotangents.
template <class F, class... X>
GradcheckResult gradgradcheck(const GradcheckOptions& options, const F&, const X&... x) {
  constexpr bool without_captures = std::is_empty_v<F> && std::is_default_constructible_v<F>;
  static_assert(without_captures, "gradgradcheck wants a function without captures; pass what it captures as an argument");
  if constexpr (!without_captures) return {};
  else return detail::check_second_derivatives<typename detail::traced_function<F>::type>(options, detail::own_copy(x)...);
}
template <class F, class... X>
  requires(!std::is_same_v<F, GradcheckOptions>)
GradcheckResult gradgradcheck(const F& f, const X&... x) {
  return gradgradcheck(GradcheckOptions{}, f, x...);
}

/// `gradcheck` for a function of scalars, by dual numbers: f is called with a `std::array`, and returns a number or an array. It may have captures.
template <class F, std::size_t N>
GradcheckResult gradcheck(const GradcheckOptions& options, const F& f, const std::array<double, N>& x) {
  detail::gradient_checker check(options);
  detail::checked_values input, output;
  input.extents = {static_cast<index_t>(N)};
  const auto compare = [&](const auto& derivatives, std::size_t results) {
    output.extents = {static_cast<index_t>(results)};
    for (std::size_t j = 0; j < N; ++j) {
      auto above = x, below = x;
      above[j] += options.eps;
      below[j] -= options.eps;
      const std::vector<double> a = detail::numbers_of(f(above)), b = detail::numbers_of(f(below));
      for (std::size_t i = 0; i < results; ++i)
        check.compare("dual numbers", output, 0, static_cast<index_t>(i), input, 0, static_cast<index_t>(j), derivatives(i, j), (a[i] - b[i]) / (2 * options.eps));
    }
  };
  using result = std::remove_cvref_t<decltype(f(x))>;
  if constexpr (detail::is_tuple_like<result>) {
    const auto j = forward::jacobian(f, x).jacobian;
    compare([&](std::size_t i, std::size_t k) { return j[i][k]; }, std::tuple_size_v<result>);
  } else {
    const auto g = forward::gradient(f, x).gradient;
    compare([&](std::size_t, std::size_t k) { return g[k]; }, 1);
  }
  return check.result;
}

/// `gradcheck` for a loss that the tape records: compares what `loss().backward()` adds to the gradients of some parameters of double.
template <class Loss, class... P>
  requires requires(const Loss& loss) { loss().backward(); }
GradcheckResult gradcheck(const GradcheckOptions& options, const Loss& loss, P&... parameters) {
  detail::gradient_checker check(options);
  const auto former = std::make_tuple(parameters.grad()...);
  (parameters.grad().fill(0.0), ...);
  loss().backward();
  const auto found = std::make_tuple(parameters.grad()...);
  std::tie(parameters.grad()...) = former;
  std::size_t argument = 0;
  const auto compare = [&](auto& parameter, const auto& gradient) {
    detail::checked_values input;
    const auto extents = parameter.extents().to_array();
    input.extents.assign(extents.begin(), extents.end());
    for (index_t j = 0; j < parameter.size(); ++j) {
      const double old = parameter.data()[j];
      const auto at = [&](double moved) {
        parameter.data()[j] = moved;
        return static_cast<double>(loss().item());
      };
      const double above = at(old + options.eps), below = at(old - options.eps);
      parameter.data()[j] = old;
      check.compare("backward", {}, 0, 0, input, argument, j, gradient.data()[j], (above - below) / (2 * options.eps));
    }
    ++argument;
  };
  std::apply([&](const auto&... gradient) { (compare(parameters, gradient), ...); }, found);
  return check.result;
}
template <class Loss, class... P>
  requires requires(const Loss& loss) { loss().backward(); }
GradcheckResult gradcheck(const Loss& loss, P&... parameters) {
  return gradcheck(GradcheckOptions{}, loss, parameters...);
}

}  // namespace fluxion
