#include <doctest/doctest.h>
#include <fluxion/core/random.hpp>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>
#include <string>
#include <vector>

using namespace fluxion;

namespace {

using Words = std::array<std::uint32_t, 4>;

struct Moments {
  double mean = 0, variance = 0, skewness = 0, kurtosis = 0;
};

template <class T>
Moments moments_of(const std::vector<T>& values) {
  const double n = static_cast<double>(values.size());
  Moments m;
  for (T v : values) m.mean += static_cast<double>(v) / n;
  for (T v : values) {
    const double d = static_cast<double>(v) - m.mean;
    m.variance += d * d / n;
    m.skewness += d * d * d / n;
    m.kurtosis += d * d * d * d / n;
  }
  m.skewness /= std::pow(m.variance, 1.5);
  m.kurtosis /= m.variance * m.variance;
  return m;
}

/// Kolmogorov's distance between a sample and a distribution function, times sqrt(n): below 1.95 in 999 of 1000 samples.
template <class T, class F>
double kolmogorov(std::vector<T> values, F distribution) {
  std::sort(values.begin(), values.end());
  const double n = static_cast<double>(values.size());
  double distance = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double expected = distribution(static_cast<double>(values[i]));
    distance = std::max({distance, expected - static_cast<double>(i) / n, static_cast<double>(i + 1) / n - expected});
  }
  return distance * std::sqrt(n);
}

double uniform_distribution(double x) { return x; }
double normal_distribution(double x) { return 0.5 * std::erfc(-x / std::sqrt(2.)); }

/// Correlation of neighbours at a distance, times sqrt(n): about standard normal for independent values.
template <class T>
double lag_correlation(const std::vector<T>& values, std::size_t lag) {
  const Moments m = moments_of(values);
  double sum = 0;
  for (std::size_t i = lag; i < values.size(); ++i) {
    sum += (static_cast<double>(values[i]) - m.mean) * (static_cast<double>(values[i - lag]) - m.mean);
  }
  return sum / m.variance / std::sqrt(static_cast<double>(values.size()));
}

constexpr std::size_t sample = 100'000;

