/// The message of an error, for tests of its words.
#pragma once
#include <fluxion/core/error.hpp>

#include <string>

namespace fluxion::test {

/// Of the ValueError that f raises; empty if it raises none.
template <class F>
std::string message_of(const F& f) {
  try {
    f();
  } catch (const ValueError& error) {
    return error.what();
  }
  return "";
}

}  // namespace fluxion::test
