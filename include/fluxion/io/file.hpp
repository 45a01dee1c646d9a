/// Whole files: read at once, and written so that a reader never sees half of one.
#pragma once
#include "../core/error.hpp"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#if defined(_WIN32)
#include <io.h>
#include <process.h>
#elif __has_include(<unistd.h>)
#include <unistd.h>
#endif

namespace fluxion {

/// The bytes of a file. Throws FileError "name: cannot be read: reason".
inline std::vector<std::byte> read_bytes(const std::filesystem::path& path);

/// The bytes of a file as text, unchanged. Throws FileError as `read_bytes` does.
inline std::string read_text(const std::filesystem::path& path);

/// Replaces a file in one step: the bytes go to a new file in the same folder, which is renamed once they are on the disk.
/// On failure throws FileError "name: cannot be written: reason", removes the new file and leaves a former one as it was.
/// A link is followed; a device or a pipe is written directly.
inline void write_atomically(const std::filesystem::path& path, std::span<const std::byte> bytes);
/// The same with text.
inline void write_atomically(const std::filesystem::path& path, std::string_view text);
/// The same with parts that follow each other, so that large ones need not be joined in memory.
inline void write_atomically(const std::filesystem::path& path, std::span<const std::span<const std::byte>> parts);

namespace detail {

[[noreturn]] inline void raise_file_error(std::string_view name, const std::string& message) {
  raise<FileError>(std::string(name) + ": " + message);
}

[[noreturn]] inline void raise_at_byte(std::string_view name, std::uint64_t byte, const std::string& message) {
  raise<FileError>(std::string(name) + ": byte " + std::to_string(byte) + ": " + message);
}

/// Text from a file made fit for a message: in quotes, one line, printable, not long.
inline std::string in_quotes(std::string_view text) {
  constexpr std::size_t longest = 40;
  constexpr char digits[] = "0123456789abcdef";
  std::string result = "'";
  for (char c : text.substr(0, longest)) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte != 0x7f)
      result += c;
    else
      (result += "\\x") += {digits[byte >> 4], digits[byte & 15]};
  }
  return result + (text.size() > longest ? "...'" : "'");
}

/// The reason of the system, beginning in lower case as all messages do.
inline std::string reason(std::error_code error) {
  std::string text = error.message();
  if (!text.empty() && text[0] >= 'A' && text[0] <= 'Z') text[0] = static_cast<char>(text[0] - 'A' + 'a');
  return text;
}

inline std::error_code last_error() {
  return errno != 0 ? std::error_code(errno, std::generic_category()) : std::make_error_code(std::errc::io_error);
}

