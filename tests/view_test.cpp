#include <doctest/doctest.h>

#include <fluxion/tensor/allclose.hpp>
#include <fluxion/tensor/factory.hpp>
#include <fluxion/tensor/index.hpp>
#include <fluxion/tensor/interop.hpp>
#include <fluxion/tensor/view.hpp>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace fx = fluxion;
using fx::all;
using fx::slice;
using fx::Tensor;

namespace {
using Integers = Tensor<std::int32_t, fx::dims<1>>;
using Table = Tensor<std::int32_t, fx::dims<2>>;

std::string message_of(const auto& f) {
  try {
    f();
  } catch (const fx::Error& e) {
    return e.what();
  }
  return "nothing was thrown";
}

/// 0, 1, 2, … in the given extents.
template <class E>
Tensor<std::int32_t, E> counted(const E& e) {
  Tensor<std::int32_t, E> x = fx::empty<std::int32_t>(e);
  std::int32_t next = 0;
  for (auto& v : x) v = next++;
  return x;
}
Table counted_table(fx::index_t rows, fx::index_t columns) { return counted(fx::dims<2>(rows, columns)); }

template <class X, class... A>
constexpr bool can_select = requires { std::declval<X>()(std::declval<A>()...); };
template <class X>
constexpr bool can_view = requires { std::declval<X>().view(); };
template <class X>
constexpr bool can_transpose = requires { std::declval<X>().t(); };
template <class X>
constexpr bool can_take_row = requires { std::declval<X>()[0]; };
template <class X>
constexpr bool can_borrow = requires { fx::borrow(std::declval<X>()); };
}  // namespace

// ---- slicing -----------------------------------------------------------------------------------------------------------

TEST_CASE("a slice has Python's meaning for every start, stop and step") {
  constexpr fx::index_t n = 5;
  Integers x = fx::arange<std::int32_t>(n);
  for (fx::index_t step = 1; step <= 4; ++step)
    for (fx::index_t start = -7; start <= 7; ++start)
      for (fx::index_t stop = -7; stop <= 7; ++stop) {
        // i belongs to start:stop when both ends, counted from the front, enclose it.
        const fx::index_t first = std::max<fx::index_t>(0, start < 0 ? start + n : start);
        const fx::index_t last = stop < 0 ? stop + n : stop;
        std::vector<std::int32_t> expected;
        for (fx::index_t i = first; i < std::min(last, n); i += step) expected.push_back(static_cast<std::int32_t>(i));
        const auto view = x(slice{start, stop, step});
        REQUIRE(view.size() == static_cast<fx::index_t>(expected.size()));
        for (fx::index_t i = 0; i < view.size(); ++i) REQUIRE(view(i) == expected[static_cast<std::size_t>(i)]);
      }
}

TEST_CASE("open ends of a slice reach the ends of the axis") {
  Integers x = fx::arange<std::int32_t>(5);
  CHECK(fx::equal(x(slice{}), x));
  CHECK(fx::equal(x(slice{2}), Integers{2, 3, 4}));
  CHECK(fx::equal(x(slice{std::nullopt, -2}), Integers{0, 1, 2}));
  CHECK(fx::equal(x(slice{.stop = 2}), Integers{0, 1}));
  CHECK(fx::equal(x(slice{.step = 2}), Integers{0, 2, 4}));
}

TEST_CASE("the step of a slice must be positive") {
  Integers x = fx::arange<std::int32_t>(5);
  CHECK(message_of([&] { x(slice{0, 5, 0}); }) == "slice: step must be positive, not 0");
  CHECK_THROWS_AS(x(slice{0, 5, -1}), fx::IndexError);
}

TEST_CASE("a step beyond the axis selects one position, however large it is") {
  auto x = fx::ones<float>(3, 4);
  constexpr fx::index_t largest = std::numeric_limits<fx::index_t>::max();
  const auto v = x(fx::slice{1, 3, largest}, fx::slice{0, 4, largest});
  CHECK(v.extent(0) == 1);
  CHECK(v.extent(1) == 1);
  CHECK(v(0, 0) == 1);
}

TEST_CASE("a large unsigned index is out of range, not counted from the end") {
  auto x = fx::ones<float>(3, 4);
  CHECK_THROWS_WITH_AS(x(std::string::npos, 0), "index 18446744073709551615 is out of range for axis 0 with extent 3", fx::IndexError);
  CHECK_THROWS_AS(x(fx::all, std::uint64_t{1} << 63), fx::IndexError);
  CHECK(x(std::size_t{2}, 3u) == 1);
}

