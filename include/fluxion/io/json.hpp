/// A strict reader of JSON (RFC 8259) that builds nothing: the caller asks for the value it expects. Depth is bounded,
/// duplicate names are refused, strings are checked to be UTF-8.
#pragma once
#include "file.hpp"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <set>
#include <string>
#include <string_view>

namespace fluxion {

/// Reads one JSON text front to back. Every function throws FileError "name: byte 12: expected a string" if what comes next
/// is something else; `first_byte` is where the text begins in its file. Text and name must outlive the reader.
class JsonReader {
 public:
  static constexpr int max_depth = 64;

  explicit JsonReader(std::string_view text, std::string_view name, std::uint64_t first_byte = 0)
      : text_(text), name_(name), first_byte_(first_byte) {}

  /// Reads an object; calls `member(name)` before each value, which must read that value.
  template <class F>
  void read_object(F&& member) {
    enter('{', "an object");
    std::set<std::string, std::less<>> names;
    for (bool first = true; !leave('}', first); first = false) {
      skip_space();
      const std::uint64_t start = byte();
      const auto [name, is_new] = names.insert(read_string());
      if (!is_new) fail("the name " + detail::in_quotes(*name) + " appears twice", start);
      if (!accept(':')) fail("expected ':'");
      member(std::string_view(*name));
    }
  }

  /// Reads an array; calls `element()` before each value, which must read that value.
  template <class F>
  void read_array(F&& element) {
    enter('[', "an array");
    for (bool first = true; !leave(']', first); first = false) element();
  }

  /// Reads a string, its escapes resolved, as UTF-8.
  std::string read_string();

  /// Reads a whole number that is not negative.
  std::uint64_t read_unsigned() {
    const std::string_view digits = number();
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (error == std::errc::result_out_of_range) fail("the number is too large", byte() - digits.size());
    if (error != std::errc() || end != digits.data() + digits.size())
      fail("expected a whole number, found " + detail::in_quotes(digits), byte() - digits.size());
    return value;
  }

  /// Reads any number.
  double read_number() {
    const std::string_view digits = number();
    double value = 0;
    if (std::from_chars(digits.data(), digits.data() + digits.size(), value).ec != std::errc())
      fail("the number is out of the range of double", byte() - digits.size());
    return value;
  }

  /// Reads a value of any kind and drops it.
  void skip_value() {
    skip_space();
    const char next = position_ < text_.size() ? text_[position_] : '\0';
    if (next == '{')
      read_object([this](std::string_view) { skip_value(); });
    else if (next == '[')
      read_array([this] { skip_value(); });
    else if (next == '"')
      read_string();
    else if (next == '-' || is_digit(next))
      number();
    else if (!accept_word("true") && !accept_word("false") && !accept_word("null"))
      fail("expected a value");
  }

  /// Checks that nothing but white space is left.
  void expect_end() {
    skip_space();
    if (position_ != text_.size()) fail("expected the end");
  }

  /// Where the next value begins in the file.
  std::uint64_t next_byte() {
    skip_space();
    return byte();
  }

  /// Throws the FileError that says so, at the next byte or at the given one.
  [[noreturn]] void fail(const std::string& message) const { fail(message, byte()); }
  [[noreturn]] void fail(const std::string& message, std::uint64_t at) const { detail::raise_at_byte(name_, at, message); }

 private:
  static bool is_digit(char c) { return c >= '0' && c <= '9'; }
  std::uint64_t byte() const { return first_byte_ + position_; }

  void skip_space() { position_ = std::min(text_.find_first_not_of(" \t\n\r", position_), text_.size()); }

  bool accept(char c) {
    skip_space();
    if (position_ == text_.size() || text_[position_] != c) return false;
    ++position_;
    return true;
  }

  bool accept_word(std::string_view word) {
    if (!text_.substr(position_).starts_with(word)) return false;
    position_ += word.size();
    return true;
  }

  void enter(char bracket, const char* what) {
    if (!accept(bracket)) fail(std::string("expected ") + what);
    if (++depth_ > max_depth) fail("nested deeper than " + std::to_string(max_depth) + " levels");
  }

  /// Whether the bracket closes here; if not, what separates two values has been read.
  bool leave(char bracket, bool first) {
    if (accept(bracket)) {
      --depth_;
      return true;
    }
    if (!first && !accept(',')) fail(bracket == '}' ? "expected ',' or '}'" : "expected ',' or ']'");
    return false;
  }

  std::size_t digits() {
    const std::size_t start = position_;
    while (position_ < text_.size() && is_digit(text_[position_])) ++position_;
    return position_ - start;
  }

