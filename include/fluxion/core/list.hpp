/// A growing array that also works during constant evaluation on every supported compiler (std::vector does not yet).
#pragma once
#include <type_traits>
#include <utility>

namespace fluxion {

namespace detail {

// Compilers limit the statements of a constant evaluation, and clang counts one for each turn of a loop: eight elements a turn.

/// Copies elements one after the other.
template <class T>
constexpr void copy_elements(const T* from, int count, T* to) {
  int i = 0;
  for (; i + 8 <= count; i += 8)
    to[i] = from[i], to[i + 1] = from[i + 1], to[i + 2] = from[i + 2], to[i + 3] = from[i + 3], to[i + 4] = from[i + 4], to[i + 5] = from[i + 5],
    to[i + 6] = from[i + 6], to[i + 7] = from[i + 7];
  for (; i < count; ++i) to[i] = from[i];
}

template <class T>
constexpr void fill_elements(T* to, int count, const T& value) {
  int i = 0;
  for (; i + 8 <= count; i += 8)
    to[i] = value, to[i + 1] = value, to[i + 2] = value, to[i + 3] = value, to[i + 4] = value, to[i + 5] = value, to[i + 6] = value, to[i + 7] = value;
  for (; i < count; ++i) to[i] = value;
}

}  // namespace detail

/// What std::vector is for the passes of the tensor compiler: contiguous, value semantics, indices are `int`.
/// Elements are trivially destructible and default-constructible.
template <class T>
class list {
 public:
  T* elements = nullptr;  // these two may be read directly: where compilers limit constant evaluation, calls count
  int count = 0;

  constexpr list() = default;
  constexpr list(int size, const T& value) { assign(size, value); }
  constexpr list(const list& other) { append(other.elements, other.count); }
  constexpr list(list&& other) noexcept
      : elements(std::exchange(other.elements, nullptr)),
        count(std::exchange(other.count, 0)),
        owned_(std::exchange(other.owned_, nullptr)),
        capacity_(std::exchange(other.capacity_, 0)) {}
  constexpr list& operator=(list other) noexcept {
    std::swap(elements, other.elements);
    std::swap(owned_, other.owned_);
    std::swap(count, other.count);
    std::swap(capacity_, other.capacity_);
    return *this;
  }
  constexpr ~list() { delete[] owned_; }

  /// A list of elements that live elsewhere, and longer than it. They are read there and copied before the list grows; none may be written.
  static constexpr list borrow(const T* data, int size) {
    list l;
    l.elements = const_cast<T*>(data);
    l.count = size;
    return l;
  }

  constexpr int size() const { return count; }
  constexpr bool empty() const { return count == 0; }
  constexpr T& operator[](int i) { return elements[i]; }
  constexpr const T& operator[](int i) const { return elements[i]; }
  constexpr T& back() { return elements[count - 1]; }
  constexpr const T& back() const { return elements[count - 1]; }
  constexpr T* begin() { return elements; }
  constexpr T* end() { return elements + count; }
  constexpr const T* begin() const { return elements; }
  constexpr const T* end() const { return elements + count; }

  constexpr void push_back(const T& value) {
    if (count >= capacity_) {
      const T kept = value;
      reserve(count ? 2 * count : 16);
      elements[count++] = kept;
      return;
    }
    elements[count++] = value;
  }
  /// Appends `size` elements of another list or array.
  constexpr void append(const T* from, int size) {
    reserve(count + size);
    detail::copy_elements(from, size, elements + count);
    count += size;
  }
  constexpr void pop_back() { --count; }
  constexpr void clear() { count = 0; }
  /// Shortens the list.
  constexpr void resize(int size) { count = size; }
  constexpr void reserve(int capacity) {
    if (capacity <= capacity_) return;
    T* const data = allocate(capacity);
    detail::copy_elements(elements, count, data);
    delete[] owned_;
    elements = owned_ = data;
    capacity_ = capacity;
  }
  constexpr void assign(int size, const T& value) {
    const T kept = value;
    if (size > capacity_) {
      delete[] owned_;
      elements = owned_ = allocate(size);
      capacity_ = size;
    }
    count = size;
    detail::fill_elements(elements, size, kept);
  }

 private:
  static constexpr T* allocate(int size) {
    if constexpr (std::is_trivially_default_constructible_v<T>) return new T[static_cast<unsigned>(size)];
    else return new T[static_cast<unsigned>(size)]{};
  }

  T* owned_ = nullptr;  // elements, or null where they are borrowed
  int capacity_ = 0;    // of what is owned
};

}  // namespace fluxion
