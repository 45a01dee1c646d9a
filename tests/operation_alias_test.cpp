// What happens to memory: destinations that are operands, expressions that outlive tensors, leaves written too early.
#include <doctest/doctest.h>

#include "support/tensor_values.hpp"

#include <fluxion/fluxion.hpp>

namespace fx = fluxion;

namespace {
using Vector = fx::Tensor<float, fx::dims<1>>;
using Matrix = fx::Tensor<float, fx::dims<2>>;

Matrix counting(fx::index_t rows, fx::index_t columns) {
  Matrix m = fx::empty<float>({rows, columns});
  for (fx::index_t i = 0; i < rows; ++i)
    for (fx::index_t j = 0; j < columns; ++j) m(i, j) = static_cast<float>(i * columns + j);
  return m;
}

auto sum_of_local_tensors() {
  const Vector a = {1, 2, 3};
  const fx::Tensor<float, fx::extents<3>> b = {10, 20, 30};
  return a + b * 2;
}
}  // namespace

TEST_CASE("an expression outlives the tensors that it was made of") {
  const auto e = sum_of_local_tensors();
  Vector reuse = {7, 7, 7};  // whatever was freed would be used again
  const Vector y = e;
  CHECK(y(0) == 21);
  CHECK(y(2) == 63);
  CHECK(reuse(0) == 7);
}

TEST_CASE("evaluating an expression after a leaf was written raises and leaves the destination as it was") {
  Vector a = {1, 2, 3}, b = {1, 1, 1}, y = {9, 9, 9};
  const auto e = a * 2 + b;
  a(1) = 5;
  CHECK_THROWS_AS(y = e, fx::ValueError);
  CHECK(y(0) == 9);
  CHECK(y(2) == 9);
  CHECK_THROWS_AS(Vector(fx::exp(e)), fx::ValueError);
  const auto fresh = a * 2 + b;
  y = fresh;
  CHECK(y(1) == 11);
  y = fresh;  // reading is not writing
  CHECK(y(1) == 11);
}

TEST_CASE("writing a leaf through a view, or assigning it another value, counts as writing") {
  Matrix a = counting(2, 2);
  const auto e = a + 1;
  a[0].fill(0);
  CHECK_THROWS_AS(Matrix{e}, fx::ValueError);
  Vector b = {1, 2};
  const auto f = b + 1;
  b = Vector{3, 4, 5};
  CHECK_THROWS_AS(Vector{f}, fx::ValueError);
}

TEST_CASE("a tensor assigned a permutation of itself holds the permutation") {
  Matrix x = counting(5, 5);
  const Matrix old = x;
  x = fx::transpose(x) * 2;
  for (fx::index_t i = 0; i < 5; ++i)
    for (fx::index_t j = 0; j < 5; ++j) CHECK(x(i, j) == 2 * old(j, i));
  Matrix wide = counting(3, 7);
  wide = fx::transpose(wide) + 1;  // other extents
  REQUIRE(wide.extent(0) == 7);
  CHECK(wide(6, 2) == 21);
  Matrix z = counting(4, 4);
  const Matrix z_old = z;
  z = z + z.t();
  for (fx::index_t i = 0; i < 4; ++i)
    for (fx::index_t j = 0; j < 4; ++j) CHECK(z(i, j) == z_old(i, j) + z_old(j, i));
}

TEST_CASE("a tensor assigned a reduction, softmax or product of itself holds what the old elements give") {
  Matrix x = counting(6, 20) * 0.1f;
  const Matrix old = x;
  const Matrix expected = fx::softmax(old, fx::axis<1>);
  x = fx::softmax(x, fx::axis<1>);
  CHECK(fx::allclose(x, expected));
  x = old;
  x = x - fx::mean(x, fx::axis<0>, fx::keepdim);
  CHECK(x(0, 0) == doctest::Approx(-5));
  CHECK(x(5, 19) == doctest::Approx(5));
  x = old;
  const Matrix column_expected = fx::softmax(old, fx::axis<0>);
  x = fx::softmax(x, fx::axis<0>);
  CHECK(fx::allclose(x, column_expected));
  Matrix square = counting(9, 9);
  const Matrix before = square, product = fx::matmul(before, before);
  square = fx::matmul(square, square);
  CHECK(fx::equal(square, product));
  Vector v = {3, 1, 2};
  v = v + fx::max(v);
  CHECK(v(0) == 6);
  CHECK(v(2) == 5);
}

