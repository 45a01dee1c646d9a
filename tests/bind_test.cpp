// What only the run can know is checked before the first kernel: messages, run-time extents of one, and destinations after a failure.
#include <doctest/doctest.h>

#include <fluxion/fluxion.hpp>
#include <fluxion/tensor/function.hpp>

#include <cstdlib>
#include <new>
#include <string>

namespace fx = fluxion;

namespace {

/// Allocations that still succeed; negative: all do.
int allocations_left = -1;

void* allocate(std::size_t bytes, std::size_t alignment) noexcept {
  if (allocations_left == 0) return nullptr;
  if (allocations_left > 0) --allocations_left;
  return std::aligned_alloc(alignment, (bytes + alignment - 1) / alignment * alignment);
}

using Vector = fx::Tensor<float, fx::dims<1>>;
using Matrix = fx::Tensor<float, fx::dims<2>>;
using Labels = fx::Tensor<std::int64_t, fx::dims<1>>;

template <class E, class F>
std::string message_of(F f) {
  try {
    f();
  } catch (const E& error) {
    return error.what();
  } catch (const std::exception& error) {
    return std::string("another type: ") + error.what();
  }
  return "nothing thrown";
}

bool contains(const std::string& text, const char* part) { return text.find(part) != std::string::npos; }

}  // namespace

// Tensors and temporaries are aligned; what else allocates here is the test's own.
FLUXION_NO_INLINE void* operator new(std::size_t bytes, std::align_val_t a) {
  void* p = allocate(bytes, static_cast<std::size_t>(a));
  if (!p) throw std::bad_alloc();
  return p;
}
FLUXION_NO_INLINE void* operator new(std::size_t bytes, std::align_val_t a, const std::nothrow_t&) noexcept {
  return allocate(bytes, static_cast<std::size_t>(a));
}
FLUXION_NO_INLINE void operator delete(void* p, std::align_val_t) noexcept { std::free(p); }
FLUXION_NO_INLINE void operator delete(void* p, std::size_t, std::align_val_t) noexcept { std::free(p); }

TEST_CASE("extents that do not fit raise a ShapeError that names the operation and both shapes, and nothing is written") {
  const Vector a = {1, 2, 3}, b = {1, 2};
  Vector y = {9, 9, 9};
  CHECK(message_of<fx::ShapeError>([&] { y = a + b; }) == "add: shapes do not broadcast: [3] and [2]");
  const Matrix m = fx::ones<float>({3, 4}), n = fx::ones<float>({5, 2});
  Matrix z = fx::full<float>({3, 2}, 9);
  CHECK(message_of<fx::ShapeError>([&] { z = fx::matmul(m, n); }) == "matmul: inner extents differ: [3, 4] x [5, 2]");
  CHECK(message_of<fx::ShapeError>([&] { z = fx::matmul(m, n.t()); }) == "matmul: inner extents differ: [3, 4] x [2, 5]");
  fx::Tensor<float, fx::extents<>> loss = 9;
  const std::string text = message_of<fx::ShapeError>([&] { loss = fx::cross_entropy(m, Labels{0, 1}); });
  CHECK(contains(text, "[3"));
  CHECK(contains(text, "[2"));
  CHECK(loss.item() == 9);
  const std::string assignment = message_of<fx::ShapeError>([&] {
    auto target = z(fx::all, fx::slice{0, 1});
    target = m * 2;
  });
  CHECK(assignment == "view: extents differ: [3, 1] and [3, 4]");
  fx::Tensor<float, fx::extents<fx::dynamic_extent, 3>> partly_static = fx::full<float>({2, 3}, 9);
  CHECK(message_of<fx::ShapeError>([&] { partly_static = m * 2; }) == "tensor: extents [3, 4] do not fit [?, 3]");
  CHECK(message_of<fx::ShapeError>([&] { fx::compile([](auto p, auto q) { return p * q; }).into(y, a, b); }) == "mul: shapes do not broadcast: [3] and [2]");
  for (const float x : y) CHECK(x == 9);
  for (const float x : z) CHECK(x == 9);
  for (const float x : partly_static) CHECK(x == 9);
  CHECK(partly_static.extent(0) == 2);
}

TEST_CASE("reductions without identity, slices and reshapes that do not fit raise") {
  const Matrix empty = fx::empty<float>({3, 0}), m = fx::ones<float>({3, 4});
  Vector y = {9};
  CHECK(message_of<fx::ValueError>([&] { y = fx::max(empty, fx::axis<1>); }) == "amax: reduction of an empty axis has no identity: [3, 0]");
  CHECK(contains(message_of<fx::IndexError>([&] { y = fx::sum(fx::slice_axis<1, 0, 5>(m), fx::axis<1>); }), "slice: end 5 is out of range for [3, 4]"));
  CHECK(contains(message_of<fx::ShapeError>([&] { y = fx::sum(fx::reshape<-1, 5>(m), fx::axis<1>); }), "[3, 4]"));
  CHECK(contains(message_of<fx::ShapeError>([&] { y = fx::sum(fx::reshape<2, 5>(m), fx::axis<1>); }), "[3, 4]"));
  REQUIRE(y.size() == 1);
  CHECK(y(0) == 9);
  const Vector none = fx::sum(empty, fx::axis<1>);
  CHECK(none(2) == 0);
}

