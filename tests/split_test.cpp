/// Stratified splits.
#include <doctest/doctest.h>
#include <fluxion/data/split.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

namespace fx = fluxion;

namespace {

std::vector<std::int64_t> some_labels() {
  std::vector<std::int64_t> labels;
  for (int i = 0; i < 1000; ++i) labels.push_back(i % 7 == 0 ? -3 : i % 3);
  return labels;
}

}  // namespace

TEST_CASE("each position is in exactly one part, and the parts are ascending") {
  const auto labels = some_labels();
  const fx::Split split = fx::stratified_split(labels, 0.3, 1);
  std::vector<fx::index_t> all = split.train;
  all.insert(all.end(), split.test.begin(), split.test.end());
  std::sort(all.begin(), all.end());
  REQUIRE(all.size() == labels.size());
  for (std::size_t i = 0; i < all.size(); ++i) REQUIRE(all[i] == static_cast<fx::index_t>(i));
  CHECK(std::is_sorted(split.train.begin(), split.train.end()));
  CHECK(std::is_sorted(split.test.begin(), split.test.end()));
}

TEST_CASE("every class is split by the fraction to within half an example") {
  const auto labels = some_labels();
  for (const double fraction : {0.0, 0.1, 0.25, 0.5, 0.9, 1.0}) {
    const fx::Split split = fx::stratified_split(labels, fraction, 5);
    for (const std::int64_t label : {-3, 0, 1, 2}) {
      const auto has_label = [&](fx::index_t i) { return labels[static_cast<std::size_t>(i)] == label; };
      const auto in_test = std::count_if(split.test.begin(), split.test.end(), has_label);
      const auto total = std::count(labels.begin(), labels.end(), label);
      CHECK(std::abs(static_cast<double>(in_test) - fraction * static_cast<double>(total)) <= 0.5);
    }
  }
}

TEST_CASE("equal seeds give equal splits and different seeds different ones") {
  const auto labels = some_labels();
  CHECK(fx::stratified_split(labels, 0.5, 9).test == fx::stratified_split(labels, 0.5, 9).test);
  CHECK(fx::stratified_split(labels, 0.5, 9).test != fx::stratified_split(labels, 0.5, 10).test);
}

TEST_CASE("a seed gives the same split on every machine") {
  const std::vector<std::int64_t> labels(10, 4);
  CHECK(fx::stratified_split(labels, 0.5, 0).test == std::vector<fx::index_t>{2, 3, 6, 8, 9});
}

TEST_CASE("every example is chosen about equally often") {
  const std::vector<std::int64_t> labels(10, 1);
  std::array<int, 10> chosen{};
  constexpr int rounds = 10'000;
  for (std::uint64_t seed = 0; seed < rounds; ++seed)
    for (const fx::index_t i : fx::stratified_split(labels, 0.3, seed).test) ++chosen[static_cast<std::size_t>(i)];
  // Five standard deviations of a binomial with p = 0.3.
  for (const int count : chosen) CHECK(std::abs(count - 0.3 * rounds) < 5 * std::sqrt(0.3 * 0.7 * rounds));
}

TEST_CASE("no labels give an empty split") {
  const fx::Split split = fx::stratified_split({}, 0.5, 0);
  CHECK(split.train.empty());
  CHECK(split.test.empty());
}

TEST_CASE("a fraction that is not one is refused") {
  for (const double fraction : {-0.1, 1.1, std::numeric_limits<double>::quiet_NaN()})
    CHECK_THROWS_AS(fx::stratified_split({}, fraction, 0), fx::ValueError);
}
