/// Every macro of the library, and nothing else. A user may define those of the first group before including any header.
#pragma once

// ---- switches -------------------------------------------------------------------------------------------------------
// FLUXION_NO_HEAP         tensors live in place whatever their size, scratch memory is a fixed array; nothing allocates
// FLUXION_SCRATCH_BYTES   the size of that array (default 16384)
// FLUXION_NO_VECTOR       scalar lanes instead of SIMD packets (also without Eigen's vectorisation)
// FLUXION_EAGER           every operation is evaluated by the interpreter where it is written
// FLUXION_INLINE_BYTES    largest static tensor that lives in place (default 256)
// FLUXION_USE_CBLAS       matrix products of float and double call a CBLAS library instead of Eigen
#ifndef FLUXION_INLINE_BYTES
#define FLUXION_INLINE_BYTES 256
#endif
#ifndef FLUXION_SCRATCH_BYTES
#define FLUXION_SCRATCH_BYTES 16384
#endif

// ---- what the compiler offers ---------------------------------------------------------------------------------------
#if defined(__cpp_exceptions) || defined(__EXCEPTIONS) || defined(_CPPUNWIND)
#define FLUXION_HAS_EXCEPTIONS 1
#else
#define FLUXION_HAS_EXCEPTIONS 0
#endif

// Whether the C library tells that a program has one thread only.
#if defined(__has_include)
#if __has_include(<sys/single_threaded.h>)
#define FLUXION_HAS_SINGLE_THREADED 1
#endif
#endif
#if !defined(FLUXION_HAS_SINGLE_THREADED)
#define FLUXION_HAS_SINGLE_THREADED 0
#endif

// One object for each thread, or just one where there are no threads: emulated thread-local storage allocates.
#if defined(__GNUC__) && !defined(__STDCPP_THREADS__)
#define FLUXION_THREAD_LOCAL
#else
#define FLUXION_THREAD_LOCAL thread_local
#endif

#if defined(__CUDACC__) || defined(__HIPCC__)
#define FLUXION_HOST_DEVICE __host__ __device__
#else
#define FLUXION_HOST_DEVICE
#endif

#if defined(_MSC_VER) && !defined(__clang__)
#define FLUXION_ALWAYS_INLINE __forceinline
#define FLUXION_INLINE_LAMBDA
#define FLUXION_NO_INLINE __declspec(noinline)
#define FLUXION_COLD
#define FLUXION_RESTRICT __restrict
#define FLUXION_UNALIGNED
#define FLUXION_PREFETCH_WRITE(pointer) static_cast<void>(pointer)
#else
#define FLUXION_ALWAYS_INLINE inline __attribute__((always_inline))
#define FLUXION_INLINE_LAMBDA __attribute__((always_inline))
#define FLUXION_COLD __attribute__((cold, noinline))
#define FLUXION_NO_INLINE __attribute__((noinline))
#define FLUXION_RESTRICT __restrict__
#define FLUXION_UNALIGNED __attribute__((aligned(1), may_alias))
#define FLUXION_PREFETCH_WRITE(pointer) __builtin_prefetch(pointer, 1)
#endif

// ---- the inline namespace of everything whose code depends on the build ---------------------------------------------
// Two translation units compiled for different packet widths define different functions; the name keeps them apart.
#if defined(FLUXION_NO_VECTOR) || defined(EIGEN_DONT_VECTORIZE)
#define FLUXION_ABI_WIDTH scalar
#elif defined(__AVX512F__)
#define FLUXION_ABI_WIDTH packet64
#elif defined(__AVX2__) && defined(__FMA__)
#define FLUXION_ABI_WIDTH packet32_fma
#elif defined(__AVX__)
#define FLUXION_ABI_WIDTH packet32
#else
#define FLUXION_ABI_WIDTH packet16
#endif
#if defined(FLUXION_EAGER)
#define FLUXION_ABI_MODE _eager
#else
#define FLUXION_ABI_MODE
#endif
#if defined(FLUXION_USE_CBLAS)
#define FLUXION_ABI_GEMM _cblas
#else
#define FLUXION_ABI_GEMM
#endif
#define FLUXION_ABI_JOIN_(a, b, c) a##b##c
#define FLUXION_ABI_JOIN(a, b, c) FLUXION_ABI_JOIN_(a, b, c)
#define FLUXION_ABI FLUXION_ABI_JOIN(FLUXION_ABI_WIDTH, FLUXION_ABI_MODE, FLUXION_ABI_GEMM)

/// The library's version.
#define FLUXION_VERSION_MAJOR 0
#define FLUXION_VERSION_MINOR 1
#define FLUXION_VERSION_PATCH 0
