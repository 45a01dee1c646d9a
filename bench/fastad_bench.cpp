// The nine functions of FastAD's paper (arXiv:2102.10681): value and gradient by traced functions, and by the tape of numbers through plain loops,
// with everything that a call does in the time, beside the plain loop's value and, where they are found, FastAD, whose expression is set up outside the time, and CoDiPack.
// wants: fastad codipack
#include "../examples/problems/volatility.hpp"
#include "reference/volatility.hpp"

#include <fluxion/autodiff/reverse.hpp>
#include <fluxion/autodiff/transform.hpp>
#include <fluxion/tensor/interop.hpp>

#if FLUXION_WITH_FASTAD
#include <fastad>
#endif
#if FLUXION_WITH_CODIPACK
#include <codi.hpp>
#endif

#include <benchmark/benchmark.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <span>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace {

namespace fx = fluxion;
using fx::index_t;
using Vector = std::vector<double>;
using Scalar = fx::Tensor<double, fx::extents<>>;

/// Numbers in [shift - scale, shift + scale] without a pattern.
Vector random_numbers(std::size_t n, double shift = 0, double scale = 1) {
  std::uint32_t state = 17;
  Vector x(n);
  for (double& v : x) {
    state = state * 1664525u + 1013904223u;
    v = shift + scale * (static_cast<double>(state >> 8) / 8388608.0 - 1);
  }
  return x;
}

bool agree(const Vector& a, const Vector& b) {
  for (std::size_t i = 0; i < a.size(); ++i)
    if (!(std::abs(a[i] - b[i]) <= 1e-9 * std::max(1.0, std::abs(a[i]) + std::abs(b[i])))) return false;
  return a.size() == b.size();
}

constexpr double mu = -0.56, sigma = 1.37, log_sigma = 0.3148107398400336;

// ---- functions of a vector: loops for numbers and tapes, the same for tensors, the gradient by hand ---------------------------------

struct Sum {
  static constexpr const char* name = "sum";
  template <class T>
  static T loop(const T* x, std::size_t n) {
    T sum = 0;
    for (std::size_t i = 0; i < n; ++i) sum += x[i];
    return sum;
  }
  static constexpr auto traced = [](const auto& x) { return fx::sum(x); };
  static Vector gradient(const Vector& x) { return Vector(x.size(), 1); }
#if FLUXION_WITH_FASTAD
  static auto fastad(ad::VarView<double, ad::vec>& x) { return ad::sum(x); }
#endif
};
/// The same; FastAD's expression is a loop over elements.
struct SumIterated : Sum {
  static constexpr const char* name = "sum_iterated";
#if FLUXION_WITH_FASTAD
  static auto fastad(ad::VarView<double, ad::vec>& x) {
    static Vector positions;
    positions.resize(static_cast<std::size_t>(x.size()));
    std::iota(positions.begin(), positions.end(), 0.0);
    return ad::sum(positions.begin(), positions.end(), [&x](double i) { return x[static_cast<std::size_t>(i)]; });
  }
#endif
};
struct Product {
  static constexpr const char* name = "product";
  template <class T>
  static T loop(const T* x, std::size_t n) {
    T product = 1;
    for (std::size_t i = 0; i < n; ++i) product *= x[i];
    return product;
  }
  static constexpr auto traced = [](const auto& x) { return fx::prod(x); };
  static Vector gradient(const Vector& x) {
    Vector g(x.size());
    const double product = loop(x.data(), x.size());
    for (std::size_t i = 0; i < x.size(); ++i) g[i] = product / x[i];
    return g;
  }
#if FLUXION_WITH_FASTAD
  static auto fastad(ad::VarView<double, ad::vec>& x) { return ad::prod(x); }
#endif
};
struct ProductIterated : Product {
  static constexpr const char* name = "product_iterated";
#if FLUXION_WITH_FASTAD
  static auto fastad(ad::VarView<double, ad::vec>& x) {
    static Vector positions;
    positions.resize(static_cast<std::size_t>(x.size()));
    std::iota(positions.begin(), positions.end(), 0.0);
    return ad::prod(positions.begin(), positions.end(), [&x](double i) { return x[static_cast<std::size_t>(i)]; });
  }
#endif
};
/// Without protection from overflow, as in the paper.
struct LogSumExp {
  static constexpr const char* name = "log_sum_exp";
  template <class T>
  static T loop(const T* x, std::size_t n) {
    using std::exp, std::log;
    T sum = 0;
    for (std::size_t i = 0; i < n; ++i) sum += exp(x[i]);
    return log(sum);
  }
  static constexpr auto traced = [](const auto& x) { return fx::log(fx::sum(fx::exp(x))); };
  static Vector gradient(const Vector& x) {
    Vector g(x.size());
    const double value = loop(x.data(), x.size());
    for (std::size_t i = 0; i < x.size(); ++i) g[i] = std::exp(x[i] - value);
    return g;
  }
#if FLUXION_WITH_FASTAD
  static auto fastad(ad::VarView<double, ad::vec>& x) { return ad::log(ad::sum(ad::exp(x))); }
#endif
};
struct NormalDensity {
  static constexpr const char* name = "normal_log_density";
  template <class T>
  static T loop(const T* x, std::size_t n) {
    T sum = 0;
    for (std::size_t i = 0; i < n; ++i) {
      const T z = (x[i] - mu) / sigma;
      sum += z * z;
    }
    return -0.5 * sum - static_cast<double>(n) * log_sigma;
  }
  static constexpr auto traced = [](const auto& x) {
    const auto z = (x - mu) * (1 / sigma);
    return fx::sum(-0.5 * z * z - log_sigma);
  };
  static Vector gradient(const Vector& x) {
    Vector g(x.size());
    for (std::size_t i = 0; i < x.size(); ++i) g[i] = (mu - x[i]) / (sigma * sigma);
    return g;
  }
#if FLUXION_WITH_FASTAD
  static auto fastad(ad::VarView<double, ad::vec>& x) { return ad::normal_adj_log_pdf(x, mu, sigma); }
#endif
};

