#include <doctest/doctest.h>

#include <fluxion/tensor/allclose.hpp>
#include <fluxion/tensor/factory.hpp>
#include <fluxion/tensor/tensor.hpp>

#include <cstdint>
#include <cstdlib>
#include <limits>
#include <new>
#include <string>
#include <type_traits>
#include <vector>

namespace fx = fluxion;
using fx::Tensor;

namespace {
int allocations = 0;
bool refuse_allocations = false;
bool refuse_while_blocks_are_kept = false;
void* allocate(std::size_t bytes, std::size_t alignment) {
  ++allocations;
  const bool blocks_are_kept = fx::detail::this_thread_recycler.bytes != 0;
  if (refuse_allocations || (refuse_while_blocks_are_kept && blocks_are_kept)) throw std::bad_alloc();
  void* memory = std::aligned_alloc(alignment, (bytes + alignment - 1) / alignment * alignment);
  if (!memory) throw std::bad_alloc();
  return memory;
}
}  // namespace

// Only aligned allocations, which are the blocks of tensors.
void* operator new(std::size_t bytes, std::align_val_t alignment) {
  return allocate(bytes, static_cast<std::size_t>(alignment));
}
void* operator new(std::size_t bytes, std::align_val_t alignment, const std::nothrow_t&) noexcept {
  try {
    return allocate(bytes, static_cast<std::size_t>(alignment));
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
}
void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { std::free(memory); }

// An expression as another layer will define it: the transpose of a matrix, evaluated element by element.
namespace lazy {
template <class T>
struct Transpose {
  using fluxion_expression = void;
  const Tensor<T, fx::dims<2>>* leaf;
};
template <class D, class T>
void evaluate_into(D& destination, const Transpose<T>& e) {
  const Tensor<T, fx::dims<2>> copy = *e.leaf;
  for (fx::index_t i = 0; i < copy.extent(0); ++i)
    for (fx::index_t j = 0; j < copy.extent(1); ++j) destination(j, i) = copy(i, j);
}
template <class D, class T>
void evaluate_into_new(D& destination, const Transpose<T>& e) {
  evaluate_into(destination, e);
}
}  // namespace lazy
template <class T>
struct fluxion::expression_result<lazy::Transpose<T>> {
  using value_type = T;
  using extents_type = fx::dims<2>;
  static extents_type extents(const lazy::Transpose<T>& e) { return {e.leaf->extent(1), e.leaf->extent(0)}; }
};

namespace {
using Small = Tensor<float, fx::extents<2, 3>>;
using Large = Tensor<float, fx::extents<50, 50>>;
using Matrix = Tensor<float, fx::dims<2>>;
using Vector = Tensor<float, fx::dims<1>>;
using Scalar = Tensor<float, fx::extents<>>;

// The way a layer's parameter is initialised: `= ones` and `= ones(features)`.
template <class T, class E>
struct Initialised {
  Tensor<T, E> value;
  constexpr Initialised(fx::filler_function<fx::ones_filler> f) : value(f) {}
  template <class F, class G>
  constexpr Initialised(const fx::sized_filler<F, G>& f) : value(f) {}
};
struct Swish {
  Initialised<float, fx::extents<1>> beta = fx::ones;
};
struct Normalisation {
  fx::index_t features;
  Initialised<float, fx::dims<1>> weight = fx::ones(features);
};

std::string message_of(const auto& f) {
  try {
    f();
  } catch (const fx::Error& e) {
    return e.what();
  }
  return "nothing was thrown";
}
}  // namespace

// ---- storage ---------------------------------------------------------------------------------------------------------

TEST_CASE("small static tensors are literal, trivially copyable and carry nothing but their elements") {
  static_assert(std::is_trivially_copyable_v<Small>);
  static_assert(sizeof(Small) == 24 && sizeof(Tensor<double, fx::extents<4, 8>>) == 256);
  static_assert(alignof(Tensor<double, fx::extents<4, 8>>) == 64);
  static_assert(Small::is_in_place && !Large::is_in_place && !Matrix::is_in_place);
  static_assert(sizeof(Large) == sizeof(void*));
  constexpr float sum = [] {
    Small x = {{1, 2, 3}, {4, 5, 6}};
    Small y = x;
    y(1, -1) = 10;
    float total = 0;
    for (float v : y) total += v;
    return total + x.t()(2, 1) + x[1](0);
  }();
  CHECK(sum == 35);
  constexpr Small ones = fx::ones;
  CHECK(ones(1, 2) == 1);
}

TEST_CASE("in place or not is decided at 256 bytes") {
  static_assert(Tensor<float, fx::extents<64>>::is_in_place);
  static_assert(!Tensor<float, fx::extents<65>>::is_in_place);
  static_assert(Tensor<bool, fx::extents<256>>::is_in_place);
}

TEST_CASE_TEMPLATE("heap blocks are aligned to 64 bytes", T, bool, std::int32_t, std::int64_t, float, double) {
  for (fx::index_t n : {1, 2, 3, 17, 100, 1000}) {
    const Tensor<T, fx::dims<1>> x = fx::zeros<T>({n});
    CHECK(reinterpret_cast<std::uintptr_t>(x.data()) % 64 == 0);
  }
}

TEST_CASE("copying copies the elements") {
  Matrix x = {{1, 2}, {3, 4}};
  Matrix y = x;
  y(0, 0) = 9;
  CHECK(x(0, 0) == 1);
  x = y;
  CHECK(x(0, 0) == 9);
  CHECK(x.data() != y.data());
}

TEST_CASE("moving steals the elements and leaves dynamic extents of zero") {
  Matrix x = {{1, 2}, {3, 4}};
  const float* elements = x.data();
  Matrix y = std::move(x);
  CHECK(y.data() == elements);
  CHECK(x.size() == 0);
  CHECK(x.extents() == fx::dims<2>(0, 0));
  x = y;
  CHECK(fx::equal(x, y));
}

TEST_CASE("a large static tensor that was moved from raises until it is assigned to") {
  Large x = fx::ones;
  Large y = std::move(x);
  CHECK(message_of([&] { x(0, 0) = 1; }) == "the tensor was moved from");
  CHECK(message_of([&] { static_cast<void>(x.view()); }) == "the tensor was moved from");
  CHECK(message_of([&] { static_cast<void>(Matrix(std::move(x))); }) == "the tensor was moved from");
  CHECK_THROWS_AS(x.begin(), fx::ValueError);
  Large copy = x;
  x = fx::zeros;
  CHECK(x(49, 49) == 0);
  copy = y;
  CHECK(copy(49, 49) == 1);
}

TEST_CASE("assigning a tensor to itself changes nothing") {
  Matrix x = {{1, 2}, {3, 4}};
  Matrix& same = x;
  x = same;
  CHECK(x(1, 1) == 4);
  x = std::move(same);
  CHECK(x.size() == 4);
  CHECK(x(1, 1) == 4);
  Small s = {{1, 2, 3}, {4, 5, 6}};
  Small& same_small = s;
  s = same_small;
  CHECK(s(1, 2) == 6);
}

TEST_CASE("default construction gives zeros for static extents and no elements otherwise") {
  CHECK(Small()(1, 2) == 0);
  CHECK(Large()(49, 49) == 0);
  CHECK(Matrix().size() == 0);
  CHECK(Tensor<float, fx::extents<fx::dynamic_extent, 3>>().extents() == fx::dims<2>(0, 3));
}

TEST_CASE("assignment between equal sizes keeps the block") {
  Matrix x = fx::zeros<float>({2, 3});
  const Matrix y = fx::ones<float>({3, 2});
  const float* block = std::as_const(x).data();
  x = y;
  CHECK(std::as_const(x).data() == block);
  CHECK(x.extents() == y.extents());
}

TEST_CASE("a failing allocation throws std::bad_alloc and leaves everything unchanged") {
  fx::detail::release_recycled_blocks();
  Matrix x = {{1, 2}, {3, 4}};
  const Matrix big = fx::ones<float>({100, 100});
  refuse_allocations = true;
  CHECK_THROWS_AS(x = big, std::bad_alloc);
  CHECK_THROWS_AS(static_cast<void>(Matrix(std::as_const(x))), std::bad_alloc);
  CHECK_THROWS_AS(fx::zeros<float>({10, 10}), std::bad_alloc);
  refuse_allocations = false;
  CHECK(x.extents() == fx::dims<2>(2, 2));
  CHECK(x(1, 0) == 3);
}

TEST_CASE("blocks are recycled unless a sanitizer watches") {
  fx::detail::release_recycled_blocks();
  { const Matrix x = fx::zeros<float>({100, 100}); }
  const int before = allocations;
  for (int i = 0; i < 10; ++i) const Matrix x = fx::zeros<float>({100, 99});
  CHECK(allocations - before == (fx::detail::recycles_blocks ? 0 : 10));
}

TEST_CASE("memory is found again by giving back recycled blocks") {
  if (!fx::detail::recycles_blocks) return;
  fx::detail::release_recycled_blocks();
  { const Matrix x = fx::zeros<float>({100, 100}); }
  CHECK(fx::detail::this_thread_recycler.bytes >= 40000);
  refuse_while_blocks_are_kept = true;
  CHECK(fx::zeros<float>({1000, 100}).size() == 100000);
  refuse_while_blocks_are_kept = false;
}

TEST_CASE("a thread keeps no more than 64 MB") {
  if (!fx::detail::recycles_blocks) return;
  fx::detail::release_recycled_blocks();
  {
    std::vector<Matrix> many;
    for (int i = 0; i < 10; ++i) many.push_back(fx::empty<float>({1024, 2048}));
  }
  CHECK(fx::detail::this_thread_recycler.bytes <= fx::detail::recycled_bytes_limit);
  { const Matrix x = fx::empty<float>({8192, 4096}); }
  CHECK(fx::detail::this_thread_recycler.bytes <= fx::detail::recycled_bytes_limit);
  fx::detail::release_recycled_blocks();
  CHECK(fx::detail::this_thread_recycler.bytes == 0);
}

TEST_CASE("size classes waste at most a quarter and never shrink") {
  int former = 0;
  for (std::size_t bytes = 1; bytes < 200000; bytes += 37) {
    const auto c = fx::detail::size_class_of(bytes);
    REQUIRE(c.bytes >= bytes);
    REQUIRE(c.bytes <= bytes + bytes / 4 + 64);
    REQUIRE(c.index >= former);
    REQUIRE(fx::detail::size_class_of(c.bytes).index == c.index);
    REQUIRE(fx::detail::size_class_of(c.bytes).bytes == c.bytes);
    former = c.index;
  }
}

// ---- extents ---------------------------------------------------------------------------------------------------------

TEST_CASE("negative and overflowing extents raise and say so") {
  CHECK(message_of([] { fx::zeros<float>({-1, 2}); }) == "zeros: extents [-1, 2] are negative");
  constexpr fx::index_t huge = std::numeric_limits<fx::index_t>::max() / 2;
  CHECK(message_of([] { fx::zeros<float>({huge, 4}); }) ==
        "zeros: extents [" + std::to_string(huge) + ", 4] overflow");
  CHECK_THROWS_AS(fx::zeros<double>({huge}), fx::ShapeError);
  CHECK_THROWS_AS(fx::zeros<double>({0, huge, huge}), fx::ShapeError);
  CHECK_THROWS_AS(Matrix(fx::uninitialized, {-1, 3}), fx::ShapeError);
}

TEST_CASE("empty tensors have no elements and may be copied, moved and compared") {
  const Matrix x = fx::zeros<float>({0, 3});
  const Matrix y = x;
  CHECK(y.extents() == fx::dims<2>(0, 3));
  CHECK(y.begin() == y.end());
  CHECK(fx::equal(x, y));
  CHECK_THROWS_AS(x(0, 0), fx::IndexError);
  const Tensor<float, fx::extents<0>> none;
  CHECK(none.size() == 0);
  CHECK(none.begin() == none.end());
}

TEST_CASE("a tensor of rank 0 holds one element") {
  Scalar s = 3;
  CHECK(s() == 3);
  CHECK(s.item() == 3);
  s() = 4;
  CHECK(s.view()() == 4);
  CHECK(s.size() == 1);
  CHECK(Scalar().item() == 0);
  CHECK(fx::zeros<float>().item() == 0);
  static_assert(std::is_same_v<decltype(Tensor(2.0)), Tensor<double, fx::extents<>>>);
}

TEST_CASE("extents are asked for by axis, also from the end") {
  const Matrix x = fx::zeros<float>({3, 4});
  CHECK(x.extent(0) == 3);
  CHECK(x.extent(-1) == 4);
  CHECK(message_of([&] { x.extent(2); }) == "axis 2 is out of range for rank 2");
  CHECK(x.strides() == fx::strides_t<fx::dims<2>>{4, 1});
}

TEST_CASE("static and run-time extents convert where they agree") {
  Matrix dynamic = {{1, 2, 3}, {4, 5, 6}};
  const Small fixed = dynamic;
  CHECK(fixed(1, 2) == 6);
  const Tensor<float, fx::extents<fx::dynamic_extent, 3>> mixed = std::move(dynamic);
  CHECK(mixed(1, 2) == 6);
  CHECK(dynamic.size() == 0);
  Matrix wrong = fx::zeros<float>({3, 3});
  CHECK(message_of([&] { static_cast<void>(Small(std::as_const(wrong))); }) == "tensor: extents [3, 3] do not fit [2, 3]");
  CHECK_THROWS_AS((Small(std::move(wrong))), fx::ShapeError);
  CHECK(wrong.size() == 9);
  Large large = Matrix(fx::ones<float>({50, 50}));
  const float* block = std::as_const(large).data();
  const Matrix back = std::move(large);
  CHECK(back.data() == block);
}

TEST_CASE("tensors on different devices do not convert") {
  using There = Tensor<float, fx::extents<2, 3>, fx::cuda_t>;
  static_assert(!std::is_constructible_v<Small, const There&>);
  static_assert(!std::is_assignable_v<Small&, const There&>);
  static_assert(!std::is_same_v<fx::hip_t, fx::mps_t>);
}

TEST_CASE("element types and ranks do not convert") {
  static_assert(!std::is_convertible_v<Tensor<double, fx::extents<2, 3>>, Small>);
  static_assert(!std::is_constructible_v<Matrix, Vector>);
}

// ---- elements --------------------------------------------------------------------------------------------------------

TEST_CASE("an index outside its axis raises and names it") {
  Matrix x = fx::zeros<float>({3, 4});
  CHECK(message_of([&] { x(0, 5) = 1; }) == "index 5 is out of range for axis 1 with extent 4");
  CHECK(message_of([&] { x(-4, 0) = 1; }) == "index -4 is out of range for axis 0 with extent 3");
  CHECK_THROWS_AS(x[3], fx::IndexError);
  x(-3, -4) = 7;
  CHECK(x(0, 0) == 7);
}

TEST_CASE("item raises unless there is one element") {
  CHECK((Tensor<float, fx::dims<2>>{{5}}.item()) == 5);
  const Matrix x = {{1, 2}};
  CHECK(message_of([&] { static_cast<void>(x.item()); }) == "item: a tensor of extents [1, 2] has no single element");
}

TEST_CASE("elements of a temporary are returned by value") {
  static_assert(std::is_same_v<decltype(Matrix()(0, 0)), float>);
  static_assert(std::is_same_v<decltype(Vector()[0]), float>);
  CHECK(fx::ones<float>({2, 2})(1, 1) == 1);
}

TEST_CASE("nested lists must not be ragged") {
  CHECK_THROWS_AS((Matrix{{1, 2}, {3}}), fx::ShapeError);
  CHECK_THROWS_AS((Matrix{{}, {3}}), fx::ShapeError);
  CHECK_THROWS_AS((Small{{1, 2}, {3, 4}}), fx::ShapeError);
  CHECK_THROWS_AS((Tensor<float, fx::dims<3>>{{{1}, {2}}, {{3}}}), fx::ShapeError);
  const Vector one = {3};
  CHECK(one.extents() == fx::dims<1>(1));
  const Tensor<bool, fx::dims<1>> flags = {true, false};
  CHECK(flags[0]);
  Matrix x = {};
  CHECK(x.size() == 0);
  x = {{1, 2}, {3, 4}};
  CHECK(x(1, 0) == 3);
  x = {};
  CHECK(x.size() == 0);
}

// ---- sharing ---------------------------------------------------------------------------------------------------------

TEST_CASE("a share notices that the tensor was written") {
  Matrix x = {{1, 2}, {3, 4}};
  const fx::SharedBlock share = std::as_const(x).share();
  CHECK(share.data<float>() == std::as_const(x).data());
  static_cast<void>(std::as_const(x)(0, 0));
  CHECK_FALSE(share.changed());
  x(0, 0) = 5;
  CHECK(share.changed());
  const fx::SharedBlock later = x.share();
  CHECK_FALSE(later.changed());
  const fx::SharedBlock copy = later;
  CHECK(copy == later);
  x = fx::ones<float>({2, 2});
  CHECK(copy.changed());
  CHECK(copy.data<float>()[0] == 5);
}

TEST_CASE("a share outlives its tensor and does not take that for a write") {
  fx::SharedBlock share;
  {
    Matrix x = {{1, 2}, {3, 4}};
    share = x.share();
    Matrix y = std::move(x);
    CHECK_FALSE(share.changed());
  }
  CHECK_FALSE(share.changed());
  CHECK(share.data<float>()[3] == 4);
}

TEST_CASE("copy assignment to a shared tensor is a write") {
  Matrix x = {{1, 2}, {3, 4}};
  const fx::SharedBlock share = x.share();
  x = Matrix(fx::zeros<float>({2, 2}));
  CHECK(share.changed());
  const fx::SharedBlock again = x.share();
  const Matrix y = fx::ones<float>({2, 2});
  x = y;
  CHECK(again.changed());
  CHECK_FALSE(Matrix().share().changed());
}

// ---- expressions -----------------------------------------------------------------------------------------------------

TEST_CASE("an expression is evaluated by construction and by assignment, also into what it reads") {
  Matrix x = {{1, 2, 3}, {4, 5, 6}};
  const Tensor y = lazy::Transpose<float>{&x};
  static_assert(std::is_same_v<decltype(y), const Matrix>);
  CHECK(y.extents() == fx::dims<2>(3, 2));
  CHECK(y(2, 0) == 3);
  x = lazy::Transpose<float>{&x};
  CHECK(fx::equal(x, y));
  Small z = lazy::Transpose<float>{&x};
  CHECK(z(1, 0) == 4);
  CHECK_THROWS_AS((Tensor<float, fx::extents<3, 2>>(lazy::Transpose<float>{&x})), fx::ShapeError);
  z.view() = lazy::Transpose<float>{&x};
  CHECK_THROWS_AS(x.view() = lazy::Transpose<float>{&x}, fx::ShapeError);
  Tensor<float, fx::extents<10, 10>> big;
  const Matrix hundred = fx::ones<float>({10, 10});
  const Tensor<float, fx::extents<10, 10>> thief = std::move(big);
  big = lazy::Transpose<float>{&hundred};
  CHECK(big(9, 9) == 1);
}

// ---- factories -------------------------------------------------------------------------------------------------------

TEST_CASE("bare names of factories fill static extents") {
  Small x = fx::zeros;
  CHECK(x(1, 1) == 0);
  const Small y(fx::ones);
  CHECK(y(1, 1) == 1);
  const Tensor<std::int64_t, fx::extents<2, 2>> i{fx::eye};
  CHECK(fx::equal(i, Tensor<std::int64_t, fx::extents<2, 2>>{{1, 0}, {0, 1}}));
  Matrix z = fx::zeros<float>({2, 2});
  z = fx::ones;
  CHECK(z.extents() == fx::dims<2>(2, 2));
  CHECK(z(1, 1) == 1);
  const Small half = fx::full(0.5f);
  CHECK(half(0, 0) == 0.5f);
  static_assert(!std::is_constructible_v<Matrix, fx::filler_function<fx::zeros_filler>>);
}

TEST_CASE("a class takes bare names as a tensor does") {
  static constexpr Swish layer{};
  static_assert(layer.beta.value[0] == 1);
  CHECK(Normalisation{7}.weight.value.size() == 7);
}

TEST_CASE("factories without an element type take it from the destination") {
  const Vector x = fx::ones(3);
  CHECK(fx::equal(x, Vector{1, 1, 1}));
  const Matrix y = fx::zeros({2, 3});
  CHECK(y.extents() == fx::dims<2>(2, 3));
  const Small z = fx::ones(fx::extents<2, 3>());
  CHECK(z(1, 2) == 1);
  CHECK_THROWS_AS((Small(fx::ones(3, 3))), fx::ShapeError);
  CHECK_THROWS_AS(Vector(fx::ones(-3)), fx::ShapeError);
}

TEST_CASE("factories with an element type take braced lists, integers, extents and static extents") {
  static_assert(std::is_same_v<decltype(fx::zeros<float>({3, 4})), Matrix>);
  static_assert(std::is_same_v<decltype(fx::zeros<std::int32_t>({3})), Tensor<std::int32_t, fx::dims<1>>>);
  static_assert(std::is_same_v<decltype(fx::zeros<std::int32_t>(3)), Tensor<std::int32_t, fx::dims<1>>>);
  static_assert(std::is_same_v<decltype(fx::zeros<float, fx::extents<2, 3>>()), Small>);
  static_assert(std::is_same_v<decltype(fx::zeros<float>(fx::extents<2, 3>())), Small>);
  static_assert(std::is_same_v<decltype(fx::full<float>({3, 4}, 2)), Matrix>);
  static_assert(std::is_same_v<decltype(fx::full({3}, 2.0)), Tensor<double, fx::dims<1>>>);
  constexpr auto nothing = fx::zeros<float, fx::extents<3>>();
  static_assert(nothing(2) == 0);
  CHECK(fx::full<float>({3, 4}, 2)(2, 3) == 2);
  CHECK(fx::empty<float>({3, 4}).size() == 12);
  const int n = 3;
  CHECK(fx::ones<double>({n, 2})(2, 1) == 1);
  CHECK(fx::eye<float>(2, 3)(1, 1) == 1);
  CHECK(fx::eye<float>(3)(0, 2) == 0);
}

TEST_CASE("arange stops before its end") {
  CHECK(fx::equal(fx::arange<std::int32_t>(4), Tensor<std::int32_t, fx::dims<1>>{0, 1, 2, 3}));
  CHECK(fx::equal(fx::arange<std::int32_t>(5, 0, -2), Tensor<std::int32_t, fx::dims<1>>{5, 3, 1}));
  CHECK(fx::arange<std::int64_t>(std::numeric_limits<std::int64_t>::min(), std::numeric_limits<std::int64_t>::max(),
                                 std::numeric_limits<std::int64_t>::max())
            .size() == 3);
  CHECK(fx::allclose(fx::arange<double>(0, 1, 0.25), Tensor<double, fx::dims<1>>{0, 0.25, 0.5, 0.75}));
  CHECK(fx::arange<float>(3, 1).size() == 0);
  CHECK_THROWS_AS(fx::arange<float>(0, 1, 0), fx::ValueError);
  CHECK_THROWS_AS(fx::arange<float>(0, std::numeric_limits<float>::infinity()), fx::ValueError);
}

TEST_CASE("arange names itself where there are too many elements") {
  constexpr std::int64_t lowest = std::numeric_limits<std::int64_t>::min(), highest = std::numeric_limits<std::int64_t>::max();
  CHECK_THROWS_WITH_AS(fx::arange<std::int64_t>(lowest, highest), "arange: the number of elements overflows", fx::ValueError);
  CHECK_THROWS_WITH_AS(fx::arange<double>(0, 1e18), "arange: extents [1000000000000000000] overflow", fx::ShapeError);
  CHECK_THROWS_AS(fx::arange<double>(0, std::numeric_limits<double>::quiet_NaN()), fx::ValueError);
}

TEST_CASE("linspace includes both ends exactly") {
  const auto x = fx::linspace<float>(0, 0.7f, 7);
  CHECK(x(0) == 0);
  CHECK(x(-1) == 0.7f);
  CHECK(fx::linspace<float>(2, 3, 1)(0) == 2);
  CHECK(fx::linspace<float>(2, 3, 0).size() == 0);
  CHECK_THROWS_AS(fx::linspace<float>(2, 3, -1), fx::ShapeError);
}

// ---- comparison ------------------------------------------------------------------------------------------------------

TEST_CASE("allclose is relative to its second operand and treats NaN and infinity as NumPy does") {
  constexpr float inf = std::numeric_limits<float>::infinity(), none = std::numeric_limits<float>::quiet_NaN();
  const Vector x = {1, inf, 2};
  CHECK(fx::allclose(x, Vector{1.000001f, inf, 2}));
  CHECK_FALSE(fx::allclose(x, Vector{1.001f, inf, 2}));
  CHECK_FALSE(fx::allclose(x, Vector{1, -inf, 2}));
  CHECK_FALSE(fx::allclose(x, Vector{1, 1e30f, 2}));
  CHECK_FALSE(fx::allclose(Vector{1e30f}, Vector{inf}));
  CHECK_FALSE(fx::allclose(Vector{none}, Vector{none}));
  CHECK(fx::allclose(Vector{none}, Vector{none}, 1e-5, 1e-8, true));
  CHECK_THROWS_AS(fx::allclose(x, Vector{1}), fx::ShapeError);
  CHECK(fx::allclose(Vector{1.f}, Tensor<double, fx::dims<1>>{1.0}));
}

TEST_CASE("equal is false for other extents, ranks and NaN") {
  CHECK_FALSE(fx::equal(Vector{1, 2}, Vector{1, 2, 3}));
  CHECK_FALSE(fx::equal(Vector{1}, Matrix{{1}}));
  CHECK_FALSE(fx::equal(Vector{std::numeric_limits<float>::quiet_NaN()}, Vector{std::numeric_limits<float>::quiet_NaN()}));
  const Matrix x = {{1, 2}, {3, 4}};
  CHECK(fx::equal(x.t(), Matrix{{1, 3}, {2, 4}}));
}
