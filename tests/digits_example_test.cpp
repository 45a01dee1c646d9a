// The digits example as a user runs it: what it prints, what it refuses.
#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>

// The whole program is under test; its main becomes a function beside the one that runs the tests.
#define main digits_main
#include "../examples/digits.cpp"
#undef main

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <utility>

namespace {

struct Outcome {
  int status;
  std::string out, error;
  bool says(std::string_view text) const { return out.find(text) != std::string::npos; }
  bool complains(std::string_view text) const { return error.find(text) != std::string::npos; }
};

using Words = std::vector<std::string>;

Outcome digits(Words words) {
  words.insert(words.begin(), "digits");
  std::vector<char*> pointers;
  for (std::string& word : words) pointers.push_back(word.data());
  std::ostringstream out, error;
  std::streambuf* const former_out = std::cout.rdbuf(out.rdbuf());
  std::streambuf* const former_error = std::cerr.rdbuf(error.rdbuf());
  const int status = digits_main(static_cast<int>(pointers.size()), pointers.data());
  std::cout.rdbuf(former_out);
  std::cerr.rdbuf(former_error);
  return {status, out.str(), error.str()};
}

/// A folder of its own that is removed at the end.
struct Folder {
  std::filesystem::path path =
      std::filesystem::temp_directory_path() /
      ("fluxion_digits_" + std::to_string(std::chrono::steady_clock::now().time_since_epoch().count()));
  Folder() { std::filesystem::create_directory(path); }
  ~Folder() { std::filesystem::remove_all(path); }
  std::string operator()(const char* name) const { return (path / name).string(); }
  std::string write(const char* name, std::string_view text) const {
    std::ofstream(path / name, std::ios::binary) << text;
    return (*this)(name);
  }
};

std::string accuracy_line(const Outcome& outcome) {
  const std::size_t at = outcome.out.rfind("test accuracy 0.");
  return at == std::string::npos ? "" : outcome.out.substr(at, 20);
}

/// MNIST's four files in small: each image is blank but for one row, whose place is the label.
void write_small_mnist(const Folder& folder) {
  for (const std::string part : {"train", "t10k"}) {
    std::string images{0, 0, 8, 3, 0, 0, 0, 20, 0, 0, 0, 28, 0, 0, 0, 28}, labels{0, 0, 8, 1, 0, 0, 0, 20};
    for (int i = 0; i < 20; ++i) {
      std::string image(28 * 28, '\0');
      image.replace(static_cast<std::size_t>(i % 10 * 56), 28, 28, '\xff');
      images += image;
      labels += static_cast<char>(i % 10);
    }
    folder.write((part + "-images-idx3-ubyte").c_str(), images);
    folder.write((part + "-labels-idx1-ubyte").c_str(), labels);
  }
}

}  // namespace

int main(int count, char** words) {
#if !defined(_WIN32)
  ::setenv("TERM", "dumb", 1);  // also when the tests run in a terminal
#endif
  return doctest::Context(count, words).run();
}

TEST_CASE("digits prints each epoch, the confusion matrix, some digits, the kernels of the step and the accuracy") {
  const Outcome outcome = digits({"--epochs", "2", "--seeds", "2"});
  CHECK(outcome.status == 0);
  CHECK(outcome.error == "");
  CHECK(outcome.says("epoch   1  ━"));
  CHECK(outcome.says("epoch   2  ━"));
  CHECK(outcome.says("loss "));
  CHECK(outcome.says("seed    1"));
  CHECK(outcome.says("true 9"));
  CHECK(outcome.says(", said "));
  CHECK(outcome.says("█"));
  CHECK(outcome.says("kernel 1: matmul"));
  CHECK(outcome.says("counted: 5 kernels, 5 of them matrix products"));
  CHECK(outcome.says("and AdamW: 4 kernels, 0 of them matrix products"));
  CHECK(outcome.says("mean over the seeds 0, 1;"));
  CHECK(accuracy_line(outcome) > "test accuracy 0.7");
  CHECK(outcome.out.ends_with(accuracy_line(outcome) + "\n"));
}

TEST_CASE("digits writes neither carriage returns nor escapes where no terminal reads them") {
  const Outcome outcome = digits({"--epochs", "1", "--seeds", "1"});
  CHECK(outcome.out.find('\r') == std::string::npos);
  CHECK(outcome.out.find('\x1b') == std::string::npos);
}

