// The code of README.md, and the printed text of README.md and docs/architecture.md.
#include <doctest/doctest.h>

#include <fluxion/autodiff/transform.hpp>
#include <fluxion/autodiff/var.hpp>
#include <fluxion/fluxion.hpp>
#include <fluxion/graph/print.hpp>
#include <fluxion/nn/layer.hpp>
#include <fluxion/optim/adam.hpp>

#include <cmath>
#include <cstdint>
#include <fstream>
#include <iostream>
#include <sstream>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace fx = fluxion;

// ---- the code --------------------------------------------------------------------------------------------------------

namespace hello {

#include <fluxion/fluxion.hpp>

#include <iostream>

namespace fx = fluxion;

int main() {
  fx::Tensor<float, fx::dims<2>> x = {{1, 2, 3}, {3, 2, 1}};  // the rank is static, the extents are not
  auto e = fx::softmax(x * 2.f + 1.f, fx::axis<-1>);          // an expression: nothing has run
  static_assert(fx::plan_of<decltype(e)>.kernels == 1);       // fused, or it does not compile
  fx::Tensor y = e;                                           // one kernel
  std::cout << y << "\n" << fx::explain(e);
  return 0;
}

}  // namespace hello

struct Swish {
  fx::Parameter<float, fx::extents<1>> beta = fx::ones;
  constexpr auto forward(const auto& x) const { return x * fx::sigmoid(beta * x); }
};

