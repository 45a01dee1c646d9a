/// Named arrays in safetensors files.
#include <doctest/doctest.h>
#include <fluxion/io/safetensors.hpp>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <limits>
#include <string>
#include <vector>

namespace fx = fluxion;
namespace fs = std::filesystem;

namespace {

using Bytes = std::vector<std::byte>;

Bytes bytes_of(std::string_view text) {
  const auto bytes = std::as_bytes(std::span(text));
  return {bytes.begin(), bytes.end()};
}

template <class T>
fx::NamedArray make(std::string name, std::vector<fx::index_t> extents, const std::vector<T>& values) {
  fx::NamedArray array{std::move(name), fx::element_type_of<T>, std::move(extents), Bytes(values.size() * sizeof(T))};
  if (!values.empty()) std::memcpy(array.data.data(), values.data(), array.data.size());
  return array;
}

std::vector<fx::NamedArrayView> views_of(const std::vector<fx::NamedArray>& arrays) {
  std::vector<fx::NamedArrayView> views;
  for (const auto& array : arrays) views.push_back(array.view());
  return views;
}

/// A file of this header and so many bytes of data, all 0.
Bytes file_of(std::string_view header, std::size_t data = 0) {
  Bytes file(8);
  for (std::size_t i = 0; i < 8; ++i) file[i] = static_cast<std::byte>(header.size() >> (8 * i));
  const Bytes text = bytes_of(header);
  file.insert(file.end(), text.begin(), text.end());
  file.resize(file.size() + data);
  return file;
}

std::string refusal(const Bytes& file) {
  try {
    fx::parse_safetensors(file, "t");
  } catch (const fx::FileError& error) {
    return error.what();
  }
  return "no error";
}

/// Written by the format's first implementation (0.4 and later): "step", int64, [], 7; "w", float32, [2, 2]; "flag", bool,
/// [3].
const Bytes golden = [] {
  constexpr char header[] =
      "\xe0\0\0\0\0\0\0\0{\"__metadata__\":{\"made by\":\"safetensors \xc3\xa9\\\"\"},"
      "\"step\":{\"dtype\":\"I64\",\"shape\":[],\"data_offsets\":[0,8]},"
      "\"w\":{\"dtype\":\"F32\",\"shape\":[2,2],\"data_offsets\":[8,24]},"
      "\"flag\":{\"dtype\":\"BOOL\",\"shape\":[3],\"data_offsets\":[24,27]}}       ";
  constexpr char data[] = "\x07\0\0\0\0\0\0\0\0\0\xc0\x3f\0\0\0\xc0\0\0@@\0\0\x80>\x01\0\x01";
  Bytes file = bytes_of(std::string_view(header, sizeof header - 1));
  const Bytes rest = bytes_of(std::string_view(data, sizeof data - 1));
  file.insert(file.end(), rest.begin(), rest.end());
  return file;
}();

}  // namespace

TEST_CASE("a file of the first implementation is read") {
  REQUIRE(golden.size() == 259);
  const fx::NamedArrays file = fx::parse_safetensors(golden, "golden");
  CHECK(file.metadata == fx::Metadata{{"made by", "safetensors \xc3\xa9\""}});
  CHECK(file.arrays == std::vector{make<std::int64_t>("step", {}, {7}), make<float>("w", {2, 2}, {1.5f, -2, 3, 0.25f}),
                                   fx::NamedArray{"flag", fx::element_type::boolean, {3}, bytes_of({"\1\0\1", 3})}});
  REQUIRE(file.find("w"));
  CHECK(file.find("w")->type == fx::element_type::float32);
  CHECK_FALSE(file.find("v"));
}

TEST_CASE("the same arrays are written as the same bytes as the first implementation writes") {
  const fx::NamedArrays file = fx::parse_safetensors(golden, "golden");
  CHECK(fx::to_safetensors(views_of(file.arrays), file.metadata) == golden);
}

