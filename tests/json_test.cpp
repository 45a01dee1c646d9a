/// The strict reader of JSON.
#include <doctest/doctest.h>
#include <fluxion/io/json.hpp>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

namespace fx = fluxion;

namespace {

std::string refusal(std::string_view text) {
  try {
    fx::JsonReader json(text, "t");
    json.skip_value();
    json.expect_end();
  } catch (const fx::FileError& error) {
    return error.what();
  }
  return "no error";
}

std::string text_of(std::string_view text) { return fx::JsonReader(text, "t").read_string(); }

}  // namespace

TEST_CASE("json values of every kind are accepted") {
  for (const char* text :
       {"{}", "[]", "\"\"", "0", "-0", "-1.5e+3", "1E9", "true", "false", "null", " [ 1 , { \"a\" : [ ] } ] \n"})
    CHECK(refusal(text) == "no error");
}

TEST_CASE("what is almost json is refused") {
  for (const char* text : {"",           " ",           "{",
                           "[",          "[1",          "[1,]",
                           "[,1]",       "{\"a\"}",     "{\"a\":}",
                           "{\"a\":1,}", "{a:1}",       "01",
                           "-",          "1.",          ".5",
                           "+1",         "1e",          "1e+",
                           "0x1",        "tru",         "nul",
                           "True",       "NaN",         "'a'",
                           "\"a",        "\"\\",        "\"\\x\"",
                           "\"\\u12\"",  "\"\\u12g4\"", "\"\n\"",
                           "1 2",        "[1 2]",       "{\"a\":1 \"b\":2}",
                           "[]]",        "//\n1"}) {
    CAPTURE(text);
    CHECK(refusal(text) != "no error");
  }
  CHECK(refusal("{\"a\":1,\"b\":2,\"a\":3}") == "t: byte 13: the name 'a' appears twice");
}

TEST_CASE("escapes become the characters that they stand for") {
  CHECK(text_of(R"("\"\\\/\b\f\n\r\t")") == "\"\\/\b\f\n\r\t");
  CHECK(text_of(R"("\u0041\u00e9\u20AC\ud83d\ude00")") == "A\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80");
  CHECK(text_of(R"("\u0000")") == std::string(1, '\0'));
}

TEST_CASE("halves of surrogate pairs and bytes that are not utf-8 are refused") {
  for (const char* text :
       {R"("\ud83d")", R"("\ud83d\u0041")", R"("\ude00")", R"("\ud83dx")", "\"\x80\"", "\"\xc3\"", "\"\xc0\x80\"",
        "\"\xed\xa0\x80\"", "\"\xe0\x80\x80\"", "\"\xf4\x90\x80\x80\"", "\"\xf5\x80\x80\x80\"", "\"\xff\""}) {
    CAPTURE(text);
    CHECK(refusal(text) != "no error");
  }
  CHECK(refusal("\"\xef\xbf\xbf\xf4\x8f\xbf\xbf\xed\x9f\xbf\"") == "no error");
}

TEST_CASE("the depth of json is bounded") {
  constexpr std::size_t most = fx::JsonReader::max_depth;
  CHECK(refusal(std::string(most, '[') + std::string(most, ']')) == "no error");
  CHECK(refusal(std::string(most + 1, '[')) == "t: byte 65: nested deeper than 64 levels");
  CHECK(refusal(std::string(1'000'000, '[')) == "t: byte 65: nested deeper than 64 levels");
}

TEST_CASE("json numbers are read as the type asked for") {
  CHECK(fx::JsonReader(" -2.5e-1", "t").read_number() == -0.25);
  CHECK(fx::JsonReader("18446744073709551615", "t").read_unsigned() == std::numeric_limits<std::uint64_t>::max());
  CHECK_THROWS_AS(fx::JsonReader("18446744073709551616", "t").read_unsigned(), fx::FileError);
  CHECK_THROWS_AS(fx::JsonReader("1.0", "t").read_unsigned(), fx::FileError);
  CHECK_THROWS_AS(fx::JsonReader("1e999", "t").read_number(), fx::FileError);
}