template <class F>
Vector point_of(std::size_t n) {
  // A product of many numbers must stay within the range of double.
  return std::is_base_of_v<Product, F> ? random_numbers(n, 1, 0.1) : random_numbers(n);
}

template <class F>
void value(benchmark::State& state) {
  Vector x = point_of<F>(static_cast<std::size_t>(state.range(0)));
  for (auto _ : state) {
    benchmark::DoNotOptimize(x.data());
    benchmark::DoNotOptimize(F::loop(x.data(), x.size()));
  }
}

template <class F>
void by_hand(benchmark::State& state) {
  Vector x = point_of<F>(static_cast<std::size_t>(state.range(0)));
  for (auto _ : state) {
    benchmark::DoNotOptimize(F::loop(x.data(), x.size()));
    benchmark::DoNotOptimize(F::gradient(x));
  }
}

template <class F>
void by_fluxion(benchmark::State& state) {
  const Vector x = point_of<F>(static_cast<std::size_t>(state.range(0)));
  Vector gradient(x.size());
  Scalar y;
  const auto evaluate = [&] {
    auto to = std::tuple<Scalar&, fx::View<double, fx::dims<1>>>(y, fx::borrow(gradient));
    fx::value_and_grad(F::traced).into(to, fx::borrow(x));
  };
  evaluate();
  if (!agree({y.item()}, {F::loop(x.data(), x.size())}) || !agree(gradient, F::gradient(x))) return state.SkipWithError("the gradient is wrong");
  for (auto _ : state) {
    evaluate();
    benchmark::ClobberMemory();
  }
}

/// The plain loop on variables, by the tape.
template <class F>
void by_tape(benchmark::State& state) {
  const Vector x = point_of<F>(static_cast<std::size_t>(state.range(0)));
  Vector gradient(x.size());
  const auto evaluate = [&] { return fx::reverse::gradient([](auto v) { return F::loop(v.data(), v.size()); }, x, std::span(gradient)); };
  evaluate();
  if (!agree(gradient, F::gradient(x))) return state.SkipWithError("the gradient is wrong");
  for (auto _ : state) {
    benchmark::DoNotOptimize(evaluate());
    benchmark::ClobberMemory();
  }
}

