// Rows that are computed several at a time: the compiled kernels compute what the oracle says and touch nothing else.
// matrix
#include <doctest/doctest.h>

#include "support/guarded_program.hpp"

#include <fluxion/fluxion.hpp>
#include <fluxion/graph/function/composition.hpp>

#include <limits>

namespace fx = fluxion;
using namespace fluxion::test;
using fx::Symbol;
using fx::graph::softmax_function;

namespace {

constexpr int lanes = fx::host::native_lanes<float>;
constexpr fx::index_t group_sizes[] = {0, 1, lanes - 1, lanes, lanes + 1, 3 * lanes + 5};

template <class Source>
constexpr bool runs_rows_as_lanes() {
  return fx::graph::unpack_header(fx::graph::constant_plan<Source>::view.words[0]).rows_as_lanes;
}

/// Compares a program with the oracle for run-time extents around the size of a group.
template <class Source, bool MayBeEmpty = true>
void check_groups() {
  static_assert(runs_rows_as_lanes<Source>());
  for (const fx::index_t n : group_sizes)
    if (n > 0 || MayBeEmpty) CHECK(difference_from_oracle<Source>(n) == "");
}

// ---- programs ---------------------------------------------------------------------------------------------------------

/// Softmax and its gradient along an axis.
template <class T, int Axis, fx::index_t... Extents>
struct softmax_along {
  static constexpr fx::graph::program make() {
    recorder r;
    const Symbol x = r.argument<T>({Extents...}), seed = r.argument<T>({Extents...});
    const Symbol y = softmax_function<fx::axes_t<Axis>>::trace(x);
    r.output(y);
    r.gradients(y, seed.index(), {x});
    return r.program;
  }
};

/// Layer norm along axis 0 with a weight for each element of a row, and its gradients.
template <class T, fx::index_t... Extents>
struct norm_of_columns {
  static constexpr fx::graph::program make() {
    recorder r;
    const Symbol x = r.argument<T>({Extents...}), w = r.argument<T>({shape_of({Extents...}).extent[0], 1}), seed = r.argument<T>({Extents...});
    const Symbol centred = x - x.template reduce<fx::operation::mean>(1u, true);
    const Symbol y = centred * fx::rsqrt((centred * centred).template reduce<fx::operation::mean>(1u, true) + 1e-5) * w;
    r.output(y);
    r.gradients(y, seed.index(), {x, w});
    return r.program;
  }
};

}  // namespace

TEST_CASE("softmax along the first axis and its gradient are computed for neighbouring columns at once") {
  check_groups<softmax_along<float, 0, 37, any>>();
  check_groups<softmax_along<double, 0, 37, any>>();
  check_groups<softmax_along<float, 0, any, 40>, false>();
}

TEST_CASE("softmax along the middle axis of three is computed for neighbours along the last") {
  check_groups<softmax_along<float, 1, 3, 9, any>>();
  check_groups<softmax_along<float, 1, any, 50, 20>>();
  check_groups<softmax_along<double, 1, 2, any, 17>, false>();
}

TEST_CASE("layer norm along the first axis and its gradients agree with the oracle") {
  check_groups<norm_of_columns<float, 6, any>>();
  check_groups<norm_of_columns<float, 70, any>>();
  check_groups<norm_of_columns<double, any, 11>, false>();
}

namespace {

/// Truth values, int64 and int32 along rows and across them.
template <int Axis, fx::index_t... Extents>
struct mixed_types {
  static constexpr fx::graph::program make() {
    recorder r;
    const Symbol x = r.argument<float>({Extents...}), keep = r.argument<bool>({Extents...}), n = r.argument<std::int64_t>({Extents...}),
                 m = r.argument<std::int32_t>({Extents...});
    constexpr unsigned mask = 1u << Axis;
    const Symbol total = n.reduce<fx::operation::sum>(mask, true), largest = m.reduce<fx::operation::amax>(mask, true);
    const Symbol y = where(keep, x, n.cast(fx::element_type::float32));
    const Symbol e = fx::exp(y - y.reduce<fx::operation::amax>(mask, true));
    r.output(where(keep, e, e / e.reduce<fx::operation::sum>(mask, true)));
    r.output(n - total);
    r.output(m == largest);
    r.output(fx::logical_not(keep));
    return r.program;
  }
};

/// Random numbers along rows and across them: each is that of its own position.
template <class T, int Axis, fx::index_t... Extents>
struct dropped_softmax {
  static constexpr fx::graph::program make() {
    recorder r;
    const Symbol x = r.argument<T>({Extents...});
    const Symbol y = fx::graph::dropout_function::trace(x, x.at(r.program.constant(fx::element_type_of<T>, 0.4)), r.integer(), r.integer());
    r.output(softmax_function<fx::axes_t<Axis>>::trace(y + y));
    return r.program;
  }
};

/// Sums over some axes outside the row: some differ from lane to lane, some do not.
template <fx::index_t... Extents>
struct sums_outside_rows {
  static constexpr fx::graph::program make() {
    recorder r;
    const Symbol x = r.argument<float>({Extents...});
    const Symbol y = softmax_function<fx::axes_t<1>>::trace(x);
    r.output(y);
    r.output(y.reduce<fx::operation::sum>(0b001u, false));
    r.output(y.reduce<fx::operation::mean>(0b101u, false));
    r.output((y * y).reduce<fx::operation::sum>(0b111u, false));
    r.output(y.reduce<fx::operation::amax>(0b011u, false));
    return r.program;
  }
};

}  // namespace

TEST_CASE("truth values and integers in lanes agree with the oracle") {
  check_groups<mixed_types<1, any, 5>>();
  check_groups<mixed_types<0, 33, any>>();
}

TEST_CASE("random numbers in lanes are those of their positions") {
  check_groups<dropped_softmax<float, 1, any, 7>>();
  check_groups<dropped_softmax<double, 0, 41, any>>();
}

TEST_CASE("sums across rows that are lanes agree with the oracle") {
  check_groups<sums_outside_rows<3, 9, any>>();
  check_groups<sums_outside_rows<any, 70, 18>, false>();
}

TEST_CASE("NaN and infinities stay in their own rows") {
  for (const fx::index_t n : group_sizes) {
    CHECK(difference_from_oracle<softmax_along<float, 0, 37, any>>(n, special_numbers) == "");
    CHECK(difference_from_oracle<softmax_along<double, 1, 3, 9, any>>(n, special_numbers) == "");
    CHECK(difference_from_oracle<norm_of_columns<float, 6, any>>(n, special_numbers) == "");
  }
}

TEST_CASE("the mean of a long column loses no more to rounding than a short one's") {
  using Matrix = fx::Tensor<float, fx::dims<2>>;
  Matrix x = fx::empty<float>({300'000, 16});
  for (fx::index_t i = 0; i < x.size(); ++i) x.data()[i] = 0.1f;
  const auto centred = x - fx::mean(x, fx::axis<0>, fx::keepdim);
  const Matrix y = centred;
  float largest = 0;
  for (fx::index_t i = 0; i < x.size(); ++i) largest = std::max(largest, std::abs(y.data()[i]));
  CHECK(largest < 1e-6f);
}

TEST_CASE("rows are lanes where they are short or their neighbours adjacent, and not where only some of what they read is") {
  CHECK(runs_rows_as_lanes<softmax_along<float, 1, any, 10>>());
  CHECK(!runs_rows_as_lanes<softmax_along<float, 1, any, 64>>());
  CHECK(!runs_rows_as_lanes<softmax_along<float, 1, any, any>>());
  CHECK(!runs_rows_as_lanes<softmax_along<float, 0, 100, 3>>());
}
