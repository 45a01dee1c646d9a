/// The value that stands for a tensor while a function is recorded.
#pragma once
#include "frontend.hpp"
#include "record.hpp"

namespace fluxion {

/// Refers to an instruction of a program that is being recorded. Every function of the library takes it and appends to that program.
class Symbol {
 public:
  constexpr Symbol() = default;
  constexpr Symbol(graph::program& p, int index) : program_(&p), index_(index) {}

  constexpr graph::program& program() const { return *program_; }
  constexpr int index() const { return index_; }
  constexpr int rank() const { return program_->shapes.elements[program_->instructions.elements[index_].shape].rank; }
  constexpr element_type type() const { return program_->instructions.elements[index_].type; }
  constexpr graph::shape shape() const { return program_->shape_of(index_); }

  /// Another instruction of the same program.
  constexpr Symbol at(int index) const { return Symbol(*program_, index); }

  /// Records the map O of this and the others.
  template <class O, class... X>
  constexpr Symbol map(const X&... x) const {
    return Symbol(*program_, graph::record_map(*program_, graph::opcode_of<O>, index_, like(x).index_...));
  }
  template <class O>
  constexpr Symbol map(const Symbol& x) const {
    return Symbol(*program_, graph::record_map(*program_, graph::opcode_of<O>, index_, x.index_));
  }
  template <class O>
  constexpr Symbol reduce(unsigned axes, bool keepdim) const {
    return Symbol(*program_, graph::record_reduce(*program_, graph::opcode_of<O>, index_, axes, keepdim));
  }
  constexpr Symbol cast(element_type type) const { return at(graph::record_cast(*program_, index_, type)); }
  /// Broadcast to the shape of another symbol.
  constexpr Symbol expand_like(const Symbol& x) const { return at(graph::record_expand(*program_, index_, x.shape())); }
  /// How many elements the axes in the mask hold, in this symbol's type.
  constexpr Symbol count(unsigned axes) const {
    return at(graph::record_count(*program_, shape(), axes, is_floating(type()) ? type() : element_type::float32));
  }
  /// A constant beside this symbol, which takes the type of what it meets.
  template <class X>
    requires std::is_arithmetic_v<X>
  constexpr Symbol constant(X value) const {
    return at(program_->constant(std::is_same_v<X, bool> ? element_type::boolean : std::is_integral_v<X> ? element_type::int64 : element_type::float64,
                                 static_cast<double>(value), graph::weak_flag));
  }
  /// Entry i of the first axis, an element if there is no other; a negative i counts from the end of a static extent.
  constexpr Symbol operator[](std::int64_t i) const { return at(graph::record_index(*program_, index_, i)); }
  /// The entry at a position along the first axes.
  template <std::integral... I>
  constexpr Symbol operator()(I... i) const {
    Symbol x = *this;
    ((x = x[static_cast<std::int64_t>(i)]), ...);
    return x;
  }

  constexpr Symbol like(const Symbol& x) const { return x; }
  template <class X>
    requires std::is_arithmetic_v<X>
  constexpr Symbol like(X value) const {
    return constant(value);
  }

 private:
  graph::program* program_ = nullptr;
  int index_ = -1;
};

namespace graph {

/// The symbol that something holds while a model is traced: itself, a layer's parameter, an expression of those.
constexpr const Symbol& symbol_of(const Symbol& x) { return x; }
template <class X>
  requires requires(const X& x) { { x.symbol() } -> std::same_as<Symbol>; }
constexpr Symbol symbol_of(const X& x) {
  return x.symbol();
}
template <class X>
  requires std::is_arithmetic_v<X>
constexpr X symbol_of(X x) {
  return x;
}

/// Something for which `symbol_of` stands.
template <class X>
concept HoldsSymbol = requires(const X& x) { symbol_of(x); };

struct symbol_frontend {
  template <class F, class... X>
  static constexpr auto call(const X&... x) {
    if constexpr ((std::same_as<X, Symbol> && ...)) return F::trace(x...);
    else return call_holders<F>(x...);
  }
  /// Calls F on what the operands hold; numbers become constants beside the first symbol.
  template <class F, class... X>
  static constexpr auto call_holders(const X&... x) {
    return trace<F>(symbol_of(x)...);
  }

 private:
  static constexpr const Symbol& first(const Symbol& x) { return x; }
  template <class... X>
  static constexpr const Symbol& first(const Symbol& x, const X&...) {
    return x;
  }
  template <class A, class... X>
  static constexpr const Symbol& first(const A&, const X&... x) {
    return first(x...);
  }
  template <class F, class... X>
  static constexpr auto trace(const X&... x) {
    const Symbol any = first(x...);
    return F::trace(any.like(x)...);
  }
};

}  // namespace graph

template <>
struct operand_traits<Symbol> {
  static constexpr int level = 9;
  using frontend = graph::symbol_frontend;
};

}  // namespace fluxion
