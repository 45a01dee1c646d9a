// Short static rows, which are turned and computed several at a time: compiled kernels compute what the oracle says and touch nothing else.
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

/// Softmax along rows.
template <class T, fx::index_t Length>
struct softmax_of_short_rows {
  static constexpr fx::graph::program make() {
    recorder r;
    r.output(fx::graph::softmax_function<fx::axes_t<-1>>::trace(r.argument<T>({any, Length})));
    return r.program;
  }
};

/// Cross-entropy over short rows, and its gradient.
template <class T, fx::index_t Classes>
struct loss_of_classes {
  static constexpr fx::graph::program make() {
    recorder r;
    const Symbol x = r.argument<T>({any, Classes}), b = r.argument<T>({Classes}), y = r.argument<std::int64_t>({any});
    const Symbol loss = fx::graph::cross_entropy_function::trace(x + b, y);
    r.output(loss);
    r.gradients(loss, r.program.constant(fx::element_type_of<T>, 1), {x, b});
    return r.program;
  }
};

/// Layer norm over short rows, and its gradients, which are sums over rows.
template <class T, fx::index_t Features>
struct norm_of_short_rows {
  static constexpr fx::graph::program make() {
    recorder r;
    const Symbol x = r.argument<T>({any, Features}), w = r.argument<T>({Features}), b = r.argument<T>({Features}),
                 seed = r.argument<T>({any, Features});
    const Symbol y = fx::graph::layer_norm_function::trace(x, w, b, x.at(r.program.constant(fx::element_type_of<T>, 1e-5)));
    r.output(y);
    r.gradients(y, seed.index(), {x, w, b});
    return r.program;
  }
};

template <class T, int... Length>
void check_softmax(std::integer_sequence<int, Length...>) {
  (check<softmax_of_short_rows<T, Length>>(), ...);
}

}  // namespace

TEST_CASE("softmax of rows of one to seventeen agrees with the oracle") {
  check_softmax<float>(std::integer_sequence<int, 1, 2, 3, 5, 8, 13, 15, 16, 17>{});
}

TEST_CASE("softmax of short rows of doubles agrees with the oracle") { check_softmax<double>(std::integer_sequence<int, 3, 9, 17>{}); }

TEST_CASE("cross-entropy of few classes and its gradient agree with the oracle, labels that name no class included") {
  check<loss_of_classes<float, 2>>();
  check<loss_of_classes<float, 10>>();
  check<loss_of_classes<double, 17>>();
  check<loss_of_classes<float, 10>>(special_numbers);
}

TEST_CASE("layer norm of short rows and its gradients agree with the oracle") {
  check<norm_of_short_rows<float, 1>>();
  check<norm_of_short_rows<float, 11>>();
  check<norm_of_short_rows<double, 16>>();
}
