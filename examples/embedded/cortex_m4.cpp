// What a bare Cortex-M4 needs before main() and for output: the vector table, the start of the program, and semihosting, by which a debugger
// or QEMU prints for it.
#include "output.hpp"

#include <fluxion/core/arena.hpp>

#include <cstdint>

extern "C" {
extern std::uint32_t flash_data_begin, data_begin, data_end, bss_begin, bss_end, stack_begin, stack_end;
extern void (*init_array_begin[])();
extern void (*init_array_end[])();
int main();

[[noreturn]] void start();
[[noreturn]] void stop() { embedded::write_text("fault\n"), embedded::finish(); }
}

namespace {

constexpr std::uint32_t untouched = 0xa5a5a5a5;

std::uint32_t semihosting(std::uint32_t operation, const void* argument) {
  register std::uint32_t r0 asm("r0") = operation;
  register const void* r1 asm("r1") = argument;
  asm volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
  return r0;
}

void write_bytes(const char* name, std::uint32_t bytes) {
  embedded::write_text(name);
  char digits[16];
  int n = static_cast<int>(sizeof digits);
  digits[--n] = 0;
  digits[--n] = '\n';
  do digits[--n] = static_cast<char>('0' + bytes % 10);
  while ((bytes /= 10) != 0);
  embedded::write_text(digits + n);
}

}  // namespace

void embedded::write_text(const char* text) { semihosting(0x04, text); }

void embedded::finish() {
  const std::uint32_t* lowest = &stack_begin;
  while (lowest != &stack_end && *lowest == untouched) ++lowest;
  write_bytes("# stack bytes ", static_cast<std::uint32_t>(&stack_end - lowest) * 4);
  write_bytes("# scratch bytes ", static_cast<std::uint32_t>(fluxion::Arena::of_this_thread().peak()));
  semihosting(0x18, reinterpret_cast<const void*>(0x20026));
  for (;;) {}
}

void start() {
  // The floating-point unit is off after a reset.
  *reinterpret_cast<volatile std::uint32_t*>(0xe000ed88) |= 0xfu << 20;
  asm volatile("dsb\n\tisb");
  for (std::uint32_t *to = &data_begin, *from = &flash_data_begin; to != &data_end;) *to++ = *from++;
  for (std::uint32_t* to = &bss_begin; to != &bss_end;) *to++ = 0;
  std::uint32_t* here;
  asm volatile("mov %0, sp" : "=r"(here));
  for (std::uint32_t* to = &stack_begin; to < here - 16;) *to++ = untouched;
  for (void (**f)() = init_array_begin; f != init_array_end; ++f) (*f)();
  main();
  embedded::finish();
}

extern "C" [[gnu::section(".vectors"), gnu::used]] const void* const vectors[16] = {
    &stack_end, reinterpret_cast<const void*>(&start), reinterpret_cast<const void*>(&stop), reinterpret_cast<const void*>(&stop),
    reinterpret_cast<const void*>(&stop), reinterpret_cast<const void*>(&stop), reinterpret_cast<const void*>(&stop)};
