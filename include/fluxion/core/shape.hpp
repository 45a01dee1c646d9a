/// Checks on extents: sizes that fit into memory, and conversion between static and run-time extents.
#pragma once
#include "config.hpp"
#include "error.hpp"
#include "extents.hpp"

#include <array>
#include <limits>
#include <type_traits>

namespace fluxion::detail {

/// Extents as part of another object; static ones take no space there.
template <Extents E>
class stored_extents {
 public:
  constexpr stored_extents() = default;
  constexpr explicit stored_extents(const E& e) : extents_(e) {}
  constexpr const E& get() const { return extents_; }
  constexpr void set(const E& e) { extents_ = e; }

 private:
  E extents_{};
};
template <Extents E>
  requires(E::is_static())
class stored_extents<E> {
 public:
  constexpr stored_extents() = default;
  constexpr explicit stored_extents(const E&) {}
  constexpr E get() const { return {}; }
  constexpr void set(const E&) {}
};

/// a * b, or false where the product does not fit. Both must not be negative.
constexpr bool multiply(index_t a, index_t b, index_t& product) {
#if defined(__GNUC__)
  return !__builtin_mul_overflow(a, b, &product);
#else
  if (b != 0 && a > std::numeric_limits<index_t>::max() / b) return false;
  product = a * b;
  return true;
#endif
}

enum class size_problem { none, negative, overflow };

/// Whether a tensor of these extents can exist. Zero extents count as one, so that strides do not overflow either.
constexpr size_problem find_size_problem(const index_t* extents, int rank, index_t element_bytes) {
  index_t bytes = element_bytes;
  for (int axis = 0; axis < rank; ++axis) {
    if (extents[axis] < 0) return size_problem::negative;
    if (!multiply(bytes, extents[axis] == 0 ? 1 : extents[axis], bytes)) return size_problem::overflow;
  }
  // The storage adds a header and rounds up to a size class.
  return bytes > std::numeric_limits<index_t>::max() / 2 ? size_problem::overflow : size_problem::none;
}

[[noreturn]] FLUXION_NO_INLINE inline void raise_size_problem(const char* operation, const index_t* extents, int rank,
                                                              size_problem problem) {
  raise<ShapeError>(operation, ": extents ", extents_text{extents, rank}, problem == size_problem::negative ? " are negative" : " overflow");
}

/// The number of elements. Raises ShapeError "zeros: extents [-1, 2] are negative", or "… overflow".
template <Extents E>
constexpr index_t checked_size(const E& e, std::size_t element_bytes, const char* operation) {
  const auto values = e.to_array();
  const size_problem problem = find_size_problem(values.data(), E::rank(), static_cast<index_t>(element_bytes));
  if (problem != size_problem::none) raise_size_problem(operation, values.data(), E::rank(), problem);
  return e.size();
}

template <Extents A, Extents B>
constexpr bool static_extents_meet() {
  if constexpr (A::rank() == B::rank())
    for (int axis = 0; axis < A::rank(); ++axis)
      if (A::static_extent(axis) != dynamic_extent && B::static_extent(axis) != dynamic_extent &&
          A::static_extent(axis) != B::static_extent(axis))
        return false;
  return true;
}

/// "[?, 10]": what a type says about its extents.
template <Extents E>
void add_static_extents(message& m) {
  m.add("[");
  for (int axis = 0; axis < E::rank(); ++axis) {
    if (axis) m.add(", ");
    if (E::static_extent(axis) == dynamic_extent) m.add("?");
    else m.add(E::static_extent(axis));
  }
  m.add("]");
}

template <Extents To, Extents From>
[[noreturn]] FLUXION_COLD void raise_misfit(const From& from, const char* operation) {
  message m;
  m.add(operation);
  m.add(": extents ");
  m.add(from);
  m.add(" do not fit ");
  add_static_extents<To>(m);
  raise_text<ShapeError>(m.text());
}

/// The same extents as another type. What is static on both sides is checked by the compiler, the rest raises ShapeError.
template <Extents To, Extents From>
constexpr To convert_extents(const From& from, const char* operation) {
  static_assert(To::rank() == From::rank(), "the ranks differ");
  static_assert(static_extents_meet<To, From>(), "static extents differ");
  if constexpr (std::is_same_v<To, From>) {
    return from;
  } else if constexpr (To::rank() != From::rank()) {
    return {};
  } else {
    const To result(from.to_array());
    if (!(result == from)) raise_misfit<To>(from, operation);
    return result;
  }
}

/// The extents of an expression whose error has been reported: they fit everywhere, so that no other error follows.
struct unknown_extents {
  template <Extents E>
  constexpr operator E() const { return {}; }
};
template <Extents To>
constexpr To convert_extents(unknown_extents, const char*) {
  return {};
}

/// Raises ShapeError unless both are equal; what is static on both sides is checked by the compiler.
template <Extents A, Extents B>
constexpr void check_equal_extents(const A& to, const B& from, const char* operation) {
  static_assert(A::rank() == B::rank(), "the ranks differ");
  static_assert(static_extents_meet<A, B>(), "static extents differ");
  if constexpr (!(A::is_static() && B::is_static()))
    if (!(to == from))
      raise<ShapeError>(operation, ": extents differ: ", to, " and ", from);
}

template <Extents A>
constexpr void check_equal_extents(const A&, unknown_extents, const char*) {}

/// An axis counted from the first. Raises IndexError.
constexpr int checked_axis(int axis, int rank) {
  if (axis < -rank || axis >= rank)
    raise<IndexError>("axis ", axis, " is out of range for rank ", rank);
  return axis < 0 ? axis + rank : axis;
}

/// `to`, with a single -1 among its dynamic extents replaced by what is left over. Raises ShapeError.
template <Extents To, Extents From>
constexpr To checked_reshape(const From& from, const To& to) {
  if constexpr (From::is_static() && To::is_static())
    static_assert(From::static_size() == To::static_size(), "reshape: the numbers of elements differ");
  auto values = to.to_array();
  index_t known = 1;
  int open = -1;
  bool fits = true;
  for (int axis = 0; axis < To::rank(); ++axis) {
    const index_t n = values[static_cast<std::size_t>(axis)];
    if (n == -1 && open < 0) open = axis;
    else fits = fits && n >= 0 && multiply(known, n, known);
  }
  const index_t size = from.size();
  if (open >= 0) {
    fits = fits && known != 0 && size % known == 0;
    if (fits) values[static_cast<std::size_t>(open)] = size / known;
  } else {
    fits = fits && known == size;
  }
  // With an extent of 0 the others may multiply to anything, strides too.
  fits = fits && find_size_problem(values.data(), To::rank(), 1) == size_problem::none;
  if (!fits) raise<ShapeError>("reshape: extents ", from, " do not become ", to);
  return To(values);
}

}  // namespace fluxion::detail
