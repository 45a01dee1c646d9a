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
  constexpr list() = default;
  constexpr list(int count, const T& value) { assign(count, value); }
  constexpr list(const list& other) { append(other.data_, other.size_); }
  constexpr list(list&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)),
        owned_(std::exchange(other.owned_, nullptr)),
        size_(std::exchange(other.size_, 0)),
        capacity_(std::exchange(other.capacity_, 0)) {}
  constexpr list& operator=(list other) noexcept {
    std::swap(data_, other.data_);
    std::swap(owned_, other.owned_);
    std::swap(size_, other.size_);
    std::swap(capacity_, other.capacity_);
    return *this;
  }
  constexpr ~list() { delete[] owned_; }

  /// A list of elements that live elsewhere, and longer than it. They are read there and copied before the list grows; none may be written.
  static constexpr list borrow(const T* data, int size) {
    list l;
    l.data_ = const_cast<T*>(data);
    l.size_ = size;
    return l;
  }

  constexpr int size() const { return size_; }
  constexpr bool empty() const { return size_ == 0; }
  constexpr T& operator[](int i) { return data_[i]; }
  constexpr const T& operator[](int i) const { return data_[i]; }
  constexpr T& back() { return data_[size_ - 1]; }
  constexpr const T& back() const { return data_[size_ - 1]; }
  constexpr T* begin() { return data_; }
  constexpr T* end() { return data_ + size_; }
  constexpr const T* begin() const { return data_; }
  constexpr const T* end() const { return data_ + size_; }

  constexpr void push_back(const T& value) {
    if (size_ >= capacity_) {
      const T kept = value;
      reserve(size_ ? 2 * size_ : 16);
      data_[size_++] = kept;
      return;
    }
    data_[size_++] = value;
  }
  /// Appends `count` elements of another list or array.
  constexpr void append(const T* from, int count) {
    reserve(size_ + count);
    detail::copy_elements(from, count, data_ + size_);
    size_ += count;
  }
  constexpr void pop_back() { --size_; }
  constexpr void clear() { size_ = 0; }
  /// Shortens the list.
  constexpr void resize(int size) { size_ = size; }
  constexpr void reserve(int capacity) {
    if (capacity <= capacity_) return;
    T* const data = allocate(capacity);
    detail::copy_elements(data_, size_, data);
    delete[] owned_;
    data_ = owned_ = data;
    capacity_ = capacity;
  }
  constexpr void assign(int count, const T& value) {
    const T kept = value;
    if (count > capacity_) {
      delete[] owned_;
      data_ = owned_ = allocate(count);
      capacity_ = count;
    }
    size_ = count;
    detail::fill_elements(data_, count, kept);
  }

 private:
  static constexpr T* allocate(int count) {
    if constexpr (std::is_trivially_default_constructible_v<T>) return new T[static_cast<unsigned>(count)];
    else return new T[static_cast<unsigned>(count)]{};
  }

  T* data_ = nullptr;
  T* owned_ = nullptr;  // data_, or null where the elements are borrowed
  int size_ = 0;
  int capacity_ = 0;    // of what is owned
};

}  // namespace fluxion
