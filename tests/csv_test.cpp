/// Tables read from text.
#include <doctest/doctest.h>
#include <fluxion/io/csv.hpp>

#include <clocale>
#include <cmath>
#include <filesystem>
#include <limits>
#include <string>
#include <vector>

namespace fx = fluxion;
namespace fs = std::filesystem;

namespace {

fx::Table parse(std::string_view text, fx::CsvOptions options = {}) { return fx::parse_csv(text, "t.csv", options); }

std::string refusal(std::string_view text, fx::CsvOptions options = {}) {
  try {
    parse(text, options);
  } catch (const fx::FileError& error) {
    return error.what();
  }
  return "no error";
}

fs::path example(const char* name) {
  const fs::path here = fs::path(__FILE__).parent_path().parent_path() / "examples" / "data" / name;
  return fs::exists(here) ? here : fs::path("examples/data") / name;
}

}  // namespace

TEST_CASE("a table has the rows, columns and values of its text") {
  const fx::Table table = parse("1,2.5,-3\n4e2,0,+6\n");
  CHECK(table.rows == 2);
  CHECK(table.columns == 3);
  CHECK(table.values == std::vector<double>{1, 2.5, -3, 400, 0, 6});
  CHECK(table(1, 0) == 400);
  CHECK(table.row(1)[2] == 6);
}

TEST_CASE("line ends may be LF, CRLF or missing at the end, and a byte order mark is skipped") {
  const std::vector<double> values{1, 2, 3, 4};
  for (const char* text : {"1,2\n3,4\n", "1,2\r\n3,4\r\n", "1,2\n3,4", "1,2\r\n3,4",
                           "\xef\xbb\xbf"
                           "1,2\n3,4\n"})
    CHECK(parse(text).values == values);
}

TEST_CASE("blanks around numbers are not part of them") { CHECK(parse(" 1 ,\t2\n").values == std::vector<double>{1, 2}); }

TEST_CASE("a blank can be the delimiter") {
  CHECK(parse("1\t2\n", {.delimiter = '\t'}).columns == 2);
  CHECK(refusal("1  2\n", {.delimiter = ' '}) == "t.csv:1: field 2 is empty");
}

TEST_CASE("infinities and nan are numbers") {
  const fx::Table table = parse("inf,-inf,nan\n");
  CHECK(table.values[0] == std::numeric_limits<double>::infinity());
  CHECK(table.values[1] == -std::numeric_limits<double>::infinity());
  CHECK(std::isnan(table.values[2]));
}

TEST_CASE("the shortest text of a double reads back as the same double") {
  CHECK(parse("0.1,1.7976931348623157e308,4.9406564584124654e-324\n").values ==
        std::vector<double>{0.1, std::numeric_limits<double>::max(), std::numeric_limits<double>::denorm_min()});
}

TEST_CASE("header lines are skipped but counted") {
  CHECK(parse("150,4,names\n5,6\n", {.header_lines = 1}).values == std::vector<double>{5, 6});
  CHECK(refusal("a\nb\n1\nx\n", {.header_lines = 2}) == "t.csv:4: field 1: 'x' is not a number");
}

TEST_CASE("a row of another length is refused with its line") {
  CHECK(refusal("1,2\n3,4\n5\n") == "t.csv:3: expected 2 fields, found 1");
  CHECK(refusal("1,2\n3,4,5\n") == "t.csv:2: expected 2 fields, found 3");
}

TEST_CASE("a field that is not a number is refused with its place") {
  CHECK(refusal("1,2,abc\n") == "t.csv:1: field 3: 'abc' is not a number");
  CHECK(refusal("1\n2x\n") == "t.csv:2: field 1: '2x' is not a number");
  CHECK(refusal("1,,3\n") == "t.csv:1: field 2 is empty");
  CHECK(refusal("1,2,\n") == "t.csv:1: field 3 is empty");
  CHECK(refusal("+-1\n") == "t.csv:1: field 1: '+-1' is not a number");
  CHECK(refusal("0x10\n") == "t.csv:1: field 1: '0x10' is not a number");
  CHECK(refusal("1e\n") == "t.csv:1: field 1: '1e' is not a number");
  CHECK(refusal("\"1\"\n") == "t.csv:1: field 1: '\"1\"' is not a number");
}

TEST_CASE("a number beyond double is refused, not rounded to infinity") {
  CHECK(refusal("1,1e999\n") == "t.csv:1: field 2: '1e999' is out of the range of double");
  CHECK(refusal("-1e999\n") == "t.csv:1: field 1: '-1e999' is out of the range of double");
}

TEST_CASE("an empty line is refused wherever it stands") {
  CHECK(refusal("1\n\n2\n") == "t.csv:2: the line is empty");
  CHECK(refusal("1\n\n") == "t.csv:2: the line is empty");
  CHECK(refusal("1\r\n\r\n") == "t.csv:2: the line is empty");
}

TEST_CASE("a text without rows is refused") {
  CHECK(refusal("") == "t.csv: the file is empty");
  CHECK(refusal("\xef\xbb\xbf") == "t.csv: the file is empty");
  CHECK(refusal("a,b\n", {.header_lines = 1}) == "t.csv: no rows after 1 header lines");
  CHECK(refusal("a,b", {.header_lines = 3}) == "t.csv: no rows after 3 header lines");
}

TEST_CASE("a message shows odd bytes and long fields in one short line") {
  CHECK(refusal(std::string_view("1,\0\x1b\r2\n", 7)) == "t.csv:1: field 2: '\\x00\\x1b\\x0d2' is not a number");
  const std::string message = refusal(std::string(100'000, 'z'));
  CHECK(message.size() < 100);
}

TEST_CASE("a line of a million fields is read") {
  std::string text;
  for (int i = 0; i < 1'000'000; ++i) text += "7,";
  text += "8";
  const fx::Table table = parse(text);
  CHECK(table.columns == 1'000'001);
  CHECK(table.values.back() == 8);
}

TEST_CASE("a long first line and many short ones do not reserve their product") {
  const std::string text = std::string(1'000'000, ',') + std::string(1'000'000, '\n');
  CHECK(refusal("1" + text) == "t.csv:1: field 2 is empty");
}

TEST_CASE("the locale does not change what a number is") {
  if (!std::setlocale(LC_ALL, "de_DE.UTF-8")) {
    MESSAGE("skipped: the locale de_DE.UTF-8 is not installed");
    return;
  }
  CHECK(parse("1.5\n").values[0] == 1.5);
  std::setlocale(LC_ALL, "C");
}

TEST_CASE("a delimiter that numbers are made of is refused") {
  for (const char c : {'.', '-', '5', '\n', 'e'}) CHECK_THROWS_AS(parse("1\n", {.delimiter = c}), fx::ValueError);
}

TEST_CASE("the digits of the examples are 1797 images with labels from 0 to 9") {
  const fx::Table digits = fx::read_csv(example("digits.csv"));
  REQUIRE(digits.rows == 1797);
  REQUIRE(digits.columns == 65);
  for (fx::index_t i = 0; i < digits.rows; ++i) {
    for (const double pixel : digits.row(i).first(64)) REQUIRE((pixel >= 0 && pixel <= 16));
    REQUIRE((digits(i, 64) >= 0 && digits(i, 64) <= 9));
  }
  CHECK(digits(0, 64) == 0);
}

TEST_CASE("a table whose file is missing is refused with the reason") {
  CHECK_THROWS_WITH_AS(fx::read_csv("/no/such/file.csv"), "/no/such/file.csv: cannot be read: no such file or directory",
                       fx::FileError);
}
