/// Running the program of a loop's step again and again: states in memory of the thread's arena, pointers moved from step to step.
#pragma once
#include "../../device/counting/count.hpp"
#include "../../graph/repeat.hpp"
#include "argument.hpp"

#include <cmath>
#include <cstring>
#include <optional>

namespace fluxion::detail {

/// Element type and rank of an argument of a program, whether it is used or not.
struct argument_kind {
  element_type type = element_type::float32;
  int rank = 0;
};
template <class Source>
inline constexpr auto argument_kinds = [] {
  constexpr const auto& p = graph::constant_program<Source>::value;
  std::array<argument_kind, static_cast<std::size_t>(p.argument_count + 1)> kinds{};
  for (int i = 0; i < p.instruction_count; ++i)
    if (p.instructions[i].operation == graph::opcode_of<operation::argument>)
      kinds[static_cast<std::size_t>(p.instructions[i].attribute)] = {p.instructions[i].type, p.shapes[p.instructions[i].shape].rank};
  return kinds;
}();

/// Binds an argument of a loop; a sequence by its first entry, for which `next` says where the others are.
struct sequence_binding {
  const std::byte* data = nullptr;
  std::ptrdiff_t stride = 0;  // in bytes
  index_t length = 0;
  int argument = 0;
};
struct sequence_list {
  sequence_binding entries[max_rank * 2];
  int count = 0;
};

template <class X>
void bind_leaf(const X& x, binder& b) {
  argument_traits<X>::bind(x, b);
}
template <class X>
void bind_state_leaf(const X& x, binder& b) {
  if constexpr (std::is_arithmetic_v<X>) b.add(&x, layout_right::mapping<extents<>>(extents<>{}));
  else argument_traits<X>::bind(x, b);
}

template <bool Loss, class A, class X>
void bind_loop_argument(const X& x, binder& b, const graph::descriptor* begin, sequence_list& sequences) {
  constexpr loop_role role = loop_argument<A>::role;
  if constexpr (role == loop_role::state || role == loop_role::output) {
    std::apply([&](const auto&... leaf) { (bind_state_leaf(leaf, b), ...); }, value_group<X>::tie(x));
  } else if constexpr (role == loop_role::constant) {
    std::apply([&](const auto&... leaf) { (bind_leaf(leaf, b), ...); }, value_group<X>::tie(x));
  } else if constexpr (role == loop_role::sequence && !Loss) {
    using values = std::remove_cvref_t<decltype(x.values)>;
    constexpr int rank = values::extents_type::rank();
    graph::descriptor all;
    binder whole{&all, nullptr};
    argument_traits<values>::bind(x.values, whole);
    graph::descriptor& row = *b.arguments++;
    row.data = all.data;
    for (int axis = 1; axis < rank; ++axis) row.extent[axis - 1] = all.extent[axis], row.stride[axis - 1] = all.stride[axis];
    sequences.entries[sequences.count++] = {all.data, all.stride[0] * static_cast<std::ptrdiff_t>(sizeof(typename values::value_type)), all.extent[0],
                                            static_cast<int>(&row - begin)};
  }
}

/// Where the tensors of a state lie in a block of memory.
template <int Count>
struct block_layout {
  std::size_t offset[Count > 0 ? Count : 1]{};
  std::size_t bytes = 0;
  std::size_t size[Count > 0 ? Count : 1]{};

