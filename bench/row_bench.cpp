// Row kernels: softmax, layer norm and cross-entropy as plain compositions, forward and gradient, over rows of 64, 1,000 and 16,384.
// `eigen` is the fastest idiomatic form, a loop over rows of Array expressions; `hand` is a fused packet loop.
#include "support.hpp"

#include <cmath>
#include <string>

namespace {

using namespace bench;

constexpr float eps = 1e-5f;

// ---- programs ---------------------------------------------------------------------------------------------------------

struct softmax_forward {
  static constexpr void record(recorder& r) { r.output(fx::softmax(r.floats({any, any}), fx::axis<-1>)); }
};
struct softmax_gradient {
  static constexpr void record(recorder& r) {
    const Symbol x = r.floats({any, any}), seed = r.floats({any, any});
    r.gradients(fx::softmax(x, fx::axis<-1>), seed.index(), {x});
  }
};
struct layer_norm_forward {
  static constexpr void record(recorder& r) {
    const Symbol x = r.floats({any, any}), w = r.floats({any}), b = r.floats({any});
    r.output(fx::layer_norm(x, w, b));
  }
};
struct layer_norm_gradient {
  static constexpr void record(recorder& r) {
    const Symbol x = r.floats({any, any}), w = r.floats({any}), b = r.floats({any}), seed = r.floats({any, any});
    r.gradients(fx::layer_norm(x, w, b), seed.index(), {x, w, b});
  }
};
struct cross_entropy_forward {
  static constexpr void record(recorder& r) {
    const Symbol x = r.floats({any, any}), y = r.labels({any});
    r.output(fx::cross_entropy(x, y));
  }
};
struct cross_entropy_gradient {
  static constexpr void record(recorder& r) {
    const Symbol x = r.floats({any, any}), y = r.labels({any});
    r.gradients(fx::cross_entropy(x, y), r.program.constant(fx::element_type::float32, 1), {x});
  }
};

// ---- packet loops by hand ---------------------------------------------------------------------------------------------

/// f(element offset) for every packet of a row, g(element) for the rest.
template <class F, class G>
inline void sweep(index_t columns, const F& f, const G& g) {
  index_t j = 0;
  for (; j + lanes <= columns; j += lanes) f(j);
  for (; j < columns; ++j) g(j);
}

/// A sum in four packets and a rest, so that additions overlap.
struct total {
  Packet parts[4] = {splat(0), splat(0), splat(0), splat(0)};
  float rest = 0;
  float value() const { return packet::predux(packet::padd(packet::padd(parts[0], parts[1]), packet::padd(parts[2], parts[3]))) + rest; }
};

inline float largest_of(const float* x, index_t columns) {
  Packet m[4] = {splat(-INFINITY), splat(-INFINITY), splat(-INFINITY), splat(-INFINITY)};
  float rest = -INFINITY;
  index_t j = 0;
  for (; j + 4 * lanes <= columns; j += 4 * lanes)
    for (int k = 0; k < 4; ++k) m[k] = packet::pmax(m[k], load(x + j + k * lanes));
  for (; j + lanes <= columns; j += lanes) m[0] = packet::pmax(m[0], load(x + j));
  for (; j < columns; ++j) rest = std::max(rest, x[j]);
  return std::max(packet::predux_max(packet::pmax(packet::pmax(m[0], m[1]), packet::pmax(m[2], m[3]))), rest);
}

/// Adds f(offset) over packets to `to`, and g(element) over the rest.
template <class F, class G>
inline void sum_into(total& to, index_t columns, const F& f, const G& g) {
  index_t j = 0;
  for (; j + 4 * lanes <= columns; j += 4 * lanes)
    for (int k = 0; k < 4; ++k) to.parts[k] = packet::padd(to.parts[k], f(j + k * lanes));
  for (; j + lanes <= columns; j += lanes) to.parts[0] = packet::padd(to.parts[0], f(j));
  for (; j < columns; ++j) to.rest += g(j);
}

void softmax_by_hand(const float* x, float* y, index_t rows, index_t columns) {
  for (index_t i = 0; i < rows; ++i, x += columns, y += columns) {
    const float m = largest_of(x, columns);
    const Packet mm = splat(m);
    total s;
    sum_into(s, columns,
        [&](index_t j) { const Packet e = packet::pexp(packet::psub(load(x + j), mm)); store(y + j, e); return e; },
        [&](index_t j) { return y[j] = std::exp(x[j] - m); });
    const float scale = 1 / s.value();
    const Packet ss = splat(scale);
    sweep(columns, [&](index_t j) { store(y + j, packet::pmul(load(y + j), ss)); }, [&](index_t j) { y[j] *= scale; });
  }
}

void softmax_gradient_by_hand(const float* x, const float* seed, float* dx, index_t rows, index_t columns) {
  for (index_t i = 0; i < rows; ++i, x += columns, seed += columns, dx += columns) {
    const float m = largest_of(x, columns);
    const Packet mm = splat(m);
    total s, t;
    index_t j = 0;
    const auto add = [&](index_t at, int k) {
      const Packet e = packet::pexp(packet::psub(load(x + at), mm));
      store(dx + at, e);
      s.parts[k] = packet::padd(s.parts[k], e);
      t.parts[k] = packet::pmadd(e, load(seed + at), t.parts[k]);
    };
    for (; j + 4 * lanes <= columns; j += 4 * lanes)
      for (int k = 0; k < 4; ++k) add(j + k * lanes, k);
    for (; j + lanes <= columns; j += lanes) add(j, 0);
    for (; j < columns; ++j) {
      dx[j] = std::exp(x[j] - m);
      s.rest += dx[j];
      t.rest += dx[j] * seed[j];
    }
    const float scale = 1 / s.value(), mean = t.value() * scale;
    const Packet ss = splat(scale), nn = splat(mean);
    sweep(columns,
        [&](index_t k) { store(dx + k, packet::pmul(packet::pmul(load(dx + k), ss), packet::psub(load(seed + k), nn))); },
        [&](index_t k) { dx[k] = dx[k] * scale * (seed[k] - mean); });
  }
}

/// Mean and 1 / standard deviation of a row, in two passes.
struct moments {
  float mean, scale;
};
inline moments moments_of(const float* x, index_t columns) {
  total s, q;
  sum_into(s, columns, [&](index_t j) { return load(x + j); }, [&](index_t j) { return x[j]; });
  const float mean = s.value() / static_cast<float>(columns);
  const Packet mm = splat(mean);
  sum_into(q, columns,
      [&](index_t j) { const Packet d = packet::psub(load(x + j), mm); return packet::pmul(d, d); },
      [&](index_t j) { return (x[j] - mean) * (x[j] - mean); });
  return {mean, 1 / std::sqrt(q.value() / static_cast<float>(columns) + eps)};
}

void layer_norm_by_hand(const float* x, const float* w, const float* b, float* y, index_t rows, index_t columns) {
  for (index_t i = 0; i < rows; ++i, x += columns, y += columns) {
    const moments m = moments_of(x, columns);
    const Packet mm = splat(m.mean), ss = splat(m.scale);
    sweep(columns,
        [&](index_t j) {
          store(y + j, packet::pmadd(packet::pmul(packet::psub(load(x + j), mm), ss), load(w + j), load(b + j)));
        },
        [&](index_t j) { y[j] = (x[j] - m.mean) * m.scale * w[j] + b[j]; });
  }
}

void layer_norm_gradient_by_hand(const float* x, const float* w, const float* seed, float* dx, float* dw, float* db, index_t rows,
                                 index_t columns) {
  for (index_t j = 0; j < columns; ++j) dw[j] = db[j] = 0;
  const auto n = static_cast<float>(columns);
  for (index_t i = 0; i < rows; ++i, x += columns, seed += columns, dx += columns) {
    const moments m = moments_of(x, columns);
    const Packet mm = splat(m.mean), ss = splat(m.scale);
    total s, t;
    index_t j = 0;
    const auto add = [&](index_t at, int k) {
      const Packet d = load(seed + at), normal = packet::pmul(packet::psub(load(x + at), mm), ss), g = packet::pmul(d, load(w + at));
      store(dw + at, packet::pmadd(d, normal, load(dw + at)));
      store(db + at, packet::padd(d, load(db + at)));
      s.parts[k] = packet::padd(s.parts[k], g);
      t.parts[k] = packet::pmadd(g, normal, t.parts[k]);
    };
    for (; j + 4 * lanes <= columns; j += 4 * lanes)
      for (int k = 0; k < 4; ++k) add(j + k * lanes, k);
    for (; j + lanes <= columns; j += lanes) add(j, 0);
    for (; j < columns; ++j) {
      const float normal = (x[j] - m.mean) * m.scale, g = seed[j] * w[j];
      dw[j] += seed[j] * normal;
      db[j] += seed[j];
      s.rest += g;
      t.rest += g * normal;
    }
    const float mean_g = s.value() / n, mean_gn = t.value() / n;
    const Packet aa = splat(mean_g), bb = splat(mean_gn);
    sweep(columns,
        [&](index_t k) {
          const Packet normal = packet::pmul(packet::psub(load(x + k), mm), ss);
          const Packet g = packet::psub(packet::pmul(load(seed + k), load(w + k)), aa);
          store(dx + k, packet::pmul(packet::psub(g, packet::pmul(normal, bb)), ss));
        },
        [&](index_t k) { dx[k] = m.scale * (seed[k] * w[k] - mean_g - (x[k] - m.mean) * m.scale * mean_gn); });
  }
}

float cross_entropy_by_hand(const float* x, const std::int64_t* y, index_t rows, index_t columns) {
  double loss = 0;
  for (index_t i = 0; i < rows; ++i, x += columns) {
    const float m = largest_of(x, columns);
    const Packet mm = splat(m);
    total s;
    sum_into(s, columns, [&](index_t j) { return packet::pexp(packet::psub(load(x + j), mm)); }, [&](index_t j) { return std::exp(x[j] - m); });
    loss += static_cast<double>(std::log(s.value()) + m - x[y[i]]);
  }
  return static_cast<float>(loss / static_cast<double>(rows));
}

void cross_entropy_gradient_by_hand(const float* x, const std::int64_t* y, float* dx, index_t rows, index_t columns) {
  const float weight = 1 / static_cast<float>(rows);
  for (index_t i = 0; i < rows; ++i, x += columns, dx += columns) {
    const float m = largest_of(x, columns);
    const Packet mm = splat(m);
    total s;
    sum_into(s, columns,
        [&](index_t j) { const Packet e = packet::pexp(packet::psub(load(x + j), mm)); store(dx + j, e); return e; },
        [&](index_t j) { return dx[j] = std::exp(x[j] - m); });
    const float scale = weight / s.value();
    const Packet ss = splat(scale);
    sweep(columns, [&](index_t j) { store(dx + j, packet::pmul(load(dx + j), ss)); }, [&](index_t j) { dx[j] *= scale; });
    dx[y[i]] -= weight;
  }
}

// ---- loops over rows of Eigen -----------------------------------------------------------------------------------------

void softmax_by_eigen(const float* x, float* y, index_t rows, index_t columns) {
  for (index_t i = 0; i < rows; ++i, x += columns, y += columns) {
    const ConstRow from(x, columns);
    Row to(y, columns);
    to = (from - from.maxCoeff()).exp();
    to *= 1 / to.sum();
  }
}

void layer_norm_by_eigen(const float* x, const float* w, const float* b, float* y, index_t rows, index_t columns) {
  const ConstRow weight(w, columns), bias(b, columns);
  for (index_t i = 0; i < rows; ++i, x += columns, y += columns) {
    const ConstRow from(x, columns);
    const float mean = from.mean(), scale = 1 / std::sqrt((from - mean).square().mean() + eps);
    Row(y, columns) = (from - mean) * scale * weight + bias;
  }
}

float cross_entropy_by_eigen(const float* x, const std::int64_t* y, index_t rows, index_t columns) {
  double loss = 0;
  for (index_t i = 0; i < rows; ++i, x += columns) {
    const ConstRow from(x, columns);
    const float m = from.maxCoeff();
    loss += static_cast<double>(std::log((from - m).exp().sum()) + m - from[y[i]]);
  }
  return static_cast<float>(loss / static_cast<double>(rows));
}

// ---- the benchmarks ---------------------------------------------------------------------------------------------------

struct data {
  index_t rows, columns;
  floats x{rows * columns, 1, 3}, seed{rows * columns, 2}, y{rows * columns, 4}, other{rows * columns, 4}, w{columns, 5}, b{columns, 6}, dw{columns, 7},
      db{columns, 8}, other_dw{columns, 7};
  std::vector<std::int64_t> labels = bench::labels(rows, columns);
  float loss = 0, other_loss = 0;

