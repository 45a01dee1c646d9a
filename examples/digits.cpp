// Trains a classifier of handwritten digits and tests it on digits that it has not seen: `digits --help`.
#include "support/arguments.hpp"
#include "support/dataset.hpp"
#include "support/terminal.hpp"

#include <fluxion/autodiff/transform.hpp>
#include <fluxion/core/random.hpp>
#include <fluxion/data/split.hpp>
#include <fluxion/fluxion.hpp>
#include <fluxion/graph/explain.hpp>
#include <fluxion/nn/layer.hpp>
#include <fluxion/nn/state.hpp>
#include <fluxion/optim/adam.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <exception>
#include <iostream>
#include <numbers>
#include <numeric>
#include <span>
#include <string>
#include <tuple>
#include <vector>

namespace fx = fluxion;
using namespace example;

// ---- the model, its loss and its training step ------------------------------------------------------------------------

auto make_model(fx::index_t pixels, fx::index_t hidden) {
  return fx::nn::Sequential{fx::nn::Linear{pixels, hidden}, fx::nn::ReLU{}, fx::nn::Linear{hidden, 10}};
}
using Model = decltype(make_model(0, 0));

// Traced, differentiated and fused while this file compiles. Extents are known at run time: the last, smaller batch of an
// epoch, MNIST and the digits table all use the same two programs.
constexpr auto loss_and_gradients = fx::value_and_grad([](const auto& model, const auto& images, const auto& labels) {
  return fx::cross_entropy(model.forward(images), labels);
});
constexpr auto probabilities_of =
    fx::compile([](const auto& model, const auto& images) { return fx::softmax(model.forward(images), fx::axis<-1>); });

struct Settings {
  long epochs, batch, hidden;
  double learning_rate;
};

/// What the model says about a data set.
struct Answers {
  fx::Tensor<float, fx::dims<2>> probabilities;
  std::vector<std::int64_t> said;
  double accuracy = 0;
};

Answers ask(const Model& model, const Dataset& data) {
  Answers answers{probabilities_of(model, data.images), {}};
  fx::index_t correct = 0;
  for (fx::index_t i = 0; i < data.size(); ++i) {
    const float* row = answers.probabilities.data() + i * 10;
    answers.said.push_back(std::max_element(row, row + 10) - row);
    correct += answers.said.back() == data.labels(i);
  }
  answers.accuracy = data.size() == 0 ? 0 : static_cast<double>(correct) / static_cast<double>(data.size());
  return answers;
}

/// Trains a new model, whose initial weights and order of examples the seed decides. `in_detail` prints a line for each
/// epoch, otherwise there is one line at the end.
Model train(const Settings& settings, const Dataset& training, const Dataset& testing, std::uint64_t seed, bool in_detail,
            const Terminal& terminal) {
  fx::nn::manual_seed(seed);
  Model model = make_model(training.features(), settings.hidden);
  fx::optim::AdamW optimizer(model, {.lr = settings.learning_rate});
  fx::Generator order_of(seed);
  ProgressLine progress(terminal);
  std::vector<double> losses;

  for (long epoch = 1; epoch <= settings.epochs; ++epoch) {
    const std::vector<std::int64_t> order = fx::permutation(training.size(), order_of);
    double loss_sum = 0;
    for (std::size_t begin = 0; begin < order.size();) {
      const std::size_t count = std::min(order.size() - begin, static_cast<std::size_t>(settings.batch));
      const Dataset batch = select(training, std::span(order).subspan(begin, count));
      begin += count;

      // The rate falls along a half cosine: large steps first, small ones at the end.
      const double done =
          (static_cast<double>(epoch - 1) + static_cast<double>(begin) / static_cast<double>(order.size())) /
          static_cast<double>(settings.epochs);
      optimizer.options.lr = settings.learning_rate * (0.5 + 0.5 * std::cos(std::numbers::pi * done));
      const auto [loss, gradients] = loss_and_gradients(model, batch.images, batch.labels);
      optimizer.step(model, gradients);

      loss_sum += static_cast<double>(loss.item()) * static_cast<double>(count);
      if (progress.is_due())
        progress.show("  seed " + std::to_string(seed) + "  " + bar(done) + "  epoch " + std::to_string(epoch) + " of " +
                      std::to_string(settings.epochs) + "  loss " + fixed(static_cast<double>(loss.item()), 4));
    }
    losses.push_back(loss_sum / static_cast<double>(order.size()));
    if (in_detail)
      progress.print("  epoch " + right(epoch, 3) + "  " +
                     bar(static_cast<double>(epoch) / static_cast<double>(settings.epochs)) + "  loss " +
                     fixed(losses.back(), 4) + "  accuracy in training " + fixed(ask(model, training).accuracy, 4) +
                     ", in test " + fixed(ask(model, testing).accuracy, 4));
  }
  if (!in_detail)
    progress.print("  seed " + right(static_cast<std::int64_t>(seed), 4) + "  " + curve(losses) + "  loss " +
                   fixed(losses.back(), 4) + "  accuracy in training " + fixed(ask(model, training).accuracy, 4) +
                   ", in test " + fixed(ask(model, testing).accuracy, 4));
  return model;
}

