// Long rows whose values before the first pass or behind the last one are computed for several rows at once: what the oracle says, and nothing
// else is touched.
#include <doctest/doctest.h>

#include "support/guarded_program.hpp"

namespace fx = fluxion;
using namespace fluxion::test;
using fx::Symbol;

namespace {

constexpr int lanes = fx::host::native_lanes<float>;
constexpr fx::index_t row_counts[] = {0, 1, lanes - 1, lanes, lanes + 1, 3 * lanes + 5};

template <class Source>
void check(numbers_function numbers = ordinary_numbers) {
  for (const fx::index_t n : row_counts) CHECK(difference_from_oracle<Source>(n, numbers) == "");
}
/// The same where that many is the length of a row, which must not be empty, or nothing.
template <class Source>
void check_once(fx::index_t n) {
  CHECK(difference_from_oracle<Source>(n) == "");
}

/// Cross-entropy of logits of any rank with class indices, and its gradient.
template <class T, fx::index_t... Extents>
struct loss {
  static constexpr fx::graph::program make() {
    recorder r;
    const Symbol x = r.argument<T>({Extents...});
    fx::graph::shape labels = shape_of({Extents...});
    --labels.rank;
    const Symbol y{r.program, r.program.argument(r.arguments++, fx::element_type::int64, labels)};
    const Symbol value = fx::graph::cross_entropy_function::trace(x, y);
    r.output(value);
    return r.program;
  }
};
template <class T, fx::index_t... Extents>
struct loss_gradient {
  static constexpr fx::graph::program make() {
    recorder r;
    r.program = loss<T, Extents...>::make();
    const Symbol x{r.program, 0};
    r.gradients(x.at(r.program.outputs[0]), r.program.constant(fx::element_type_of<T>, 1), {x});
    return r.program;
  }
};

/// Truth values and numbers of each row that its elements use, and logarithms of rows that are stored.
template <fx::index_t... Extents>
struct values_of_rows {
  static constexpr fx::graph::program make() {
    recorder r;
    const Symbol x = r.argument<float>({Extents...});
    fx::graph::shape each = shape_of({Extents...});
    each.extent[each.rank - 1] = 1;
    const Symbol a{r.program, r.program.argument(1, fx::element_type::int64, each)}, b{r.program, r.program.argument(2, fx::element_type::float64, each)};
    const unsigned mask = 1u << (each.rank - 1);
    const Symbol flag = fx::logical_and(a >= 0, b < 1.5), offset = (b * b + a).cast(fx::element_type::float32);
    const Symbol y = where(flag, x + offset, x * 0.5);
    const Symbol largest = y.reduce<fx::operation::amax>(mask, true), total = fx::exp(y - largest).reduce<fx::operation::sum>(mask, true);
    const Symbol normal = fx::log(total) + largest;
    r.output(normal);
    r.output(y - normal);
    r.output(where(flag, fx::tanh(normal), a.cast(fx::element_type::float32)));
    r.output((normal * normal).reduce<fx::operation::sum>(1u, false));
    r.output(normal > 3.);
    return r.program;
  }
};

}  // namespace

TEST_CASE("cross-entropy of groups of rows and its gradient agree with the oracle") {
  check<loss<float, any, 40>>();
  check<loss<float, any, 40>>(special_numbers);
  check<loss<double, any, 33>>();
  check<loss_gradient<float, any, 45>>();
  check_once<loss_gradient<float, 300, 40>>(1);
}

TEST_CASE("groups of rows end where the last outer axis does") {
  check<loss_gradient<float, 3, any, 35>>();
  check<values_of_rows<2, any, 34>>();
}

TEST_CASE("truth values, integers and doubles of each row reach its elements and what is computed behind them") {
  check<values_of_rows<any, 50>>();
  check<values_of_rows<any, 50>>(special_numbers);
  for (const fx::index_t n : {1, 7, lanes, 40}) check_once<values_of_rows<20, any>>(n);
}
