/// Printing, as NumPy prints with precision 4: aligned columns, `...` inside tensors of more than 1000 elements.
#pragma once
#include "../core/element_type.hpp"
#include "../core/extents.hpp"
#include "tensor.hpp"
#include "view.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <ostream>
#include <string>
#include <type_traits>
#include <vector>

namespace fluxion {

namespace detail {

inline constexpr int print_precision = 4;
inline constexpr index_t print_threshold = 1000;
inline constexpr index_t print_edge = 3;
inline constexpr std::size_t print_line_width = 75;

/// What printing reads: the shape as plain numbers, so that this file is instantiated per element type only.
template <class T>
struct printable {
  const T* data;
  const index_t* extents;
  const index_t* strides;
  int rank;
  bool summarised;

  /// Whether the middle of an axis is left out.
  bool skips(int axis) const { return summarised && extents[axis] > 2 * print_edge; }
};

template <class T>
void collect_printed(const printable<T>& p, int axis, const T* at, std::vector<T>& values) {
  if (axis == p.rank) {
    values.push_back(*at);
    return;
  }
  for (index_t i = 0; i < p.extents[axis]; ++i) {
    if (p.skips(axis) && i == print_edge) i = p.extents[axis] - print_edge;
    collect_printed(p, axis + 1, at + i * p.strides[axis], values);
  }
}

inline void pad_left(std::string& text, std::size_t width) {
  if (text.size() < width) text.insert(0, width - text.size(), ' ');
}
inline void pad_all_left(std::vector<std::string>& texts) {
  std::size_t width = 0;
  for (const auto& text : texts) width = std::max(width, text.size());
  for (auto& text : texts) pad_left(text, width);
}

template <class T, class... Options>
std::string to_characters(T value, Options... options) {
  char buffer[512];  // the longest double in fixed notation has 309 digits before the point
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, value, options...);
  return std::string(buffer, end.ptr);
}

/// The shortest digits that read back as the same number, of which at most four stand after the point: "1.", "0.1235".
template <class T>
std::string fixed_digits(T value) {
  std::string text = to_characters(value, std::chars_format::fixed);
  std::size_t point = text.find('.');
  if (point == std::string::npos) return text + '.';
  if (text.size() - point - 1 > static_cast<std::size_t>(print_precision))
    text = to_characters(value, std::chars_format::fixed, print_precision);
  while (text.back() == '0') text.pop_back();
  return text;
}
/// The same with an exponent: "1.e+10", "1.2346e-05".
template <class T>
std::string scientific_digits(T value) {
  std::string text = to_characters(value, std::chars_format::scientific);
  std::size_t e = text.find('e');
  const std::size_t point = text.find('.');
  if (point == std::string::npos) return text.insert(e, ".");
  if (e - point - 1 > static_cast<std::size_t>(print_precision)) {
    text = to_characters(value, std::chars_format::scientific, print_precision);
    e = text.find('e');
    while (text[e - 1] == '0') text.erase(--e, 1);
  }
  return text;
}

template <class T>
std::vector<std::string> format_floating(const std::vector<T>& values) {
  T largest = 0, smallest = std::numeric_limits<T>::max();
  for (T value : values)
    if (std::isfinite(value) && value != T(0)) {
      largest = std::max(largest, std::abs(value));
      smallest = std::min(smallest, std::abs(value));
    }
  // A float has six digits before they become noise.
  const T cutoff = std::numeric_limits<T>::digits10 < 8 ? T(1e6) : T(1e8);
  const bool exponents =
      largest != T(0) && (largest >= cutoff || smallest < T(1e-4) || largest / smallest > T(1000));

  // Points are aligned: spaces after fixed digits, zeros before an exponent.
  std::vector<std::string> texts;
  std::size_t before = 0, after = 0;
  const auto fraction_end = [&](const std::string& text) { return exponents ? text.find('e') : text.size(); };
  for (T value : values) {
    if (!std::isfinite(value)) {
      texts.push_back(std::isnan(value) ? "nan" : value < T(0) ? "-inf" : "inf");
      continue;
    }
    texts.push_back(exponents ? scientific_digits(value) : fixed_digits(value));
    const std::string& text = texts.back();
    const std::size_t point = text.find('.');
    before = std::max(before, point);
    after = std::max(after, fraction_end(text) - point - 1);
  }
  for (std::size_t i = 0; i < values.size(); ++i) {
    std::string& text = texts[i];
    if (!std::isfinite(values[i])) continue;
    const std::size_t end = fraction_end(text);
    text.insert(end, after - (end - text.find('.') - 1), exponents ? '0' : ' ');
  }
  if (exponents) {  // exponents of three digits make room for the others
    std::size_t digits = 0;
    for (std::size_t i = 0; i < values.size(); ++i)
      if (std::isfinite(values[i])) digits = std::max(digits, texts[i].size() - texts[i].find('e'));
    for (std::size_t i = 0; i < values.size(); ++i)
      if (std::isfinite(values[i]))
        while (texts[i].size() - texts[i].find('e') < digits) texts[i].insert(texts[i].find('e') + 2, "0");
  }
  pad_all_left(texts);
  return texts;
}

template <class T>
std::vector<std::string> format_elements(const std::vector<T>& values, int rank) {
  if constexpr (std::is_same_v<T, bool>) {
    std::vector<std::string> texts;
    for (const bool value : values) texts.push_back(value ? (rank == 0 ? "True" : " True") : "False");
    return texts;
  } else if constexpr (std::is_integral_v<T>) {
    std::vector<std::string> texts;
    for (T value : values) texts.push_back(std::to_string(value));
    pad_all_left(texts);
    return texts;
  } else {
    return format_floating(values);
  }
}

/// The brackets, line breaks and indentation around formatted elements, taken in order.
class BracketPrinter {
 public:
  BracketPrinter(const index_t* extents, int rank, bool summarised, const std::string* words)
      : extents_(extents), rank_(rank), summarised_(summarised), word_(words) {}

