/// The interpreter: runs any loop kernel from its words, in tiles of about a thousand elements, one loop per operation and element type.
/// It needs no compiler at run time and no template argument per kernel; compiled kernels must give what it gives.
#pragma once
#include "../core/arena.hpp"
#include "../core/error.hpp"
#include "../core/generator.hpp"
#include "call.hpp"
#include "operation/apply.hpp"

#include <utility>

namespace fluxion::graph {

namespace detail {

/// A value inside a tile: element (row, column) lies at data[row * row_step + column * column_step].
struct tile_value {
  const void* data = nullptr;
  index_t row_step = 0;
  index_t column_step = 0;
};

/// result[row * columns + column] = operation(x[0], x[1], x[2]).
using map_function = void (*)(void* result, const tile_value* x, index_t rows, index_t columns);

template <class O, class T>
void map_unary(void* result, const tile_value* x, index_t rows, index_t columns) {
  T* y = static_cast<T*>(result);
  for (index_t row = 0; row < rows; ++row, y += columns) {
    const T* a = static_cast<const T*>(x[0].data) + row * x[0].row_step;
    const index_t step = x[0].column_step;
    if (step == 1)
      for (index_t i = 0; i < columns; ++i) y[i] = apply_unary<O>(a[i]);
    else
      for (index_t i = 0; i < columns; ++i) y[i] = apply_unary<O>(a[i * step]);
  }
}

template <class O, class T>
void map_binary(void* result, const tile_value* x, index_t rows, index_t columns) {
  using R = decltype(apply_binary<O>(T{}, T{}));
  R* y = static_cast<R*>(result);
  for (index_t row = 0; row < rows; ++row, y += columns) {
    const T* a = static_cast<const T*>(x[0].data) + row * x[0].row_step;
    const T* b = static_cast<const T*>(x[1].data) + row * x[1].row_step;
    const index_t step_a = x[0].column_step, step_b = x[1].column_step;
    if (step_a == 1 && step_b == 1)
      for (index_t i = 0; i < columns; ++i) y[i] = apply_binary<O>(a[i], b[i]);
    else if (step_a == 1 && step_b == 0) {
      const T fixed = *b;
      for (index_t i = 0; i < columns; ++i) y[i] = apply_binary<O>(a[i], fixed);
    } else
      for (index_t i = 0; i < columns; ++i) y[i] = apply_binary<O>(a[i * step_a], b[i * step_b]);
  }
}

template <class T>
void map_select(void* result, const tile_value* x, index_t rows, index_t columns) {
  T* y = static_cast<T*>(result);
  for (index_t row = 0; row < rows; ++row, y += columns) {
    const bool* condition = static_cast<const bool*>(x[0].data) + row * x[0].row_step;
    const T* a = static_cast<const T*>(x[1].data) + row * x[1].row_step;
    const T* b = static_cast<const T*>(x[2].data) + row * x[2].row_step;
    for (index_t i = 0; i < columns; ++i) y[i] = condition[i * x[0].column_step] ? a[i * x[1].column_step] : b[i * x[2].column_step];
  }
}

template <class To, class From>
void map_cast(void* result, const tile_value* x, index_t rows, index_t columns) {
  To* y = static_cast<To*>(result);
  for (index_t row = 0; row < rows; ++row, y += columns) {
    const From* a = static_cast<const From*>(x[0].data) + row * x[0].row_step;
    for (index_t i = 0; i < columns; ++i) y[i] = static_cast<To>(a[i * x[0].column_step]);
  }
}

/// The loop of map O whose operands (of a selection: the last two) have type T; null where there is none.
template <class O, class T>
constexpr map_function map_loop() {
  if constexpr (O::family != family::map || O::typing == typing::explicit_) return nullptr;
  else if constexpr (O::typing == typing::choose) return &map_select<T>;
  else if constexpr (O::typing == typing::floating && !std::is_floating_point_v<T>) return nullptr;
  else if constexpr (O::typing == typing::logical && !std::is_same_v<T, bool>) return nullptr;
  else if constexpr (O::arity == 1) return &map_unary<O, T>;
  else return &map_binary<O, T>;
}

/// In which type the interpreter sums and compares along a row.
template <class T>
using row_state = std::conditional_t<std::is_floating_point_v<T>, double, std::int64_t>;

/// Reduces each row of a tile into state[row]; the first tile of a row begins with the identity.
using reduce_function = void (*)(void* state, const tile_value& x, index_t rows, index_t columns, bool first);
/// Turns states into results.
using finish_function = void (*)(void* result, const void* state, index_t rows, index_t row_length);

template <class O, class T>
void reduce_rows(void* state, const tile_value& x, index_t rows, index_t columns, bool first) {
  using S = row_state<T>;
  S* s = static_cast<S*>(state);
  for (index_t row = 0; row < rows; ++row) {
    S value = first ? O::template identity<S>() : s[row];
    const T* a = static_cast<const T*>(x.data) + row * x.row_step;
    for (index_t i = 0; i < columns; ++i) value = O::combine(value, static_cast<S>(a[i * x.column_step]));
    s[row] = value;
  }
}

template <class O, class T>
void finish_rows(void* result, const void* state, index_t rows, index_t row_length) {
  using S = row_state<T>;
  for (index_t row = 0; row < rows; ++row) {
    S value = static_cast<const S*>(state)[row];
    if constexpr (O::divides_by_count && std::is_floating_point_v<T>) value /= static_cast<S>(row_length);
    static_cast<T*>(result)[row] = static_cast<T>(value);
  }
}

/// slot = combine(slot, x), element after element.
using accumulate_function = void (*)(std::byte* slot, index_t slot_row_step, index_t slot_column_step, const tile_value& x, index_t rows, index_t columns);

template <class O, class T>
void accumulate_tile(std::byte* slot, index_t slot_row_step, index_t slot_column_step, const tile_value& x, index_t rows, index_t columns) {
  using C = computed_in<T, O>;
  for (index_t row = 0; row < rows; ++row) {
    T* y = reinterpret_cast<T*>(slot) + row * slot_row_step;
    const T* a = static_cast<const T*>(x.data) + row * x.row_step;
    if (slot_column_step == 0 && columns > 0) {
      using S = row_state<T>;
      auto value = static_cast<S>(*a);
      for (index_t i = 1; i < columns; ++i) value = O::combine(value, static_cast<S>(a[i * x.column_step]));
      *y = static_cast<T>(O::combine(static_cast<S>(*y), value));
    } else {
      for (index_t i = 0; i < columns; ++i)
        y[i * slot_column_step] = static_cast<T>(O::combine(static_cast<C>(y[i * slot_column_step]), static_cast<C>(a[i * x.column_step])));
    }
  }
}

template <class T>
void copy_tile(std::byte* to, index_t row_step, index_t column_step, const tile_value& x, index_t rows, index_t columns) {
  for (index_t row = 0; row < rows; ++row) {
    T* y = reinterpret_cast<T*>(to) + row * row_step;
    const T* a = static_cast<const T*>(x.data) + row * x.row_step;
    for (index_t i = 0; i < columns; ++i) y[i * column_step] = a[i * x.column_step];
  }
}

template <class O, class T>
constexpr reduce_function reduce_loop() {
  if constexpr (O::family == family::reduce) return &reduce_rows<O, T>;
  else return nullptr;
}
template <class O, class T>
constexpr finish_function finish_loop() {
  if constexpr (O::family == family::reduce) return &finish_rows<O, T>;
  else return nullptr;
}
template <class O, class T>
constexpr accumulate_function accumulate_loop() {
  if constexpr (O::family == family::reduce) return &accumulate_tile<O, T>;
  else return nullptr;
}

/// Every loop of the interpreter, by operation and element type.
template <class Sequence>
struct loop_table;
template <int... Code>
struct loop_table<std::integer_sequence<int, Code...>> {
  template <class T>
  struct of_type {
    static constexpr map_function map[operation_count] = {map_loop<operation_type<static_cast<opcode>(Code)>, T>()...};
    static constexpr reduce_function reduce[operation_count] = {reduce_loop<operation_type<static_cast<opcode>(Code)>, T>()...};
    static constexpr finish_function finish[operation_count] = {finish_loop<operation_type<static_cast<opcode>(Code)>, T>()...};
    static constexpr accumulate_function accumulate[operation_count] = {accumulate_loop<operation_type<static_cast<opcode>(Code)>, T>()...};
  };
};
using loops = loop_table<std::make_integer_sequence<int, operation_count>>;

class interpreter {
 public:
  explicit interpreter(const loop_call& call) : call_(call), header_(unpack_header(call.code[0])) {
    count_ = header_.entries;
    entries_ = scope_.take<kernel_entry>(static_cast<std::size_t>(count_ + 1));
    values_ = scope_.take<tile_value>(static_cast<std::size_t>(count_ + 1));
    buffers_ = scope_.take<std::byte*>(static_cast<std::size_t>(count_ + 1));
    states_ = scope_.take<std::byte*>(static_cast<std::size_t>(count_ + 1));
    for (int i = 0; i < count_; ++i) new (&entries_[i]) kernel_entry, new (&values_[i]) tile_value;
    read_code(call.code, entries_);
    long_row_ = call.row > tile_size;
    block_ = call.outer_rank == 0 || long_row_ ? 1 : tile_size / (call.row > 0 ? call.row : 1);
    if (call.outer_rank > 0 && block_ > call.outer[call.outer_rank - 1]) block_ = call.outer[call.outer_rank - 1];
    if (block_ < 1) block_ = 1;
    for (int i = 0; i < count_; ++i) {
      const kernel_entry& e = entries_[i];
      const bool full = e.rate == rate::full;
      const auto elements = static_cast<std::size_t>(full ? block_ * (long_row_ ? tile_size : call.row) : block_);
      const auto whole = e.keep == kept_in_output && long_row_ ? static_cast<std::size_t>(call.row) : elements;
      buffers_[i] = scope_.take<std::byte>((whole > 0 ? whole : 1) * size_of(e.type));
      if (is_reduce(e)) states_[i] = scope_.take<std::byte>(static_cast<std::size_t>(block_) * 8);
    }
  }

