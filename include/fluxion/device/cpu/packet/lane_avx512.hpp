/// What AVX-512 does better than Eigen's generic functions: mask registers, masked loads and stores, scalef.
/// Included by lane.hpp.
#pragma once
#include "lane.hpp"

#if !defined(FLUXION_NO_VECTOR) && defined(EIGEN_VECTORIZE_AVX512)
namespace fluxion::host {
inline namespace FLUXION_ABI {
namespace detail {
// Masks are the k registers of AVX-512: select and partial access take them directly, and any two types share them.
inline constexpr unsigned all_lanes(int count) { return (1u << static_cast<unsigned>(count)) - 1u; }

/// What float, double and int32 share under AVX-512: masks are plain bits.
template <class T, class Bits>
struct avx512_lane : eigen_lane<T> {
  using mask = Bits;
  static FLUXION_ALWAYS_INLINE Bits mask_and(Bits a, Bits b) { return static_cast<Bits>(a & b); }
  static FLUXION_ALWAYS_INLINE Bits mask_or(Bits a, Bits b) { return static_cast<Bits>(a | b); }
  static FLUXION_ALWAYS_INLINE Bits mask_not(Bits a) { return static_cast<Bits>(~a); }
  static FLUXION_ALWAYS_INLINE std::uint32_t bits(Bits m) { return m; }
  static FLUXION_ALWAYS_INLINE Bits mask_from_bits(std::uint32_t b) { return static_cast<Bits>(b); }
  static FLUXION_ALWAYS_INLINE Bits first(int count) { return static_cast<Bits>(all_lanes(count)); }
};

template <>
struct lane<float> : avx512_lane<float, __mmask16> {
  using part = packet_type<float>::type;
  static FLUXION_ALWAYS_INLINE part load_partial(const float* p, int count, float fill) {
    return _mm512_mask_loadu_ps(_mm512_set1_ps(fill), first(count), p);
  }
  static FLUXION_ALWAYS_INLINE void store_partial(float* p, part x, int count) { _mm512_mask_storeu_ps(p, first(count), x); }
  static FLUXION_ALWAYS_INLINE part sqrt(part a) { return _mm512_sqrt_ps(a); }
  static FLUXION_ALWAYS_INLINE mask less(part a, part b) { return _mm512_cmp_ps_mask(a, b, _CMP_LT_OQ); }
  static FLUXION_ALWAYS_INLINE mask less_equal(part a, part b) { return _mm512_cmp_ps_mask(a, b, _CMP_LE_OQ); }
  static FLUXION_ALWAYS_INLINE mask equal(part a, part b) { return _mm512_cmp_ps_mask(a, b, _CMP_EQ_OQ); }
  static FLUXION_ALWAYS_INLINE mask not_equal(part a, part b) { return _mm512_cmp_ps_mask(a, b, _CMP_NEQ_UQ); }
  static FLUXION_ALWAYS_INLINE part select(mask m, part a, part b) { return _mm512_mask_blend_ps(m, b, a); }
  static FLUXION_ALWAYS_INLINE part scalef(part y, part n) { return _mm512_scalef_ps(y, n); }
  template <int step>
  static FLUXION_ALWAYS_INLINE part exchange(part x) {
    if constexpr (step == 8) return _mm512_shuffle_f32x4(x, x, 0x4E);
    else if constexpr (step == 4) return _mm512_shuffle_f32x4(x, x, 0xB1);
    else if constexpr (step == 2) return _mm512_permute_ps(x, 0x4E);
    else return _mm512_permute_ps(x, 0xB1);
  }
  static FLUXION_ALWAYS_INLINE __m512d widen_low(part x) { return _mm512_cvtps_pd(_mm512_castps512_ps256(x)); }
  static FLUXION_ALWAYS_INLINE __m512d widen_high(part x) {
    return _mm512_cvtps_pd(_mm256_castpd_ps(_mm512_extractf64x4_pd(_mm512_castps_pd(x), 1)));
  }
  static FLUXION_ALWAYS_INLINE part narrow(__m512d low, __m512d high) {
    const __m512d base = _mm512_castps_pd(_mm512_castps256_ps512(_mm512_cvtpd_ps(low)));
    return _mm512_castpd_ps(_mm512_insertf64x4(base, _mm256_castps_pd(_mm512_cvtpd_ps(high)), 1));
  }
  static FLUXION_ALWAYS_INLINE part from_int32(__m512i x) { return _mm512_cvtepi32_ps(x); }
};

template <>
struct lane<double> : avx512_lane<double, __mmask8> {
  using part = packet_type<double>::type;
  static FLUXION_ALWAYS_INLINE part load_partial(const double* p, int count, double fill) {
    return _mm512_mask_loadu_pd(_mm512_set1_pd(fill), first(count), p);
  }
  static FLUXION_ALWAYS_INLINE void store_partial(double* p, part x, int count) { _mm512_mask_storeu_pd(p, first(count), x); }
  static FLUXION_ALWAYS_INLINE part sqrt(part a) { return _mm512_sqrt_pd(a); }
  static FLUXION_ALWAYS_INLINE mask less(part a, part b) { return _mm512_cmp_pd_mask(a, b, _CMP_LT_OQ); }
  static FLUXION_ALWAYS_INLINE mask less_equal(part a, part b) { return _mm512_cmp_pd_mask(a, b, _CMP_LE_OQ); }
  static FLUXION_ALWAYS_INLINE mask equal(part a, part b) { return _mm512_cmp_pd_mask(a, b, _CMP_EQ_OQ); }
  static FLUXION_ALWAYS_INLINE mask not_equal(part a, part b) { return _mm512_cmp_pd_mask(a, b, _CMP_NEQ_UQ); }
  static FLUXION_ALWAYS_INLINE part select(mask m, part a, part b) { return _mm512_mask_blend_pd(m, b, a); }
  static FLUXION_ALWAYS_INLINE part scalef(part y, part n) { return _mm512_scalef_pd(y, n); }
  template <int step>
  static FLUXION_ALWAYS_INLINE part exchange(part x) {
    if constexpr (step == 4) return _mm512_shuffle_f64x2(x, x, 0x4E);
    else if constexpr (step == 2) return _mm512_shuffle_f64x2(x, x, 0xB1);
    else return _mm512_permute_pd(x, 0x55);
  }
};

template <>
struct lane<std::int32_t> : avx512_lane<std::int32_t, __mmask16> {
  using part = packet_type<std::int32_t>::type;
  static FLUXION_ALWAYS_INLINE part load_partial(const std::int32_t* p, int count, std::int32_t fill) {
    return _mm512_mask_loadu_epi32(_mm512_set1_epi32(fill), first(count), p);
  }
  static FLUXION_ALWAYS_INLINE void store_partial(std::int32_t* p, part x, int count) {
    _mm512_mask_storeu_epi32(p, first(count), x);
  }
  static FLUXION_ALWAYS_INLINE mask less(part a, part b) { return _mm512_cmplt_epi32_mask(a, b); }
  static FLUXION_ALWAYS_INLINE mask less_equal(part a, part b) { return _mm512_cmple_epi32_mask(a, b); }
  static FLUXION_ALWAYS_INLINE mask equal(part a, part b) { return _mm512_cmpeq_epi32_mask(a, b); }
  static FLUXION_ALWAYS_INLINE mask not_equal(part a, part b) { return _mm512_cmpneq_epi32_mask(a, b); }
  static FLUXION_ALWAYS_INLINE part select(mask m, part a, part b) { return _mm512_mask_blend_epi32(m, b, a); }
  static FLUXION_ALWAYS_INLINE part abs(part a) { return _mm512_abs_epi32(a); }
  static FLUXION_ALWAYS_INLINE part maximum(part a, part b) { return _mm512_max_epi32(a, b); }
  static FLUXION_ALWAYS_INLINE part minimum(part a, part b) { return _mm512_min_epi32(a, b); }
  template <int step>
  static FLUXION_ALWAYS_INLINE part exchange(part x) {
    return _mm512_castps_si512(lane<float>::exchange<step>(_mm512_castsi512_ps(x)));
  }
  static FLUXION_ALWAYS_INLINE __m512d widen_low(part x) { return _mm512_cvtepi32_pd(_mm512_castsi512_si256(x)); }
  static FLUXION_ALWAYS_INLINE __m512d widen_high(part x) { return _mm512_cvtepi32_pd(_mm512_extracti64x4_epi64(x, 1)); }
  static FLUXION_ALWAYS_INLINE part narrow(__m512d low, __m512d high) {
    return _mm512_inserti64x4(_mm512_castsi256_si512(_mm512_cvttpd_epi32(low)), _mm512_cvttpd_epi32(high), 1);
  }
  static FLUXION_ALWAYS_INLINE part from_float(__m512 x) { return _mm512_cvttps_epi32(x); }
};
}  // namespace detail
}
}  // namespace fluxion::host
#endif
