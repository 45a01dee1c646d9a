/// Tensor: elements with extents, as a value. Copying copies elements, moving steals them.
#pragma once
#include "../core/device.hpp"
#include "../core/element_type.hpp"
#include "../core/error.hpp"
#include "../core/extents.hpp"
#include "../core/storage.hpp"
#include "copy.hpp"
#include "expression_hook.hpp"
#include "filler.hpp"
#include "index.hpp"
#include "view.hpp"

#include <array>
#include <concepts>
#include <initializer_list>
#include <type_traits>
#include <utility>

namespace fluxion {

/// What slicing a temporary tensor would return, if it compiled: give the tensor a name first.
struct ViewOfATemporaryTensorWouldDangle;

namespace detail {

template <class T, int Rank>
struct nested_list { using type = std::initializer_list<typename nested_list<T, Rank - 1>::type>; };
template <class T>
struct nested_list<T, 0> { using type = T; };
/// A scalar is not a list: rank 0 has a constructor of its own.
template <class T, int Rank>
using nested_list_t =
    std::conditional_t<Rank == 0, std::initializer_list<uninitialized_t>, typename nested_list<T, Rank>::type>;

template <int Rank, class List>
constexpr void measure_list(const List& list, index_t* extents) {
  extents[0] = static_cast<index_t>(list.size());
  if constexpr (Rank > 1) {
    if (list.size() != 0) measure_list<Rank - 1>(*list.begin(), extents + 1);
  }
}

/// Copies the elements of a nested list; false if it is ragged.
template <int Rank, class T, class List>
constexpr bool copy_list(const List& list, const index_t* extents, T*& to) {
  if (static_cast<index_t>(list.size()) != extents[0]) return false;
  for (const auto& entry : list) {
    if constexpr (Rank == 1) *to++ = entry;
    else if (!copy_list<Rank - 1>(entry, extents + 1, to)) return false;
  }
  return true;
}

template <Extents E, class List>
constexpr E extents_of_list(const List& list) {
  std::array<index_t, static_cast<std::size_t>(E::rank())> values{};
  measure_list<E::rank()>(list, values.data());
  using all_dynamic = dims<static_cast<std::size_t>(E::rank())>;
  return convert_extents<E>(all_dynamic(values), "tensor");
}

}  // namespace detail

/// Elements of type `T` with extents `E` on a device, as a value. Small tensors with static extents live in place: they are
/// literal types, trivially copyable, and need no heap. All others own one heap block, 64-byte aligned. A tensor that was
/// moved from has all dynamic extents zero; if it has none, it can only be assigned to or destroyed.
template <Element T, Extents E, DeviceTag Device>
class Tensor {
  static_assert(!std::is_const_v<T>, "a tensor owns its elements: use View<const T, …> for a read-only reference");
  using storage_type = Storage<T, E, Device>;
  static constexpr bool is_host = std::same_as<Device, cpu_t>;

 public:
  using value_type = T;
  using extents_type = E;
  using layout_type = layout_right;
  using device_type = Device;
  using view_type = View<T, E, layout_right>;
  using const_view_type = View<const T, E, layout_right>;

  /// Whether the elements live inside the object.
  static constexpr bool is_in_place = storage_type::is_in_place;

  /// Static extents: zeros. Otherwise the dynamic extents are zero and there are no elements.
  constexpr Tensor() = default;
  /// Elements without a value. Raises ShapeError for negative or overflowing extents; throws std::bad_alloc.
  constexpr Tensor(uninitialized_t, const E& e) : storage_(uninitialized, e) {}

  /// From a nested braced list. Raises ShapeError if it is ragged or does not fit static extents.
  constexpr Tensor(detail::nested_list_t<T, E::rank()> list)
    requires(E::rank() > 0)
      : storage_(uninitialized, detail::extents_of_list<E>(list)) {
    copy_from_list(list);
  }
  /// A scalar.
  constexpr Tensor(T value)
    requires(E::rank() == 0)
      : storage_(uninitialized, E{}) {
    *storage_.data() = value;
  }

