/// Layers as plain structs: sizes first, then parameters whose initialisers use the sizes. Training is a tag of the call: `forward(x)` is
/// inference, `forward(x, train(generator))` is training.
#pragma once
#include "../core/random.hpp"
#include "../graph/function/composition.hpp"
#include "module.hpp"

#include <cmath>
#include <cstdint>
#include <span>

namespace fluxion {

/// The tag of training: where the random numbers of this call come from. Made by `train(generator)`.
struct Train {
  std::int64_t key = 0;
  std::int64_t offset = 0;
  constexpr Train as_leaf() const { return *this; }
};

/// The tag of training while a model is traced.
struct TracedTrain {
  Symbol key;
  Symbol offset;
  /// Uniform numbers of x's shape that no other call in this trace gets.
  constexpr Symbol uniform(const Symbol& x) const {
    graph::program& p = x.program();
    std::int64_t stream = 0;
    for (int i = 0; i < p.size(); ++i) stream += p.is<operation::uniform>(i);
    // 2^32 blocks each, far below the 2^38 of a call.
    return x.at(graph::record_uniform(p, key.index(), (offset + (stream << 32)).index(), x.shape(), x.type()));
  }
};

/// Training with this generator's next numbers: takes 2^40 words, so that each of up to 64 random layers has its own.
constexpr Train train(Generator& generator) {
  const std::uint64_t seed = generator.seed();
  return {static_cast<std::int64_t>(seed), static_cast<std::int64_t>(generator.reserve(std::uint64_t{1} << 40))};
}

template <>
struct argument_traits<Train> {
  static constexpr int arguments = 0, scalars = 2;
  static constexpr TracedTrain lower(detail::lowering& l) {
    const Symbol key(l.program, l.program.scalar(l.scalars, element_type::int64, false));
    const Symbol offset(l.program, l.program.scalar(l.scalars + 1, element_type::int64, false));
    l.scalars += 2;
    return {key, offset};
  }
  static void bind(const Train& x, auto& b) {
    b.add(graph::scalar_value(x.key));
    b.add(graph::scalar_value(x.offset));
  }
  static bool changed(const Train&) { return false; }
};

namespace nn {

/// The generator of initial parameters on this thread.
inline Generator& default_generator() {
  thread_local Generator generator(0);
  return generator;
}
/// Restarts the initial parameters of layers made on this thread.
inline void manual_seed(std::uint64_t seed) { default_generator() = Generator(seed); }

/// Uniform in [-1/√fan_in, 1/√fan_in), as PyTorch initialises Linear (He et al. 2015, arXiv:1502.01852, with slope √5).
struct kaiming_uniform_filler {
  using fluxion_filler = void;
  index_t fan_in;
  template <class T, Extents E>
  void fill(T* data, const E& e) const {
    const T bound = fan_in > 0 ? T(1) / std::sqrt(static_cast<T>(fan_in)) : T(0);
    if (e.size() > 0) fill_uniform(std::span<T>(data, static_cast<std::size_t>(e.size())), default_generator(), -bound, bound);
  }
};
template <class... I>
constexpr sized_filler<kaiming_uniform_filler, dims<sizeof...(I)>> kaiming_uniform(index_t fan_in, I... e) {
  return {{fan_in}, dims<sizeof...(I)>(static_cast<index_t>(e)...)};
}

/// y = x weightᵀ + bias. x: [..., in_features]; y: [..., out_features]; weight: [out_features, in_features].
template <class T = float>
struct BasicLinear {
  index in_features;
  index out_features;
  Parameter<T, dims<2>> weight = kaiming_uniform(in_features, out_features, in_features);
  Parameter<T, dims<1>> bias = kaiming_uniform(in_features, out_features);
  constexpr auto forward(const auto& x) const { return matmul(x, transpose<-2, -1>(weight)) + bias; }
};
using Linear = BasicLinear<float>;

/// Layers one after the other: `Sequential{Linear{784, 128}, ReLU{}, Linear{128, 10}}`. A tag of training goes to the layers that take it.
template <class... L>
class Sequential {
 public:
  constexpr Sequential() = default;
  constexpr explicit Sequential(L... layers)
    requires(sizeof...(L) > 0)
      : layers_{{std::move(layers)}...} {}

