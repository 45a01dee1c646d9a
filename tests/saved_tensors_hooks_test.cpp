// What statements save in another form: smaller, elsewhere, or not at all if packing fails.
#include <doctest/doctest.h>

#include <fluxion/autodiff/create_graph.hpp>
#include <fluxion/autodiff/saved_tensors_hooks.hpp>
#include <fluxion/tensor/factory.hpp>

#include <bit>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <new>
#include <stdexcept>
#include <string>
#include <vector>

namespace fx = fluxion;

// ---- bytes that are allocated now ---------------------------------------------------------------------------------------

namespace {
std::size_t live = 0, peak = 0;

// In front of what is given stands its size, and where it really begins.
FLUXION_NO_INLINE void* counted(std::size_t bytes, std::size_t alignment) {
  const std::size_t before = alignment < 16 ? 16 : alignment;
  auto* const start = static_cast<std::byte*>(std::aligned_alloc(before, (bytes + 2 * before - 1) / before * before));
  if (!start) std::abort();
  std::memcpy(start + before - 8, &bytes, 8);
  live += bytes;
  peak = live > peak ? live : peak;
  return start + before;
}
FLUXION_NO_INLINE void uncounted(void* p, std::size_t alignment) {
  if (!p) return;
  std::size_t bytes;
  std::memcpy(&bytes, static_cast<std::byte*>(p) - 8, 8);
  live -= bytes;
  std::free(static_cast<std::byte*>(p) - (alignment < 16 ? 16 : alignment));
}
}  // namespace

void* operator new(std::size_t n) { return counted(n, 16); }
void* operator new[](std::size_t n) { return counted(n, 16); }
void* operator new(std::size_t n, std::align_val_t a) { return counted(n, static_cast<std::size_t>(a)); }
void* operator new(std::size_t n, std::align_val_t a, const std::nothrow_t&) noexcept { return counted(n, static_cast<std::size_t>(a)); }
void operator delete(void* p) noexcept { uncounted(p, 16); }
void operator delete[](void* p) noexcept { uncounted(p, 16); }
void operator delete(void* p, std::size_t) noexcept { uncounted(p, 16); }
void operator delete[](void* p, std::size_t) noexcept { uncounted(p, 16); }
void operator delete(void* p, std::align_val_t a) noexcept { uncounted(p, static_cast<std::size_t>(a)); }
void operator delete(void* p, std::size_t, std::align_val_t a) noexcept { uncounted(p, static_cast<std::size_t>(a)); }

namespace {

using Vector = fx::Tensor<float, fx::dims<1>>;
using Variable = fx::Var<float, fx::dims<1>>;

/// The upper half of a float: exact for small whole numbers.
std::vector<std::uint16_t> halve(const fx::SavedTensor& x) {
  std::vector<std::uint16_t> half;
  half.reserve(static_cast<std::size_t>(x.size()));
  for (fx::index_t i = 0; i < x.size(); ++i) half.push_back(static_cast<std::uint16_t>(std::bit_cast<std::uint32_t>(x.elements<float>()[i]) >> 16));
  return half;
}
void restore(const std::vector<std::uint16_t>& half, const fx::UnpackedTensor& x) {
  for (fx::index_t i = 0; i < x.size(); ++i) x.elements<float>()[i] = std::bit_cast<float>(static_cast<std::uint32_t>(half[static_cast<std::size_t>(i)]) << 16);
}
std::vector<float> copy(const fx::SavedTensor& x) { return {x.elements<float>(), x.elements<float>() + x.size()}; }
void copy_back(const std::vector<float>& from, const fx::UnpackedTensor& x) { std::memcpy(x.data, from.data(), x.bytes()); }

/// A chain of statements of which each saves the one before; only the last is held.
Variable chain(const Variable& x, int length) {
  Variable y = x + 0.f;
  for (int i = 0; i < length; ++i) y = y * y * 0.5f;
  return y;
}

}  // namespace

TEST_CASE("values packed to 16 bits take half the memory, since nothing else keeps them, and give the gradient") {
  constexpr fx::index_t size = 100'000;
  constexpr int length = 16;
  constexpr std::size_t bytes = size * sizeof(float);
  std::size_t taken[2];
  for (const bool packs : {false, true}) {
    fx::Tape tape;
    const fx::TapeScope scope(tape);
    Variable x = fx::variable(Vector(fx::ones<float>({size}) * 2.f));
    const std::size_t before = live;
    Variable y = [&] {
      if (!packs) return chain(x, length);
      const fx::autograd::SavedTensorsHooks hooks(halve, restore);
      return chain(x, length);
    }();
    taken[packs] = live - before;
    CHECK(y.value()(size - 1) == 2);
    fx::Var loss = fx::sum(y);
    loss.backward();
    CHECK(x.grad()(size - 1) == (1 << length));
  }
  CHECK(taken[0] >= (length + 1) * bytes);
  CHECK(taken[1] <= length * bytes / 2 + 4 * bytes);
}