#if FLUXION_WITH_FASTAD
/// Evaluates an expression whose memory is bound beforehand. Behind the derivatives that are expected may be others, of what it writes itself.
template <class Expression>
void measure_fastad(benchmark::State& state, Expression& expression, Vector& gradient, const Vector& expected) {
  const auto sizes = expression.bind_cache_size();
  Eigen::VectorXd values(sizes(0)), adjoints(sizes(1));
  expression.bind_cache({values.data(), adjoints.data()});
  const auto evaluate = [&] {
    std::fill(gradient.begin(), gradient.end(), 0.0);
    return ad::autodiff(expression);
  };
  evaluate();
  if (!agree(Vector(gradient.begin(), gradient.begin() + static_cast<std::ptrdiff_t>(expected.size())), expected))
    return state.SkipWithError("the gradient is wrong");
  for (auto _ : state) {
    benchmark::DoNotOptimize(evaluate());
    benchmark::ClobberMemory();
  }
}
template <class F>
void by_fastad(benchmark::State& state) {
  Vector x = point_of<F>(static_cast<std::size_t>(state.range(0))), gradient(x.size());
  ad::VarView<double, ad::vec> variables(x.data(), gradient.data(), x.size());
  auto expression = F::fastad(variables);
  measure_fastad(state, expression, gradient, F::gradient(x));
}
#endif

#if FLUXION_WITH_CODIPACK
template <class F>
void by_codipack(benchmark::State& state) {
  using Real = codi::RealReverse;
  const Vector x = point_of<F>(static_cast<std::size_t>(state.range(0)));
  Vector gradient(x.size());
  std::vector<Real> variables(x.size());
  Real::Tape& tape = Real::getTape();
  const auto evaluate = [&] {
    tape.setActive();
    for (std::size_t i = 0; i < x.size(); ++i) {
      variables[i] = x[i];
      tape.registerInput(variables[i]);
    }
    Real y = F::loop(variables.data(), x.size());
    tape.registerOutput(y);
    tape.setPassive();
    y.setGradient(1);
    tape.evaluate();
    for (std::size_t i = 0; i < x.size(); ++i) gradient[i] = variables[i].getGradient();
    tape.reset();
  };
  evaluate();
  if (!agree(gradient, F::gradient(x))) return state.SkipWithError("the gradient is wrong");
  for (auto _ : state) {
    evaluate();
    benchmark::ClobberMemory();
  }
}
#endif

// ---- the product of two matrices ------------------------------------------------------------------------------------------------------

void product_by_fluxion(benchmark::State& state) {
  const auto n = static_cast<index_t>(state.range(0));
  const auto size = static_cast<std::size_t>(n * n);
  const Vector x = random_numbers(2 * size);
  Vector gradient(2 * size);
  Scalar y;
  constexpr auto f = fx::value_and_grad<0, 1>([](const auto& a, const auto& b) { return fx::sum(fx::matmul(a, b)); });
  for (auto _ : state) {
    using View = fx::View<double, fx::dims<2>>;
    auto to = std::tuple<Scalar&, View, View>(y, fx::borrow(gradient.data(), {n, n}), fx::borrow(gradient.data() + size, {n, n}));
    f.into(to, fx::borrow(x.data(), {n, n}), fx::borrow(x.data() + size, {n, n}));
    benchmark::ClobberMemory();
  }
  double row = 0;  // the derivative by element (0, 0) of a is the sum of row 0 of b
  for (std::size_t j = 0; j < static_cast<std::size_t>(n); ++j) row += x[size + j];
  if (!agree({gradient[0]}, {row})) state.SkipWithError("the gradient is wrong");
}
#if FLUXION_WITH_FASTAD
void product_by_fastad(benchmark::State& state) {
  const auto n = static_cast<std::size_t>(state.range(0)), size = n * n;
  Vector x = random_numbers(2 * size), gradient(2 * size), expected(2 * size);
  ad::VarView<double, ad::mat> a(x.data(), gradient.data(), n, n), b(x.data() + size, gradient.data() + size, n, n);
  const auto extent = static_cast<Eigen::Index>(n);
  const Eigen::Map<Eigen::MatrixXd> first(x.data(), extent, extent), second(x.data() + size, extent, extent);
  const Eigen::MatrixXd ones = Eigen::MatrixXd::Ones(first.rows(), first.cols());
  Eigen::Map<Eigen::MatrixXd>(expected.data(), first.rows(), first.cols()) = ones * second.transpose();
  Eigen::Map<Eigen::MatrixXd>(expected.data() + size, first.rows(), first.cols()) = first.transpose() * ones;
  auto expression = ad::sum(ad::dot(a, b));
  measure_fastad(state, expression, gradient, expected);
}
#endif

