#include <doctest/doctest.h>

#include <fluxion/tensor/factory.hpp>
#include <fluxion/tensor/print.hpp>

#include <limits>
#include <sstream>
#include <string>

namespace fx = fluxion;
using fx::Tensor;

namespace {
template <class T>
using Vector = Tensor<T, fx::dims<1>>;
template <class T>
using Matrix = Tensor<T, fx::dims<2>>;
constexpr double inf = std::numeric_limits<double>::infinity();
constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();
}  // namespace

TEST_CASE("whole numbers in floating point end in a point") {
  CHECK(fx::to_string(Matrix<float>{{1, 2}, {3, 4}}) == "[[1. 2.]\n [3. 4.]]");
}

TEST_CASE("columns are aligned at the point") {
  CHECK(fx::to_string(Matrix<double>{{1.5, -22.25}, {100, 0.125}}) == "[[  1.5   -22.25 ]\n [100.      0.125]]");
}

TEST_CASE("at most four digits stand after the point") {
  CHECK(fx::to_string(Vector<float>{0.1f, 1.f / 3.f, 2.f / 3.f}) == "[0.1    0.3333 0.6667]");
}

TEST_CASE("the shortest digits that identify a float are printed") {
  CHECK(fx::to_string(Vector<float>{123456.78f}) == "[123456.78]");
}

TEST_CASE("a wide range of magnitudes is printed with exponents") {
  CHECK(fx::to_string(Vector<double>{1e10, 1}) == "[1.e+10 1.e+00]");
  CHECK(fx::to_string(Vector<float>{1e6f}) == "[1.e+06]");
  CHECK(fx::to_string(Vector<double>{1e6}) == "[1000000.]");
  CHECK(fx::to_string(Vector<double>{1.5e-5, 1}) == "[1.5e-05 1.0e+00]");
  CHECK(fx::to_string(Vector<double>{1.23456789e-200, -1}) == "[ 1.2346e-200 -1.0000e+000]");
}

TEST_CASE("infinities and NaN are padded like numbers") {
  CHECK(fx::to_string(Vector<double>{inf, -inf, not_a_number, 1.5}) == "[ inf -inf  nan  1.5]");
  CHECK(fx::to_string(Vector<double>{not_a_number, not_a_number}) == "[nan nan]");
}

TEST_CASE("negative zero keeps its sign") { CHECK(fx::to_string(Vector<double>{-0.0, 0.0}) == "[-0.  0.]"); }

TEST_CASE("integers and booleans are aligned to the right") {
  CHECK(fx::to_string(Vector<std::int32_t>{1, -20, 300}) == "[  1 -20 300]");
  CHECK(fx::to_string(Vector<std::int64_t>{std::numeric_limits<std::int64_t>::min()}) == "[-9223372036854775808]");
  CHECK(fx::to_string(Vector<bool>{true, false}) == "[ True False]");
}

TEST_CASE("scalars have no brackets") {
  CHECK(fx::to_string(Tensor<float, fx::extents<>>(1.5f)) == "1.5");
  CHECK(fx::to_string(Tensor<std::int32_t, fx::extents<>>(-3)) == "-3");
  CHECK(fx::to_string(Tensor<bool, fx::extents<>>(true)) == "True");
}

TEST_CASE("empty tensors are a pair of brackets") {
  CHECK(fx::to_string(Vector<float>{}) == "[]");
  CHECK(fx::to_string(fx::zeros<float>({0, 3})) == "[]");
  CHECK(fx::to_string(fx::zeros<float>({3, 0})) == "[]");
}

TEST_CASE("blocks of higher rank are separated by empty lines") {
  CHECK(fx::to_string(Tensor<std::int32_t, fx::extents<2, 2, 1>>{{{1}, {2}}, {{3}, {4}}}) ==
        "[[[1]\n  [2]]\n\n [[3]\n  [4]]]");
}

TEST_CASE("above a thousand elements only the edges are printed") {
  CHECK(fx::to_string(fx::arange<std::int32_t>(1000)).find("...") == std::string::npos);
  CHECK(fx::to_string(fx::arange<std::int32_t>(1001)) == "[   0    1    2 ...  998  999 1000]");
  CHECK(fx::to_string(fx::zeros<float>({1001, 2})) ==
        "[[0. 0.]\n [0. 0.]\n [0. 0.]\n ...\n [0. 0.]\n [0. 0.]\n [0. 0.]]");
  Matrix<std::int32_t> wide = fx::zeros<std::int32_t>({2, 1000});
  wide(1, 998) = 12345;
  CHECK(fx::to_string(wide) == "[[    0     0     0 ...     0     0     0]\n [    0     0     0 ...     0 12345     0]]");
}

TEST_CASE("long rows are wrapped before the 75th column") {
  CHECK(fx::to_string(fx::arange<std::int32_t>(30)) ==
        "[ 0  1  2  3  4  5  6  7  8  9 10 11 12 13 14 15 16 17 18 19 20 21 22 23\n 24 25 26 27 28 29]");
}

TEST_CASE("a strided view prints its own elements") {
  Tensor<std::int32_t, fx::extents<2, 3>> x = {{1, 2, 3}, {4, 5, 6}};
  CHECK(fx::to_string(x.t()) == "[[1 4]\n [2 5]\n [3 6]]");
}

TEST_CASE("streams take tensors and views") {
  const Vector<float> x = {1, 2};
  std::ostringstream out;
  out << x << x.view();
  CHECK(out.str() == "[1. 2.][1. 2.]");
}