  void run() {
    for (int a = 0; a < call_.outer_rank; ++a)
      if (call_.outer[a] == 0) return;
    rows_ = 1;
    for (int i = 0; i < count_; ++i)
      if (entries_[i].rate == rate::once) evaluate(i, 1, 0, 1, tile_value{buffers_[i], 0, 0});
    const int last = call_.outer_rank - 1;
    while (true) {
      if (last < 0) {
        run_block();
        return;
      }
      for (index_t begin = 0; begin < call_.outer[last]; begin += block_) {
        position_[last] = begin;
        rows_ = call_.outer[last] - begin < block_ ? call_.outer[last] - begin : block_;
        run_block();
      }
      int a = last - 1;
      while (a >= 0 && ++position_[a] == call_.outer[a]) position_[a--] = 0;
      if (a < 0) return;
    }
  }

 private:
  static constexpr index_t tile_size = 1024;

  static bool is_reduce(const kernel_entry& e) { return e.code < operation_count && info_of(e.code).family == family::reduce; }
  static bool is_sink(const kernel_entry& e) {
    return e.code == entry_code::store || e.code == entry_code::store_strided || e.code == entry_code::accumulate;
  }

  /// Offset of the block's first row in a slot.
  index_t offset(const loop_operand& slot) const {
    index_t n = slot.offset;
    for (int a = 0; a < call_.outer_rank; ++a) n += position_[a] * slot.outer_stride[a];
    return n;
  }
  index_t block_stride(const loop_operand& slot) const { return call_.outer_rank > 0 ? slot.outer_stride[call_.outer_rank - 1] : 0; }

