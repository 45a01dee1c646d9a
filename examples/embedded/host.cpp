// The output of a program with an operating system.
#include "output.hpp"

#include <cstdio>
#include <cstdlib>

void embedded::write_text(const char* text) { std::fputs(text, stdout); }
void embedded::finish() { std::exit(0); }
