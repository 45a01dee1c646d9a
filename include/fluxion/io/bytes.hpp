/// Bytes and numbers: byte order, and the size of an array in bytes with overflow checked. For the readers in this folder.
#pragma once
#include "../core/extents.hpp"

#include <algorithm>
#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>

namespace fluxion::detail {

/// The unsigned number in the first bytes of `bytes`, which must be enough of them.
template <std::unsigned_integral U>
constexpr U load(std::span<const std::byte> bytes, std::endian order) {
  U value = 0;
  for (std::size_t i = 0; i < sizeof(U); ++i) {
    const auto byte = static_cast<U>(std::to_integer<std::uint8_t>(bytes[i]));
    const std::size_t place = order == std::endian::little ? i : sizeof(U) - 1 - i;
    value = static_cast<U>(value | static_cast<U>(byte << (8 * place)));
  }
  return value;
}

/// Between the byte order of a file and the machine's: the same function in both directions.
inline void convert_byte_order(std::span<std::byte> data, std::size_t element_size, std::endian order) {
  if (order == std::endian::native || element_size < 2) return;
  for (std::size_t at = 0; at + element_size <= data.size(); at += element_size)
    std::reverse(data.data() + at, data.data() + at + element_size);
}

/// Bytes of an array, or nothing if an extent is negative or the extents that are not 0 multiply to more than index_t
/// holds.
constexpr std::optional<std::size_t> byte_count(std::span<const index_t> extents, std::size_t element_size) {
  constexpr auto most = static_cast<std::size_t>(std::numeric_limits<index_t>::max());
  std::size_t count = element_size;
  bool empty = false;
  for (const index_t extent : extents) {
    if (extent < 0) return std::nullopt;
    if (extent == 0) {
      empty = true;
      continue;
    }
    if (count > most / static_cast<std::size_t>(extent)) return std::nullopt;
    count *= static_cast<std::size_t>(extent);
  }
  return empty ? 0 : count;
}

/// Extents for a message, which a file must not be able to make long.
inline std::string to_text(std::span<const index_t> extents) {
  const auto shown = static_cast<int>(std::min<std::size_t>(extents.size(), max_rank));
  const std::string text = to_string(extents.data(), shown);
  return extents.size() > max_rank ? text.substr(0, text.size() - 1) + ", ...]" : text;
}

}  // namespace fluxion::detail