TEST_CASE("what is written is read again, in the same order, whatever type, shape and name") {
  const std::vector<fx::NamedArray> arrays{
      {"b", fx::element_type::boolean, {3}, bytes_of({"\1\0\1", 3})},
      make<std::int32_t>("i\n\"\\\x01\xc3\xa9\xf0\x9f\x98\x80", {1, 2}, {-1, std::numeric_limits<std::int32_t>::max()}),
      make<double>("", {2}, {0.1, std::numeric_limits<double>::infinity()}),
      make<float>("empty", {4, 0}, {}),
      make<std::int64_t>("scalar", {}, {std::numeric_limits<std::int64_t>::min()}),
  };
  const fx::Metadata metadata{{"", "a\tb"}, {"k", ""}};
  const fs::path path = fs::temp_directory_path() / ("fluxion_safetensors_test" + fx::detail::unique_suffix());
  fx::write_safetensors(path, views_of(arrays), metadata);
  const fx::NamedArrays file = fx::read_safetensors(path);
  CHECK(fx::read_bytes(path) == fx::to_safetensors(views_of(arrays), metadata));
  fs::remove(path);
  CHECK(file.arrays == arrays);
  CHECK(file.metadata == metadata);
}

TEST_CASE("the data begins at a multiple of 8 and every array at a multiple of its element's size") {
  const std::vector<fx::NamedArray> arrays{
      {"b", fx::element_type::boolean, {1}, Bytes(1)}, make<float>("f", {1}, {1.f}), make<double>("d", {1}, {2.0})};
  const Bytes file = fx::to_safetensors(views_of(arrays));
  const auto length = fx::detail::load<std::uint64_t>(file, std::endian::little);
  CHECK(length % 8 == 0);
  const std::string_view header(reinterpret_cast<const char*>(file.data()) + 8, static_cast<std::size_t>(length));
  CHECK(header.find("\"d\":{\"dtype\":\"F64\",\"shape\":[1],\"data_offsets\":[0,8]}") != std::string_view::npos);
  CHECK(header.find("\"f\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[8,12]}") != std::string_view::npos);
  CHECK(header.find("\"b\":{\"dtype\":\"BOOL\",\"shape\":[1],\"data_offsets\":[12,13]}") != std::string_view::npos);
}

TEST_CASE("no arrays are a valid file") {
  CHECK(fx::to_safetensors({}) == file_of("{}      "));
  CHECK(fx::parse_safetensors(file_of("{}"), "t").arrays.empty());
}

TEST_CASE("arrays that the format cannot hold are refused before anything is written") {
  const auto write = [](std::vector<fx::NamedArray> arrays, const fx::Metadata& metadata = {}) {
    fx::to_safetensors(views_of(arrays), metadata);
  };
  CHECK_THROWS_WITH_AS(write({make<float>("a", {3}, {1, 2})}),
                       "write_safetensors: array 'a' of float32 [3] cannot have 8 bytes of data", fx::ValueError);
  CHECK_THROWS_AS(write({make<float>("a", {-1}, {})}), fx::ValueError);
  CHECK_THROWS_WITH_AS(write({make<float>("a", {}, {1}), make<float>("a", {}, {1})}),
                       "write_safetensors: array 'a' appears twice", fx::ValueError);
  CHECK_THROWS_AS(write({make<float>("__metadata__", {}, {1})}), fx::ValueError);
  CHECK_THROWS_AS(write({make<float>("\xff", {}, {1})}), fx::ValueError);
  CHECK_THROWS_AS(write({}, {{"k", "\xc0\x80"}}), fx::ValueError);
}

TEST_CASE("a header that does not fit into its file is refused") {
  CHECK(refusal(bytes_of("1234567")) == "t: byte 0: expected 8 bytes with the length of the header, found 7");
  CHECK(refusal(bytes_of({"\x09\0\0\0\0\0\0\0{}", 10})) == "t: byte 0: expected a header of 9 bytes, found 2");
  CHECK(refusal(bytes_of("\xff\xff\xff\xff\xff\xff\xff\xff{}")) ==
        "t: byte 0: a header of 18446744073709551615 bytes is longer than the format allows");
  CHECK(refusal(file_of("")) == "t: byte 8: the header does not begin with '{'");
  CHECK(refusal(file_of(" {}")) == "t: byte 8: the header does not begin with '{'");
  CHECK(refusal(file_of("{} x")) == "t: byte 11: expected the end");
}