  /// Copies the elements of a view.
  template <class U, class F, class L>
    requires(std::same_as<std::remove_const_t<U>, T> && F::rank() == E::rank() && is_host)
  constexpr Tensor(const View<U, F, L>& view)
      : storage_(uninitialized, detail::convert_extents<E>(view.extents(), "tensor")) {
    detail::copy_elements<T>(storage_.data(), mapping(), view.const_data(), view.mapping());
  }

  /// Converts between static and run-time extents. What is static on both sides is checked by the compiler, the rest raises
  /// ShapeError and leaves `other` as it was.
  template <class F>
    requires(!std::same_as<F, E> && F::rank() == E::rank() && is_host)
  constexpr Tensor(const Tensor<T, F, Device>& other) : Tensor(other.view()) {}
  template <class F>
    requires(!std::same_as<F, E> && F::rank() == E::rank() && is_host)
  constexpr Tensor(Tensor<T, F, Device>&& other) : storage_(take(std::move(other))) {}
  /// Tensors on different devices do not convert: move one with `.to(…)`.
  template <class U, class F, class D>
    requires(!std::same_as<D, Device>)
  Tensor(const Tensor<U, F, D>&) = delete;

  /// Evaluates an expression. Raises ShapeError where static extents do not fit.
  template <Expression X>
  constexpr Tensor(const X& expression)
      : storage_(uninitialized, detail::convert_extents<E>(expression_result<X>::extents(expression), "tensor")) {
    evaluate_into_new(*this, expression);
  }

  // `Tensor<float, extents<2, 2>> w = zeros;` and the like; see filler.hpp.
  constexpr Tensor(filler_function<zeros_filler>) requires(E::is_static()) : Tensor(zeros_filler{}) {}
  constexpr Tensor(filler_function<ones_filler>) requires(E::is_static()) : Tensor(ones_filler{}) {}
  constexpr Tensor(filler_function<eye_filler>) requires(E::is_static() && E::rank() == 2) : Tensor(eye_filler{}) {}
  template <Filler F>
    requires(E::is_static())
  constexpr Tensor(const F& filler) : storage_(uninitialized, E{}) {
    filler.fill(storage_.data(), extents());
  }
  template <class F, class G>
    requires(G::rank() == E::rank())
  constexpr Tensor(const sized_filler<F, G>& sized)
      : storage_(uninitialized, detail::convert_extents<E>(sized.extents, "tensor")) {
    sized.filler.fill(storage_.data(), extents());
  }

  // ---- assignment --------------------------------------------------------------------------------------------------

  /// Evaluates an expression, which may read this tensor. Takes on the expression's extents as far as they are dynamic.
  template <Expression X>
  constexpr Tensor& operator=(const X& expression) {
    const E e = detail::convert_extents<E>(expression_result<X>::extents(expression), "tensor");
    if (e == extents() && (e.size() == 0 || storage_.is_allocated())) evaluate_into(*this, expression);
    else *this = Tensor(expression);
    return *this;
  }
  /// `x = zeros;` keeps the extents.
  constexpr Tensor& operator=(filler_function<zeros_filler>) { return *this = zeros_filler{}; }
  constexpr Tensor& operator=(filler_function<ones_filler>) { return *this = ones_filler{}; }
  constexpr Tensor& operator=(filler_function<eye_filler>) { return *this = eye_filler{}; }
  template <Filler F>
  constexpr Tensor& operator=(const F& filler) {
    allocate_if_moved_from();
    filler.fill(storage_.data(), extents());
    return *this;
  }
  /// Sets every element.
  constexpr void fill(T value) { *this = full_filler<T>{value}; }

  // ---- shape -------------------------------------------------------------------------------------------------------

  static constexpr int rank() { return E::rank(); }
  constexpr E extents() const { return storage_.extents(); }
  /// The extent of an axis, negative ones counted from the last. Raises IndexError.
  constexpr index_t extent(int axis) const { return extents().extent(detail::checked_axis(axis, rank())); }
  constexpr index_t size() const { return extents().size(); }
  constexpr strides_t<E> strides() const { return mapping().strides(); }
  constexpr layout_right::mapping<E> mapping() const { return layout_right::mapping<E>(extents()); }
  constexpr bool is_contiguous() const { return true; }

  // ---- elements; access to those of a tensor that is not const counts as writing, taking a view does not --------------

