#include <doctest/doctest.h>
#include <fluxion/core/reflection.hpp>

#include <any>
#include <array>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

namespace reflection = fluxion::reflection;
using reflection::member_count;
using reflection::member_name;
using reflection::reflection_status;
using reflection::status;

namespace {

struct Fill {
  std::ptrdiff_t size;
  float value;
};
constexpr Fill ones(std::ptrdiff_t size) { return {size, 1.f}; }

/// A class with constructors, one of them a constrained template, as a parameter has.
template <class T, int Rank>
class Parameter {
 public:
  Parameter() = default;
  constexpr Parameter(Fill fill) : fill_(fill) {}
  template <class E>
    requires requires(const E& e) { e.is_expression(); }
  Parameter(const E&) {}

 private:
  Fill fill_{};
};
using Vector = Parameter<float, 1>;
using Matrix = Parameter<float, 2>;

// ---- what a layer looks like ----

struct Nothing {};
struct Swish {
  Vector beta = ones(1);
  constexpr auto forward(const auto& x) const { return x; }
};
struct Linear {
  std::ptrdiff_t in_features, out_features;
  bool with_bias = true;
  Matrix weight = ones(in_features * out_features);
  Vector bias = with_bias ? ones(out_features) : Fill{0, 0};
};
struct Block {
  Linear first{4, 8};
  Swish activation;
  std::optional<Linear> skip;
  float scale = 0.5f;
};
template <class Inner, class T>
struct Wrapper {
  Inner inner;
  Parameter<T, 1> gain = ones(3);
};
struct Stacks {
  std::array<Linear, 2> pair{Linear{1, 2}, Linear{2, 1}};
  Vector middle;
  Linear stack[2] = {{1, 2}, {3, 4}};
  std::vector<Block> blocks;
  float table[100];
  Vector last;
};
struct ArrayFirst {
  float weights[3];
  Vector after;
};
struct ArrayOfOne {
  float weights[1];
  int matrix[2][3];
};
class Sized {
 public:
  explicit Sized(int) {}
  Sized(int, int) {}
};
struct Obliged {
  Sized one, array[3], two[2];
  std::array<Sized, 3> standard;
  float tail;
};
struct Owner {
  std::unique_ptr<int> pointer;
  std::function<int(int)> function;
  std::string text;
  const Vector constant = ones(1);
  const char* label = "x";
};
struct Wide {
  Vector a0, a1, a2, a3, a4, a5, a6, a7, b0, b1, b2, b3, b4, b5, b6, b7;
  Vector c0, c1, c2, c3, c4, c5, c6, c7, d0, d1, d2, d3, d4, d5, d6, d7;
};
struct Pinned {
  Pinned() = default;
  Pinned(const Pinned&) = delete;
  int value = 0;
};
struct HoldsPinned {
  Pinned pinned;
  int after;
};
enum class Mode { training, inference };
struct Plain {
  bool flag;
  Mode mode;
  double value;
  int* pointer;
  int (*function)(int);
  float Plain::*member;
};
class WithConstructor {
 public:
  static constexpr std::size_t member_count = 2;
  explicit WithConstructor(int in, int out) : weight(ones(in * out)), bias(ones(out)) {}
  Matrix weight;
  Vector bias;
};
struct NamedMemberCount {
  int member_count = 3;
  int other = 4;
};

// ---- bases ----

struct Tag {};
struct OtherTag {};
struct OneTag : Tag {
  Vector a, b;
};
struct TwoTags : Tag, OtherTag {
  Vector a;
  float w[4];
};
struct NestedTag : Tag {
  OneTag inner;
  Vector own;
};
struct OnlyTag : Tag {};
struct OnlyBase : Swish {};
struct BaseAndOwn : Swish {
  Vector more;
};
struct TagThenBase : Tag, Swish {};
struct BaseThenTag : Swish, Tag {
  float own;
};
struct Grandchild : OnlyBase {};
struct BaseOfConstructor : WithConstructor {};
struct Greedy {
  template <class T>
  Greedy(const T&) {}
  Greedy() = default;
  int value = 0;
};
struct GreedyBase : Greedy {};
struct Forwarding {
  template <class T>
  Forwarding(T&&) {}
  Forwarding() = default;
  int value = 0;
};
struct ForwardingBase : Forwarding {};
struct GreedyMembers {
  std::any any;
  Greedy greedy;
  Forwarding forwarding;
  std::optional<Linear> optional;
};

// ---- what cannot be visited ----

int global = 0;
struct LvalueReference {
  int& reference;
  Vector own;
};
struct ConstReference {
  Vector own;
  const int& reference;
};
struct RvalueReference {
  int&& reference;
};
struct ReferenceWithDefault {
  Vector own;
  int& reference = global;
};
struct OnlyReferenceWithDefault {
  int& reference = global;
};
class Private {
 public:
  Vector visible;

