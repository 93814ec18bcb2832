// FRESHET_BUILD_TAG: a string literal that says how this translation unit is compiled, as
// "field=value;field=value". It stands in the note of every module; core compares it with its own
// before any code of the module runs (docs/plugin-authors/contract.md says which fields refuse).
#pragma once

#include <cstddef>  // the standard library's configuration macros

#include "freshet/build_config.h"
#include "freshet/plugin.h"

#define FRESHET_DETAIL_TEXT_(x) #x
#define FRESHET_DETAIL_TEXT(x) FRESHET_DETAIL_TEXT_(x)

#if defined(_LIBCPP_VERSION)
#define FRESHET_DETAIL_STDLIB "libc++"
#define FRESHET_DETAIL_STDLIB_ABI "v" FRESHET_DETAIL_TEXT(_LIBCPP_ABI_VERSION)
#if defined(_LIBCPP_DEBUG) || defined(_LIBCPP_ENABLE_DEBUG_MODE)
#define FRESHET_DETAIL_STDLIB_DEBUG "yes"
#else
#define FRESHET_DETAIL_STDLIB_DEBUG "no"
#endif
#elif defined(__GLIBCXX__)
#define FRESHET_DETAIL_STDLIB "libstdc++"
#if _GLIBCXX_USE_CXX11_ABI
#define FRESHET_DETAIL_STDLIB_ABI "cxx11"
#else
#define FRESHET_DETAIL_STDLIB_ABI "before-cxx11"
#endif
#if defined(_GLIBCXX_DEBUG)
#define FRESHET_DETAIL_STDLIB_DEBUG "yes"
#else
#define FRESHET_DETAIL_STDLIB_DEBUG "no"
#endif
#else
#error "Freshet knows libstdc++ and libc++"
#endif

#if defined(__SANITIZE_ADDRESS__)
#define FRESHET_DETAIL_SANITIZER "address"
#elif defined(__SANITIZE_THREAD__)
#define FRESHET_DETAIL_SANITIZER "thread"
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define FRESHET_DETAIL_SANITIZER "address"
#elif __has_feature(thread_sanitizer)
#define FRESHET_DETAIL_SANITIZER "thread"
#elif __has_feature(memory_sanitizer)
#define FRESHET_DETAIL_SANITIZER "memory"
#endif
#endif
#if !defined(FRESHET_DETAIL_SANITIZER)
#define FRESHET_DETAIL_SANITIZER "none"
#endif

// The highest level of x86-64 that the compiler may use, and what it may use beyond that level.
#if defined(__x86_64__)
#if defined(__SSE3__) && defined(__SSSE3__) && defined(__SSE4_2__) && defined(__POPCNT__)
#define FRESHET_DETAIL_ISA_V2 1
#else
#define FRESHET_DETAIL_ISA_V2 0
#endif
#if FRESHET_DETAIL_ISA_V2 && defined(__AVX2__) && defined(__BMI__) && defined(__BMI2__) && \
    defined(__FMA__) && defined(__F16C__)
#define FRESHET_DETAIL_ISA_V3 1
#else
#define FRESHET_DETAIL_ISA_V3 0
#endif
#if FRESHET_DETAIL_ISA_V3 && defined(__AVX512F__) && defined(__AVX512BW__) && \
    defined(__AVX512CD__) && defined(__AVX512DQ__) && defined(__AVX512VL__)
#define FRESHET_DETAIL_ISA_V4 1
#else
#define FRESHET_DETAIL_ISA_V4 0
#endif
#if FRESHET_DETAIL_ISA_V4
#define FRESHET_DETAIL_ISA_LEVEL "x86-64-v4"
#elif FRESHET_DETAIL_ISA_V3
#define FRESHET_DETAIL_ISA_LEVEL "x86-64-v3"
#elif FRESHET_DETAIL_ISA_V2
#define FRESHET_DETAIL_ISA_LEVEL "x86-64-v2"
#else
#define FRESHET_DETAIL_ISA_LEVEL "x86-64"
#endif
#if !FRESHET_DETAIL_ISA_V2 && defined(__SSE4_2__)
#define FRESHET_DETAIL_ISA_SSE42 "+sse4.2"
#else
#define FRESHET_DETAIL_ISA_SSE42 ""
#endif
#if !FRESHET_DETAIL_ISA_V3 && defined(__AVX2__)
#define FRESHET_DETAIL_ISA_AVX "+avx2"
#elif !FRESHET_DETAIL_ISA_V3 && defined(__AVX__)
#define FRESHET_DETAIL_ISA_AVX "+avx"
#else
#define FRESHET_DETAIL_ISA_AVX ""
#endif
#if !FRESHET_DETAIL_ISA_V3 && defined(__BMI2__)
#define FRESHET_DETAIL_ISA_BMI "+bmi2"
#else
#define FRESHET_DETAIL_ISA_BMI ""
#endif
#if !FRESHET_DETAIL_ISA_V3 && defined(__FMA__)
#define FRESHET_DETAIL_ISA_FMA "+fma"
#else
#define FRESHET_DETAIL_ISA_FMA ""
#endif
#if !FRESHET_DETAIL_ISA_V4 && defined(__AVX512F__)
#define FRESHET_DETAIL_ISA_AVX512 "+avx512f"
#else
#define FRESHET_DETAIL_ISA_AVX512 ""
#endif
#define FRESHET_DETAIL_ISA                                                                        \
  FRESHET_DETAIL_ISA_LEVEL FRESHET_DETAIL_ISA_SSE42 FRESHET_DETAIL_ISA_AVX FRESHET_DETAIL_ISA_BMI \
      FRESHET_DETAIL_ISA_FMA FRESHET_DETAIL_ISA_AVX512
#elif defined(__aarch64__)
#define FRESHET_DETAIL_ISA "aarch64"
#else
#error "Freshet knows x86-64 and aarch64"
#endif

#if defined(__clang__)
#define FRESHET_DETAIL_COMPILER                                          \
  "clang " FRESHET_DETAIL_TEXT(__clang_major__) "." FRESHET_DETAIL_TEXT( \
      __clang_minor__) "." FRESHET_DETAIL_TEXT(__clang_patchlevel__)
#else
#define FRESHET_DETAIL_COMPILER                                 \
  "gcc " FRESHET_DETAIL_TEXT(__GNUC__) "." FRESHET_DETAIL_TEXT( \
      __GNUC_MINOR__) "." FRESHET_DETAIL_TEXT(__GNUC_PATCHLEVEL__)
#endif

#define FRESHET_BUILD_TAG                                                                     \
  "stdlib=" FRESHET_DETAIL_STDLIB ";stdlib-abi=" FRESHET_DETAIL_STDLIB_ABI                    \
  ";stdlib-debug=" FRESHET_DETAIL_STDLIB_DEBUG                                                \
  ";sdk-abi=" FRESHET_DETAIL_TEXT(FRESHET_ABI_VERSION) ";boost=" FRESHET_BOOST_VERSION_TEXT   \
                                                       ";sanitizer=" FRESHET_DETAIL_SANITIZER \
                                                       ";isa=" FRESHET_DETAIL_ISA             \
                                                       ";compiler=" FRESHET_DETAIL_COMPILER   \
                                                       ";cxx=" FRESHET_DETAIL_TEXT(__cplusplus)
