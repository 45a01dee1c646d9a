// Matrix products against three loops.
// matrix
#include <doctest/doctest.h>

#include <fluxion/fluxion.hpp>

namespace fx = fluxion;

namespace {

template <class T>
using Matrix = fx::Tensor<T, fx::dims<2>>;
template <class T>
using Batch = fx::Tensor<T, fx::dims<3>>;

/// Small integers, so that every sum is exact.
template <class X>
X fill(X x) {
  fx::index_t n = 7;
  for (auto& e : x) e = static_cast<std::remove_reference_t<decltype(e)>>((n = n * 37 % 101) % 9 - 4);
  return x;
}

template <class A, class B, class C>
void check_product(const A& a, const B& b, const C& c) {
  REQUIRE(c.extent(0) == a.extent(0));
  REQUIRE(c.extent(1) == b.extent(1));
  bool good = true;
  for (fx::index_t i = 0; i < c.extent(0); ++i)
    for (fx::index_t j = 0; j < c.extent(1); ++j) {
      double sum = 0;
      for (fx::index_t k = 0; k < a.extent(1); ++k) sum += static_cast<double>(a(i, k)) * static_cast<double>(b(k, j));
      good = good && static_cast<double>(c(i, j)) == sum;
    }
  CHECK(good);
}

}  // namespace

TEST_CASE_TEMPLATE("matrices of any size, transposed, sliced and strided ones multiply as loops do", T, float, double, std::int32_t) {
  const fx::index_t sizes[][3] = {{1, 1, 1}, {2, 3, 4}, {1, 17, 5}, {17, 1, 16}, {16, 16, 16}, {33, 20, 31}, {5, 40, 1}, {0, 3, 4}, {3, 4, 0}};
  for (const auto& s : sizes) {
    const auto a = fill(fx::empty<T>({s[0], s[1]})), b = fill(fx::empty<T>({s[1], s[2]}));
    const auto at = fill(fx::empty<T>({s[1], s[0]})), bt = fill(fx::empty<T>({s[2], s[1]}));
    check_product(a, b, Matrix<T>(fx::matmul(a, b)));
    check_product(at.t(), b, Matrix<T>(fx::matmul(at.t(), b)));
    check_product(a, bt.t(), Matrix<T>(fx::matmul(a, fx::transpose(bt))));
    check_product(at.t(), bt.t(), Matrix<T>(fx::matmul(at.t(), bt.t())));
    const auto wide = fill(fx::empty<T>({s[0] + 2, 2 * s[1] + 3}));
    const auto odd = wide(fx::slice{1, s[0] + 1}, fx::slice{2, 2 * s[1] + 2, 2});
    check_product(odd, b, Matrix<T>(fx::matmul(odd, b)));
    const auto block = wide(fx::slice{1, s[0] + 1}, fx::slice{2, s[1] + 2});
    check_product(block, b, Matrix<T>(fx::matmul(block, b)));
    Matrix<T> larger = fx::full<T>({s[0] + 2, s[2] + 3}, T(-77));
    larger(fx::slice{1, s[0] + 1}, fx::slice{2, s[2] + 2}) = fx::matmul(a, b);
    check_product(a, b, larger(fx::slice{1, s[0] + 1}, fx::slice{2, s[2] + 2}));
    CHECK(larger(0, 0) == T(-77));
    CHECK(larger(s[0] + 1, s[2] + 2) == T(-77));
  }
}

TEST_CASE("a product over nothing is zero") {
  const Matrix<float> a = fx::empty<float>({3, 0}), b = fx::empty<float>({0, 2});
  const Matrix<float> c = fx::matmul(a, b) + 1;
  REQUIRE(c.extent(0) == 3);
  for (const float x : c) CHECK(x == 1);
  const fx::Tensor<std::int64_t, fx::dims<2>> d = fx::matmul(fx::empty<std::int64_t>({2, 0}), fx::empty<std::int64_t>({0, 2}));
  for (const std::int64_t x : d) CHECK(x == 0);
}

TEST_CASE("vectors are rows on the left and columns on the right") {
  const auto m = fill(fx::empty<float>({4, 3}));
  const fx::Tensor<float, fx::dims<1>> left = {1, 2, 3, 4}, right = {1, -1, 2};
  const fx::Tensor<float, fx::dims<1>> a = fx::matmul(left, m), b = fx::matmul(m, right);
  const fx::Tensor<float, fx::extents<>> c = fx::matmul(right, right);
  REQUIRE(a.size() == 3);
  REQUIRE(b.size() == 4);
  for (fx::index_t j = 0; j < 3; ++j) CHECK(a(j) == m(0, j) + 2 * m(1, j) + 3 * m(2, j) + 4 * m(3, j));
  for (fx::index_t i = 0; i < 4; ++i) CHECK(b(i) == m(i, 0) - m(i, 1) + 2 * m(i, 2));
  CHECK(c.item() == 6);
}

TEST_CASE("batches multiply matrix by matrix, and a static or missing batch extent broadcasts") {
  const auto a = fill(fx::empty<float>({5, 3, 4})), b = fill(fx::empty<float>({5, 4, 6})), swapped = fill(fx::empty<float>({5, 6, 4}));
  const auto shared = fill(fx::empty<float>({4, 6}));
  const fx::Tensor<float, fx::extents<1, 4, 6>> one = shared.reshape_view(fx::extents<1, 4, 6>{});
  const Batch<float> c = fx::matmul(a, b), d = fx::matmul(a, shared), e = fx::matmul(a, one), f = fx::matmul(a, fx::transpose(swapped)),
                     g = fx::matmul(a, swapped.transpose());
  for (fx::index_t n = 0; n < 5; ++n) {
    check_product(a[n], b[n], c[n]);
    check_product(a[n], shared, d[n]);
    check_product(a[n], shared, e[n]);
    check_product(a[n], swapped[n].t(), f[n]);
    check_product(a[n], swapped[n].t(), g[n]);
  }
}

TEST_CASE("element types of the operands meet, and the epilogue is applied once") {
  const auto i = fill(fx::empty<std::int32_t>({3, 4}));
  const auto x = fill(fx::empty<double>({4, 2}));
  const fx::Tensor<double, fx::dims<2>> y = fx::matmul(i, x);
  check_product(i, x, y);
  const auto a = fill(fx::empty<float>({150, 30})), b = fill(fx::empty<float>({30, 40}));
  const fx::Tensor<float, fx::dims<1>> bias = fill(fx::empty<float>({40}));
  const Matrix<float> product = fx::matmul(a, b), with_bias = fx::relu(fx::matmul(a, b) + bias);
  bool good = true;
  for (fx::index_t r = 0; r < 150; ++r)
    for (fx::index_t k = 0; k < 40; ++k) good = good && with_bias(r, k) == std::max(0.f, product(r, k) + bias(k));
  CHECK(good);
}
