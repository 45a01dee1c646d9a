/// Where the inputs of the problems lie, and how their numbers are read.
#pragma once
#include <fluxion/io/file.hpp>
#include <fluxion/io/json.hpp>

#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace problems {

namespace fx = fluxion;

/// A file of the folder ad/ of the data, which the environment variable FLUXION_DATA names, else ../shared/data beside the project;
/// nothing if it is not there.
inline std::optional<std::filesystem::path> data_file(const std::string& name) {
#ifdef FLUXION_DATA_DIR
  const std::filesystem::path beside = std::filesystem::path(FLUXION_DATA_DIR) / "../../../shared/data";
#else
  const std::filesystem::path beside = "../shared/data";
#endif
  const char* variable = std::getenv("FLUXION_DATA");
  const std::filesystem::path file = (variable ? std::filesystem::path(variable) : beside) / "ad" / name;
  if (!std::filesystem::exists(file)) return std::nullopt;
  return file;
}

/// Calls `member(reader, name)` for each member of the JSON object in a file; it must read the value.
template <class F>
void read_json_object(const std::filesystem::path& file, const F& member) {
  const std::string text = fx::read_text(file), name = file.filename().string();
  fx::JsonReader reader(text, name);
  reader.read_object([&](std::string_view key) { member(reader, key); });
  reader.expect_end();
}

/// The numbers of a JSON array, of nested ones in the order in which they are written: `depth` levels of arrays.
inline void append_numbers(fx::JsonReader& reader, int depth, std::vector<double>& to) {
  if (depth == 0) to.push_back(reader.read_number());
  else reader.read_array([&] { append_numbers(reader, depth - 1, to); });
}
inline std::vector<double> read_numbers(fx::JsonReader& reader, int depth = 1) {
  std::vector<double> numbers;
  append_numbers(reader, depth, numbers);
  return numbers;
}

/// The whole numbers of a JSON array; -1 is read as such.
inline std::vector<int> read_indices(fx::JsonReader& reader, int depth = 1) {
  std::vector<int> indices;
  for (const double x : read_numbers(reader, depth)) indices.push_back(static_cast<int>(x));
  return indices;
}

/// A file that holds an array of numbers and nothing else.
inline std::vector<double> read_numbers(const std::filesystem::path& file, int depth) {
  const std::string text = fx::read_text(file), name = file.filename().string();
  fx::JsonReader reader(text, name);
  std::vector<double> numbers = read_numbers(reader, depth);
  reader.expect_end();
  return numbers;
}

}  // namespace problems
