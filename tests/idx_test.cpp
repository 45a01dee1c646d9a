/// IDX files, plain and gzip.
#include <doctest/doctest.h>
#include <fluxion/io/idx.hpp>

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string>
#include <vector>

namespace fx = fluxion;
namespace fs = std::filesystem;

namespace {

using Bytes = std::vector<std::byte>;

Bytes bytes(std::initializer_list<int> values) {
  Bytes result;
  for (const int value : values) result.push_back(static_cast<std::byte>(value));
  return result;
}

std::string refusal(const Bytes& file) {
  try {
    fx::parse_idx(file, "t.idx");
  } catch (const fx::FileError& error) {
    return error.what();
  }
  return "no error";
}

template <class T>
std::vector<T> values(const fx::IdxArray& array) {
  std::vector<T> result(array.data.size() / sizeof(T));
  std::memcpy(result.data(), array.data.data(), array.data.size());
  return result;
}

}  // namespace

TEST_CASE("an image file has its extents and its pixels") {
  const auto array = fx::parse_idx(bytes({0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 3, 1, 2, 3, 4, 5, 255}), "t.idx");
  CHECK(array.element == fx::IdxElement::uint8);
  CHECK(array.extents == std::vector<fx::index_t>{2, 1, 3});
  CHECK(array.data == bytes({1, 2, 3, 4, 5, 255}));
}

TEST_CASE("elements of more than one byte come in the machine's byte order") {
  CHECK(values<std::int16_t>(fx::parse_idx(bytes({0, 0, 11, 1, 0, 0, 0, 2, 1, 2, 255, 254}), "t")) ==
        std::vector<std::int16_t>{258, -2});
  CHECK(values<std::int32_t>(fx::parse_idx(bytes({0, 0, 12, 1, 0, 0, 0, 1, 0, 0, 1, 2}), "t")) ==
        std::vector<std::int32_t>{258});
  CHECK(values<float>(fx::parse_idx(bytes({0, 0, 13, 1, 0, 0, 0, 1, 0x3f, 0xc0, 0, 0}), "t")) == std::vector<float>{1.5f});
  CHECK(values<double>(fx::parse_idx(bytes({0, 0, 14, 1, 0, 0, 0, 1, 0xc0, 0, 0, 0, 0, 0, 0, 0}), "t")) ==
        std::vector<double>{-2.0});
  CHECK(values<std::int8_t>(fx::parse_idx(bytes({0, 0, 9, 1, 0, 0, 0, 1, 255}), "t")) == std::vector<std::int8_t>{-1});
}

TEST_CASE("rank 0 is one element and an extent of 0 is none") {
  CHECK(fx::parse_idx(bytes({0, 0, 8, 0, 7}), "t").data == bytes({7}));
  const auto array = fx::parse_idx(bytes({0, 0, 8, 2, 0, 0, 0, 5, 0, 0, 0, 0}), "t");
  CHECK(array.extents == std::vector<fx::index_t>{5, 0});
  CHECK(array.data.empty());
}

TEST_CASE("what is not an idx header is refused with its byte") {
  CHECK(refusal({}) == "t.idx: byte 0: the header is truncated: expected 4 bytes, found 0");
  CHECK(refusal(bytes({0, 0, 8})) == "t.idx: byte 3: the header is truncated: expected 4 bytes, found 3");
  CHECK(refusal(bytes({0x89, 'P', 'N', 'G'})) == "t.idx: byte 0: not an idx file: it does not begin with two zero bytes");
  CHECK(refusal(bytes({0, 0, 10, 1, 0, 0, 0, 0})) == "t.idx: byte 2: unknown element type 10");
  CHECK(refusal(bytes({0, 0, 8, 3, 0, 0, 0, 2, 0})) ==
        "t.idx: byte 9: the header is truncated: expected 3 extents in 12 bytes, found 5");
}

TEST_CASE("data that is too short or too long is refused with both sizes") {
  CHECK(refusal(bytes({0, 0, 8, 1, 0, 0, 0, 3, 1, 2})) == "t.idx: byte 8: expected 3 bytes of data, found 2");
  CHECK(refusal(bytes({0, 0, 8, 1, 0, 0, 0, 3, 1, 2, 3, 4})) == "t.idx: byte 11: expected 3 bytes of data, found more");
}

TEST_CASE("a header that promises more than memory holds is refused without allocating it") {
  CHECK(refusal(bytes({0, 0, 14, 1, 255, 255, 255, 255, 1})) ==
        "t.idx: byte 8: expected 34359738360 bytes of data, found 1");
  CHECK(refusal(bytes({0, 0, 8, 2, 127, 255, 255, 255, 127, 255, 255, 255})) ==
        "t.idx: byte 12: expected 4611686014132420609 bytes of data, found 0");
  CHECK(refusal(bytes({0, 0, 8, 2, 255, 255, 255, 255, 255, 255, 255, 255})) ==
        "t.idx: byte 4: the extents [4294967295, 4294967295] are too large");
}