 private:
  [[maybe_unused]] Vector hidden;
};
struct OneTooMany {
  char a0, a1, a2, a3, a4, a5, a6, a7, b0, b1, b2, b3, b4, b5, b6, b7;
  char c0, c1, c2, c3, c4, c5, c6, c7, d0, d1, d2, d3, d4, d5, d6, d7, e0;
};
struct HugeArray {
  float table[1000];
};
union Either {
  int i;
  float f;
};
struct ClaimsTooMany {
  static constexpr std::size_t member_count = 33;
};

template <class T>
std::string names() {
  std::string result;
  [&]<std::size_t... I>(std::index_sequence<I...>) {
    ((result += (I ? " " : "") + std::string(member_name<T, I>())), ...);
  }(std::make_index_sequence<member_count<T>>());
  return result;
}

TEST_CASE("members are counted, each array as one") {
  CHECK(member_count<Nothing> == 0);
  CHECK(member_count<Swish> == 1);
  CHECK(member_count<Linear> == 5);
  CHECK(member_count<Block> == 4);
  CHECK(member_count<const Block> == 4);
  CHECK(member_count<Wrapper<Block, double>> == 2);
  CHECK(member_count<Stacks> == 6);
  CHECK(member_count<ArrayFirst> == 2);
  CHECK(member_count<ArrayOfOne> == 2);
  CHECK(member_count<Obliged> == 5);
  CHECK(member_count<Owner> == 5);
  CHECK(member_count<Wide> == 32);
  CHECK(member_count<HoldsPinned> == 2);
  CHECK(member_count<Plain> == 6);
  CHECK(member_count<GreedyMembers> == 4);
}

TEST_CASE("a class with constructors states its number of members") {
  CHECK(member_count<WithConstructor> == 2);
  CHECK(names<WithConstructor>() == "weight bias");
}

TEST_CASE("a data member called member_count is a member like any other") {
  CHECK(names<NamedMemberCount>() == "member_count other");
}

TEST_CASE("members are named as written, in order") {
  CHECK(names<Nothing>() == "");
  CHECK(names<Swish>() == "beta");
  CHECK(names<Linear>() == "in_features out_features with_bias weight bias");
  CHECK(names<Wrapper<Wrapper<Swish, float>, double>>() == "inner gain");
  CHECK(names<Stacks>() == "pair middle stack blocks table last");
  CHECK(names<Obliged>() == "one array two standard tail");
  CHECK(names<Plain>() == "flag mode value pointer function member");
  CHECK(names<Wide>().substr(84) == "d4 d5 d6 d7");
  static_assert(member_name<Linear, 3>() == "weight");
}

TEST_CASE("empty bases do not disturb the members") {
  CHECK(names<OneTag>() == "a b");
  CHECK(names<TwoTags>() == "a w");
  CHECK(names<NestedTag>() == "inner own");
  CHECK(member_count<OnlyTag> == 0);
}

TEST_CASE("a base with members is reported, not skipped") {
  static_assert(reflection_status<OnlyBase> == status::base_with_members);
  static_assert(reflection_status<BaseAndOwn> == status::base_with_members);
  static_assert(reflection_status<TagThenBase> == status::base_with_members);
  static_assert(reflection_status<BaseThenTag> == status::base_with_members);
  static_assert(reflection_status<Grandchild> == status::base_with_members);
  static_assert(reflection_status<BaseOfConstructor> == status::base_with_members);
  static_assert(reflection_status<GreedyBase> == status::base_with_members);
  static_assert(reflection_status<ForwardingBase> == status::base_with_members);
  static_assert(reflection::has_base_with_members<OnlyBase>);
  static_assert(!reflection::has_base_with_members<OneTag>);
}

TEST_CASE("a reference member is reported") {
  static_assert(reflection_status<LvalueReference> == status::reference_or_uncountable);
  static_assert(reflection_status<ConstReference> == status::reference_or_uncountable);
  static_assert(reflection_status<RvalueReference> == status::reference_or_uncountable);
  static_assert(reflection_status<ReferenceWithDefault> == status::reference_or_uncountable);
  static_assert(reflection_status<OnlyReferenceWithDefault> == status::reference_or_uncountable);
}

TEST_CASE("what is no aggregate, or too large, is reported") {
  static_assert(reflection_status<Private> == status::not_aggregate);
  static_assert(reflection_status<int> == status::not_aggregate);
  static_assert(reflection_status<int[3]> == status::not_aggregate);
  static_assert(reflection_status<int&> == status::not_aggregate);
  static_assert(reflection_status<Either> == status::not_aggregate);
  static_assert(reflection_status<std::string> == status::not_aggregate);
  static_assert(reflection_status<std::array<int, 3>> == status::not_aggregate);
  static_assert(reflection_status<std::tuple<int>> == status::not_aggregate);
  static_assert(reflection_status<OneTooMany> == status::too_many);
  static_assert(reflection_status<HugeArray> == status::too_many);
  static_assert(reflection_status<ClaimsTooMany> == status::too_many);
}

TEST_CASE("a refused class has no member_count at all") {
  constexpr bool refused = [](auto object) { return !requires { member_count<decltype(object)>; }; }(OnlyBase());
  CHECK(refused);
}

TEST_CASE("for_each_member visits name and member in order and can write") {
  struct Local {
    int a;
    double b[2];
    float c;
  };
  Local object{1, {2, 3}, 4};
  std::string order;
  reflection::for_each_member(object, [&](std::string_view name, auto& member) {
    order += name;
    if constexpr (requires { member = 7; }) {
      member = 7;
    } else {
      member[1] = 9;
    }
  });
  CHECK(order == "abc");
  CHECK(object.a == 7);
  CHECK(object.b[1] == 9);
  CHECK(object.c == 7);
}

TEST_CASE("for_each_member passes members of a const object as const") {
  const Block block;
  int visited = 0;
  reflection::for_each_member(block, [&](std::string_view, auto& member) {
    static_assert(std::is_const_v<std::remove_reference_t<decltype(member)>>);
    ++visited;
  });
  CHECK(visited == 4);
}

TEST_CASE("the addresses visited are those of the members") {
  WithConstructor layer(2, 3);
  std::vector<const void*> found;
  reflection::for_each_member(layer, [&](std::string_view, auto& member) { found.push_back(&member); });
  CHECK(found == std::vector<const void*>{&layer.weight, &layer.bias});
}

TEST_CASE("visiting works in constant evaluation") {
  constexpr int sum = [] {
    struct Point {
      int x = 1, y = 2, z = 3;
    } point;
    reflection::for_each_member(point, [](std::string_view name, auto& member) { member *= name == "y" ? 10 : 1; });
    int total = 0;
    reflection::for_each_member(std::as_const(point), [&](std::string_view, auto& member) { total += member; });
    return total;
  }();
  static_assert(sum == 24);
}

TEST_CASE("an empty class is visited without a call") {
  Nothing nothing;
  reflection::for_each_member(nothing, [](std::string_view, auto&) { FAIL("no member to visit"); });
}

}  // namespace
