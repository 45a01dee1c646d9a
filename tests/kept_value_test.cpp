// Values that are kept between passes in the row of an output: nothing that is read later may lie there.
// matrix
#include <doctest/doctest.h>

#include "support/guarded_program.hpp"

#include <fluxion/fluxion.hpp>

namespace fx = fluxion;
using namespace fluxion::test;
using fx::Symbol;

namespace {

using Matrix = fx::Tensor<float, fx::dims<2>>;

constexpr fx::index_t row_lengths[] = {1, 7, 16, 33, 64, 1000, 5000};

Matrix numbers(fx::index_t rows, fx::index_t columns, fx::index_t first) {
  Matrix x = fx::empty<float>({rows, columns});
  for (fx::index_t i = 0; i < x.size(); ++i) x.data()[i] = static_cast<float>(ordinary_numbers(fx::element_type::float32, first + i));
  return x;
}

bool equal(const Matrix& a, const Matrix& b) { return std::memcmp(a.data(), b.data(), sizeof(float) * static_cast<std::size_t>(a.size())) == 0; }

/// Two outputs of one kernel: the exponential is kept in the first that is stored late enough.
struct two_outputs {
  static constexpr fx::graph::program make() {
    recorder r;
    const Symbol x = r.argument<float>({any, any}), y = r.argument<double>({any, any});
    const Symbol e = fx::exp(x - x.reduce<fx::operation::amax>(2u, true)), total = e.reduce<fx::operation::sum>(2u, true);
    const Symbol wide = fx::exp(y), sum = wide.reduce<fx::operation::sum>(2u, true);
    r.output(e / total);
    r.output(wide - sum);
    r.output(e + sum.cast(fx::element_type::float32));
    return r.program;
  }
};

template <class T>
struct softmax_gradient {
  static constexpr fx::graph::program make() {
    recorder r;
    const Symbol x = r.argument<T>({any, any}), seed = r.argument<T>({any, any});
    const Symbol y = fx::graph::softmax_function<fx::axes_t<-1>>::trace(x);
    r.output(y);
    r.gradients(y, seed.index(), {x});
    return r.program;
  }
};

}  // namespace

TEST_CASE("values kept in outputs agree with the oracle and are written nowhere else") {
  for (const fx::index_t n : {1, 3, 15, 16, 17, 40, 70}) {
    CHECK(difference_from_oracle<two_outputs>(n) == "");
    CHECK(difference_from_oracle<softmax_gradient<float>>(n) == "");
    CHECK(difference_from_oracle<softmax_gradient<double>>(n, special_numbers) == "");
  }
}

TEST_CASE("softmax keeps its exponentials where its result goes, in no buffer") {
  const Matrix x = numbers(5, 33, 0);
  const auto e = fx::softmax(x, fx::axis<1>);
  static_assert(fx::plan_of<decltype(e)>.row_buffers == 0);
  const fx::CountingScope scope;
  const Matrix y = e;
  CHECK(scope.counters().temporary_bytes == 0);
}

TEST_CASE("softmax in place needs no other memory and gives what it gives elsewhere") {
  for (const fx::index_t n : row_lengths) {
    Matrix x = numbers(5, n, n);
    const Matrix y = fx::softmax(x, fx::axis<1>);
    const fx::CountingScope scope;
    x = fx::softmax(x, fx::axis<1>);
    CHECK(equal(x, y));
    CHECK(scope.counters().temporary_bytes == 0);
  }
}

TEST_CASE("an argument that is read after a value was kept in its memory is read as it was") {
  for (const fx::index_t n : row_lengths) {
    const Matrix x = numbers(5, n, n);
    Matrix z = numbers(5, n, 2 * n);
    const Matrix y = fx::softmax(x, fx::axis<1>) * z;
    z = fx::softmax(x, fx::axis<1>) * z;
    CHECK(equal(z, y));
    Matrix w = numbers(5, n, 3 * n);
    const Matrix v = fx::softmax(w, fx::axis<1>) - w;
    w = fx::softmax(w, fx::axis<1>) - w;
    CHECK(equal(w, v));
  }
}

TEST_CASE("a destination whose rows overlap an argument's is computed elsewhere first") {
  for (const fx::index_t n : row_lengths) {
    fx::Tensor<float, fx::dims<1>> x = fx::empty<float>({5 * n + 1});
    for (fx::index_t i = 0; i < x.size(); ++i) x.data()[i] = static_cast<float>(ordinary_numbers(fx::element_type::float32, i));
    const fx::View<float, fx::dims<2>> from(x.data(), fx::dims<2>(5, n)), to(x.data() + 1, fx::dims<2>(5, n));
    const Matrix y = fx::softmax(from, fx::axis<1>);
    fx::evaluate_into(to, fx::softmax(from, fx::axis<1>));
    CHECK(std::memcmp(to.data(), y.data(), sizeof(float) * static_cast<std::size_t>(y.size())) == 0);
  }
}

TEST_CASE("softmax of a product agrees with the two one after the other") {
  for (const fx::index_t n : row_lengths) {
    const Matrix a = numbers(9, 6, n), b = numbers(6, n, 0);
    const Matrix product = fx::matmul(a, b), y = fx::softmax(product, fx::axis<1>), fused = fx::softmax(fx::matmul(a, b), fx::axis<1>);
    for (fx::index_t i = 0; i < y.size(); ++i) CHECK(fused.data()[i] == doctest::Approx(y.data()[i]).epsilon(1e-5));
    const Matrix z = fx::softmax(product, fx::axis<1>) * product, both = fx::softmax(fx::matmul(a, b), fx::axis<1>) * fx::matmul(a, b);
    for (fx::index_t i = 0; i < z.size(); ++i) CHECK(both.data()[i] == doctest::Approx(z.data()[i]).epsilon(1e-5));
  }
}
