// The examples of docs/autodiff.md's section on the finer points of the tape.
#include <doctest/doctest.h>

#include <fluxion/autodiff/create_graph.hpp>
#include <fluxion/autodiff/loop_node.hpp>
#include <fluxion/autodiff/saved_tensors_hooks.hpp>
#include <fluxion/autodiff/scalar_var.hpp>
#include <fluxion/nn/parameter.hpp>
#include <fluxion/tensor/compound_assignment.hpp>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "support/page.hpp"

namespace fx = fluxion;

namespace {

using Vector = fx::Tensor<double, fx::dims<1>>;

}  // namespace

TEST_CASE("accumulated gradients can be differentiated") {
  fx::Var x = fx::variable(Vector{2, 3});
  fx::Parameter<double, fx::dims<1>> w = Vector{5, 7};
  fx::Var energy = fx::sum(x * x * x * w);
  energy.backward({.create_graph = fx::create_graph});  // also {.retain_graph = true}, which it implies; a seed before it may be a variable
  fx::Var roughness = fx::sum(x.recorded_grad() * w.recorded_grad());
  x.zero_grad(), w.zero_grad();
  roughness.backward();
  CHECK(x.grad()(0) == 1200);

  fx::RemovableHandle clip = w.register_hook([](const auto& gradient) { return fx::minimum(gradient, 1.0); });
  w.register_post_accumulate_grad_hook([](auto& p) {    // of leaves too; not for autograd::grad
    p.value() -= 0.1 * p.grad();                        // the step while backward runs
    p.zero_grad();
  });
  w.zero_grad();
  fx::Var y = fx::sum(w * x);
  y.backward();
  CHECK(w.value()(1) == doctest::Approx(6.9));
  CHECK(!w.has_grad());
}

TEST_CASE("what statements save is packed") {
  fx::Var x = fx::variable(Vector{2, 2});
  const auto pack = [](const fx::SavedTensor& v) { return std::vector<float>(v.elements<double>(), v.elements<double>() + v.size()); };
  const auto unpack = [](const std::vector<float>& packed, const fx::UnpackedTensor& v) { std::copy(packed.begin(), packed.end(), v.elements<double>()); };
  fx::Var<double, fx::dims<1>> deep = x * 1.0;
  {
    const fx::autograd::SavedTensorsHooks hooks(pack, unpack);
    for (int i = 0; i < 3; ++i) deep = deep * deep * 0.5;
  }
  fx::Var total = fx::sum(deep);
  total.backward();                                     // unpacks, with the scope long gone
  CHECK(x.grad()(1) == 8);
}

TEST_CASE("variables are changed in place") {
  fx::Var x = fx::variable(Vector{2, 2});
  fx::Var sum(Vector{0, 0});                            // a constant, recorded from the first addition on
  for (const double factor : {1.0, 2.0, 3.0}) sum += x * factor;
  sum *= sum;                                           // 36 x²
  sum.backward(Vector{1, 1});
  {
    const fx::NoGradGuard guard;
    x -= 0.001 * x.grad();                              // a leaf that requires a gradient, elsewhere an error
  }
  CHECK(x.value()(1) == doctest::Approx(2 - 0.144));
}

TEST_CASE("numbers have hooks") {
  fx::Var<double> speed = fx::variable(3.0);
  fx::Var<double> energy = 0.5 * speed * speed;
  energy.retain_grad();
  energy.register_hook([](double gradient) { return std::min(gradient, 1.0); });
  fx::Var<double> cost = energy * energy;
  cost.backward();                                      // energy.grad() == 1, speed.grad() == 3
  CHECK(energy.grad() == 1);
  CHECK(speed.grad() == 3);
}

TEST_CASE("a loop is one node") {
  constexpr auto decay = [](auto state, auto rate) { return state - 0.01 * rate * state; };
  fx::Var rate = fx::variable(Vector{1, 2});
  fx::Var late = fx::iterate(decay)(rate * 3.0, 1000, rate);                    // all states are kept during backward
  fx::Var again = fx::on_tape(fx::iterate(decay), {fx::checkpoints(10)})(rate, 1000, rate);
  fx::Var both = fx::sum(late + again);
  both.backward();
  CHECK(rate.grad()(0) == doctest::Approx(4 * (std::pow(0.99, 1000) - 10 * std::pow(0.99, 999))));
}

TEST_CASE("every block of the page's section on the finer points of the tape is compiled here") {
  CHECK(fx::test::blocks_found_in("The finer points of the tape", "tests/tape_detail_example_test.cpp") == 6);
}
