/// View: a reference to elements that someone else owns, contiguous or strided.
#pragma once
#include "../core/axes.hpp"
#include "../core/element_type.hpp"
#include "../core/error.hpp"
#include "../core/extents.hpp"
#include "../core/layout.hpp"
#include "../core/storage.hpp"
#include "copy.hpp"
#include "expression_hook.hpp"
#include "filler.hpp"
#include "index.hpp"

#include <array>
#include <concepts>
#include <type_traits>
#include <utility>

namespace fluxion {

template <Element T, Extents E, DeviceTag Device = cpu_t>
class Tensor;

/// A reference to the elements of a tensor or of other memory; it owns nothing. Copying a view copies the reference;
/// assigning to one copies elements, as assigning through a reference does. `T` is const for read-only elements. Access to elements that are not
/// const counts as writing the tensor that the view was taken from.
template <Element T, Extents E, Layout L = layout_right>
class View {
 public:
  using value_type = std::remove_const_t<T>;
  using extents_type = E;
  using layout_type = L;
  using device_type = cpu_t;
  using mapping_type = typename L::template mapping<E>;

  constexpr View(T* data, const E& e) noexcept
    requires(std::same_as<L, layout_right>)
      : data_(data), mapping_(e) {}
  constexpr View(T* data, const E& e, const strides_t<E>& strides) noexcept
    requires(std::same_as<L, layout_stride>)
      : data_(data), mapping_(e, strides) {}

  constexpr View(T* data, const E& e, const detail::ViewOrigin<T>& origin) noexcept
    requires(std::same_as<L, layout_right>)
      : data_(data), mapping_(e), origin_(origin) {}
  constexpr View(T* data, const E& e, const strides_t<E>& strides, const detail::ViewOrigin<T>& origin) noexcept
    requires(std::same_as<L, layout_stride>)
      : data_(data), mapping_(e, strides), origin_(origin) {}

  constexpr View(const View&) noexcept = default;

  /// From a view that is less const, more static, or of a simpler layout. Raises ShapeError where static extents of this
  /// view do not fit.
  template <class U, class F, class K>
    requires(!std::same_as<View<U, F, K>, View> && std::same_as<const U, const T> &&
             (std::is_const_v<T> || !std::is_const_v<U>) && F::rank() == E::rank() &&
             (std::same_as<L, layout_stride> || std::same_as<K, layout_right>))
  constexpr View(const View<U, F, K>& other)
      : data_(other.data_), mapping_(convert(other.mapping())), origin_(other.origin_) {}

  /// The whole of a tensor.
  template <class F>
    requires(F::rank() == E::rank())
  constexpr View(Tensor<value_type, F, cpu_t>& tensor) : View(tensor.view()) {}
  template <class F>
    requires(F::rank() == E::rank() && std::is_const_v<T>)
  constexpr View(const Tensor<value_type, F, cpu_t>& tensor) : View(tensor.view()) {}
  template <class F>
  View(const Tensor<value_type, F, cpu_t>&& temporary) = delete;

  // ---- assignment copies elements; both sides must have the same extents -------------------------------------------

  View& operator=(const View& other)
    requires(!std::is_const_v<T>)
  {
    assign(other);
    return *this;
  }
  template <class U, class F, class K>
    requires(!std::is_const_v<T> && std::same_as<const U, const T>)
  View& operator=(const View<U, F, K>& other) {
    assign(other);
    return *this;
  }
  template <class F>
    requires(!std::is_const_v<T>)
  View& operator=(const Tensor<value_type, F, cpu_t>& other) {
    assign(other.view());
    return *this;
  }
  /// Evaluates an expression into the elements. Raises ShapeError.
  template <Expression X>
    requires(!std::is_const_v<T>)
  View& operator=(const X& expression) {
    detail::check_equal_extents(extents(), expression_result<X>::extents(expression), "view");
    evaluate_into(*this, expression);
    return *this;
  }
  /// Sets every element.
  constexpr void fill(value_type value) const
    requires(!std::is_const_v<T>)
  {
    origin_.note_write();
    detail::for_each_pair(data_, mapping_, data_, mapping_, [value](T& a, T&) { a = value; });
  }

  // ---- shape -------------------------------------------------------------------------------------------------------

  static constexpr int rank() { return E::rank(); }
  constexpr E extents() const { return mapping_.extents(); }
  /// The extent of an axis, negative ones counted from the last. Raises IndexError.
  constexpr index_t extent(int axis) const {
    return extents().extent(detail::checked_axis(axis, rank()));
  }
  constexpr index_t size() const { return extents().size(); }
  constexpr strides_t<E> strides() const { return mapping_.strides(); }
  constexpr const mapping_type& mapping() const { return mapping_; }
  constexpr bool is_contiguous() const { return mapping_.is_contiguous(); }

  // ---- elements ----------------------------------------------------------------------------------------------------

  constexpr T* data() const noexcept {
    origin_.note_write();
    return data_;
  }
  /// The first element, for reading.
  constexpr const T* const_data() const noexcept { return data_; }
  /// Whose elements these are.
  constexpr const detail::ViewOrigin<T>& origin() const noexcept { return origin_; }
  constexpr T* begin() const
    requires(std::same_as<L, layout_right>)
  {
    return data();
  }
  constexpr T* end() const
    requires(std::same_as<L, layout_right>)
  {
    return data_ + size();
  }