  /// The rows of a block: passes over them, each in tiles.
  void run_block() {
    for (int pass = 0; pass < header_.passes; ++pass) {
      outer_entries(pass);
      index_t begin = 0;
      do {
        index_t columns = call_.row - begin;
        if (long_row_ && columns > tile_size) columns = tile_size;
        sweep(pass, begin, columns);
        begin += columns;
      } while (begin < call_.row);
      for (int i = 0; i < count_; ++i) {
        const kernel_entry& e = entries_[i];
        if (!is_reduce(e) || !(e.passes >> pass & 1)) continue;
        dispatch(e.type, [&](auto zero) { loops::of_type<decltype(zero)>::finish[e.code](buffers_[i], states_[i], rows_, call_.row); });
        values_[i] = {buffers_[i], 1, 0};
      }
    }
    outer_entries(header_.passes);
  }

  void outer_entries(int pass) {
    for (int i = 0; i < count_; ++i) {
      const kernel_entry& e = entries_[i];
      if (e.rate != rate::outer || is_reduce(e) || !(e.passes >> pass & 1)) continue;
      evaluate(i, rows_, 0, 1, {buffers_[i], 1, 0});
    }
  }

  /// One tile of one pass.
  void sweep(int pass, index_t begin, index_t columns) {
    for (int i = 0; i < count_; ++i) {
      const kernel_entry& e = entries_[i];
      if (!(e.passes >> pass & 1)) continue;
      if (is_reduce(e)) {
        const kernel_entry& operand = entries_[e.operand[0]];
        dispatch(operand.type, [&](auto zero) {
          loops::of_type<decltype(zero)>::reduce[e.code](states_[i], values_[e.operand[0]], rows_, columns, begin == 0);
        });
        continue;
      }
      if (e.rate != rate::full) continue;
      std::byte* buffer = buffers_[i];
      if (e.keep != 0) {
        if (long_row_)
          buffer = (e.keep == kept_in_output ? buffers_[i] : call_.keep + static_cast<std::size_t>(e.keep - 1) * call_.keep_stride) +
                   static_cast<std::size_t>(begin) * size_of(e.type);
        const bool computed = (e.passes & ((1u << pass) - 1u)) != 0;
        if (computed) {
          values_[i] = {buffer, columns, 1};
          continue;
        }
      }
      evaluate(i, rows_, begin, columns, {buffer, columns, 1});
    }
  }

