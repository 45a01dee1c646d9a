/// A loop kernel as data: one word per entry. Compiled kernels take the words as template arguments, the interpreter reads them.
#pragma once
#include "program.hpp"

namespace fluxion::graph {

/// How often an entry is evaluated.
enum class rate : std::uint8_t {
  once,   // the same value everywhere in the kernel
  outer,  // once per row: position in the outer axes
  full,   // at every position of a row
};

/// Codes of entries that are not operations of the table.
namespace entry_code {
inline constexpr std::uint8_t load = 200;            // from slot, contiguous along the row
inline constexpr std::uint8_t load_strided = 201;    // from slot, any stride along the row
inline constexpr std::uint8_t scalar = 202;          // run-time scalar of the call
inline constexpr std::uint8_t constant = 203;        // the next word
inline constexpr std::uint8_t store = 204;           // operand a to slot
inline constexpr std::uint8_t store_strided = 205;
inline constexpr std::uint8_t accumulate = 206;      // operand a into slot by the reduction numbered b
inline constexpr std::uint8_t iota = 207;            // the offset in slot's strides, as a number
inline constexpr std::uint8_t uniform = 208;         // random number of that offset; operands key and offset
}  // namespace entry_code

/// One entry of a kernel, unpacked.
struct kernel_entry {
  std::uint8_t code = 0;
  element_type type = element_type::float32;
  graph::rate rate = rate::full;
  std::uint8_t passes = 0;       // full: mask of the passes that evaluate it; outer: mask with the one before which it is evaluated
  std::uint8_t keep = 0;         // 1 + row buffer that holds it between passes, or kept_in_output
  std::int16_t operand[3] = {-1, -1, -1};
  std::int16_t slot = 0;         // of memory or of a generator, number of a scalar; the output that holds a kept value
  std::uint64_t payload = 0;     // of a constant
  friend constexpr bool operator==(const kernel_entry&, const kernel_entry&) = default;
};

/// Of a value that lies between passes where an output will be stored later. The interpreter and GPUs hold it elsewhere.
inline constexpr std::uint8_t kept_in_output = 63;
inline constexpr int max_row_buffers = 60;

/// Where a kernel first writes to the memory of an output.
struct first_write {
  unsigned pass = 0;  // as a bit
  int entry = -1;
};
constexpr first_write first_write_to(int slot, const kernel_entry* entries, int count) {
  first_write w;
  for (int i = 0; i < count; ++i) {
    const kernel_entry& e = entries[i];
    if (e.slot != slot || !(e.keep == kept_in_output || e.code == entry_code::store || e.code == entry_code::store_strided)) continue;
    const unsigned pass = e.passes & (~e.passes + 1u);
    if (w.entry < 0 || pass < w.pass) w = {pass, i};
  }
  return w;
}
/// Whether entry number `index` reads the elements of a row only before that.
constexpr bool reads_before(const first_write& w, const kernel_entry& e, int index) {
  return e.passes < 2 * w.pass && (index < w.entry || (e.passes & w.pass) == 0);
}

inline constexpr int max_passes = 7;
inline constexpr int max_kernel_entries = 250;

/// What a kernel says about itself before its entries.
struct kernel_header {
  std::int16_t entries = 0;
  std::int16_t slots = 0;
  std::int16_t scalars = 0;
  std::uint8_t passes = 1;
  std::uint8_t keeps = 0;
  std::uint8_t row_length = 0;  // static length of a short row, 0 if it is long or known at run time
  bool rows_as_lanes = false;   // for the CPU: better computed for several rows at once than for several elements of one
  friend constexpr bool operator==(const kernel_header&, const kernel_header&) = default;
};

constexpr std::uint64_t pack(const kernel_header& h) {
  return static_cast<std::uint64_t>(h.entries) | static_cast<std::uint64_t>(h.slots) << 12 | static_cast<std::uint64_t>(h.scalars) << 24 |
         static_cast<std::uint64_t>(h.passes) << 36 | static_cast<std::uint64_t>(h.keeps) << 40 | static_cast<std::uint64_t>(h.row_length) << 48 |
         static_cast<std::uint64_t>(h.rows_as_lanes) << 56;
}
constexpr kernel_header unpack_header(std::uint64_t w) {
  return {static_cast<std::int16_t>(w & 0xfff), static_cast<std::int16_t>(w >> 12 & 0xfff), static_cast<std::int16_t>(w >> 24 & 0xfff),
          static_cast<std::uint8_t>(w >> 36 & 0xf), static_cast<std::uint8_t>(w >> 40 & 0xff), static_cast<std::uint8_t>(w >> 48 & 0xff),
          (w >> 56 & 1) != 0};
}
constexpr std::uint64_t pack(const kernel_entry& e) {
  return static_cast<std::uint64_t>(e.code) | static_cast<std::uint64_t>(e.type) << 8 | static_cast<std::uint64_t>(e.rate) << 12 |
         static_cast<std::uint64_t>(e.passes) << 14 | static_cast<std::uint64_t>(e.keep) << 22 | static_cast<std::uint64_t>(e.operand[0] + 1) << 28 |
         static_cast<std::uint64_t>(e.operand[1] + 1) << 37 | static_cast<std::uint64_t>(e.operand[2] + 1) << 46 | static_cast<std::uint64_t>(e.slot) << 55;
}
constexpr kernel_entry unpack_entry(std::uint64_t w) {
  kernel_entry e;
  e.code = static_cast<std::uint8_t>(w & 0xff);
  e.type = static_cast<element_type>(w >> 8 & 0xf);
  e.rate = static_cast<rate>(w >> 12 & 3);
  e.passes = static_cast<std::uint8_t>(w >> 14 & 0xff);
  e.keep = static_cast<std::uint8_t>(w >> 22 & 0x3f);
  for (int k = 0; k < 3; ++k) e.operand[k] = static_cast<std::int16_t>(static_cast<int>(w >> (28 + 9 * k) & 0x1ff) - 1);
  e.slot = static_cast<std::int16_t>(w >> 55 & 0x1ff);
  return e;
}

/// The words of a kernel: header, then entries, a constant followed by its payload.
constexpr void append_code(list<std::uint64_t>& words, const kernel_header& header, const list<kernel_entry>& entries) {
  words.push_back(pack(header));
  for (const kernel_entry& e : entries) {
    words.push_back(pack(e));
    if (e.code == entry_code::constant) words.push_back(e.payload);
  }
}

/// Reads the entries of a kernel back into an array of header.entries elements.
constexpr void read_code(const std::uint64_t* words, kernel_entry* entries) {
  const int count = unpack_header(words[0]).entries;
  const std::uint64_t* w = words + 1;
  for (int i = 0; i < count; ++i) {
    entries[i] = unpack_entry(*w++);
    if (entries[i].code == entry_code::constant) entries[i].payload = *w++;
  }
}

}  // namespace fluxion::graph
