// A traced function, a loop with a run-time number of steps, and a traced function, differentiated as a whole.
#include <doctest/doctest.h>

#include <fluxion/autodiff/loop.hpp>
#include <fluxion/fluxion.hpp>

#include <cmath>
#include <tuple>

namespace fx = fluxion;
using fx::index_t;

namespace {

using Vector = fx::Tensor<double, fx::dims<1>>;
using Matrix = fx::Tensor<double, fx::dims<2>>;

/// An encoder, recurrent steps over an encoded sequence, and a decoder.
constexpr auto encode = [](auto xs, auto w, auto u, auto) { return std::make_tuple(fx::tanh(u), fx::each(fx::exp(xs * u)), w * 2); };
constexpr auto cell = [](auto h, auto x, auto w) { return fx::sin(w * h + x); };
constexpr auto decode = [](auto h, auto, auto w, auto u, auto scale) { return scale * fx::sum(h * u) + fx::sum(w * w); };
constexpr auto model = fx::chain(encode, fx::scan(cell), decode);

const Matrix xs = {{0.1, 0.2}, {0.3, -0.1}, {0.5, 0.4}};
const Vector w = {0.4, -0.3}, u = {0.7, 1.1};

double by_hand(const Matrix& sequence, const Vector& weight, const Vector& code, double scale) {
  double total = 0;
  for (index_t i = 0; i < 2; ++i) {
    double h = std::tanh(code(i));
    for (index_t t = 0; t < 3; ++t) h = std::sin(2 * weight(i) * h + std::exp(sequence(t, i) * code(i)));
    total += scale * h * code(i) + weight(i) * weight(i);
  }
  return total;
}

}  // namespace

TEST_CASE("chain: the gradient of an encoder, a scan and a decoder is that of differences, through every path") {
  CHECK(model(xs, w, u, 3.0).item() == doctest::Approx(by_hand(xs, w, u, 3)).epsilon(1e-14));
  fx::LoopCounts counts;
  const auto [value, d_xs, dw, du, d_scale] = fx::value_and_grad<0, 1, 2, 3>(model, {fx::checkpoints(2), &counts})(xs, w, u, 3.0);
  CHECK(counts.reverse_steps == 3);
  CHECK(counts.states == 2);
  CHECK(value.item() == doctest::Approx(by_hand(xs, w, u, 3)).epsilon(1e-14));
  const double h = 1e-6;
  for (index_t i = 0; i < 2; ++i) {
    Vector above = w, below = w;
    above(i) += h, below(i) -= h;
    CHECK(dw(i) == doctest::Approx((by_hand(xs, above, u, 3) - by_hand(xs, below, u, 3)) / (2 * h)).epsilon(1e-7));
    above = below = u;
    above(i) += h, below(i) -= h;
    CHECK(du(i) == doctest::Approx((by_hand(xs, w, above, 3) - by_hand(xs, w, below, 3)) / (2 * h)).epsilon(1e-7));
    for (index_t t = 0; t < 3; ++t) {
      Matrix more = xs, less = xs;
      more(t, i) += h, less(t, i) -= h;
      CHECK(d_xs(t, i) == doctest::Approx((by_hand(more, w, u, 3) - by_hand(less, w, u, 3)) / (2 * h)).epsilon(1e-7));
    }
  }
  CHECK(d_scale.item() == doctest::Approx((by_hand(xs, w, u, 3 + h) - by_hand(xs, w, u, 3 - h)) / (2 * h)).epsilon(1e-7));
}

TEST_CASE("chain: the number of steps of iterate comes first; outputs along the way and integers in the state are seen behind the loop") {
  constexpr auto begin = [](auto x, auto k) { return std::make_tuple(std::make_tuple(x * x, fx::cast<std::int64_t>(x) * 0), k); };
  constexpr auto decay = [](auto state, auto k) {
    auto [y, n] = state;
    return fx::with_output(std::make_tuple(y * (1 - k), n + 1), y);
  };
  constexpr auto area = [](auto state, auto path, auto x, auto) { return fx::sum(path) + fx::sum(std::get<0>(state) * x) + fx::sum(std::get<1>(state)) * 100; };
  const Vector x = {1, 2};
  constexpr auto chain = fx::chain(begin, fx::iterate(decay), area);
  // x² (1 + 1/2) + x³ / 4, and 2 steps for each of two elements
  CHECK(chain(2, x, 0.5).item() == doctest::Approx(1.5 * 5 + 0.25 * 9 + 400));
  const auto [value, dx, dk] = fx::value_and_grad<1, 2>(chain)(2, x, 0.5);
  CHECK(value.item() == chain(2, x, 0.5).item());
  CHECK(dx(1) == doctest::Approx(3 * 2 + 0.75 * 4));
  CHECK(dk.item() == doctest::Approx(-5 - 2 * 0.5 * 9));
}

TEST_CASE("chain: a loop that ends by a condition") {
  constexpr auto guess = [](auto a) { return std::make_tuple(a / 2 + 1, a); };
  constexpr auto heron = [](auto r, auto a) { return (r + a / r) / 2; };
  constexpr auto is_far = [](auto r, auto a) { return fx::abs(r * r - a) > 1e-13; };
  constexpr auto logarithm = [](auto r, auto a) { return fx::log(r) + a; };
  const auto [value, da] = fx::value_and_grad(fx::chain(guess, fx::while_loop(is_far, heron), logarithm))(7.0);
  CHECK(value.item() == doctest::Approx(std::log(7.0) / 2 + 7).epsilon(1e-14));
  CHECK(da.item() == doctest::Approx(0.5 / 7 + 1).epsilon(1e-12));
}
