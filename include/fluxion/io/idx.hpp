/// IDX, the format of MNIST: a big-endian header of element type, rank and extents, then the elements. Plain or gzip.
#pragma once
#include "bytes.hpp"
#include "file.hpp"
#include "gzip.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace fluxion {

/// The element types of IDX with their codes in the file.
enum class IdxElement : std::uint8_t {
  uint8 = 0x08,
  int8 = 0x09,
  int16 = 0x0b,
  int32 = 0x0c,
  float32 = 0x0d,
  float64 = 0x0e
};

/// Bytes of one element; 0 for a code that IDX does not have.
constexpr std::size_t size_of(IdxElement element) {
  switch (element) {
    case IdxElement::uint8:
    case IdxElement::int8:
      return 1;
    case IdxElement::int16:
      return 2;
    case IdxElement::int32:
    case IdxElement::float32:
      return 4;
    case IdxElement::float64:
      return 8;
  }
  return 0;
}

/// An array in row-major order, its elements in the machine's byte order.
struct IdxArray {
  IdxElement element = IdxElement::uint8;
  std::vector<index_t> extents;
  std::vector<std::byte> data;
};

namespace detail {

/// Bytes in memory, read front to back.
class MemorySource {
 public:
  explicit MemorySource(std::span<const std::byte> bytes) : rest_(bytes) {}
  std::size_t read(std::span<std::byte> out) {
    const std::size_t count = std::min(out.size(), rest_.size());
    std::copy_n(rest_.begin(), count, out.begin());
    rest_ = rest_.subspan(count);
    return count;
  }

 private:
  std::span<const std::byte> rest_;
};

/// The next `count` bytes, or as many as there are. Memory grows with what was found, never with what was promised.
template <class Source>
std::vector<std::byte> take(Source& source, std::size_t count) {
  constexpr std::size_t smallest = std::size_t{1} << 16;
  std::vector<std::byte> bytes;
  while (bytes.size() < count) {
    const std::size_t before = bytes.size();
    const std::size_t step = std::min(count - before, std::max(smallest, before));
    bytes.resize(before + step);
    const std::size_t found = source.read(std::span(bytes).subspan(before));
    bytes.resize(before + found);
    if (found < step) break;
  }
  return bytes;
}

template <class Source>
IdxArray read_idx_from(Source& source, std::string_view name) {
  const std::vector<std::byte> magic = take(source, 4);
  if (magic.size() < 4)
    raise_at_byte(name, magic.size(), "the header is truncated: expected 4 bytes, found " + std::to_string(magic.size()));
  if (magic[0] != std::byte{0} || magic[1] != std::byte{0})
    raise_at_byte(name, 0, "not an idx file: it does not begin with two zero bytes");

  IdxArray array;
  array.element = static_cast<IdxElement>(magic[2]);
  const std::size_t element_size = size_of(array.element);
  if (element_size == 0) raise_at_byte(name, 2, "unknown element type " + std::to_string(std::to_integer<int>(magic[2])));

  const auto rank = std::to_integer<std::size_t>(magic[3]);
  const std::vector<std::byte> header = take(source, 4 * rank);
  if (header.size() < 4 * rank)
    raise_at_byte(name, 4 + header.size(),
                  "the header is truncated: expected " + std::to_string(rank) + " extents in " + std::to_string(4 * rank) +
                      " bytes, found " + std::to_string(header.size()));
  for (std::size_t axis = 0; axis < rank; ++axis)
    array.extents.push_back(
        static_cast<index_t>(load<std::uint32_t>(std::span(header).subspan(4 * axis), std::endian::big)));
  const auto expected = byte_count(array.extents, element_size);
  if (!expected) raise_at_byte(name, 4, "the extents " + to_text(array.extents) + " are too large");

  const std::size_t start = 4 + 4 * rank;
  array.data = take(source, *expected);
  if (array.data.size() < *expected)
    raise_at_byte(name, start,
                  "expected " + std::to_string(*expected) + " bytes of data, found " + std::to_string(array.data.size()));
  if (std::array<std::byte, 1> more{}; source.read(more) != 0)
    raise_at_byte(name, start + *expected, "expected " + std::to_string(*expected) + " bytes of data, found more");
  convert_byte_order(array.data, element_size, std::endian::big);
  return array;
}

}  // namespace detail

// The two functions below do what their build can: see gzip.hpp.
#if defined(FLUXION_WITH_ZLIB)
inline namespace with_zlib {
#else
inline namespace without_zlib {
#endif

/// Reads an array from the content of an IDX file, gzip or not; `name` stands for it in messages. Throws FileError, with
/// the byte after decompression, on anything that is not exactly one array; without zlib also on gzip data.
inline IdxArray parse_idx(std::span<const std::byte> bytes, std::string_view name) {
  if (detail::is_gzip(bytes)) {
    detail::GzipSource source(bytes, name);
    return detail::read_idx_from(source, name);
  }
  detail::MemorySource source(bytes);
  return detail::read_idx_from(source, name);
}

/// Reads an array from an IDX file, as `parse_idx` does. MNIST's images are uint8 [60000, 28, 28], its labels uint8
/// [60000].
inline IdxArray read_idx(const std::filesystem::path& path) {
  const std::vector<std::byte> bytes = read_bytes(path);
  return parse_idx(bytes, path.string());
}

}  // inline namespace with_zlib or without_zlib

}  // namespace fluxion
