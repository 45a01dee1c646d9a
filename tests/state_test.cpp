// Models in files.
#include <doctest/doctest.h>

#include <fluxion/nn/layer.hpp>
#include <fluxion/nn/state.hpp>

#include <filesystem>
#include <string>

namespace fx = fluxion;

namespace {

struct File {
  std::filesystem::path path = std::filesystem::temp_directory_path() / "fluxion_state_test.safetensors";
  ~File() { std::filesystem::remove(path); }
};

struct Other {
  fx::nn::Linear first{3, 2};
  constexpr auto forward(const auto& x) const { return first.forward(x); }
};
struct WithBuffer {
  fx::Parameter<float, fx::extents<2>> weight = fx::ones;
  fx::Buffer<double, fx::extents<3>> mean = fx::zeros;
  constexpr auto forward(const auto& x) const { return x * weight; }
};

template <class M>
std::string load_error(M& model, const std::filesystem::path& path) {
  try {
    fx::load(model, path);
  } catch (const fx::FileError& e) {
    return e.what();
  }
  return {};
}

}  // namespace

TEST_CASE("a model that was saved and loaded has the same parameters") {
  File file;
  fx::nn::Sequential a{fx::nn::Linear{3, 2}, fx::nn::ReLU{}, fx::nn::Linear{2, 1}}, b = a;
  fx::save(a, file.path);
  fx::for_each_parameter(b, [](std::string_view, auto& p) { p.value() = fx::zeros; });
  fx::load(b, file.path);
  CHECK(b.get<0>().weight.value()(1, 2) == a.get<0>().weight.value()(1, 2));
  CHECK(b.get<2>().bias.value()(0) == a.get<2>().bias.value()(0));
}

TEST_CASE("buffers are saved too") {
  File file;
  WithBuffer a, b;
  a.mean.value()(1) = 7;
  fx::save(a, file.path);
  fx::load(b, file.path);
  CHECK(b.mean.value()(1) == 7);
}

TEST_CASE("a file of another model is refused by name and changes nothing") {
  File file;
  Other small, large;
  large.first = fx::nn::Linear{4, 2};
  const float before = small.first.weight.value()(0, 0);
  fx::save(large, file.path);
  CHECK(load_error(small, file.path).find("\"first.weight\" has extents [2, 4], the model's has [2, 3]") != std::string::npos);
  fx::save(fx::nn::Sequential{fx::nn::Linear{3, 2}}, file.path);
  CHECK(load_error(small, file.path).find("there is no \"first.weight\"") != std::string::npos);
  CHECK(std::as_const(small).first.weight.value()(0, 0) == before);
  fx::nn::Sequential one{fx::nn::Linear{3, 2}};
  fx::save(fx::nn::Sequential{fx::nn::Linear{3, 2}, fx::nn::Linear{2, 2}}, file.path);
  CHECK(load_error(one, file.path).find("the model has no \"1.weight\"") != std::string::npos);
}
