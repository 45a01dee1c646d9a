// Batches of random programs: one program for all examples computes what the program computes for each of them.
// matrix
#include <fluxion/graph/pass/jacobian.hpp>

#include "support/run_plan.hpp"
#include "support/shrink_program.hpp"

#include <doctest/doctest.h>

#include <cstdlib>

using namespace fluxion;
using namespace fluxion::test;

namespace {

int times(int usual) { return std::getenv("FLUXION_FULL") ? 10 * usual : usual; }

using values = std::vector<oracle_value>;

/// Entry `at` along an axis.
oracle_value entry(const oracle_value& whole, std::size_t axis, index_t at) {
  oracle_value v{whole.type, whole.extents, {}};
  v.extents.erase(v.extents.begin() + static_cast<std::ptrdiff_t>(axis));
  index_t inner = 1;
  for (std::size_t k = axis + 1; k < whole.extents.size(); ++k) inner *= whole.extents[k];
  for (std::size_t n = 0; n < whole.data.size(); ++n)
    if (static_cast<index_t>(n) / inner % whole.extents[axis] == at) v.data.push_back(whole.data[n]);
  return v;
}

/// Entries side by side along an axis.
oracle_value stack(const values& entries, std::size_t axis) {
  oracle_value whole{entries[0].type, entries[0].extents, {}};
  whole.extents.insert(whole.extents.begin() + static_cast<std::ptrdiff_t>(axis), static_cast<index_t>(entries.size()));
  std::size_t inner = 1;
  for (std::size_t k = axis; k < entries[0].extents.size(); ++k) inner *= static_cast<std::size_t>(entries[0].extents[k]);
  for (std::size_t n = 0; n < entries[0].data.size(); n += inner)
    for (const oracle_value& e : entries)
      for (std::size_t k = 0; k < inner; ++k) whole.data.push_back(e.data[n + k]);
  return whole;
}

/// A random case and the same for a batch of some of its arguments.
struct batched_case {
  random_case one, all;
  index_t batch = 1;
  std::vector<int> axes;  // of each argument, -1 if it is the same for all
  int out = 0;            // the axis of every output, from the end if negative

  explicit batched_case(random_case c, bool leading = false) : one(std::move(c)) {
    random_bits_source random(one.seed * 3 + 5);
    batch = 1 + random.below(4);
    out = leading ? 0 : random.below(2) - 1;
    all = one;
    const bool known = random.below(2) == 0;
    const auto count = static_cast<int>(one.arguments.size());
    const int certain = random.below(count);
    for (int k = 0; k < count; ++k) {
      const auto rank = static_cast<int>(one.arguments[static_cast<std::size_t>(k)].extents.size());
      const bool chosen = k == certain || random.below(2) == 0;
      const int axis = random.below(rank + 1);
      axes.push_back(!chosen ? -1 : leading ? 0 : axis);
    }
    graph::batch_inputs in{all.code};
    std::vector<int> examples;
    std::vector<shape> shapes;
    for (int k = 0; k < count; ++k) {
      if (axes[static_cast<std::size_t>(k)] < 0) continue;
      examples.push_back(graph::release_argument(all.code, k, axes[static_cast<std::size_t>(k)]));
    }
    std::size_t next = 0;
    for (int k = 0; k < count; ++k) {
      const int axis = axes[static_cast<std::size_t>(k)];
      if (axis < 0) continue;
      const int example = examples[next++];
      const shape s = all.code.shape_of(example);
      shape t;
      t.rank = s.rank + 1;
      for (int a = 0; a < t.rank; ++a) t.extent[a] = a == axis ? (known ? batch : -1) : graph::is_symbol(s.extent[a < axis ? a : a - 1]) ? -1 : s.extent[a < axis ? a : a - 1];
      oracle_value& v = all.arguments[static_cast<std::size_t>(k)];
      values parts;
      for (index_t b = 0; b < batch; ++b) parts.push_back(random_value(v.type, v.extents, one.seed * 64 + static_cast<std::uint64_t>(16 * b + k)));
      v = stack(parts, static_cast<std::size_t>(axis));
      in.add(example, all.code.argument(k, v.type, t), axis);
    }
    list<int> outputs;
    for (const int o : one.code.outputs) outputs.push_back(o);
    all.code.outputs.clear();
    for (const int o : in.replace(outputs, &out, 1)) all.code.outputs.push_back(static_cast<std::int16_t>(o));
    if (all.code.error.code == graph::program_error::none) all.code = graph::eliminate_dead_code(all.code);
  }

