/// How many members an aggregate has, found by trying brace initialisers. Private to core/reflection.hpp.
///
/// `T{any, any, …}` compiles for as many initialisers as T has elements. Three things need care. Elements are bases first:
/// a base is found by an initialiser that converts to bases of T only. A C array takes one initialiser for each of its own
/// elements, since nothing converts to an array: `{}` in its place takes the whole, and the initialisers that then still fit
/// behind it tell how many it had swallowed. And a member that no initialiser fits must not end the count in silence.
#pragma once
#include "binding.hpp"

#include <cstddef>
#include <cstdlib>
#include <type_traits>
#include <utility>

namespace fluxion::reflection {

/// Whether the members of a class can be visited, and if not, why.
enum class status : unsigned char {
  ok,
  base_with_members,         ///< derives from a class that has members: they would be missed
  reference_or_uncountable,  ///< has a reference, or a member that cannot be initialised by conversion
  not_aggregate,             ///< has constructors or private members and states no `member_count`; or no class, a union, a tuple
  too_many                   ///< more than 32 members, or C arrays of more than 128 elements together
};

namespace detail {

/// C arrays count once for each element here.
inline constexpr std::size_t largest_initialiser_count = 128;

/// The conversions below are tried and never run. They have bodies because clang asks for one where U has no linkage.
[[noreturn]] inline void never_called() { std::abort(); }

/// Converts to everything. The qualifiers make a member's own unconstrained constructor the better match; without them the
/// two would be ambiguous for std::optional and its like.
struct any_value {
  template <class U>
  operator U() const volatile { never_called(); }
};

struct any_lvalue {
  template <class U>
  operator U&() const volatile { never_called(); }
};

/// Converts to nothing: only a member with an unconstrained constructor takes it.
struct no_value {};

template <class U, class T, bool Empty>
concept BaseOf = std::is_base_of_v<U, T> && !std::is_same_v<U, T> && std::is_empty_v<U> == Empty;

template <class T, bool Empty>
struct any_base {
  template <BaseOf<T, Empty> U>
  operator U() { never_called(); }
};

/// Where this is refused and `any_base` accepted, the conversion was used and no constructor of a member.
template <class T, bool Empty>
struct forbidden_base {
  template <BaseOf<T, Empty> U>
  operator U() = delete;
};

template <class T>
struct any_other {
  template <class U>
    requires(!std::is_base_of_v<U, T>)
  operator U() const volatile { never_called(); }
};

template <std::size_t>
using value_at = any_value;
template <class T, std::size_t>
using base_at = any_base<T, true>;

/// T{any…}
template <class T, std::size_t... I>
constexpr bool accepts(std::index_sequence<I...>) {
  return requires { T{value_at<I>()...}; };
}

/// T{any…, last}
template <class T, class Last, std::size_t... I>
constexpr bool accepts_then(std::index_sequence<I...>) {
  return requires { T{value_at<I>()..., Last()}; };
}

/// T{any…, {any…}, any…}: the element behind `I` initialisers takes a braced list of `B`, and `R` follow.
template <class T, std::size_t... I, std::size_t... B, std::size_t... R>
constexpr bool accepts_braces(std::index_sequence<I...>, std::index_sequence<B...>, std::index_sequence<R...>) {
  return requires { T{value_at<I>()..., {value_at<B>()...}, value_at<R>()...}; };
}

/// T{base…, last}
template <class T, class Last, std::size_t... I>
constexpr bool accepts_bases_then(std::index_sequence<I...>) {
  return requires { T{base_at<T, I>()..., Last()}; };
}

inline constexpr std::size_t none = static_cast<std::size_t>(-1);

/// The smallest number of initialisers from N on that T accepts. Members without a default come first or all are given.
template <class T, std::size_t N = 0>
constexpr std::size_t fewest_initialisers() {
  if constexpr (N > largest_member_count) {
    return none;
  } else if constexpr (accepts<T>(std::make_index_sequence<N>())) {
    return N;
  } else {
    return fewest_initialisers<T, N + 1>();
  }
}

/// The largest number of initialisers that T accepts, knowing that it accepts N.
template <class T, std::size_t N>
constexpr std::size_t most_initialisers() {
  if constexpr (N > largest_initialiser_count) {
    return N;
  } else if constexpr (accepts<T>(std::make_index_sequence<N + 1>())) {
    return most_initialisers<T, N + 1>();
  } else {
    return N;
  }
}

/// How many empty bases lead the elements of T. A member that holds such a base inside also accepts `any_base`, by brace
/// elision, but unlike an empty base it accepts something else too.
template <class T, std::size_t N = 0>
constexpr std::size_t empty_bases() {
  using before = std::make_index_sequence<N>;
  if constexpr (accepts_bases_then<T, any_base<T, true>>(before()) && !accepts_bases_then<T, any_other<T>>(before())) {
    return empty_bases<T, N + 1>();
  } else {
    return N;
  }
}

/// Whether a base with members follows the empty ones.
template <class T, std::size_t EmptyBases>
constexpr bool base_with_members_follows() {
  using before = std::make_index_sequence<EmptyBases>;
  return (accepts_bases_then<T, any_base<T, false>>(before()) || accepts_bases_then<T, no_value>(before())) &&
         !accepts_bases_then<T, forbidden_base<T, false>>(before());
}

/// How many of the `Total` plain initialisers the element behind `Before` of them takes: with `Braces` in its place, `Behind`
/// or fewer still fit. 0 if the element takes no such braces.
template <class T, std::size_t Total, std::size_t Before, std::size_t Braces, std::size_t Behind>
constexpr std::size_t taken_with_braces() {
  if constexpr (accepts_braces<T>(std::make_index_sequence<Before>(), std::make_index_sequence<Braces>(),
                                  std::make_index_sequence<Behind>())) {
    return Total - Before - Behind;
  } else if constexpr (Behind == 0) {
    return 0;
  } else {
    return taken_with_braces<T, Total, Before, Braces, Behind - 1>();
  }
}

/// `{}` fits whatever has a default; an array of elements without one needs all of them in the braces.
template <class T, std::size_t Total, std::size_t Before, std::size_t Braces = 0>
constexpr std::size_t taken() {
  if constexpr (Before + 1 == Total || Before + Braces > Total) {
    return 1;
  } else {
    constexpr std::size_t count = taken_with_braces<T, Total, Before, Braces, Total - Before - 1>();
    if constexpr (count > 0) {
      return count;
    } else {
      return taken<T, Total, Before, Braces + 1>();
    }
  }
}

template <class T, std::size_t Total, std::size_t Before, std::size_t Members = 0>
constexpr std::size_t fold_arrays() {
  if constexpr (Before >= Total) {
    return Members;
  } else {
    return fold_arrays<T, Total, Before + taken<T, Total, Before>(), Members + 1>();
  }
}

struct outcome {
  status state;
  std::size_t count = 0;
};

template <class T>
constexpr outcome count_aggregate() {
  constexpr std::size_t fewest = fewest_initialisers<T>();
  if constexpr (fewest == none) {
    return {status::reference_or_uncountable};
  } else {
    constexpr std::size_t total = most_initialisers<T, fewest>();
    using all = std::make_index_sequence<total>;
    if constexpr (total > largest_initialiser_count) {
      return {status::too_many};
    } else if constexpr (accepts_braces<T>(all(), std::index_sequence<>(), std::index_sequence<>()) ||
                         accepts_then<T, any_lvalue>(all())) {
      return {status::reference_or_uncountable};
    } else {
      constexpr std::size_t bases = empty_bases<T>();
      constexpr std::size_t members = fold_arrays<T, total, bases>();
      if constexpr (base_with_members_follows<T, bases>()) {
        return {status::base_with_members};
      } else if constexpr (members > largest_member_count) {
        return {status::too_many};
      } else if constexpr (members == 0 && !std::is_empty_v<T>) {
        return {status::reference_or_uncountable};
      } else {
        return {status::ok, members};
      }
    }
  }
}

template <class T>
concept HasMemberCalledMemberCount = requires { requires std::is_member_pointer_v<decltype(&T::member_count)>; };

template <class T>
concept StatesMemberCount = !HasMemberCalledMemberCount<T> &&
    requires { typename std::integral_constant<std::size_t, static_cast<std::size_t>(T::member_count)>; };

template <class T>
concept TupleLike = requires { std::tuple_size<T>::value; };

template <class T>
constexpr outcome examine() {
  if constexpr (!std::is_class_v<T> || TupleLike<T>) {
    return {status::not_aggregate};
  } else {
    constexpr outcome found = [] {
      if constexpr (std::is_aggregate_v<T>) {
        constexpr outcome counted = count_aggregate<T>();
        if constexpr (StatesMemberCount<T> && counted.state != status::base_with_members) {
          return outcome{status::ok, T::member_count};
        } else {
          return counted;
        }
      } else if constexpr (StatesMemberCount<T>) {
        return outcome{status::ok, T::member_count};
      } else {
        return outcome{status::not_aggregate};
      }
    }();
    if constexpr (found.state != status::ok) {
      return found;
    } else if constexpr (found.count > largest_member_count) {
      return {status::too_many};
    } else if constexpr (decltype(binding<found.count>::addresses(std::declval<T&>()))::any_reference) {
      return {status::reference_or_uncountable};
    } else {
      return found;
    }
  }
}

template <class T>
inline constexpr outcome examined = examine<T>();

}  // namespace detail
}  // namespace fluxion::reflection
