/// `Var<T>` as a scalar of Eigen: Eigen::Matrix<Var<double>, 3, 3> with products, decompositions and norms. Every product and sum of elements is a
/// statement.
#pragma once
#include "dual_eigen.hpp"
#include "scalar_var.hpp"

#include <Eigen/Core>

template <class T>
struct Eigen::NumTraits<fluxion::Var<T>> : Eigen::NumTraits<T> {
  using Real = fluxion::Var<T>;
  using NonInteger = Real;
  using Nested = Real;
  using Literal = Real;
  enum {
    IsComplex = 0,
    IsInteger = 0,
    IsSigned = 1,
    RequireInitialization = 1,
    ReadCost = 2,
    AddCost = 8 * static_cast<int>(NumTraits<T>::AddCost),
    MulCost = 8 * static_cast<int>(NumTraits<T>::MulCost)
  };
  static Real epsilon() { return NumTraits<T>::epsilon(); }
  static Real dummy_precision() { return NumTraits<T>::dummy_precision(); }
  static Real highest() { return NumTraits<T>::highest(); }
  static Real lowest() { return NumTraits<T>::lowest(); }
  static Real infinity() { return NumTraits<T>::infinity(); }
  static Real quiet_NaN() { return NumTraits<T>::quiet_NaN(); }
};

// Matrices of variables with numbers and with matrices of numbers.
template <class T, class U, class Operation>
  requires(fluxion::detail::is_constant_of<U, T>)
struct Eigen::ScalarBinaryOpTraits<fluxion::Var<T>, U, Operation> {
  using ReturnType = fluxion::Var<T>;
};
template <class T, class U, class Operation>
  requires(fluxion::detail::is_constant_of<U, T>)
struct Eigen::ScalarBinaryOpTraits<U, fluxion::Var<T>, Operation> {
  using ReturnType = fluxion::Var<T>;
};
