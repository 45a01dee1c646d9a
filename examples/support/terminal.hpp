/// What the examples show: a progress bar, coloured words, grey images, a confusion matrix. In a pipe or a file it is plain
/// lines of text; colours also stay away when NO_COLOR is set (https://no-color.org).
#pragma once
#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <iomanip>
#include <ostream>
#include <span>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#if defined(_WIN32)
#include <io.h>
#elif __has_include(<unistd.h>)
#include <unistd.h>
#endif

namespace example {

/// Where the program writes, and what may be written there.
class Terminal {
 public:
  explicit Terminal(std::ostream& out)
      : out_(out), interactive_(can_move_cursor()), colours_(interactive_ && !is_set("NO_COLOR")) {}

  std::ostream& out() const { return out_; }
  /// Whether a line can be written over.
  bool interactive() const { return interactive_; }

  std::string bold(std::string_view text) const { return paint("1", text); }
  std::string dim(std::string_view text) const { return paint("2", text); }
  std::string red(std::string_view text) const { return paint("31", text); }
  std::string green(std::string_view text) const { return paint("32", text); }

 private:
  static bool is_set(const char* name) {
    const char* value = std::getenv(name);
    return value != nullptr && *value != '\0';
  }
  static bool can_move_cursor() {
    const char* kind = std::getenv("TERM");
    if (kind != nullptr && std::string_view(kind) == "dumb") return false;
#if defined(_WIN32)
    return ::_isatty(1) != 0;
#elif __has_include(<unistd.h>)
    return ::isatty(STDOUT_FILENO) != 0;
#else
    return false;
#endif
  }
  std::string paint(std::string_view code, std::string_view text) const {
    if (!colours_) return std::string(text);
    return "\x1b[" + std::string(code) + "m" + std::string(text) + "\x1b[0m";
  }

