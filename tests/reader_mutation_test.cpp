/// The readers on damaged files: each input is read or refused with FileError, and nothing else happens.
#include <doctest/doctest.h>

#include "fuzz/readers.hpp"

#include <algorithm>
#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace {

using Bytes = std::vector<std::byte>;

Bytes bytes_of(std::string_view text) {
  const auto bytes = std::as_bytes(std::span(text));
  return {bytes.begin(), bytes.end()};
}

std::vector<Bytes> csv_files() {
  return {bytes_of("1,2.5,-3e7\r\n4,nan,6\r\n"), bytes_of("\xef\xbb\xbf+1 , 2\n3,inf"),
          bytes_of("0.30000000000000004\n1e308\n")};
}

std::vector<Bytes> json_files() {
  return {bytes_of(R"({"n":-1.5e-3,"s":"\ud83d\ude00\n","u":12,"n2":0})"),
          bytes_of(R"([{"a":[1,2,{"b":null}]},true,false,"\u00e9"])"), bytes_of("{\"s\xc3\xa9\":\"\xf0\x9f\x98\x80\"}")};
}

std::vector<Bytes> idx_files() {
  std::vector<Bytes> files;
  for (const auto& [code, size] : {std::pair<char, int>{8, 1}, {11, 2}, {14, 8}}) {
    const char header[] = {0, 0, code, 2, 0, 0, 0, 2, 0, 0, 0, 3};
    files.push_back(bytes_of({header, sizeof header}));
    files.back().resize(sizeof header + static_cast<std::size_t>(6 * size), std::byte{0x41});
  }
#if defined(FLUXION_WITH_ZLIB)
  Bytes packed(200);
  z_stream stream{};
  REQUIRE(deflateInit2(&stream, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK);
  stream.next_in = reinterpret_cast<Bytef*>(files[1].data());
  stream.avail_in = static_cast<uInt>(files[1].size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  REQUIRE(deflate(&stream, Z_FINISH) == Z_STREAM_END);
  packed.resize(packed.size() - stream.avail_out);
  deflateEnd(&stream);
  files.push_back(packed);
#endif
  return files;
}

std::vector<Bytes> safetensors_files() {
  const Bytes data(24, std::byte{1});
  const fluxion::index_t extents[] = {3, 2};
  const std::span<const std::byte> all(data);
  const fluxion::NamedArrayView arrays[] = {{"weight", fluxion::element_type::float32, extents, all},
                                            {"step", fluxion::element_type::int64, {}, all.first(8)},
                                            {"flags", fluxion::element_type::boolean, extents, all.first(6)}};
  return {fluxion::to_safetensors(arrays, {{"k\n", "v"}}), fluxion::to_safetensors(std::span(arrays).first(1)),
          fluxion::to_safetensors({})};
}

/// Counts what became of the inputs; that the count is reached says that nothing else happened.
struct Tally {
  int accepted = 0;
  int refused = 0;
};

template <class Reader>
Tally mutate(const std::vector<Bytes>& files, Reader reader, int rounds) {
  Tally tally;
  const auto feed = [&](const Bytes& input) { ++(reader(input) ? tally.accepted : tally.refused); };
  for (const Bytes& file : files) {
    feed(file);
    for (std::size_t size = 0; size < file.size(); ++size)
      feed(Bytes(file.begin(), file.begin() + static_cast<std::ptrdiff_t>(size)));
    for (std::size_t bit = 0; bit < 8 * file.size(); ++bit) {
      Bytes input = file;
      input[bit / 8] ^= static_cast<std::byte>(1 << (bit % 8));
      feed(input);
    }
  }
  std::minstd_rand random(1);  // the standard fixes its numbers, so every machine tries the same inputs
  const auto below = [&](std::size_t bound) { return static_cast<std::size_t>(random()) % bound; };
  const std::string_view words[] = {"\"",
                                    "\\",
                                    "{",
                                    "}",
                                    "[",
                                    "]",
                                    ",",
                                    ":",
                                    "0",
                                    "9",
                                    "-",
                                    "e999",
                                    "\\u",
                                    "\n",
                                    "\r",
                                    "nan",
                                    "\xff\xff\xff\xff",
                                    "18446744073709551615",
                                    "data_offsets",
                                    "\x7f\xff\xff\xff"};
  for (int round = 0; round < rounds; ++round) {
    Bytes input = files[below(files.size())];
    for (std::size_t changes = 1 + below(4); changes > 0; --changes) {
      const std::size_t at = below(input.size() + 1);
      const auto place = input.begin() + static_cast<std::ptrdiff_t>(at);
      const std::size_t rest = input.size() - at;
      switch (below(5)) {
        case 0:  // another byte
          if (rest) *place = static_cast<std::byte>(random() & 255);
          break;
        case 1: {  // a word written over or in between
          const Bytes word = bytes_of(words[below(std::size(words))]);
          if (below(2))
            input.insert(place, word.begin(), word.end());
          else
            std::copy_n(word.begin(), std::min(word.size(), rest), place);
          break;
        }
        case 2:  // a part left out
          input.erase(place, place + static_cast<std::ptrdiff_t>(below(rest + 1)));
          break;
        case 3: {  // a part repeated
          const Bytes part(place, place + static_cast<std::ptrdiff_t>(below(rest + 1)));
          input.insert(place, part.begin(), part.end());
          break;
        }
        default: {  // the rest of another file
          const Bytes& other = files[below(files.size())];
          const std::size_t from = below(other.size() + 1);
          input.resize(at);
          input.insert(input.end(), other.begin() + static_cast<std::ptrdiff_t>(from), other.end());
        }
      }
    }
    feed(input);
  }
  return tally;
}

}  // namespace

TEST_CASE("damaged csv is read or refused") {
  const Tally tally = mutate(csv_files(), fuzz::read_csv, 10'000);
  CHECK(tally.accepted > 100);
  CHECK(tally.refused > 1000);
}

TEST_CASE("damaged json is read or refused") {
  const Tally tally = mutate(json_files(), fuzz::read_json, 10'000);
  CHECK(tally.accepted > 100);
  CHECK(tally.refused > 1000);
}

TEST_CASE("damaged idx is read or refused") {
  const Tally tally = mutate(idx_files(), fuzz::read_idx, 10'000);
  CHECK(tally.accepted > 100);
  CHECK(tally.refused > 1000);
}

TEST_CASE("damaged safetensors is read or refused") {
  const Tally tally = mutate(safetensors_files(), fuzz::read_safetensors, 10'000);
  CHECK(tally.accepted > 100);
  CHECK(tally.refused > 1000);
}