  void softmax() { call<softmax_forward>({{x.data, {rows, columns}}}, {{y.data, {rows, columns}}}); }
  void softmax_vjp() { call<softmax_gradient>({{x.data, {rows, columns}}, {seed.data, {rows, columns}}}, {{y.data, {rows, columns}}}); }
  void layer_norm() {
    call<layer_norm_forward>({{x.data, {rows, columns}}, {w.data, {columns}}, {b.data, {columns}}}, {{y.data, {rows, columns}}});
  }
  void layer_norm_vjp() {
    call<layer_norm_gradient>({{x.data, {rows, columns}}, {w.data, {columns}}, {b.data, {columns}}, {seed.data, {rows, columns}}},
                              {{y.data, {rows, columns}}, {dw.data, {columns}}, {db.data, {columns}}});
  }
  void cross_entropy() { call<cross_entropy_forward>({{x.data, {rows, columns}}, {labels.data(), {rows}}}, {{&loss, {}}}); }
  void cross_entropy_vjp() { call<cross_entropy_gradient>({{x.data, {rows, columns}}, {labels.data(), {rows}}}, {{y.data, {rows, columns}}}); }
};

using work = void (*)(data&);

/// Registers implementations of one case, each checked against the first, which is Fluxion's.
struct implementation {
  const char* name;
  work run;
};

void compare(benchmark::State& state, data& d, work own, work reference) {
  own(d);
  std::swap(d.y.data, d.other.data);
  std::swap(d.dw.data, d.other_dw.data);
  d.other_loss = d.loss;
  reference(d);
  const double apart = std::max({difference(d.other.data, d.y.data, d.rows * d.columns), difference(d.other_dw.data, d.dw.data, d.columns),
                                 difference(&d.other_loss, &d.loss, 1)});
  if (!(apart < 1e-4)) state.SkipWithError(("results differ by " + std::to_string(apart)).c_str());
  std::swap(d.y.data, d.other.data);
  std::swap(d.dw.data, d.other_dw.data);
}

template <std::size_t N>
void add(const std::string& name, const implementation (&all)[N]) {
  for (const implementation& each : all)
    for (const auto& [rows, columns] : {std::pair<index_t, index_t>{64, 64}, {65536, 64}, {64, 1000}, {4096, 1000}, {256, 16384}})
      benchmark::RegisterBenchmark(
          (name + "/" + each.name + "/" + std::to_string(rows) + "x" + std::to_string(columns)).c_str(),
          [own = all[0].run, run = each.run, rows = rows, columns = columns](benchmark::State& state) {
            data d{rows, columns};
            if (run != own) compare(state, d, own, run);
            measure(state, [&] { run(d); });
          });
}

}  // namespace

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  add("row/softmax", {{"fluxion", [](data& d) { d.softmax(); }},
                      {"eigen", [](data& d) { softmax_by_eigen(d.x.data, d.y.data, d.rows, d.columns); }},
                      {"hand", [](data& d) { softmax_by_hand(d.x.data, d.y.data, d.rows, d.columns); }}});
  add("row/softmax_gradient",
      {{"fluxion", [](data& d) { d.softmax_vjp(); }},
       {"hand", [](data& d) { softmax_gradient_by_hand(d.x.data, d.seed.data, d.y.data, d.rows, d.columns); }}});
  add("row/layer_norm",
      {{"fluxion", [](data& d) { d.layer_norm(); }},
       {"eigen", [](data& d) { layer_norm_by_eigen(d.x.data, d.w.data, d.b.data, d.y.data, d.rows, d.columns); }},
       {"hand", [](data& d) { layer_norm_by_hand(d.x.data, d.w.data, d.b.data, d.y.data, d.rows, d.columns); }}});
  add("row/layer_norm_gradient", {{"fluxion", [](data& d) { d.layer_norm_vjp(); }},
                                  {"hand", [](data& d) {
                                     layer_norm_gradient_by_hand(d.x.data, d.w.data, d.seed.data, d.y.data, d.dw.data, d.db.data, d.rows, d.columns);
                                   }}});
  add("row/cross_entropy",
      {{"fluxion", [](data& d) { d.cross_entropy(); }},
       {"eigen", [](data& d) { d.loss = cross_entropy_by_eigen(d.x.data, d.labels.data(), d.rows, d.columns); }},
       {"hand", [](data& d) { d.loss = cross_entropy_by_hand(d.x.data, d.labels.data(), d.rows, d.columns); }}});
  add("row/cross_entropy_gradient",
      {{"fluxion", [](data& d) { d.cross_entropy_vjp(); }},
       {"hand", [](data& d) { cross_entropy_gradient_by_hand(d.x.data, d.labels.data(), d.y.data, d.rows, d.columns); }}});
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
}