  std::string print(int axis, std::size_t width) {
    if (axis == rank_) return *word_++;
    const std::string indent(static_cast<std::size_t>(axis) + 1, ' ');
    const index_t n = extents_[axis];
    const bool skips = summarised_ && n > 2 * print_edge;
    std::string text;
    std::string line = indent;
    for (index_t i = 0; i < n; ++i) {
      if (skips && i == print_edge) {
        if (axis == rank_ - 1) append(text, line, "...", width - 1, indent), line += ' ';
        else text += indent + "..." + separator(axis);
        i = n - print_edge;
      }
      const bool last = i == n - 1;
      if (axis == rank_ - 1) {
        append(text, line, print(axis + 1, width - 1), last ? width : width - 1, indent);
        if (!last) line += ' ';
      } else {
        text += indent + print(axis + 1, width - 1);
        if (!last) text += separator(axis);
      }
    }
    if (axis == rank_ - 1) text += line;
    return '[' + text.substr(indent.size()) + ']';
  }

 private:
  std::string separator(int axis) const { return std::string(static_cast<std::size_t>(rank_ - axis - 1), '\n'); }

  static void append(std::string& text, std::string& line, const std::string& word, std::size_t width,
                     const std::string& indent) {
    if (line.size() + word.size() > width && line.size() > indent.size()) {
      while (line.back() == ' ') line.pop_back();
      text += line + '\n';
      line = indent;
    }
    line += word;
  }

  const index_t* extents_;
  int rank_;
  bool summarised_;
  const std::string* word_;
};

template <class T>
std::string print_elements(const T* data, const index_t* extents, const index_t* strides, int rank) {
  index_t size = 1;
  for (int axis = 0; axis < rank; ++axis) size *= extents[axis];
  if (size == 0) return "[]";
  const printable<T> p{data, extents, strides, rank, size > print_threshold};
  std::vector<T> values;
  collect_printed(p, 0, data, values);
  const std::vector<std::string> words = format_elements(values, rank);
  return BracketPrinter(extents, rank, p.summarised, words.data()).print(0, print_line_width);
}

}  // namespace detail

/// The elements as NumPy prints them: "[[1. 2.]\n [3. 4.]]".
template <class T, class E, class L>
std::string to_string(const View<T, E, L>& view) {
  const auto extents = view.extents().to_array();
  const auto strides = view.strides();
  return detail::print_elements<std::remove_const_t<T>>(view.const_data(), extents.data(), strides.data(), E::rank());
}
template <class T, class E>
std::string to_string(const Tensor<T, E, cpu_t>& tensor) { return to_string(tensor.view()); }

template <class T, class E, class L>
std::ostream& operator<<(std::ostream& out, const View<T, E, L>& view) { return out << to_string(view); }
template <class T, class E>
std::ostream& operator<<(std::ostream& out, const Tensor<T, E, cpu_t>& tensor) { return out << to_string(tensor); }

}  // namespace fluxion
