/// What AVX and AVX2 do better than Eigen's generic functions: masked loads and stores, 256-bit int32.
/// Included by lane.hpp.
#pragma once
#include "lane.hpp"

#if !defined(FLUXION_NO_VECTOR) && defined(EIGEN_VECTORIZE_AVX) && !defined(EIGEN_VECTORIZE_AVX512)
namespace fluxion::host {
inline namespace FLUXION_ABI {
namespace detail {
/// Eight set words and eight clear ones: read from 8 - count for a mask of the first `count` words.
alignas(64) inline constexpr std::int32_t partial_words[16] = {-1, -1, -1, -1, -1, -1, -1, -1, 0, 0, 0, 0, 0, 0, 0, 0};
FLUXION_ALWAYS_INLINE __m256i first_words(int count) {
  return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(partial_words + 8 - count));
}

template <>
struct lane<float> : eigen_lane<float> {
  static FLUXION_ALWAYS_INLINE __m256 load_partial(const float* p, int count, float fill) {
    const __m256i m = first_words(count);
    return _mm256_blendv_ps(_mm256_set1_ps(fill), _mm256_maskload_ps(p, m), _mm256_castsi256_ps(m));
  }
  static FLUXION_ALWAYS_INLINE void store_partial(float* p, __m256 x, int count) {
    _mm256_maskstore_ps(p, first_words(count), x);
  }
  static FLUXION_ALWAYS_INLINE __m256 sqrt(__m256 a) { return _mm256_sqrt_ps(a); }
  static FLUXION_ALWAYS_INLINE mask less_equal(__m256 a, __m256 b) { return _mm256_cmp_ps(a, b, _CMP_LE_OQ); }
  static FLUXION_ALWAYS_INLINE mask not_equal(__m256 a, __m256 b) { return _mm256_cmp_ps(a, b, _CMP_NEQ_UQ); }
  static FLUXION_ALWAYS_INLINE __m256 select(mask m, __m256 a, __m256 b) { return _mm256_blendv_ps(b, a, m); }
  static FLUXION_ALWAYS_INLINE std::uint32_t bits(mask m) { return static_cast<std::uint32_t>(_mm256_movemask_ps(m)); }
  template <int step>
  static FLUXION_ALWAYS_INLINE __m256 exchange(__m256 x) {
    if constexpr (step == 4) return _mm256_permute2f128_ps(x, x, 1);
    else if constexpr (step == 2) return _mm256_permute_ps(x, 0x4E);
    else return _mm256_permute_ps(x, 0xB1);
  }
#if defined(__AVX2__)
  static FLUXION_ALWAYS_INLINE mask mask_from_bits(std::uint32_t b) {
    const __m256i each = _mm256_setr_epi32(1, 2, 4, 8, 16, 32, 64, 128);
    const __m256i all = _mm256_set1_epi32(static_cast<std::int32_t>(b));
    return _mm256_castsi256_ps(_mm256_cmpeq_epi32(_mm256_and_si256(all, each), each));
  }
#endif
  static FLUXION_ALWAYS_INLINE mask first(int count) { return _mm256_castsi256_ps(first_words(count)); }
#if defined(__AVX2__)
  /// The low bits of x as an exponent.
  static FLUXION_ALWAYS_INLINE __m256 shift_to_exponent(__m256 x) {
    return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_castps_si256(x), 23));
  }
  /// See `scale`: two halves of n, of which only the second multiplication rounds.
  static FLUXION_ALWAYS_INLINE __m256 scale_by_bits(__m256 y, __m256 shifted) {
    const __m256i all = _mm256_castps_si256(shifted), half = _mm256_srli_epi32(all, 1);
    const __m256i first = _mm256_slli_epi32(half, 23), second = _mm256_slli_epi32(_mm256_sub_epi32(all, half), 23);
    return _mm256_mul_ps(_mm256_mul_ps(y, _mm256_castsi256_ps(first)), _mm256_castsi256_ps(second));
  }
#endif
  static FLUXION_ALWAYS_INLINE __m256d widen_low(__m256 x) { return _mm256_cvtps_pd(_mm256_castps256_ps128(x)); }
  static FLUXION_ALWAYS_INLINE __m256d widen_high(__m256 x) { return _mm256_cvtps_pd(_mm256_extractf128_ps(x, 1)); }
  static FLUXION_ALWAYS_INLINE __m256 narrow(__m256d low, __m256d high) {
    return _mm256_insertf128_ps(_mm256_castps128_ps256(_mm256_cvtpd_ps(low)), _mm256_cvtpd_ps(high), 1);
  }
  static FLUXION_ALWAYS_INLINE __m256 from_int32(__m256i x) { return _mm256_cvtepi32_ps(x); }
};

