/// `Dual` as a scalar of Eigen: Eigen::Matrix<Dual<double, 4>, 3, 3> with products, decompositions and norms.
#pragma once
#include "dual.hpp"

#include <Eigen/Core>

template <class T, std::size_t N, class Tag>
struct Eigen::NumTraits<fluxion::Dual<T, N, Tag>> : Eigen::NumTraits<T> {
  using Real = fluxion::Dual<T, N, Tag>;
  using NonInteger = Real;
  using Nested = Real;
  using Literal = Real;
  enum {
    IsComplex = 0,
    IsInteger = 0,
    IsSigned = 1,
    RequireInitialization = 1,
    ReadCost = static_cast<int>(N) + 1,
    AddCost = (static_cast<int>(N) + 1) * static_cast<int>(NumTraits<T>::AddCost),
    MulCost = (3 * static_cast<int>(N) + 1) * static_cast<int>(NumTraits<T>::MulCost)
  };
  static constexpr Real epsilon() { return NumTraits<T>::epsilon(); }
  static constexpr Real dummy_precision() { return NumTraits<T>::dummy_precision(); }
  static constexpr Real highest() { return NumTraits<T>::highest(); }
  static constexpr Real lowest() { return NumTraits<T>::lowest(); }
  static constexpr Real infinity() { return NumTraits<T>::infinity(); }
  static constexpr Real quiet_NaN() { return NumTraits<T>::quiet_NaN(); }
};

// Matrices of Duals with numbers and with matrices of constants.
template <class T, std::size_t N, class Tag, class U, class Operation>
  requires(fluxion::detail::is_constant_of<U, T>)
struct Eigen::ScalarBinaryOpTraits<fluxion::Dual<T, N, Tag>, U, Operation> {
  using ReturnType = fluxion::Dual<T, N, Tag>;
};
template <class T, std::size_t N, class Tag, class U, class Operation>
  requires(fluxion::detail::is_constant_of<U, T>)
struct Eigen::ScalarBinaryOpTraits<U, fluxion::Dual<T, N, Tag>, Operation> {
  using ReturnType = fluxion::Dual<T, N, Tag>;
};