  constexpr auto forward(const auto& x, const auto&... mode) const { return run<0>(x, mode...); }

  /// Layer I.
  template <int I>
  constexpr auto& get() { return at<I>(layers_); }
  template <int I>
  constexpr const auto& get() const { return at<I>(layers_); }

  template <class F>
  constexpr void for_each_layer(F&& f) { each<0>(layers_, f); }
  template <class F>
  constexpr void for_each_layer(F&& f) const { each<0>(layers_, f); }

 private:
  static constexpr int count = static_cast<int>(sizeof...(L));
  using list = detail::children<std::make_integer_sequence<int, count>, L...>;

  template <int I, class X>
  static constexpr X& at(detail::child<I, X>& c) { return c.value; }
  template <int I, class X>
  static constexpr const X& at(const detail::child<I, X>& c) { return c.value; }
  template <int I, class List, class F>
  static constexpr void each(List& layers, F& f) {
    if constexpr (I < count) {
      f(static_cast<std::size_t>(I), at<I>(layers));
      each<I + 1>(layers, f);
    }
  }
  template <int I>
  constexpr auto run(const auto& x, const auto&... mode) const {
    if constexpr (I == count) return x;
    else if constexpr (requires { fluxion::apply(at<I>(layers_), x, mode...); } && accepts<I, decltype(x), decltype(mode)...>) return run<I + 1>(fluxion::apply(at<I>(layers_), x, mode...), mode...);
    else return run<I + 1>(fluxion::apply(at<I>(layers_), x), mode...);
  }
  template <int I, class... X>
  static constexpr bool accepts = requires(const list& layers, X... x) { at<I>(layers).forward(x...); };

  [[no_unique_address]] list layers_;
};
template <class... L>
Sequential(L...) -> Sequential<L...>;

/// x + block(x). He et al. 2016, arXiv:1512.03385.
template <class Block>
struct Residual {
  Block block;
  constexpr auto forward(const auto& x, const auto&... mode) const { return x + fluxion::apply(block, x, mode...); }
};
template <class Block>
Residual(Block) -> Residual<Block>;

struct ReLU {
  constexpr auto forward(const auto& x) const { return relu(x); }
};
struct GELU {
  constexpr auto forward(const auto& x) const { return gelu(x); }
};
struct Tanh {
  constexpr auto forward(const auto& x) const { return tanh(x); }
};
struct Sigmoid {
  constexpr auto forward(const auto& x) const { return sigmoid(x); }
};

/// In training each element is zero with this probability, and the others grow by as much as is lost; otherwise x. Srivastava et al. 2014.
struct Dropout {
  Scalar<float> probability = 0.5f;
  constexpr auto forward(const auto& x) const { return x; }
  constexpr Symbol forward(const Symbol& x, const TracedTrain& mode) const {
    const Symbol rate = probability.symbol();
    return where(mode.uniform(x) >= rate, x / (1 - rate), 0);
  }
  template <class X>
  constexpr auto forward(const X& x, const Train& mode) const {
    return fluxion::apply(*this, x, mode);
  }
};

/// (x - mean) / sqrt(variance + eps) * weight + bias over the last axis. Ba, Kiros and Hinton 2016, arXiv:1607.06450. x: [..., features].
template <class T = float>
struct BasicLayerNorm {
  index features;
  Scalar<T> eps = T(1e-5);
  Parameter<T, dims<1>> weight = ones(features);
  Parameter<T, dims<1>> bias = zeros(features);
  constexpr auto forward(const auto& x) const { return layer_norm(x, weight, bias, eps); }
};
using LayerNorm = BasicLayerNorm<float>;

}  // namespace nn
}  // namespace fluxion