// ---- Bayesian regression: weights, offset and spread of 1,000 observations ---------------------------------------------------------------

constexpr std::size_t observations = 1000;

/// x is [features, observations], the layout of FastAD's matrices.
constexpr auto regression_density = [](const auto& w, const auto& b, const auto& spread, const auto& x, const auto& y) {
  const auto z = (y - fx::squeeze<0>(fx::matmul(fx::unsqueeze<0>(w), x)) - b) * (1. / spread);
  return -0.5 * fx::sum(z * z) - 1000. * fx::log(spread) - 0.5 * fx::sum(w * w) - 0.5 * b * b;
};

/// The gradient by loops.
Vector regression_gradient(const Vector& parameters, const Vector& x, const Vector& y) {
  const std::size_t n = parameters.size() - 2;
  const double spread = parameters[n + 1];
  Vector g(n + 2);
  for (std::size_t i = 0; i < n; ++i) g[i] = -parameters[i];
  g[n] = -parameters[n];
  g[n + 1] = -static_cast<double>(observations) / spread;
  for (std::size_t r = 0; r < observations; ++r) {
    double z = y[r] - parameters[n];
    for (std::size_t i = 0; i < n; ++i) z -= x[i * observations + r] * parameters[i];
    const double slope = z / (spread * spread);
    for (std::size_t i = 0; i < n; ++i) g[i] += x[i * observations + r] * slope;
    g[n] += slope;
    g[n + 1] += z * slope / spread;
  }
  return g;
}

struct Regression {
  explicit Regression(std::size_t n)
      : parameters(random_numbers(n + 2)), x(random_numbers(observations * n)), y(random_numbers(observations, 0.3)), gradient(n + 2) {
    parameters[n + 1] = 0.7;
  }
  Vector parameters, x, y, gradient;
};

void regression_by_fluxion(benchmark::State& state) {
  const auto n = static_cast<std::size_t>(state.range(0));
  Regression r(n);
  // The data lie where each library would keep them: in its own matrices.
  const fx::Tensor<double, fx::dims<2>> x = fx::borrow(std::as_const(r.x).data(), {static_cast<index_t>(n), static_cast<index_t>(observations)});
  const fx::Tensor<double, fx::dims<1>> y = fx::borrow(std::as_const(r.y));
  Scalar value, b_gradient, spread_gradient;
  constexpr auto f = fx::value_and_grad<0, 1, 2>(regression_density);
  const auto evaluate = [&] {
    const Scalar b(r.parameters[n]), spread(r.parameters[n + 1]);
    using View = fx::View<double, fx::dims<1>>;
    const auto count = static_cast<index_t>(n);
    auto to = std::tuple<Scalar&, View, Scalar&, Scalar&>(value, fx::borrow(r.gradient.data(), {count}), b_gradient, spread_gradient);
    f.into(to, fx::borrow(std::as_const(r.parameters).data(), {count}), b, spread, x, y);
    r.gradient[n] = b_gradient.item();
    r.gradient[n + 1] = spread_gradient.item();
  };
  evaluate();
  if (!agree(r.gradient, regression_gradient(r.parameters, r.x, r.y))) return state.SkipWithError("the gradient is wrong");
  for (auto _ : state) {
    evaluate();
    benchmark::ClobberMemory();
  }
}
void regression_by_hand(benchmark::State& state) {
  Regression r(static_cast<std::size_t>(state.range(0)));
  for (auto _ : state) benchmark::DoNotOptimize(regression_gradient(r.parameters, r.x, r.y));
}
#if FLUXION_WITH_FASTAD
void regression_by_fastad(benchmark::State& state) {
  const auto n = static_cast<std::size_t>(state.range(0));
  Regression r(n);
  const Eigen::MatrixXd x = Eigen::Map<Eigen::MatrixXd>(r.x.data(), static_cast<Eigen::Index>(observations), static_cast<Eigen::Index>(n));
  const Eigen::VectorXd y = Eigen::Map<Eigen::VectorXd>(r.y.data(), static_cast<Eigen::Index>(observations));
  double *p = r.parameters.data(), *g = r.gradient.data();
  ad::VarView<double, ad::vec> w(p, g, n);
  ad::VarView<double> b(p + n, g + n), spread(p + n + 1, g + n + 1);
  auto expression = ad::normal_adj_log_pdf(y, ad::dot(x, w) + b, spread) + ad::normal_adj_log_pdf(w, 0., 1.) + ad::normal_adj_log_pdf(b, 0., 1.) +
                    ad::uniform_adj_log_pdf(spread, 0.1, 10.);
  measure_fastad(state, expression, r.gradient, regression_gradient(r.parameters, r.x, r.y));
}
#endif

