/// Errors that only the run can find: one exception type per kind, or one handler where exceptions are off.
#pragma once
#include "config.hpp"

#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <string>

namespace fluxion {

/// The base of everything the library throws. `what()` is one lower-case sentence that names the operation and both shapes,
/// or the file and the byte or line where reading stopped.
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Ranks or extents that do not fit together.
class ShapeError : public Error {
 public:
  using Error::Error;
};

/// An index, an axis or a slice outside its range.
class IndexError : public Error {
 public:
  using Error::Error;
};

/// A value that an operation does not accept, such as an empty reduction without identity.
class ValueError : public Error {
 public:
  using Error::Error;
};

/// A file that cannot be read or written, or whose content is not what its format says.
class FileError : public Error {
 public:
  using Error::Error;
};

/// Called instead of `throw` where exceptions are off. It must not return; if it does, the program is aborted.
using error_handler = void (*)(const char* message);

namespace detail {
inline error_handler& current_error_handler() noexcept {
  static error_handler handler = [](const char* message) {
    std::fputs(message, stderr);
    std::fputc('\n', stderr);
  };
  return handler;
}
}  // namespace detail

/// Sets the handler for errors in builds without exceptions; returns the former one.
inline error_handler set_error_handler(error_handler handler) noexcept {
  error_handler& current = detail::current_error_handler();
  error_handler former = current;
  current = handler;
  return former;
}

/// Reports an error: throws `E(message)`, or calls the handler and aborts where exceptions are off.
template <class E = Error>
[[noreturn]] inline void raise(const std::string& message) {
#if FLUXION_HAS_EXCEPTIONS
  throw E(message);
#else
  detail::current_error_handler()(message.c_str());
  std::abort();
#endif
}

}  // namespace fluxion