  values example(index_t b) const {
    values given = one.arguments;
    for (std::size_t k = 0; k < given.size(); ++k)
      if (axes[k] >= 0) given[k] = entry(all.arguments[k], static_cast<std::size_t>(axes[k]), b);
    return graph::evaluate_oracle(one.code, given, one.scalars);
  }
  values expected() const {
    std::vector<values> found;
    for (index_t b = 0; b < batch; ++b) found.push_back(example(b));
    values result;
    for (std::size_t k = 0; k < found[0].size(); ++k) {
      values parts;
      for (const values& v : found) parts.push_back(v[k]);
      result.push_back(stack(parts, out < 0 ? parts[0].extents.size() : 0));
    }
    return result;
  }
};

/// Without what float32 may lose by underflow.
values without_traces(values v) {
  for (oracle_value& x : v)
    for (double& e : x.data)
      if (std::abs(e) < 1e-30) e = 0;
  return v;
}

template <class Run>
void check_batches(int first, int count, const random_options& options, const Run& run) {
  int failures = 0, too_high = 0;
  for (int n = 0; n < count && failures < 3; ++n) {
    const batched_case c(random_program(static_cast<std::uint64_t>(first + n), options).make());
    if (c.all.code.error.code == graph::program_error::rank_too_high) {
      ++too_high;
      continue;
    }
    REQUIRE(c.all.code.error.code == graph::program_error::none);
    std::string wrong;
    try {
      wrong = compare(without_traces(run(c.all)), without_traces(c.expected()), evaluate_disturbed(c.all), has_single(c.one.code));
    } catch (const Error& e) {
      wrong = e.what();
    }
    if (wrong.empty()) continue;
    ++failures;
    FAIL_CHECK(wrong << "\none:\n" << describe(c.one) << "\nbatch of " << c.batch << ":\n" << describe(c.all));
  }
  CHECK(too_high < count / 20);
}

/// The sum over a batch of the first output, and its derivatives by every argument.
void append_gradients_of_sum(program& p, list<int>& gradients) {
  list<int> outputs, seeds, wrt;
  const int sum = graph::record_reduce(p, graph::opcode_of<operation::sum>, p.outputs[0], 1, false);
  outputs.push_back(sum);
  seeds.push_back(p.constant(p[sum].type, 1));
  for (int i = 0; i < p.size(); ++i)
    if (p.is<operation::argument>(i)) wrt.push_back(i);
  gradients = graph::append_adjoints(p, outputs, seeds, wrt);
  p.outputs.clear();
  for (const int g : gradients) p.outputs.push_back(static_cast<std::int16_t>(g));
}

}  // namespace

TEST_CASE("the batch of a random program computes what the program computes for each example") {
  check_batches(0, times(600), {.elements = 600}, [](const random_case& c) { return graph::evaluate_oracle(c.code, c.arguments, c.scalars); });
}