  std::ostream& out_;
  bool interactive_;
  bool colours_;
};

/// A number with so many digits after the point.
inline std::string fixed(double value, int digits) {
  std::ostringstream text;
  text << std::fixed << std::setprecision(digits) << value;
  return text.str();
}
/// Text or a number, filled with blanks on the left.
inline std::string right(std::string text, std::size_t width) {
  return text.size() < width ? std::string(width - text.size(), ' ') + text : text;
}
inline std::string right(std::int64_t value, std::size_t width) { return right(std::to_string(value), width); }

/// `━━━━━━───`: how much of something is done.
inline std::string bar(double fraction, int width = 24) {
  const int full = static_cast<int>(std::clamp(fraction, 0., 1.) * width + 0.5);
  std::string text;
  for (int i = 0; i < width; ++i) text += i < full ? "━" : "─";
  return text;
}

/// `█▆▄▂▁`: a falling or rising row of numbers in one line, from zero to the largest.
inline std::string curve(std::span<const double> values, std::size_t width = 24) {
  static constexpr const char* steps[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
  const double largest = values.empty() ? 0 : *std::max_element(values.begin(), values.end());
  std::string text;
  const std::size_t count = std::min(width, values.size());
  for (std::size_t i = 0; i < count; ++i) {
    const double value = values[i * values.size() / count];
    text += steps[largest > 0 ? static_cast<std::size_t>(std::clamp(value / largest * 7.99, 0., 7.)) : 0];
  }
  return text;
}

/// One line that changes while work goes on. Written where lines can be written over, silent elsewhere.
class ProgressLine {
 public:
  explicit ProgressLine(const Terminal& terminal) : terminal_(terminal) {}
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;
  ~ProgressLine() { clear(); }

  /// Whether enough time has passed since the last change that another is worth it.
  bool is_due() const { return terminal_.interactive() && clock::now() - last_ > std::chrono::milliseconds(50); }
  void show(std::string_view text) {
    last_ = clock::now();
    shown_ = true;
    terminal_.out() << '\r' << text << "\x1b[K" << std::flush;
  }
  /// Removes the line.
  void clear() {
    if (shown_) terminal_.out() << "\r\x1b[K" << std::flush;
    shown_ = false;
  }
  /// A line that stays.
  void print(std::string_view text) {
    clear();
    terminal_.out() << text << '\n' << std::flush;
  }

 private:
  using clock = std::chrono::steady_clock;
  const Terminal& terminal_;
  clock::time_point last_ = clock::now();
  bool shown_ = false;
};

/// An image and the words below it.
struct Picture {
  std::span<const float> pixels;  // from 0 to 1, row by row, as many rows as columns
  std::string caption;
  bool good = true;
};

/// Draws square images side by side, `per_row` at a time.
inline void draw(const Terminal& terminal, std::span<const Picture> pictures, int side, std::size_t per_row = 4) {
  static constexpr const char* shades[] = {" ", "░", "▒", "▓", "█"};
  // A character is twice as high as it is wide: small images take two of them a pixel, large ones two pixels a character.
  const bool large = side > 16;
  const int lines = large ? side / 2 : side, width = large ? side : 2 * side;
  for (; !pictures.empty(); pictures = pictures.subspan(std::min(per_row, pictures.size()))) {
    const auto now = pictures.first(std::min(per_row, pictures.size()));
    for (int line = 0; line < lines; ++line) {
      std::string text;
      for (const Picture& picture : now) {
        text += "  ";
        for (int column = 0; column < width; ++column) {
          const auto pixel = [&](int i, int k) { return picture.pixels[static_cast<std::size_t>(i * side + k)]; };
          const float value = large ? (pixel(2 * line, column) + pixel(2 * line + 1, column)) / 2 : pixel(line, column / 2);
          text += shades[static_cast<std::size_t>(std::clamp(value, 0.f, 1.f) * 4.f + 0.5f)];
        }
      }
      terminal.out() << text.substr(0, text.find_last_not_of(' ') + 1) << '\n';
    }
    std::string captions;
    for (const Picture& picture : now) {
      const std::size_t room = static_cast<std::size_t>(width);
      const std::string caption = picture.caption.substr(0, room);
      captions += "  " + (picture.good ? terminal.green(caption) : terminal.red(caption));
      if (&picture != &now.back()) captions += std::string(room - caption.size(), ' ');
    }
    terminal.out() << captions << "\n\n";
  }
}

/// How often each class was taken for which.
class ConfusionMatrix {
 public:
  explicit ConfusionMatrix(std::size_t classes) : classes_(classes), counts_(classes * classes) {}

  void add(std::int64_t truth, std::int64_t said) {
    ++counts_[static_cast<std::size_t>(truth) * classes_ + static_cast<std::size_t>(said)];
  }

  void print(const Terminal& terminal) const {
    constexpr std::size_t width = 6;
    std::string head = right("said", 9);
    for (std::size_t k = 0; k < classes_; ++k) head += right(std::to_string(k), width);
    terminal.out() << terminal.dim(head + right("found", width + 3)) << '\n';
    for (std::size_t i = 0; i < classes_; ++i) {
      std::string line = terminal.dim(right("true " + std::to_string(i), 9));
      std::int64_t all = 0;
      for (std::size_t k = 0; k < classes_; ++k) {
        const std::int64_t count = counts_[i * classes_ + k];
        all += count;
        const std::string text = count == 0 ? std::string(width - 1, ' ') + "·" : right(count, width);
        line += i == k ? terminal.green(text) : count == 0 ? terminal.dim(text) : terminal.red(text);
      }
      const double found = all == 0 ? 0 : static_cast<double>(counts_[i * classes_ + i]) / static_cast<double>(all);
      terminal.out() << line << right(fixed(100 * found, 1) + " %", width + 3) << '\n';
    }
  }

 private:
  std::size_t classes_;
  std::vector<std::int64_t> counts_;
};

}  // namespace example
