/// The table of all operations: their numbers, and what a pass may ask about a number.
#pragma once
#include "arithmetic.hpp"
#include "logic.hpp"
#include "reduction.hpp"
#include "structural.hpp"
#include "transcendental.hpp"

#include <utility>

namespace fluxion::graph {

/// The number of an operation: its position in the table.
using opcode = std::uint8_t;

namespace detail {

template <class... Lists>
struct concatenate;
template <class... A>
struct concatenate<operation::operations<A...>> { using type = operation::operations<A...>; };
template <class... A, class... B, class... Rest>
struct concatenate<operation::operations<A...>, operation::operations<B...>, Rest...>
    : concatenate<operation::operations<A..., B...>, Rest...> {};

template <int I, class T>
struct indexed { using type = T; };
template <class Sequence, class List>
struct indexer;
template <int... I, class... O>
struct indexer<std::integer_sequence<int, I...>, operation::operations<O...>> : indexed<I, O>... {};
template <int I, class T>
indexed<I, T> find_type(const indexed<I, T>&);
template <class T, int I>
std::integral_constant<int, I> find_index(const indexed<I, T>&);

using all_operations =
    concatenate<operation::structural_operations, operation::arithmetic_operations, operation::transcendental_operations,
                operation::logic_operations, operation::reduce_operations, operation::contract_operations>::type;

template <class List>
inline constexpr int length = 0;
template <class... O>
inline constexpr int length<operation::operations<O...>> = static_cast<int>(sizeof...(O));

using operation_indexer = indexer<std::make_integer_sequence<int, length<all_operations>>, all_operations>;

}  // namespace detail

inline constexpr int operation_count = detail::length<detail::all_operations>;

/// The operation type of a number, and back.
template <opcode Code>
using operation_type = typename decltype(detail::find_type<Code>(std::declval<detail::operation_indexer>()))::type;
template <class Operation>
inline constexpr opcode opcode_of =
    static_cast<opcode>(decltype(detail::find_index<Operation>(std::declval<detail::operation_indexer>()))::value);

/// What a pass knows about an operation.
struct operation_info {
  std::string_view name;
  graph::family family{};
  graph::typing typing{};
  int arity = 0;
  int flops = 0;
  bool differentiable = true;
  bool has_identity = true;
  bool divides_by_count = false;
  bool adds = false;
  bool widens = false;
};

namespace detail {

template <class O>
constexpr operation_info describe() {
  operation_info info{O::name, O::family, O::typing, O::arity, O::cost.flops};
  if constexpr (requires { O::differentiable; }) info.differentiable = O::differentiable;
  if constexpr (requires { O::has_identity; }) info.has_identity = O::has_identity;
  if constexpr (requires { O::divides_by_count; }) info.divides_by_count = O::divides_by_count;
  if constexpr (requires { O::adds; }) info.adds = O::adds;
  if constexpr (requires { O::widens; }) info.widens = O::widens;
  return info;
}

template <class List>
struct describe_all;
template <class... O>
struct describe_all<operation::operations<O...>> {
  static constexpr operation_info table[sizeof...(O)] = {describe<O>()...};
};

}  // namespace detail

constexpr const operation_info& info_of(opcode code) { return detail::describe_all<detail::all_operations>::table[code]; }

/// Whether a view has elements of its own, which are copied there.
constexpr bool is_written_view(opcode code) { return code == opcode_of<operation::embed> || code == opcode_of<operation::concatenate>; }

}  // namespace fluxion::graph
