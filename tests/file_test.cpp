/// Files read and written whole.
#include <doctest/doctest.h>
#include <fluxion/io/file.hpp>

#include <csignal>
#include <cstddef>
#include <filesystem>
#include <iterator>
#include <span>
#include <string>

#if __has_include(<sys/resource.h>)
#include <sys/resource.h>
#endif

namespace fx = fluxion;
namespace fs = std::filesystem;

namespace {

std::string message_of(auto&& call) {
  try {
    call();
  } catch (const fx::FileError& error) {
    return error.what();
  }
  return "no error";
}

/// An empty folder that is gone after the test.
struct Folder {
  fs::path path = fs::temp_directory_path() / ("fluxion_file_test" + fx::detail::unique_suffix());
  Folder() { fs::create_directory(path); }
  ~Folder() { fs::remove_all(path); }
  std::ptrdiff_t entries() const { return std::distance(fs::directory_iterator(path), fs::directory_iterator()); }
};

}  // namespace

TEST_CASE("a file that cannot be read is named with the reason") {
  CHECK(message_of([] { fx::read_bytes("/no/such/file"); }) == "/no/such/file: cannot be read: no such file or directory");
  const Folder folder;
  CHECK(message_of([&] { fx::read_bytes(folder.path); }) == folder.path.string() + ": cannot be read: is a directory");
}

TEST_CASE("what was written is what is read, and nothing else is left in the folder") {
  const Folder folder;
  const fs::path path = folder.path / "a";
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{65536}, std::size_t{200'001}}) {
    std::string text(size, 'x');
    for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<char>(i * 7);
    fx::write_atomically(path, text);
    CHECK(fx::read_text(path) == text);
  }
  CHECK(folder.entries() == 1);
}

TEST_CASE("parts are written one after the other") {
  const Folder folder;
  const std::string a = "ab", b, c = "c";
  const std::span<const std::byte> parts[] = {std::as_bytes(std::span(a)), std::as_bytes(std::span(b)),
                                              std::as_bytes(std::span(c))};
  fx::write_atomically(folder.path / "a", parts);
  CHECK(fx::read_text(folder.path / "a") == "abc");
}

TEST_CASE("writing where no file can be created is refused and leaves nothing") {
  const Folder folder;
  CHECK(message_of([&] { fx::write_atomically(folder.path / "no" / "file", "x"); }) ==
        (folder.path / "no" / "file").string() + ": cannot be written: no such file or directory");
  CHECK(message_of([&] { fx::write_atomically(folder.path, "x"); }) ==
        folder.path.string() + ": cannot be written: is a directory");
  fx::write_atomically(folder.path / "file", "x");
  CHECK(message_of([&] { fx::write_atomically(folder.path / "file" / "inner", "x"); }).ends_with("not a directory"));
  CHECK(folder.entries() == 1);
}

TEST_CASE("writing into a folder without permission is refused and leaves a former file as it was") {
  const Folder folder;
  fx::write_atomically(folder.path / "file", "former");
  fs::permissions(folder.path, fs::perms::owner_read | fs::perms::owner_exec);
  const std::string message = message_of([&] { fx::write_atomically(folder.path / "file", "new"); });
  fs::permissions(folder.path, fs::perms::owner_all);
  if (message == "no error")
    MESSAGE("skipped: this user may write everywhere");
  else {
    CHECK(message.ends_with("cannot be written: permission denied"));
    CHECK(fx::read_text(folder.path / "file") == "former");
  }
  CHECK(folder.entries() == 1);
}

#if __has_include(<sys/resource.h>)
TEST_CASE("a write that fails half way leaves the former file and no other") {
  const Folder folder;
  fx::write_atomically(folder.path / "file", "former");
  rlimit former{};
  REQUIRE(::getrlimit(RLIMIT_FSIZE, &former) == 0);
  const auto former_action = std::signal(SIGXFSZ, SIG_IGN);
  const rlimit small{100'000, former.rlim_max};
  REQUIRE(::setrlimit(RLIMIT_FSIZE, &small) == 0);
  const std::string message = message_of([&] { fx::write_atomically(folder.path / "file", std::string(1'000'000, 'x')); });
  ::setrlimit(RLIMIT_FSIZE, &former);
  std::signal(SIGXFSZ, former_action);
  CHECK(message == (folder.path / "file").string() + ": cannot be written: file too large");
  CHECK(fx::read_text(folder.path / "file") == "former");
  CHECK(folder.entries() == 1);
}
#endif

TEST_CASE("a device is written directly, and a full one is an error") {
  if (!fs::is_character_file("/dev/full")) return;
  CHECK(message_of([] { fx::write_atomically("/dev/full", "x"); }) ==
        "/dev/full: cannot be written: no space left on device");
  CHECK(fs::is_character_file("/dev/full"));
}

TEST_CASE("a link is followed and the permissions of a former file are kept") {
  const Folder folder;
  fx::write_atomically(folder.path / "file", "former");
  fs::permissions(folder.path / "file", fs::perms::owner_read | fs::perms::owner_write);
  fs::create_symlink("file", folder.path / "link");
  fx::write_atomically(folder.path / "link", "new");
  CHECK(fs::is_symlink(folder.path / "link"));
  CHECK(fx::read_text(folder.path / "file") == "new");
  CHECK(fs::status(folder.path / "file").permissions() == (fs::perms::owner_read | fs::perms::owner_write));
}
