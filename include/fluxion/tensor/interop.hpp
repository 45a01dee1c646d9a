/// Views of memory that others own: pointers, std::span, std::vector, Eigen. The only tensor header that names Eigen.
#pragma once
#include "../core/element_type.hpp"
#include "../core/extents.hpp"
#include "view.hpp"

#include <Eigen/Core>

#include <array>
#include <concepts>
#include <cstddef>
#include <span>
#include <type_traits>
#include <vector>

namespace fluxion {

/// Contiguous elements at `data`, which must outlive the view. Raises ShapeError for negative or overflowing extents.
template <Element T, Extents E>
constexpr View<T, E> borrow(T* data, const E& e) {
  detail::checked_size(e, sizeof(T), "borrow");
  return {data, e};
}
template <Element T, std::size_t N>
constexpr View<T, dims<N>> borrow(T* data, const index_t (&e)[N]) {
  return borrow(data, dims<N>(std::to_array(e)));
}
/// Elements with given strides, which must not be negative: raises ShapeError.
template <Element T, Extents E>
constexpr View<T, E, layout_stride> borrow(T* data, const E& e, const strides_t<E>& strides) {
  detail::checked_size(e, sizeof(T), "borrow");
  for (const index_t stride : strides)
    if (stride < 0) raise<ShapeError>("borrow: strides ", detail::extents_text{strides.data(), E::rank()}, " are negative");
  return {data, e, strides};
}

/// The elements of a span; a static extent stays static.
template <Element T, std::size_t N>
constexpr View<T, extents<N>> borrow(std::span<T, N> elements) {
  static_assert(dynamic_extent == std::dynamic_extent);
  return {elements.data(), extents<N>(std::array<index_t, 1>{static_cast<index_t>(elements.size())})};
}

/// The elements of a vector, until its size or capacity changes. `std::vector<bool>` has no elements to refer to.
template <Element T, class Allocator>
  requires(!std::same_as<T, bool>)
constexpr View<T, dims<1>> borrow(std::vector<T, Allocator>& elements) {
  return {elements.data(), dims<1>(static_cast<index_t>(elements.size()))};
}
template <Element T, class Allocator>
  requires(!std::same_as<T, bool>)
constexpr View<const T, dims<1>> borrow(const std::vector<T, Allocator>& elements) {
  return {elements.data(), dims<1>(static_cast<index_t>(elements.size()))};
}
template <Element T, class Allocator>
void borrow(const std::vector<T, Allocator>&& temporary) = delete;

namespace detail {

template <class M>
concept EigenDense = std::derived_from<M, Eigen::DenseBase<M>> && (int(M::Flags) & Eigen::DirectAccessBit) != 0;

/// An object that owns its elements, which must not be a temporary.
template <class M>
concept EigenOwner = std::derived_from<M, Eigen::PlainObjectBase<M>>;

/// A map without stride arguments has no gaps either.
template <class M>
inline constexpr bool is_packed_map = false;
template <class M, int Options>
inline constexpr bool is_packed_map<Eigen::Map<M, Options, Eigen::Stride<0, 0>>> = true;

constexpr std::size_t eigen_extent(int at_compile_time) {
  return at_compile_time == Eigen::Dynamic ? dynamic_extent : static_cast<std::size_t>(at_compile_time);
}

template <class T, class M>
auto borrow_eigen(T* data, const M& matrix) {
  if constexpr (M::IsVectorAtCompileTime) {
    using E = extents<eigen_extent(M::SizeAtCompileTime)>;
    const E e(std::array<index_t, 1>{static_cast<index_t>(matrix.size())});
    if constexpr (M::InnerStrideAtCompileTime == 1) return View<T, E>(data, e);
    else return View<T, E, layout_stride>(data, e, {matrix.innerStride()});
  } else {
    using E = extents<eigen_extent(M::RowsAtCompileTime), eigen_extent(M::ColsAtCompileTime)>;
    const E e(std::array<index_t, 2>{static_cast<index_t>(matrix.rows()), static_cast<index_t>(matrix.cols())});
    constexpr bool packed = M::IsRowMajor && (EigenOwner<M> || is_packed_map<M>);
    if constexpr (packed) return View<T, E>(data, e);
    else return View<T, E, layout_stride>(data, e, {matrix.rowStride(), matrix.colStride()});
  }
}

}  // namespace detail

/// The elements of an Eigen matrix, array, map, reference or block, which must outlive the view; row-major ones that own
/// their elements are contiguous, others have strides. Vectors at compile time become rank 1, fixed sizes static extents.
template <class M>
  requires(detail::EigenDense<M>)
auto borrow(M& matrix) {
  using T = std::remove_pointer_t<decltype(matrix.data())>;
  static_assert(Element<T>, "borrow: a tensor cannot hold this scalar type");
  return detail::borrow_eigen<T>(matrix.data(), matrix);
}
template <class M>
  requires(detail::EigenDense<M>)
auto borrow(const M& matrix) {
  using T = std::remove_pointer_t<decltype(matrix.data())>;
  static_assert(Element<T>, "borrow: a tensor cannot hold this scalar type");
  return detail::borrow_eigen<T>(matrix.data(), matrix);
}
/// Temporary maps, references and blocks own nothing, so they may be borrowed from.
template <class M>
  requires(detail::EigenDense<M> && !detail::EigenOwner<M>)
auto borrow(M&& map) {
  return borrow(map);
}
template <class M>
  requires(detail::EigenDense<M> && detail::EigenOwner<M>)
void borrow(const M&& temporary) = delete;

}  // namespace fluxion
