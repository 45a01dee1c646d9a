// Short plans over contiguous memory run without the executor, which runs them all while something counts: both compute the same.
// matrix
#include <doctest/doctest.h>

#include <fluxion/autodiff/transform.hpp>
#include <fluxion/fluxion.hpp>

#include <cstring>
#include <tuple>

namespace fx = fluxion;

namespace {
using fx::index_t;
using Vector = fx::Tensor<float, fx::dims<1>>;
using Matrix = fx::Tensor<float, fx::dims<2>>;
using Cube = fx::Tensor<double, fx::dims<3>>;

template <class X>
X filled(X x) {
  using T = typename X::value_type;
  for (index_t i = 0; i < x.size(); ++i) x.data()[i] = static_cast<T>((i * 37 + 11) % 29 - 14) / T(8);
  return x;
}

template <class X>
bool same(const X& a, const X& b) {
  return a.extents() == b.extents() && (a.size() == 0 || std::memcmp(a.data(), b.data(), static_cast<std::size_t>(a.size()) * sizeof(typename X::value_type)) == 0);
}
template <class... X>
bool same(const std::tuple<X...>& a, const std::tuple<X...>& b) {
  return [&]<std::size_t... I>(std::index_sequence<I...>) { return (same(std::get<I>(a), std::get<I>(b)) && ...); }(std::index_sequence_for<X...>{});
}

/// Whether f's plan is one that runs directly.
template <class... X, class F>
constexpr bool is_direct(const fx::Compiled<F>&) {
  return fx::graph::direct_plan<fx::graph::constant_plan<fx::detail::function_source<F, X...>>>::possible;
}

/// Whether the executor computes the same bits.
template <class F, class... X>
bool agrees(const F& f, const X&... x) {
  const auto direct = f(x...);
  fx::CountingScope scope;
  const bool equal = same(direct, f(x...));
  return equal && scope.counters().kernels > 0;
}
}  // namespace

TEST_CASE("one kernel: maps, reductions along rows and rows that are read again, of any length") {
  constexpr auto f = fx::compile([](auto x, auto w) { return std::tuple(fx::softmax(x * w, fx::axis<1>), fx::sum(x * w, fx::axis<1>), fx::mean(x)); });
  static_assert(is_direct<Matrix, Vector>(f));
  for (const index_t rows : {0, 1, 3, 40})
    for (const index_t columns : {1, 7, 16, 33}) CHECK(agrees(f, filled(fx::empty<float>({rows, columns})), filled(fx::empty<float>({columns}))));
}

TEST_CASE("sums across rows and means, fewer rows than are summed in chunks and more") {
  constexpr auto f = fx::compile([](auto x) { return std::tuple(fx::sum(x, fx::axis<0>), fx::mean(x, fx::axis<0>), fx::max(x, fx::axis<0>), fx::prod(x, fx::axis<0>)); });
  static_assert(is_direct<Matrix>(f));
  for (const index_t rows : {1, 2, 127, 128, 300}) CHECK(agrees(f, filled(fx::empty<float>({rows, 5}))));
}

TEST_CASE("rows behind an axis that only the run knows to be one are added in chunks as well") {
  constexpr auto f = fx::compile([](auto x, auto w) { return fx::sum(x * w, fx::axes<0, 1>); });
  static_assert(is_direct<fx::Tensor<float, fx::dims<3>>, Matrix>(f));
  for (const index_t rows : {100, 20'000}) CHECK(agrees(f, fx::full<float>({1, rows, 3}, 0.1f), fx::full<float>({rows, 3}, 1.f)));
}

TEST_CASE("axes that cannot become one, and such that can") {
  constexpr auto f = fx::compile([](auto x, auto y) { return std::tuple(x + y, fx::sum(x * y, fx::axes<0, 2>), fx::sum(x, fx::axis<1>)); });
  for (const index_t n : {0, 1, 4}) CHECK(agrees(f, filled(Cube(fx::uninitialized, fx::dims<3>{3, n, 5})), filled(fx::Tensor<double, fx::extents<5>>{})));
  constexpr auto g = fx::compile([](auto x, auto y) { return x * fx::unsqueeze<1>(y) + fx::transpose(x); });
  CHECK(agrees(g, filled(fx::empty<float>({4, 4})), filled(fx::empty<float>({4}))));
}

TEST_CASE("products with and without epilogues, transposed or not, vectors among them, temporaries between") {
  constexpr auto loss = [](auto w, auto b, auto v, auto x) {
    const auto y = fx::matmul(fx::relu(fx::matmul(x, w) + b), v);
    return fx::mean(y * y);
  };
  constexpr auto f = fx::value_and_grad<0, 1, 2>(loss);
  static_assert(is_direct<Matrix, Vector, Matrix, Matrix>(f));
  for (const index_t n : {0, 1, 5, 20})
    for (const index_t inner : {1, 8}) {
      const Matrix w = filled(fx::empty<float>({inner, 6})), v = filled(fx::empty<float>({6, inner})), x = filled(fx::empty<float>({n, inner}));
      if (n > 0) CHECK(agrees(f, w, filled(fx::empty<float>({6})), v, x));
      CHECK(agrees(fx::compile([](auto a, auto c) { return fx::matmul(a, c) * 2 + 1; }), x, w));
    }
}

TEST_CASE("views as arguments and as results take the way through the executor") {
  constexpr auto f = fx::compile([](auto x) { return fx::exp(x) / fx::sum(x, fx::axis<0>, fx::keepdim); });
  Matrix x = filled(fx::empty<float>({6, 9})), y = fx::empty<float>({9, 6});
  const Matrix copy = x.t();
  CHECK(same(Matrix(f(copy)), Matrix(f(x.t()))));
  f.into(y, x.t());
  CHECK(same(y, Matrix(f(copy))));
  auto transposed = fx::empty<float>({6, 9});
  f.into(transposed.t(), x.t());
  CHECK(same(Matrix(transposed.t()), y));
}

TEST_CASE("what overlaps an argument is computed elsewhere first") {
  constexpr auto f = fx::compile([](auto x) { return x / fx::sum(x, fx::axis<0>, fx::keepdim); });
  Matrix x = filled(fx::empty<float>({6, 9}));
  const Matrix expected = f(x);
  f.into(x, x);
  CHECK(same(x, expected));
}

TEST_CASE("run-time extents of 1 are broadcast to others by the executor") {
  constexpr auto f = fx::compile([](auto x, auto w) { return fx::sum(x * w, fx::axis<1>); });
  static_assert(is_direct<Matrix, Vector>(f));
  const Matrix x = filled(fx::empty<float>({3, 5}));
  const Vector w = fx::full<float>({1}, 2);
  CHECK(same(Vector(f(x, w)), Vector(fx::sum(x * 2, fx::axis<1>))));
}
