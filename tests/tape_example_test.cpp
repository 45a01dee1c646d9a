// The examples of docs/autodiff.md's section on the tape.
#include <doctest/doctest.h>

#include <fluxion/autodiff/anomaly.hpp>
#include <fluxion/autodiff/checkpoint.hpp>
#include <fluxion/autodiff/create_graph.hpp>
#include <fluxion/autodiff/custom_function.hpp>
#include <fluxion/autodiff/print_graph.hpp>
#include <fluxion/nn/layer.hpp>

#include <span>
#include <string>

#include "support/page.hpp"

namespace fx = fluxion;

namespace {

using Vector = fx::Tensor<double, fx::dims<1>>;

struct Cube : fx::autograd::Function<Cube> {
  using Context = fx::autograd::Context<fx::Var<double, fx::dims<1>>>;
  static auto forward(Context& ctx, const auto& x) {
    ctx.save_for_backward(x);
    return x * x * x;
  }
  static auto backward(Context& ctx, const auto& gradient) {
    const auto& [x] = ctx.saved_tensors();
    return 3.0 * x * x * gradient;                    // for several inputs a tuple; fx::autograd::none for what has no gradient
  }
};

}  // namespace

TEST_CASE("the tape's examples compute what the page says") {
  fx::Var x = fx::variable(Vector{1, 2});               // a leaf that requires a gradient; fx::Var(tensor) is one that does not
  fx::Var y = x * x + 1.0;                              // a statement: one node
  y.retain_grad();
  fx::Var loss = fx::sum(y * y);
  loss.backward();                                      // accumulates into x.grad(), and parameters' grad()
  CHECK(x.grad()(1) == 40);
  CHECK(y.grad()(1) == 10);
  y = x * x;
  y.backward(Vector{1, 10});                            // a seed, for what is not one number
  CHECK(x.grad()(1) == 80);
  fx::Var constant = y.detach();                        // a copy that is a constant
  {
    const fx::NoGradGuard guard;                        // nothing is recorded; also AutoGradMode(bool), InferenceMode
    x.copy_(x - 0.1 * x.grad());                        // leaves are written only here
  }
  x.zero_grad();
  fx::Var s = fx::sum(x * x * x);
  const fx::Var slope = fx::autograd::grad(s, x, {.create_graph = fx::create_graph});
  fx::Var penalty = fx::sum(slope * slope);
  penalty.backward();                                   // the derivative of (3x²)²
  const double v = x.value()(1);
  CHECK(x.grad()(1) == doctest::Approx(36 * v * v * v));

  fx::Var h = x * 2.0;
  fx::RemovableHandle handle = h.register_hook([](const auto& gradient) { return gradient * 0.5; });
  h.register_prehook([](const fx::AnyGradient& output) { CHECK(output.size() == 2); });
  h.register_posthook([](std::span<const fx::AnyGradient> inputs, const fx::AnyGradient&) { inputs[0].elements<double>()[0] = 7; });
  handle.remove();                                      // copies of the handle remove the same hook

  fx::Var cube = Cube::apply(x);
  CHECK(cube.value()(1) == v * v * v);

  const fx::nn::Dropout dropout;
  fx::Generator generator(1);
  fx::Var kept = fx::checkpoint([&](const auto& v, fx::Generator& g) { return dropout.forward(v, fx::train(g)); }, h, generator);
  fx::Var sum = fx::sum(kept + cube * 0.0);
  x.zero_grad();
  sum.backward(true);
  CHECK(x.grad()(0) == 7);
  CHECK(x.grad()(1) == doctest::Approx(2 * kept.value()(1) / h.value()(1)));

  x.zero_grad();
  {
    const fx::TapeScope scope;
    fx::Var inner = fx::sum(x * x);
    inner.backward();
  }
  CHECK(x.grad()(1) == 2 * v);

  const fx::DetectAnomaly scope;
  CHECK_THROWS_WITH(fx::Var(fx::sum(fx::log(x - x) * 0.0)), doctest::Contains("anomaly: log gives -inf at [0] in the statement 'sub, log, mul, sum' of"));
  const std::string graph = fx::print_graph(h);         // "%0 = leaf float64[2]  file.cpp:12\n%1 = mul float64[2] %0  file.cpp:15\n"
  CHECK(graph.find("%1 = mul float64[2] %0  tape_example_test.cpp:") != std::string::npos);
}

TEST_CASE("every block of the page's section on the tape is compiled here") {
  CHECK(fx::test::blocks_found_in("The tape", "tests/tape_example_test.cpp") == 8);
}
