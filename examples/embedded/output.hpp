// Where results go: a machine without an operating system has no stdio.
#pragma once

namespace embedded {

void write_text(const char* text);

/// A name and a number in millionths, as "name 1234567".
inline void write(const char* name, float value) {
  char digits[24];
  int n = static_cast<int>(sizeof digits);
  digits[--n] = 0;
  digits[--n] = '\n';
  const bool negative = value < 0;
  auto millionths = static_cast<unsigned long>((negative ? -value : value) * 1e6f + 0.5f);
  do digits[--n] = static_cast<char>('0' + millionths % 10);
  while ((millionths /= 10) != 0);
  if (negative) digits[--n] = '-';
  digits[--n] = ' ';
  write_text(name);
  write_text(digits + n);
}

/// Says how much memory was used, where that is known, and ends the program.
[[noreturn]] void finish();

}  // namespace embedded
