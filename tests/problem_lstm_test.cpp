// ADBench's LSTM as a scan: against the benchmark's own numbers, and against the model written out with duals.
#include <doctest/doctest.h>

#include "../examples/problems/lstm.hpp"

#include <fluxion/autodiff/dual.hpp>

#include <cmath>
#include <cstdlib>

namespace fx = fluxion;
using namespace problems::lstm;

namespace {

/// The loss as a loop over scalars of type T.
template <class T>
T by_hand(const Problem& p, const std::array<std::array<std::array<T, units>, 2 * gates>, layers>& main, const std::array<std::array<T, units>, 3>& extra) {
  using std::exp, std::log, std::tanh;
  std::array<std::array<std::array<T, units>, 2>, layers> memory;
  for (std::size_t l = 0; l < layers; ++l)
    for (std::size_t k = 0; k < 2; ++k)
      for (std::size_t i = 0; i < units; ++i) memory[l][k][i] = std::get<0>(p.state)[l][k].data()[i];
  T total = 0;
  const auto sigmoid = [](const T& x) { return T(1) / (T(1) + exp(-x)); };
  for (index_t t = 0; t < p.predictions(); ++t) {
    std::array<T, units> y;
    T sum = 2;
    for (std::size_t i = 0; i < units; ++i) {
      T x = extra[0][i] * p.text(t, static_cast<index_t>(i));
      for (std::size_t l = 0; l < layers; ++l) {
        auto& [h, c] = memory[l];
        const auto& w = main[l];
        const T forget = sigmoid(x * w[0][i] + w[4][i]), in = sigmoid(h[i] * w[1][i] + w[5][i]);
        const T out = sigmoid(x * w[2][i] + w[6][i]), change = tanh(h[i] * w[3][i] + w[7][i]);
        c[i] = c[i] * forget + in * change;
        h[i] = out * tanh(c[i]);
        x = h[i];
      }
      y[i] = x * extra[1][i] + extra[2][i];
      sum += exp(y[i]);
    }
    for (std::size_t i = 0; i < units; ++i) total += (y[i] - log(sum)) * p.text(t + 1, static_cast<index_t>(i));
  }
  return -total * p.scale();
}

template <class T>
std::array<std::array<T, units>, 3> lifted(const Extra& x) {
  std::array<std::array<T, units>, 3> r;
  for (std::size_t k = 0; k < 3; ++k)
    for (std::size_t i = 0; i < units; ++i) r[k][i] = x[k].data()[i];
  return r;
}
template <class T>
std::array<std::array<std::array<T, units>, 2 * gates>, layers> lifted(const Main& x) {
  std::array<std::array<std::array<T, units>, 2 * gates>, layers> r;
  for (std::size_t l = 0; l < layers; ++l)
    for (std::size_t k = 0; k < 2 * gates; ++k)
      for (std::size_t i = 0; i < units; ++i) r[l][k][i] = x[l][k].data()[i];
  return r;
}

bool agree(double x, double y, double tolerance) { return std::abs(x - y) <= tolerance * std::max(1.0, std::abs(x) + std::abs(y)); }

Problem small_problem() {
  Problem p;
  double x = 0.1;
  const auto next = [&] { return x = std::fmod(x * 7.31 + 0.37, 1.0); };
  for (auto& layer : p.main) for (Units& part : layer) for (index_t i = 0; i < part.size(); ++i) part.data()[i] = 2 * next() - 1;
  for (Units& part : p.extra) for (index_t i = 0; i < part.size(); ++i) part.data()[i] = 2 * next() - 1;
  for (auto& layer : std::get<0>(p.state)) for (Units& part : layer) for (index_t i = 0; i < part.size(); ++i) part.data()[i] = next();
  p.text = fx::Tensor<double, fx::extents<fx::dynamic_extent, units>>(fx::uninitialized, {index_t{12}, index_t{units}});
  for (index_t i = 0; i < p.text.size(); ++i) p.text.data()[i] = next() > 0.5;
  return p;
}

}  // namespace

TEST_CASE("lstm: a gate's, a bias's and an extra parameter's derivatives are those of dual numbers through the model written out, to 1e-9") {
  const Problem p = small_problem();
  using D = fx::Dual<double, 3>;
  auto main = lifted<D>(p.main);
  auto extra = lifted<D>(p.extra);
  main[0][1][3] = fx::make_dual<3>(fx::value(main[0][1][3]), 0);
  main[1][6][9] = fx::make_dual<3>(fx::value(main[1][6][9]), 1);
  extra[0][5] = fx::make_dual<3>(fx::value(extra[0][5]), 2);
  const D expected = by_hand(p, main, extra);
  for (const fx::Checkpoints& memory : {fx::keep_all, fx::checkpoints(3)}) {
    double value = 0;
    Main d_main{};
    Extra d_extra{};
    gradient(p, value, d_main, d_extra, {memory});
    CHECK(agree(value, fx::value(expected), 1e-9));
    CHECK(agree(d_main[0][1](3), fx::gradient(expected)[0], 1e-9));
    CHECK(agree(d_main[1][6](9), fx::gradient(expected)[1], 1e-9));
    CHECK(agree(d_extra[0](5), fx::gradient(expected)[2], 1e-9));
  }
}

TEST_CASE("lstm: objective and gradient of l2_c1024 are the ones that ADBench gives") {
  const auto input = problems::data_file("lstm_l2_c1024.input.json"), values = problems::data_file("lstm_l2_c1024.jacobian.json");
  if (!input || !values) {
    MESSAGE("skipped: ADBench's data are not here; set FLUXION_DATA to the folder that holds ad/");
    return;
  }
  const Problem p = read_problem(*input);
  const std::vector<double> given = problems::read_numbers(*problems::data_file("lstm_l2_c1024.objective.json"), 0);
  const std::vector<double> jacobian = problems::read_numbers(*values, 1);
  REQUIRE(jacobian.size() == 266);
  CHECK(p.predictions() == 1023);
  CHECK(agree(objective(p), given[0], 1e-9));
  CHECK(agree(by_hand(p, lifted<double>(p.main), lifted<double>(p.extra)), objective(p), 1e-9));
  double value = 0;
  Main d_main{};
  Extra d_extra{};
  gradient(p, value, d_main, d_extra);
  CHECK(agree(value, given[0], 1e-9));
  std::size_t k = 0;
  double worst = 0;
  const auto compare = [&](const Units& part) {
    for (index_t i = 0; i < part.size(); ++i, ++k)
      worst = std::max(worst, std::abs(part.data()[i] - jacobian[k]) / std::max(1.0, std::abs(part.data()[i]) + std::abs(jacobian[k])));
  };
  for (const auto& layer : d_main) for (const Units& part : layer) compare(part);
  for (const Units& part : d_extra) compare(part);
  CHECK(k == 266);
  CHECK(worst < 1e-9);
}
