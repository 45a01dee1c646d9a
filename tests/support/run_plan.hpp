/// Runs a program through a plan and the interpreter, and gives its outputs as the oracle does.
#pragma once
#include <fluxion/graph/execute.hpp>
#include <fluxion/graph/interpret.hpp>
#include <fluxion/graph/oracle.hpp>
#include <fluxion/graph/pass/make_plan.hpp>

#include <vector>

namespace fluxion::test {

/// The product of two matrices by three loops.
inline void contract_naively(const graph::contract_call& call) {
  dispatch(call.type, [&](auto zero) {
    using T = decltype(zero);
    using Sum = std::conditional_t<std::is_floating_point_v<T>, double, std::int64_t>;
    const T* a = reinterpret_cast<const T*>(call.a);
    const T* b = reinterpret_cast<const T*>(call.b);
    T* c = reinterpret_cast<T*>(call.c);
    for (index_t i = 0; i < call.rows; ++i)
      for (index_t j = 0; j < call.columns; ++j) {
        Sum sum = 0;
        for (index_t k = 0; k < call.inner; ++k)
          sum += static_cast<Sum>(a[i * call.a_row + k * call.a_column]) * static_cast<Sum>(b[k * call.b_row + j * call.b_column]);
        c[i * call.c_row + j] = static_cast<T>(sum);
      }
  });
}

/// A tensor in memory of its own; elements that lie apart have rubbish between them.
struct memory_value {
  std::vector<std::byte> bytes;
  graph::descriptor d;

  memory_value(element_type type, const std::vector<index_t>& extents, bool apart) {
    const int rank = static_cast<int>(extents.size());
    index_t stride = 1;
    for (int axis = rank - 1; axis >= 0; --axis) {
      d.extent[axis] = extents[static_cast<std::size_t>(axis)];
      if (apart) stride = axis == rank - 1 ? 2 : stride + 1;
      d.stride[axis] = stride;
      stride *= d.extent[axis] > 0 ? d.extent[axis] : 1;
    }
    bytes.assign(static_cast<std::size_t>(stride + 8) * size_of(type), std::byte{1});
    d.data = bytes.data();
  }
  template <class T, class F>
  void each(const std::vector<index_t>& extents, F f) {
    index_t total = 1;
    for (const index_t e : extents) total *= e;
    for (index_t n = 0; n < total; ++n) {
      index_t rest = n, offset = 0;
      for (std::size_t axis = extents.size(); axis-- > 0;) {
        offset += rest % extents[axis] * d.stride[axis];
        rest /= extents[axis];
      }
      f(reinterpret_cast<T*>(bytes.data())[offset], static_cast<std::size_t>(n));
    }
  }
};

/// Runs a plan: `execute(inputs, outputs, symbols)` does it, once the extents are bound. Throws what binding and running throw.
template <class Execute>
std::vector<graph::oracle_value> run_view(const graph::plan_view& v, const std::vector<graph::oracle_value>& arguments, const Execute& execute) {
  std::vector<memory_value> in, out;
  for (std::size_t k = 0; k < arguments.size(); ++k) {
    bool apart = false;
    for (int i = 0; i < v.instruction_count; ++i) {
      const graph::instruction& x = v.instructions[i];
      if (x.operation == graph::opcode_of<operation::argument> && x.attribute == static_cast<int>(k) && (x.flags & graph::strided_flag)) apart = true;
    }
    in.emplace_back(arguments[k].type, arguments[k].extents, apart);
    dispatch(arguments[k].type, [&](auto zero) {
      using T = decltype(zero);
      in.back().each<T>(arguments[k].extents, [&](T& x, std::size_t n) { x = static_cast<T>(arguments[k].data[n]); });
    });
  }
  std::vector<graph::descriptor> inputs, outputs;
  for (const memory_value& m : in) inputs.push_back(m.d);
  std::vector<index_t> symbols(static_cast<std::size_t>(v.symbol_count + 1));
  graph::bind(v, inputs.data(), symbols.data());
  std::vector<graph::oracle_value> result;
  for (int k = 0; k < v.output_count; ++k) {
    const graph::instruction& x = v.instructions[v.outputs[k]];
    graph::oracle_value r;
    r.type = x.type;
    r.extents.resize(static_cast<std::size_t>(v.shape_of(v.outputs[k]).rank));
    graph::output_extents(v, k, symbols.data(), r.extents.data());
    out.emplace_back(r.type, r.extents, k == 1);
    result.push_back(r);
  }
  for (const memory_value& m : out) outputs.push_back(m.d);
  execute(inputs.data(), outputs.data(), symbols.data());
  for (std::size_t k = 0; k < result.size(); ++k)
    dispatch(result[k].type, [&](auto zero) {
      using T = decltype(zero);
      out[k].each<T>(result[k].extents, [&](T& x, std::size_t) { result[k].data.push_back(static_cast<double>(x)); });
    });
  return result;
}

/// Plans and runs through the interpreter. Throws what planning, binding and running throw.
inline std::vector<graph::oracle_value> run_plan(const graph::program& p, const std::vector<graph::oracle_value>& arguments,
                                                 const std::vector<graph::scalar_value>& scalars, const graph::plan_options& options,
                                                 graph::counters* count = nullptr) {
  const graph::plan q = graph::make_plan(p, options);
  if (q.code.size() == 0 && p.size() > 0) raise<Error>("the program could not be planned");
  const graph::plan_view v = graph::view_of(q);
  return run_view(v, arguments, [&](const graph::descriptor* inputs, const graph::descriptor* outputs, const index_t* symbols) {
    const std::vector<graph::loop_function> loops(static_cast<std::size_t>(v.kernel_count + 1), &graph::interpret_loop);
    graph::device_functions device;
    device.loops = loops.data();
    device.contract = &contract_naively;
    graph::execute(v, device, inputs, scalars.data(), outputs, symbols, count);
  });
}

}  // namespace fluxion::test