  void add(int k, std::size_t n) {
    // Small ones share cache lines.
    std::size_t alignment = 8;
    while (alignment < Arena::alignment && alignment < n) alignment *= 2;
    bytes = (bytes + alignment - 1) / alignment * alignment;
    offset[k] = bytes;
    size[k] = n;
    bytes += n;
  }
};

/// The largest change of an element between two blocks of n; NaN if there is a NaN. Eight maxima, so that none has to wait for the one before it.
template <class T>
T largest_change(const std::byte* a, const std::byte* b, std::size_t n) {
  const T* const from = reinterpret_cast<const T*>(a);
  const T* const to = reinterpret_cast<const T*>(b);
  T largest[8]{}, unknown[8]{};  // the latter 0, or NaN
  const auto look = [&](std::size_t lane, std::size_t i) {
    const T change = std::abs(to[i] - from[i]);
    largest[lane] = change > largest[lane] ? change : largest[lane];
    unknown[lane] += change * 0;
  };
  std::size_t i = 0;
  for (; i + 8 <= n; i += 8)
    for (std::size_t lane = 0; lane < 8; ++lane) look(lane, i + lane);
  for (std::size_t lane = 0; i < n; ++i, ++lane) look(lane, i);
  for (std::size_t lane = 1; lane < 8; ++lane) {
    largest[0] = largest[lane] > largest[0] ? largest[lane] : largest[0];
    unknown[0] += unknown[lane];
  }
  return largest[0] + unknown[0];
}
/// The same for elements of a type that is known at run time; 0 for those that are not of floating point.
inline double largest_change(element_type type, const std::byte* a, const std::byte* b, std::size_t bytes) {
  double change = 0;
  dispatch(type, [&](auto zero) {
    using T = decltype(zero);
    if constexpr (std::is_floating_point_v<T>) change = static_cast<double>(largest_change<T>(a, b, bytes / sizeof(T)));
  });
  return change;
}

inline std::size_t bytes_of(const graph::descriptor& d, const argument_kind& kind) {
  return static_cast<std::size_t>(graph::detail::element_count(d, kind.rank)) * size_of(kind.type);
}

template <class Source>
struct sourced_call : plan_call<Source> {
  using source_type = Source;
};

/// Straight-line code needs no preparation, and no plan.
template <class Source, bool StraightLine>
struct prepared_run {
  std::optional<graph::repeated_plan<graph::constant_plan<Source>>> plan;
  void prepare(const plan_call<Source>& call, const graph::descriptor* outputs) {
    plan.emplace(host::functions_of<graph::constant_plan<Source>>, call.arguments, call.scalars, outputs, call.symbols);
  }
  void run(plan_call<Source>&, const graph::descriptor*) { plan->run(device::current_counters()); }
};
template <class Source>
struct prepared_run<Source, true> {
  void prepare(const plan_call<Source>&, const graph::descriptor*) {}
  void run(plan_call<Source>& call, const graph::descriptor* outputs) { call.run_fresh(outputs); }
};

/// A constant plan whose arguments and outputs move. The first arguments come from the loop's, the others are set by whoever runs it.
template <class Source>
struct moving_call {
  using source_type = Source;
  using call_type = sourced_call<Source>;
  static constexpr int output_count = call_type::output_count;
  static constexpr const auto& kinds = argument_kinds<Source>;
  call_type call;
  graph::descriptor outputs[output_count > 0 ? output_count : 1];
  sequence_list sequences;
  prepared_run<Source, call_type::is_straight_line> prepared;

  /// Binds the loop's arguments; returns how many arguments of the program they are.
  template <bool Loss, class... A, class... X>
  int bind(const std::tuple<const X&...>& x) {
    binder b = call.make_binder();
    [&]<std::size_t... I>(std::index_sequence<I...>) {
      (bind_loop_argument<Loss, A>(std::get<I>(x), b, call.arguments, sequences), ...);
    }(std::index_sequence_for<X...>{});
    return static_cast<int>(b.arguments - call.arguments);
  }
  /// Once all arguments are there: checks them and gives outputs their extents.
  void check() {
    call.check();
    for (int k = 0; k < output_count; ++k) {
      outputs[k].data = nullptr;
      graph::output_extents(call.view, k, call.symbols, outputs[k].extent);
      graph::detail::contiguous_strides(outputs[k], rank_of_output(k));
    }
  }
  /// Once all arguments and outputs have memory.
  void prepare() { prepared.prepare(call, outputs); }
  void run() { prepared.run(call, outputs); }

  static int rank_of_output(int k) { return call_type::view.shape_of(call_type::view.outputs[k]).rank; }
  static element_type type_of_output(int k) { return call_type::view.instructions[call_type::view.outputs[k]].type; }
  std::size_t bytes_of_output(int k) const { return bytes_of(outputs[k], {type_of_output(k), rank_of_output(k)}); }

  /// Raises ShapeError unless output k has the extents of argument `a`.
  void require_equal_extents(int k, int a, const char* what) const {
    const argument_kind kind = kinds[static_cast<std::size_t>(a)];
    for (int axis = 0; axis < kind.rank; ++axis)
      if (outputs[k].extent[axis] != call.arguments[a].extent[axis])
        raise<ShapeError>("loop: ", what, " has extents ", extents_text{outputs[k].extent, kind.rank}, " and not ",
                          extents_text{call.arguments[a].extent, kind.rank});
  }

