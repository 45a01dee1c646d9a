/// Gradients of recorded variables as values, as torch.autograd.grad: nothing is accumulated. With autodiff/create_graph.hpp they can be
/// differentiated again.
#pragma once
#include "tape/given_gradient.hpp"

#include <cstring>
#include <tuple>
#include <type_traits>
#include <utility>

namespace fluxion::autograd {

/// What torch.autograd.grad has as named arguments.
struct GradOptions {
  bool retain_graph = false;        // implied by create_graph
  detail::GraphRecorder create_graph = {};  // `fx::create_graph` has the gradients recorded themselves
  bool allow_unused = false;  // the gradient of what the outputs do not depend on is zero instead of an error
};

}  // namespace fluxion::autograd

namespace fluxion::detail {

/// The variable that a gradient with respect to X is.
template <class X>
using gradient_variable = Var<typename X::value_type, typename X::extents_type>;

template <class... X>
auto tie_tuple(const std::tuple<X...>& x) {
  return std::apply([](const auto&... e) { return std::tie(e...); }, x);
}
template <class X>
std::tuple<const X&> tie_tuple(const X& x) {
  return std::tie(x);
}
/// Marks an output with the gradient with respect to it; `seed` is a leaf.
template <class T, class E>
void seed_output(Sweep& sweep, const Var<T, E>& output, const NodeHandle& seed) {
  TapeNode& x = output.node();
  if (!x.requires_grad) raise<ValueError>("grad: an output requires no gradient, nor does anything that it was computed from");
  if (!output.handle().is_recording(sweep.tape())) raise<ValueError>("grad: the recording of an output was released, or is another tape's");
  if (!sweep.creates_graph()) return sweep.add(x, seed.get()->value, x.extent);
  sweep.keep(seed);
  if (sweep.wants(&x, &x)) sweep.deliver(x, *seed.get());
}

template <class... Y, class... X, class... S>
auto gradients_of(const std::tuple<const Y&...>& outputs, const std::tuple<const X&...>& inputs, const std::tuple<S...>& seeds,
                  const autograd::GradOptions& options) {
  constexpr std::size_t count = sizeof...(X);
  static_assert(sizeof...(S) == sizeof...(Y), "grad: give one gradient for each output");
  Tape& tape = Tape::of_this_thread();
  Capture captures[count];
  auto results = std::apply([&](const auto&... x) {
    std::size_t k = 0;
    const auto prepare = [&]<class Input>(const Input& x) {
      gradient_variable<Input> gradient(Tensor<typename Input::value_type, typename Input::extents_type>(uninitialized, x.extents()));
      Capture& c = captures[k++];
      if constexpr (is_var<Input>) {
        if (!x.requires_grad()) raise<ValueError>("grad: input ", k - 1, " requires no gradient");
        c.source = &x.node();
      } else {
        c.source = &x;
      }
      c.memory = gradient.node().value;
      return gradient;
    };
    return std::tuple<gradient_variable<X>...>{prepare(x)...};
  }, inputs);

  Sweep sweep(tape, captures, static_cast<int>(count), options.create_graph);
  [&]<std::size_t... I>(std::index_sequence<I...>) { (seed_output(sweep, std::get<I>(outputs), std::get<I>(seeds)), ...); }(std::index_sequence_for<Y...>{});
  sweep.run(options.retain_graph || sweep.creates_graph());

  std::size_t k = 0;
  const auto finish = [&]<class V>(V& gradient) {
    const Capture& c = captures[k++];
    if (!c.found) {
      if (!options.allow_unused) raise<ValueError>("grad: the outputs do not depend on input ", k - 1, "; set allow_unused for a gradient of zero");
      std::memset(c.memory, 0, gradient.node().bytes());
    } else if (sweep.creates_graph()) {
      gradient = V(handle_of(*c.recorded, tape));
    }
  };
  std::apply([&](auto&... gradient) { (finish(gradient), ...); }, results);
  return results;
}

/// The gradient with respect to an output: what the user gives, or one.
template <class T, class E>
NodeHandle seed_of_ones(const Var<T, E>& output) {
  if (output.node().size() != 1) raise<ShapeError>("grad: an output has extents ", output.extents(), " and is not one number; give a gradient for it");
  Tensor<T, E> one(uninitialized, output.extents());
  one.fill(T(1));
  return make_leaf(std::move(one), false, {});
}
template <class T, class E, class S>
NodeHandle seed_like(const Var<T, E>& output, const S& seed) {
  if constexpr (is_var<S>) {
    check_equal_extents(output.extents(), seed.extents(), "grad: output and its gradient");
    return seed.handle();
  } else {
    Tensor<T, E> elements(seed);
    check_equal_extents(output.extents(), elements.extents(), "grad: output and its gradient");
    return make_leaf(std::move(elements), false, {});
  }
}

}  // namespace fluxion::detail

namespace fluxion::autograd {

/// The gradients of an output, or the sum of those of a tuple of outputs, with respect to an input, a leaf, a recorded variable or a parameter,
/// or to each of a tuple: a variable, or a tuple of them. Outputs are numbers. Nothing else gets a gradient. With create_graph the gradients are
/// recorded variables themselves.
/// Raises ValueError if an output does not depend on anything that requires a gradient, or the outputs not on an input.
template <class Outputs, class Inputs>
auto grad(const Outputs& outputs, const Inputs& inputs, const GradOptions& options = {}) {
  const auto y = detail::tie_tuple(outputs);
  const auto seeds = std::apply([](const auto&... output) { return std::make_tuple(detail::seed_of_ones(output)...); }, y);
  auto results = detail::gradients_of(y, detail::tie_tuple(inputs), seeds, options);
  if constexpr (detail::is_std_tuple<Inputs>) return results;
  else return std::get<0>(std::move(results));
}

/// The same for outputs of any extents: `grad_outputs` are the gradients with respect to them, tensors, views, expressions or variables.
template <class Outputs, class Inputs, class Seeds>
  requires(!std::is_same_v<Seeds, GradOptions>)
auto grad(const Outputs& outputs, const Inputs& inputs, const Seeds& grad_outputs, const GradOptions& options = {}) {
  const auto y = detail::tie_tuple(outputs);
  const auto given = detail::tie_tuple(grad_outputs);
  const auto seeds = [&]<std::size_t... I>(std::index_sequence<I...>) {
    return std::make_tuple(detail::seed_like(std::get<I>(y), std::get<I>(given))...);
  }(std::make_index_sequence<std::tuple_size_v<std::remove_cvref_t<decltype(y)>>>{});
  auto results = detail::gradients_of(y, detail::tie_tuple(inputs), seeds, options);
  if constexpr (detail::is_std_tuple<Inputs>) return results;
  else return std::get<0>(std::move(results));
}

}  // namespace fluxion::autograd