// ---- stochastic volatility ------------------------------------------------------------------------------------------------------------------

void volatility_by_fluxion(benchmark::State& state) {
  const auto n = static_cast<std::size_t>(state.range(0));
  const auto count = static_cast<index_t>(n);
  const Vector x = reference::volatility::start(random_numbers(n)), numbers = random_numbers(n, 0.2);
  Vector expected(x.size());
  reference::volatility::Workspace workspace;
  reference::volatility::gradient(x, numbers, expected, workspace);
  const fx::Tensor<double, fx::dims<1>> noise = fx::borrow(x.data(), {count}), y = fx::borrow(numbers);
  fx::Tensor<double, fx::dims<1>> is_first = fx::zeros<double>({count});
  is_first(0) = 1;
  const Scalar phi(x[n]), spread(x[n + 1]), level(x[n + 2]);
  constexpr auto f = fx::value_and_grad<0, 1, 2, 3>(problems::volatility::log_density);
  const auto [value, by_noise, by_phi, by_spread, by_level] = f(noise, phi, spread, level, y, is_first);
  Vector gradient(by_noise.data(), by_noise.data() + n);
  gradient.insert(gradient.end(), {by_phi.item(), by_spread.item(), by_level.item()});
  if (!agree(gradient, expected)) return state.SkipWithError("the gradient is wrong");
  for (auto _ : state) {
    benchmark::DoNotOptimize(f(noise, phi, spread, level, y, is_first));
    benchmark::ClobberMemory();
  }
}
/// With the path and its adjoint by hand.
void volatility_by_density(benchmark::State& state) {
  const auto n = static_cast<std::size_t>(state.range(0));
  const Vector x = reference::volatility::start(random_numbers(n)), y = random_numbers(n, 0.2);
  Vector gradient(x.size()), expected(x.size());
  reference::volatility::Workspace workspace, by_hand;
  reference::volatility::gradient(x, y, expected, by_hand);
  reference::volatility::gradient_with_traced_density(x, y, gradient, workspace);
  if (!agree(gradient, expected)) return state.SkipWithError("the gradient is wrong");
  for (auto _ : state) {
    reference::volatility::gradient_with_traced_density(x, y, gradient, workspace);
    benchmark::ClobberMemory();
  }
}
void volatility_by_tape(benchmark::State& state) {
  const auto n = static_cast<std::size_t>(state.range(0));
  const Vector x = reference::volatility::start(random_numbers(n)), y = random_numbers(n, 0.2);
  Vector gradient(x.size()), expected(x.size());
  reference::volatility::Workspace workspace;
  reference::volatility::gradient(x, y, expected, workspace);
  const auto evaluate = [&] {
    return fx::reverse::gradient([&](auto v) { return reference::volatility::log_density(v.data(), y); }, x, std::span(gradient));
  };
  evaluate();
  if (!agree(gradient, expected)) return state.SkipWithError("the gradient is wrong");
  for (auto _ : state) {
    benchmark::DoNotOptimize(evaluate());
    benchmark::ClobberMemory();
  }
}
void volatility_by_hand(benchmark::State& state) {
  const auto n = static_cast<std::size_t>(state.range(0));
  const Vector x = reference::volatility::start(random_numbers(n)), y = random_numbers(n, 0.2);
  Vector gradient(x.size());
  reference::volatility::Workspace workspace;
  for (auto _ : state) {
    reference::volatility::gradient(x, y, gradient, workspace);
    benchmark::ClobberMemory();
  }
}
#if FLUXION_WITH_FASTAD
void volatility_by_fastad(benchmark::State& state) {
  const auto n = static_cast<std::size_t>(state.range(0));
  const Vector start = reference::volatility::start(random_numbers(n)), numbers = random_numbers(n, 0.2);
  const Eigen::VectorXd y = Eigen::Map<const Eigen::VectorXd>(numbers.data(), static_cast<Eigen::Index>(n));
  // Parameters, and behind them the path, which the expression writes.
  Vector x = start, gradient(start.size() + n), expected(start.size());
  x.resize(start.size() + n);
  reference::volatility::Workspace workspace;
  reference::volatility::gradient(start, numbers, expected, workspace);
  double *p = x.data(), *g = gradient.data();
  ad::VarView<double, ad::vec> noise(p, g, n), path(p + n + 3, g + n + 3, n);
  ad::VarView<double> phi(p + n, g + n), spread(p + n + 1, g + n + 1), level(p + n + 2, g + n + 2);
  Vector positions(n - 1);
  std::iota(positions.begin(), positions.end(), 1.0);
  auto steps = (path = noise * spread, path[0] /= ad::sqrt(1. - phi * phi), path += level,
                ad::for_each(positions.begin(), positions.end(), [&](double at) {
                  const auto i = static_cast<std::size_t>(at);
                  return path[i] += phi * (path[i - 1] - level);
                }));
  auto density = ad::normal_adj_log_pdf(y, 0., ad::exp(path / 2.)) + ad::normal_adj_log_pdf(noise, 0., 1.) + ad::cauchy_adj_log_pdf(spread, 0., 5.) +
                 ad::cauchy_adj_log_pdf(level, 0., 10.) + ad::uniform_adj_log_pdf(phi, -1., 1.);
  auto expression = (steps, density);
  measure_fastad(state, expression, gradient, expected);
}
#endif