namespace {

// ---- the pages -------------------------------------------------------------------------------------------------------

std::string read(const std::string& path) {
  std::ifstream file(std::string(FLUXION_DATA_DIR) + "/../../" + path);
  REQUIRE_MESSAGE(file.good(), path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

/// The text without the spaces at the beginning and at the end of its lines.
std::string without_indentation(const std::string& text) {
  std::istringstream lines(text);
  std::string line, result;
  while (std::getline(lines, line)) {
    const auto first = line.find_first_not_of(" \t"), last = line.find_last_not_of(" \t");
    if (first != std::string::npos) result += line.substr(first, last - first + 1);
    result += '\n';
  }
  return result;
}

/// The fenced blocks of a page that are marked with a language.
std::vector<std::string> blocks(const std::string& page, const std::string& language) {
  std::istringstream lines(page);
  std::string line, block;
  std::vector<std::string> result;
  bool inside = false, wanted = false;
  while (std::getline(lines, line)) {
    if (line.rfind("```", 0) == 0) {
      if (inside && wanted) result.push_back(block);
      wanted = !inside && line == "```" + language;
      inside = !inside;
      block.clear();
    } else if (inside) {
      block += line + '\n';
    }
  }
  return result;
}

/// Takes what is written to std::cout while it lives.
class Captured {
 public:
  Captured() : former_(std::cout.rdbuf(text_.rdbuf())) {}
  Captured(const Captured&) = delete;
  Captured& operator=(const Captured&) = delete;
  ~Captured() { std::cout.rdbuf(former_); }
  std::string text() const { return text_.str(); }

 private:
  std::ostringstream text_;
  std::streambuf* former_;
};

/// Whether a page shows this text, wherever its blocks are.
void check_shown(const std::string& page, const std::string& text) {
  INFO(page << " does not show this; update it:\n" << text);
  CHECK(without_indentation(read(page)).find(without_indentation(text)) != std::string::npos);
}

}  // namespace

TEST_CASE("every C++ block of the README is compiled here, or must not compile") {
  const std::string code = without_indentation(read("tests/readme_test.cpp") + read("tests/readme_derivative_test.cpp") + read("tests/must_not_compile/readme_matmul.cpp"));
  const auto found = blocks(read("README.md"), "cpp");
  CHECK(found.size() > 5);
  for (const std::string& block : found) {
    INFO(block);
    CHECK(code.find(without_indentation(block)) != std::string::npos);
  }
}

TEST_CASE("every page that the README links to exists") {
  std::istringstream lines(read("README.md"));
  std::string line;
  bool code = false;
  while (std::getline(lines, line)) {
    if (line.rfind("```", 0) == 0) code = !code;
    if (code) continue;
    for (std::size_t at = line.find("]("); at != std::string::npos; at = line.find("](", at + 1)) {
      std::string target = line.substr(at + 2, line.find(')', at) - at - 2);
      target = target.substr(0, target.find('#'));
      if (!target.empty()) CHECK(!read(target).empty());
    }
  }
}

TEST_CASE("the architecture page lists the folders in the order that is enforced") {
  const std::string check = read("cmake/check/folder_order.cmake"), page = read("docs/architecture.md");
  const std::size_t begin = check.find("set(order ");
  REQUIRE(begin != std::string::npos);
  std::istringstream folders(check.substr(begin + 10, check.find(')', begin) - begin - 10));
  std::size_t at = page.find("| folder |");
  for (std::string folder; folders >> folder;) {
    INFO(folder);
    at = page.find(folder == "." ? "`.`" : "`" + folder + "/`", at);
    REQUIRE(at != std::string::npos);
  }
}

TEST_CASE("the first program prints what the README says") {
  const Captured captured;
  CHECK(hello::main() == 0);
  check_shown("README.md", captured.text());
}

TEST_CASE("a layer norm and what feeds it are one kernel without temporaries") {
  fx::Tensor<float, fx::dims<2>> x = {{1, 2, 3, 4}, {0, 4, 0, 4}};
  fx::Tensor<float, fx::dims<1>> weight = fx::ones<float>({4}), bias = fx::ones<float>({4});
  auto e = fx::layer_norm(fx::relu(x) * 0.5f, weight, bias);
  static_assert(fx::plan_of<decltype(e)>.kernels == 1);
  static_assert(fx::plan_of<decltype(e)>.temporaries == 0);
  fx::Tensor y = e;
  CHECK(y(1, 1) == doctest::Approx(2));
}

TEST_CASE("a traced function that uses its argument twice is one kernel") {
  fx::Tensor<float, fx::dims<2>> x = {{1, 2, 3, 4}, {0, 4, 0, 4}};
  constexpr auto normalise = fx::compile([](auto x) {
    auto centred = x - fx::mean(x, fx::axis<-1>, fx::keepdim);
    return centred * fx::rsqrt(fx::mean(centred * centred, fx::axis<-1>, fx::keepdim) + 1e-5f);
  });
  fx::CountingScope scope;
  fx::Tensor z = normalise(x);
  CHECK(scope.counters().kernels == 1);
  CHECK(z(1, 1) == doctest::Approx(1));
}

TEST_CASE("value and gradient of a cross-entropy are one kernel") {
  constexpr auto loss = [](auto logits, auto labels) { return fx::cross_entropy(logits, labels); };
  fx::Tensor<float, fx::dims<2>> logits = fx::zeros<float>({32, 10});
  fx::Tensor<std::int64_t, fx::dims<1>> labels = fx::zeros<std::int64_t>({32});
  fx::CountingScope scope;
  auto [value, gradient] = fx::value_and_grad(loss)(logits, labels);
  CHECK(scope.counters().kernels == 1);
  CHECK(value.item() == doctest::Approx(std::log(10.)));
  CHECK(gradient(0, 0) == doctest::Approx(-0.9 / 32));
}

TEST_CASE("value and tangent of a chain are one kernel, and so is a Hessian's product") {
  fx::Tensor<double, fx::dims<1>> x = {0.5, -1}, direction = {1, 2};
  fx::CountingScope scope;
  auto [y, dy] = fx::jvp([](auto v) { return fx::tanh(v) * v; })(x, direction);  // one kernel
  auto hv = fx::hvp([](auto v) { return fx::sum(fx::tanh(v) * v); })(x, direction);
  CHECK(scope.counters().kernels == 2);
  const double t = std::tanh(0.5), s = 1 - t * t;
  CHECK(y(0) == doctest::Approx(0.5 * t));
  CHECK(dy(0) == doctest::Approx(t + 0.5 * s));
  CHECK(hv(0) == doctest::Approx(2 * s - 2 * 0.5 * t * s));
}

TEST_CASE("value and gradients of a network of two layers are five kernels") {
  fx::Tensor<float, fx::extents<784, 128>> w1 = fx::zeros;
  fx::Tensor<float, fx::extents<128>> b1 = fx::zeros;
  fx::Tensor<float, fx::extents<128, 10>> w2 = fx::zeros;
  fx::Tensor<float, fx::extents<10>> b2 = fx::zeros;
  fx::Tensor<float, fx::extents<64, 784>> images = fx::zeros;
  fx::Tensor<std::int64_t, fx::extents<64>> labels = fx::zeros;
  fx::CountingScope scope;
  constexpr auto network_loss = [](auto w1, auto b1, auto w2, auto b2, auto images, auto labels) {
    return fx::cross_entropy(fx::matmul(fx::relu(fx::matmul(images, w1) + b1), w2) + b2, labels);
  };
  constexpr auto step = fx::value_and_grad<0, 1, 2, 3>(network_loss);
  auto [value, dw1, db1, dw2, db2] = step(w1, b1, w2, b2, images, labels);
  CHECK(value.item() == doctest::Approx(std::log(10.)));
  CHECK(db2(0) == doctest::Approx(-0.9));
  CHECK(scope.counters().kernels == 5);
  CHECK(scope.counters().contractions == 5);
  CHECK(scope.counters().copies == 0);

  using traced = fx::detail::traced_function<std::remove_const_t<decltype(step)>>::type;
  using source = fx::detail::function_source<traced, decltype(w1), decltype(b1), decltype(w2), decltype(b2), decltype(images), decltype(labels)>;
  check_shown("docs/architecture.md", fx::graph::explain(fx::detail::plan_call<source>::view));
}

TEST_CASE("extents that only the run knows raise before the first kernel") {
  fx::Tensor<float, fx::dims<2>> a = fx::ones<float>({3, 4}), b = fx::ones<float>({5, 6}), c;
  CHECK_THROWS_WITH_AS(c = fx::matmul(a, b), "matmul: inner extents differ: [3, 4] x [5, 6]", fx::ShapeError);
}

TEST_CASE("a layer that is a plain struct has names, a value and a gradient") {
  const fx::Tensor<float, fx::dims<2>> inputs = fx::ones<float>({5, 4});
  const fx::Tensor<std::int64_t, fx::dims<1>> labels = fx::zeros<std::int64_t>({5});
  const Captured captured;
  fx::nn::Sequential model{fx::nn::Linear{4, 8}, Swish{}, fx::nn::Linear{8, 3}};
  fx::for_each_parameter(model, [](std::string_view name, const auto& parameter) {
    std::cout << name << " " << fx::to_string(parameter.extents()) << "\n";
  });
  constexpr auto model_loss = [](const auto& m, auto x, auto labels) { return fx::cross_entropy(m.forward(x), labels); };
  auto [value, gradient] = fx::value_and_grad(model_loss)(model, inputs, labels);  // the gradient is a model too
  CHECK(gradient.get<1>().beta.size() == 1);
  {
    const float before = model.get<1>().beta.value()(0);
    fx::optim::AdamW opt(model, {.lr = 1e-2});
    opt.step(model, gradient);

    fx::Var loss = fx::cross_entropy(model.forward(inputs), labels);
    loss.backward();
    opt.step(model);
    opt.zero_grad(model);
    CHECK(loss.item() < value.item());
    CHECK(model.get<1>().beta.value()(0) != before);
    CHECK(!model.get<1>().beta.has_grad());
  }
  CHECK(std::isfinite(value.item()));
  CHECK(captured.text() == "0.weight [8, 4]\n0.bias [8]\n1.beta [1]\n2.weight [3, 8]\n2.bias [3]\n");
}

TEST_CASE("small tensors with static extents live in place") {
  using Vector3 = fx::Tensor<float, fx::extents<3>>;
  static_assert(Vector3::is_in_place && sizeof(Vector3) == 3 * sizeof(float));
  static_assert(std::is_trivially_copyable_v<Vector3>);
  constexpr Vector3 up = {0, 0, 1};
  Vector3 position = {1, 2, 3};
  position = position + up * 0.5f;
  CHECK(position(2) == 3.5f);
}

TEST_CASE("the architecture page shows the program and the plan of its example") {
  fx::Tensor<float, fx::dims<2>> x = fx::ones<float>({4096, 1000});
  auto e = fx::softmax(x * 2.f + 1.f, fx::axis<-1>);
  const fx::graph::program recorded = fx::detail::expression_source<decltype(e)>::make();
  check_shown("docs/architecture.md", to_text(recorded));
  check_shown("docs/architecture.md", to_text(fx::graph::eliminate_dead_code(recorded)));
  check_shown("docs/architecture.md", fx::explain(e));
}
