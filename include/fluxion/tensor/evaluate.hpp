/// Evaluation: from an expression's type to a constant plan, from its value to a call of that plan.
#pragma once
#include "../device/counting/count.hpp"
#include "../device/cpu/batched_line.hpp"
#include "../device/cpu/compile.hpp"
#include "../device/cpu/straight_line.hpp"
#include "../graph/check.hpp"
#include "../graph/direct_plan.hpp"
#include "../graph/kernel_type.hpp"
#include "expression.hpp"

#include <array>

namespace fluxion {

namespace detail {

/// Records the expression X by its type.
template <class X>
struct expression_source {
  static constexpr graph::program make() {
    graph::program p;
    lowering l{p};
    const Symbol result = argument_traits<X>::lower(l);
    p.outputs.push_back(static_cast<std::int16_t>(result.index()));
    return p;
  }
};

/// The error of a source's program, for graph::checked.
template <class Source>
struct source_error {
  static constexpr graph::error_report error = graph::constant_program<Source>::value.error;
};

/// Whether a source's program was recorded without an error.
template <class Source>
concept Recorded = graph::checked<source_error<Source>>::passed;

/// Output K of a source's program: its element type and its extents type.
template <class Source, int K>
struct source_output {
  static constexpr const auto& program = graph::constant_program<Source>::value;
  static constexpr graph::shape make_shape() {
    graph::shape s = program.shapes[program.instructions[program.outputs[K]].shape];
    for (int axis = 0; axis < s.rank; ++axis) {
      graph::extent_t e = s.extent[axis];
      while (graph::is_symbol(e) && program.symbol_parents[graph::symbol_number(e)] != e) e = program.symbol_parents[graph::symbol_number(e)];
      s.extent[axis] = e;
    }
    return s;
  }
  static constexpr graph::shape shape = make_shape();
  static constexpr element_type type = program.instructions[program.outputs[K]].type;
  using value_type = element_t<type>;
  using extents_type = graph::extents_of<shape>;
};

/// Whether a plan is one map over adjacent elements of equal extents: then calling its kernel is all there is to do.
constexpr bool is_plain_map(const graph::plan_view& v) {
  if (v.step_count != 1 || v.steps[0].kind != graph::plan_step::loop || v.steps[0].outer_rank != 0 || v.output_count != 1) return false;
  if (graph::unpack_header(v.words[0]).passes != 1 || graph::unpack_header(v.words[0]).keeps != 0) return false;
  for (int k = 0; k < v.steps[0].slot_count; ++k) {
    const graph::plan_slot& slot = v.slots[k];
    const bool direct = slot.kind == graph::plan_slot::input ? v.instructions[slot.value].operation == graph::opcode_of<operation::argument>
                                                              : slot.kind == graph::plan_slot::output && slot.value == v.outputs[0];
    if (!direct || slot.access != graph::plan_slot::adjacent) return false;
  }
  for (int k = 0; k < v.steps[0].scalar_count; ++k)
    if (v.instructions[v.scalars[k]].operation != graph::opcode_of<operation::scalar>) return false;
  return true;
}

/// Whether an argument is read before output k is written, and only at that output's own position: then they may be the same memory.
constexpr bool may_be_in_place(const graph::plan_view& v, int argument, int k_output) {
  if (v.step_count != 1 || v.steps[0].kind != graph::plan_step::loop) return false;
  const graph::plan_step& step = v.steps[0];
  int output = -1;
  for (int k = 0; k < step.slot_count; ++k)
    if (v.slots[k].kind == graph::plan_slot::output && v.slots[k].value == v.outputs[k_output]) output = k;
  if (output < 0) return false;
  graph::kernel_entry entries[graph::max_kernel_entries]{};
  graph::read_code(v.words, entries);
  const int count = graph::unpack_header(v.words[0]).entries;
  for (int e = 0; e < count; ++e)
    if (graph::is_sink(entries[e]) && entries[e].slot == output && entries[e].rate != graph::rate::full) return false;
  const graph::first_write written = graph::first_write_to(output, entries, count);
  for (int e = 0; e < count; ++e) {
    if (entries[e].code != graph::entry_code::load && entries[e].code != graph::entry_code::load_strided) continue;
    const graph::plan_slot& slot = v.slots[entries[e].slot];
    int root = slot.value;
    while (graph::info_of(v.instructions[root].operation).family == graph::family::view && !graph::is_written_view(v.instructions[root].operation)) root = v.instructions[root].operand[0];
    if (v.instructions[root].operation != graph::opcode_of<operation::argument> || v.instructions[root].attribute != argument) continue;
    if (root != slot.value || !(slot.axes == v.slots[output].axes) || !graph::reads_before(written, entries[e], e)) return false;
  }
  return true;
}

/// The memory between a value's first and last element.
struct span_of_bytes {
  const std::byte* begin;
  const std::byte* end;
};
inline span_of_bytes memory_of(const graph::descriptor& d, int rank, std::size_t size) {
  index_t low = 0, high = 0;
  for (int axis = 0; axis < rank; ++axis) {
    if (d.extent[axis] == 0) return {d.data, d.data};
    const index_t reach = (d.extent[axis] - 1) * d.stride[axis];
    (reach < 0 ? low : high) += reach;
  }
  const auto bytes = static_cast<index_t>(size);
  return {d.data + low * bytes, d.data + (high + 1) * bytes};
}
inline bool overlap(const span_of_bytes& a, const span_of_bytes& b) { return a.begin < b.end && b.begin < a.end; }
inline bool same_layout(const graph::descriptor& a, const graph::descriptor& b, int rank) {
  if (a.data != b.data) return false;
  for (int axis = 0; axis < rank; ++axis)
    if (a.extent[axis] != b.extent[axis] || (a.stride[axis] != b.stride[axis] && a.extent[axis] != 1)) return false;
  return true;
}

/// Whether memory that output k is to be computed into is read as well.
inline bool reads(const graph::plan_view& v, const graph::descriptor* arguments, const graph::descriptor& output, int k) {
  const span_of_bytes target = memory_of(output, v.shape_of(v.outputs[k]).rank, size_of(v.instructions[v.outputs[k]].type));
  for (int i = 0; i < v.instruction_count; ++i)
    if (v.instructions[i].operation == graph::opcode_of<operation::argument> &&
        overlap(memory_of(arguments[v.instructions[i].attribute], v.shape_of(i).rank, size_of(v.instructions[i].type)), target))
      return true;
  return false;
}

/// Computes into memory of the arena by `run(outputs)`, then copies from there to the destinations.
template <class Run>
FLUXION_COLD void run_buffered(const graph::plan_view& v, const graph::descriptor* outputs, const Run& run) {
  ArenaScope scope;
  auto* const buffered = scope.template take<graph::descriptor>(static_cast<std::size_t>(v.output_count));
  const auto size = [&](int k) { return size_of(v.instructions[v.outputs[k]].type); };
  for (int k = 0; k < v.output_count; ++k) {
    const int rank = v.shape_of(v.outputs[k]).rank;
    buffered[k] = outputs[k];
    graph::detail::contiguous_strides(buffered[k], rank);
    buffered[k].data = scope.template take<std::byte>(static_cast<std::size_t>(graph::detail::element_count(outputs[k], rank)) * size(k));
  }
  run(buffered);
  for (int k = 0; k < v.output_count; ++k)
    if (graph::detail::element_count(outputs[k], v.shape_of(v.outputs[k]).rank) > 0)
      graph::detail::copy_strided(outputs[k].data, outputs[k].stride, buffered[k].data, buffered[k].stride, outputs[k].extent, v.shape_of(v.outputs[k]).rank, size(k));
}

inline namespace FLUXION_ABI {

/// The extent that a symbol has, or the static one.
template <graph::extent_t E>
index_t extent_of(const index_t* symbols) {
  if constexpr (graph::is_symbol(E)) return symbols[graph::symbol_number(E)];
  else return static_cast<index_t>(E);
}

/// The extents of output K of a source's program.
template <class Source, int K>
typename source_output<Source, K>::extents_type extents_of_output([[maybe_unused]] const index_t* symbols) {
  using output = source_output<Source, K>;
  using E = typename output::extents_type;
  return [&]<int... Axis>(std::integer_sequence<int, Axis...>) {
    return E(std::array<index_t, sizeof...(Axis)>{extent_of<output::shape.extent[Axis]>(symbols)...});
  }(std::make_integer_sequence<int, E::rank()>{});
}

/// A call of a constant plan: arguments bound, extents checked.
template <class Source>
class plan_call {
 public:
  using plan = graph::constant_plan<Source>;
  static constexpr const graph::plan_view& view = plan::view;
  static constexpr int argument_count = view.argument_count, scalar_count = view.scalar_count, output_count = view.output_count;
  static constexpr bool is_straight_line = false;
  static constexpr graph::plan_summary summary = graph::summarize(view);

  graph::descriptor arguments[argument_count > 0 ? argument_count : 1];
  graph::scalar_value scalars[scalar_count > 0 ? scalar_count : 1]{};
  index_t symbols[view.symbol_count > 0 ? view.symbol_count : 1]{};

  binder make_binder() { return {arguments, scalars}; }
  /// After everything was added to the binder. Raises ShapeError.
  void check() {
    if constexpr (binds_directly()) {
      bind_symbols(std::make_integer_sequence<int, view.symbol_count>{});
      if constexpr (!may_broadcast()) require_all(std::make_integer_sequence<int, view.check_count>{});
      else if (!checks_hold(std::make_integer_sequence<int, view.check_count>{})) {
        broadcasts_ = graph::bind(view, arguments, symbols);
      }
    } else {
      broadcasts_ = graph::bind(view, arguments, symbols);
    }
  }

  template <int K>
  typename source_output<Source, K>::extents_type extents() const {
    return extents_of_output<Source, K>(symbols);
  }

  /// Whether the plan is a map over adjacent elements, which `run_plain` calls without further ado.
  static constexpr bool is_plain = is_plain_map(view);

  /// Runs a plain map if all extents are the destination's and no memory overlaps in part; `fill` adds the arguments to a binder. False where
  /// the general way must be taken: to broadcast, to copy, to count or to say what is wrong.
  template <class T, class Mapping, class Fill>
  static bool run_plain(T* destination, const Mapping& mapping, const Fill& fill) {
    static_assert(is_plain);
    constexpr int rank = view.shape_of(view.outputs[0]).rank;
    constexpr graph::plan_step step = view.steps[0];
    const auto extents = mapping.extents();
    using E = std::remove_cvref_t<decltype(extents)>;
    if constexpr (E::rank() != rank) return false;
    else {
      if (!mapping.is_contiguous() || device::current_counters() != nullptr) return false;
      index_t expected[rank > 0 ? rank : 1];
      index_t size = 1;
      for (int axis = 0; axis < rank; ++axis) size *= expected[axis] = extents.extent(axis);
      plain_binder<rank, argument_count, scalar_count> b(expected);
      fill(b);
      if (!b.plain) return false;
      graph::loop_operand slots[step.slot_count > 0 ? step.slot_count : 1];
      auto* const target = reinterpret_cast<std::byte*>(destination);
      if (!place_slots<sizeof(T)>(slots, b.data, target, size, std::make_integer_sequence<int, step.slot_count>{})) return false;
      graph::loop_call call;
      call.code = view.words;
      call.slots = slots;
      graph::scalar_value values[step.scalar_count > 0 ? step.scalar_count : 1];
      call.scalars = values;
      if constexpr (scalars_in_order) call.scalars = b.scalars;
      else
        for (int k = 0; k < step.scalar_count; ++k) values[k] = b.scalars[view.instructions[view.scalars[k]].attribute];
      call.row = size;
      host::functions_of<plan>.loops[0](call);
      return true;
    }
  }

  /// Computes into destinations that no argument overlaps.
  void run_fresh(const graph::descriptor* outputs) {
    if constexpr (!is_plain)
      if constexpr (graph::direct_plan<plan>::possible)
        if (!broadcasts_ && device::current_counters() == nullptr && graph::direct_plan<plan>(host::functions_of<plan>, arguments, scalars, outputs, symbols).run()) return;
    graph::execute_constant<plan>(host::functions_of<plan>, arguments, scalars, outputs, symbols, device::current_counters());
  }
  /// Computes into the destinations. Those that overlap an argument are computed elsewhere first, where the plan needs that.
  void run(const graph::descriptor* outputs) {
    if (is_safe(outputs)) run_fresh(outputs);
    else run_buffered(view, outputs, [&](const graph::descriptor* buffered) { run_fresh(buffered); });
  }

 private:
  bool broadcasts_ = false;  // extents of 1 to others, which only the run shows

  // Small calls are dominated by binding: what the compiler can unroll, it does.
  static constexpr bool binds_directly() {
    return view.symbol_count <= 16 && view.check_count <= 16;
  }
  /// Points slot K of a plain map at its elements. False where an argument overlaps the destination in part.
  template <std::size_t Size, int K>
  static FLUXION_ALWAYS_INLINE bool place_slot(graph::loop_operand* slots, const std::byte* const* data, std::byte* target, index_t size) {
    constexpr graph::plan_slot slot = plan::slots[K];
    slots[K].row_stride = 1;
    slots[K].data = target;
    if constexpr (slot.kind == graph::plan_slot::input) {
      constexpr graph::instruction argument = plan::instructions[slot.value];
      constexpr auto bytes = static_cast<index_t>(size_of(argument.type)), target_bytes = static_cast<index_t>(Size);
      auto* const from = const_cast<std::byte*>(data[argument.attribute]);
      slots[K].data = from;
      return from == target ? bytes == target_bytes : from >= target + size * target_bytes || target >= from + size * bytes;
    }
    return true;
  }
  template <std::size_t Size, int... K>
  static FLUXION_ALWAYS_INLINE bool place_slots(graph::loop_operand* slots, const std::byte* const* data, std::byte* target, index_t size,
                                                std::integer_sequence<int, K...>) {
    return (place_slot<Size, K>(slots, data, target, size) && ...);
  }
  /// Whether a plain map takes its scalars as they are bound.
  static constexpr bool has_scalars_in_order() {
    for (int k = 0; k < view.steps[0].scalar_count; ++k)
      if (view.instructions[view.scalars[k]].attribute != k) return false;
    return true;
  }
  static constexpr bool scalars_in_order = view.step_count > 0 && has_scalars_in_order();

  template <graph::extent_t E>
  index_t extent() const { return extent_of<E>(symbols); }
  template <int Shape>
  index_t elements_of_shape() const {
    constexpr graph::shape s = plan::shapes[Shape];
    return [&]<int... Axis>(std::integer_sequence<int, Axis...>) {
      return (extent<s.extent[Axis]>() * ... * index_t{1});
    }(std::make_integer_sequence<int, s.rank>{});
  }
  template <int I>
  index_t symbol_value() const {
    constexpr graph::symbol_origin s = plan::symbols[I];
    if constexpr (s.kind == graph::symbol_origin::argument) return arguments[s.index].extent[s.axis];
    else if constexpr (s.kind == graph::symbol_origin::strided) return graph::detail::strided_extent(s, extent<s.base>());
    else return graph::detail::quotient_extent(s, elements_of_shape<s.index>());
  }
  template <int... I>
  void bind_symbols(std::integer_sequence<int, I...>) {
    ((symbols[I] = symbol_value<I>()), ...);
  }
  template <int I>
  bool check_holds() const {
    constexpr graph::extent_check c = plan::checks[I];
    if constexpr (c.kind == graph::extent_check::divides) return graph::detail::check_holds(c, elements_of_shape<c.shape_a>(), 0);
    else if constexpr (c.kind == graph::extent_check::broadcast) return extent<c.a>() == extent<c.b>();
    else return graph::detail::check_holds(c, extent<c.a>(), extent<c.b>());
  }
  static constexpr bool may_broadcast() {
    for (int i = 0; i < view.check_count; ++i)
      if (view.checks[i].kind == graph::extent_check::broadcast) return true;
    return false;
  }
  template <int... I>
  void require_all(std::integer_sequence<int, I...>) const {
    (static_cast<void>(check_holds<I>() || (graph::detail::raise_check(view, view.checks[I], symbols), false)), ...);
  }
  template <int... I>
  bool checks_hold(std::integer_sequence<int, I...>) const {
    return (check_holds<I>() && ...);
  }

  static constexpr auto make_in_place() {
    std::array<bool, static_cast<std::size_t>(argument_count * output_count + 1)> table{};
    for (int a = 0; a < argument_count; ++a)
      for (int k = 0; k < output_count; ++k) table[static_cast<std::size_t>(a * output_count + k)] = may_be_in_place(view, a, k);
    return table;
  }
  static constexpr auto in_place = make_in_place();

  /// Where each argument is recorded; -1 where it is not used.
  static constexpr auto find_arguments() {
    std::array<int, static_cast<std::size_t>(argument_count > 0 ? argument_count : 1)> found{};
    for (int& i : found) i = -1;
    for (int i = 0; i < view.instruction_count; ++i)
      if (view.instructions[i].operation == graph::opcode_of<operation::argument>) found[static_cast<std::size_t>(view.instructions[i].attribute)] = i;
    return found;
  }
  static constexpr auto argument_instructions = find_arguments();

  /// Whether output k can be computed where it is wanted while argument a is read.
  FLUXION_ALWAYS_INLINE bool is_safe(const graph::descriptor* outputs, int k, int a) const {
    const int i = argument_instructions[static_cast<std::size_t>(a)];
    if (i < 0) return true;
    const graph::instruction &from = view.instructions[i], &to = view.instructions[view.outputs[k]];
    const int rank = view.shape_of(view.outputs[k]).rank, argument_rank = view.shape_of(i).rank;
    if (!overlap(memory_of(arguments[a], argument_rank, size_of(from.type)), memory_of(outputs[k], rank, size_of(to.type)))) return true;
    return rank == argument_rank && from.type == to.type && in_place[static_cast<std::size_t>(a * output_count + k)] && same_layout(arguments[a], outputs[k], rank);
  }
  FLUXION_ALWAYS_INLINE bool is_safe(const graph::descriptor* outputs) const {
    constexpr int pairs = argument_count * output_count;
    if constexpr (pairs <= 8)
      return [&]<int... N>(std::integer_sequence<int, N...>) FLUXION_INLINE_LAMBDA {
        return (is_safe(outputs, N % output_count, N / output_count) && ...);
      }(std::make_integer_sequence<int, pairs>{});
    else {
      for (int n = 0; n < pairs; ++n)
        if (!is_safe(outputs, n % output_count, n / output_count)) return false;
      return true;
    }
  }
};

/// A call of a program that is straight-line code: nothing is planned, nothing checked, and nothing can overlap.
template <class Source>
  requires(Recorded<Source> && graph::constant_straight_line<Source>::possible)
class plan_call<Source> {
  using line = graph::constant_straight_line<Source>;

 public:
  static constexpr const graph::plan_view& view = line::view;
  static constexpr int argument_count = view.argument_count, scalar_count = view.scalar_count, output_count = view.output_count;
  static constexpr bool is_plain = false, is_straight_line = true;
  static constexpr graph::plan_summary summary = line::summary;

  graph::descriptor arguments[argument_count > 0 ? argument_count : 1];
  graph::scalar_value scalars[scalar_count > 0 ? scalar_count : 1]{};
  index_t symbols[1]{};

  binder make_binder() { return {arguments, scalars}; }
  void check() {}
  template <int K>
  typename source_output<Source, K>::extents_type extents() const {
    return {};
  }
  void run_fresh(const graph::descriptor* outputs) { run(outputs); }
  void run(const graph::descriptor* outputs) {
    if (graph::counters* const counted = device::current_counters()) count(*counted);
    host::straight_line_runner<Source>::run(arguments, scalars, outputs);
  }

 private:
  FLUXION_COLD static void count(graph::counters& counted) {
    ++counted.kernels;
    ++counted.passes;
    counted.bytes += summary.bytes;
    counted.flops += summary.flops;
  }
};

/// A call of a batch of straight-line code: an example in each lane of packets.
template <class Source>
  requires(Recorded<Source> && !graph::constant_straight_line<Source>::possible && graph::constant_batched_line<Source>::possible)
class plan_call<Source> {
  using batched = graph::constant_batched_line<Source>;

 public:
  static constexpr const graph::plan_view& view = batched::view;
  static constexpr int argument_count = view.argument_count, scalar_count = view.scalar_count, output_count = view.output_count;
  static constexpr bool is_plain = false, is_straight_line = true;
  static constexpr graph::plan_summary summary = batched::summary;

  graph::descriptor arguments[argument_count > 0 ? argument_count : 1];
  graph::scalar_value scalars[scalar_count > 0 ? scalar_count : 1]{};
  index_t symbols[view.symbol_count > 0 ? view.symbol_count : 1]{};

  binder make_binder() { return {arguments, scalars}; }
  /// Raises ShapeError where batches differ.
  void check() { graph::bind(view, arguments, symbols); }
  template <int K>
  typename source_output<Source, K>::extents_type extents() const {
    return extents_of_output<Source, K>(symbols);
  }
  index_t examples() const { return graph::is_symbol(batched::batch) ? symbols[graph::symbol_number(batched::batch)] : static_cast<index_t>(batched::batch); }
  graph::plan_summary summary_now() const { return batched::summary_for(examples()); }
  void run_fresh(const graph::descriptor* outputs) {
    if (graph::counters* const counted = device::current_counters()) count(*counted);
    host::batched_line_runner<Source>::run(examples(), arguments, scalars, outputs);
  }
  void run(const graph::descriptor* outputs) {
    bool direct = true;
    for (int k = 0; k < output_count && direct; ++k) direct = !reads(view, arguments, outputs[k], k);
    if (direct) run_fresh(outputs);
    else run_buffered(view, outputs, [&](const graph::descriptor* buffered) { run_fresh(buffered); });
  }

 private:
  FLUXION_COLD void count(graph::counters& counted) const {
    const graph::plan_summary made = summary_now();
    ++counted.kernels;
    ++counted.passes;
    counted.bytes += made.bytes;
    counted.flops += made.flops;
  }
};

/// A call of a program with an error: reports it and does nothing else.
template <class Source>
  requires(!Recorded<Source>)
class plan_call<Source> {
 public:
  static_assert(graph::checked<source_error<Source>>::report());
  static constexpr graph::plan_view view{};
  static constexpr int argument_count = 0, scalar_count = 0, output_count = 0;
  static constexpr bool is_plain = false, is_straight_line = false;
  static constexpr graph::plan_summary summary{};
  graph::descriptor* arguments = nullptr;
  index_t symbols[1]{};

  binder make_binder() { return {nullptr, nullptr}; }
  void check() {}
  template <int>
  unknown_extents extents() const { return {}; }
  void run(const graph::descriptor*) {}
  void run_fresh(const graph::descriptor*) {}
};

}  // namespace FLUXION_ABI

/// Writes only what the value has: a descriptor that is returned is copied with all the axes that it might have had.
template <class T, class Mapping>
void describe(graph::descriptor& to, T* data, const Mapping& mapping) {
  binder b{&to, nullptr};
  b.add(data, mapping);
}

template <class X>
void check_unchanged(const X& expression) {
  if (argument_traits<X>::changed(expression))
    raise<ValueError>("a tensor of the expression was written after the expression was made; evaluate it first or take a copy");
}

}  // namespace detail

template <class F, class... X>
struct expression_result<Node<F, X...>> {
  using source = detail::expression_source<Node<F, X...>>;
  static_assert(graph::checked<detail::source_error<source>>::report());
  using value_type = typename detail::source_output<source, 0>::value_type;
  using extents_type = typename detail::source_output<source, 0>::extents_type;
  static auto extents(const Node<F, X...>& expression) {
    if constexpr (!detail::Recorded<source>) return detail::unknown_extents{};
    else if constexpr (extents_type::is_static()) return extents_type{};
    else {
      using call_type = detail::plan_call<source>;
      if constexpr (call_type::is_plain) {
        detail::plain_binder<extents_type::rank(), call_type::argument_count, call_type::scalar_count> b(nullptr);
        argument_traits<Node<F, X...>>::bind(expression, b);
        if (b.plain && b.expected != nullptr) {
          std::array<index_t, static_cast<std::size_t>(extents_type::rank())> e{};
          for (int axis = 0; axis < extents_type::rank(); ++axis) e[static_cast<std::size_t>(axis)] = b.expected[axis];
          return extents_type(e);
        }
      }
      call_type call;
      detail::binder b = call.make_binder();
      argument_traits<Node<F, X...>>::bind(expression, b);
      call.check();
      return call.template extents<0>();
    }
  }
};

namespace detail {

template <class Destination, class X>
struct destination_of {
  static constexpr bool fits = std::is_same_v<typename Destination::value_type, typename expression_result<X>::value_type>;
  static_assert(fits, "the element types of the expression and its destination differ: convert with cast<T>(…)");
};

/// Evaluates into a destination that may overlap what the expression reads, or into a fresh one.
template <bool Fresh, class Destination, class F, class... X>
void evaluate_node(Destination& destination, const Node<F, X...>& expression) {
  using expression_type = Node<F, X...>;
  using source = expression_source<expression_type>;
  if constexpr (Recorded<source>) {
    instantiate<destination_of<Destination, expression_type>>();
    check_unchanged(expression);
  }
  using call_type = plan_call<source>;
  if constexpr (call_type::is_plain) {
    if (call_type::run_plain(destination.data(), destination.mapping(), [&](auto& b) { argument_traits<expression_type>::bind(expression, b); }))
      return;
  }
  call_type call;
  binder b = call.make_binder();
  argument_traits<expression_type>::bind(expression, b);
  call.check();
  graph::descriptor output;
  describe(output, destination.data(), destination.mapping());
  if constexpr (Fresh) call.run_fresh(&output);
  else call.run(&output);
}

}  // namespace detail

/// Evaluates an expression into a tensor or view of its extents. What fails raises before the destination is touched.
template <class Destination, class F, class... X>
void evaluate_into(Destination& destination, const Node<F, X...>& expression) {
  detail::evaluate_node<false>(destination, expression);
}
/// The same where the destination's memory is new: nothing that the expression reads can overlap it.
template <class Destination, class F, class... X>
void evaluate_into_new(Destination& destination, const Node<F, X...>& expression) {
  detail::evaluate_node<true>(destination, expression);
}

/// Evaluates an expression to a new tensor.
template <Expression X>
auto evaluate(const X& expression) {
  return Tensor<typename expression_result<X>::value_type, typename expression_result<X>::extents_type>(expression);
}

/// What is a tensor already: what operations give under FLUXION_EAGER.
template <class T, class E, class D>
Tensor<T, E, D> evaluate(Tensor<T, E, D> x) {
  return x;
}

}  // namespace fluxion
