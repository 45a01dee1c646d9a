/// Named arrays in a file: the safetensors format, which the tools of other languages read and write too.
/// Eight bytes: the length of the header, little-endian. The header: JSON with each array's type, shape and place. The
/// data.
#pragma once
#include "../core/element_type.hpp"
#include "bytes.hpp"
#include "file.hpp"
#include "json.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <numeric>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fluxion {

/// An array to be written: row-major, elements in the machine's byte order.
struct NamedArrayView {
  std::string_view name;
  element_type type = element_type::float32;
  std::span<const index_t> extents;
  std::span<const std::byte> data;
};

/// An array that was read: row-major, elements in the machine's byte order.
struct NamedArray {
  std::string name;
  element_type type = element_type::float32;
  std::vector<index_t> extents;
  std::vector<std::byte> data;

  NamedArrayView view() const { return {name, type, extents, data}; }
  friend bool operator==(const NamedArray&, const NamedArray&) = default;
};

/// Free text beside the arrays, such as the name of the model.
using Metadata = std::map<std::string, std::string, std::less<>>;

/// What a safetensors file holds; the arrays in the order of its header.
struct NamedArrays {
  std::vector<NamedArray> arrays;
  Metadata metadata;

  /// The array of this name, or null.
  const NamedArray* find(std::string_view name) const {
    const auto it = std::find_if(arrays.begin(), arrays.end(), [&](const NamedArray& a) { return a.name == name; });
    return it == arrays.end() ? nullptr : &*it;
  }
};

/// Writes arrays and metadata to a file, in one step (see `write_atomically`). The header keeps their order; the data is
/// laid out so that every array is aligned to its elements. Throws ValueError if a name appears twice, is "__metadata__" or
/// not UTF-8, or if data and extents do not agree; FileError if the file cannot be written.
inline void write_safetensors(const std::filesystem::path& path, std::span<const NamedArrayView> arrays,
                              const Metadata& metadata = {});

/// The bytes that `write_safetensors` writes.
inline std::vector<std::byte> to_safetensors(std::span<const NamedArrayView> arrays, const Metadata& metadata = {});

/// Reads the content of a safetensors file; `name` stands for it in messages. Types: F32, F64, I32, I64, BOOL. Throws
/// FileError with the byte where the format is broken: the arrays must fill the data without gap or overlap.
inline NamedArrays parse_safetensors(std::span<const std::byte> bytes, std::string_view name);

/// Reads a safetensors file, as `parse_safetensors` does.
inline NamedArrays read_safetensors(const std::filesystem::path& path) {
  const std::vector<std::byte> bytes = read_bytes(path);
  return parse_safetensors(bytes, path.string());
}

namespace detail::safetensors {

inline constexpr std::string_view metadata_name = "__metadata__";
inline constexpr std::uint64_t longest_header = 100'000'000;  // the limit of the format's first implementation
inline constexpr std::array<std::string_view, element_type_count> type_names = {"BOOL", "I32", "I64", "F32", "F64"};

/// An array as the header describes it.
struct Entry {
  NamedArray array;
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
};

/// The longer elements first: then each array begins at a multiple of its element's size.
inline std::vector<std::size_t> data_order(std::span<const NamedArrayView> arrays) {
  std::vector<std::size_t> order(arrays.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return size_of(arrays[a].type) > size_of(arrays[b].type); });
  return order;
}

inline void check(std::span<const NamedArrayView> arrays, const Metadata& metadata) {
  std::set<std::string_view> names;
  for (const NamedArrayView& array : arrays) {
    const auto refuse = [&](const std::string& why) {
      raise<ValueError>("write_safetensors: array " + in_quotes(array.name) + " " + why);
    };
    if (!is_utf8(array.name)) refuse("has a name that is not utf-8");
    if (array.name == metadata_name) refuse("has the name that the format keeps for metadata");
    if (!names.insert(array.name).second) refuse("appears twice");
    const auto expected = byte_count(array.extents, size_of(array.type));
    if (expected != array.data.size())
      refuse("of " + std::string(name_of(array.type)) + " " + to_text(array.extents) + " cannot have " +
             std::to_string(array.data.size()) + " bytes of data");
  }
  for (const auto& [key, value] : metadata)
    if (!is_utf8(key) || !is_utf8(value))
      raise<ValueError>("write_safetensors: metadata " + in_quotes(key) + " is not utf-8");
}