  void enter(index_t t) {
    for (int k = 0; k < sequences.count; ++k) {
      const sequence_binding& s = sequences.entries[k];
      call.arguments[s.argument].data = const_cast<std::byte*>(s.data + t * s.stride);
    }
  }
  /// The length that all sequences have. Raises ShapeError if they differ.
  index_t length() const {
    const index_t n = sequences.entries[0].length;
    for (int k = 1; k < sequences.count; ++k)
      if (sequences.entries[k].length != n) raise<ShapeError>("scan: sequences have ", n, " and ", sequences.entries[k].length, " entries");
    return n;
  }
};

/// Whether a step's first outputs are what its state arguments, numbered by `State`, are. Static extents must be equal, others are looked at later.
template <class Source, class State>
constexpr bool returns_its_state() {
  constexpr const auto& p = graph::constant_program<Source>::value;
  constexpr int count = static_cast<int>(State::value.size());
  if (p.output_count != count + outputs_of_step<typename Source::returned>::count) return false;
  for (int k = 0; k < count; ++k) {
    const graph::instruction& y = p.instructions[p.outputs[k]];
    for (int i = 0; i < p.instruction_count; ++i) {
      const graph::instruction& x = p.instructions[i];
      if (x.operation != graph::opcode_of<operation::argument> || x.attribute != State::value[static_cast<std::size_t>(k)]) continue;
      const graph::shape &a = p.shapes[x.shape], &b = p.shapes[y.shape];
      if (x.type != y.type || a.rank != b.rank) return false;
      for (int axis = 0; axis < a.rank; ++axis)
        if (!graph::is_symbol(a.extent[axis]) && !graph::is_symbol(b.extent[axis]) && a.extent[axis] != b.extent[axis]) return false;
    }
  }
  return true;
}
template <class Source, class State>
struct step_of_a_loop {
  static constexpr bool fits = returns_its_state<Source, State>();
  static_assert(fits, "the step of a loop returns a state of the element types and extents that it was given");
};

/// The program of a step on states in memory. `State::value` are the numbers of the state's arguments, in the order of the outputs.
template <class Source, class State>
struct loop_steps : moving_call<Source> {
  static constexpr int count = static_cast<int>(State::value.size()), outputs_along = outputs_of_step<typename Source::returned>::count;
  block_layout<count> layout;
  std::byte* rows[outputs_along + 1]{};  // where outputs along the way are stacked

  void lay_out() {
    this->check();
    for (int k = 0; k < count; ++k) {
      const int a = State::value[static_cast<std::size_t>(k)];
      this->require_equal_extents(k, a, "the state that a step returns");
      layout.add(k, bytes_of(this->call.arguments[a], this->kinds[static_cast<std::size_t>(a)]));
    }
    layout.bytes = (layout.bytes + Arena::alignment - 1) / Arena::alignment * Arena::alignment;
  }
  /// Copies what the state's arguments are bound to into a block and looks at that from then on.
  void begin_at(std::byte* block) {
    for (int k = 0; k < count; ++k) {
      const int a = State::value[static_cast<std::size_t>(k)];
      const argument_kind kind = this->kinds[static_cast<std::size_t>(a)];
      graph::descriptor& d = this->call.arguments[a];
      graph::descriptor to = d;
      to.data = block + layout.offset[k];
      graph::detail::contiguous_strides(to, kind.rank);
      if (layout.size[k] > 0) graph::detail::copy_strided(to.data, to.stride, d.data, d.stride, d.extent, kind.rank, size_of(kind.type));
      d = to;
    }
  }
  void read_from(std::byte* block) {
    for (int k = 0; k < count; ++k) this->call.arguments[State::value[static_cast<std::size_t>(k)]].data = block + layout.offset[k];
  }
  void write_to(std::byte* block) {
    for (int k = 0; k < count; ++k) this->outputs[k].data = block + layout.offset[k];
  }
  /// The largest change of an element of the state; NaN if there is a NaN.
  double change(const std::byte* from, const std::byte* to) const {
    double largest = 0;
    for (int k = 0; k < count && largest == largest; ++k) {
      const double one = largest_change(this->type_of_output(k), from + layout.offset[k], to + layout.offset[k], layout.size[k]);
      if (!(one <= largest)) largest = one;
    }
    return largest;
  }
  /// Where step t writes what it gives along the way.
  void point_outputs(index_t t) {
    for (int j = 0; j < outputs_along; ++j) this->outputs[count + j].data = rows[j] + static_cast<std::size_t>(t) * this->bytes_of_output(count + j);
  }
  void advance(std::byte* from, std::byte* to, index_t t) {
    read_from(from);
    write_to(to);
    point_outputs(t);
    this->enter(t);
    this->run();
  }
};

}  // namespace fluxion::detail