TEST_CASE("views that overlap their operands get what the old elements give") {
  for (const fx::index_t n : {3, 20, 100}) {
    Vector x = fx::arange<float>(static_cast<float>(n));
    x(fx::slice{1, n}) = x(fx::slice{0, n - 1}) * 2;
    CHECK(x(0) == 0);
    for (fx::index_t i = 1; i < n; ++i) CHECK(x(i) == static_cast<float>(2 * (i - 1)));
    x = fx::arange<float>(static_cast<float>(n));
    x(fx::slice{0, n - 1}) = x(fx::slice{1, n}) + 1;
    for (fx::index_t i = 0; i + 1 < n; ++i) CHECK(x(i) == static_cast<float>(i + 2));
  }
  Matrix m = counting(6, 6);
  const Matrix old = m;
  m(fx::slice{0, 4}, fx::slice{0, 4}) = m(fx::slice{2, 6}, fx::slice{1, 5}).t() * 1;
  for (fx::index_t i = 0; i < 4; ++i)
    for (fx::index_t j = 0; j < 4; ++j) CHECK(m(i, j) == old(j + 2, i + 1));
  Matrix t = counting(4, 4);
  const Matrix t_old = t;
  t.t() = t * 3;
  for (fx::index_t i = 0; i < 4; ++i)
    for (fx::index_t j = 0; j < 4; ++j) CHECK(t(j, i) == 3 * t_old(i, j));
  Matrix rows = counting(3, 5);
  rows[1] = rows[0] + rows[2];
  CHECK(rows(1, 4) == 18);
  CHECK(rows(0, 4) == 4);
}

TEST_CASE("assigning through a view of a tensor that the expression reads is no write before the evaluation") {
  Matrix x = counting(3, 5);
  const Matrix old = x;
  x.t()(fx::slice{1, 3}) = x.t()(fx::slice{0, 2}) * 2;  // views of views too
  CHECK(x(2, 2) == 2 * old(2, 1));
  x = old;
  x[1] = fx::sum(x, fx::axis<0>);
  CHECK(x(1, 4) == 4 + 9 + 14);
  CHECK(x(0, 4) == 4);
  x = old;
  x(fx::all, fx::slice{0, 1}) = x(fx::all, fx::slice{4, 5}) + fx::sum(x, fx::axis<1>, fx::keepdim);
  CHECK(x(1, 0) == 9 + 35);
  x = old;
  x.reshape_view({5, 3}) = fx::transpose(x);
  CHECK(x(0, 1) == 5);
}

TEST_CASE("a tensor that is only looked at through views is unchanged to an expression") {
  Matrix x = counting(3, 3);
  const auto e = x * 2;
  const auto v = x.t();
  const auto row = x[1];
  CHECK(fx::allclose(v, v));
  const Matrix copy = v;
  const Matrix sum = v + row + 1;
  const Matrix y = e;
  CHECK(y(2, 2) == 16);
}

TEST_CASE("an expression that outlives a write through a view is refused, whenever the view was taken") {
  Matrix x = counting(3, 3), y = x;
  const Matrix other = fx::ones<float>({3, 3});
  const auto expect_refused = [&](auto&& write) {
    const auto e = x * 2;
    write();
    CHECK_THROWS_AS(y = e, fx::ValueError);
    y = x * 2;
  };
  auto before = x.t();
  auto converted = fx::View<float, fx::dims<2>, fx::layout_stride>(x.view());
  expect_refused([&] { before = other; });
  expect_refused([&] { before(0, 1) = 4; });
  expect_refused([&] { before.fill(2); });
  expect_refused([&] { *before.data() = 2; });
  expect_refused([&] { before[0] = other[1]; });
  expect_refused([&] { before = other + 1; });
  expect_refused([&] { converted = other; });
  expect_refused([&] { *x.view().begin() = 1; });
  expect_refused([&] { x.reshape_view({9})(fx::slice{0, 3}).fill(0); });
  expect_refused([&] { x.t() = x * 3; });
  expect_refused([&] {
    auto v = x.t();
    v = other;
  });
  const auto e = x * 2;
  before = other;
  CHECK_THROWS_AS(before = e, fx::ValueError);
}

TEST_CASE("a large static tensor that was moved from raises as an operand, an argument and a destination") {
  using Large = fx::Tensor<float, fx::extents<100>>;
  Large a = fx::ones, taken = std::move(a);
  CHECK_THROWS_AS(a + 1, fx::ValueError);
  const auto f = fx::compile([](auto x) { return x + 1; });
  const auto g = fx::compile([](auto x) { return fx::softmax(x, fx::axis<0>); });
  CHECK_THROWS_AS(f(a), fx::ValueError);
  CHECK_THROWS_AS(f.into(a, taken), fx::ValueError);
  CHECK_THROWS_AS(g.into(a, taken), fx::ValueError);
  a = taken + 1;
  CHECK(a(99) == 2);
}

TEST_CASE("elements between those of a strided destination are not touched") {
  std::vector<float> memory(100, -1.f);
  const fx::View<float, fx::dims<2>, fx::layout_stride> v(memory.data() + 3, fx::dims<2>(4, 6), {20, 3});
  auto target = v;
  target = fx::softmax(counting(4, 6), fx::axis<1>);
  for (std::size_t k = 0; k < memory.size(); ++k) {
    const std::size_t at = k - 3;
    const bool inside = k >= 3 && at / 20 < 4 && at % 20 % 3 == 0 && at % 20 / 3 < 6;
    if (inside) CHECK(memory[k] > 0);
    else CHECK(memory[k] == -1);
  }
}
