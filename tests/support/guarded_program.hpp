/// Programs written by a test, compiled with it, and run in memory behind which nothing may be touched.
#pragma once
#include <fluxion/graph/function/composition.hpp>
#include <fluxion/graph/oracle.hpp>
#include <fluxion/graph/pass/differentiate.hpp>
#include <fluxion/tensor/evaluate.hpp>

#include <cmath>
#include <cstddef>
#include <cstring>
#include <initializer_list>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#if __has_include(<sys/mman.h>) && __has_include(<unistd.h>)
#include <sys/mman.h>
#include <unistd.h>
#define FLUXION_TEST_PAGES 1
#endif

namespace fluxion::test {

/// An extent that is known at run time.
inline constexpr index_t any = -1;

constexpr graph::shape shape_of(std::initializer_list<index_t> extents) {
  graph::shape s;
  for (const index_t e : extents) s.extent[s.rank++] = static_cast<graph::extent_t>(e);
  return s;
}

/// Records arguments and scalars in order.
struct recorder {
  graph::program program;
  int arguments = 0;
  int scalars = 0;
  template <class T>
  constexpr Symbol argument(std::initializer_list<index_t> extents) {
    return {program, program.argument(arguments++, element_type_of<T>, shape_of(extents))};
  }
  constexpr Symbol integer() { return {program, program.scalar(scalars++, element_type::int64, true)}; }
  constexpr void output(const Symbol& x) { program.outputs.push_back(static_cast<std::int16_t>(x.index())); }
  /// The adjoints of `y` for a seed, as outputs.
  constexpr void gradients(const Symbol& y, int seed, std::initializer_list<Symbol> wrt) {
    list<int> outputs, seeds, of;
    outputs.push_back(y.index());
    seeds.push_back(seed);
    for (const Symbol& w : wrt) of.push_back(w.index());
    for (const int g : graph::append_adjoints(program, outputs, seeds, of)) program.outputs.push_back(static_cast<std::int16_t>(g));
  }
};

/// Memory whose end is the end of what the process may touch, where the system has pages to take away.
class guarded_memory {
 public:
  explicit guarded_memory(std::size_t bytes) : bytes_(bytes) {
#if defined(FLUXION_TEST_PAGES)
    const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
    whole_ = (bytes + page - 1) / page * page + page;
    pages_ = static_cast<std::byte*>(mmap(nullptr, whole_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    mprotect(pages_ + whole_ - page, page, PROT_NONE);
    data_ = pages_ + whole_ - page - bytes;
#else
    memory_.resize(bytes + 64);
    data_ = memory_.data();
#endif
  }
  guarded_memory(const guarded_memory&) = delete;
  ~guarded_memory() {
#if defined(FLUXION_TEST_PAGES)
    munmap(pages_, whole_);
#endif
  }
  std::byte* data() const { return data_; }
  std::size_t size() const { return bytes_; }

 private:
  std::size_t bytes_ = 0;
  std::byte* data_ = nullptr;
#if defined(FLUXION_TEST_PAGES)
  std::size_t whole_ = 0;
  std::byte* pages_ = nullptr;
#else
  std::vector<std::byte> memory_;
#endif
};

/// A value for each element of an argument.
using numbers_function = double (*)(element_type, index_t);

inline double ordinary_numbers(element_type type, index_t i) {
  const auto bits = static_cast<std::uint32_t>(i + 1) * 2654435761u >> 8;
  if (type == element_type::boolean) return static_cast<double>(bits & 1);
  if (!is_floating(type)) return static_cast<double>(bits % 3) - (bits % 32 == 0 ? 5. : 0.);
  return static_cast<double>(bits) / 16777216. * 4 - 2;
}
inline double special_numbers(element_type type, index_t i) {
  if (!is_floating(type) || i % 7 != 3) return ordinary_numbers(type, i);
  constexpr double all[] = {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity(), -std::numeric_limits<double>::infinity(),
                            80, -80};
  return all[static_cast<std::size_t>(i / 7 % 5)];
}

/// Runs the compiled program of Source with every run-time extent n, and the oracle. Returns where they differ, or "".
template <class Source>
std::string difference_from_oracle(index_t n, numbers_function numbers = ordinary_numbers) {
  const graph::program code = graph::thaw(graph::constant_program<Source>::value);
  if (code.error.code != graph::program_error::none) return "the program was not recorded";
  fluxion::detail::plan_call<Source> call;
  std::vector<graph::oracle_value> arguments(static_cast<std::size_t>(call.argument_count));
  std::vector<std::unique_ptr<guarded_memory>> memory;
  const auto place = [&](graph::descriptor& d, element_type type, const std::vector<index_t>& extents) {
    std::size_t size = size_of(type);
    for (std::size_t axis = 0; axis < extents.size(); ++axis) {
      d.extent[axis] = extents[axis];
      size *= static_cast<std::size_t>(extents[axis]);
    }
    graph::detail::contiguous_strides(d, static_cast<int>(extents.size()));
    memory.push_back(std::make_unique<guarded_memory>(size));
    d.data = memory.back()->data();
    return static_cast<index_t>(size / size_of(type));
  };
  for (int i = 0; i < code.size(); ++i) {
    if (!code.is<operation::argument>(i)) continue;
    const auto number = static_cast<std::size_t>(code[i].attribute);
    graph::oracle_value& x = arguments[number];
    x.type = code[i].type;
    for (int axis = 0; axis < code.shape_of(i).rank; ++axis) {
      const graph::extent_t e = code.shape_of(i).extent[axis];
      x.extents.push_back(graph::is_symbol(e) ? n : static_cast<index_t>(e));
    }
    const index_t size = place(call.arguments[number], x.type, x.extents);
    fluxion::dispatch(x.type, [&](auto zero) {
      using T = decltype(zero);
      for (index_t k = 0; k < size; ++k) {
        const T value = static_cast<T>(numbers(x.type, k + static_cast<index_t>(number) * 1000));
        reinterpret_cast<T*>(call.arguments[number].data)[k] = value;
        x.data.push_back(static_cast<double>(value));
      }
    });
  }
  std::vector<graph::scalar_value> scalars;
  for (int k = 0; k < call.scalar_count; ++k) {
    scalars.push_back(graph::scalar_value(std::int64_t{12345} + k));
    call.scalars[k] = scalars.back();
  }
  const std::vector<graph::oracle_value> expected = graph::evaluate_oracle(code, arguments, scalars);
  call.check();
  std::vector<graph::descriptor> outputs(expected.size());
  for (std::size_t k = 0; k < expected.size(); ++k) place(outputs[k], expected[k].type, expected[k].extents);
  call.run(outputs.data());
  for (std::size_t k = 0; k < expected.size(); ++k) {
    const double tolerance = expected[k].type == element_type::float64 ? 1e-11 : 1e-4;
    std::string wrong;
    fluxion::dispatch(expected[k].type, [&](auto zero) {
      using T = decltype(zero);
      for (std::size_t i = 0; i < expected[k].data.size() && wrong.empty(); ++i) {
        const double own = static_cast<double>(reinterpret_cast<const T*>(outputs[k].data)[i]), other = expected[k].data[i];
        const bool same = own == other || (std::isnan(own) && std::isnan(other)) || std::abs(own - other) <= tolerance * (1 + std::abs(other));
        if (!same)
          wrong = "extent " + std::to_string(n) + ", output " + std::to_string(k) + ", element " + std::to_string(i) + ": " + std::to_string(own) +
                  " instead of " + std::to_string(other);
      }
    });
    if (!wrong.empty()) return wrong;
  }
  return "";
}

}  // namespace fluxion::test