TEST_CASE("a reshape to extents that overflow raises, also beside an extent of 0") {
  auto x = fx::zeros<float>(0, 3);
  constexpr fx::index_t large = fx::index_t{1} << 62;
  CHECK_THROWS_AS(x.reshape_view({0, large, large}), fx::ShapeError);
  CHECK_THROWS_AS(x.reshape_view({large, large, 0}), fx::ShapeError);
  CHECK(x.reshape_view({5, 0, 7}).size() == 0);
}

TEST_CASE("integers drop an axis, all keeps it, missing selectors are all") {
  Table x = counted_table(3, 4);
  CHECK(fx::equal(x(all, slice{1, 3}), Table{{1, 2}, {5, 6}, {9, 10}}));
  CHECK(fx::equal(x(2, all), Integers{8, 9, 10, 11}));
  CHECK(fx::equal(x(all, -1), Integers{3, 7, 11}));
  CHECK(fx::equal(x(1), Integers{4, 5, 6, 7}));
  CHECK(fx::equal(x[-1], Integers{8, 9, 10, 11}));
  CHECK(fx::equal(x(slice{1}), Table{{4, 5, 6, 7}, {8, 9, 10, 11}}));
  CHECK(x[1][2] == 6);
  CHECK(fx::equal(x(slice{.step = 2}, slice{.step = 3})(all, 1), Integers{3, 11}));
  CHECK_THROWS_AS(x(3, all), fx::IndexError);
}

TEST_CASE("leading integers keep a contiguous layout and all keeps static extents") {
  Tensor<float, fx::extents<2, 3, 4>> x;
  static_assert(std::is_same_v<decltype(x[0]), fx::View<float, fx::extents<3, 4>>>);
  static_assert(std::is_same_v<decltype(x(0, 1)), fx::View<float, fx::extents<4>>>);
  static_assert(std::is_same_v<decltype(x(all, 1)), fx::View<float, fx::extents<2, 4>, fx::layout_stride>>);
  static_assert(std::is_same_v<decltype(x(0, 1, 2)), float&>);
  static_assert(std::is_same_v<decltype(std::as_const(x)(0, 1, 2)), const float&>);
  static_assert(std::is_same_v<decltype(std::as_const(x)[0]), fx::View<const float, fx::extents<3, 4>>>);
  CHECK(x(all, slice{1, 1}).size() == 0);
}

TEST_CASE("writing through a slice writes the tensor") {
  Table x = counted_table(2, 2);
  x(all, 1).fill(9);
  x[0](0) = 7;
  CHECK(fx::equal(x, Table{{7, 9}, {2, 9}}));
}

TEST_CASE("slices of temporaries do not compile") {
  static_assert(!can_select<Table, int, fx::all_t> && can_select<Table&, int, fx::all_t>);
  static_assert(!can_select<const Table, int> && can_select<const Table&, int>);
  static_assert(!can_view<Table> && can_view<Table&>);
  static_assert(!can_transpose<Table> && can_transpose<const Table&>);
  static_assert(!can_take_row<Table> && can_take_row<Integers>);
  static_assert(can_select<Table, int, int>);
  static_assert(!std::is_constructible_v<fx::View<const std::int32_t, fx::dims<2>>, Table>);
}

TEST_CASE("too many selectors, booleans and floats do not compile") {
  static_assert(!can_select<Table&, int, int, int>);
  static_assert(!can_select<Table&, bool, int>);
  static_assert(!can_select<Table&, float, int>);
}

TEST_CASE("slices of empty tensors are empty") {
  Table x = fx::zeros<std::int32_t>({0, 4});
  CHECK(x(all, slice{2, 4}).extents() == fx::dims<2>(0, 2));
  CHECK(x(all, 3).size() == 0);
  CHECK(x.t().extents() == fx::dims<2>(4, 0));
  x(all, 3).fill(1);
  CHECK_THROWS_AS(x[0], fx::IndexError);
}

// ---- transposition and reshaping -----------------------------------------------------------------------------------------

TEST_CASE("permuted axes refer to the same elements") {
  auto x = counted(fx::extents<2, 3, 4>());
  const auto y = x.permute(fx::axes<2, 0, -2>);
  static_assert(std::is_same_v<decltype(y)::extents_type, fx::extents<4, 2, 3>>);
  for (int i = 0; i < 2; ++i)
    for (int j = 0; j < 3; ++j)
      for (int k = 0; k < 4; ++k) REQUIRE(&y(k, i, j) == &x(i, j, k));
  CHECK(&x.transpose()(1, 3, 2) == &x(1, 2, 3));
  CHECK(&x.transpose(fx::axis<0>, fx::axis<2>)(3, 2, 1) == &x(1, 2, 3));
  CHECK(fx::equal(x[0].t().t(), x[0]));
}

