/// Models in files: parameters and buffers by their dotted names, in the safetensors format, which other libraries read and write too.
#pragma once
#include "../io/safetensors.hpp"
#include "module.hpp"

#include <algorithm>
#include <cstring>
#include <deque>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

namespace fluxion {

namespace detail {

/// Calls f(name, parameter or buffer) in the order of declaration.
template <class M, class F>
void each_saved(M& model, F&& f) {
  walk(model, dotted_path{}, [&](const dotted_path& path, auto& x) {
    using X = std::remove_cvref_t<decltype(x)>;
    if constexpr (is_parameter<X> || is_buffer<X>) f(path.text, x);
  });
}

}  // namespace detail

/// Writes a model's parameters and buffers to a file, in one step. Throws FileError.
template <Module M>
void save(const M& model, const std::filesystem::path& path, const Metadata& metadata = {}) {
  std::deque<std::string> names;
  std::deque<std::vector<index_t>> extents;
  std::vector<NamedArrayView> arrays;
  detail::each_saved(model, [&](const std::string& name, const auto& x) {
    const auto e = x.extents().to_array();
    names.push_back(name);
    extents.emplace_back(e.begin(), e.end());
    using T = typename std::remove_cvref_t<decltype(x)>::value_type;
    arrays.push_back({names.back(), element_type_of<T>, extents.back(), std::as_bytes(std::span<const T>(x.data(), static_cast<std::size_t>(x.size())))});
  });
  write_safetensors(path, arrays, metadata);
}

/// Reads a model's parameters and buffers from a file that has exactly these, with these shapes and types; otherwise throws FileError naming
/// the first that differs, and leaves the model as it was.
template <Module M>
void load(M& model, const std::filesystem::path& path) {
  const NamedArrays file = read_safetensors(path);
  const std::string where = path.string() + ": ";
  std::size_t wanted = 0;
  detail::each_saved(std::as_const(model), [&](const std::string& name, const auto& x) {
    using T = typename std::remove_cvref_t<decltype(x)>::value_type;
    const NamedArray* found = file.find(name);
    if (!found) raise<FileError>(where + "there is no \"" + name + "\"");
    if (found->type != element_type_of<T>)
      raise<FileError>(where + "\"" + name + "\" is of " + std::string(name_of(found->type)) + ", the model's of " +
                       std::string(name_of(element_type_of<T>)));
    const auto e = x.extents().to_array();
    if (!std::equal(e.begin(), e.end(), found->extents.begin(), found->extents.end()))
      raise<FileError>(where + "\"" + name + "\" has extents " + to_string(found->extents.data(), static_cast<int>(found->extents.size())) +
                       ", the model's has " + to_string(x.extents()));
    ++wanted;
  });
  if (file.arrays.size() != wanted)
    for (const NamedArray& array : file.arrays) {
      bool known = false;
      detail::each_saved(std::as_const(model), [&](const std::string& name, const auto&) { known = known || name == array.name; });
      if (!known) raise<FileError>(where + "the model has no \"" + array.name + "\"");
    }
  detail::each_saved(model, [&](const std::string& name, auto& x) {
    const NamedArray* found = file.find(name);
    if (!found->data.empty()) std::memcpy(x.data(), found->data.data(), found->data.size());
  });
}

}  // namespace fluxion
