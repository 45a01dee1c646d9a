/// What `gradcheck` does: derivatives of traced functions beside central differences, element by element.
#pragma once
#include "jvp.hpp"
#include "vjp.hpp"

#include <array>
#include <cmath>
#include <cstdio>
#include <string>
#include <vector>

namespace fluxion {

/// How far a derivative may be from the difference: as PyTorch, |derivative - difference| <= atol + rtol |difference|.
struct GradcheckOptions {
  double eps = 1e-6;  // step of the central differences
  double atol = 1e-5;
  double rtol = 1e-3;
};

/// Whether all derivatives agree, and if not the first that does not: mode, result and argument with their indices, and both numbers.
struct [[nodiscard]] GradcheckResult {
  bool passed = true;
  std::string message;
  explicit operator bool() const { return passed; }
};

namespace detail {

/// Memory of doubles with extents, as arguments and results have it.
struct checked_values {
  double* data = nullptr;
  int rank = 0;
  std::vector<index_t> extents;
  std::vector<index_t> strides;

  index_t size() const {
    index_t n = 1;
    for (const index_t e : extents) n *= e;
    return n;
  }
  std::string place(index_t n) const {
    std::vector<index_t> at(extents.size());
    for (std::size_t axis = extents.size(); axis-- > 0; n /= extents[axis]) at[axis] = n % extents[axis];
    return to_string(at.data(), static_cast<int>(at.size()));
  }
  double& operator[](index_t n) const {
    index_t offset = 0;
    for (std::size_t axis = extents.size(); axis-- > 0; n /= extents[axis]) offset += n % extents[axis] * strides[axis];
    return data[offset];
  }
};

/// Collects what is bound: the tensors of an argument, of which there may be none or several.
struct value_collector {
  std::vector<checked_values>& to;
  std::vector<bool>& floating;
  void add(graph::scalar_value) {}
  void add(double) {}
  template <class T, class Mapping>
  void add(const T* data, const Mapping& mapping) {
    checked_values v;
    const auto extents = mapping.extents().to_array();
    const auto strides = mapping.strides();
    v.extents.assign(extents.begin(), extents.end());
    v.strides.assign(strides.begin(), strides.end());
    if constexpr (std::is_same_v<std::remove_const_t<T>, double>) v.data = const_cast<double*>(data);
    floating.push_back(std::is_same_v<std::remove_const_t<T>, double>);
    to.push_back(v);
  }
};

/// The parts of an argument, or of its tangent or gradient, that are differentiated.
template <class X>
std::vector<checked_values> differentiated_parts(X& x) {
  std::vector<checked_values> all, result;
  std::vector<bool> floating;
  value_collector collector{all, floating};
  argument_traits<X>::bind(x, collector);
  list<int> numbers;
  int next = 0, next_scalar = 0;
  gradient_arguments<X>::numbers(numbers, next, next_scalar);
  for (const int k : numbers)
    if (k >= 0 && floating[static_cast<std::size_t>(k)]) result.push_back(all[static_cast<std::size_t>(k)]);
  return result;
}
/// Of a result or a tuple of them.
template <class R>
void append_parts(std::vector<checked_values>& to, R& result) {
  if constexpr (is_tuple_like<R>) std::apply([&](auto&... part) { (append_parts(to, part), ...); }, result);
  else
    for (const checked_values& v : differentiated_parts(result)) to.push_back(v);
}

/// What has a derivative to check: tensors and views of double, and models.
template <class X>
inline constexpr bool is_checked = TracedStructure<X>;
template <class E, class D>
inline constexpr bool is_checked<Tensor<double, E, D>> = true;

/// A view is checked as a tensor of the same elements, which may be written.
template <class X>
X own_copy(const X& x) { return x; }
template <class T, class E, class L>
auto own_copy(const View<T, E, L>& x) { return Tensor<std::remove_const_t<T>, E>(x); }

template <class Sequence, bool... Checked>
struct checked_numbers;
template <int... I, bool... Checked>
struct checked_numbers<std::integer_sequence<int, I...>, Checked...> {
  template <int... A, int... B>
  static std::integer_sequence<int, A..., B...> join(std::integer_sequence<int, A...>, std::integer_sequence<int, B...>);
  template <class...>
  struct all { using type = std::integer_sequence<int>; };
  template <class A, class... Rest>
  struct all<A, Rest...> { using type = decltype(join(A{}, typename all<Rest...>::type{})); };
  using type = typename all<std::conditional_t<Checked, std::integer_sequence<int, I>, std::integer_sequence<int>>...>::type;
};

/// The comparison itself, for arguments in tensors of their own.
class gradient_checker {
 public:
  explicit gradient_checker(const GradcheckOptions& options) : options_(options) {}
  GradcheckResult result;

