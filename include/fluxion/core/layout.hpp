/// Layouts in std::mdspan's vocabulary: how a multi-index becomes an offset.
#pragma once
#include "extents.hpp"
#include "shape.hpp"

#include <array>
#include <concepts>

namespace fluxion {

/// One stride, in elements, per axis.
template <Extents E>
using strides_t = std::array<index_t, static_cast<std::size_t>(E::rank())>;

/// Contiguous, the last axis fastest (C order). Strides follow from the extents.
struct layout_right {
  template <Extents E>
  class mapping {
   public:
    using extents_type = E;
    constexpr mapping() = default;
    constexpr explicit mapping(const E& e) : extents_(e) {}

    constexpr E extents() const { return extents_.get(); }
    constexpr strides_t<E> strides() const {
      strides_t<E> result{};
      index_t step = 1;
      for (int axis = E::rank() - 1; axis >= 0; --axis) {
        result[static_cast<std::size_t>(axis)] = step;
        step *= extents_.get().extent(axis);
      }
      return result;
    }
    constexpr bool is_contiguous() const { return true; }

   private:
    [[no_unique_address]] detail::stored_extents<E> extents_;
  };
};

/// Any strides, stored.
struct layout_stride {
  template <Extents E>
  class mapping {
   public:
    using extents_type = E;
    constexpr mapping() = default;
    constexpr mapping(const E& e, const strides_t<E>& strides) : extents_(e), strides_(strides) {}

    constexpr E extents() const { return extents_.get(); }
    constexpr strides_t<E> strides() const { return strides_; }
    /// Whether the elements lie as in `layout_right`. Strides of axes with extent one do not matter.
    constexpr bool is_contiguous() const {
      const E e = extents();
      index_t step = 1;
      for (int axis = E::rank() - 1; axis >= 0; --axis) {
        if (e.extent(axis) != 1 && strides_[static_cast<std::size_t>(axis)] != step) return e.size() == 0;
        step *= e.extent(axis);
      }
      return true;
    }

   private:
    [[no_unique_address]] detail::stored_extents<E> extents_;
    strides_t<E> strides_{};
  };
};

template <class L>
concept Layout = std::same_as<L, layout_right> || std::same_as<L, layout_stride>;

}  // namespace fluxion
