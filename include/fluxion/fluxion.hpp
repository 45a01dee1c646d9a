/// Fluxion: tensors and derivatives, resolved while the program compiles. This header is the core, the program compiler, the CPU and the
/// tensors; layers, optimisers, data and files are included by name (nn/, optim/, data/, io/).
#pragma once
#include "autodiff/jvp.hpp"
#include "autodiff/transform.hpp"
#include "autodiff/vjp.hpp"
#include "device/counting/count.hpp"
#include "graph/function/composition.hpp"
#include "tensor/allclose.hpp"
#include "tensor/compound_assignment.hpp"
#include "tensor/evaluate.hpp"
#include "tensor/factory.hpp"
#include "tensor/plan_of.hpp"
#include "tensor/print.hpp"
#include "tensor/random.hpp"
#include "tensor/tensor.hpp"
#include "tensor/view.hpp"