/// A C stream that is closed when it goes out of scope.
class File {
 public:
  File(const std::filesystem::path& path, const char* mode) {
    errno = 0;
#if defined(_WIN32)
    stream_ = ::_wfopen(path.c_str(), std::wstring(mode, mode + std::char_traits<char>::length(mode)).c_str());
#else
    stream_ = std::fopen(path.c_str(), mode);
#endif
  }
  ~File() {
    if (stream_) std::fclose(stream_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  explicit operator bool() const { return stream_ != nullptr; }
  std::FILE* stream() const { return stream_; }

  /// Writes the parts, hands them to the system and closes the file.
  std::error_code write_and_close(std::span<const std::span<const std::byte>> parts, bool to_disk) {
    errno = 0;
    bool good = true;
    for (const auto part : parts)
      good = good && (part.empty() || std::fwrite(part.data(), 1, part.size(), stream_) == part.size());
    good = good && std::fflush(stream_) == 0;
#if defined(_WIN32)
    good = good && (!to_disk || ::_commit(::_fileno(stream_)) == 0);
#elif __has_include(<unistd.h>)
    good = good && (!to_disk || ::fsync(::fileno(stream_)) == 0);
#else
    static_cast<void>(to_disk);
#endif
    const std::error_code error = good ? std::error_code() : last_error();
    errno = 0;
    const bool closed = std::fclose(stream_) == 0;
    stream_ = nullptr;
    return error || closed ? error : last_error();
  }

 private:
  std::FILE* stream_;
};

template <class Container>
Container read_whole(const std::filesystem::path& path) {
  const File file(path, "rb");
  if (!file) raise_file_error(path.string(), "cannot be read: " + reason(last_error()));
  // The size is a hint only: pipes and the system's own files have none, and a file may grow meanwhile.
  std::error_code ignored;
  const std::uintmax_t hint =
      std::filesystem::is_regular_file(path, ignored) ? std::filesystem::file_size(path, ignored) : 0;
  constexpr std::size_t smallest = std::size_t{1} << 16;
  Container content;
  std::size_t step = ignored ? smallest : std::max(smallest, static_cast<std::size_t>(hint) + 1);
  for (;;) {
    const std::size_t before = content.size();
    content.resize(before + step);
    errno = 0;
    const std::size_t found = std::fread(content.data() + before, 1, step, file.stream());
    content.resize(before + found);
    if (found < step) break;
    step = std::max(smallest, content.size() / 2);
  }
  if (std::ferror(file.stream())) raise_file_error(path.string(), "cannot be read: " + reason(last_error()));
  return content;
}

inline std::string unique_suffix() {
  static std::atomic<unsigned> count{0};
#if defined(_WIN32)
  const long process = ::_getpid();
#elif __has_include(<unistd.h>)
  const long process = static_cast<long>(::getpid());
#else
  const long process = 0;
#endif
  return ".tmp-" + std::to_string(process) + "-" + std::to_string(count.fetch_add(1));
}

[[noreturn]] inline void raise_unwritten(const std::filesystem::path& path, std::error_code error) {
  raise_file_error(path.string(), "cannot be written: " + reason(error));
}

}  // namespace detail

inline std::vector<std::byte> read_bytes(const std::filesystem::path& path) {
  return detail::read_whole<std::vector<std::byte>>(path);
}

inline std::string read_text(const std::filesystem::path& path) { return detail::read_whole<std::string>(path); }

inline void write_atomically(const std::filesystem::path& path, std::span<const std::span<const std::byte>> parts) {
  namespace fs = std::filesystem;
  std::error_code ignored;
  fs::path target = path;
  if (fs::is_symlink(path, ignored)) {
    fs::path followed = fs::canonical(path, ignored);
    if (!ignored) target = std::move(followed);
  }
  const fs::file_status former = fs::status(target, ignored);
  if (fs::is_directory(former)) detail::raise_unwritten(path, std::make_error_code(std::errc::is_a_directory));
  if (fs::exists(former) && !fs::is_regular_file(former)) {
    detail::File device(target, "wb");
    const std::error_code error = device ? device.write_and_close(parts, false) : detail::last_error();
    if (error) detail::raise_unwritten(path, error);
    return;
  }

  // A file left by a process that was killed may hold the first name; it is not ours to touch.
  for (int attempt = 0; attempt < 100; ++attempt) {
    fs::path beside = target;
    beside += detail::unique_suffix();
    detail::File file(beside, "wbx");
    if (!file) {
      if (errno == EEXIST) continue;
      detail::raise_unwritten(path, detail::last_error());
    }
    std::error_code error = file.write_and_close(parts, true);
    if (!error && fs::exists(former)) fs::permissions(beside, former.permissions(), ignored);
    if (!error) fs::rename(beside, target, error);
    if (!error) return;
    fs::remove(beside, ignored);
    detail::raise_unwritten(path, error);
  }
  detail::raise_unwritten(path, std::make_error_code(std::errc::file_exists));
}

inline void write_atomically(const std::filesystem::path& path, std::span<const std::byte> bytes) {
  write_atomically(path, std::span<const std::span<const std::byte>>(&bytes, 1));
}

inline void write_atomically(const std::filesystem::path& path, std::string_view text) {
  write_atomically(path, std::as_bytes(std::span<const char>(text.data(), text.size())));
}

}  // namespace fluxion
