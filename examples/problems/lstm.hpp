/// A character model of long short-term memory as ADBench defines it: every gate has a weight and a bias for each unit, layers feed the next,
/// and the loss is the mean of the cross-entropy over the text. Šrajer, Kukelova and Fitzgibbon 2018, arXiv:1807.10129.
#pragma once
#include <fluxion/autodiff/loop.hpp>
#include <fluxion/fluxion.hpp>
#include <fluxion/io/json.hpp>

#include "data.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>
#include <string>
#include <tuple>
#include <vector>

namespace problems::lstm {

namespace fx = fluxion;
using fx::index_t;

inline constexpr std::size_t units = 14, layers = 2, gates = 4;

using Units = fx::Tensor<double, fx::extents<units>>;
/// Of each layer: weights of the gates forget, in, out and change, then their biases.
using Main = std::array<std::array<Units, 2 * gates>, layers>;
/// Weights of the input, weights and biases of the prediction.
using Extra = std::array<Units, 3>;
/// Hidden values and cells of each layer, and the sum of the log-likelihoods so far.
using State = std::tuple<std::array<std::array<Units, 2>, layers>, double>;

/// Reads one character, predicts the next and adds up how likely that was.
inline constexpr auto step = [](auto state, auto character, auto next, auto main, auto extra, auto) {
  auto [memory, total] = state;
  auto input = character * extra[0];
  for (std::size_t l = 0; l < layers; ++l) {
    auto [hidden, cell] = memory[l];
    const auto& p = main[l];
    const auto forget = fx::sigmoid(input * p[0] + p[4]);
    const auto ingate = fx::sigmoid(hidden * p[1] + p[5]);
    const auto outgate = fx::sigmoid(input * p[2] + p[6]);
    const auto change = fx::tanh(hidden * p[3] + p[7]);
    memory[l][1] = cell * forget + ingate * change;
    memory[l][0] = outgate * fx::tanh(memory[l][1]);
    input = memory[l][0];
  }
  const auto prediction = input * extra[1] + extra[2];
  const auto normaliser = fx::log(fx::sum(fx::exp(prediction)) + 2);
  return std::make_tuple(memory, total + fx::sum(next * (prediction - normaliser)));
};

/// The sum with its sign turned; `scale` is one over the number of predicted values.
inline constexpr auto loss = [](auto state, auto, auto, auto scale) { return -std::get<1>(state) * scale; };

/// A problem of ADBench.
struct Problem {
  Main main{};
  Extra extra{};
  State state{};
  fx::Tensor<double, fx::extents<fx::dynamic_extent, units>> text;

  index_t predictions() const { return text.extent(0) - 1; }
  double scale() const { return 1 / static_cast<double>(predictions() * static_cast<index_t>(units)); }
  using Rows = fx::View<const double, fx::extents<fx::dynamic_extent, units>>;
  Rows read() const { return {text.data(), {predictions(), index_t{units}}}; }
  Rows predicted() const { return {text.data() + units, {predictions(), index_t{units}}}; }
};

/// The loss; and the loss with its gradients of `main` and `extra`, in memory that is there already.
inline double objective(const Problem& p) {
  return fx::scan(step, loss)(p.state, fx::each(p.read()), fx::each(p.predicted()), p.main, p.extra, p.scale()).item();
}
inline void gradient(const Problem& p, double& value, Main& main, Extra& extra, const fx::LoopOptions& options = {}) {
  fx::value_and_grad<3, 4>(fx::scan(step, loss), options)
      .into(std::tie(value, main, extra), p.state, fx::each(p.read()), fx::each(p.predicted()), p.main, p.extra, p.scale());
}

/// Reads a problem in the form of ADBench's JSON inputs. Raises FileError.
inline Problem read_problem(const std::filesystem::path& path) {
  Problem p;
  std::vector<double> text;
  read_json_object(path, [&](fx::JsonReader& reader, std::string_view member) {
    const std::vector<double> numbers = read_numbers(reader, 2);
    std::size_t k = 0;
    const auto fill = [&](Units& to) {
      if (k + units > numbers.size()) fx::raise<fx::FileError>(path.string() + ": " + std::string(member) + " is too short for this model");
      for (std::size_t i = 0; i < units; ++i) to.data()[i] = numbers[k++];
    };
    if (member == "main_params") {
      for (auto& layer : p.main)
        for (Units& part : layer) fill(part);
    } else if (member == "extra_params") {
      for (Units& part : p.extra) fill(part);
    } else if (member == "state") {
      for (auto& layer : std::get<0>(p.state))
        for (Units& part : layer) fill(part);
    } else if (member == "sequence") text = numbers;
  });
  if (text.size() < 2 * units) fx::raise<fx::FileError>(path.string() + ": the sequence is too short");
  p.text = fx::Tensor<double, fx::extents<fx::dynamic_extent, units>>(fx::uninitialized, {static_cast<index_t>(text.size() / units), index_t{units}});
  std::copy_n(text.begin(), p.text.size(), p.text.data());
  return p;
}

}  // namespace problems::lstm
