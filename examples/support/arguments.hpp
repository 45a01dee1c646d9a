/// The command line of the digits example.
#pragma once
#include <fluxion/core/error.hpp>

#include <charconv>
#include <filesystem>
#include <span>
#include <sstream>
#include <string>
#include <string_view>

namespace example {

inline constexpr std::string_view usage = R"(usage: digits [options]

Trains a classifier of handwritten digits and says how well it reads digits that it has not seen.

  --data FILE    a table of 64 pixels and a label a row (default: examples/data/digits.csv)
  --mnist DIR    MNIST's four IDX files, gzipped or not, instead
  --epochs N     passes over the training set (default: 40, MNIST 6)
  --seeds N      repetitions, each with its own split, order and initial weights (default: 5, MNIST 1)
  --batch N      examples a step (default: 64)
  --lr X         the first learning rate (default: 0.003)
  --hidden N     units between the two layers (default: 128)
  --save FILE    write the weights of the first seed, as safetensors
  --load FILE    read weights instead of training, and test them
  --help         this text
)";

struct Arguments {
  std::filesystem::path data;
  std::filesystem::path mnist;  // empty: not asked for, as below
  std::filesystem::path save;
  std::filesystem::path load;
  long epochs = 0;  // 0: what suits the data
  long seeds = 0;
  long batch = 64;
  long hidden = 128;
  double learning_rate = 0.003;
  bool help = false;
};

namespace detail {

template <class T>
T number(std::string_view option, std::string_view text, T low, T high) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || !(value >= low && value <= high)) {
    std::ostringstream message;
    message << option << ": expected a number from " << low << " to " << high << ", found '" << text << "'";
    fluxion::raise<fluxion::ValueError>(message.str());
  }
  return value;
}

}  // namespace detail

/// Reads the command line without the program's name. Throws ValueError with a sentence for the user.
inline Arguments parse_arguments(std::span<char* const> words, std::filesystem::path default_data) {
  Arguments result;
  result.data = std::move(default_data);
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string_view option = words[i];
    if (option == "--help" || option == "-h") {
      result.help = true;
      continue;
    }
    std::filesystem::path* file = option == "--data"    ? &result.data
                                  : option == "--mnist" ? &result.mnist
                                  : option == "--save"  ? &result.save
                                  : option == "--load"  ? &result.load
                                                        : nullptr;
    long* count = option == "--epochs"   ? &result.epochs
                  : option == "--seeds"  ? &result.seeds
                  : option == "--batch"  ? &result.batch
                  : option == "--hidden" ? &result.hidden
                                         : nullptr;
    if (file == nullptr && count == nullptr && option != "--lr")
      fluxion::raise<fluxion::ValueError>("unknown option '" + std::string(option) + "'; --help lists them");
    if (++i == words.size() || *words[i] == '\0')
      fluxion::raise<fluxion::ValueError>(std::string(option) + " needs a value");
    if (file != nullptr)
      *file = words[i];
    else if (count != nullptr)
      *count = detail::number<long>(option, words[i], 1, 100'000);
    else
      result.learning_rate = detail::number<double>(option, words[i], 1e-6, 1);
  }
  if (!result.save.empty() && !result.load.empty())
    fluxion::raise<fluxion::ValueError>("--save and --load exclude each other");
  return result;
}

}  // namespace example