  void compare(const char* mode, const checked_values& output, std::size_t k, index_t i, const checked_values& input, std::size_t argument, index_t j, double derivative,
               double difference) {
    if (!result.passed || std::abs(derivative - difference) <= options_.atol + options_.rtol * std::abs(difference) || (std::isnan(derivative) && std::isnan(difference))) return;
    result.passed = false;
    char numbers[80];
    std::snprintf(numbers, sizeof numbers, "%.9g, the difference %.9g", derivative, difference);
    result.message = std::string(mode) + ": the derivative of result " + std::to_string(k) + " " + output.place(i) + " by input " + std::to_string(argument) + " " + input.place(j) +
                     " is " + numbers;
  }

 private:
  GradcheckOptions options_;
};

/// How the results of F change with element j of an input.
template <class F, class... X>
std::vector<std::vector<double>> central_difference(const checked_values& input, index_t j, double eps, const X&... x) {
  std::vector<std::vector<double>> moved[2];
  const double old = input[j];
  for (int side = 0; side < 2; ++side) {
    input[j] = old + (side == 0 ? eps : -eps);
    auto y = Compiled<F>{}(x...);
    std::vector<checked_values> parts;
    append_parts(parts, y);
    for (const checked_values& v : parts) {
      moved[side].emplace_back();
      for (index_t i = 0; i < v.size(); ++i) moved[side].back().push_back(v[i]);
    }
  }
  input[j] = old;
  for (std::size_t k = 0; k < moved[0].size(); ++k)
    for (std::size_t i = 0; i < moved[0][k].size(); ++i) moved[0][k][i] = (moved[0][k][i] - moved[1][k][i]) / (2 * eps);
  return std::move(moved[0]);
}

/// Zeros where the derivatives of x are.
template <class X>
X zeros_of(const X& x) {
  X zero = x;
  for (const checked_values& v : differentiated_parts(zero))
    for (index_t n = 0; n < v.size(); ++n) v[n] = 0;
  return zero;
}

template <class F, class... X, int... I>
GradcheckResult check_gradients(const GradcheckOptions& options, std::integer_sequence<int, I...>, X... x) {
  gradient_checker check(options);
  const auto all = std::tie(x...);
  auto tangents = std::make_tuple(zeros_of(std::get<static_cast<std::size_t>(I)>(all))...);
  std::vector<checked_values> inputs, directions, outputs, seeds;
  std::vector<std::size_t> numbers;
  (..., [&](auto& argument) {
    for (const checked_values& v : differentiated_parts(argument)) {
      inputs.push_back(v);
      numbers.push_back(static_cast<std::size_t>(I));
    }
  }(std::get<static_cast<std::size_t>(I)>(all)));
  append_parts(directions, tangents);
  auto y = Compiled<F>{}(x...);
  auto cotangents = y;
  append_parts(outputs, y);
  append_parts(seeds, cotangents);
  for (const checked_values& v : seeds)
    for (index_t n = 0; n < v.size(); ++n) v[n] = 0;

  // By columns: differences and tangents for each element of the inputs.
  std::vector<std::vector<std::vector<std::vector<double>>>> differences(inputs.size());
  for (std::size_t a = 0; a < inputs.size(); ++a)
    for (index_t j = 0; j < inputs[a].size(); ++j) {
      differences[a].push_back(central_difference<F>(inputs[a], j, options.eps, x...));
      directions[a][j] = 1;
      auto dy = std::apply([&](auto&... d) { return Compiled<jvp_function<F, false, I...>>{}(x..., d...); }, tangents);
      directions[a][j] = 0;
      std::vector<checked_values> found;
      append_parts(found, dy);
      for (std::size_t k = 0; k < outputs.size(); ++k)
        for (index_t i = 0; i < outputs[k].size(); ++i)
          check.compare("forward mode", outputs[k], k, i, inputs[a], numbers[a], j, found[k][i], differences[a].back()[k][static_cast<std::size_t>(i)]);
    }
  // By rows: a product with a unit cotangent for each element of the results.
  for (std::size_t k = 0; k < outputs.size(); ++k)
    for (index_t i = 0; i < outputs[k].size(); ++i) {
      seeds[k][i] = 1;
      auto products = [&] {
        if constexpr (is_tuple_like<decltype(cotangents)>)
          return std::apply([&](auto&... d) { return Compiled<vjp_function<F, false, static_cast<int>(sizeof...(d)), I...>>{}(x..., d...); }, cotangents);
        else return Compiled<vjp_function<F, false, 1, I...>>{}(x..., cotangents);
      }();
      seeds[k][i] = 0;
      std::vector<checked_values> found;
      append_parts(found, products);
      for (std::size_t a = 0; a < inputs.size(); ++a)
        for (index_t j = 0; j < inputs[a].size(); ++j)
          check.compare("reverse mode", outputs[k], k, i, inputs[a], numbers[a], j, found[a][j], differences[a][static_cast<std::size_t>(j)][k][static_cast<std::size_t>(i)]);
    }
  return check.result;
}

template <class F, class... X>
GradcheckResult check_gradients(const GradcheckOptions& options, const X&... x) {
  using numbers = typename checked_numbers<std::make_integer_sequence<int, static_cast<int>(sizeof...(X))>, is_checked<X>...>::type;
  using source = function_source<F, X...>;
  static_assert(numbers::size() > 0, "gradcheck wants an argument of double: a tensor, a view or a model");
  static_assert(graph::checked<source_error<source>>::report());
  if constexpr (numbers::size() == 0 || !Recorded<source>) return {};
  else return check_gradients<F, X...>(options, numbers{}, x...);
}

/// Cotangents for gradgradcheck: of the order of one, and no two alike.
template <class R>
void fill_cotangents(R& y) {
  std::vector<checked_values> parts;
  append_parts(parts, y);
  int n = 0;
  for (const checked_values& v : parts)
    for (index_t i = 0; i < v.size(); ++i) v[i] = 0.6 + 0.4 * std::cos(2.4 * n++);
}

template <class F, class... X>
GradcheckResult check_second_derivatives(const GradcheckOptions& options, const X&... x) {
  using numbers = typename checked_numbers<std::make_integer_sequence<int, static_cast<int>(sizeof...(X))>, is_checked<X>...>::type;
  using source = function_source<F, X...>;
  static_assert(numbers::size() > 0, "gradgradcheck wants an argument of double: a tensor, a view or a model");
  static_assert(graph::checked<source_error<source>>::report());
  if constexpr (numbers::size() == 0 || !Recorded<source>) return {};
  else {
    auto y = Compiled<F>{}(x...);
    fill_cotangents(y);
    return [&]<int... I>(std::integer_sequence<int, I...>) {
      if constexpr (is_tuple_like<decltype(y)>)
        return std::apply([&](const auto&... d) { return check_gradients<vjp_function<F, false, static_cast<int>(sizeof...(d)), I...>>(options, x..., d...); }, y);
      else return check_gradients<vjp_function<F, false, 1, I...>>(options, x..., y);
    }(numbers{});
  }
}

/// The results of a function of scalars as a list.
template <class R>
std::vector<double> numbers_of(const R& y) {
  if constexpr (is_tuple_like<R>) return std::vector<double>(y.begin(), y.end());
  else return {static_cast<double>(y)};
}

}  // namespace detail

}  // namespace fluxion
