// The recording of scalar statements: what is written, what is forgotten, who may use it, and that no memory is asked for twice.
// wants: threads
// matrix
#include <doctest/doctest.h>

#include <fluxion/autodiff/reverse.hpp>

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <new>
#include <span>
#include <string>
#include <vector>

#include "support/message_of.hpp"

namespace fx = fluxion;
using fx::test::message_of;
using V = fx::Var<double>;
using Tape = fx::ScalarTape<double>;

namespace {

// Of this thread alone: doctest's own belong to another moment.
thread_local std::size_t allocations = 0;

Tape& tape() { return Tape::of_this_thread(); }

}  // namespace

FLUXION_NO_INLINE void* operator new(std::size_t bytes) {
  ++allocations;
  if (void* p = std::malloc(bytes)) return p;
  throw std::bad_alloc();
}
FLUXION_NO_INLINE void* operator new(std::size_t bytes, std::align_val_t alignment) {
  ++allocations;
  const auto a = static_cast<std::size_t>(alignment);
  if (void* p = std::aligned_alloc(a, (bytes + a - 1) / a * a)) return p;
  throw std::bad_alloc();
}
FLUXION_NO_INLINE void operator delete(void* p) noexcept { std::free(p); }
FLUXION_NO_INLINE void operator delete(void* p, std::size_t) noexcept { std::free(p); }
FLUXION_NO_INLINE void operator delete(void* p, std::align_val_t) noexcept { std::free(p); }
FLUXION_NO_INLINE void operator delete(void* p, std::size_t, std::align_val_t) noexcept { std::free(p); }

TEST_CASE("backward adds derivatives to the inputs' gradients") {
  tape().clear();
  V x = 0.5, y = 2;
  CHECK_FALSE(x.requires_grad());
  x.set_requires_grad();
  y.set_requires_grad();
  const V z = x * sin(x * y);
  CHECK(z.requires_grad());
  z.backward(true);
  const double by_x = std::sin(1.) + std::cos(1.), by_y = 0.25 * std::cos(1.);
  CHECK(x.grad() == doctest::Approx(by_x));
  CHECK(y.grad() == doctest::Approx(by_y));
  z.backward(2.0, true);
  CHECK(x.grad() == doctest::Approx(3 * by_x));
  x.zero_grad();
  CHECK(x.grad() == 0);
  CHECK(y.grad() == doctest::Approx(3 * by_y));
  const V w = z * z + y;
  w.backward(true);
  CHECK(x.grad() == doctest::Approx(2 * z.value() * by_x));
  tape().zero_grad();
  CHECK(y.grad() == 0);
}

TEST_CASE("a statement writes an entry for each mention of a variable, and nothing for numbers and constants") {
  tape().clear();
  const V x = fx::variable(2.);
  V constant = 3;
  CHECK(tape().size() == 0);
  constant = constant * constant + sin(constant);
  CHECK_FALSE(constant.requires_grad());
  CHECK(tape().size() == 0);
  const auto before = tape().entries();
  V y = x * x + constant * x - 1;
  CHECK(tape().size() == 1);
  CHECK(tape().entries() - before == 3);
  const V copy = y;
  y = 5;
  CHECK_FALSE(y.requires_grad());
  CHECK(tape().size() == 1);
  CHECK(Tape::bytes_of_statement(2) == 25);
  copy.backward();
  CHECK(x.grad() == 4 + constant.value());
}

TEST_CASE("whatever its operands are, a statement has the entries of those that are active, and variables of no use raise") {
  tape().clear();
  enum { own, constant, outer, released };
  V gone = fx::variable(1.);
  tape().clear();
  const V outside = fx::variable(2.);
  Tape::Scope scope;
  const V inside = fx::variable(3.);
  for (int i = 0; i < 64; ++i) {
    const std::array kinds{i % 4, i / 4 % 4, i / 16};
    std::array<V, 3> x{5, 7, 11};
    int active = 0;
    bool raises = false;
    double by_inside = 0, by_outside = 0;
    for (std::size_t k = 0; k < 3; ++k) {
      const double slope = k == 0 ? 1 : k == 1 ? 10 : 100;
      if (kinds[k] == own) x[k] = inside, by_inside += slope;
      if (kinds[k] == outer) x[k] = outside, by_outside += slope;
      if (kinds[k] == released) x[k] = gone, raises = true;
      active += kinds[k] != constant;
    }
    CAPTURE(i);
    const auto size = tape().size(), entries = tape().entries();
    V y;
    if (raises) {
      CHECK_THROWS_AS((y = x[0] + 10 * x[1] + x[2] * 100), fx::ValueError);
      CHECK(tape().size() == size);
      CHECK(tape().entries() == entries);
      continue;
    }
    y = x[0] + 10 * x[1] + x[2] * 100;
    CHECK(y.value() == x[0].value() + 10 * x[1].value() + 100 * x[2].value());
    CHECK(y.requires_grad() == (active > 0));
    CHECK(tape().size() - size == (active > 0));
    CHECK(static_cast<int>(tape().entries() - entries) == active);
    tape().zero_grad();
    if (active > 0) y.backward(true);
    CHECK(inside.grad() == by_inside);
    CHECK(outside.grad() == by_outside);
  }
}

