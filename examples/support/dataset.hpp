/// Labelled images for the examples: the digits table, MNIST, and batches of either.
#pragma once
#include <fluxion/io/csv.hpp>
#include <fluxion/io/idx.hpp>
#include <fluxion/tensor/tensor.hpp>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>

namespace example {

/// Images with pixels from 0 (blank) to 1, one a row, and what they show: 0 to 9.
struct Dataset {
  fluxion::Tensor<float, fluxion::dims<2>> images;
  fluxion::Tensor<std::int64_t, fluxion::dims<1>> labels;

  fluxion::index_t size() const { return labels.size(); }
  fluxion::index_t features() const { return images.extent(1); }
  std::span<const float> image(fluxion::index_t i) const {
    return {images.data() + i * features(), static_cast<std::size_t>(features())};
  }
  std::span<const std::int64_t> all_labels() const { return {labels.data(), static_cast<std::size_t>(size())}; }
};

inline Dataset make_dataset(fluxion::index_t size, fluxion::index_t features) {
  using namespace fluxion;
  return {Tensor<float, dims<2>>(uninitialized, dims<2>(size, features)),
          Tensor<std::int64_t, dims<1>>(uninitialized, dims<1>(size))};
}

/// The examples at some positions, in that order.
template <class Positions>
Dataset select(const Dataset& from, const Positions& positions) {
  const auto count = static_cast<fluxion::index_t>(positions.size());
  Dataset to = make_dataset(count, from.features());
  float* pixels = to.images.data();
  std::int64_t* labels = to.labels.data();
  for (const fluxion::index_t position : positions) {
    const std::span<const float> image = from.image(position);
    pixels = std::copy(image.begin(), image.end(), pixels);
    *labels++ = from.all_labels()[static_cast<std::size_t>(position)];
  }
  return to;
}

/// Reads rows of 64 pixels from 0 to 16 and a label. Throws FileError with the line of what is wrong.
inline Dataset read_digits(const std::filesystem::path& path) {
  using namespace fluxion;
  const Table table = read_csv(path);
  if (table.columns != 65)
    raise<FileError>(path.string() + ": expected 65 columns, 64 pixels and a label, found " +
                     std::to_string(table.columns));
  Dataset digits = make_dataset(table.rows, 64);
  for (index_t i = 0; i < table.rows; ++i) {
    const double label = table(i, 64);
    const auto wrong = [&](const std::string& what) {
      raise<FileError>(path.string() + ":" + std::to_string(i + 1) + ": " + what);
    };
    if (!(label >= 0 && label <= 9 && label == static_cast<int>(label))) wrong("the label is not a digit");
    digits.labels.data()[i] = static_cast<std::int64_t>(label);
    for (index_t k = 0; k < 64; ++k) {
      if (!(table(i, k) >= 0 && table(i, k) <= 16)) wrong("pixel " + std::to_string(k + 1) + " is not between 0 and 16");
      digits.images.data()[i * 64 + k] = static_cast<float>(table(i, k) / 16);
    }
  }
  return digits;
}

namespace detail {

/// The file of that name, unpacked or not. Throws FileError that says what was looked for.
inline std::filesystem::path find_idx(const std::filesystem::path& folder, const std::string& part,
                                      const std::string& rank) {
  const std::string plain = part + "-idx" + rank + "-ubyte", dotted = part + ".idx" + rank + "-ubyte";
  for (const std::string& name : {plain, plain + ".gz", dotted, dotted + ".gz"}) {
    std::error_code ignored;
    if (std::filesystem::is_regular_file(folder / name, ignored)) return folder / name;
  }
  fluxion::raise<fluxion::FileError>(folder.string() + ": neither " + plain + " nor " + plain + ".gz is there");
}

}  // namespace detail

/// Reads one part of MNIST, "train" or "t10k". Throws FileError where files are missing, broken or do not belong together.
inline Dataset read_mnist(const std::filesystem::path& folder, const std::string& part) {
  using namespace fluxion;
  const std::filesystem::path image_file = detail::find_idx(folder, part + "-images", "3");
  const std::filesystem::path label_file = detail::find_idx(folder, part + "-labels", "1");
  const IdxArray images = read_idx(image_file), labels = read_idx(label_file);
  if (images.element != IdxElement::uint8 || images.extents.size() != 3 || images.extents[1] != 28 ||
      images.extents[2] != 28)
    raise<FileError>(image_file.string() + ": expected images of 28 x 28 bytes");
  if (labels.element != IdxElement::uint8 || labels.extents.size() != 1)
    raise<FileError>(label_file.string() + ": expected one byte a label");
  if (labels.extents[0] != images.extents[0] || labels.extents[0] == 0)
    raise<FileError>(label_file.string() + ": " + std::to_string(labels.extents[0]) + " labels for " +
                     std::to_string(images.extents[0]) + " images");
  Dataset digits = make_dataset(images.extents[0], 28 * 28);
  std::transform(images.data.begin(), images.data.end(), digits.images.data(),
                 [](std::byte b) { return static_cast<float>(std::to_integer<int>(b)) / 255.f; });
  std::int64_t* to = digits.labels.data();
  for (const std::byte b : labels.data) {
    if (b > std::byte{9})
      raise<FileError>(label_file.string() + ": label " + std::to_string(std::to_integer<int>(b)) + " is not a digit");
    *to++ = std::to_integer<std::int64_t>(b);
  }
  return digits;
}

}  // namespace example
