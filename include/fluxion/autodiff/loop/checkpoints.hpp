/// Which states of a loop are kept for its reverse sweep, and the schedule that computes the others again with the fewest steps.
#pragma once
#include "../../core/extents.hpp"

namespace fluxion {

/// How many states of a loop of n steps are kept; those between are computed again when the reverse sweep needs them.
class Checkpoints {
 public:
  enum class Rule : unsigned char { all, fixed, square_root, logarithm };
  constexpr Checkpoints(Rule rule = Rule::all, index_t count = 0) : rule_(rule), count_(count) {}

  /// For a loop of n steps; the initial state is one of them. At least one, at most n.
  constexpr index_t states(index_t n) const {
    index_t c = n;
    if (rule_ == Rule::fixed) c = count_;
    else if (rule_ == Rule::square_root) {
      // Of c states, each but the first computed again at most once, binomial checkpointing reverses (c + 1)(c + 2) / 2 steps.
      for (c = 1; (c + 1) * (c + 2) / 2 < n;) ++c;
    } else if (rule_ == Rule::logarithm) {
      c = 1;
      for (index_t m = n; m > 1; m = (m + 1) / 2) ++c;
    }
    if (c > n) c = n;
    return c < 1 ? 1 : c;
  }

 private:
  Rule rule_;
  index_t count_;
};

/// Every state is kept: no step is computed again.
inline constexpr Checkpoints keep_all{};
/// A constant number of states, the initial one among them.
constexpr Checkpoints checkpoints(index_t states) { return {Checkpoints::Rule::fixed, states}; }
/// About sqrt(2 n) states; a step is computed twice on average.
inline constexpr Checkpoints square_root_checkpoints{Checkpoints::Rule::square_root};
/// 1 + log2(n) states, rounded up; the number of times a step is computed grows as slowly.
inline constexpr Checkpoints logarithmic_checkpoints{Checkpoints::Rule::logarithm};

namespace detail {

/// How far to go from a kept state before the next is kept, where `length` steps are to be reversed with `states` states, the one at the
/// beginning included; both at least 2. Binomial checkpointing: Griewank and Walther 2000, algorithm 799 (revolve), ACM TOMS 26, with any
/// part of [β(s, r - 2), β(s, r - 1)], where β(s, r) = (s + r)! / s! r! is the length that s states and r visits of each step reverse.
constexpr index_t next_checkpoint(index_t length, index_t states) {
  index_t r = 1, before = 1, reach = states + 1, two_before = 0;  // β of r - 1, r and r - 2
  while (reach < length) {
    ++r;
    two_before = before;
    before = reach;
    // β(s, r) = β(s, r - 1) (s + r) / r, which is exact; long before it overflows the loop is short enough for any computer.
    reach = before / r * (states + r) + before % r * (states + r) / r;
  }
  const index_t right = reach / (states + r) * states + reach % (states + r) * states / (states + r);  // β(s - 1, r)
  const index_t least = length - right > two_before ? length - right : two_before;
  return least < 1 ? 1 : least;
}

/// Reverses n steps with `states` kept states; `position` has room for as many numbers. Memory 0 to states - 1 holds kept states, of which
/// the first is given; `states` and `states + 1` are scratch. Calls `advance(from, to, t)`, which computes the state after step t from that
/// before it, and `reverse(from, t)`, where `from` is the memory of the state before step t, for each t from n - 1 to 0.
template <class Advance, class Reverse>
constexpr void reverse_steps(index_t n, index_t states, index_t* position, Advance&& advance, Reverse&& reverse) {
  if (n == 0) return;
  index_t top = 0, end = n;
  position[0] = 0;
  while (end > 0) {
    const index_t begin = position[top], length = end - begin, unused = states - 1 - top;
    if (length == 1) {
      reverse(top, begin);
      end = begin;
      if (top > 0) --top;
      continue;
    }
    const index_t steps = unused > 0 ? next_checkpoint(length, unused + 1) : length - 1;
    index_t from = top;
    for (index_t i = 0; i < steps; ++i) {
      const index_t to = unused > 0 && i == steps - 1 ? top + 1 : states + i % 2;
      advance(from, to, begin + i);
      from = to;
    }
    if (unused > 0) position[++top] = begin + steps;
    else {
      reverse(from, begin + steps);
      end = begin + steps;
    }
  }
}

}  // namespace detail
}  // namespace fluxion
