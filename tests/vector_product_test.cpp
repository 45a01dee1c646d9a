// Products of a matrix and a vector, which have loops of their own: every order of both operands, rows and columns that do not fill packs.
#include <doctest/doctest.h>

#include <fluxion/fluxion.hpp>
#include <fluxion/tensor/index.hpp>

#include <cstdint>

namespace fx = fluxion;
using fx::index_t;

namespace {

/// Small whole numbers, so that sums are exact in any order.
template <class T>
fx::Tensor<T, fx::dims<2>> numbers(index_t rows, index_t columns, std::uint32_t state) {
  auto x = fx::zeros<T>(rows, columns);
  for (T& v : x) {
    state = state * 1664525u + 1013904223u;
    v = static_cast<T>(static_cast<int>(state >> 28) - 8);
  }
  return x;
}

template <class A, class B, class C>
bool is_product(const A& a, const B& b, const C& c) {
  for (index_t i = 0; i < a.extent(0); ++i)
    for (index_t j = 0; j < b.extent(1); ++j) {
      double sum = 0;
      for (index_t k = 0; k < a.extent(1); ++k) sum += static_cast<double>(a(i, k)) * static_cast<double>(b(k, j));
      if (static_cast<double>(c(i, j)) != sum) return false;
    }
  return true;
}

}  // namespace

TEST_CASE_TEMPLATE("a matrix times a column and a row times a matrix are exact, whichever operand is transposed", T, float, double) {
  for (const index_t n : {1, 2, 3, 8, 17, 40, 131})
    for (const index_t m : {1, 5, 16, 25, 66}) {
      CAPTURE(n);
      CAPTURE(m);
      const auto a = numbers<T>(n, m, 1), a_turned = numbers<T>(m, n, 2);
      const auto column = numbers<T>(m, 1, 3), row = numbers<T>(1, n, 4);
      const auto wide = numbers<T>(m, 3, 5), tall = numbers<T>(3, n, 6);
      const fx::Tensor<T, fx::dims<2>> right = fx::matmul(a, column), right_turned = fx::matmul(a_turned.t(), column);
      const fx::Tensor<T, fx::dims<2>> left = fx::matmul(row, a), left_turned = fx::matmul(row, a_turned.t());
      CHECK(is_product(a, column, right));
      CHECK(is_product(a_turned.t(), column, right_turned));
      CHECK(is_product(row, a, left));
      CHECK(is_product(row, a_turned.t(), left_turned));
      // A vector whose elements lie apart.
      const auto apart = wide(fx::all, fx::slice{1, 2});
      const auto apart_row = tall.t()(fx::all, fx::slice{1, 2});
      const fx::Tensor<T, fx::dims<2>> of_apart = fx::matmul(a, apart), of_apart_row = fx::matmul(apart_row.t(), a);
      CHECK(is_product(a, apart, of_apart));
      CHECK(is_product(apart_row.t(), a, of_apart_row));
    }
}
