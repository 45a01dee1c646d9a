/// Decompression of gzip data as it is asked for, through zlib where FLUXION_WITH_ZLIB is defined (link with -lz).
#pragma once
#include "file.hpp"

#include <algorithm>
#include <cstddef>
#include <limits>
#include <span>
#include <string>
#include <string_view>

#if defined(FLUXION_WITH_ZLIB)
#include <zlib.h>
#endif

namespace fluxion::detail {

inline bool is_gzip(std::span<const std::byte> bytes) {
  return bytes.size() >= 2 && bytes[0] == std::byte{0x1f} && bytes[1] == std::byte{0x8b};
}

// What follows differs between builds; the name of the inline namespace keeps two of them apart in one program.
#if defined(FLUXION_WITH_ZLIB)
inline namespace with_zlib {

/// Reads the decompressed content of gzip data front to back. Throws FileError on damaged or truncated data.
class GzipSource {
 public:
  GzipSource(std::span<const std::byte> compressed, std::string_view name) : compressed_(compressed), name_(name) {
    if (::inflateInit2(&stream_, 15 + 16) != Z_OK) raise_file_error(name_, "zlib cannot start");  // 16: gzip only
  }
  ~GzipSource() { ::inflateEnd(&stream_); }
  GzipSource(const GzipSource&) = delete;
  GzipSource& operator=(const GzipSource&) = delete;

  /// Fills `out` from the front; returns how many bytes there were, fewer than asked only at the end.
  std::size_t read(std::span<std::byte> out) {
    std::size_t filled = 0;
    while (filled < out.size() && !finished_) {
      feed();
      const auto room = static_cast<uInt>(std::min(out.size() - filled, chunk));
      stream_.next_out = reinterpret_cast<Bytef*>(out.data() + filled);
      stream_.avail_out = room;
      const uInt fed = stream_.avail_in;
      const int status = ::inflate(&stream_, Z_NO_FLUSH);
      const std::size_t written = room - stream_.avail_out;
      filled += written;
      if (status == Z_STREAM_END)
        next_member();
      else if (status != Z_OK && status != Z_BUF_ERROR)
        raise_file_error(name_, at() + (stream_.msg ? stream_.msg : "damaged"));
      else if (written == 0 && stream_.avail_in == fed && used_ == compressed_.size())
        raise_file_error(name_, at() + "the data is truncated");
    }
    return filled;
  }

 private:
  static constexpr std::size_t chunk = std::size_t{1} << 30;  // zlib counts in 32 bits

  void feed() {
    if (stream_.avail_in > 0) return;
    const std::size_t count = std::min(compressed_.size() - used_, chunk);
    // zlib does not write to its input, whatever the type says.
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(compressed_.data() + used_));
    stream_.avail_in = static_cast<uInt>(count);
    used_ += count;
  }

  /// gzip files may be concatenated; anything else after the end is damage.
  void next_member() {
    const std::size_t position = used_ - stream_.avail_in;
    if (position == compressed_.size())
      finished_ = true;
    else if (!is_gzip(compressed_.subspan(position)))
      raise_file_error(name_, at() + "bytes after the end");
    else
      ::inflateReset(&stream_);
  }

  std::string at() const { return "byte " + std::to_string(used_ - stream_.avail_in) + " of the gzip data: "; }

  std::span<const std::byte> compressed_;
  std::string_view name_;
  ::z_stream stream_{};
  std::size_t used_ = 0;
  bool finished_ = false;
};

}  // namespace with_zlib
#else
inline namespace without_zlib {

class GzipSource {
 public:
  GzipSource(std::span<const std::byte>, std::string_view name) {
    raise_file_error(name, "gzip needs zlib: define FLUXION_WITH_ZLIB and link zlib, or unpack the file");
  }
  std::size_t read(std::span<std::byte>) { return 0; }
};

}  // namespace without_zlib
#endif

}  // namespace fluxion::detail