TEST_CASE("the batch of a random program with gradients computes per-sample gradients") {
  check_batches(20'000, times(300), {.steps = 7, .gradients = true, .elements = 400}, [](const random_case& c) { return graph::evaluate_oracle(c.code, c.arguments, c.scalars); });
}

TEST_CASE("a fused plan of a batch computes what the program computes for each example") {
  check_batches(60'000, times(300), {.gradients = true, .elements = 400}, [](const random_case& c) { return run_plan(c.code, c.arguments, c.scalars, {}); });
}

TEST_CASE("the gradients of a sum over a batch are the gradients of the examples, or their sum where an argument is shared") {
  int checked = 0;
  for (int seed = 0; seed < times(200); ++seed) {
    random_program maker(static_cast<std::uint64_t>(80'000 + seed), {.steps = 6, .smooth = true, .empty_extents = false, .largest = 5, .elements = 100});
    maker.make();
    if (!maker.append_gradients()) continue;
    batched_case c(maker.result(), true);
    if (c.all.code.error.code != graph::program_error::none) continue;
    const values samples = c.expected();  // of the loss, then of the gradients in the order of the arguments' instructions
    const values noisy = evaluate_disturbed(c.all, 1)[0];
    list<int> gradients;
    append_gradients_of_sum(c.all.code, gradients);
    REQUIRE(c.all.code.error.code == graph::program_error::none);
    const values found = graph::evaluate_oracle(c.all.code, c.all.arguments, c.all.scalars);
    std::vector<std::size_t> order_one, order_all;
    for (int i = 0; i < c.one.code.size(); ++i)
      if (c.one.code.is<operation::argument>(i)) order_one.push_back(static_cast<std::size_t>(c.one.code[i].attribute));
    for (int i = 0; i < c.all.code.size(); ++i)
      if (c.all.code.is<operation::argument>(i)) order_all.push_back(static_cast<std::size_t>(c.all.code[i].attribute));
    for (std::size_t a = 0; a < order_all.size(); ++a) {
      std::size_t k = 0;
      while (order_one[k] != order_all[a]) ++k;
      const oracle_value &sample = samples[k + 1], &whole = found[a];
      const std::size_t size = sample.data.size() / static_cast<std::size_t>(c.batch);
      double worst = 0, scale = 1;
      for (std::size_t n = 0; n < (c.axes[order_all[a]] < 0 ? size : sample.data.size()); ++n) {
        double expected = sample.data[n];
        if (c.axes[order_all[a]] < 0)
          for (std::size_t b = 1; b < static_cast<std::size_t>(c.batch); ++b) expected += sample.data[n + b * size];
        scale = std::max(scale, std::abs(expected) + 1e6 * std::abs(sample.data[n] - noisy[k + 1].data[n]));
        worst = std::max(worst, std::abs(whole.data[n] - expected));
      }
      if (!std::isfinite(scale)) continue;
      CHECK_MESSAGE(worst <= 1e-9 * scale, "seed " << seed << " argument " << order_all[a]);
      ++checked;
    }
  }
  CHECK(checked > 100);
}

TEST_CASE("Jacobians of random programs are the same in both modes, as the interpreter computes them") {
  int checked = 0;
  for (int seed = 0; seed < times(150); ++seed) {
    random_case c = random_program(static_cast<std::uint64_t>(90'000 + seed), {.steps = 4, .smooth = true, .empty_extents = false, .largest = 5, .elements = 60}).make();
    list<int> outputs, inputs;
    for (const int o : c.code.outputs) outputs.push_back(o);
    for (int i = 0; i < c.code.size(); ++i)
      if (c.code.is<operation::argument>(i)) inputs.push_back(i);
    for (const bool forward : {true, false}) {
      const list<int> found = graph::append_jacobians(c.code, outputs, inputs, forward);
      if (forward) c.code.outputs.clear();
      for (const int j : found) c.code.outputs.push_back(static_cast<std::int16_t>(j));
    }
    if (c.code.error.code == graph::program_error::rank_too_high) continue;
    REQUIRE(c.code.error.code == graph::program_error::none);
    c.code = graph::eliminate_dead_code(c.code);
    const values found = run_plan(c.code, c.arguments, c.scalars, {}), expected = graph::evaluate_oracle(c.code, c.arguments, c.scalars);
    const std::size_t half = found.size() / 2;
    for (std::size_t k = 0; k < half; ++k) {
      REQUIRE(found[k].extents == expected[k + half].extents);
      double worst = 0, scale = 1;
      for (std::size_t n = 0; n < found[k].data.size(); ++n) {
        scale = std::max(scale, std::abs(expected[k].data[n]));
        for (const double other : {found[k + half].data[n], expected[k].data[n], expected[k + half].data[n]}) worst = std::max(worst, std::abs(found[k].data[n] - other));
      }
      CHECK_MESSAGE(worst <= (has_single(c.code) ? 1e-6 : 1e-9) * scale, describe(c));
      ++checked;
    }
  }
  CHECK(checked > 100);
}