template <>
struct lane<double> : eigen_lane<double> {
  static FLUXION_ALWAYS_INLINE __m256d load_partial(const double* p, int count, double fill) {
    const __m256i m = first_words(2 * count);
    return _mm256_blendv_pd(_mm256_set1_pd(fill), _mm256_maskload_pd(p, m), _mm256_castsi256_pd(m));
  }
  static FLUXION_ALWAYS_INLINE void store_partial(double* p, __m256d x, int count) {
    _mm256_maskstore_pd(p, first_words(2 * count), x);
  }
  static FLUXION_ALWAYS_INLINE __m256d sqrt(__m256d a) { return _mm256_sqrt_pd(a); }
  static FLUXION_ALWAYS_INLINE mask less_equal(__m256d a, __m256d b) { return _mm256_cmp_pd(a, b, _CMP_LE_OQ); }
  static FLUXION_ALWAYS_INLINE mask not_equal(__m256d a, __m256d b) { return _mm256_cmp_pd(a, b, _CMP_NEQ_UQ); }
  static FLUXION_ALWAYS_INLINE __m256d select(mask m, __m256d a, __m256d b) { return _mm256_blendv_pd(b, a, m); }
  static FLUXION_ALWAYS_INLINE std::uint32_t bits(mask m) { return static_cast<std::uint32_t>(_mm256_movemask_pd(m)); }
  template <int step>
  static FLUXION_ALWAYS_INLINE __m256d exchange(__m256d x) {
    if constexpr (step == 2) return _mm256_permute2f128_pd(x, x, 1);
    else return _mm256_permute_pd(x, 0x5);
  }
#if defined(__AVX2__)
  static FLUXION_ALWAYS_INLINE mask mask_from_bits(std::uint32_t b) {
    const __m256i each = _mm256_setr_epi64x(1, 2, 4, 8);
    const __m256i all = _mm256_set1_epi64x(static_cast<std::int64_t>(b));
    return _mm256_castsi256_pd(_mm256_cmpeq_epi64(_mm256_and_si256(all, each), each));
  }
#endif
  static FLUXION_ALWAYS_INLINE mask first(int count) { return _mm256_castsi256_pd(first_words(2 * count)); }
#if defined(__AVX2__)
  static FLUXION_ALWAYS_INLINE __m256d shift_to_exponent(__m256d x) {
    return _mm256_castsi256_pd(_mm256_slli_epi64(_mm256_castpd_si256(x), 52));
  }
  static FLUXION_ALWAYS_INLINE __m256d scale_by_bits(__m256d y, __m256d shifted) {
    const __m256i all = _mm256_castpd_si256(shifted), half = _mm256_srli_epi64(all, 1);
    const __m256i first = _mm256_slli_epi64(half, 52), second = _mm256_slli_epi64(_mm256_sub_epi64(all, half), 52);
    return _mm256_mul_pd(_mm256_mul_pd(y, _mm256_castsi256_pd(first)), _mm256_castsi256_pd(second));
  }
#endif
};

template <>
struct lane<std::int32_t> : eigen_lane<std::int32_t> {
  static FLUXION_ALWAYS_INLINE __m256i load_partial(const std::int32_t* p, int count, std::int32_t fill) {
    const __m256i m = first_words(count);
    return select(m, masked_words(p, m), _mm256_set1_epi32(fill));
  }
  static FLUXION_ALWAYS_INLINE __m256i masked_words(const std::int32_t* p, __m256i m) {
#if defined(__AVX2__)
    return _mm256_maskload_epi32(p, m);
#else
    return _mm256_castps_si256(_mm256_maskload_ps(reinterpret_cast<const float*>(p), m));
#endif
  }
  static FLUXION_ALWAYS_INLINE void store_partial(std::int32_t* p, __m256i x, int count) {
#if defined(__AVX2__)
    _mm256_maskstore_epi32(p, first_words(count), x);
#else
    _mm256_maskstore_ps(reinterpret_cast<float*>(p), first_words(count), _mm256_castsi256_ps(x));
#endif
  }
  static FLUXION_ALWAYS_INLINE mask first(int count) { return first_words(count); }
  static FLUXION_ALWAYS_INLINE __m256d widen_low(__m256i x) { return _mm256_cvtepi32_pd(_mm256_castsi256_si128(x)); }
  static FLUXION_ALWAYS_INLINE __m256d widen_high(__m256i x) { return _mm256_cvtepi32_pd(_mm256_extractf128_si256(x, 1)); }
  static FLUXION_ALWAYS_INLINE __m256i narrow(__m256d low, __m256d high) {
    return _mm256_insertf128_si256(_mm256_castsi128_si256(_mm256_cvttpd_epi32(low)), _mm256_cvttpd_epi32(high), 1);
  }
  static FLUXION_ALWAYS_INLINE __m256i from_float(__m256 x) { return _mm256_cvttps_epi32(x); }
  static FLUXION_ALWAYS_INLINE mask less(__m256i a, __m256i b) {
#if defined(__AVX2__)
    return _mm256_cmpgt_epi32(b, a);
#else
    const __m128i low = _mm_cmpgt_epi32(_mm256_castsi256_si128(b), _mm256_castsi256_si128(a));
    const __m128i high = _mm_cmpgt_epi32(_mm256_extractf128_si256(b, 1), _mm256_extractf128_si256(a, 1));
    return _mm256_insertf128_si256(_mm256_castsi128_si256(low), high, 1);
#endif
  }
  static FLUXION_ALWAYS_INLINE __m256i select(mask m, __m256i a, __m256i b) {
    return _mm256_castps_si256(_mm256_blendv_ps(_mm256_castsi256_ps(b), _mm256_castsi256_ps(a), _mm256_castsi256_ps(m)));
  }
  static FLUXION_ALWAYS_INLINE std::uint32_t bits(mask m) { return lane<float>::bits(_mm256_castsi256_ps(m)); }
  static FLUXION_ALWAYS_INLINE mask mask_from_bits(std::uint32_t b) {
    return _mm256_castps_si256(lane<float>::mask_from_bits(b));
  }
  template <int step>
  static FLUXION_ALWAYS_INLINE __m256i exchange(__m256i x) {
    return _mm256_castps_si256(lane<float>::exchange<step>(_mm256_castsi256_ps(x)));
  }
};
}  // namespace detail
}
}  // namespace fluxion::host
#endif