TEST_CASE("no number of a recording has all the bits of another one") {
  fx::detail::ScalarTapeBackground<long double> numbers;
  std::array<std::uint32_t, 3000> taken;
  for (auto& number : taken) number = numbers.new_recording();
  for (const auto a : taken) {
    CHECK_UNARY(a != 0);
    int covered = 0;
    for (const auto b : taken) covered += (a & b) == b;
    CHECK_UNARY(covered == 1);  // by itself
  }
}

TEST_CASE("several outputs with seeds take one sweep") {
  tape().clear();
  std::array x{fx::variable(1.), fx::variable(2.)};
  const std::array<V, 4> y{x[0] * x[1], x[0] + x[1], V(7), x[1]};
  fx::backward<double>(y, std::array{10., 1., 5., 100.});
  CHECK(x[0].grad() == 21);
  CHECK(x[1].grad() == 111);
}

TEST_CASE("what cannot be differentiated raises and says why") {
  tape().clear();
  V x = fx::variable(3.);
  V y = x * x;
  CHECK_THROWS_AS(static_cast<void>(y.grad()), fx::ValueError);
  CHECK(message_of([] { V(2).backward(); }) == "backward: the variable depends on no input; inputs are told by set_requires_grad()");
  y.backward();
  CHECK(x.grad() == 6);  // can be read until there are new inputs
  CHECK(y.value() == 9);
  CHECK(message_of([&] { y.backward(); }).starts_with("backward: the recording was released by an earlier backward"));
  CHECK(message_of([&] { [[maybe_unused]] const V z = x + 1; }).starts_with("a variable was used whose recording was released"));
  CHECK(tape().size() == 0);
  const V other = fx::variable(1.);
  CHECK_THROWS_AS(static_cast<void>(x.grad()), fx::ValueError);
  x.set_requires_grad();  // an input anew
  V z = x * other;
  z.backward();
  CHECK(x.grad() == 1);
  CHECK(other.grad() == 3);
  const std::array<double, 1> seeds{1};
  CHECK_THROWS_AS(fx::backward<double>(std::span<const V>(), seeds), fx::ValueError);
}

TEST_CASE("no_grad records nothing, detach and set_requires_grad(false) make constants") {
  tape().clear();
  V x = fx::variable(2.);
  {
    fx::NoGradGuard guard;
    CHECK_FALSE(fx::is_grad_enabled());
    const V y = x * x;
    CHECK(y.value() == 4);
    CHECK_FALSE(y.requires_grad());
    CHECK(tape().size() == 0);
    // The derivative of a function is taken whatever the mode is outside.
    CHECK(fx::reverse::gradient([](const auto& v) { return v[0] * v[0]; }, std::array{3.}).gradient[0] == 6);
  }
  CHECK(fx::is_grad_enabled());
  const V y = x * x.detach();
  y.backward(true);
  CHECK(x.grad() == 2);
  x.set_requires_grad(false);
  CHECK_FALSE(V(x * 2).requires_grad());
}

TEST_CASE("a scope forgets what was recorded in it and keeps the gradients outside") {
  tape().clear();
  V x = fx::variable(0.5);
  const V outside = 3 * x;
  const auto size = tape().size();
  V escaped;
  for (int i = 1; i <= 3; ++i) {
    Tape::Scope scope;
    const V own = fx::variable(1.);
    escaped = outside * outside * own + x;
    {
      Tape::Scope inner;
      const V further = escaped * 2;
      further.backward(true);
    }
    CHECK(own.grad() == 2 * 2.25);
    CHECK(x.grad() == i * (2 * (2 * 1.5 * 3 + 1)));
  }
  CHECK(tape().size() == size);
  CHECK_THROWS_AS(escaped.backward(), fx::ValueError);
  CHECK_THROWS_AS(escaped = escaped + 1, fx::ValueError);
  x.zero_grad();
  outside.backward();
  CHECK(x.grad() == 3);
}