  /// Evaluates entry i for `rows` rows and columns [begin, begin + columns) into `to`, or acts if it is a sink.
  void evaluate(int i, index_t rows, index_t begin, index_t columns, const tile_value& to) {
    const kernel_entry& e = entries_[i];
    void* result = const_cast<void*>(to.data);
    values_[i] = to;
    switch (e.code) {
      case entry_code::constant: {
        dispatch(e.type, [&](auto zero) {
          using T = decltype(zero);
          const T value = is_floating(e.type) ? static_cast<T>(double_of(e.payload)) : static_cast<T>(static_cast<std::int64_t>(e.payload));
          *static_cast<T*>(result) = value;
        });
        values_[i] = {result, 0, 0};
        return;
      }
      case entry_code::scalar: {
        const scalar_value& s = call_.scalars[e.slot];
        dispatch(e.type, [&](auto zero) {
          using T = decltype(zero);
          *static_cast<T*>(result) = is_floating(e.type) ? static_cast<T>(s.floating) : static_cast<T>(s.integer);
        });
        values_[i] = {result, 0, 0};
        return;
      }
      case entry_code::load:
      case entry_code::load_strided: {
        const loop_operand& slot = call_.slots[e.slot];
        const std::byte* data = slot.data + (offset(slot) + begin * slot.row_stride) * static_cast<index_t>(size_of(e.type));
        const tile_value source{data, block_stride(slot), slot.row_stride};
        // A copy, not a pointer: a result may be written where this was read.
        dispatch(e.type, [&](auto zero) {
          copy_tile<decltype(zero)>(static_cast<std::byte*>(result), columns, 1, source, rows, columns);
        });
        return;
      }
      case entry_code::iota:
      case entry_code::uniform: generate(e, rows, begin, columns, result); return;
      case entry_code::store:
      case entry_code::store_strided: {
        const loop_operand& slot = call_.slots[e.slot];
        std::byte* data = slot.data + (offset(slot) + begin * slot.row_stride) * static_cast<index_t>(size_of(e.type));
        dispatch(e.type, [&](auto zero) {
          copy_tile<decltype(zero)>(data, block_stride(slot), slot.row_stride, values_[e.operand[0]], rows, columns);
        });
        return;
      }
      case entry_code::accumulate: {
        const loop_operand& slot = call_.slots[e.slot];
        std::byte* data = slot.data + (offset(slot) + begin * slot.row_stride) * static_cast<index_t>(size_of(e.type));
        dispatch(e.type, [&](auto zero) {
          loops::of_type<decltype(zero)>::accumulate[e.operand[1]](data, block_stride(slot), slot.row_stride, values_[e.operand[0]], rows, columns);
        });
        return;
      }
      default: map(e, rows, columns, result);
    }
  }