TEST_CASE("a reshaped view needs contiguous elements and the same size") {
  Table x = counted_table(2, 6);
  CHECK(x.reshape_view({3, 4})(2, 3) == 11);
  CHECK(x.reshape_view({-1})(7) == 7);
  CHECK(x.reshape_view({4, -1}).extent(1) == 3);
  CHECK(x.reshape_view(fx::extents<12>())(11) == 11);
  CHECK(message_of([&] { x.reshape_view({5, 2}); }) == "reshape: extents [2, 6] do not become [5, 2]");
  CHECK_THROWS_AS(x.reshape_view({5, -1}), fx::ShapeError);
  CHECK_THROWS_AS(x.reshape_view({-1, -1}), fx::ShapeError);
  CHECK_THROWS_AS(x.t().reshape_view({12}), fx::ShapeError);
  CHECK(x(slice{0, 1}).reshape_view({6})(5) == 5);
  const Tensor<float, fx::extents<>> scalar = 3;
  CHECK(scalar.reshape_view({1, 1})(0, 0) == 3);
}

// ---- conversion ----------------------------------------------------------------------------------------------------------

TEST_CASE("views convert towards const, run-time extents and strides, and back to static extents where they fit") {
  Tensor<float, fx::extents<2, 3>> x = {{1, 2, 3}, {4, 5, 6}};
  const fx::View<const float, fx::dims<2>, fx::layout_stride> y = x;
  CHECK(y(1, 2) == 6);
  const fx::View<float, fx::dims<2>> z = x;
  const fx::View<float, fx::extents<2, 3>> back = z;
  CHECK(back(1, 0) == 4);
  using Wrong = fx::View<float, fx::extents<3, 2>>;
  CHECK_THROWS_AS(static_cast<void>(Wrong(z)), fx::ShapeError);
  static_assert(!std::is_constructible_v<fx::View<float, fx::dims<2>>, const Tensor<float, fx::extents<2, 3>>&>);
  static_assert(!std::is_constructible_v<fx::View<float, fx::dims<2>>, fx::View<const float, fx::dims<2>>>);
  static_assert(!std::is_assignable_v<fx::View<const float, fx::dims<2>>&, fx::View<const float, fx::dims<2>>>);
}

TEST_CASE("a tensor made from a view is a copy of it") {
  Table x = counted_table(2, 3);
  Tensor y = x.t();
  static_assert(std::is_same_v<decltype(y), Table>);
  x(0, 1) = 100;
  CHECK(fx::equal(y, Table{{0, 3}, {1, 4}, {2, 5}}));
  x = x.t();
  CHECK(fx::equal(x, Table{{0, 3}, {100, 4}, {2, 5}}));
  x = x(slice{1}, slice{1});
  CHECK(fx::equal(x, Table{{4}, {5}}));
}

TEST_CASE("views of static tensors work in constant evaluation") {
  constexpr int sum = [] {
    Tensor<int, fx::extents<2, 3>> x = {{1, 2, 3}, {4, 5, 6}};
    x(fx::all, 1).fill(10);
    const Tensor<int, fx::extents<3, 2>> y = x.t();
    int total = 0;
    for (int v : y[1]) total += v;
    return total;
  }();
  static_assert(sum == 20);
}

// ---- assignment ------------------------------------------------------------------------------------------------------------

TEST_CASE("assigning to a view copies elements") {
  Table x = fx::zeros<std::int32_t>({2, 3});
  const Table y = {{1, 2, 3}, {4, 5, 6}};
  x.view() = y;
  CHECK(fx::equal(x, y));
  x.t() = counted_table(3, 2);
  CHECK(fx::equal(x, Table{{0, 2, 4}, {1, 3, 5}}));
  x[0] = y(1, all);
  CHECK(fx::equal(x, Table{{4, 5, 6}, {1, 3, 5}}));
  CHECK(message_of([&] { x[0] = y(all, 0); }) == "view: extents differ: [3] and [2]");
}