TEST_CASE("extents that overflow are refused even beside an extent of 0") {
  CHECK(refusal(bytes({0, 0, 14, 3, 255, 255, 255, 255, 255, 255, 255, 255, 0, 0, 0, 0})) ==
        "t.idx: byte 4: the extents [4294967295, 4294967295, 0] are too large");
}

#if defined(FLUXION_WITH_ZLIB)

namespace {

Bytes gzip(const Bytes& plain) {
  z_stream stream{};
  REQUIRE(deflateInit2(&stream, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK);
  Bytes result(deflateBound(&stream, static_cast<uLong>(plain.size())) + 64);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(plain.data()));
  stream.avail_in = static_cast<uInt>(plain.size());
  stream.next_out = reinterpret_cast<Bytef*>(result.data());
  stream.avail_out = static_cast<uInt>(result.size());
  REQUIRE(deflate(&stream, Z_FINISH) == Z_STREAM_END);
  result.resize(result.size() - stream.avail_out);
  deflateEnd(&stream);
  return result;
}

Bytes ramp(int size) {
  Bytes file = bytes({0, 0, 8, 1, 0, size >> 16, size >> 8 & 255, size & 255});
  for (int i = 0; i < size; ++i) file.push_back(static_cast<std::byte>(i % 251 * i % 253));
  return file;
}

}  // namespace

TEST_CASE("a gzip file holds the same array as the plain one") {
  for (const int size : {0, 1, 1000, 300'000}) {
    const Bytes plain = ramp(size);
    CHECK(fx::parse_idx(gzip(plain), "t").data == fx::parse_idx(plain, "t").data);
  }
}

TEST_CASE("concatenated gzip files are one") {
  const Bytes plain = ramp(1000);
  Bytes file = gzip(Bytes(plain.begin(), plain.begin() + 10));
  const Bytes second = gzip(Bytes(plain.begin() + 10, plain.end()));
  file.insert(file.end(), second.begin(), second.end());
  CHECK(fx::parse_idx(file, "t").data == fx::parse_idx(plain, "t").data);
}

TEST_CASE("a gzip file that is cut anywhere is refused") {
  const Bytes file = gzip(ramp(100));
  for (std::size_t size = 2; size < file.size(); ++size)
    CHECK(refusal(Bytes(file.begin(), file.begin() + static_cast<std::ptrdiff_t>(size))).find("truncated") !=
          std::string::npos);
}

TEST_CASE("a damaged gzip file is refused") {
  Bytes file = gzip(ramp(1000));
  file[file.size() - 8] ^= std::byte{1};
  CHECK(refusal(file).ends_with("of the gzip data: incorrect data check"));
  file = gzip(ramp(10));
  file.push_back(std::byte{0});
  CHECK(refusal(file).ends_with("of the gzip data: bytes after the end"));
}

TEST_CASE("sizes in a message count bytes after decompression") {
  Bytes plain = ramp(1000);
  plain.resize(131);
  CHECK(refusal(gzip(plain)) == "t.idx: byte 8: expected 1000 bytes of data, found 123");
  plain = ramp(1000);
  plain.resize(2000);
  CHECK(refusal(gzip(plain)) == "t.idx: byte 1008: expected 1000 bytes of data, found more");
}

TEST_CASE("MNIST is 60000 images of 28 by 28 and as many labels") {
  const char* variable = std::getenv("FLUXION_DATA");
  const fs::path root = fs::path(__FILE__).parent_path().parent_path();
  const fs::path folder = (variable ? fs::path(variable) : root / ".." / "shared" / "data") / "mnist";
  if (!fs::exists(folder)) {
    MESSAGE("skipped: MNIST is not here; set FLUXION_DATA to the folder that holds it");
    return;
  }
  const fx::IdxArray images = fx::read_idx(folder / "train-images-idx3-ubyte.gz");
  CHECK(images.element == fx::IdxElement::uint8);
  CHECK(images.extents == std::vector<fx::index_t>{60000, 28, 28});
  CHECK(images.data.size() == 47'040'000);
  const fx::IdxArray labels = fx::read_idx(folder / "t10k-labels-idx1-ubyte.gz");
  CHECK(labels.extents == std::vector<fx::index_t>{10000});
  CHECK(Bytes(labels.data.begin(), labels.data.begin() + 5) == bytes({7, 2, 1, 0, 4}));
}

#else

TEST_CASE("without zlib a gzip file is refused with what to do") {
  CHECK(refusal(bytes({0x1f, 0x8b, 8})) ==
        "t.idx: gzip needs zlib: define FLUXION_WITH_ZLIB and link zlib, or unpack the file");
}

#endif
