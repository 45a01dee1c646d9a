/// Linearisation: takes the tangents of a program apart into what depends on the point alone and what is linear in the directions.
#pragma once
#include "batch.hpp"
#include "tangents.hpp"

namespace fluxion::graph {

/// The tangents of a program's outputs for directions that are not known yet.
struct linearization {
  list<int> directions;  // placeholders, one for each input
  list<int> tangents;    // of the outputs
  list<int> residuals;   // values of the point that the tangents are computed from
};

namespace detail {

/// What views and casts cost nothing to repeat, constants and positions nothing to keep.
constexpr bool is_worth_keeping(const program& p, int i) {
  if (p.is<operation::constant>(i) || p.is<operation::count>(i) || p.is<operation::iota>(i) || p.is<operation::scalar>(i)) return false;
  return !p.is<operation::permute>(i) && !p.is<operation::reshape>(i) && !p.is<operation::expand>(i) && !p.is<operation::slice>(i);
}

}  // namespace detail

/// Appends the tangents of `outputs` for placeholders of `inputs`. Residuals are the values that something linear in the directions reads, seen
/// through views; all else that the point decides is computed once. O(n).
constexpr linearization append_linearization(program& p, const list<int>& inputs, const list<int>& outputs) {
  linearization result;
  for (const int i : inputs) result.directions.push_back(p.placeholder(i, p.canonical(p[i].shape)));
  result.tangents = append_tangents(p, inputs, result.directions, outputs);
  list<bool> linear(p.size(), false), wanted(p.size(), false), kept(p.size(), false);
  for (const int d : result.directions) linear[d] = true;
  for (const int t : result.tangents) wanted[t] = true;
  for (int i = 0; i < p.size(); ++i)
    for (const std::int16_t o : p[i].operand)
      if (o >= 0 && linear[o]) linear[i] = true;
  for (int i = p.size() - 1; i >= 0; --i) {
    if (!wanted[i]) continue;
    if (!linear[i] && detail::is_worth_keeping(p, i)) {
      kept[i] = true;
      continue;
    }
    for (const std::int16_t o : p[i].operand)
      if (o >= 0) wanted[o] = true;
  }
  for (int i = 0; i < p.size(); ++i)
    if (kept[i]) result.residuals.push_back(i);
  return result;
}

}  // namespace fluxion::graph