TEST_CASE("an entry with a missing or wrong field is refused with its byte") {
  CHECK(refusal(file_of(R"({"a":{"shape":[],"data_offsets":[0,4]}})", 4)) == "t: byte 13: array 'a': dtype is missing");
  CHECK(refusal(file_of(R"({"a":{"dtype":"F32","data_offsets":[0,4]}})", 4)) == "t: byte 13: array 'a': shape is missing");
  CHECK(refusal(file_of(R"({"a":{"dtype":"F32","shape":[]}})", 4)) == "t: byte 13: array 'a': data_offsets are missing");
  CHECK(refusal(file_of(R"({"a":{"dtype":"F16","shape":[],"data_offsets":[0,2]}})", 2)) ==
        "t: byte 22: array 'a': the dtype 'F16' is not supported");
  CHECK(refusal(file_of(R"({"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}})", 4)) ==
        "t: byte 37: expected a whole number, found '-1'");
  CHECK(refusal(file_of(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4,4]}})", 4)) ==
        "t: byte 55: array 'a': data_offsets are not two numbers");
  CHECK(refusal(file_of(R"({"a":3})")) == "t: byte 13: expected an object");
  CHECK(refusal(file_of(R"({"__metadata__":{"a":1}})")) == "t: byte 29: expected a string");
}

TEST_CASE("fields that are not known are passed over") {
  CHECK(refusal(file_of(R"({"a":{"dtype":"F32","more":[{"x":null}],"shape":[],"data_offsets":[0,4]}})", 4)) == "no error");
}

TEST_CASE("offsets that do not match the shape are refused") {
  CHECK(refusal(file_of(R"({"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}})", 8)) ==
        "t: byte 13: array 'a': F32 [3] takes 12 bytes, but data_offsets are [0, 8]");
  CHECK(refusal(file_of(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[8,4]}})", 8)) ==
        "t: byte 13: array 'a': F32 [1] takes 4 bytes, but data_offsets are [8, 4]");
  CHECK(refusal(file_of(R"({"a":{"dtype":"F32","shape":[9223372036854775807,3],"data_offsets":[0,4]}})", 4)) ==
        "t: byte 13: array 'a': the shape [9223372036854775807, 3] is too large");
  CHECK(refusal(file_of(R"({"a":{"dtype":"F32","shape":[9223372036854775808],"data_offsets":[0,4]}})", 4)) ==
        "t: byte 37: array 'a': the extent is too large");
  CHECK(refusal(file_of(R"({"a":{"dtype":"F32","shape":[99999999999999999999],"data_offsets":[0,4]}})", 4)) ==
        "t: byte 37: the number is too large");
}

TEST_CASE("arrays that leave a gap, overlap or miss the end of the data are refused") {
  const auto two = [](const char* a, const char* b, std::size_t data) {
    const auto entry = [](const char* offsets) {
      return std::string(R"({"dtype":"F32","shape":[1],"data_offsets":)") + offsets + "}";
    };
    const Bytes file = file_of("{\"a\":" + entry(a) + ",\"b\":" + entry(b) + "}", data);
    const std::string message = refusal(file);
    const std::size_t start = file.size() - data;
    // The byte is reported from the front of the file; from the front of the data it is easier to check.
    const std::size_t digits = message.find_first_of("0123456789");
    return digits == std::string::npos
               ? message
               : std::to_string(std::stoul(message.substr(digits)) - start) + message.substr(message.find(':', digits));
  };
  CHECK(two("[0,4]", "[4,8]", 8) == "no error");
  CHECK(two("[4,8]", "[0,4]", 8) == "no error");
  CHECK(two("[0,4]", "[2,6]", 8) == "2: array 'b' overlaps the one before it");
  CHECK(two("[0,4]", "[0,4]", 4).ends_with("overlaps the one before it"));
  CHECK(two("[0,4]", "[8,12]", 12) == "4: the bytes before array 'b' belong to no array");
  CHECK(two("[4,8]", "[8,12]", 12) == "0: the bytes before array 'a' belong to no array");
  CHECK(two("[0,4]", "[4,8]", 9) == "8: bytes after the last array");
  CHECK(two("[0,4]", "[4,8]", 7) == "0: array 'b' ends at byte 8 of the data, which has 7 bytes");
}

TEST_CASE("a boolean that is neither 0 nor 1 is refused with its byte") {
  Bytes file = golden;
  file.back() = std::byte{2};
  CHECK(refusal(file) == "t: byte 258: array 'flag': a boolean is neither 0 nor 1");
}

TEST_CASE("a name that appears twice is refused") {
  CHECK(refusal(file_of(R"({"a":{"dtype":"F32","shape":[0],"data_offsets":[0,0]},"a":{}})")) ==
        "t: byte 62: the name 'a' appears twice");
}
