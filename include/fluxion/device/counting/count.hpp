/// Counting: what evaluations on this thread did, kernel by kernel; and what a plan would do, with nothing run.
#pragma once
#include "../../graph/execute.hpp"

namespace fluxion {

namespace device {

inline graph::counters*& counters_of_this_thread() {
  static FLUXION_THREAD_LOCAL graph::counters* current = nullptr;
  return current;
}
inline graph::counters* current_counters() { return counters_of_this_thread(); }

}  // namespace device

/// While it lives, evaluations on this thread are counted. Scopes nest; the innermost counts.
class CountingScope {
 public:
  CountingScope() : outer_(device::counters_of_this_thread()) { device::counters_of_this_thread() = &counters_; }
  CountingScope(const CountingScope&) = delete;
  CountingScope& operator=(const CountingScope&) = delete;
  ~CountingScope() { device::counters_of_this_thread() = outer_; }

  const graph::counters& counters() const { return counters_; }

 private:
  graph::counters counters_;
  graph::counters* outer_;
};

namespace device {

/// Counts what a bound plan would do. Runs and allocates nothing.
template <class = void>
graph::counters count_only(const graph::plan_view& v, const graph::descriptor* arguments, const graph::descriptor* outputs,
                                  const index_t* symbols) {
  graph::counters counters;
  const graph::device_functions nothing;
  graph::scalar_value none[1];
  graph::execute(v, nothing, arguments, none, outputs, symbols, &counters);
  return counters;
}

}  // namespace device
}  // namespace fluxion
