// ADBench's character LSTM learns to predict a short text: each gradient goes back through all of its characters.
#include "problems/lstm.hpp"
#include "support/terminal.hpp"

#include <cmath>
#include <iostream>
#include <string>
#include <string_view>
#include <vector>

int main() {
  namespace lstm = problems::lstm;
  namespace fx = fluxion;
  using fx::index_t;
  // A letter, a blank or a full stop is one of 28 numbers; the model's 14 units see its bits twice, with and without a change of sign.
  const std::string text = [] {
    const std::string_view line = "the quick brown fox jumps over the lazy dog. ";
    std::string all;
    for (int i = 0; i < 12; ++i) all += line;
    return all;
  }();
  lstm::Problem p;
  p.text = fx::Tensor<double, fx::extents<fx::dynamic_extent, lstm::units>>(fx::uninitialized, {static_cast<index_t>(text.size()), index_t{lstm::units}});
  for (std::size_t t = 0; t < text.size(); ++t)
    for (std::size_t i = 0; i < lstm::units; ++i) {
      const unsigned code = text[t] == ' ' ? 27u : text[t] == '.' ? 28u : static_cast<unsigned>(text[t] - 'a' + 1);
      p.text.data()[t * lstm::units + i] = i < 7 ? code >> i & 1u : !(code >> (i - 7) & 1u);
    }
  double number = 0.1;
  const auto fill = [&](lstm::Units& part) {
    for (index_t i = 0; i < part.size(); ++i) part.data()[i] = 2 * (number = std::fmod(number * 7.31 + 0.37, 1.0)) - 1;
  };
  for (auto& layer : p.main)
    for (lstm::Units& part : layer) fill(part);
  for (lstm::Units& part : p.extra) fill(part);

  const example::Terminal terminal(std::cout);
  constexpr int rounds = 400;
  std::vector<double> losses;
  lstm::Main d_main{};
  lstm::Extra d_extra{};
  {
    example::ProgressLine progress(terminal);
    for (int round = 0; round < rounds; ++round) {
      double loss = 0;
      lstm::gradient(p, loss, d_main, d_extra);
      losses.push_back(loss);
      const auto improve = [](lstm::Units& x, const lstm::Units& d) {
        for (index_t i = 0; i < x.size(); ++i) x.data()[i] -= 5 * d.data()[i];
      };
      for (std::size_t l = 0; l < lstm::layers; ++l)
        for (std::size_t k = 0; k < 2 * lstm::gates; ++k) improve(p.main[l][k], d_main[l][k]);
      for (std::size_t k = 0; k < 3; ++k) improve(p.extra[k], d_extra[k]);
      if (progress.is_due()) progress.show(example::bar(static_cast<double>(round) / rounds) + "  loss " + example::fixed(loss, 4));
    }
  }
  std::cout << p.predictions() << " characters, " << rounds << " gradients\nloss " << example::curve(losses, 48) << "  " << example::fixed(losses.front(), 4)
            << " -> " << example::fixed(losses.back(), 4) << "\n";
  return losses.back() < losses.front() ? 0 : 1;
}
