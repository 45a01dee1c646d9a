/// The readers as fuzzers see them: any input is read or refused with FileError. All else that leaves these functions is a
/// bug.
#pragma once
#include <fluxion/io/csv.hpp>
#include <fluxion/io/idx.hpp>
#include <fluxion/io/json.hpp>
#include <fluxion/io/safetensors.hpp>

#include <cstddef>
#include <cstdlib>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace fuzz {

using Input = std::span<const std::byte>;

inline std::string_view as_text(Input input) { return {reinterpret_cast<const char*>(input.data()), input.size()}; }

/// Ends the program where what was read contradicts itself.
inline void require(bool condition) {
  if (!condition) std::abort();
}

/// Each returns whether the input was accepted.
inline bool read_csv(Input input) {
  try {
    const fluxion::Table table = fluxion::parse_csv(as_text(input), "input", {});
    require(table.rows > 0 && table.columns > 0);
    require(static_cast<std::size_t>(table.rows * table.columns) == table.values.size());
    require(table.values.size() <= input.size());
    return true;
  } catch (const fluxion::FileError&) {
    return false;
  }
}

inline bool read_idx(Input input) {
  try {
    const fluxion::IdxArray array = fluxion::parse_idx(input, "input");
    std::size_t bytes = fluxion::size_of(array.element);
    for (const fluxion::index_t extent : array.extents) bytes *= static_cast<std::size_t>(extent);
    require(bytes == array.data.size());
    return true;
  } catch (const fluxion::FileError&) {
    return false;
  }
}

inline bool read_json(Input input) {
  bool accepted = true;
  try {
    fluxion::JsonReader json(as_text(input), "input");
    json.skip_value();
    json.expect_end();
  } catch (const fluxion::FileError&) {
    accepted = false;
  }
  try {  // what the general value does not go through
    fluxion::JsonReader json(as_text(input), "input");
    json.read_object([&](std::string_view name) {
      if (name.starts_with('n'))
        static_cast<void>(json.read_number());
      else if (name.starts_with('s')) {
        const std::string text = json.read_string(), written = fluxion::detail::json_string(text);
        require(fluxion::detail::is_utf8(text));
        require(fluxion::JsonReader(written, "written").read_string() == text);
      } else
        static_cast<void>(json.read_unsigned());
    });
  } catch (const fluxion::FileError&) {
  }
  return accepted;
}

inline bool read_safetensors(Input input) {
  try {
    const fluxion::NamedArrays file = fluxion::parse_safetensors(input, "input");
    std::vector<fluxion::NamedArrayView> views;
    std::size_t bytes = 0;
    for (const fluxion::NamedArray& array : file.arrays) {
      bytes += array.data.size();
      views.push_back(array.view());
    }
    require(bytes <= input.size());
    const fluxion::NamedArrays again = fluxion::parse_safetensors(fluxion::to_safetensors(views, file.metadata), "written");
    require(again.arrays == file.arrays && again.metadata == file.metadata);
    return true;
  } catch (const fluxion::FileError&) {
    return false;
  }
}

}  // namespace fuzz