/// The length of the header and the header.
inline std::string head(std::span<const NamedArrayView> arrays, std::span<const std::size_t> order,
                        const Metadata& metadata) {
  std::vector<std::size_t> begin(arrays.size());
  std::size_t position = 0;
  for (const std::size_t i : order) {
    begin[i] = position;
    position += arrays[i].data.size();
  }
  std::string header = "{";
  const auto add_name = [&](std::string_view name) {
    if (header.back() != '{') header += ',';
    header += json_string(name) + ':';
  };
  if (!metadata.empty()) {
    add_name(metadata_name);
    header += '{';
    for (const auto& [key, value] : metadata) {
      add_name(key);
      header += json_string(value);
    }
    header += '}';
  }
  for (std::size_t i = 0; i < arrays.size(); ++i) {
    const NamedArrayView& array = arrays[i];
    add_name(array.name);
    header += "{\"dtype\":\"" + std::string(type_names[static_cast<std::size_t>(array.type)]) + "\",\"shape\":[";
    for (std::size_t axis = 0; axis < array.extents.size(); ++axis)
      header += (axis ? "," : "") + std::to_string(array.extents[axis]);
    header += "],\"data_offsets\":[" + std::to_string(begin[i]) + "," + std::to_string(begin[i] + array.data.size()) + "]}";
  }
  header += '}';
  header.resize((header.size() + 7) / 8 * 8, ' ');
  if (header.size() > longest_header) raise<ValueError>("write_safetensors: the header is longer than the format allows");
  std::string length;
  for (int i = 0; i < 8; ++i) length += static_cast<char>(static_cast<unsigned char>(header.size() >> (8 * i)));
  return length + header;
}

/// Calls `use` with the parts of the file one after the other.
template <class F>
void with_parts(std::span<const NamedArrayView> arrays, const Metadata& metadata, F&& use) {
  check(arrays, metadata);
  const std::vector<std::size_t> order = data_order(arrays);
  const std::string front = head(arrays, order, metadata);
  std::vector<std::span<const std::byte>> parts{std::as_bytes(std::span(front))};
  std::vector<std::vector<std::byte>> converted;
  converted.reserve(arrays.size());
  for (const std::size_t i : order) {
    if constexpr (std::endian::native == std::endian::little)
      parts.push_back(arrays[i].data);
    else {
      converted.emplace_back(arrays[i].data.begin(), arrays[i].data.end());
      convert_byte_order(converted.back(), size_of(arrays[i].type), std::endian::little);
      parts.push_back(converted.back());
    }
  }
  use(std::span<const std::span<const std::byte>>(parts));
}

inline Entry read_entry(JsonReader& json, std::string_view name) {
  Entry entry;
  entry.array.name = name;
  const std::uint64_t start = json.next_byte();
  const std::string subject = "array " + in_quotes(name) + ": ";
  bool has_type = false, has_shape = false, has_offsets = false;
  json.read_object([&](std::string_view field) {
    const std::uint64_t at = json.next_byte();
    if (field == "dtype") {
      const std::string type = json.read_string();
      const auto found = std::find(type_names.begin(), type_names.end(), type);
      if (found == type_names.end()) json.fail(subject + "the dtype " + in_quotes(type) + " is not supported", at);
      entry.array.type = static_cast<element_type>(found - type_names.begin());
      has_type = true;
    } else if (field == "shape") {
      json.read_array([&] {
        const std::uint64_t place = json.next_byte();
        const std::uint64_t extent = json.read_unsigned();
        if (!std::in_range<index_t>(extent)) json.fail(subject + "the extent is too large", place);
        entry.array.extents.push_back(static_cast<index_t>(extent));
      });
      has_shape = true;
    } else if (field == "data_offsets") {
      int count = 0;
      json.read_array([&] {
        const std::uint64_t offset = json.read_unsigned();
        if (count < 2) (count == 0 ? entry.begin : entry.end) = offset;
        ++count;
      });
      if (count != 2) json.fail(subject + "data_offsets are not two numbers", at);
      has_offsets = true;
    } else {
      json.skip_value();
    }
  });
  if (!has_type) json.fail(subject + "dtype is missing", start);
  if (!has_shape) json.fail(subject + "shape is missing", start);
  if (!has_offsets) json.fail(subject + "data_offsets are missing", start);
  const auto expected = byte_count(entry.array.extents, size_of(entry.array.type));
  if (!expected) json.fail(subject + "the shape " + to_text(entry.array.extents) + " is too large", start);
  if (entry.begin > entry.end || entry.end - entry.begin != *expected)
    json.fail(subject + std::string(type_names[static_cast<std::size_t>(entry.array.type)]) + " " +
                  to_text(entry.array.extents) + " takes " + std::to_string(*expected) + " bytes, but data_offsets are [" +
                  std::to_string(entry.begin) + ", " + std::to_string(entry.end) + "]",
              start);
  return entry;
}

