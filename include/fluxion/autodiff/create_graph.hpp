/// Gradients that can be differentiated again: `create_graph` of autograd::grad. A header of its own, because it compiles the passes and the
/// interpreter into the program, which takes the compiler seconds.
///
///     fx::Var slope = fx::autograd::grad(y, x, {.create_graph = fx::create_graph});
///     fx::Var penalty = fx::sum(slope * slope);
///     penalty.backward();
#pragma once
#include "autograd.hpp"
#include "tape/call.hpp"

namespace fluxion {

/// Has autograd::grad, or backward(), record the gradients, to any order. Their programs are differentiated and planned when they are first needed on a thread,
/// and interpreted, as are all that differentiate them: no statement costs the compiler more because it may be differentiated twice.
inline constexpr detail::GraphRecorder create_graph{&detail::record_gradients, &detail::record_sum};

}  // namespace fluxion