TEST_CASE("overlapping views are copied as if there were a copy in between") {
  for (fx::index_t from = 0; from <= 4; ++from)
    for (fx::index_t to = 0; to <= 4; ++to)
      for (fx::index_t from_step = 1; from_step <= 3; ++from_step)
        for (fx::index_t to_step = 1; to_step <= 3; ++to_step) {
          Integers x = fx::arange<std::int32_t>(12);
          Integers expected = x;
          for (fx::index_t i = 0; i < 3; ++i)
            expected(to + i * to_step) = static_cast<std::int32_t>(from + i * from_step);
          x(slice{to, to + 2 * to_step + 1, to_step}) = x(slice{from, from + 2 * from_step + 1, from_step});
          REQUIRE(fx::equal(x, expected));
        }
  Table square = counted_table(3, 3);
  const Table transposed = square.t();
  square.view() = square.t();
  CHECK(fx::equal(square, transposed));
  const auto same = square.view();
  square.view() = same;
  CHECK(fx::equal(square, transposed));
  Tensor<std::int32_t, fx::extents<2, 2>> small = {{1, 2}, {3, 4}};
  small.view() = small.t();
  CHECK(small(0, 1) == 3);
}

// ---- memory of others --------------------------------------------------------------------------------------------------------

TEST_CASE("pointers, spans and vectors are borrowed, not copied") {
  float numbers[6] = {1, 2, 3, 4, 5, 6};
  fx::borrow(numbers, {2, 3})(1, 0) = 40;
  CHECK(numbers[3] == 40);
  static_assert(std::is_same_v<decltype(fx::borrow(&numbers[0], fx::extents<2, 3>())), fx::View<float, fx::extents<2, 3>>>);
  CHECK(fx::borrow(&numbers[0], fx::dims<2>(3, 2), {1, 3})(2, 1) == 6);
  CHECK_THROWS_AS(fx::borrow(&numbers[0], {-1}), fx::ShapeError);
  CHECK_THROWS_AS(fx::borrow(&numbers[0], fx::dims<1>(2), {-1}), fx::ShapeError);

  static_assert(std::is_same_v<decltype(fx::borrow(std::span(numbers))), fx::View<float, fx::extents<6>>>);
  CHECK(fx::borrow(std::span<const float>(numbers, 4)).size() == 4);

  std::vector<double> values = {1, 2, 3};
  fx::borrow(values)(1) = 20;
  CHECK(values[1] == 20);
  static_assert(std::is_same_v<decltype(fx::borrow(std::as_const(values))), fx::View<const double, fx::dims<1>>>);
  static_assert(!can_borrow<std::vector<double>> && can_borrow<std::vector<double>&>);
  static_assert(!can_borrow<std::vector<bool>&>);
  std::vector<double> none;
  CHECK(fx::borrow(none).size() == 0);
}

TEST_CASE("Eigen's matrices, arrays, maps and blocks are borrowed in their own order") {
  Eigen::MatrixXd columns(2, 3);
  columns << 1, 2, 3, 4, 5, 6;
  auto x = fx::borrow(columns);
  static_assert(std::is_same_v<decltype(x), fx::View<double, fx::dims<2>, fx::layout_stride>>);
  CHECK(fx::equal(x, Tensor<double, fx::dims<2>>{{1, 2, 3}, {4, 5, 6}}));
  x(1, 2) = 60;
  CHECK(columns(1, 2) == 60);

  Eigen::Array<float, 2, 3, Eigen::RowMajor> rows;
  rows << 1, 2, 3, 4, 5, 6;
  static_assert(std::is_same_v<decltype(fx::borrow(rows)), fx::View<float, fx::extents<2, 3>>>);
  static_assert(std::is_same_v<decltype(fx::borrow(std::as_const(rows))), fx::View<const float, fx::extents<2, 3>>>);
  CHECK(fx::borrow(rows)(1, 0) == 4);

  Eigen::VectorXf vector = Eigen::VectorXf::LinSpaced(4, 0, 3);
  static_assert(std::is_same_v<decltype(fx::borrow(vector)), fx::View<float, fx::dims<1>>>);
  CHECK(fx::borrow(vector)(3) == 3);

  double memory[6] = {1, 2, 3, 4, 5, 6};
  using RowMajor = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  auto map = fx::borrow(Eigen::Map<RowMajor>(memory, 2, 3));
  static_assert(std::is_same_v<decltype(map), fx::View<double, fx::dims<2>>>);
  CHECK(map(1, 0) == 4);
  const Eigen::Map<const Eigen::VectorXd, 0, Eigen::InnerStride<2>> odd(memory, 3);
  CHECK(fx::equal(fx::borrow(odd), Tensor<double, fx::dims<1>>{1, 3, 5}));
  CHECK(fx::equal(fx::borrow(columns.block(0, 1, 2, 2)), Tensor<double, fx::dims<2>>{{2, 3}, {5, 60}}));
  CHECK(fx::equal(fx::borrow(columns.row(1)), Tensor<double, fx::dims<1>>{4, 5, 60}));
  static_assert(!can_borrow<Eigen::MatrixXd> && can_borrow<Eigen::MatrixXd&>);
}
