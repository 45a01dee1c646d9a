// Anomaly mode names the operation and the line; recorded graphs are printed.
#include <doctest/doctest.h>

#include <fluxion/autodiff/anomaly.hpp>
#include <fluxion/autodiff/custom_function.hpp>
#include <fluxion/autodiff/print_graph.hpp>
#include <fluxion/nn/parameter.hpp>

#include <string>

namespace fx = fluxion;

namespace {

using Vector = fx::Tensor<double, fx::dims<1>>;

template <class F>
std::string message_of(const F& f) {
  try {
    f();
  } catch (const fx::ValueError& e) {
    return e.what();
  }
  return "";
}
std::string line(int number) { return "anomaly_test.cpp:" + std::to_string(number); }

struct Twice : fx::autograd::Function<Twice> {
  using Context = fx::autograd::Context<>;
  static auto forward(Context&, const auto& x) { return x * 2.0; }
  static auto backward(Context&, const auto& gradient) { return gradient * 2.0; }
};

}  // namespace

TEST_CASE("the first NaN or infinity of a statement names its operation and its line, recorded or not") {
  fx::Var x = fx::variable(Vector{2, 1, 0});
  CHECK_NOTHROW(fx::Var(fx::log(x) * 0.0));
  const fx::DetectAnomaly scope;
  CHECK(message_of([&] { fx::Var y = fx::exp(fx::log(x) * 2.0) + x; }) == "");  // its result is finite
  CHECK(message_of([&] { fx::Var y = fx::sum(fx::log(x) * 0.0); }) == "anomaly: log gives -inf at [2] in the statement 'log, mul, sum' of " + line(__LINE__));
  const fx::NoGradGuard guard;
  CHECK(message_of([&] { fx::Var y = fx::sqrt(x - 1.0); }) == "anomaly: sqrt gives NaN at [2] in the statement 'sub, sqrt' of " + line(__LINE__));
  const Vector bad = {1 / x.value()(2), 0, 0};
  CHECK(message_of([&] { fx::Var y = x * bad; }) == "anomaly: argument 1 has inf at [0] in the statement 'mul' of " + line(__LINE__));
}

TEST_CASE("a single precision overflow is found though double would hold it") {
  const fx::DetectAnomaly scope;
  fx::Var x = fx::variable(fx::Tensor<float, fx::dims<1>>{1e30f});
  CHECK(message_of([&] { fx::Var y = x * x; }) == "anomaly: mul gives inf at [0] in the statement 'mul' of " + line(__LINE__));
}

TEST_CASE("the first NaN or infinity of a backward names the operation of the adjoint and the line of the statement") {
  fx::Var x = fx::variable(Vector{4, 0});
  fx::Var y = fx::sqrt(x);
  const int where = __LINE__ - 1;
  fx::Var loss = fx::sum(y * y);
  loss.backward(true);
  const fx::DetectAnomaly scope;
  const std::string message = message_of([&] { loss.backward(true); });
  CHECK(message.find("anomaly: ") == 0);
  CHECK(message.find(" in the backward of the statement 'sqrt' of " + line(where)) != std::string::npos);
  {
    const fx::DetectAnomaly off(false);
    CHECK_NOTHROW(loss.backward(true));
  }
  CHECK(message_of([&] { y.backward(Vector{1 / x.value()(1), 1}); }).find("anomaly: the gradient that it is given has inf at [0]") == 0);
}

TEST_CASE("a recorded graph is printed with operations, extents, operands and lines") {
  fx::Var x = fx::variable(Vector{1, 2});
  fx::Parameter<double, fx::dims<1>> w = Vector{3, 4};
  fx::Var h = fx::tanh(x * w);
  fx::Var loss = fx::sum(Twice::apply(h) * w + x);
  const int n = __LINE__;
  const std::string text = fx::print_graph(loss);
  CHECK(text == "%0 = leaf float64[2]  " + line(n - 4) + "\n%1 = mul, tanh float64[2] %0 parameter 0  " + line(n - 2) +
                    "\n%2 = Twice float64[2] %1\n%3 = mul, add, sum float64[] %2 parameter 0 %0  " + line(n - 1) + "\n");
  const std::string drawing = fx::to_graphviz(loss);
  CHECK(drawing.find("digraph tape {") == 0);
  CHECK(drawing.find("n1 [label=\"mul, tanh float64[2]\\n" + line(n - 2) + "\"]") != std::string::npos);
  CHECK(drawing.find("p0 -> n1;") != std::string::npos);
  CHECK(drawing.find("n2 -> n3;") != std::string::npos);
  loss.backward();
  CHECK_THROWS_AS(static_cast<void>(fx::print_graph(loss)), fx::ValueError);
}