TEST_CASE("values can lie in one buffer, and a graph that is retained reads them twice") {
  std::string file;
  int read = 0;
  const fx::autograd::SavedTensorsHooks hooks(
      [&](const fx::SavedTensor& x) {
        file.append(reinterpret_cast<const char*>(x.data), x.bytes());
        return file.size() - x.bytes();
      },
      [&](std::size_t at, const fx::UnpackedTensor& x) {
        ++read;
        std::memcpy(x.data, file.data() + at, x.bytes());
      });
  Variable x = fx::variable(Vector{1, 2, 3});
  Variable y = chain(x, 3);  // x⁸/2⁷
  CHECK(file.size() == 3 * 3 * sizeof(float));  // each once, although mentioned twice
  for (const bool retain : {true, false}) y.backward(Vector{1, 1, 1}, retain);
  CHECK(read == 2 * 3);
  CHECK(x.grad()(1) == 2 * 8);
}

TEST_CASE("heap tensors in a statement are packed and let go, so that they may be written") {
  Variable x = fx::variable(Vector{1, 2});
  Vector t = {3, 4};
  fx::Var y = [&] {
    const fx::autograd::SavedTensorsHooks hooks(copy, copy_back);
    return fx::Var(fx::sum(x * t * t));
  }();
  t(0) = 100;
  y.backward();
  CHECK(x.grad()(0) == 9);
}

TEST_CASE("leaves and values recorded outside of the scope are not packed") {
  Variable x = fx::variable(Vector{1, 2});
  Variable outside = x * 2.f;
  int packed = 0;
  const fx::autograd::SavedTensorsHooks hooks([&](const fx::SavedTensor& v) { return ++packed, copy(v); }, copy_back);
  Variable inside = outside * x;
  CHECK(packed == 0);
  {
    const fx::autograd::SavedTensorsHooks inner(copy, copy_back);  // only the innermost is asked
    inside = inside * inside;
    CHECK(packed == 0);
  }
  inside = inside * x;
  CHECK(packed == 1);
  fx::Var loss = fx::sum(inside);  // 4x⁵
  loss.backward();
  CHECK(x.grad()(1) == 20 * 16);
}

TEST_CASE("a pack that raises leaves nothing recorded, and the variables as they were") {
  fx::Tape tape;
  const fx::TapeScope scope(tape);
  Variable x = fx::variable(Vector{1, 2});
  bool fails = false;
  const fx::autograd::SavedTensorsHooks hooks(
      [&](const fx::SavedTensor& v) {
        if (fails) throw std::runtime_error("full");
        return copy(v);
      },
      copy_back);
  Variable y = x * x;
  const std::size_t statements = tape.size(), uses = tape.uses();
  fails = true;
  CHECK_THROWS_WITH(y = y * 2.f * y, "full");
  CHECK(tape.size() == statements);
  CHECK(tape.uses() == uses);
  CHECK(y.value()(1) == 4);
  fails = false;
  Variable z = y * y;
  z.backward(Vector{1, 1});
  CHECK(x.grad()(1) == 32);
}

TEST_CASE("an unpack that raises ends the pass, and the next one starts afresh") {
  Variable x = fx::variable(Vector{1, 2});
  bool fails = true;
  const fx::autograd::SavedTensorsHooks hooks(copy, [&](const std::vector<float>& from, const fx::UnpackedTensor& to) {
    if (fails) throw std::runtime_error("gone");
    copy_back(from, to);
  });
  Variable y = chain(x, 1);
  CHECK_THROWS_WITH(y.backward(Vector{1, 1}), "gone");
  fails = false;
  y.backward(Vector{1, 1});
  CHECK(x.grad()(1) == 2);
  CHECK_THROWS_AS(static_cast<void>(fx::UnpackedTensor{}.elements<double>()), fx::ValueError);
}

TEST_CASE("derivatives of derivatives read what was packed") {
  Variable x = fx::variable(Vector{1, 2});
  const fx::autograd::SavedTensorsHooks hooks(copy, copy_back);
  Variable square = x * x;
  fx::Var y = fx::sum(square * square);
  y.backward({.create_graph = fx::create_graph});
  CHECK(x.grad()(1) == 32);
  fx::Var slope = fx::sum(x.recorded_grad());
  x.zero_grad();
  slope.backward();
  CHECK(x.grad()(1) == 48);
}

TEST_CASE("a seed and a gradient from a hook that were recorded under hooks live as long as the gradients recorded with them") {
  fx::Tape tape;
  const fx::TapeScope scope(tape);
  const Variable x = fx::variable(Vector{2, 3}), w = fx::variable(Vector{10, 20});
  const Variable square = x * x, y = square * x;
  {
    const fx::autograd::SavedTensorsHooks hooks(halve, restore);
    const Variable seed = w * 1.0f;
    square.register_hook([](const auto& g) { return g * 2.0f; });
    y.backward(seed, {.create_graph = fx::create_graph});
  }
  CHECK(x.grad()(0) == 200);  // x² w + 2 · x · 2x w
  const Variable gradient = x.recorded_grad();
  fx::Var total = fx::sum(gradient);
  x.zero_grad();
  total.backward();
  CHECK(w.grad()(0) == 20);  // 5 x²
}

TEST_CASE("a view of a value that was recorded under hooks stays valid") {
  const Variable x = fx::variable(Vector{2, 3}), w = fx::variable(Vector{10, 20});
  const Variable z = [&] {
    const fx::autograd::SavedTensorsHooks hooks(halve, restore);
    const Variable y = x * 2.0f;
    return Variable(w * y.value());
  }();
  z.backward(Vector{1, 1});
  CHECK(w.grad()(0) == 4);
}