  void map(const kernel_entry& e, index_t rows, index_t columns, void* result) {
    tile_value x[3];
    bool even = true;
    for (int k = 0; k < 3; ++k) {
      if (e.operand[k] < 0) continue;
      x[k] = values_[e.operand[k]];
      even = even && x[k].row_step == x[k].column_step * columns;
    }
    if (even) {
      columns *= rows;
      rows = 1;
    } else if (columns == 1) {
      for (tile_value& v : x) v.column_step = v.row_step;
      columns = std::exchange(rows, 1);
    }
    const element_type from = entries_[e.operand[0]].type;
    if (e.code == opcode_of<operation::cast>) {
      dispatch(e.type, [&](auto to_zero) {
        dispatch(from, [&](auto from_zero) { map_cast<decltype(to_zero), decltype(from_zero)>(result, x, rows, columns); });
      });
      return;
    }
    const element_type type = e.code == opcode_of<operation::select> ? e.type : from;
    dispatch(type, [&](auto zero) {
      const map_function loop = loops::of_type<decltype(zero)>::map[e.code];
      if (loop == nullptr) raise<Error>("interpreter: ", info_of(e.code).name, " has no loop for ", name_of(type));
      loop(result, x, rows, columns);
    });
  }

  void generate(const kernel_entry& e, index_t rows, index_t begin, index_t columns, void* result) const {
    const loop_operand& slot = call_.slots[e.slot];
    const index_t first = offset(slot) + begin * slot.row_stride, row_step = block_stride(slot);
    std::uint64_t stream[2]{};
    if (e.code == entry_code::uniform)
      for (int k = 0; k < 2; ++k)
        dispatch(entries_[e.operand[k]].type, [&](auto zero) {
          stream[k] = static_cast<std::uint64_t>(static_cast<std::int64_t>(*static_cast<const decltype(zero)*>(values_[e.operand[k]].data)));
        });
    const PhiloxKey key = Generator(stream[0]).key();
    dispatch(e.type, [&](auto zero) {
      using T = decltype(zero);
      T* y = static_cast<T*>(result);
      for (index_t row = 0; row < rows; ++row)
        for (index_t i = 0; i < columns; ++i) {
          const index_t number = first + row * row_step + i * slot.row_stride;
          if constexpr (std::is_floating_point_v<T>) {
            if (e.code == entry_code::uniform) {
              *y++ = random_uniform<T>(key, stream[1], static_cast<std::uint64_t>(number));
              continue;
            }
          }
          *y++ = static_cast<T>(number);
        }
    });
  }

  const loop_call& call_;
  kernel_header header_;
  ArenaScope scope_;
  int count_ = 0;
  kernel_entry* entries_ = nullptr;
  tile_value* values_ = nullptr;
  std::byte** buffers_ = nullptr;
  std::byte** states_ = nullptr;
  index_t position_[max_rank]{};       // of the block's first row
  index_t rows_ = 1;                   // of this block
  index_t block_ = 1;                  // rows of a whole block, along the last outer axis
  bool long_row_ = false;              // a row is more than one tile
};

}  // namespace detail

/// Runs a loop kernel from its words.
inline void interpret_loop(const loop_call& call) { detail::interpreter(call).run(); }

}  // namespace fluxion::graph