TEST_CASE("a value that is set changes the statements to come, and gradient descent finds the minimum") {
  tape().clear();
  V x = fx::variable(3.);
  for (int step = 0; step < 100; ++step) {
    Tape::Scope scope;
    V loss = (x - 1) * (x - 1);
    loss.backward();
    x.set_value(x.value() - 0.1 * x.grad());
    x.zero_grad();
  }
  CHECK(x.value() == doctest::Approx(1));
  CHECK(tape().size() == 0);
}

TEST_CASE("a gradient inside of a recording is a recording of its own") {
  tape().clear();
  V x = fx::variable(2.);
  const V y = x * x;
  const auto inner = fx::reverse::gradient([&](const auto& v) { return v[0] * v[0] * y.value(); }, std::array{3.});
  CHECK(inner.gradient[0] == 24);
  CHECK(message_of([&] { fx::reverse::gradient([&](const auto& v) { return V(v[0] * y); }, std::array{3.}); }).starts_with("a variable was used"));
  const V z = y * inner.gradient[0];
  z.backward();
  CHECK(x.grad() == 4 * 24);
}

namespace {
template <class T>
T determinant(std::span<const T> m, int rows, unsigned columns, int size) {
  T sum = 0;
  double sign = 1;
  for (int j = 0; j < size; ++j)
    if (columns >> j & 1) {
      const T& element = m[static_cast<std::size_t>((size - rows) * size + j)];
      if (rows == 1) return element;
      sum += sign * element * determinant(m, rows - 1, columns & ~(1u << j), size);
      sign = -sign;
    }
  return sum;
}
}  // namespace

TEST_CASE("the gradient of a determinant by cofactors is the transposed inverse times the determinant; the second one allocates nothing") {
  constexpr int n = 6;
  std::array<double, n * n> a{}, g{};
  for (int i = 0; i < n * n; ++i) a[static_cast<std::size_t>(i)] = std::sin(1.7 * i) + (i % (n + 1) == 0 ? 3 : 0);
  const auto f = [](std::span<const V> m) { return determinant(m, n, (1u << n) - 1, n); };
  const double value = fx::reverse::gradient<double>(f, a, g);
  for (int i = 0; i < n; ++i)
    for (int k = 0; k < n; ++k) {
      double product = 0;  // of row i and the gradient's row k
      for (int j = 0; j < n; ++j) product += a[static_cast<std::size_t>(i * n + j)] * g[static_cast<std::size_t>(k * n + j)];
      CHECK(product == doctest::Approx(i == k ? value : 0).epsilon(1e-12));
    }
  const auto reference = g;
  const auto former = allocations;
  const auto growths = tape().growths();
  for (int i = 0; i < 3; ++i) fx::reverse::gradient<double>(f, a, g);
  CHECK(allocations == former);
  CHECK(tape().growths() == growths);
  CHECK(g == reference);
  CHECK_THROWS_AS(fx::reverse::gradient<double>(f, a, std::span<double>(g).first(3)), fx::ShapeError);
}

TEST_CASE("the loop with backward allocates nothing the second time either, in several chunks") {
  const auto run = [] {
    const V x = fx::variable(0.5);
    V y = x;
    for (int i = 0; i < 100'000; ++i) y = 0.5 * y + x * y * 0.25;
    y.backward();
    return x.grad();
  };
  tape().clear();
  const double once = run();
  CHECK(tape().growths() >= 3);
  const auto former = allocations;
  const auto growths = tape().growths();
  double x = 0;
  for (int i = 0; i < 2; ++i) x = run();
  CHECK(x == once);
  CHECK(allocations == former);
  CHECK(tape().growths() == growths);
}

TEST_CASE("memory can be given back, but not inside a scope") {
  const V x = fx::variable(1.);
  {
    Tape::Scope scope;
    CHECK_THROWS_AS(tape().free_memory(), fx::ValueError);
  }
  tape().free_memory();
  CHECK(tape().size() == 0);
  CHECK_THROWS_AS(V(x * 2), fx::ValueError);
  const V z = fx::variable(3.);
  V y = z * z;
  y.backward();
  CHECK(z.grad() == 6);
}

TEST_CASE("recordings of other types of number are others") {
  tape().clear();
  const auto x = fx::variable(1.5f);
  fx::Var y = x * x;
  CHECK(tape().size() == 0);
  y.backward();
  CHECK(x.grad() == 3);
}