/// Checks that the arrays fill `size` bytes of data, which begin at byte `start` of the file.
inline void check_tiling(std::span<const Entry> entries, std::uint64_t start, std::uint64_t size, std::string_view name) {
  std::vector<const Entry*> order;
  for (const Entry& entry : entries) order.push_back(&entry);
  std::sort(order.begin(), order.end(),
            [](const Entry* a, const Entry* b) { return std::pair(a->begin, a->end) < std::pair(b->begin, b->end); });
  std::uint64_t position = 0;
  for (const Entry* entry : order) {
    const std::string subject = "array " + in_quotes(entry->array.name);
    if (entry->end > size)
      raise_at_byte(name, start,
                    subject + " ends at byte " + std::to_string(entry->end) + " of the data, which has " +
                        std::to_string(size) + " bytes");
    if (entry->begin < position) raise_at_byte(name, start + entry->begin, subject + " overlaps the one before it");
    if (entry->begin > position)
      raise_at_byte(name, start + position, "the bytes before " + subject + " belong to no array");
    position = entry->end;
  }
  if (position != size) raise_at_byte(name, start + position, "bytes after the last array");
}

}  // namespace detail::safetensors

inline void write_safetensors(const std::filesystem::path& path, std::span<const NamedArrayView> arrays,
                              const Metadata& metadata) {
  detail::safetensors::with_parts(arrays, metadata, [&](auto parts) { write_atomically(path, parts); });
}

inline std::vector<std::byte> to_safetensors(std::span<const NamedArrayView> arrays, const Metadata& metadata) {
  std::vector<std::byte> bytes;
  detail::safetensors::with_parts(arrays, metadata, [&](auto parts) {
    for (const auto part : parts) bytes.insert(bytes.end(), part.begin(), part.end());
  });
  return bytes;
}

inline NamedArrays parse_safetensors(std::span<const std::byte> bytes, std::string_view name) {
  using namespace detail::safetensors;
  if (bytes.size() < 8)
    detail::raise_at_byte(name, 0, "expected 8 bytes with the length of the header, found " + std::to_string(bytes.size()));
  const auto length = detail::load<std::uint64_t>(bytes, std::endian::little);
  if (length > longest_header)
    detail::raise_at_byte(name, 0, "a header of " + std::to_string(length) + " bytes is longer than the format allows");
  if (length > bytes.size() - 8)
    detail::raise_at_byte(
        name, 0, "expected a header of " + std::to_string(length) + " bytes, found " + std::to_string(bytes.size() - 8));
  const std::string_view header(reinterpret_cast<const char*>(bytes.data()) + 8, static_cast<std::size_t>(length));
  if (!header.starts_with('{')) detail::raise_at_byte(name, 8, "the header does not begin with '{'");

  NamedArrays result;
  std::vector<Entry> entries;
  JsonReader json(header, name, 8);
  json.read_object([&](std::string_view key) {
    if (key != metadata_name)
      entries.push_back(read_entry(json, key));
    else
      json.read_object([&](std::string_view field) { result.metadata.emplace(field, json.read_string()); });
  });
  json.expect_end();

  const std::span<const std::byte> data = bytes.subspan(8 + header.size());
  check_tiling(entries, 8 + length, data.size(), name);
  for (Entry& entry : entries) {
    const auto part =
        data.subspan(static_cast<std::size_t>(entry.begin), static_cast<std::size_t>(entry.end - entry.begin));
    NamedArray& array = entry.array;
    // A bool with another representation is undefined behaviour as soon as it is read.
    if (array.type == element_type::boolean)
      if (const auto bad = std::find_if(part.begin(), part.end(), [](std::byte b) { return b > std::byte{1}; });
          bad != part.end())
        detail::raise_at_byte(name, static_cast<std::uint64_t>(&*bad - bytes.data()),
                              "array " + detail::in_quotes(array.name) + ": a boolean is neither 0 nor 1");
    array.data.assign(part.begin(), part.end());
    detail::convert_byte_order(array.data, size_of(array.type), std::endian::little);
    result.arrays.push_back(std::move(array));
  }
  return result;
}

}  // namespace fluxion