  constexpr T* data() noexcept { return storage_.data(); }
  constexpr const T* data() const noexcept { return storage_.data(); }
  constexpr T* begin() requires(is_host) { return view().begin(); }
  constexpr T* end() requires(is_host) { return view().end(); }
  constexpr const T* begin() const requires(is_host) { return view().begin(); }
  constexpr const T* end() const requires(is_host) { return view().end(); }

  /// An element, if there is an integer for every axis; otherwise a view of what `all` and `slice` select. Axes without a
  /// selector are taken whole. Raises IndexError "index 5 is out of range for axis 1 with extent 4".
  template <Selector... A>
    requires(sizeof...(A) <= static_cast<std::size_t>(E::rank()))
  constexpr decltype(auto) operator()(const A&... selectors) & {
    return view()(selectors...);
  }
  template <Selector... A>
    requires(sizeof...(A) <= static_cast<std::size_t>(E::rank()))
  constexpr decltype(auto) operator()(const A&... selectors) const& {
    return view()(selectors...);
  }
  template <Position... A>
    requires(sizeof...(A) == static_cast<std::size_t>(E::rank()))
  constexpr T operator()(const A&... positions) const&& {
    return const_view()(positions...);
  }
  template <Selector... A>
    requires(sizeof...(A) <= static_cast<std::size_t>(E::rank()) &&
             !(sizeof...(A) == static_cast<std::size_t>(E::rank()) && (Position<A> && ...)))
  ViewOfATemporaryTensorWouldDangle operator()(const A&... selectors) const&& = delete;

  /// The element (rank 1) or the view at a position of the first axis. Raises IndexError.
  constexpr decltype(auto) operator[](index_t i) & requires(E::rank() >= 1) { return view()(i); }
  constexpr decltype(auto) operator[](index_t i) const& requires(E::rank() >= 1) { return view()(i); }
  constexpr T operator[](index_t i) const&& requires(E::rank() == 1) { return const_view()(i); }
  ViewOfATemporaryTensorWouldDangle operator[](index_t i) const&& requires(E::rank() > 1) = delete;

  /// The only element. Raises ShapeError if there is not exactly one.
  constexpr T item() const { return const_view().item(); }

  // ---- views of a tensor that has a name -----------------------------------------------------------------------------

  constexpr view_type view() & {
    static_assert(is_host, "elements on another device cannot be accessed: move the tensor with .to(fluxion::cpu)");
    check_not_moved_from();
    return {storage_.data_for_view(), extents(), storage_.origin()};
  }
  constexpr const_view_type view() const& { return const_view(); }
  ViewOfATemporaryTensorWouldDangle view() const&& = delete;

  /// Axes in another order, as torch.permute: `x.permute(axes<2, 0, 1>)`.
  template <int... I>
  constexpr auto permute(axes_t<I...> order) & {
    return view().permute(order);
  }
  template <int... I>
  constexpr auto permute(axes_t<I...> order) const& {
    return view().permute(order);
  }
  template <int... I>
  ViewOfATemporaryTensorWouldDangle permute(axes_t<I...>) const&& = delete;

  /// Two axes exchanged, the last two by default: `x.transpose(axis<0>, axis<2>)`.
  template <int I = -2, int J = -1>
  constexpr auto transpose(axes_t<I> i = {}, axes_t<J> j = {}) & {
    return view().transpose(i, j);
  }
  template <int I = -2, int J = -1>
  constexpr auto transpose(axes_t<I> i = {}, axes_t<J> j = {}) const& {
    return view().transpose(i, j);
  }
  template <int I = -2, int J = -1>
  ViewOfATemporaryTensorWouldDangle transpose(axes_t<I> = {}, axes_t<J> = {}) const&& = delete;

  /// A matrix's transpose.
  constexpr auto t() & requires(E::rank() == 2) { return view().t(); }
  constexpr auto t() const& requires(E::rank() == 2) { return view().t(); }
  ViewOfATemporaryTensorWouldDangle t() const&& requires(E::rank() == 2) = delete;

