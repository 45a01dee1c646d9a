// Rules of one's own under vmap: followed for every example, whichever comes first, the gradient or the batch.
#include <doctest/doctest.h>

#include <fluxion/autodiff/custom.hpp>
#include <fluxion/autodiff/jvp.hpp>
#include <fluxion/autodiff/vmap.hpp>
#include <fluxion/fluxion.hpp>

#include <cmath>

namespace fx = fluxion;

namespace {

using Vector = fx::Tensor<double, fx::dims<1>>;
using Matrix = fx::Tensor<double, fx::dims<2>>;

/// A product whose gradients are 3 and 5 times too large: it can be seen that the rule was followed.
constexpr auto product = fx::custom_vjp([](auto a, auto b) { return std::make_pair(a * b, std::make_tuple(a, b)); },
                                        [](auto known, auto dy) { return std::make_tuple(3 * dy * std::get<1>(known), 5 * dy * std::get<0>(known)); });
/// A dot product by such a rule, whose value is one number.
constexpr auto dot = fx::custom_vjp([](auto a, auto b) { return std::make_pair(fx::sum(a * b), std::make_tuple(a, b)); },
                                    [](auto known, auto dy) { return std::make_tuple(3 * dy * std::get<1>(known), 5 * dy * std::get<0>(known)); });
/// Two results; the tangents are easy to tell apart.
constexpr auto odd_pair = fx::custom_jvp([](auto x, auto y) { return std::make_tuple(fx::sin(x) * y, fx::sum(y)); },
                                         [](auto x, auto y, auto dx, auto dy) { return std::make_tuple(10 * dx * y + dy, fx::sum(20 * dy - x * dx)); });

constexpr auto each = [](auto a, auto b) { return product(a, b) * a; };

const Matrix xs = {{1, 2, 3}, {-1, 0.5, 2}};
const Matrix ys = {{2, -1, 0.5}, {1, 3, -2}};
const Vector w = {0.5, -1, 2};

}  // namespace

TEST_CASE("the gradient of a sum over a batch follows custom_vjp, and adds up what is the same for all examples") {
  constexpr auto loss = [](auto x, auto b) { return fx::sum(fx::vmap(product, fx::in_dims<0, fx::none>)(x, b)); };
  const auto [value, dx, db] = fx::value_and_grad<0, 1>(loss)(xs, w);
  CHECK(value.item() == doctest::Approx(0.5 - 2 + 6 - 0.5 - 0.5 + 4));
  for (int k = 0; k < 3; ++k) {
    CHECK(dx(0, k) == doctest::Approx(3 * w(k)));
    CHECK(dx(1, k) == doctest::Approx(3 * w(k)));
    CHECK(db(k) == doctest::Approx(5 * (xs(0, k) + xs(1, k))));
  }
}

TEST_CASE("the gradient of a batch of numbers by custom_vjp is that of each example, before and behind vmap") {
  constexpr auto inside = [](auto a, auto b) { return fx::sum(fx::vmap([](auto u, auto v) { return fx::exp(dot(u, v)); })(a, b)); };
  const auto [da, db] = fx::grad<0, 1>(inside)(xs, ys);
  const auto [ga, gb] = fx::vmap(fx::grad<0, 1>([](auto u, auto v) { return fx::exp(dot(u, v)); }))(xs, ys);
  for (int i = 0; i < 2; ++i) {
    const double slope = std::exp(xs(i, 0) * ys(i, 0) + xs(i, 1) * ys(i, 1) + xs(i, 2) * ys(i, 2));
    for (int k = 0; k < 3; ++k) {
      CHECK(da(i, k) == doctest::Approx(3 * slope * ys(i, k)));
      CHECK(db(i, k) == doctest::Approx(5 * slope * xs(i, k)));
      CHECK(ga(i, k) == doctest::Approx(da(i, k)));
      CHECK(gb(i, k) == doctest::Approx(db(i, k)));
    }
  }
}

TEST_CASE("custom_jvp is followed through vmap in both modes, for several results") {
  constexpr auto batch = [](auto x, auto y) { return fx::vmap(odd_pair)(x, y); };
  const auto [first, second, d_first, d_second] = [&] {
    const auto [values, tangents] = fx::jvp<0, 1>(batch)(xs, ys, ys, xs);
    return std::tuple(std::get<0>(values), std::get<1>(values), std::get<0>(tangents), std::get<1>(tangents));
  }();
  constexpr auto weighted = [](auto x, auto y) {
    const auto [a, b] = fx::vmap(odd_pair)(x, y);
    return fx::sum(a) + 7 * fx::sum(b);
  };
  const auto [dx, dy] = fx::grad<0, 1>(weighted)(xs, ys);
  for (int i = 0; i < 2; ++i) {
    double tangent = 0;
    for (int k = 0; k < 3; ++k) {
      const double x = xs(i, k), y = ys(i, k);
      CHECK(first(i, k) == doctest::Approx(std::sin(x) * y));
      CHECK(d_first(i, k) == doctest::Approx(10 * y * y + x));
      tangent += 20 * x - x * y;
      CHECK(dx(i, k) == doctest::Approx(10 * y - 7 * x));
      CHECK(dy(i, k) == doctest::Approx(1 + 7 * 20));
    }
    CHECK(second(i) == doctest::Approx(ys(i, 0) + ys(i, 1) + ys(i, 2)));
    CHECK(d_second(i) == doctest::Approx(tangent));
  }
}

TEST_CASE("rules go through vmap of vmap, and through batches of small tensors of static extents") {
  constexpr auto nested = [](auto x, auto y) { return fx::sum(fx::vmap(fx::vmap(each), fx::in_dims<0, fx::none>)(x, y)); };
  const fx::Tensor<double, fx::dims<3>> x = {{{1, 2}, {3, 4}}, {{5, 6}, {7, 8}}};
  const Matrix y = {{1, -1}, {2, 0.5}};
  const auto [dx, dy] = fx::grad<0, 1>(nested)(x, y);
  for (int i = 0; i < 2; ++i)
    for (int j = 0; j < 2; ++j)
      for (int k = 0; k < 2; ++k) {
        CHECK(dx(i, j, k) == doctest::Approx(4 * x(i, j, k) * y(j, k)));
        if (i == 0) CHECK(dy(j, k) == doctest::Approx(5 * (x(0, j, k) * x(0, j, k) + x(1, j, k) * x(1, j, k))));
      }
  fx::Tensor<double, fx::extents<fx::dynamic_extent, 2>> rows(fx::uninitialized, fx::extents<fx::dynamic_extent, 2>(9, 2));
  for (fx::index_t i = 0; i < 18; ++i) rows.data()[i] = static_cast<double>(i) / 4;
  const auto g = fx::vmap(fx::grad([](auto u) { return dot(u, u); }))(rows);
  CHECK(g(8, 1) == doctest::Approx(8 * rows(8, 1)));
}