// ---- names -------------------------------------------------------------------------------------------------------------------------------------

using Case = void (*)(benchmark::State&);
void add(const std::string& name, const char* implementation, Case run, std::initializer_list<long> sizes) {
  for (const long size : sizes) benchmark::RegisterBenchmark(("fastad/" + name + "/" + implementation).c_str(), run)->Arg(size);
}

template <class F>
void add_vector_function() {
  const auto sizes = {64L, 1024L, 16384L};
  add(F::name, "fluxion", &by_fluxion<F>, sizes);
  add(F::name, "fluxion_tape", &by_tape<F>, sizes);
  add(F::name, "value", &value<F>, sizes);
  add(F::name, "hand", &by_hand<F>, sizes);
#if FLUXION_WITH_FASTAD
  add(F::name, "fastad", &by_fastad<F>, sizes);
#endif
#if FLUXION_WITH_CODIPACK
  add(F::name, "codipack", &by_codipack<F>, sizes);
#endif
}

}  // namespace

int main(int count, char** arguments) {
  add_vector_function<Sum>();
  add_vector_function<SumIterated>();
  add_vector_function<Product>();
  add_vector_function<ProductIterated>();
  add_vector_function<LogSumExp>();
  add_vector_function<NormalDensity>();
  add("matrix_product", "fluxion", &product_by_fluxion, {8, 32, 128});
  add("regression", "fluxion", &regression_by_fluxion, {10, 50, 150});
  add("regression", "hand", &regression_by_hand, {10, 50, 150});
  add("stochastic_volatility", "fluxion", &volatility_by_fluxion, {64, 1024, 8192});
  add("stochastic_volatility", "fluxion_density", &volatility_by_density, {64, 1024, 8192});
  add("stochastic_volatility", "fluxion_tape", &volatility_by_tape, {64, 1024, 8192});
  add("stochastic_volatility", "hand", &volatility_by_hand, {64, 1024, 8192});
#if FLUXION_WITH_FASTAD
  add("matrix_product", "fastad", &product_by_fastad, {8, 32, 128});
  add("regression", "fastad", &regression_by_fastad, {10, 50, 150});
  add("stochastic_volatility", "fastad", &volatility_by_fastad, {64, 1024, 8192});
#endif
  benchmark::Initialize(&count, arguments);
  benchmark::RunSpecifiedBenchmarks();
}