  /// The same elements under other extents, of which one may be -1, to be found. Raises ShapeError.
  template <Extents F>
  constexpr View<T, F, layout_right> reshape_view(const F& e) & {
    return view().reshape_view(e);
  }
  template <Extents F>
  constexpr View<const T, F, layout_right> reshape_view(const F& e) const& {
    return view().reshape_view(e);
  }
  template <std::size_t N>
  constexpr auto reshape_view(const index_t (&e)[N]) & {
    return view().reshape_view(e);
  }
  template <std::size_t N>
  constexpr auto reshape_view(const index_t (&e)[N]) const& {
    return view().reshape_view(e);
  }
  template <class F>
  ViewOfATemporaryTensorWouldDangle reshape_view(const F&) const&& = delete;
  template <std::size_t N>
  ViewOfATemporaryTensorWouldDangle reshape_view(const index_t (&)[N]) const&& = delete;

  // ---- sharing -------------------------------------------------------------------------------------------------------

  /// A share in the block, which tells later whether this tensor was written since. Only for tensors on the heap.
  auto share() const noexcept requires(!is_in_place) { return storage_.share(); }

  /// Elements and extents, for devices and evaluators.
  constexpr storage_type& storage() & noexcept { return storage_; }
  constexpr const storage_type& storage() const& noexcept { return storage_; }

 private:
  template <Element, Extents, DeviceTag>
  friend class Tensor;

  constexpr const_view_type const_view() const {
    static_assert(is_host, "elements on another device cannot be accessed: move the tensor with .to(fluxion::cpu)");
    check_not_moved_from();
    return {storage_.data(), extents(), storage_.origin()};
  }

  // Only a tensor on the heap without dynamic extents can have extents but no elements.
  static constexpr bool may_lack_elements = !is_in_place && E::is_static();
  constexpr void check_not_moved_from() const {
    if constexpr (may_lack_elements)
      if (!storage_.is_allocated()) raise<ValueError>("the tensor was moved from");
  }
  constexpr void allocate_if_moved_from() {
    if constexpr (may_lack_elements)
      if (!storage_.is_allocated()) storage_ = storage_type(uninitialized, E{});
  }

  template <class List>
  constexpr void copy_from_list(const List& list) {
    const auto values = extents().to_array();
    T* to = storage_.data();
    bool ragged = size() == 0;  // [[], [1]] has no room for the 1
    if (ragged) ragged = !list_is_empty<E::rank()>(list);
    else ragged = !detail::copy_list<E::rank()>(list, values.data(), to);
    if (ragged) raise<ShapeError>("tensor: the nested list is ragged, its first entries say ", extents());
  }
  template <int Rank, class List>
  static constexpr bool list_is_empty(const List& list) {
    if constexpr (Rank > 1) {
      for (const auto& entry : list)
        if (!list_is_empty<Rank - 1>(entry)) return false;
      return true;
    } else {
      return list.size() == 0;
    }
  }

  template <class F>
  static constexpr storage_type take(Tensor<T, F, Device>&& other) {
    other.check_not_moved_from();
    const E e = detail::convert_extents<E>(other.extents(), "tensor");
    if constexpr (is_in_place || Tensor<T, F, Device>::is_in_place) {
      storage_type result(uninitialized, e);
      const T* from = other.storage_.data();
      for (index_t i = 0, size = e.size(); i < size; ++i) result.data()[i] = from[i];
      return result;
    } else {
      return storage_type(std::move(other.storage_), e);
    }
  }

  storage_type storage_;
};

template <class>
inline constexpr bool is_tensor = false;
template <class T, class E, class D>
inline constexpr bool is_tensor<Tensor<T, E, D>> = true;

/// A Tensor of any kind.
template <class X>
concept AnyTensorValue = is_tensor<X>;

// ---- deduction; nested lists need their type spelt out, because compilers disagree on how they nest -----

template <Expression X>
Tensor(const X&) -> Tensor<typename expression_result<X>::value_type, typename expression_result<X>::extents_type>;
template <class T, class E, class L>
Tensor(const View<T, E, L>&) -> Tensor<std::remove_const_t<T>, E>;
template <class T, class E, class D>
Tensor(const Tensor<T, E, D>&) -> Tensor<T, E, D>;
template <Element T>
Tensor(T) -> Tensor<T, extents<>>;
template <Element T>
Tensor(std::initializer_list<T>) -> Tensor<T, dims<1>>;

}  // namespace fluxion