TEST_CASE("a run-time extent of one broadcasts inside elementwise operations, from either side") {
  const Matrix m = {{1, 2, 3}, {4, 5, 6}}, row = {{10, 20, 30}}, column = {{100}, {200}}, one = {{1000}};
  const Matrix a = m + row * 2, b = (column - m) * one, c = row + column;
  CHECK(a(1, 2) == 66);
  CHECK(b(1, 0) == 196'000);
  CHECK(c(1, 2) == 230);
  const Vector s = fx::sum(m * column, fx::axis<1>);
  CHECK(s(1) == 3000);
  const Matrix p = fx::softmax(row + column, fx::axis<1>);
  CHECK(p(0, 2) == doctest::Approx(p(1, 2)));
}

TEST_CASE("a run-time extent of one that a reduction, product or result would see wrongly is refused, with nothing written") {
  const Matrix m = {{1, 2, 3}, {4, 5, 6}}, column = {{100}, {200}};
  Matrix y = {{9, 9, 9}, {9, 9, 9}};
  // The sum of the column's single elements is not that of three equal ones.
  const auto with_sum = fx::compile([](auto p, auto q) { return p + fx::sum(q, fx::axis<1>, fx::keepdim) + q; });
  CHECK(contains(message_of<fx::ShapeError>([&] { with_sum.into(y, m, column); }),
                 "sum: a run-time extent of 1 broadcasts only inside elementwise operations: [2, 1] is taken for [2, 3]"));
  const auto with_product = fx::compile([](auto p, auto q) { return fx::matmul(p * q, fx::transpose(q)); });
  CHECK(contains(message_of<fx::ShapeError>([&] { with_product(m, column); }), "[2, 1] is taken for [2, 3]"));
  for (const float x : y) CHECK(x == 9);
  const auto both = fx::compile([](auto p, auto q) { return std::tuple(p + q, q * 2); });
  CHECK(contains(message_of<fx::ShapeError>([&] { both(m, column); }), "result"));
  // In an expression each mention is an argument of its own, and a static 1 is what it says: both are exact.
  y = m + fx::sum(column, fx::axis<1>, fx::keepdim) + column;
  CHECK(y(1, 2) == 406);
  const fx::Tensor<float, fx::extents<2, 1>> static_column = {{100}, {200}};
  CHECK(with_sum(m, static_column)(1, 2) == 406);
}

TEST_CASE("where memory runs out the destination stays as it was") {
  fx::Arena::of_this_thread().release();
  const Matrix x = fx::ones<float>({40, 50}), w = fx::ones<float>({50, 50});
  Matrix y = fx::full<float>({40, 50}, 9), narrow = fx::full<float>({40, 1}, 9);
  Matrix strided_owner = fx::full<float>({40, 100}, 9);
  auto strided = strided_owner(fx::all, fx::slice{0, 100, 2});
  const auto check = [&](auto assign, auto unchanged) {
    bool failed_once = false, succeeded = false;
    for (int allowed = 0; allowed < 50 && !succeeded; ++allowed) {
      fx::Arena::of_this_thread().release();
      fx::detail::release_recycled_blocks();
      bool failed = false;
      allocations_left = allowed;
      try {
        assign();
      } catch (const std::bad_alloc&) {
        failed = true;
      }
      allocations_left = -1;
      if (failed) CHECK(unchanged());
      failed_once = failed_once || failed;
      succeeded = !failed;
    }
    CHECK(failed_once);
    CHECK(succeeded);
  };
  const auto all_nine = [](const auto& t) {
    for (fx::index_t i = 0; i < t.extent(0); ++i)
      for (fx::index_t j = 0; j < t.extent(1); ++j)
        if (t(i, j) != 9) return false;
    return true;
  };
  check([&] { y = fx::softmax(fx::matmul(fx::tanh(x), w), fx::axis<1>); }, [&] { return all_nine(y); });
  CHECK(y(3, 3) == doctest::Approx(0.02));
  check([&] { strided = fx::matmul(x, w) + 1; }, [&] { return all_nine(strided); });
  CHECK(strided_owner(39, 98) == 51);
  CHECK(strided_owner(39, 99) == 9);
  check([&] { narrow = fx::matmul(x, w); }, [&] { return narrow.extent(1) == 1 && all_nine(narrow); });
  CHECK(narrow.extent(1) == 50);
}
