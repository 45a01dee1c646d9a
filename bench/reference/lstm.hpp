/// The gradient of ADBench's LSTM written by hand: forwards with everything kept that the way back needs, on arrays of Eigen.
#pragma once
#include "../../examples/problems/lstm.hpp"

#include <Eigen/Core>

#include <array>
#include <vector>

namespace reference::lstm {

namespace problem = problems::lstm;
using problem::units, problem::layers;
using Array = Eigen::Array<double, static_cast<int>(units), 1>;

inline Eigen::Map<const Array> view(const problem::Units& x) { return Eigen::Map<const Array>(x.data()); }
inline Eigen::Map<Array> view(problem::Units& x) { return Eigen::Map<Array>(x.data()); }

struct Layer {
  Array input, hidden, cell, forget, ingate, outgate, change, tanh_cell;
};
struct Kept {
  std::array<Layer, layers> layer;
  Array top, share;  // the last layer's output; softmax of the prediction beside the constant 2
};

inline Array sigmoid(const Array& x) { return 1 / (1 + (-x).exp()); }
/// By an exponential, which Eigen computes in packets where its tanh of doubles is a loop.
inline Array tanh(const Array& x) { return 1 - 2 / (1 + (2 * x).exp()); }

template <bool Keep>
double forward(const problem::Problem& p, std::vector<Kept>& kept) {
  std::array<std::array<Array, 2>, layers> memory;
  for (std::size_t l = 0; l < layers; ++l)
    for (std::size_t k = 0; k < 2; ++k) memory[l][k] = view(std::get<0>(p.state)[l][k]);
  double total = 0;
  Kept once;
  for (problem::index_t t = 0; t < p.predictions(); ++t) {
    Kept& s = Keep ? kept[static_cast<std::size_t>(t)] : once;
    const Eigen::Map<const Array> character(p.text.data() + t * static_cast<problem::index_t>(units)), next(character.data() + units);
    Array x = character * view(p.extra[0]);
    for (std::size_t l = 0; l < layers; ++l) {
      const auto& w = p.main[l];
      Layer& a = s.layer[l];
      a.input = x, a.hidden = memory[l][0], a.cell = memory[l][1];
      a.forget = sigmoid(x * view(w[0]) + view(w[4]));
      a.ingate = sigmoid(a.hidden * view(w[1]) + view(w[5]));
      a.outgate = sigmoid(x * view(w[2]) + view(w[6]));
      a.change = tanh(a.hidden * view(w[3]) + view(w[7]));
      memory[l][1] = a.cell * a.forget + a.ingate * a.change;
      a.tanh_cell = tanh(memory[l][1]);
      memory[l][0] = a.outgate * a.tanh_cell;
      x = memory[l][0];
    }
    const Array y = x * view(p.extra[1]) + view(p.extra[2]), e = y.exp();
    const double sum = e.sum() + 2;
    total += (next * (y - std::log(sum))).sum();
    if constexpr (Keep) s.top = x, s.share = e / sum;
  }
  return -total * p.scale();
}

inline double gradient(const problem::Problem& p, problem::Main& main, problem::Extra& extra) {
  thread_local std::vector<Kept> kept;
  kept.resize(static_cast<std::size_t>(p.predictions()));
  const double loss = forward<true>(p, kept);
  std::array<std::array<Array, 8>, layers> d_main;
  std::array<Array, 3> d_extra;
  for (auto& layer : d_main)
    for (Array& d : layer) d.setZero();
  for (Array& d : d_extra) d.setZero();
  std::array<std::array<Array, 2>, layers> d_memory;
  for (auto& layer : d_memory)
    for (Array& d : layer) d.setZero();
  const double scale = -p.scale();
  for (problem::index_t t = p.predictions() - 1; t >= 0; --t) {
    const Kept& s = kept[static_cast<std::size_t>(t)];
    const Eigen::Map<const Array> character(p.text.data() + t * static_cast<problem::index_t>(units)), next(character.data() + units);
    const Array dy = scale * (next - s.share * next.sum());
    d_extra[1] += dy * s.top, d_extra[2] += dy;
    Array dx = dy * view(p.extra[1]);
    for (std::size_t l = layers; l-- > 0;) {
      const Layer& a = s.layer[l];
      const auto& w = p.main[l];
      auto& d = d_main[l];
      auto& [d_hidden, d_cell] = d_memory[l];
      const Array dh = d_hidden + dx;
      const Array dc = d_cell + dh * a.outgate * (1 - a.tanh_cell * a.tanh_cell);
      const Array d_out = dh * a.tanh_cell * a.outgate * (1 - a.outgate), d_forget = dc * a.cell * a.forget * (1 - a.forget);
      const Array d_in = dc * a.change * a.ingate * (1 - a.ingate), d_change = dc * a.ingate * (1 - a.change * a.change);
      d[0] += d_forget * a.input, d[1] += d_in * a.hidden, d[2] += d_out * a.input, d[3] += d_change * a.hidden;
      d[4] += d_forget, d[5] += d_in, d[6] += d_out, d[7] += d_change;
      d_hidden = d_in * view(w[1]) + d_change * view(w[3]);
      d_cell = dc * a.forget;
      dx = d_forget * view(w[0]) + d_out * view(w[2]);
    }
    d_extra[0] += dx * character;
  }
  for (std::size_t l = 0; l < layers; ++l)
    for (std::size_t k = 0; k < 8; ++k) view(main[l][k]) = d_main[l][k];
  for (std::size_t k = 0; k < 3; ++k) view(extra[k]) = d_extra[k];
  return loss;
}

}  // namespace reference::lstm