TEST_CASE("digits learns: ten epochs of one seed are right about nine of ten") {
  CHECK(accuracy_line(digits({"--epochs", "10", "--seeds", "1"})) > "test accuracy 0.9");
}

TEST_CASE("digits repeats itself to the last bit") {
  CHECK(accuracy_line(digits({"--epochs", "2", "--seeds", "1"})) ==
        accuracy_line(digits({"--epochs", "2", "--seeds", "1"})));
}

TEST_CASE("digits reads the weights that it wrote, and is as right as before") {
  const Folder folder;
  const Outcome saved = digits({"--epochs", "3", "--seeds", "1", "--save", folder("weights.safetensors")});
  CHECK(saved.status == 0);
  CHECK(saved.says("weights of seed 0 written to"));
  const Outcome loaded = digits({"--load", folder("weights.safetensors")});
  CHECK(loaded.status == 0);
  CHECK(!loaded.says("epoch "));
  CHECK(accuracy_line(loaded) == accuracy_line(saved));
  CHECK(accuracy_line(loaded) != "");
  const Outcome other = digits({"--hidden", "32", "--load", folder("weights.safetensors")});
  CHECK(other.status == 1);
  CHECK(other.complains("weights.safetensors: \"0.weight\" has extents [128, 64], the model's has [32, 64]"));
}

TEST_CASE("digits learns from MNIST's files, which need not be packed") {
  const Folder folder;
  write_small_mnist(folder);
  const Outcome outcome = digits({"--mnist", folder.path.string(), "--epochs", "20", "--batch", "6"});
  CHECK(outcome.status == 0);
  CHECK(outcome.says("20 digits to train on, 20 to test"));
  CHECK(outcome.says("test accuracy 1.0000"));
}

TEST_CASE("digits says what is wrong with MNIST's files") {
  const Folder folder;
  CHECK(digits({"--mnist", folder.path.string()})
            .complains("neither t10k-images-idx3-ubyte nor t10k-images-idx3-ubyte.gz is there"));
  write_small_mnist(folder);
  folder.write("t10k-labels-idx1-ubyte", std::string{0, 0, 8, 1, 0, 0, 0, 1, 3});
  const Outcome few = digits({"--mnist", folder.path.string()});
  CHECK(few.status == 1);
  CHECK(few.complains("1 labels for 20 images"));
}

TEST_CASE("digits says which line of a table is wrong") {
  const Folder folder;
  std::string row;
  for (int i = 0; i < 64; ++i) row += "0,";
  CHECK(digits({"--data", folder.write("a.csv", "1,2\n")})
            .complains("a.csv: expected 65 columns, 64 pixels and a label, found 2"));
  CHECK(
      digits({"--data", folder.write("b.csv", row + "3\n" + row + "12\n")}).complains("b.csv:2: the label is not a digit"));
  CHECK(digits({"--data", folder.write("c.csv", "17" + row.substr(1) + "3\n")})
            .complains("c.csv:1: pixel 1 is not between 0 and 16"));
  CHECK(digits({"--data", folder.write("d.csv", row + "3\n")}).complains("too few digits"));
  CHECK(digits({"--data", folder("missing.csv")}).complains("missing.csv: cannot be read"));
}

TEST_CASE("digits refuses what its command line cannot mean, in one sentence and with status 1") {
  const std::vector<std::pair<Words, std::string>> cases = {
      {{"--epoch", "3"}, "digits: unknown option '--epoch'; --help lists them\n"},
      {{"--epochs"}, "digits: --epochs needs a value\n"},
      {{"--epochs", "0"}, "digits: --epochs: expected a number from 1 to 100000, found '0'\n"},
      {{"--seeds", "2x"}, "digits: --seeds: expected a number from 1 to 100000, found '2x'\n"},
      {{"--lr", "nan"}, "digits: --lr: expected a number from 1e-06 to 1, found 'nan'\n"},
      {{"--save", "a", "--load", "b"}, "digits: --save and --load exclude each other\n"}};
  for (const auto& [words, sentence] : cases) {
    const Outcome outcome = digits(words);
    CHECK(outcome.status == 1);
    CHECK(outcome.error == sentence);
    CHECK(outcome.out == "");
  }
  CHECK(digits({"--save", "/nonexistent/w.safetensors"}).complains("there is no folder /nonexistent"));
  CHECK(digits({"--help"}).says("usage: digits"));
}
