/// A growing array that also works during constant evaluation on every supported compiler (std::vector does not yet).
#pragma once
#include <utility>

namespace fluxion {

/// What std::vector is for the passes of the tensor compiler: contiguous, value semantics, indices are `int`.
/// Elements are trivially destructible and default-constructible.
template <class T>
class list {
 public:
  constexpr list() = default;
  constexpr list(int count, const T& value) { assign(count, value); }
  constexpr list(const list& other) { copy(other); }
  constexpr list(list&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)), capacity_(std::exchange(other.capacity_, 0)) {}
  constexpr list& operator=(list other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    std::swap(capacity_, other.capacity_);
    return *this;
  }
  constexpr ~list() { delete[] data_; }

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
    if (size_ == capacity_) {
      const T kept = value;
      reserve(capacity_ ? 2 * capacity_ : 16);
      data_[size_++] = kept;
      return;
    }
    data_[size_++] = value;
  }
  constexpr void pop_back() { --size_; }
  constexpr void clear() { size_ = 0; }
  /// Shortens the list.
  constexpr void resize(int size) { size_ = size; }
  constexpr void reserve(int capacity) {
    if (capacity <= capacity_) return;
    T* data = new T[static_cast<unsigned>(capacity)]{};
    for (int i = 0; i < size_; ++i) data[i] = data_[i];
    delete[] data_;
    data_ = data;
    capacity_ = capacity;
  }
  constexpr void assign(int count, const T& value) {
    if (count > capacity_) {
      const T kept = value;
      delete[] std::exchange(data_, new T[static_cast<unsigned>(count)]{});
      capacity_ = count;
      size_ = count;
      for (int i = 0; i < count; ++i) data_[i] = kept;
      return;
    }
    size_ = count;
    for (int i = 0; i < count; ++i) data_[i] = value;
  }

 private:
  constexpr void copy(const list& other) {
    if (other.size_ == 0) return;
    reserve(other.size_);
    size_ = other.size_;
    for (int i = 0; i < size_; ++i) data_[i] = other.data_[i];
  }

  T* data_ = nullptr;
  int size_ = 0;
  int capacity_ = 0;
};

}  // namespace fluxion