  /// An element, if there is an integer for every axis; otherwise a view of what is selected. Axes without a selector are
  /// taken whole. Raises IndexError.
  template <Selector... A>
    requires(sizeof...(A) <= static_cast<std::size_t>(E::rank()))
  constexpr decltype(auto) operator()(const A&... selectors) const {
    using selection = detail::selection<E, A...>;
    const selection s(extents(), strides(), selectors...);
    if constexpr (selection::is_element) {
      origin_.note_write();
      return static_cast<T&>(data_[s.offset]);
    } else if constexpr (std::same_as<L, layout_right> && selection::is_contiguous) {
      using F = typename selection::extents_type;
      return View<T, F, layout_right>(data_ + s.offset, F(s.extent), origin_);
    } else {
      using F = typename selection::extents_type;
      return View<T, F, layout_stride>(data_ + s.offset, F(s.extent), s.stride, origin_);
    }
  }
  /// The element (rank 1) or the view at a position of the first axis. Raises IndexError.
  constexpr decltype(auto) operator[](index_t i) const
    requires(E::rank() >= 1)
  {
    return (*this)(i);
  }
  /// The only element. Raises ShapeError if there is not exactly one.
  constexpr value_type item() const {
    if constexpr (E::is_static()) static_assert(E::static_size() == 1, "item needs a tensor with one element");
    if (size() != 1) raise<ShapeError>("item: a tensor of extents ", extents(), " has no single element");
    return *data_;
  }

  // ---- other views of the same elements ----------------------------------------------------------------------------

  /// Axes in another order: `x.permute(axes<2, 0, 1>)`, as torch.permute.
  template <int... I>
    requires(sizeof...(I) == static_cast<std::size_t>(E::rank()))
  constexpr auto permute(axes_t<I...>) const {
    constexpr auto order = [] {
      std::array<int, sizeof...(I)> result{(I < 0 ? I + E::rank() : I)...};
      return result;
    }();
    static_assert(
        [](auto list) {
          for (std::size_t i = 0; i < list.size(); ++i)
            for (std::size_t j = 0; j <= i; ++j)
              if (list[i] < 0 || list[i] >= E::rank() || (j < i && list[i] == list[j])) return false;
          return true;
        }(order),
        "permute: every axis must be named once");
    using F = fluxion::extents<E::static_extent(I < 0 ? I + E::rank() : I)...>;
    const E e = extents();
    const strides_t<E> from = strides();
    strides_t<F> to{};
    strides_t<F> values{};
    for (std::size_t k = 0; k < sizeof...(I); ++k) {
      values[k] = e.extent(order[k]);
      to[k] = from[static_cast<std::size_t>(order[k])];
    }
    return View<T, F, layout_stride>(data_, F(values), to, origin_);
  }
  /// Two axes exchanged, the last two by default.
  template <int I = -2, int J = -1>
    requires(E::rank() >= 2)
  constexpr auto transpose(axes_t<I> = {}, axes_t<J> = {}) const {
    constexpr int i = I < 0 ? I + E::rank() : I, j = J < 0 ? J + E::rank() : J;
    static_assert(0 <= i && i < E::rank() && 0 <= j && j < E::rank(), "transpose: an axis is out of range");
    return [this]<int... K>(std::integer_sequence<int, K...>) {
      return this->permute(axes_t<(K == i ? j : K == j ? i : K)...>{});
    }(std::make_integer_sequence<int, E::rank()>{});
  }
  /// A matrix's transpose.
  constexpr auto t() const
    requires(E::rank() == 2)
  {
    return transpose();
  }
  /// The same elements under other extents, of which one dynamic extent may be -1, to be found. Raises ShapeError if the
  /// number of elements differs or if the elements are not contiguous.
  template <Extents F>
  constexpr View<T, F, layout_right> reshape_view(const F& e) const {
    if (!is_contiguous()) raise<ShapeError>("reshape_view: the elements are not contiguous");
    return {data_, detail::checked_reshape(extents(), e), origin_};
  }
  template <std::size_t N>
  constexpr auto reshape_view(const index_t (&e)[N]) const {
    return reshape_view(dims<N>(std::to_array(e)));
  }

 private:
  template <Element U, Extents F, Layout K>
  friend class View;

  template <class N>
  static constexpr mapping_type convert(const N& other) {
    const E e = detail::convert_extents<E>(other.extents(), "view");
    if constexpr (std::same_as<L, layout_right>) return mapping_type(e);
    else return mapping_type(e, other.strides());
  }

  template <class U, class F, class K>
  void assign(const View<U, F, K>& other) {
    detail::check_equal_extents(extents(), other.extents(), "view");
    const bool same = static_cast<const T*>(data_) == other.data_ && strides() == other.strides();
    if (same || size() == 0) return;
    origin_.note_write();
    const bool overlap =
        detail::ranges_overlap<T>(data_, detail::span_size(mapping_), other.data_, detail::span_size(other.mapping()));
    const bool both_contiguous = is_contiguous() && other.is_contiguous();  // memmove copes with overlap
    if (!overlap || both_contiguous) {
      detail::copy_elements<value_type>(data_, mapping_, other.data_, other.mapping());
      return;
    }
#if defined(FLUXION_NO_HEAP)
    if constexpr (!E::is_static()) {
      raise<ValueError>("view: source and destination overlap, and there is no heap for a copy");
    } else
#endif
    {
      Storage<value_type, E, cpu_t> copy(uninitialized, extents());
      const typename layout_right::mapping<E> contiguous(extents());
      value_type* const between = copy.data();
      detail::copy_elements<value_type>(between, contiguous, other.data_, other.mapping());
      detail::copy_elements<value_type>(data_, mapping_, between, contiguous);
    }
  }

  T* data_;
  [[no_unique_address]] mapping_type mapping_;
  [[no_unique_address]] detail::ViewOrigin<T> origin_;
};

template <class>
inline constexpr bool is_view = false;
template <class T, class E, class L>
inline constexpr bool is_view<View<T, E, L>> = true;

/// A View of any kind.
template <class V>
concept AnyView = is_view<V>;

}  // namespace fluxion
