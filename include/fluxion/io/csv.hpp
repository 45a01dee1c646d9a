/// Tables of numbers as comma-separated text. Strict: what is not a full rectangle of numbers is an error with its line.
#pragma once
#include "../core/extents.hpp"
#include "file.hpp"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace fluxion {

/// How a table is written.
struct CsvOptions {
  char delimiter = ',';
  index_t header_lines = 0;  ///< lines skipped before the first row
};

/// Numbers in rows, one row after the other.
struct Table {
  index_t rows = 0;
  index_t columns = 0;
  std::vector<double> values;

  std::span<const double> row(index_t i) const {
    return std::span(values).subspan(static_cast<std::size_t>(i * columns), static_cast<std::size_t>(columns));
  }
  double operator()(index_t i, index_t column) const { return values[static_cast<std::size_t>(i * columns + column)]; }
};

/// Reads a table from text; `name` stands for it in messages. Lines end in LF or CRLF, the last one may have no end; blanks
/// around a number are allowed; inf and nan are numbers; the locale does not matter. Throws FileError on an empty text, an
/// empty line or field, rows of different lengths, and anything that is not a number within the range of double.
inline Table parse_csv(std::string_view text, std::string_view name, CsvOptions options = {});

/// Reads a table from a file, as `parse_csv` does.
inline Table read_csv(const std::filesystem::path& path, CsvOptions options = {}) {
  const std::string text = read_text(path);
  return parse_csv(text, path.string(), options);
}

namespace detail {

[[noreturn]] inline void raise_at_line(std::string_view name, index_t line, const std::string& message) {
  raise<FileError>(std::string(name) + ":" + std::to_string(line) + ": " + message);
}

inline std::string_view without_blanks(std::string_view field) {
  const auto is_blank = [](char c) { return c == ' ' || c == '\t'; };
  while (!field.empty() && is_blank(field.front())) field.remove_prefix(1);
  while (!field.empty() && is_blank(field.back())) field.remove_suffix(1);
  return field;
}

inline double parse_field(std::string_view field, std::string_view name, index_t line, index_t column) {
  std::string_view digits = without_blanks(field);
  if (digits.empty()) raise_at_line(name, line, "field " + std::to_string(column) + " is empty");
  // from_chars knows no plus sign in front of a number; files do.
  if (digits.size() > 1 && digits[0] == '+' && digits[1] != '-') digits.remove_prefix(1);
  double value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error == std::errc() && end == digits.data() + digits.size()) return value;
  const bool is_number = error == std::errc::result_out_of_range && end == digits.data() + digits.size();
  raise_at_line(name, line,
                "field " + std::to_string(column) + ": " + in_quotes(field) +
                    (is_number ? " is out of the range of double" : " is not a number"));
}

}  // namespace detail

inline Table parse_csv(std::string_view text, std::string_view name, CsvOptions options) {
  if (std::string_view("0123456789+-.eE\r\n").find(options.delimiter) != std::string_view::npos)
    raise<ValueError>("csv: the delimiter " + detail::in_quotes(std::string_view(&options.delimiter, 1)) +
                      " cannot separate numbers");
  if (options.header_lines < 0) raise<ValueError>("csv: header_lines is negative");
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);  // the byte order mark that spreadsheets write
  if (text.empty()) detail::raise_file_error(name, "the file is empty");

  Table table;
  for (index_t line = 1; !text.empty(); ++line) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view rest = text.substr(0, end);
    const std::string_view following = text.substr(std::min(end + 1, text.size()));
    text = following;
    if (line <= options.header_lines) continue;
    if (rest.ends_with('\r')) rest.remove_suffix(1);
    if (rest.empty()) detail::raise_at_line(name, line, "the line is empty");

    const auto found = static_cast<index_t>(std::count(rest.begin(), rest.end(), options.delimiter)) + 1;
    if (table.rows == 0) {
      table.columns = found;
      // A number and what ends it take two characters at least: lines that turn out to be short do not reserve memory.
      const auto lines = static_cast<std::size_t>(std::count(following.begin(), following.end(), '\n')) + 2;
      const std::size_t most = (rest.size() + following.size()) / 2 + 1;
      const auto columns = static_cast<std::size_t>(found);
      table.values.reserve(lines > most / columns ? most : lines * columns);
    } else if (found != table.columns) {
      detail::raise_at_line(name, line,
                            "expected " + std::to_string(table.columns) + " fields, found " + std::to_string(found));
    }
    for (index_t column = 1; column <= found; ++column) {
      const std::size_t field_end = std::min(rest.find(options.delimiter), rest.size());
      table.values.push_back(detail::parse_field(rest.substr(0, field_end), name, line, column));
      rest.remove_prefix(std::min(field_end + 1, rest.size()));
    }
    ++table.rows;
  }
  if (table.rows == 0)
    detail::raise_file_error(name, "no rows after " + std::to_string(options.header_lines) + " header lines");
  return table;
}

}  // namespace fluxion
