/// The blocks of code of docs/autodiff.md, which tests compile.
#pragma once
#include <doctest/doctest.h>

#include <cstddef>
#include <fstream>
#include <istream>
#include <string>

namespace fluxion::test {

/// The text without spaces at the beginnings of its lines.
inline std::string without_indentation(std::istream& text) {
  std::string line, result;
  while (std::getline(text, line)) result += line.substr(line.find_first_not_of(' ') == line.npos ? line.size() : line.find_first_not_of(' ')) + '\n';
  return result;
}
/// A file of the project.
inline std::string read(const std::string& path) {
  std::string name = FLUXION_DATA_DIR "/../../";
  name += path;
  std::ifstream file(name);
  REQUIRE_MESSAGE(file.good(), path);
  return without_indentation(file);
}
/// Checks that a file has every block of a section of the page, and returns how many there are.
inline std::size_t blocks_found_in(const std::string& section, const std::string& test) {
  const std::string page = read("docs/autodiff.md"), code = read(test);
  std::size_t at = page.find("\n## " + section + "\n"), count = 0;
  REQUIRE(at != page.npos);
  const std::size_t end = page.find("\n## ", at + 1);
  while ((at = page.find("```cpp\n", at)) < end) {
    const std::size_t stop = page.find("```", at + 7);
    const std::string block = page.substr(at + 7, stop - at - 7);
    INFO(block);
    CHECK(code.find(block) != std::string::npos);
    at = stop;
    ++count;
  }
  return count;
}

}  // namespace fluxion::test