  std::string_view number() {
    skip_space();
    const std::size_t start = position_;
    const auto next_is = [this](std::string_view set) {
      return position_ < text_.size() && set.find(text_[position_]) != std::string_view::npos;
    };
    if (next_is("-")) ++position_;
    if (!next_is("0123456789")) fail("expected a number");
    const bool zero = next_is("0");
    if (digits() > 1 && zero) fail("a number does not begin with 0", first_byte_ + start);
    if (next_is(".")) {
      ++position_;
      if (digits() == 0) fail("expected a digit");
    }
    if (next_is("eE")) {
      ++position_;
      if (next_is("+-")) ++position_;
      if (digits() == 0) fail("expected a digit");
    }
    return text_.substr(start, position_ - start);
  }

  std::uint32_t four_digits() {
    std::uint32_t value = 0;
    const std::string_view digits = text_.substr(position_, 4);
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
    if (error != std::errc() || digits.size() != 4 || end != digits.data() + 4) fail("expected four hexadecimal digits");
    position_ += 4;
    return value;
  }

  /// The code point of an escape after its 'u', two escapes where it is a surrogate pair.
  std::uint32_t escaped_code_point() {
    const std::uint64_t start = byte();
    const std::uint32_t unit = four_digits();
    if (unit < 0xd800 || unit > 0xdfff) return unit;
    if (unit > 0xdbff || !accept_word("\\u")) fail("half of a surrogate pair", start);
    const std::uint32_t second = four_digits();
    if (second < 0xdc00 || second > 0xdfff) fail("half of a surrogate pair", start);
    return 0x10000 + ((unit - 0xd800) << 10) + (second - 0xdc00);
  }

  std::string_view text_;
  std::string_view name_;
  std::uint64_t first_byte_;
  std::size_t position_ = 0;
  int depth_ = 0;
};

namespace detail {

/// Bytes of the UTF-8 sequence at the front of `text`; 0 if there is none (overlong, surrogate, above U+10FFFF, cut off).
inline std::size_t utf8_length(std::string_view text) {
  const auto at = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u; };
  const auto follows = [&](std::size_t i) { return (at(i) & 0xc0u) == 0x80u; };
  const unsigned lead = at(0), second = at(1);
  if (text.empty()) return 0;
  if (lead < 0x80) return 1;
  if (lead >= 0xc2 && lead <= 0xdf) return follows(1) ? 2 : 0;
  if (lead >= 0xe0 && lead <= 0xef) {
    const bool allowed = (lead != 0xe0 || second >= 0xa0) && (lead != 0xed || second < 0xa0);
    return allowed && follows(1) && follows(2) ? 3 : 0;
  }
  if (lead >= 0xf0 && lead <= 0xf4) {
    const bool allowed = (lead != 0xf0 || second >= 0x90) && (lead != 0xf4 || second < 0x90);
    return allowed && follows(1) && follows(2) && follows(3) ? 4 : 0;
  }
  return 0;
}

inline bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const std::size_t length = utf8_length(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

inline void append_utf8(std::string& text, std::uint32_t code_point) {
  const auto put = [&](std::uint32_t byte) { text += static_cast<char>(static_cast<unsigned char>(byte)); };
  if (code_point < 0x80) return put(code_point);
  if (code_point < 0x800)
    put(0xc0 | code_point >> 6);
  else {
    if (code_point < 0x10000)
      put(0xe0 | code_point >> 12);
    else {
      put(0xf0 | code_point >> 18);
      put(0x80 | (code_point >> 12 & 0x3f));
    }
    put(0x80 | (code_point >> 6 & 0x3f));
  }
  put(0x80 | (code_point & 0x3f));
}

/// A string as JSON writes it. It must be UTF-8.
inline std::string json_string(std::string_view text) {
  constexpr char digits[] = "0123456789abcdef";
  constexpr std::string_view special = "\"\\\b\f\n\r\t", letters = "\"\\bfnrt";
  std::string result = "\"";
  for (char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (const std::size_t i = special.find(c); i != std::string_view::npos)
      (result += '\\') += letters[i];
    else if (byte < 0x20)
      (result += "\\u00") += {digits[byte >> 4], digits[byte & 15]};
    else
      result += c;
  }
  return result + '"';
}

}  // namespace detail

inline std::string JsonReader::read_string() {
  if (!accept('"')) fail("expected a string");
  std::string result;
  for (;;) {
    if (position_ == text_.size()) fail("the string does not end");
    const char c = text_[position_];
    if (c == '"') {
      ++position_;
      return result;
    }
    if (static_cast<unsigned char>(c) < 0x20) fail("a control character in a string");
    if (c != '\\') {
      const std::size_t length = detail::utf8_length(text_.substr(position_));
      if (length == 0) fail("the string is not utf-8");
      result += text_.substr(position_, length);
      position_ += length;
      continue;
    }
    constexpr std::string_view letters = "\"\\/bfnrt", meanings = "\"\\/\b\f\n\r\t";
    const char letter = ++position_ < text_.size() ? text_[position_++] : '\0';
    if (letter == 'u')
      detail::append_utf8(result, escaped_code_point());
    else if (const std::size_t i = letters.find(letter); i != std::string_view::npos)
      result += meanings[i];
    else
      fail("unknown escape", byte() - (letter != '\0'));
  }
}

}  // namespace fluxion
