/// What SSE does better than Eigen's generic functions: partial loads and stores without a detour through memory.
/// Included by lane.hpp.
#pragma once
#include "lane.hpp"

#if !defined(FLUXION_NO_VECTOR) && defined(EIGEN_VECTORIZE_SSE) && !defined(EIGEN_VECTORIZE_AVX)
namespace fluxion::host {
inline namespace FLUXION_ABI {
namespace detail {
/// Eight set words and eight clear ones: read from 8 - count for a mask of the first `count` words.
alignas(64) inline constexpr std::int32_t partial_words[16] = {-1, -1, -1, -1, -1, -1, -1, -1, 0, 0, 0, 0, 0, 0, 0, 0};
// Partial rows of one to three words, by loads and stores that touch nothing else.
FLUXION_ALWAYS_INLINE __m128 load_word(const float* p) { return _mm_load_ss(p); }
FLUXION_ALWAYS_INLINE __m128 load_word(const std::int32_t* p) { return _mm_castsi128_ps(_mm_cvtsi32_si128(*p)); }
FLUXION_ALWAYS_INLINE void store_word(float* p, __m128 x) { _mm_store_ss(p, x); }
FLUXION_ALWAYS_INLINE void store_word(std::int32_t* p, __m128 x) { *p = _mm_cvtsi128_si32(_mm_castps_si128(x)); }
template <class T>
FLUXION_ALWAYS_INLINE __m128 load_words(const T* p, int count, __m128 fill) {
  const auto pair = [p] { return _mm_castsi128_ps(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p))); };
  switch (count) {
    case 0: return fill;
    case 1: return _mm_move_ss(fill, load_word(p));
    case 2: return _mm_shuffle_ps(pair(), fill, 0x44);
    case 3: return _mm_movelh_ps(pair(), _mm_move_ss(fill, load_word(p + 2)));
    default: return _mm_castsi128_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
  }
}
template <class T>
FLUXION_ALWAYS_INLINE void store_words(T* p, __m128 x, int count) {
  if (count >= 4) return _mm_storeu_si128(reinterpret_cast<__m128i*>(p), _mm_castps_si128(x));
  if (count >= 2) _mm_storel_epi64(reinterpret_cast<__m128i*>(p), _mm_castps_si128(x));
  if (count == 3) store_word(p + 2, _mm_movehl_ps(x, x));
  if (count == 1) store_word(p, x);
}
FLUXION_ALWAYS_INLINE __m128i first_words(int count) {
  return _mm_loadu_si128(reinterpret_cast<const __m128i*>(partial_words + 8 - count));
}
FLUXION_ALWAYS_INLINE __m128i words_of_bits(std::uint32_t bits, __m128i each) {
  return _mm_cmpeq_epi32(_mm_and_si128(_mm_set1_epi32(static_cast<std::int32_t>(bits)), each), each);
}

template <>
struct lane<float> : eigen_lane<float> {
  static FLUXION_ALWAYS_INLINE __m128 load_partial(const float* p, int count, float fill) {
    return load_words(p, count, _mm_set1_ps(fill));
  }
  static FLUXION_ALWAYS_INLINE void store_partial(float* p, __m128 x, int count) { store_words(p, x, count); }
  static FLUXION_ALWAYS_INLINE __m128 sqrt(__m128 a) { return _mm_sqrt_ps(a); }
  static FLUXION_ALWAYS_INLINE mask less_equal(__m128 a, __m128 b) { return _mm_cmple_ps(a, b); }
  static FLUXION_ALWAYS_INLINE mask not_equal(__m128 a, __m128 b) { return _mm_cmpneq_ps(a, b); }
  static FLUXION_ALWAYS_INLINE std::uint32_t bits(mask m) { return static_cast<std::uint32_t>(_mm_movemask_ps(m)); }
  static FLUXION_ALWAYS_INLINE mask mask_from_bits(std::uint32_t b) {
    return _mm_castsi128_ps(words_of_bits(b, _mm_setr_epi32(1, 2, 4, 8)));
  }
  static FLUXION_ALWAYS_INLINE mask first(int count) { return _mm_castsi128_ps(first_words(count)); }
  template <int step>
  static FLUXION_ALWAYS_INLINE __m128 exchange(__m128 x) {
    if constexpr (step == 2) return _mm_shuffle_ps(x, x, 0x4E);
    else return _mm_shuffle_ps(x, x, 0xB1);
  }
  /// The low bits of x as an exponent.
  static FLUXION_ALWAYS_INLINE __m128 shift_to_exponent(__m128 x) {
    return _mm_castsi128_ps(_mm_slli_epi32(_mm_castps_si128(x), 23));
  }
  /// See `scale`: two halves of n, of which only the second multiplication rounds.
  static FLUXION_ALWAYS_INLINE __m128 scale_by_bits(__m128 y, __m128 shifted) {
    const __m128i all = _mm_castps_si128(shifted), half = _mm_srli_epi32(all, 1);
    const __m128i first = _mm_slli_epi32(half, 23), second = _mm_slli_epi32(_mm_sub_epi32(all, half), 23);
    return _mm_mul_ps(_mm_mul_ps(y, _mm_castsi128_ps(first)), _mm_castsi128_ps(second));
  }
  static FLUXION_ALWAYS_INLINE __m128d widen_low(__m128 x) { return _mm_cvtps_pd(x); }
  static FLUXION_ALWAYS_INLINE __m128d widen_high(__m128 x) { return _mm_cvtps_pd(_mm_movehl_ps(x, x)); }
  static FLUXION_ALWAYS_INLINE __m128 narrow(__m128d low, __m128d high) {
    return _mm_movelh_ps(_mm_cvtpd_ps(low), _mm_cvtpd_ps(high));
  }
  static FLUXION_ALWAYS_INLINE __m128 from_int32(__m128i x) { return _mm_cvtepi32_ps(x); }
};

template <>
struct lane<double> : eigen_lane<double> {
  static FLUXION_ALWAYS_INLINE __m128d load_partial(const double* p, int count, double fill) {
    const __m128d rest = _mm_set1_pd(fill);
    return count <= 0 ? rest : count == 1 ? _mm_loadl_pd(rest, p) : _mm_loadu_pd(p);
  }
  static FLUXION_ALWAYS_INLINE void store_partial(double* p, __m128d x, int count) {
    if (count > 0) _mm_storel_pd(p, x);
    if (count > 1) _mm_storeh_pd(p + 1, x);
  }
  static FLUXION_ALWAYS_INLINE __m128d sqrt(__m128d a) { return _mm_sqrt_pd(a); }
  static FLUXION_ALWAYS_INLINE mask less_equal(__m128d a, __m128d b) { return _mm_cmple_pd(a, b); }
  static FLUXION_ALWAYS_INLINE mask not_equal(__m128d a, __m128d b) { return _mm_cmpneq_pd(a, b); }
  static FLUXION_ALWAYS_INLINE std::uint32_t bits(mask m) { return static_cast<std::uint32_t>(_mm_movemask_pd(m)); }
  static FLUXION_ALWAYS_INLINE mask mask_from_bits(std::uint32_t b) {
    return _mm_castsi128_pd(words_of_bits(b, _mm_setr_epi32(1, 1, 2, 2)));
  }
  static FLUXION_ALWAYS_INLINE mask first(int count) { return _mm_castsi128_pd(first_words(2 * count)); }
  template <int step>
  static FLUXION_ALWAYS_INLINE __m128d exchange(__m128d x) {
    return _mm_shuffle_pd(x, x, 1);
  }
  static FLUXION_ALWAYS_INLINE __m128d shift_to_exponent(__m128d x) {
    return _mm_castsi128_pd(_mm_slli_epi64(_mm_castpd_si128(x), 52));
  }
  static FLUXION_ALWAYS_INLINE __m128d scale_by_bits(__m128d y, __m128d shifted) {
    const __m128i all = _mm_castpd_si128(shifted), half = _mm_srli_epi64(all, 1);
    const __m128i first = _mm_slli_epi64(half, 52), second = _mm_slli_epi64(_mm_sub_epi64(all, half), 52);
    return _mm_mul_pd(_mm_mul_pd(y, _mm_castsi128_pd(first)), _mm_castsi128_pd(second));
  }
};

template <>
struct lane<std::int32_t> : eigen_lane<std::int32_t> {
  static FLUXION_ALWAYS_INLINE part load_partial(const std::int32_t* p, int count, std::int32_t fill) {
    return _mm_castps_si128(load_words(p, count, _mm_castsi128_ps(_mm_set1_epi32(fill))));
  }
  static FLUXION_ALWAYS_INLINE void store_partial(std::int32_t* p, part x, int count) {
    store_words(p, _mm_castsi128_ps(x), count);
  }
  static FLUXION_ALWAYS_INLINE std::uint32_t bits(mask m) { return lane<float>::bits(_mm_castsi128_ps(m)); }
  static FLUXION_ALWAYS_INLINE mask mask_from_bits(std::uint32_t b) { return words_of_bits(b, _mm_setr_epi32(1, 2, 4, 8)); }
  static FLUXION_ALWAYS_INLINE mask first(int count) { return first_words(count); }
  template <int step>
  static FLUXION_ALWAYS_INLINE part exchange(part x) {
    return _mm_castps_si128(lane<float>::exchange<step>(_mm_castsi128_ps(x)));
  }
  static FLUXION_ALWAYS_INLINE __m128d widen_low(part x) { return _mm_cvtepi32_pd(x); }
  static FLUXION_ALWAYS_INLINE __m128d widen_high(part x) { return _mm_cvtepi32_pd(_mm_unpackhi_epi64(x, x)); }
  static FLUXION_ALWAYS_INLINE part narrow(__m128d low, __m128d high) {
    return _mm_unpacklo_epi64(_mm_cvttpd_epi32(low), _mm_cvttpd_epi32(high));
  }
  static FLUXION_ALWAYS_INLINE part from_float(__m128 x) { return _mm_cvttps_epi32(x); }
};
}  // namespace detail
}
}  // namespace fluxion::host
#endif
