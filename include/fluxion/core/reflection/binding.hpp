/// The members of an aggregate as a list of addresses, one structured binding for each number of members. Private to
/// core/reflection.hpp. The language has no binding of a variable length, so the cases are written out, up to 32.
#pragma once
#include <cstddef>
#include <type_traits>
#include <utility>

namespace fluxion::reflection::detail {

/// The most members a class may have.
inline constexpr std::size_t largest_member_count = 32;

template <std::size_t I, class Pointee>
struct address {
  Pointee* pointer;
};

template <class Indices, class... Declared>
struct address_list;

/// Addresses of members, in order. `Declared` are the types as written, so that a reference member can be told.
template <std::size_t... I, class... Declared>
struct address_list<std::index_sequence<I...>, Declared...> : address<I, std::remove_reference_t<Declared>>... {
  static constexpr bool any_reference = (false || ... || std::is_reference_v<Declared>);
};

template <std::size_t I, class Pointee>
constexpr Pointee* get(const address<I, Pointee>& entry) {
  return entry.pointer;
}

template <class... Declared>
constexpr auto list(std::remove_reference_t<Declared>&... member) {
  return address_list<std::index_sequence_for<Declared...>, Declared...>{{&member}...};
}

/// `binding<N>::addresses(object)`: the addresses of the N members of an object.
template <std::size_t N>
struct binding;

template <>
struct binding<0> {
  template <class T>
  static constexpr auto addresses(T&) {
    return list<>();
  }
};

template <>
struct binding<1> {
  template <class T>
  static constexpr auto addresses(T& object) {
    auto& [m0] = object;
    return list<decltype(m0)>(m0);
  }
};

template <>
struct binding<2> {
  template <class T>
  static constexpr auto addresses(T& object) {
    auto& [m0, m1] = object;
    return list<decltype(m0), decltype(m1)>(m0, m1);
  }
};

template <>
struct binding<3> {
  template <class T>
  static constexpr auto addresses(T& object) {
    auto& [m0, m1, m2] = object;
    return list<decltype(m0), decltype(m1), decltype(m2)>(m0, m1, m2);
  }
};

template <>
struct binding<4> {
  template <class T>
  static constexpr auto addresses(T& object) {
    auto& [m0, m1, m2, m3] = object;
    return list<decltype(m0), decltype(m1), decltype(m2), decltype(m3)>(m0, m1, m2, m3);
  }
};

template <>
struct binding<5> {
  template <class T>
  static constexpr auto addresses(T& object) {
    auto& [m0, m1, m2, m3, m4] = object;
    return list<decltype(m0), decltype(m1), decltype(m2), decltype(m3), decltype(m4)>(m0, m1, m2, m3, m4);
  }
};

template <>
struct binding<6> {
  template <class T>
  static constexpr auto addresses(T& object) {
    auto& [m0, m1, m2, m3, m4, m5] = object;
    return list<decltype(m0), decltype(m1), decltype(m2), decltype(m3), decltype(m4), decltype(m5)>(m0, m1, m2, m3, m4,
                m5);
  }
};

template <>
struct binding<7> {
  template <class T>
  static constexpr auto addresses(T& object) {
    auto& [m0, m1, m2, m3, m4, m5, m6] = object;
    return list<decltype(m0), decltype(m1), decltype(m2), decltype(m3), decltype(m4), decltype(m5), decltype(m6)>(m0,
                m1, m2, m3, m4, m5, m6);
  }
};

template <>
struct binding<8> {
  template <class T>
  static constexpr auto addresses(T& object) {
    auto& [m0, m1, m2, m3, m4, m5, m6, m7] = object;
    return list<decltype(m0), decltype(m1), decltype(m2), decltype(m3), decltype(m4), decltype(m5), decltype(m6),
                decltype(m7)>(m0, m1, m2, m3, m4, m5, m6, m7);
  }
};

template <>
struct binding<9> {
  template <class T>
  static constexpr auto addresses(T& object) {
    auto& [m0, m1, m2, m3, m4, m5, m6, m7, m8] = object;
    return list<decltype(m0), decltype(m1), decltype(m2), decltype(m3), decltype(m4), decltype(m5), decltype(m6),
                decltype(m7), decltype(m8)>(m0, m1, m2, m3, m4, m5, m6, m7, m8);
  }
};

template <>
struct binding<10> {
  template <class T>
  static constexpr auto addresses(T& object) {
    auto& [m0, m1, m2, m3, m4, m5, m6, m7, m8, m9] = object;
    return list<decltype(m0), decltype(m1), decltype(m2), decltype(m3), decltype(m4), decltype(m5), decltype(m6),
                decltype(m7), decltype(m8), decltype(m9)>(m0, m1, m2, m3, m4, m5, m6, m7, m8, m9);
  }
};

template <>
struct binding<11> {
  template <class T>
  static constexpr auto addresses(T& object) {
    auto& [m0, m1, m2, m3, m4, m5, m6, m7, m8, m9, m10] = object;
    return list<decltype(m0), decltype(m1), decltype(m2), decltype(m3), decltype(m4), decltype(m5), decltype(m6),
                decltype(m7), decltype(m8), decltype(m9), decltype(m10)>(m0, m1, m2, m3, m4, m5, m6, m7, m8, m9, m10);
  }
};

template <>
struct binding<12> {
  template <class T>
  static constexpr auto addresses(T& object) {
    auto& [m0, m1, m2, m3, m4, m5, m6, m7, m8, m9, m10, m11] = object;
    return list<decltype(m0), decltype(m1), decltype(m2), decltype(m3), decltype(m4), decltype(m5), decltype(m6),
                decltype(m7), decltype(m8), decltype(m9), decltype(m10), decltype(m11)>(m0, m1, m2, m3, m4, m5, m6, m7,
                m8, m9, m10, m11);
  }
};

template <>
struct binding<13> {
  template <class T>
  static constexpr auto addresses(T& object) {
    auto& [m0, m1, m2, m3, m4, m5, m6, m7, m8, m9, m10, m11, m12] = object;
    return list<decltype(m0), decltype(m1), decltype(m2), decltype(m3), decltype(m4), decltype(m5), decltype(m6),
                decltype(m7), decltype(m8), decltype(m9), decltype(m10), decltype(m11), decltype(m12)>(m0, m1, m2, m3,
                m4, m5, m6, m7, m8, m9, m10, m11, m12);
  }
};

template <>
struct binding<14> {
  template <class T>
  static constexpr auto addresses(T& object) {
    auto& [m0, m1, m2, m3, m4, m5, m6, m7, m8, m9, m10, m11, m12, m13] = object;
    return list<decltype(m0), decltype(m1), decltype(m2), decltype(m3), decltype(m4), decltype(m5), decltype(m6),
                decltype(m7), decltype(m8), decltype(m9), decltype(m10), decltype(m11), decltype(m12),
                decltype(m13)>(m0, m1, m2, m3, m4, m5, m6, m7, m8, m9, m10, m11, m12, m13);
  }
};

template <>
struct binding<15> {
  template <class T>
  static constexpr auto addresses(T& object) {
    auto& [m0, m1, m2, m3, m4, m5, m6, m7, m8, m9, m10, m11, m12, m13, m14] = object;
    return list<decltype(m0), decltype(m1), decltype(m2), decltype(m3), decltype(m4), decltype(m5), decltype(m6),
                decltype(m7), decltype(m8), decltype(m9), decltype(m10), decltype(m11), decltype(m12), decltype(m13),
                decltype(m14)>(m0, m1, m2, m3, m4, m5, m6, m7, m8, m9, m10, m11, m12, m13, m14);
  }
};

template <>
struct binding<16> {
  template <class T>
  static constexpr auto addresses(T& object) {
    auto& [m0, m1, m2, m3, m4, m5, m6, m7, m8, m9, m10, m11, m12, m13, m14, m15] = object;
    return list<decltype(m0), decltype(m1), decltype(m2), decltype(m3), decltype(m4), decltype(m5), decltype(m6),
                decltype(m7), decltype(m8), decltype(m9), decltype(m10), decltype(m11), decltype(m12), decltype(m13),
                decltype(m14), decltype(m15)>(m0, m1, m2, m3, m4, m5, m6, m7, m8, m9, m10, m11, m12, m13, m14, m15);
  }
};

template <>
struct binding<17> {
  template <class T>
  static constexpr auto addresses(T& object) {
    auto& [m0, m1, m2, m3, m4, m5, m6, m7, m8, m9, m10, m11, m12, m13, m14, m15, m16] = object;
    return list<decltype(m0), decltype(m1), decltype(m2), decltype(m3), decltype(m4), decltype(m5), decltype(m6),
                decltype(m7), decltype(m8), decltype(m9), decltype(m10), decltype(m11), decltype(m12), decltype(m13),
                decltype(m14), decltype(m15), decltype(m16)>(m0, m1, m2, m3, m4, m5, m6, m7, m8, m9, m10, m11, m12, m13,
                m14, m15, m16);
  }
};

template <>
struct binding<18> {
  template <class T>
  static constexpr auto addresses(T& object) {
    auto& [m0, m1, m2, m3, m4, m5, m6, m7, m8, m9, m10, m11, m12, m13, m14, m15, m16, m17] = object;
    return list<decltype(m0), decltype(m1), decltype(m2), decltype(m3), decltype(m4), decltype(m5), decltype(m6),
                decltype(m7), decltype(m8), decltype(m9), decltype(m10), decltype(m11), decltype(m12), decltype(m13),
                decltype(m14), decltype(m15), decltype(m16), decltype(m17)>(m0, m1, m2, m3, m4, m5, m6, m7, m8, m9, m10,
                m11, m12, m13, m14, m15, m16, m17);
  }
};

template <>
struct binding<19> {
  template <class T>
  static constexpr auto addresses(T& object) {
    auto& [m0, m1, m2, m3, m4, m5, m6, m7, m8, m9, m10, m11, m12, m13, m14, m15, m16, m17, m18] = object;
    return list<decltype(m0), decltype(m1), decltype(m2), decltype(m3), decltype(m4), decltype(m5), decltype(m6),
                decltype(m7), decltype(m8), decltype(m9), decltype(m10), decltype(m11), decltype(m12), decltype(m13),
                decltype(m14), decltype(m15), decltype(m16), decltype(m17), decltype(m18)>(m0, m1, m2, m3, m4, m5, m6,
                m7, m8, m9, m10, m11, m12, m13, m14, m15, m16, m17, m18);
  }
};

template <>
struct binding<20> {
  template <class T>
  static constexpr auto addresses(T& object) {
    auto& [m0, m1, m2, m3, m4, m5, m6, m7, m8, m9, m10, m11, m12, m13, m14, m15, m16, m17, m18, m19] = object;
    return list<decltype(m0), decltype(m1), decltype(m2), decltype(m3), decltype(m4), decltype(m5), decltype(m6),
                decltype(m7), decltype(m8), decltype(m9), decltype(m10), decltype(m11), decltype(m12), decltype(m13),
                decltype(m14), decltype(m15), decltype(m16), decltype(m17), decltype(m18), decltype(m19)>(m0, m1, m2,
                m3, m4, m5, m6, m7, m8, m9, m10, m11, m12, m13, m14, m15, m16, m17, m18, m19);
  }
};

template <>
struct binding<21> {
  template <class T>
  static constexpr auto addresses(T& object) {
    auto& [m0, m1, m2, m3, m4, m5, m6, m7, m8, m9, m10, m11, m12, m13, m14, m15, m16, m17, m18, m19, m20] = object;
    return list<decltype(m0), decltype(m1), decltype(m2), decltype(m3), decltype(m4), decltype(m5), decltype(m6),
                decltype(m7), decltype(m8), decltype(m9), decltype(m10), decltype(m11), decltype(m12), decltype(m13),
                decltype(m14), decltype(m15), decltype(m16), decltype(m17), decltype(m18), decltype(m19),
                decltype(m20)>(m0, m1, m2, m3, m4, m5, m6, m7, m8, m9, m10, m11, m12, m13, m14, m15, m16, m17, m18, m19,
                m20);
  }
};

template <>
struct binding<22> {
  template <class T>
  static constexpr auto addresses(T& object) {
    auto& [m0, m1, m2, m3, m4, m5, m6, m7, m8, m9, m10, m11, m12, m13, m14, m15, m16, m17, m18, m19, m20, m21] = object;
    return list<decltype(m0), decltype(m1), decltype(m2), decltype(m3), decltype(m4), decltype(m5), decltype(m6),
                decltype(m7), decltype(m8), decltype(m9), decltype(m10), decltype(m11), decltype(m12), decltype(m13),
                decltype(m14), decltype(m15), decltype(m16), decltype(m17), decltype(m18), decltype(m19), decltype(m20),
                decltype(m21)>(m0, m1, m2, m3, m4, m5, m6, m7, m8, m9, m10, m11, m12, m13, m14, m15, m16, m17, m18, m19,
                m20, m21);
  }
};

template <>
struct binding<23> {
  template <class T>
  static constexpr auto addresses(T& object) {
    auto& [m0, m1, m2, m3, m4, m5, m6, m7, m8, m9, m10, m11, m12, m13, m14, m15, m16, m17, m18, m19, m20, m21, m22] =
           object;
    return list<decltype(m0), decltype(m1), decltype(m2), decltype(m3), decltype(m4), decltype(m5), decltype(m6),
                decltype(m7), decltype(m8), decltype(m9), decltype(m10), decltype(m11), decltype(m12), decltype(m13),
                decltype(m14), decltype(m15), decltype(m16), decltype(m17), decltype(m18), decltype(m19), decltype(m20),
                decltype(m21), decltype(m22)>(m0, m1, m2, m3, m4, m5, m6, m7, m8, m9, m10, m11, m12, m13, m14, m15, m16,
                m17, m18, m19, m20, m21, m22);
  }
};

template <>
struct binding<24> {
  template <class T>
  static constexpr auto addresses(T& object) {
    auto& [m0, m1, m2, m3, m4, m5, m6, m7, m8, m9, m10, m11, m12, m13, m14, m15, m16, m17, m18, m19, m20, m21, m22, m23]
           = object;
    return list<decltype(m0), decltype(m1), decltype(m2), decltype(m3), decltype(m4), decltype(m5), decltype(m6),
                decltype(m7), decltype(m8), decltype(m9), decltype(m10), decltype(m11), decltype(m12), decltype(m13),
                decltype(m14), decltype(m15), decltype(m16), decltype(m17), decltype(m18), decltype(m19), decltype(m20),
                decltype(m21), decltype(m22), decltype(m23)>(m0, m1, m2, m3, m4, m5, m6, m7, m8, m9, m10, m11, m12, m13,
                m14, m15, m16, m17, m18, m19, m20, m21, m22, m23);
  }
};

template <>
struct binding<25> {
  template <class T>
  static constexpr auto addresses(T& object) {
    auto& [m0, m1, m2, m3, m4, m5, m6, m7, m8, m9, m10, m11, m12, m13, m14, m15, m16, m17, m18, m19, m20, m21, m22, m23,
           m24] = object;
    return list<decltype(m0), decltype(m1), decltype(m2), decltype(m3), decltype(m4), decltype(m5), decltype(m6),
                decltype(m7), decltype(m8), decltype(m9), decltype(m10), decltype(m11), decltype(m12), decltype(m13),
                decltype(m14), decltype(m15), decltype(m16), decltype(m17), decltype(m18), decltype(m19), decltype(m20),
                decltype(m21), decltype(m22), decltype(m23), decltype(m24)>(m0, m1, m2, m3, m4, m5, m6, m7, m8, m9, m10,
                m11, m12, m13, m14, m15, m16, m17, m18, m19, m20, m21, m22, m23, m24);
  }
};

template <>
struct binding<26> {
  template <class T>
  static constexpr auto addresses(T& object) {
    auto& [m0, m1, m2, m3, m4, m5, m6, m7, m8, m9, m10, m11, m12, m13, m14, m15, m16, m17, m18, m19, m20, m21, m22, m23,
           m24, m25] = object;
    return list<decltype(m0), decltype(m1), decltype(m2), decltype(m3), decltype(m4), decltype(m5), decltype(m6),
                decltype(m7), decltype(m8), decltype(m9), decltype(m10), decltype(m11), decltype(m12), decltype(m13),
                decltype(m14), decltype(m15), decltype(m16), decltype(m17), decltype(m18), decltype(m19), decltype(m20),
                decltype(m21), decltype(m22), decltype(m23), decltype(m24), decltype(m25)>(m0, m1, m2, m3, m4, m5, m6,
                m7, m8, m9, m10, m11, m12, m13, m14, m15, m16, m17, m18, m19, m20, m21, m22, m23, m24, m25);
  }
};

template <>
struct binding<27> {
  template <class T>
  static constexpr auto addresses(T& object) {
    auto& [m0, m1, m2, m3, m4, m5, m6, m7, m8, m9, m10, m11, m12, m13, m14, m15, m16, m17, m18, m19, m20, m21, m22, m23,
           m24, m25, m26] = object;
    return list<decltype(m0), decltype(m1), decltype(m2), decltype(m3), decltype(m4), decltype(m5), decltype(m6),
                decltype(m7), decltype(m8), decltype(m9), decltype(m10), decltype(m11), decltype(m12), decltype(m13),
                decltype(m14), decltype(m15), decltype(m16), decltype(m17), decltype(m18), decltype(m19), decltype(m20),
                decltype(m21), decltype(m22), decltype(m23), decltype(m24), decltype(m25), decltype(m26)>(m0, m1, m2,
                m3, m4, m5, m6, m7, m8, m9, m10, m11, m12, m13, m14, m15, m16, m17, m18, m19, m20, m21, m22, m23, m24,
                m25, m26);
  }
};

template <>
struct binding<28> {
  template <class T>
  static constexpr auto addresses(T& object) {
    auto& [m0, m1, m2, m3, m4, m5, m6, m7, m8, m9, m10, m11, m12, m13, m14, m15, m16, m17, m18, m19, m20, m21, m22, m23,
           m24, m25, m26, m27] = object;
    return list<decltype(m0), decltype(m1), decltype(m2), decltype(m3), decltype(m4), decltype(m5), decltype(m6),
                decltype(m7), decltype(m8), decltype(m9), decltype(m10), decltype(m11), decltype(m12), decltype(m13),
                decltype(m14), decltype(m15), decltype(m16), decltype(m17), decltype(m18), decltype(m19), decltype(m20),
                decltype(m21), decltype(m22), decltype(m23), decltype(m24), decltype(m25), decltype(m26),
                decltype(m27)>(m0, m1, m2, m3, m4, m5, m6, m7, m8, m9, m10, m11, m12, m13, m14, m15, m16, m17, m18, m19,
                m20, m21, m22, m23, m24, m25, m26, m27);
  }
};

template <>
struct binding<29> {
  template <class T>
  static constexpr auto addresses(T& object) {
    auto& [m0, m1, m2, m3, m4, m5, m6, m7, m8, m9, m10, m11, m12, m13, m14, m15, m16, m17, m18, m19, m20, m21, m22, m23,
           m24, m25, m26, m27, m28] = object;
    return list<decltype(m0), decltype(m1), decltype(m2), decltype(m3), decltype(m4), decltype(m5), decltype(m6),
                decltype(m7), decltype(m8), decltype(m9), decltype(m10), decltype(m11), decltype(m12), decltype(m13),
                decltype(m14), decltype(m15), decltype(m16), decltype(m17), decltype(m18), decltype(m19), decltype(m20),
                decltype(m21), decltype(m22), decltype(m23), decltype(m24), decltype(m25), decltype(m26), decltype(m27),
                decltype(m28)>(m0, m1, m2, m3, m4, m5, m6, m7, m8, m9, m10, m11, m12, m13, m14, m15, m16, m17, m18, m19,
                m20, m21, m22, m23, m24, m25, m26, m27, m28);
  }
};

template <>
struct binding<30> {
  template <class T>
  static constexpr auto addresses(T& object) {
    auto& [m0, m1, m2, m3, m4, m5, m6, m7, m8, m9, m10, m11, m12, m13, m14, m15, m16, m17, m18, m19, m20, m21, m22, m23,
           m24, m25, m26, m27, m28, m29] = object;
    return list<decltype(m0), decltype(m1), decltype(m2), decltype(m3), decltype(m4), decltype(m5), decltype(m6),
                decltype(m7), decltype(m8), decltype(m9), decltype(m10), decltype(m11), decltype(m12), decltype(m13),
                decltype(m14), decltype(m15), decltype(m16), decltype(m17), decltype(m18), decltype(m19), decltype(m20),
                decltype(m21), decltype(m22), decltype(m23), decltype(m24), decltype(m25), decltype(m26), decltype(m27),
                decltype(m28), decltype(m29)>(m0, m1, m2, m3, m4, m5, m6, m7, m8, m9, m10, m11, m12, m13, m14, m15, m16,
                m17, m18, m19, m20, m21, m22, m23, m24, m25, m26, m27, m28, m29);
  }
};

template <>
struct binding<31> {
  template <class T>
  static constexpr auto addresses(T& object) {
    auto& [m0, m1, m2, m3, m4, m5, m6, m7, m8, m9, m10, m11, m12, m13, m14, m15, m16, m17, m18, m19, m20, m21, m22, m23,
           m24, m25, m26, m27, m28, m29, m30] = object;
    return list<decltype(m0), decltype(m1), decltype(m2), decltype(m3), decltype(m4), decltype(m5), decltype(m6),
                decltype(m7), decltype(m8), decltype(m9), decltype(m10), decltype(m11), decltype(m12), decltype(m13),
                decltype(m14), decltype(m15), decltype(m16), decltype(m17), decltype(m18), decltype(m19), decltype(m20),
                decltype(m21), decltype(m22), decltype(m23), decltype(m24), decltype(m25), decltype(m26), decltype(m27),
                decltype(m28), decltype(m29), decltype(m30)>(m0, m1, m2, m3, m4, m5, m6, m7, m8, m9, m10, m11, m12, m13,
                m14, m15, m16, m17, m18, m19, m20, m21, m22, m23, m24, m25, m26, m27, m28, m29, m30);
  }
};

template <>
struct binding<32> {
  template <class T>
  static constexpr auto addresses(T& object) {
    auto& [m0, m1, m2, m3, m4, m5, m6, m7, m8, m9, m10, m11, m12, m13, m14, m15, m16, m17, m18, m19, m20, m21, m22, m23,
           m24, m25, m26, m27, m28, m29, m30, m31] = object;
    return list<decltype(m0), decltype(m1), decltype(m2), decltype(m3), decltype(m4), decltype(m5), decltype(m6),
                decltype(m7), decltype(m8), decltype(m9), decltype(m10), decltype(m11), decltype(m12), decltype(m13),
                decltype(m14), decltype(m15), decltype(m16), decltype(m17), decltype(m18), decltype(m19), decltype(m20),
                decltype(m21), decltype(m22), decltype(m23), decltype(m24), decltype(m25), decltype(m26), decltype(m27),
                decltype(m28), decltype(m29), decltype(m30), decltype(m31)>(m0, m1, m2, m3, m4, m5, m6, m7, m8, m9, m10,
                m11, m12, m13, m14, m15, m16, m17, m18, m19, m20, m21, m22, m23, m24, m25, m26, m27, m28, m29, m30,
                m31);
  }
};

}  // namespace fluxion::reflection::detail