TEST_CASE("philox4x32 gives the published answers, in constant evaluation too") {
  constexpr std::uint32_t ones = 0xffffffff;
  static_assert(philox4x32({0, 0, 0, 0}, {0, 0}) == Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
  static_assert(philox4x32({ones, ones, ones, ones}, {ones, ones}) ==
                Words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
  static_assert(philox4x32({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}) ==
                Words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});
  CHECK(philox4x32({0, 0, 0, 0}, {0, 0})[0] == 0x6627e8d5);
}

TEST_CASE("word i of a stream is word i % 4 of block offset + i / 4") {
  constexpr PhiloxKey key{7, 9};
  static_assert(random_bits(key, 0, 0) == philox4x32({0, 0, 0, 0}, key)[0]);
  for (std::uint64_t i = 0; i < 20; ++i) {
    CHECK(random_bits(key, 5, i) == random_bits(key, 5 + i / 4, i % 4));
    CHECK(random_bits(key, 5, i) == philox4x32({static_cast<std::uint32_t>(5 + i / 4), 0, 0, 0}, key)[i % 4]);
  }
  CHECK(random_bits(key, std::uint64_t{3} << 32, 6) == philox4x32({1, 3, 0, 0}, key)[2]);
  CHECK(random_bits(key, 0xffffffff, 4) == philox4x32({0, 1, 0, 0}, key)[0]);
}

TEST_CASE("both halves of a seed change the key") {
  constexpr Generator generator(0x0123456789abcdef);
  static_assert(generator.key() == PhiloxKey{0x89abcdef, 0x01234567});
  static_assert(generator.seed() == 0x0123456789abcdef);
  static_assert(Generator().seed() == 0 && Generator().offset() == 0);
  CHECK(random_bits(Generator(1).key(), 0, 0) != random_bits(Generator(std::uint64_t{1} << 32).key(), 0, 0));
}

TEST_CASE("reservations do not overlap, whatever their lengths") {
  Generator generator(3);
  std::set<std::uint64_t> blocks;
  std::size_t expected = 0;
  for (std::uint64_t words : {0u, 1u, 2u, 3u, 4u, 5u, 0u, 8u, 9u, 1000u, 1u}) {
    const std::uint64_t offset = generator.reserve(words);
    for (std::uint64_t i = 0; i < words; i += 4) blocks.insert(offset + i / 4);
    expected += static_cast<std::size_t>((words + 3) / 4);
  }
  CHECK(blocks.size() == expected);
  CHECK(generator.offset() == expected);
  CHECK(generator.reserve(0) == generator.reserve(0));
  Generator huge;
  huge.reserve(~std::uint64_t{0});
  CHECK(huge.offset() == std::uint64_t{1} << 62);
}

TEST_CASE("a generator resumes from its seed and offset") {
  Generator generator(11);
  std::vector<float> before(10), after(10), resumed(10);
  fill_normal(before, generator);
  Generator restored(generator.seed(), generator.offset());
  CHECK(restored == generator);
  fill_normal(after, generator);
  fill_normal(resumed, restored);
  CHECK(after == resumed);
  CHECK(before != after);
}

TEST_CASE("uniform numbers reach zero and stay below one") {
  static_assert(uniform_float(0) == 0.f);
  static_assert(uniform_float(0xffffffff) == 1.f - 0x1p-24f);
  static_assert(uniform_float(0x80000000) == 0.5f);
  static_assert(uniform_double(0, 0) == 0.);
  static_assert(uniform_double(0xffffffff, 0xffffffff) == 1. - 0x1p-53);
  static_assert(uniform_double(0, 1u << 11) == 0x1p-53);
}

TEST_CASE("uniform_below multiplies to 128 bits") {
  constexpr std::uint64_t most = ~std::uint64_t{0};
  static_assert(uniform_below(most, most) == most - 1);
  static_assert(uniform_below(most, 1) == 0);
  static_assert(uniform_below(most, 10) == 9);
  static_assert(uniform_below(0, 10) == 0);
  static_assert(uniform_below(std::uint64_t{1} << 63, 7) == 3);
  static_assert(uniform_below(0x123456789abcdef0, 0xfedcba9876543210) == 0x121fa00ad77d7422);
}

TEST_CASE("a normal pair is the exact transform to within rounding, at the extremes too") {
  const std::uint32_t bits[] = {0, 1, 0xff, 0x12345678, 0x40000000, 0x80000000, 0xc0000001, 0xfffffffe, 0xffffffff};
  double worst = 0;
  for (std::uint64_t i = 0; i < 2000; ++i) {
    const bool edge = i < 81;
    const std::uint32_t a = edge ? bits[i / 9] : random_bits({1, 2}, 0, 2 * i);
    const std::uint32_t b = edge ? bits[i % 9] : random_bits({1, 2}, 0, 2 * i + 1);
    const auto pair = normal_pair(a, b);
    const double radius = std::sqrt(-2 * std::log1p((a + 0.5) * 0x1p-32 - 1));
    const double angle = 2 * std::acos(-1.) * (b >> 8) * 0x1p-24;
    worst = std::max({worst, std::abs(pair[0] - radius * std::cos(angle)), std::abs(pair[1] - radius * std::sin(angle))});
    CHECK(std::isfinite(pair[0]));
    CHECK(std::isfinite(pair[1]));
  }
  CHECK(worst < 4e-6);
  for (std::uint32_t word : {0u, 0xffffffffu}) {
    const auto pair = normal_pair(Words{word, word, 0, 0});
    CHECK(std::isfinite(pair[0]));
    CHECK(std::abs(pair[0]) < 8.6);
  }
}

TEST_CASE_TEMPLATE("what a fill writes at i depends on key, offset and i alone", T, float, double) {
  Generator generator(42, 17);
  const PhiloxKey key = generator.key();
  for (std::size_t n : {1u, 2u, 3u, 4u, 5u, 7u, 31u}) {
    std::vector<T> uniform(n), normal(n);
    const std::uint64_t uniform_offset = generator.offset();
    fill_uniform(uniform, generator);
    const std::uint64_t normal_offset = generator.offset();
    fill_normal(normal, generator);
    CHECK(normal_offset > uniform_offset);
    for (std::size_t i = n; i-- > 0;) {
      CHECK(uniform[i] == random_uniform<T>(key, uniform_offset, i));
      CHECK(normal[i] == random_normal<T>(key, normal_offset, i));
    }
  }
}

TEST_CASE("uniform floats are the words of the stream, doubles two words each") {
  constexpr PhiloxKey key{5, 6};
  for (std::uint64_t i = 0; i < 9; ++i) {
    CHECK(random_uniform<float>(key, 2, i) == uniform_float(random_bits(key, 2, i)));
    CHECK(random_uniform<double>(key, 2, i) ==
          uniform_double(random_bits(key, 2, 2 * i), random_bits(key, 2, 2 * i + 1)));
  }
}

TEST_CASE_TEMPLATE("the same seed repeats and another does not", T, float, double) {
  std::vector<T> first(100), second(100), other(100);
  Generator a(1), b(1), c(2);
  fill_uniform(first, a);
  fill_uniform(second, b);
  fill_uniform(other, c);
  CHECK(first == second);
  CHECK(first != other);
  fill_uniform(second, b);
  CHECK(first != second);
}

TEST_CASE_TEMPLATE("uniform numbers have the moments and the distribution of uniform numbers", T, float, double) {
  Generator generator(2026);
  std::vector<T> values(sample);
  fill_uniform(values, generator);
  const Moments m = moments_of(values);
  const double root = std::sqrt(static_cast<double>(sample));
  CHECK(std::abs(m.mean - 0.5) < 3.5 * std::sqrt(1. / 12) / root);
  CHECK(std::abs(m.variance - 1. / 12) < 3.5 * std::sqrt(1. / 180) / root);
  CHECK(kolmogorov(values, uniform_distribution) < 1.95);
  for (std::size_t lag : {1u, 2u, 3u, 4u, 8u}) CHECK(std::abs(lag_correlation(values, lag)) < 3.5);
}

TEST_CASE_TEMPLATE("normal numbers have the moments and the distribution of normal numbers", T, float, double) {
  Generator generator(2027);
  std::vector<T> values(sample);
  fill_normal(values, generator);
  const Moments m = moments_of(values);
  const double root = std::sqrt(static_cast<double>(sample));
  CHECK(std::abs(m.mean) < 3.5 / root);
  CHECK(std::abs(m.variance - 1) < 3.5 * std::sqrt(2.) / root);
  CHECK(std::abs(m.skewness) < 3.5 * std::sqrt(6.) / root);
  CHECK(std::abs(m.kurtosis - 3) < 3.5 * std::sqrt(24.) / root);
  CHECK(kolmogorov(values, normal_distribution) < 1.95);
  for (std::size_t lag : {1u, 2u, 3u, 4u}) CHECK(std::abs(lag_correlation(values, lag)) < 3.5);
}

TEST_CASE_TEMPLATE("a range and a scale are applied", T, float, double) {
  Generator generator(8);
  std::vector<T> values(sample);
  fill_uniform(values, generator, T(-3), T(5));
  CHECK(*std::min_element(values.begin(), values.end()) >= T(-3));
  CHECK(*std::max_element(values.begin(), values.end()) < T(5));
  CHECK(moments_of(values).mean == doctest::Approx(1).epsilon(0.02));
  fill_normal(values, generator, T(10), T(2));
  CHECK(moments_of(values).mean == doctest::Approx(10).epsilon(0.002));
  CHECK(moments_of(values).variance == doctest::Approx(4).epsilon(0.02));
}

TEST_CASE("rounding never reaches the upper bound") {
  Generator generator(9);
  std::vector<float> values(4096);
  const float high = std::nextafter(16777216.f, 2e7f);
  fill_uniform(values, generator, 16777216.f, high);
  CHECK(std::all_of(values.begin(), values.end(), [&](float v) { return v >= 16777216.f && v < high; }));
  fill_uniform(values, generator, 3.f, 3.f);
  CHECK(std::all_of(values.begin(), values.end(), [](float v) { return v == 3.f; }));
  fill_normal(values, generator, 3.f, 0.f);
  CHECK(std::all_of(values.begin(), values.end(), [](float v) { return v == 3.f; }));
}

TEST_CASE("bounds and deviations that mean nothing are refused") {
  Generator generator;
  std::vector<float> values(3);
  const float nan = std::nanf("");
  CHECK_THROWS_AS(fill_uniform(values, generator, 1.f, 0.f), ValueError);
  CHECK_THROWS_AS(fill_uniform(values, generator, 0.f, nan), ValueError);
  CHECK_THROWS_AS(fill_uniform(values, generator, -3e38f, 3e38f), ValueError);
  CHECK_THROWS_AS(fill_normal(values, generator, 0.f, -1.f), ValueError);
  CHECK_THROWS_AS(fill_normal(values, generator, 0.f, nan), ValueError);
  CHECK_THROWS_WITH_AS(permutation(-1, generator), "permutation: n must not be negative, found -1", ValueError);
  CHECK(generator.offset() == 0);
}

TEST_CASE("a permutation holds every number once") {
  Generator generator(4);
  for (std::int64_t n : {0, 1, 2, 3, 10, 1001}) {
    std::vector<std::int64_t> values = permutation(n, generator), sorted(static_cast<std::size_t>(n));
    if (n > 9) CHECK(!std::is_sorted(values.begin(), values.end()));
    std::sort(values.begin(), values.end());
    std::iota(sorted.begin(), sorted.end(), 0);
    CHECK(values == sorted);
  }
}

TEST_CASE("every order of four elements is about equally frequent") {
  Generator generator(5);
  std::vector<int> count(256);
  const int trials = 24'000;
  for (int trial = 0; trial < trials; ++trial) {
    const auto p = permutation(4, generator);
    ++count[static_cast<std::size_t>(((p[0] * 4 + p[1]) * 4 + p[2]) * 4 + p[3])];
  }
  double chi_squared = 0;
  int seen = 0;
  for (int c : count) {
    if (c == 0) continue;
    ++seen;
    chi_squared += (c - trials / 24.) * (c - trials / 24.) / (trials / 24.);
  }
  CHECK(seen == 24);
  CHECK(chi_squared < 49.7);  // 23 degrees of freedom, one sample in a thousand lies above
}

TEST_CASE("nothing and one element are filled and shuffled without harm") {
  Generator generator(6);
  std::vector<float> nothing;
  fill_uniform(nothing, generator);
  fill_normal(nothing, generator);
  shuffle(std::span(nothing), generator);
  CHECK(permutation(0, generator).empty());
  CHECK(generator.offset() == 0);
  std::array<std::string, 1> one{"only"};
  shuffle(std::span(one), generator);
  CHECK(one[0] == "only");
  CHECK(permutation(1, generator) == std::vector<std::int64_t>{0});
  std::array<float, 1> single{7};
  fill_uniform(single, generator);
  CHECK(single[0] < 1);
  CHECK(generator.offset() == 1);
}

TEST_CASE("shuffling and uniform numbers work in constant evaluation") {
  constexpr auto shuffled = [] {
    std::array<int, 5> values{1, 2, 3, 4, 5};
    Generator generator(1);
    shuffle(std::span(values), generator);
    return values;
  }();
  static_assert(shuffled[0] + shuffled[1] + shuffled[2] + shuffled[3] + shuffled[4] == 15);
  constexpr auto filled = [] {
    std::array<double, 3> values{};
    Generator generator(1);
    fill_uniform(std::span<double>(values), generator);
    return values;
  }();
  Generator generator(1);
  std::array<double, 3> again{};
  fill_uniform(again, generator);
  CHECK(filled == again);
}

}  // namespace