// ---- what is shown at the end -----------------------------------------------------------------------------------------

std::string counts_text(const fx::graph::counters& c) {
  return std::to_string(c.kernels) + " kernels, " + std::to_string(c.contractions) + " of them matrix products, " +
         std::to_string(c.passes) + " passes, " + fixed(static_cast<double>(c.bytes) / 1e6, 3) + " MB read and written, " +
         fixed(static_cast<double>(c.flops) / 1e6, 2) + " million operations";
}

/// Which kernels the training step became, and what one step on this batch did.
void explain_step(const Terminal& terminal, Model model, const Dataset& batch) {
  std::string names;
  int parameters = 0;
  fx::for_each_parameter(model, [&](std::string_view name, const auto&) {
    names += std::to_string(parameters++) + " " + std::string(name) + ", ";
  });
  names += std::to_string(parameters) + " images, " + std::to_string(parameters + 1) + " labels";
  terminal.out() << terminal.dim("arguments: " + names + "; outputs: the loss, then the parameters' gradients") << '\n'
                 << fx::explain(loss_and_gradients, model, batch.images, batch.labels);

  fx::optim::AdamW optimizer(model);
  const fx::CountingScope derivative;
  const auto [loss, gradients] = loss_and_gradients(model, batch.images, batch.labels);
  terminal.out() << "counted: " << counts_text(derivative.counters()) << '\n';
  const fx::CountingScope update;
  optimizer.step(model, gradients);
  terminal.out() << "and AdamW: " << counts_text(update.counters()) << '\n';
}

/// A few digits with what the model said: mistakes first, since they tell more.
void show_some(const Terminal& terminal, const Dataset& data, const Answers& answers) {
  constexpr std::size_t wanted = 8, most_wrong = 4;
  std::vector<Picture> pictures;
  for (const bool good : {false, true})
    for (fx::index_t i = 0; i < data.size(); ++i) {
      const std::int64_t said = answers.said[static_cast<std::size_t>(i)], truth = data.labels(i);
      if ((said == truth) != good || pictures.size() == (good ? wanted : most_wrong)) continue;
      const double sure = static_cast<double>(answers.probabilities(i, said));
      pictures.push_back({data.image(i),
                          std::to_string(truth) + ", said " + std::to_string(said) + " (" + fixed(100 * sure, 0) + "%)",
                          good});
      if (good) i += data.size() / 10;  // not only neighbours
    }
  int side = 1;
  while (side * side < data.features()) ++side;
  draw(terminal, pictures, side);
}

// ---- the whole run ----------------------------------------------------------------------------------------------------

/// The digits of a run. MNIST says itself which ones are for the test; the table is split anew for each seed.
class Source {
 public:
  Dataset training, testing;

  explicit Source(const Arguments& arguments) : mnist_(!arguments.mnist.empty()) {
    if (!mnist_) {
      table_ = read_digits(arguments.data);
      use_seed(0);
    } else {
      testing = read_mnist(arguments.mnist, "t10k");
      if (arguments.load.empty()) training = read_mnist(arguments.mnist, "train");
    }
    if (testing.size() == 0 || (arguments.load.empty() && training.size() == 0))
      fx::raise<fx::ValueError>("too few digits to train on some and test on others");
  }

  /// Keeps a fifth of every class for the test.
  void use_seed(std::uint64_t seed) {
    if (mnist_) return;
    const fx::Split positions = fx::stratified_split(table_.all_labels(), 0.2, seed);
    training = select(table_, positions.train);
    testing = select(table_, positions.test);
  }

