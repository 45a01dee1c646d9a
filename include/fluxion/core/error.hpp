/// Errors that only the run can find: one exception type per kind, or one handler where exceptions are off.
#pragma once
#include "config.hpp"

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

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

/// Called instead of `throw` where exceptions are off. It must not return; if it does, the program is aborted. The default one
/// prints the message, except under FLUXION_NO_HEAP.
using error_handler = void (*)(const char* message);

namespace detail {
inline error_handler& current_error_handler() noexcept {
#if defined(FLUXION_NO_HEAP)  // streams have buffers
  static error_handler handler = [](const char*) {};
#else
  static error_handler handler = [](const char* message) {
    std::fputs(message, stderr);
    std::fputc('\n', stderr);
  };
#endif
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

namespace detail {

/// Extents as a part of a message.
struct extents_text {
  const std::ptrdiff_t* values;
  int rank;
};

/// A message while it is put together. Errors are raised from headers that every program compiles: strings would cost each of them a tenth
/// of a second, and a heap.
class message {
 public:
  FLUXION_COLD void add(std::string_view text) {
    for (std::size_t i = 0; i < text.size() && size_ + 1 < sizeof text_; ++i) text_[size_++] = text[i];
  }
  FLUXION_COLD void add_digits(std::uint64_t number) {
    char digits[20];
    int n = 0;
    do digits[n++] = static_cast<char>('0' + number % 10);
    while ((number /= 10) != 0);
    while (n > 0) add(std::string_view(&digits[--n], 1));
  }
  void add(std::integral auto number) {
    if (std::cmp_less(number, 0)) add("-");
    add_digits(std::cmp_less(number, 0) ? ~static_cast<std::uint64_t>(number) + 1 : static_cast<std::uint64_t>(number));
  }
  FLUXION_COLD void add(const extents_text& e) {
    add("[");
    for (int axis = 0; axis < e.rank; ++axis) {
      if (axis > 0) add(", ");
      add(e.values[axis]);
    }
    add("]");
  }
  /// Anything with extents: `rank()` and `to_array()`.
  void add(const auto& extents)
    requires requires { extents.to_array(); }
  {
    const auto values = extents.to_array();
    add(extents_text{values.data(), static_cast<int>(values.size())});
  }
  /// Ends the message.
  const char* text() {
    text_[size_] = 0;
    return text_;
  }

 private:
  std::size_t size_ = 0;
  char text_[600];
};

template <class E>
[[noreturn]] FLUXION_COLD void raise_text(const char* text) {
#if FLUXION_HAS_EXCEPTIONS
  throw E(text);
#else
  current_error_handler()(text);
#if defined(FLUXION_NO_HEAP) && defined(__GNUC__)  // signals may need a table
  __builtin_trap();
#else
  std::abort();
#endif
#endif
}

}  // namespace detail

/// Reports an error: throws `E`, or calls the handler and aborts where exceptions are off. The message is its parts in a row: texts, whole
/// numbers and extents; more than 599 characters only as one string.
template <class E = Error, class... Parts>
[[noreturn]] FLUXION_COLD void raise(const Parts&... parts) {
  if constexpr (sizeof...(Parts) == 1 && (std::convertible_to<const Parts&, const char*> && ...)) {
    detail::raise_text<E>(parts...);
  } else if constexpr (sizeof...(Parts) == 1 && (std::same_as<Parts, std::string> && ...)) {
    detail::raise_text<E>(parts.c_str()...);
  } else {
    detail::message m;
    (m.add(parts), ...);
    detail::raise_text<E>(m.text());
  }
}

}  // namespace fluxion
