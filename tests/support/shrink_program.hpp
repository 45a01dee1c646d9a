/// Makes a failing random program smaller while it still fails.
#pragma once
#include "random_program.hpp"

#include <fluxion/graph/pass/eliminate_dead_code.hpp>

#include <functional>

namespace fluxion::test {

/// What is wrong with a case, or "".
using failure = std::function<std::string(const random_case&)>;

namespace detail {

/// Two failures are of one kind if they begin with the same word.
inline std::string kind_of(const std::string& text) { return text.substr(0, text.find(' ')); }

inline bool still_fails(const random_case& c, const failure& f, const std::string& kind) {
  try {
    graph::evaluate_oracle(c.code, c.arguments, c.scalars);
  } catch (const Error&) {
    return false;  // not a program any more
  }
  return kind_of(f(c)) == kind;
}

inline void replace(program& p, int i, int by) {
  for (int n = i + 1; n < p.size(); ++n)
    for (std::int16_t& o : p.instructions[n].operand)
      if (o == i) o = static_cast<std::int16_t>(by);
  for (std::int16_t& o : p.outputs)
    if (o == i) o = static_cast<std::int16_t>(by);
}

/// Instruction i becomes an argument that holds what it computed.
inline random_case cut(const random_case& c, int i) {
  random_case probe = c;
  probe.code.outputs.clear();
  probe.code.outputs.push_back(static_cast<std::int16_t>(i));
  random_case r = c;
  r.arguments.push_back(graph::evaluate_oracle(probe.code, c.arguments, c.scalars)[0]);
  graph::instruction& x = r.code.instructions[i];
  if (x.type == element_type::float32)
    for (double& v : r.arguments.back().data) v = static_cast<double>(static_cast<float>(v));
  x = {.operation = graph::opcode_of<operation::argument>, .type = x.type, .accumulator = x.type, .shape = x.shape, .attribute = r.code.argument_count++};
  return r;
}

/// Every extent `from` becomes `to`, in shapes and in arguments.
inline random_case resize(const random_case& c, index_t from, index_t to) {
  random_case r = c;
  for (shape& s : r.code.shapes)
    for (int axis = 0; axis < s.rank; ++axis)
      if (s.extent[axis] == from) s.extent[axis] = to;
  for (oracle_value& a : r.arguments) {
    std::size_t total = 1;
    for (index_t& e : a.extents) {
      if (e == from) e = to;
      total *= static_cast<std::size_t>(e);
    }
    if (total < a.data.size()) a.data.resize(total);
    else
      while (a.data.size() < total) a.data.push_back(1);
  }
  return r;
}

}  // namespace detail

/// The smallest failing case that simple steps reach.
inline random_case shrink(random_case c, const failure& f, int budget = 400) {
  const std::string kind = detail::kind_of(f(c));
  const auto attempt = [&](random_case next) {
    if (--budget < 0) return false;
    try {
      next.code = graph::eliminate_dead_code(next.code);
      if (!detail::still_fails(next, f, kind)) return false;
    } catch (const Error&) {
      return false;
    }
    c = next;
    return true;
  };
  for (bool progress = true; progress && budget > 0;) {
    progress = false;
    for (int k = c.code.outputs.size() - 1; k >= 0 && c.code.outputs.size() > 1; --k) {
      random_case next = c;
      next.code.outputs.clear();
      for (int o = 0; o < c.code.outputs.size(); ++o)
        if (o != k) next.code.outputs.push_back(c.code.outputs[o]);
      if (attempt(next)) progress = true;
    }
    for (int i = c.code.size() - 1; i >= 0 && i < c.code.size(); --i) {
      if (c.code.family_of(i) == graph::family::leaf) continue;
      bool done = false;
      for (int k = 0; k < 3 && !done; ++k) {
        const int o = c.code[i].operand[k];
        if (o < 0 || c.code[o].shape != c.code[i].shape || c.code[o].type != c.code[i].type) continue;
        random_case next = c;
        detail::replace(next.code, i, o);
        done = attempt(next);
      }
      if (!done) done = attempt(detail::cut(c, i));
      progress = progress || done;
    }
    std::vector<index_t> extents;
    for (const oracle_value& a : c.arguments)
      for (const index_t e : a.extents)
        if (e > 2) extents.push_back(e);
    for (const index_t e : extents) progress = attempt(detail::resize(c, e, 2)) || attempt(detail::resize(c, e, 3)) || progress;
  }
  return c;
}

/// A case as text: its seed, its arguments' extents and its program.
inline std::string describe(const random_case& c) {
  std::string text = "seed " + std::to_string(c.seed) + "\n";
  for (std::size_t k = 0; k < c.arguments.size(); ++k)
    text += "argument " + std::to_string(k) + " " + to_string(c.arguments[k].extents.data(), static_cast<int>(c.arguments[k].extents.size())) + "\n";
  return text + graph::to_text(c.code);
}

}  // namespace fluxion::test
