/// What is called `Var`: `Var<T>` is a number whose statements are recorded (scalar_var.hpp), `Var<T, E>` a tensor of extents E (var.hpp).
#pragma once

namespace fluxion {

template <class T, class E = void>
class Var;

}  // namespace fluxion