 private:
  bool mnist_;
  Dataset table_;
};

void show_results(const Terminal& terminal, const Dataset& testing, const Model& model, const ConfusionMatrix& confusion,
                  fx::index_t batch) {
  terminal.out() << terminal.bold("what was said of the test digits") << '\n';
  confusion.print(terminal);
  terminal.out() << '\n' << terminal.bold("some of them, and what the model said") << "\n\n";
  show_some(terminal, testing, ask(model, testing));
  terminal.out() << terminal.bold("the training step: loss and gradients of one batch") << '\n';
  std::vector<fx::index_t> first(static_cast<std::size_t>(std::min(batch, testing.size())));
  std::iota(first.begin(), first.end(), fx::index_t{0});
  explain_step(terminal, model, select(testing, first));
}

void run(const Arguments& arguments, const Terminal& terminal) {
  const auto start = std::chrono::steady_clock::now();
  std::ostream& out = terminal.out();
  const bool mnist = !arguments.mnist.empty(), loads = !arguments.load.empty();
  Settings settings{arguments.epochs, arguments.batch, arguments.hidden, arguments.learning_rate};
  if (settings.epochs == 0) settings.epochs = mnist ? 6 : 40;
  long seeds = arguments.seeds != 0 ? arguments.seeds : mnist ? 1 : 5;
  if (loads) seeds = 1;
  if (const auto folder = arguments.save.parent_path(); !folder.empty() && !std::filesystem::is_directory(folder))
    fx::raise<fx::FileError>(arguments.save.string() + ": there is no folder " + folder.string());

  Source source(arguments);
  Model shown = make_model(source.testing.features(), settings.hidden);
  out << terminal.bold((mnist ? arguments.mnist : arguments.data).string()) << ": ";
  if (!loads) out << source.training.size() << " digits to train on, ";
  out << source.testing.size() << " to test" << (mnist ? "\n" : ", split anew for each seed\n") << "model "
      << source.testing.features() << "-" << settings.hidden << "-10, ";
  if (loads) {
    fx::load(shown, arguments.load);
    out << "weights from " << arguments.load.string() << "\n\n";
  } else {
    out << settings.epochs << (settings.epochs == 1 ? " epoch" : " epochs") << " in batches of " << settings.batch
        << ", AdamW, learning rate " << fixed(settings.learning_rate, 4) << "\n\n";
  }

  ConfusionMatrix confusion(10);
  double accuracy_sum = 0;
  std::string seed_names;
  for (long seed = 0; seed < seeds; ++seed) {
    const auto number = static_cast<std::uint64_t>(seed);
    source.use_seed(number);
    Model model = loads ? shown : train(settings, source.training, source.testing, number, seed == 0, terminal);
    const Answers answers = ask(model, source.testing);
    accuracy_sum += answers.accuracy;
    for (fx::index_t i = 0; i < source.testing.size(); ++i)
      confusion.add(source.testing.labels(i), answers.said[static_cast<std::size_t>(i)]);
    seed_names += (seed == 0 ? "" : ", ") + std::to_string(seed);
    if (seed == 0) shown = std::move(model);
  }

  if (!loads) out << '\n';
  source.use_seed(0);
  show_results(terminal, source.testing, shown, confusion, settings.batch);
  if (!arguments.save.empty()) {
    fx::save(shown, arguments.save);
    out << "\nweights of seed 0 written to " << arguments.save.string() << '\n';
  }
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  out << '\n' << (seeds > 1 ? "mean over the seeds " : "seed ") << seed_names << "; " << fixed(seconds, 1) << " s\n";
  out << terminal.bold("test accuracy " + fixed(accuracy_sum / static_cast<double>(seeds), 4)) << '\n';
}

int main(int count, char** words) {
  try {
    const std::span all(words, static_cast<std::size_t>(count));
    const Arguments arguments =
        parse_arguments(all.subspan(std::min<std::size_t>(1, all.size())), FLUXION_DATA_DIR "/digits.csv");
    if (arguments.help) std::cout << usage;
    if (!arguments.help) run(arguments, Terminal(std::cout));
    return 0;
  } catch (const std::exception& error) {
    std::cout << std::flush;
    std::cerr << "digits: " << error.what() << '\n';
    return 1;
  }
}
